"""The tables as they are, and how an older database comes to have them."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
)

from core.connection import shown
from core.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"

metadata = MetaData()
"""The tables as they are now, made at once in a new database; `MIGRATIONS` make the same from older ones."""

REVISION = "0006"
"""The newest of `MIGRATIONS`, so that they are read only where there is something to change."""

# Alembic's own note of where a database stands, as Alembic makes it.
_STAND = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32)),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def upgrade(connection: Connection) -> None:
    """Make the tables, or bring them up to date.

    Raises:
        StoreError: the database is newer than the program.
    """
    with connection.begin():
        held = _revision(connection)
        if held is None:
            # Not if they exist: they would be another program's.
            metadata.create_all(connection, checkfirst=False)
            _STAND.create(connection, checkfirst=True)
            connection.execute(insert(_STAND), {"version_num": REVISION})
        elif held != REVISION:
            _migrate(connection, held)


def _migrate(connection: Connection, held: str) -> None:
    config = _migrations(connection, held)
    import alembic.command

    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


def _migrations(connection: Connection, held: str) -> "Config":
    # Alembic costs a tenth of a second and 10 MB, and most starts have nothing to migrate.
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if held not in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
        raise StoreError(f"{shown(connection.engine.url)} was written by a newer version; update the program")
    return config


def check_current(connection: Connection) -> None:
    """Look whether the tables are as they should be.

    Raises:
        StoreError: they are not.
    """
    with connection.begin():
        if _revision(connection) != REVISION:
            name = shown(connection.engine.url)
            raise StoreError(f"{name} is not of this version; start the bot once, then look again")


def check_known(connection: Connection) -> None:
    """Look whether the tables are as they should be or can come to be so.

    Raises:
        StoreError: the database is newer than the program.
    """
    with connection.begin():
        held = _revision(connection)
    if held not in (None, REVISION):
        _migrations(connection, held)


def _revision(connection: Connection) -> str | None:
    """The migration that the database stands at; None where it is new."""
    if not inspect(connection).has_table(_STAND.name):
        return None
    return connection.scalar(select(_STAND.c.version_num))
