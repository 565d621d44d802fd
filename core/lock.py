"""Who may send: a lock that the system lets go of when its process dies."""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, text

from core.connection import ELSEWHERE, FOLDER, code, told
from core.errors import StoreError

# One for each schema, so that several bots may share a database.
_KEY = "hashtextextended('ketafacts ' || coalesce(current_schema()::text, ''), 0)"
_TAKE = text(f"SELECT pg_try_advisory_lock({_KEY})")
_LET_GO = text(f"SELECT pg_advisory_unlock({_KEY})")


def hold_file(database: Path) -> sqlite3.Connection | None:
    """Lock a side file of the database for as long as what is returned is open.

    None if another process holds it.

    Raises:
        StoreError: the file can't be made.
    """
    try:
        real = database.resolve()  # another name for the file is no way round its lock
        if real.is_dir():
            raise StoreError(f"{database} {FOLDER}")
        path = real.with_name(real.name + ".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(path, timeout=0)
    except sqlite3.Error as error:
        raise StoreError(told(str(path), error)) from error
    except OSError as error:
        raise StoreError(f"{database} can't be made ({error.strerror}); {ELSEWHERE}") from error
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if code(error) == "SQLITE_BUSY":
            return None
        raise StoreError(told(str(path), error)) from error
    return lock


def hold_session(connection: Connection) -> bool:
    """Lock the database for as long as this session of PostgreSQL lasts; whether nobody else has."""
    with connection.begin():
        return bool(connection.scalar(_TAKE))


def free_session(connection: Connection) -> None:
    """Let go of it."""
    with connection.begin():
        connection.execute(_LET_GO)
