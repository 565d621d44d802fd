"""The store on SQLite or PostgreSQL: SQLAlchemy Core behind one thread."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import alembic.command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from core.errors import StoreError
from core.store import Draw, Forgotten

Result = TypeVar("Result")

MIGRATIONS = Path(__file__).parent / "migrations"

# FULL: a power cut must not bring back forgotten chats or repeat a round.
_PRAGMAS = {
    "sqlite": ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA secure_delete=ON"),
}

metadata = MetaData()

SEEN = Table(
    "seen",
    metadata,
    Column("chat_key", String(128), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("entry_id", String(32), primary_key=True),
    # Milliseconds since 1970, UTC: exact in both databases and cheap to compare.
    Column("seen_ms", BigInteger, nullable=False),
    Index("seen_by_age", "seen_ms"),
)

_SEEN_IDS = (
    select(SEEN.c.entry_id)
    .where(SEEN.c.chat_key == bindparam("chat"), SEEN.c.kind == bindparam("of_kind"))
    .order_by(SEEN.c.seen_ms, SEEN.c.entry_id)
)
_END_ROUND = delete(SEEN).where(SEEN.c.chat_key == bindparam("chat"), SEEN.c.kind == bindparam("of_kind"))
_REMEMBER = insert(SEEN)
_FORGET = delete(SEEN).where(SEEN.c.chat_key == bindparam("chat"))
_THERE = SEEN.alias()
_TWICE = (
    select(_THERE.c.entry_id)
    .where(_THERE.c.chat_key == bindparam("new"), _THERE.c.kind == SEEN.c.kind)
    .where(_THERE.c.entry_id == SEEN.c.entry_id)
)
_FORGET_TWICE = delete(SEEN).where(SEEN.c.chat_key == bindparam("chat"), _TWICE.exists())
_MOVE = update(SEEN).where(SEEN.c.chat_key == bindparam("chat")).values(chat_key=bindparam("new"))
_IDLE_CHATS = (
    select(SEEN.c.chat_key)
    .where(SEEN.c.chat_key.startswith(bindparam("prefix"), autoescape=False))
    .group_by(SEEN.c.chat_key)
    .having(func.max(SEEN.c.seen_ms) < bindparam("before"))
)
_FORGET_IDLE = delete(SEEN).where(SEEN.c.chat_key.in_(_IDLE_CHATS))


class SqlStore:
    """Keeps rounds in the database at `url`, which it brings up to date and locks on opening.

    Args:
        url: `sqlite:///file`, `sqlite://` (in memory) or `postgresql+psycopg://...`.

    Raises:
        StoreError: the database is newer than the program, held by another
            process, or out of reach.
    """

    def __init__(self, url: str) -> None:
        self._lock: sqlite3.Connection | None = None
        # One thread does everything, opening too: SQLite's connections belong to theirs.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        try:
            parsed = _parse(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
                self._lock = _hold(Path(parsed.database or ""))
            self._engine = self._thread.submit(_open, url).result()
        except BaseException:
            self._let_go()
            raise

    async def draw(self, chat_key: str, kind: str, draw: Draw, at: datetime) -> str:
        """See `Store.draw`."""

        def work(connection: Connection) -> str:
            key = {"chat": chat_key, "of_kind": kind}
            drawn = draw(list(connection.scalars(_SEEN_IDS, key)))
            if drawn.restarts:
                connection.execute(_END_ROUND, key)
            row = {"chat_key": chat_key, "kind": kind, "entry_id": drawn.entry_id, "seen_ms": _ms(at)}
            connection.execute(_REMEMBER, row)
            return drawn.entry_id

        return await self._run(work)

    async def forget(self, chat_key: str) -> Forgotten:
        """See `Store.forget`."""

        def work(connection: Connection) -> Forgotten:
            return Forgotten(seen=connection.execute(_FORGET, {"chat": chat_key}).rowcount)

        return await self._run(work)

    async def move(self, chat_key: str, new_key: str) -> None:
        """See `Store.move`."""

        def work(connection: Connection) -> None:
            keys = {"chat": chat_key, "new": new_key}
            connection.execute(_FORGET_TWICE, keys)
            connection.execute(_MOVE, keys)

        await self._run(work)

    async def forget_idle(self, prefix: str, before: datetime) -> int:
        """See `Store.forget_idle`."""

        def work(connection: Connection) -> int:
            since = {"prefix": prefix, "before": _ms(before)}
            chats = len(connection.scalars(_IDLE_CHATS, since).all())
            if chats:
                connection.execute(_FORGET_IDLE, since)
            return chats

        return await self._run(work)

    async def close(self) -> None:
        """See `Store.close`."""
        await self._in_thread(self._engine.dispose)
        self._let_go()

    def _let_go(self) -> None:
        self._thread.shutdown()
        if self._lock:
            self._lock.close()

    async def _run(self, work: Callable[[Connection], Result]) -> Result:
        def transaction() -> Result:
            with self._engine.begin() as connection:
                return work(connection)

        return await self._in_thread(transaction)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        message = "DATABASE_URL is no database address; write it like sqlite:///ketafacts.db"
        raise StoreError(message) from error


def _hold(database: Path) -> sqlite3.Connection:
    """Lock a side file of the database; the system lets go of it when the process dies."""
    path = database.with_name(database.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(path, timeout=0, check_same_thread=False)
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreError(f"{database} is in use by another running bot; stop it first") from error
        raise StoreError(f"{path} can't be written; set DATABASE_URL to another place") from error
    except OSError as error:
        raise StoreError(f"{path.parent} can't be made ({error.strerror}); set DATABASE_URL") from error
    return lock


def _open(url: str) -> Engine:
    try:
        engine = create_engine(url)
        pragmas = _PRAGMAS.get(engine.dialect.name, ())
        event.listen(engine, "connect", lambda connection, _record: [connection.execute(p) for p in pragmas])
        _upgrade(engine)
    except NoSuchModuleError as error:
        raise StoreError(
            "DATABASE_URL names no database that is known here; use sqlite or postgresql"
        ) from error
    except ImportError as error:
        raise StoreError(f"DATABASE_URL needs a driver that is not installed: {error.name}") from error
    except SQLAlchemyError as error:
        message = f"the database can't be opened ({type(error).__name__}); check DATABASE_URL"
        raise StoreError(message) from error
    return engine


def _upgrade(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with engine.begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
            raise StoreError("the database was written by a newer version; update the program")
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")
