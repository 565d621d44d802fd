"""The store on SQLite or PostgreSQL: rounds and marks; the rest in `core.sqldaily` and `core.sqlfeedback`."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from core.database import Prepared, ms
from core.migration import metadata
from core.sqldaily import DailyTables
from core.sqlfeedback import FeedbackTables
from core.store import Draw, Forgotten

SEEN = Table(
    "seen",
    metadata,
    Column("chat_key", String(128), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("entry_id", String(32), primary_key=True),
    Column("seen_ms", BigInteger, nullable=False),
)

MARK = Table(
    "mark",
    metadata,
    Column("chat_key", String(128), primary_key=True),
    Column("name", String(16), primary_key=True),
)

_SEEN_IDS = Prepared(
    select(SEEN.c.entry_id)
    .where(SEEN.c.chat_key == bindparam("chat"), SEEN.c.kind == bindparam("of_kind"))
    .order_by(SEEN.c.seen_ms, SEEN.c.entry_id)
)
_END_ROUND = delete(SEEN).where(SEEN.c.chat_key == bindparam("chat"), SEEN.c.kind == bindparam("of_kind"))
_REMEMBER = Prepared(insert(SEEN), [column.name for column in SEEN.c])
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
_MARKS = select(MARK.c.name).where(MARK.c.chat_key == bindparam("chat"))
_UNMARK_ALL = delete(MARK).where(MARK.c.chat_key == bindparam("chat"))
_UNMARK = _UNMARK_ALL.where(MARK.c.name == bindparam("named"))


class SqlStore(DailyTables, FeedbackTables):
    """Keeps everything in one database; see `Store` and `Database`."""

    async def draw(self, chat_key: str, kind: str, draw: Draw, at: datetime) -> str:
        """See `Store.draw`."""

        def work(connection: Connection) -> str:
            key = {"chat": chat_key, "of_kind": kind}
            drawn = draw([entry_id for (entry_id,) in _SEEN_IDS.run(connection, key)])
            if drawn.restarts:
                connection.execute(_END_ROUND, key)
            row = {"chat_key": chat_key, "kind": kind, "entry_id": drawn.entry_id, "seen_ms": ms(at)}
            _REMEMBER.run(connection, row)
            return drawn.entry_id

        return await self.run(work)

    async def forget(self, chat_key: str) -> Forgotten:
        """See `Store.forget`."""

        def work(connection: Connection) -> Forgotten:
            key = {"chat": chat_key}
            marks = frozenset(connection.scalars(_MARKS, key))
            connection.execute(_UNMARK_ALL, key)
            return Forgotten(connection.execute(_FORGET, key).rowcount, marks)

        gone = await self.run(work)
        self.revision += 1
        await self.scrub()
        return gone

    async def move(self, chat_key: str, new_key: str) -> None:
        """See `Store.move`."""

        def work(connection: Connection) -> None:
            keys = {"chat": chat_key, "new": new_key}
            connection.execute(_FORGET_TWICE, keys)
            connection.execute(_MOVE, keys)
            there = set(connection.scalars(_MARKS, {"chat": new_key}))
            moved = set(connection.scalars(_MARKS, {"chat": chat_key})) - there
            connection.execute(_UNMARK_ALL, {"chat": chat_key})
            for name in moved:
                connection.execute(insert(MARK), {"chat_key": new_key, "name": name})

        await self.run(work)
        self.revision += 1

    async def forget_idle(self, prefix: str, before: datetime) -> int:
        """See `Store.forget_idle`."""

        def work(connection: Connection) -> int:
            since = {"prefix": prefix, "before": ms(before)}
            chats = len(connection.scalars(_IDLE_CHATS, since).all())
            if chats:
                connection.execute(_FORGET_IDLE, since)
            return chats

        return await self.run(work)

    async def marks(self, chat_key: str) -> frozenset[str]:
        """See `Marks.marks`."""
        return await self.run(lambda connection: frozenset(connection.scalars(_MARKS, {"chat": chat_key})))

    async def mark(self, chat_key: str, name: str) -> bool:
        """See `Marks.mark`."""

        def work(connection: Connection) -> bool:
            if name in set(connection.scalars(_MARKS, {"chat": chat_key})):
                return False
            connection.execute(insert(MARK), {"chat_key": chat_key, "name": name})
            return True

        is_new = await self.run(work)
        self.revision += 1
        return is_new

    async def unmark(self, chat_key: str, name: str) -> bool:
        """See `Marks.unmark`."""
        key = {"chat": chat_key, "named": name}
        was_there = await self.run(lambda connection: connection.execute(_UNMARK, key).rowcount > 0)
        self.revision += 1
        return was_there
