"""A database on SQLite or PostgreSQL: opened, brought up to date, locked, and used from one thread."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.sql.dml import Insert

from core.errors import StoreError, StoreTrouble

Result = TypeVar("Result")

MIGRATIONS = Path(__file__).parent / "migrations"

# FULL: a power cut must not bring back forgotten chats or repeat a round.
_PRAGMAS = {
    "sqlite": ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA secure_delete=ON"),
}

_NO_ADDRESS = "DATABASE_URL is no database address; write it like sqlite:///ketafacts.db"
_ELSEWHERE = "name another place in DATABASE_URL"
_TROUBLES = {
    "SQLITE_NOTADB": f"is no database; {_ELSEWHERE}, or move this file away",
    "SQLITE_CORRUPT": "is damaged; put a copy of it back, or move it away to start anew",
    "SQLITE_CANTOPEN": f"can't be opened; give this user the right to write there, or {_ELSEWHERE}",
    "SQLITE_READONLY": f"can't be written; give this user the right to, or {_ELSEWHERE}",
    "SQLITE_FULL": "can't be written: the disk is full; make room on it",
    "SQLITE_IOERR": "can't be read or written: the disk fails or is full; look at it",
    "SQLITE_BUSY": "is locked by another program; close that first",
}
"""What to do about SQLite's results (sqlite.org/rescode.html) at the start; longer names begin with these."""

metadata = MetaData()
"""The tables as they are now, made at once in a new database; `MIGRATIONS` make the same from older ones."""

REVISION = "0005"
"""The newest of `MIGRATIONS`, so that they are read only where there is something to change."""

# Alembic's own note of where a database stands, as Alembic makes it.
_STAND = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32)),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


_Waiting = tuple[Callable[[Connection], Any], asyncio.Future[Any]]


@dataclass(frozen=True, slots=True)
class _End:
    """How a piece of work ended."""

    value: Any = None
    error: BaseException | None = None

    def settle(self, done: asyncio.Future[Any]) -> None:
        """Tell whoever waits, if anybody still does."""
        if done.done():
            return
        if self.error:
            done.set_exception(self.error)
        else:
            done.set_result(self.value)


class Database:
    """The database at `url`, which it brings up to date and locks on opening.

    Args:
        url: `sqlite:///file`, `sqlite://` (in memory) or `postgresql+psycopg://...`.
        reading: look, or delete what was read, beside the process that holds the lock.

    Raises:
        StoreError: the database is newer than the program, held by another
            process, or out of reach.
    """

    def __init__(self, url: str, *, reading: bool = False) -> None:
        self._lock: sqlite3.Connection | None = None
        self._waiting: list[_Waiting] = []
        self._worker: asyncio.Task[None] | None = None
        # One thread does everything, opening too: SQLite's connections belong to theirs.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        try:
            parsed = _parse(url)
            is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
            if is_file and not reading:
                self._lock = _hold(Path(parsed.database or ""))
            self._engine = self._thread.submit(_open, url, _check_current if reading else _upgrade).result()
            self.dialect = self._engine.dialect.name
        except BaseException:
            self._let_go()
            raise

    async def close(self) -> None:
        """Finish what is under way and let go of the database."""
        if self._worker:
            await self._worker
        await self._in_thread(self._engine.dispose)
        self._let_go()

    def _let_go(self) -> None:
        self._thread.shutdown()
        if self._lock:
            self._lock.close()

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, once what it did is written.

        Whatever waits at the same time shares one transaction, as waiting for the disk is what takes
        longest. Where one fails, nothing of that transaction is kept and each is done anew in its own:
        so `work` may be called twice.

        Raises:
            StoreTrouble: the database failed.
        """
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._worker is None:
            self._worker = asyncio.create_task(self._serve())
        return await done

    async def _serve(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch = [(work, done) for work, done in self._waiting if not done.done()]
                self._waiting = []
                ends = await self._in_thread(partial(self._transact, [work for work, _ in batch]))
                for (_, done), end in zip(batch, ends, strict=True):
                    end.settle(done)
        except BaseException as error:
            # Cut off, it must leave nobody waiting.
            for _, done in (*batch, *self._waiting):
                _End(error=error).settle(done)
            self._waiting = []
            if not isinstance(error, Exception):
                raise
        finally:
            self._worker = None

    def _transact(self, works: Sequence[Callable[[Connection], Any]]) -> list["_End"]:
        if len(works) > 1:
            # Which of them failed, if one does, is told below.
            with suppress(Exception), self._engine.begin() as connection:
                return [_End(work(connection)) for work in works]
        return [self._alone(work) for work in works]

    def _alone(self, work: Callable[[Connection], Any]) -> "_End":
        try:
            with self._engine.begin() as connection:
                value = work(connection)
        except SQLAlchemyError as error:
            trouble = StoreTrouble(_kind(error))
            trouble.__cause__ = error
            return _End(error=trouble)
        except Exception as error:  # noqa: BLE001 - raised where the work was asked for
            return _End(error=error)
        return _End(value)

    def upsert(self, table: Table, *, add: tuple[str, ...] = ()) -> Insert:
        """An insert that, where a row of the same primary key is, replaces it; `add` are added up instead."""
        return _upsert(self.dialect, table, add)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def ms(at: datetime) -> int:
    """An instant as milliseconds since 1970: exact in both databases and cheap to compare."""
    return round(at.timestamp() * 1000)


# Building a statement takes as long as running it.
@cache
def _upsert(dialect: str, table: Table, add: tuple[str, ...]) -> Insert:
    keys = [column.name for column in table.primary_key]
    other = [column.name for column in table.columns if column.name not in keys]
    # Only what is used: the other database's words would cost every start 30 ms and 3 MB.
    made = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    new = {
        name: table.c[name] + made.excluded[name] if name in add else made.excluded[name] for name in other
    }
    statement: Insert = made.on_conflict_do_update(index_elements=keys, set_=new)
    return statement


def _shown(url: URL) -> str:
    """What a database is called in a message: its file, or its name and host, never its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "the database in memory"
    return f"the database {url.database or ''} on {url.host or 'this machine'}"


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not `from`: the cause quotes the address, password included.
        raise StoreError(_NO_ADDRESS) from None
    if parsed.get_backend_name() == "sqlite" and parsed.host:
        raise StoreError(_NO_ADDRESS)
    # The short names that hosts hand out mean the driver that is here.
    short = parsed.drivername in ("postgresql", "postgres")
    return parsed.set(drivername="postgresql+psycopg") if short else parsed


