"""Who may send: a lock that the system lets go of when its process dies."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, text

from core.connection import ELSEWHERE, FOLDER, READ_ONLY, code, told
from core.errors import StoreError

# One for each schema, so that several bots may share a database.
_KEY = "hashtextextended('ketafacts ' || coalesce(current_schema()::text, ''), 0)"
_TAKE = text(f"SELECT pg_try_advisory_lock({_KEY})")
_LET_GO = text(f"SELECT pg_advisory_unlock({_KEY})")

# Windows knows no users but the one.
_EFFECTIVE = os.access in os.supports_effective_ids


def hold_file(database: Path) -> sqlite3.Connection | None:
    """Lock a side file of the database for as long as what is returned is open.

    None if another process holds it.

    Raises:
        StoreError: the file can't be made, or the database can't be written.
    """
    try:
        real = database.resolve()  # another name for the file is no way round its lock
        if real.is_dir():
            raise StoreError(f"{database} {FOLDER}")
        path = real.with_name(real.name + ".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        _check_writable(real, path)
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


def _check_writable(database: Path, lock: Path) -> None:
    """Refuse files that can only be read: SQLite opens them, and a lock on one keeps nobody out.

    Before SQLite does: what it makes beside such a database can't be written either, ever after.

    Raises:
        StoreError: one of them is such a file.
    """
    beside = [database.with_name(f"{database.name}-{kind}") for kind in ("wal", "shm")]
    for path in (database, *beside, lock):
        if path.exists() and not os.access(path, os.W_OK, effective_ids=_EFFECTIVE):
            raise StoreError(f"{path} {READ_ONLY}")


def hold_session(connection: Connection) -> bool:
    """Lock the database for as long as this session of PostgreSQL lasts; whether nobody else has."""
    with connection.begin():
        return bool(connection.scalar(_TAKE))


def free_session(connection: Connection) -> None:
    """Let go of it."""
    with connection.begin():
        connection.execute(_LET_GO)
