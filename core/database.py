"""A database on SQLite or PostgreSQL: opened, brought up to date, locked, and used from one thread."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ClauseElement, Connection, Row, Table, literal, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.dml import Insert

from core.connection import connect, cut, explained, is_lost, kind, parse
from core.errors import StoreAway, StoreError, StoreHeld, StoreTrouble
from core.lock import free_session, hold_file, hold_session
from core.migration import check_current, check_known, upgrade

Result = TypeVar("Result")

GATHER_SECONDS = 0.002
"""Pause under load, so that more shares the next transaction; PostgreSQL calls it `commit_delay`."""

CLOSE_SECONDS, SILENCE_SECONDS = 2.0, 10.0
"""How long a server may say nothing before the connection is given up, when the program ends and else."""

_ANYTHING = select(literal(1))

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


class Use(Enum):
    """What a process wants of a database.

    Attributes:
        LEAD: to be the one that sends.
        STAND_BY: the same, but only once it calls `Database.lead`.
        BESIDE: to read and write, whoever leads.
        LOOK: to read, or delete what was read, as long as the tables are of this version.
    """

    LEAD = auto()
    STAND_BY = auto()
    BESIDE = auto()
    LOOK = auto()


class Database:
    """The database at `url`, brought up to date and locked, and used through one connection.

    On PostgreSQL the lock ends with that connection, so what is written after
    another process has taken the lead is written by that process alone.

    Args:
        url: `sqlite:///file`, `sqlite://` (in memory) or `postgresql://...`.

    Attributes:
        dialect: `sqlite` or `postgresql`.
        revision: grows whenever what was read before may have changed meanwhile.

    Raises:
        StoreHeld: another process leads on it.
        StoreAway: it is out of reach.
        StoreError: it is newer than the program, or can't be used.
    """

    def __init__(self, url: str, use: Use = Use.LEAD) -> None:
        self._url, self._use = parse(url), use
        self.dialect = self._url.get_backend_name()
        self.revision = 0
        is_file = self.dialect == "sqlite" and self._url.database not in (None, "", ":memory:")
        self._path = Path(self._url.database or "") if is_file else None
        self._lock: sqlite3.Connection | None = None
        self._connection: Connection | None = None
        self._is_held = self._is_open = False
        self._waiting: list[_Waiting] = []
        self._worker: asyncio.Task[None] | None = None
        # One thread does everything, opening too: SQLite's connections belong to theirs.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        if use is Use.STAND_BY:
            return
        try:
            self._thread.submit(self._open).result()
        except BaseException:
            self._thread.submit(self._let_go).result()
            self._thread.shutdown()
            raise

    async def lead(self) -> None:
        """Take the lock and bring the tables up to date; again after it failed or was lost.

        Raises:
            StoreHeld: another process leads.
            StoreAway: the database is out of reach.
            StoreError: it can't be used.
        """
        await self._in_thread(self._open)

    async def is_leading(self) -> bool:
        """Whether the connection is still there, and the lock with it."""
        looking = asyncio.ensure_future(self.run(lambda connection: connection.execute(_ANYTHING)))
        with suppress(StoreTrouble):
            await self._or_cut(looking, SILENCE_SECONDS)
        return self._is_open

    async def close(self) -> None:
        """Finish what is under way and let go of the database."""
        await self._or_cut(asyncio.ensure_future(self._end()), CLOSE_SECONDS)
        self._thread.shutdown()

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, once what it did is written.

        Whatever waits at the same time shares one transaction, as waiting for the disk is what takes
        longest. Where one fails, nothing of that transaction is kept and each is done anew in its own:
        so `work` may be called twice.

        Raises:
            StoreTrouble: the database failed, or is out of reach.
        """
        if not self._is_open:
            # At once, not behind a try to reach it.
            raise StoreTrouble("out of reach")
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
                if len(batch) > 1:
                    await asyncio.sleep(GATHER_SECONDS)
        except BaseException as error:
            # Cut off, it must leave nobody waiting.
            for _, done in (*batch, *self._waiting):
                _End(error=error).settle(done)
            self._waiting = []
            raise
        finally:
            self._worker = None

    def _transact(self, works: Sequence[Callable[[Connection], Any]]) -> list["_End"]:
        if len(works) > 1:
            # Which of them failed, if one does, is told below.
            with suppress(Exception), self._transaction() as connection:
                return [_End(work(connection)) for work in works]
        return [self._alone(work) for work in works]

    def _alone(self, work: Callable[[Connection], Any]) -> "_End":
        try:
            with self._transaction() as connection:
                value = work(connection)
        except Exception as error:  # noqa: BLE001 - raised where the work was asked for
            return _End(error=error)
        return _End(value)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if not self._connection or not self._is_open:
            raise StoreTrouble("out of reach")
        try:
            with self._connection.begin():
                yield self._connection
        except SQLAlchemyError as error:
            if is_lost(error):
                self._lose()
            # Not from it: PostgreSQL's words quote what was to be written.
            raise StoreTrouble(kind(error)) from None

    async def _or_cut(self, work: asyncio.Future[Any], seconds: float) -> None:
        """Let `work` end, after so long by breaking the connection to a server that says nothing."""
        await asyncio.wait({work}, timeout=seconds)
        if not work.done() and self._connection and self.dialect == "postgresql":
            cut(self._connection)
        await work

    async def _end(self) -> None:
        if self._worker:
            await self._worker
        await self._in_thread(self._let_go)

    def _open(self) -> None:
        """In the thread: connect, take the lock, and see to the tables."""
        wants = self._use is not Use.LOOK
        if wants and self._path:
            # Before anything else: it makes the folder, and says best what is wrong with it.
            self._lock = self._lock or hold_file(self._path)
        try:
            with explained(self._url):
                self._connection = self._connection or connect(self._url)
                if self.dialect == "postgresql":
                    self._is_held = wants and hold_session(self._connection)
                else:
                    self._is_held = wants and (self._lock is not None or not self._path)
                self._prepare(self._connection)
        except StoreAway:
            self._lose()
            raise
        self._is_open = True

    def _prepare(self, connection: Connection) -> None:
        """See to the tables, as far as they are this process's to change."""
        if self._is_held:
            upgrade(connection)
            if self._use is Use.BESIDE:
                self._free(connection)
        elif self._use in (Use.BESIDE, Use.LOOK):
            check_current(connection)
        elif self._path:
            raise StoreError(f"{self._path} is in use by another running bot; stop it first")
        else:
            check_known(connection)
            raise StoreHeld("another process leads on this database")

    def _free(self, connection: Connection) -> None:
        """Let others take the lock."""
        if self.dialect == "postgresql" and self._is_held:
            # Not left to the connection's end, which the server sees a moment later.
            free_session(connection)
        if self._lock:
            self._lock.close()
            self._lock = None
        self._is_held = False

    def _lose(self) -> None:
        """Forget the connection: another one of the same engine would be without the lock."""
        self._is_open = self._is_held = False
        self.revision += 1
        connection, self._connection = self._connection, None
        if connection:
            connection.invalidate()
            connection.close()

    def _let_go(self) -> None:
        self._is_open = False
        if self._connection:
            with suppress(SQLAlchemyError):
                self._free(self._connection)
            self._connection.close()
        elif self._lock:
            self._lock.close()

    def upsert(self, table: Table, *, add: tuple[str, ...] = ()) -> Insert:
        """An insert that, where a row of the same primary key is, replaces it; `add` are added up instead."""
        return _upsert(self.dialect, table, add)

    async def scrub(self) -> None:
        """Take what was just deleted out of SQLite's log of changes too, which keeps it for long."""
        if self.dialect == "sqlite":
            await self._in_thread(self._empty_log)

    def _empty_log(self) -> None:
        if self._connection:
            raw: Any = self._connection.connection.driver_connection
            # Somebody may be reading in it; the next time will do.
            with suppress(sqlite3.Error):
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class Prepared:
    """A statement of the ones run most, written out once for each dialect.

    What SQLAlchemy does for each run of a statement takes longer than the database does.
    `columns` are those an insert fills.
    """

    def __init__(self, statement: ClauseElement, columns: Sequence[str] | None = None) -> None:
        self._statement, self._columns = statement, columns
        self._written: dict[str, tuple[str, Sequence[str] | None]] = {}

    def run(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Row[Any]]:
        """The rows it returns, if it returns any, with `values` for its parameters."""
        written = self._written.get(connection.dialect.name)
        if written is None:
            made: Any = self._statement.compile(dialect=connection.dialect, column_keys=self._columns)
            written = self._written[connection.dialect.name] = (str(made), made.positiontup)
        text, places = written
        held = dict(values) if places is None else tuple([values[name] for name in places])
        result = connection.exec_driver_sql(text, held)
        return result.fetchall() if result.returns_rows else ()


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