def _hold(database: Path) -> sqlite3.Connection:
    """Lock a side file of the database; the system lets go of it when the process dies."""
    try:
        real = database.resolve()  # another name for the file is no way round its lock
        if real.is_dir():
            raise StoreError(f"{database} is a folder; name a file in it in DATABASE_URL")
        path = real.with_name(real.name + ".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(path, timeout=0, check_same_thread=False)
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if _code(error) == "SQLITE_BUSY":
            raise StoreError(f"{database} is in use by another running bot; stop it first") from error
        raise StoreError(_told(str(path), error)) from error
    except OSError as error:
        raise StoreError(f"{database} can't be made ({error.strerror}); {_ELSEWHERE}") from error
    return lock


def _told(database: str, error: BaseException | None) -> str:
    """One line on what the driver says of a database: which, what is wrong, what to do."""
    code = _code(error)
    known = next((text for name, text in _TROUBLES.items() if code.startswith(name)), None)
    trouble = known or f"can't be opened ({code or type(error).__name__}); check DATABASE_URL"
    return f"{database} {trouble}"


def _kind(error: SQLAlchemyError) -> str:
    """An error's kind and code, without its words."""
    return f"{type(error).__name__} {_code(getattr(error, 'orig', None))}".strip()


def _code(error: BaseException | None) -> str:
    """SQLite's name for what went wrong, if the driver tells it."""
    return getattr(error, "sqlite_errorname", "")


def _open(url: str, prepare: Callable[[Engine], None]) -> Engine:
    address = _parse(url)
    try:
        engine = create_engine(address, hide_parameters=True)
        pragmas = _PRAGMAS.get(engine.dialect.name, ())
        event.listen(engine, "connect", lambda connection, _record: [connection.execute(p) for p in pragmas])
        prepare(engine)
    except NoSuchModuleError as error:
        raise StoreError(
            "DATABASE_URL names no database that is known here; use sqlite or postgresql"
        ) from error
    except ImportError as error:
        raise StoreError(f"DATABASE_URL needs a driver that is not installed: {error.name}") from error
    except (ArgumentError, ValueError):
        raise StoreError(_NO_ADDRESS) from None
    except SQLAlchemyError as error:
        raise StoreError(_told(_shown(address), getattr(error, "orig", error))) from error
    return engine


def _upgrade(engine: Engine) -> None:
    with engine.begin() as connection:
        held = _revision(connection)
        if held is None:
            # Not if they exist: they would be another program's.
            metadata.create_all(connection, checkfirst=False)
            _STAND.create(connection, checkfirst=True)
            connection.execute(insert(_STAND), {"version_num": REVISION})
        elif held != REVISION:
            _migrate(connection, held)


def _migrate(connection: Connection, held: str) -> None:
    # Alembic costs a tenth of a second and 10 MB, and most starts have nothing to migrate.
    import alembic.command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if held not in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
        raise StoreError(
            f"{_shown(connection.engine.url)} was written by a newer version; update the program"
        )
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


def _check_current(engine: Engine) -> None:
    """Who only looks must not change tables under a running bot."""
    with engine.begin() as connection:
        if _revision(connection) != REVISION:
            name = _shown(engine.url)
            raise StoreError(f"{name} is not of this version; start the bot once, then look again")


def _revision(connection: Connection) -> str | None:
    """The migration that the database stands at; None where it is new."""
    if not inspect(connection).has_table(_STAND.name):
        return None
    return connection.scalar(select(_STAND.c.version_num))
