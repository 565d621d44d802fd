"""Daily posts in the database: what chats want, the ledger, and the round of each chat."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    Row,
    SmallInteger,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from core.database import Database, ms
from core.migration import metadata
from core.schedule import Plan, wake_at
from core.store import Due, Outcome, Post, PostState, Standing, Subscription

SUBSCRIPTION = Table(
    "subscription",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("platform", String(16), nullable=False),
    Column("chat_key", String(64), nullable=False),
    Column("thread", String(64)),
    Column("private", Boolean, nullable=False),
    Column("minute", SmallInteger, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("days", SmallInteger, nullable=False),
    Column("place", String(128), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("set_by", String(64), nullable=False),
    Column("standing", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("paused_until", String(10)),
    Column("done_day", String(10), nullable=False),
    Column("round", Integer, nullable=False),
    Column("next_due_ms", BigInteger),
    Column("changed_ms", BigInteger, nullable=False),
    Index("subscription_by_chat", "platform", "chat_key", unique=True),
    # The platform leads: each has its own sender, and one that is down must not fill the other's view.
    Index("subscription_by_due", "platform", "next_due_ms", "id"),
)

POST = Table(
    "post",
    metadata,
    Column("subscription_id", Integer, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("slot", SmallInteger, primary_key=True),
    Column("entry_id", String(32), nullable=False),
    Column("state", String(8), nullable=False),
    Column("message_key", String(64)),
    Column("tries", SmallInteger, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("unsure", Boolean, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("post_by_day", "day"),
)

POSTED = Table(
    "posted",
    metadata,
    Column("subscription_id", Integer, primary_key=True),
    Column("entry_id", String(32), primary_key=True),
    Column("round", Integer, nullable=False),
    Column("posted_ms", BigInteger, nullable=False),
)

NOTE = Table(
    "note",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", String(128), nullable=False),
)

_TZ = "tz database"

_S = SUBSCRIPTION.c
_BY_CHAT = select(SUBSCRIPTION).where(_S.platform == bindparam("on"), _S.chat_key == bindparam("chat"))
_BY_ID = select(SUBSCRIPTION).where(_S.id == bindparam("i"))
_DUE = (
    select(SUBSCRIPTION)
    .where(_S.platform == bindparam("on"), _S.next_due_ms <= bindparam("now"))
    .order_by(_S.next_due_ms, _S.id)
    .limit(bindparam("k"))
)
_SEEN = (
    select(POSTED.c.subscription_id, POSTED.c.entry_id)
    .join(SUBSCRIPTION, and_(_S.id == POSTED.c.subscription_id, _S.round == POSTED.c.round))
    .where(_S.id.in_(bindparam("ids", expanding=True)))
    .order_by(POSTED.c.posted_ms, POSTED.c.entry_id)
)
_UNFINISHED = select(POST).where(
    POST.c.subscription_id.in_(bindparam("ids", expanding=True)), POST.c.state == PostState.SENDING.value
)
_RECORD = (
    update(SUBSCRIPTION)
    .where(_S.id == bindparam("i"), _S.next_due_ms == bindparam("due"))
    .values(
        next_due_ms=bindparam("next"),
        done_day=bindparam("done"),
        round=bindparam("in_round"),
        standing=bindparam("stands"),
        reason=bindparam("why"),
    )
)
_REPLAN = update(SUBSCRIPTION).where(_S.id == bindparam("i")).values(next_due_ms=bindparam("next"))
_LAST_SENT = select(func.max(POST.c.day)).where(
    POST.c.subscription_id == bindparam("i"), POST.c.state == PostState.SENT.value
)
_LEDGER = (
    select(POST)
    .where(POST.c.subscription_id == bindparam("i"))
    .order_by(POST.c.day.desc(), POST.c.slot.desc())
    .limit(bindparam("k"))
)
_AGENDA = select(SUBSCRIPTION).order_by(_S.next_due_ms.is_(None), _S.next_due_ms, _S.standing.desc(), _S.id)


class DailyTables(Database):
    """The part of the store that `Subscriptions` asks for."""

    async def subscription(self, platform: str, chat_key: str) -> Subscription | None:
        """See `Subscriptions.subscription`."""
        return await self.run(lambda connection: _find(connection, platform, chat_key))

    async def subscribe(self, wanted: Subscription, now: datetime) -> Subscription:
        """See `Subscriptions.subscribe`."""

        def work(connection: Connection) -> Subscription:
            held = _find(connection, wanted.platform, wanted.chat_key)
            last = connection.scalar(_LAST_SENT, {"i": held.id}) if held else None
            done_day = max(wanted.done_day, date.fromisoformat(last) if last else date.min)
            active = wanted.standing is Standing.ACTIVE
            due = wake_at(wanted.plan, now, done_day) if active else None
            new = replace(wanted, done_day=done_day, next_due=due)
            if held:
                new = replace(new, id=held.id)
                connection.execute(update(SUBSCRIPTION).where(_S.id == held.id), _columns(new, now))
                return new
            row = {**_columns(new, now), "round": 1}
            made = connection.execute(insert(SUBSCRIPTION), row).inserted_primary_key
            return replace(new, id=made[0] if made else 0)

        new = await self.run(work)
        self.revision += 1
        return new

    async def unsubscribe(self, platform: str, chat_key: str) -> bool:
        """See `Subscriptions.unsubscribe`."""

        def work(connection: Connection) -> bool:
            held = _find(connection, platform, chat_key)
            if held:
                _erase(connection, [held.id])
            return held is not None

        gone = await self.run(work)
        await self.scrub()
        self.revision += 1
        return gone

    async def move_subscription(self, platform: str, chat_key: str, new_key: str) -> Subscription | None:
        """See `Subscriptions.move_subscription`."""

        def work(connection: Connection) -> Subscription | None:
            old, new = _find(connection, platform, chat_key), _find(connection, platform, new_key)
            if old and new:
                # Both were set up; the chat's newer self knows better what it wants.
                _erase(connection, [old.id])
            elif old:
                connection.execute(update(SUBSCRIPTION).where(_S.id == old.id).values(chat_key=new_key))
            return _find(connection, platform, new_key)

        moved = await self.run(work)
        self.revision += 1
        return moved

    async def due(self, platform: str, now: datetime, limit: int) -> list[Due]:
        """See `Subscriptions.due`."""

        def work(connection: Connection) -> list[Due]:
            rows = connection.execute(_DUE, {"on": platform, "now": ms(now), "k": limit}).all()
            ids = {"ids": [row.id for row in rows]}
            seen, unfinished = defaultdict(list), defaultdict(list)
            if rows:
                for row in connection.execute(_SEEN, ids):
                    seen[row[0]].append(row[1])
                for row in connection.execute(_UNFINISHED, ids):
                    unfinished[row.subscription_id].append(_post(row))
            return [
                Due(_subscription(row), row.round, tuple(seen[row.id]), tuple(unfinished[row.id]))
                for row in rows
            ]

        return await self.run(work)

    async def begin(self, posts: Sequence[Post]) -> None:
        """See `Subscriptions.begin`."""
        rows = [_ledger(post) for post in posts]
        await self.run(lambda connection: connection.execute(self.upsert(POST), rows))

    async def record(self, outcomes: Sequence[Outcome]) -> None:
        """See `Subscriptions.record`."""

        def work(connection: Connection) -> None:
            posts = [_ledger(outcome.post) for outcome in outcomes if outcome.post]
            if posts:
                connection.execute(self.upsert(POST), posts)
            shown = [_shown(outcome) for outcome in outcomes if _is_sent(outcome)]
            if shown:
                connection.execute(self.upsert(POSTED), shown)
            written = connection.execute(_RECORD, [_recorded(outcome) for outcome in outcomes]).rowcount
            if written < len(outcomes):
                # Which of them is not told; merging what was written changes nothing.
                for outcome in outcomes:
                    _merge(connection, outcome)

        await self.run(work)

    async def posts(self, subscription_id: int, limit: int) -> list[Post]:
        """See `Subscriptions.posts`."""

        def work(connection: Connection) -> list[Post]:
            return [_post(row) for row in connection.execute(_LEDGER, {"i": subscription_id, "k": limit})]

        return await self.run(work)

    async def agenda(self, limit: int) -> list[Subscription]:
        """See `Subscriptions.agenda`."""

        def work(connection: Connection) -> list[Subscription]:
            return [_subscription(row) for row in connection.execute(_AGENDA.limit(limit))]

        return await self.run(work)

    async def replan(self, version: str, plan: Callable[[Subscription], datetime | None]) -> int:
        """See `Subscriptions.replan`."""

        def work(connection: Connection) -> int:
            known = connection.scalar(select(NOTE.c.value).where(NOTE.c.name == _TZ))
            if known == version:
                return 0
            active = select(SUBSCRIPTION).where(_S.standing == Standing.ACTIVE.value)
            changed = []
            for row in connection.execute(active):
                due = plan(_subscription(row))
                if due is not None and ms(due) != row.next_due_ms:
                    changed.append({"i": row.id, "next": ms(due)})
            if changed:
                connection.execute(_REPLAN, changed)
            connection.execute(delete(NOTE).where(NOTE.c.name == _TZ))
            connection.execute(insert(NOTE), {"name": _TZ, "value": version})
            return len(changed)

        return await self.run(work)

    async def tidy(self, ledger_before: date, off_before: datetime) -> int:
        """See `Subscriptions.tidy`."""

        def work(connection: Connection) -> int:
            old = delete(POST).where(POST.c.day < ledger_before.isoformat())
            rows = connection.execute(old).rowcount
            idle = select(_S.id).where(
                _S.private, _S.standing == Standing.OFF.value, _S.changed_ms < ms(off_before)
            )
            ids = list(connection.scalars(idle))
            _erase(connection, ids)
            return rows + len(ids)

        return await self.run(work)


def _find(connection: Connection, platform: str, chat_key: str) -> Subscription | None:
    row = connection.execute(_BY_CHAT, {"on": platform, "chat": chat_key}).one_or_none()
    return _subscription(row) if row else None


def _erase(connection: Connection, ids: list[int]) -> None:
    for column in (_S.id, POST.c.subscription_id, POSTED.c.subscription_id):
        connection.execute(delete(column.table).where(column.in_(ids)))


def _merge(connection: Connection, outcome: Outcome) -> None:
    """The settings changed while the post was under way: they stay, and the day is done all the same."""
    row = connection.execute(_BY_ID, {"i": outcome.subscription.id}).one_or_none()
    if row is None or outcome.done_day is None or outcome.post is None:
        return
    held = _subscription(row)
    done_day = max(held.done_day, outcome.done_day)
    active = held.standing is Standing.ACTIVE
    due = ms(wake_at(held.plan, outcome.post.at, done_day)) if active else None
    values = {"done_day": done_day.isoformat(), "next_due_ms": due, "round": outcome.round}
    connection.execute(update(SUBSCRIPTION).where(_S.id == held.id), values)


def _is_sent(outcome: Outcome) -> bool:
    return outcome.post is not None and outcome.post.state is PostState.SENT


def _recorded(outcome: Outcome) -> dict[str, object]:
    was = outcome.subscription
    return {
        "i": was.id,
        "due": ms(was.next_due) if was.next_due else None,
        "next": ms(outcome.next_due) if outcome.next_due else None,
        "done": max(was.done_day, outcome.done_day or date.min).isoformat(),
        "in_round": outcome.round,
        "stands": (Standing.SUSPENDED if outcome.suspend else was.standing).value,
        "why": outcome.suspend,
    }


def _shown(outcome: Outcome) -> dict[str, object]:
    post = outcome.post
    assert post is not None  # noqa: S101 - for mypy: _is_sent has looked
    row = {"subscription_id": post.subscription_id, "entry_id": post.entry_id}
    return {**row, "round": outcome.round, "posted_ms": ms(post.at)}


def _columns(wanted: Subscription, now: datetime) -> dict[str, object]:
    return {
        "platform": wanted.platform,
        "chat_key": wanted.chat_key,
        "thread": wanted.thread,
        "private": wanted.private,
        "minute": wanted.plan.at.hour * 60 + wanted.plan.at.minute,
        "zone": wanted.plan.zone,
        "days": wanted.plan.days,
        "place": wanted.place,
        "kind": wanted.kind,
        "set_by": wanted.set_by,
        "standing": wanted.standing.value,
        "reason": wanted.reason,
        "paused_until": wanted.paused_until.isoformat() if wanted.paused_until else None,
        "done_day": wanted.done_day.isoformat(),
        "next_due_ms": ms(wanted.next_due) if wanted.next_due else None,
        "changed_ms": ms(now),
    }


def _subscription(row: Row[*tuple[Any, ...]]) -> Subscription:
    return Subscription(
        id=row.id,
        platform=row.platform,
        chat_key=row.chat_key,
        thread=row.thread,
        private=row.private,
        plan=Plan(time(row.minute // 60, row.minute % 60), row.zone, row.days),
        place=row.place,
        kind=row.kind,
        set_by=row.set_by,
        standing=Standing(row.standing),
        reason=row.reason,
        paused_until=date.fromisoformat(row.paused_until) if row.paused_until else None,
        done_day=date.fromisoformat(row.done_day),
        next_due=_instant(row.next_due_ms) if row.next_due_ms is not None else None,
    )


def _ledger(post: Post) -> dict[str, object]:
    return {
        "subscription_id": post.subscription_id,
        "day": post.day.isoformat(),
        "slot": post.slot,
        "entry_id": post.entry_id,
        "state": post.state.value,
        "message_key": post.message_key,
        "tries": post.tries,
        "reason": post.reason,
        "unsure": post.unsure,
        "changed_ms": ms(post.at),
    }


def _post(row: Row[*tuple[Any, ...]]) -> Post:
    return Post(
        subscription_id=row.subscription_id,
        day=date.fromisoformat(row.day),
        slot=row.slot,
        entry_id=row.entry_id,
        state=PostState(row.state),
        message_key=row.message_key,
        tries=row.tries,
        reason=row.reason,
        unsure=row.unsure,
        at=_instant(row.changed_ms),
    )


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
