"""Connections to SQLite and PostgreSQL, and what goes wrong with them in one line each."""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from core.errors import StoreAway, StoreError

# FULL: a power cut must not bring back forgotten chats or repeat a round.
_PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA secure_delete=ON")

_POSTGRESQL = {
    "connect_timeout": "4",
    "application_name": "ketafacts",
    # While another server takes over, the old one may still answer, but keep nothing.
    "target_session_attrs": "read-write",
    # A server that has gone silent is noticed within 3 s, from this end ...
    "keepalives_idle": "1",
    "keepalives_interval": "1",
    "keepalives_count": "2",
    "tcp_user_timeout": "3000",
}
"""Options of libpq, unless the address has others."""

# ... and from the other: the lock of a process whose machine has gone is let go of.
_SESSION = text(
    "SELECT set_config('tcp_keepalives_idle', '1', false), set_config('tcp_keepalives_interval', '1', false),"
    " set_config('tcp_keepalives_count', '2', false), set_config('tcp_user_timeout', '3000', false)"
)

_NO_ADDRESS = (
    "DATABASE_URL is no database address; write it like sqlite:///ketafacts.db"
    " or postgresql://user:password@host/name"
)
ELSEWHERE = "name another place in DATABASE_URL"
FOLDER = "is a folder; name a file in it in DATABASE_URL"
READ_ONLY = f"can't be written; give this user the right to, or {ELSEWHERE}"
_TROUBLES = {
    "SQLITE_NOTADB": f"is no database; {ELSEWHERE}, or move this file away",
    "SQLITE_CORRUPT": "is damaged; put a copy of it back, or move it away to start anew",
    "SQLITE_CANTOPEN": f"can't be opened; give this user the right to write there, or {ELSEWHERE}",
    "SQLITE_READONLY_DIRECTORY": f"can't be written; let this user write in its folder, or {ELSEWHERE}",
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_FULL": "can't be written: the disk is full; make room on it",
    "SQLITE_IOERR": "can't be read or written: the disk fails or is full; look at it",
    "SQLITE_BUSY": "is locked by another program; close that first",
    "3F000": "has no such schema; make it, or check what follows ? in DATABASE_URL",
    "42501": "lets this user make no tables; grant it CREATE on the schema",
    "42P07": f"holds another program's tables; {ELSEWHERE}",
    "53100": "can't be written: its disk is full; make room on it",
}
"""What to do about SQLite's results (sqlite.org/rescode.html) and PostgreSQL's (its manual, appendix A).

Longer names begin with these; the first that fits counts.
"""

_PASSING = ("08", "40", "53", "55", "57", "58")
"""Classes of PostgreSQL's results that may not come again: cut off, overtaken, overloaded, shutting down."""

_REFUSALS = {
    r'database ".*" does not exist': "is not there; make it with createdb, or name another in DATABASE_URL",
    r"password|authentication|pg_hba|role .* does not exist|not permitted|permission denied|certificate": (
        "refuses the login; check user and password in DATABASE_URL"
    ),
    r"^invalid |does not support SSL": "can't be opened so; check what follows ? in DATABASE_URL",
}
"""What to do where connecting fails for good; PostgreSQL gives no code for that, only words."""


def parse(url: str) -> URL:
    """The address, with the driver that is here.

    Raises:
        StoreError: it is none.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not `from`: the cause quotes the address, password included.
        raise StoreError(_NO_ADDRESS) from None
    if parsed.get_backend_name() == "sqlite" and parsed.host:
        raise StoreError(_NO_ADDRESS)
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg", query={**_POSTGRESQL, **parsed.query})
    return parsed


def connect(url: URL) -> Connection:
    """The one connection of its engine; once it is closed, nothing is left of either."""
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda raw, _record: [raw.execute(pragma) for pragma in _PRAGMAS])
        return engine.connect()
    connection = engine.connect()
    with connection.begin():
        connection.execute(_SESSION)
    return connection


def cut(connection: Connection) -> None:
    """Break a connection to PostgreSQL from another thread: whoever waits for its answer gets an error."""
    # It may have ended meanwhile.
    with suppress(Exception):
        raw: Any = connection.connection.dbapi_connection
        with socket.socket(fileno=os.dup(raw.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Tell what goes wrong while a database is opened in one line, without its password.

    Raises:
        StoreAway: it can't be reached.
        StoreError: it can't be used.
    """
    try:
        yield
    except NoSuchModuleError as error:
        raise StoreError(
            "DATABASE_URL names no database that is known here; use sqlite or postgresql"
        ) from error
    except ImportError as error:
        missing = error.name or "libpq"
        raise StoreError(f"DATABASE_URL needs a driver that is not installed: {missing}") from error
    except (ArgumentError, ValueError):
        raise StoreError(_NO_ADDRESS) from None
    except SQLAlchemyError as error:
        raise _trouble(url, error) from error


def is_lost(error: SQLAlchemyError) -> bool:
    """Whether the connection went with the error."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def shown(url: URL) -> str:
    """What a database is called in a message: its file, or its name and host, never its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "the database in memory"
    return f"the database {url.database or ''} on {url.host or 'this machine'}"


def told(database: str, error: BaseException | None) -> str:
    """One line on what the driver says of a database: which, what is wrong, what to do."""
    name = code(error)
    known = next((line for start, line in _TROUBLES.items() if name.startswith(start)), None)
    if Path(database).is_dir():
        known = FOLDER
    trouble = known or f"can't be opened ({name or type(error).__name__}); check DATABASE_URL"
    return f"{database} {trouble}"


def kind(error: SQLAlchemyError) -> str:
    """An error's kind and code, without its words."""
    return f"{type(error).__name__} {code(getattr(error, 'orig', None))}".strip()


def code(error: BaseException | None) -> str:
    """What the database calls what went wrong, if the driver tells it."""
    return getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or ""


def _trouble(url: URL, error: SQLAlchemyError) -> StoreError:
    cause = getattr(error, "orig", None) or error
    if is_lost(error):
        return StoreAway(f"{shown(url)} broke the connection")
    line = told(shown(url), cause)
    if url.get_backend_name() == "sqlite":
        return StoreError(line)
    if name := code(cause):
        return StoreAway(line) if name[:2] in _PASSING and name not in _TROUBLES else StoreError(line)
    if type(cause).__name__ == "ProgrammingError":
        return StoreError(line)
    said = str(cause).partition(": ")[2].rpartition("failed: ")[2].removeprefix("FATAL:  ")
    for words, advice in _REFUSALS.items():
        if re.search(words, said):
            return StoreError(f"{shown(url)} {advice}")
    trouble = "takes no changes" if "read-only" in said else "can't be reached"
    return StoreAway(f"{shown(url)} {trouble}")
