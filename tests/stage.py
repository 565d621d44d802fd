"""A platform for daily posts: takes them on a clock that tests set, and fails as told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from math import inf
from random import Random

from core.daily import Daily
from core.delivery import Limits, Pacer
from core.reply import Reply
from core.schedule import Plan
from core.sqlstore import SqlStore
from core.store import Subscription
from tests.room import EDITION, PHRASES

UNLIMITED = Limits(per_second=inf, burst=10**9, chat_per_second=inf, chat_burst=10**9)
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""08:00 in Berlin."""

QUIET_TURNS = 50
"""Of the event loop, without work for the database, after which everything waits for time to pass."""


@dataclass
class Sent:
    """A message that arrived."""

    chat_key: str
    at: datetime
    reply: Reply
    nonce: str
    thread: str | None


class Kill(BaseException):
    """The process dies here."""


@dataclass
class Stage:
    """Time and a platform; `faults` are raised in turn, `after` the message arrived if so marked."""

    now: datetime = MONDAY
    sent: list[Sent] = field(default_factory=list)
    told: list[tuple[str, Reply]] = field(default_factory=list)
    faults: list[BaseException | None] = field(default_factory=list)
    always: Callable[[Subscription], BaseException | None] = lambda _held: None
    arrives_all_the_same: bool = False
    drops_repeats: bool = False
    shows_history: bool = False
    slept: float = 0.0
    dated: list[tuple[str, date]] = field(default_factory=list)
    store: SqlStore | None = None

    def clock(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.slept

    async def sleep(self, seconds: float) -> None:
        # Time passes only when nothing else can happen, however slow the machine.
        turns = 0
        while turns < QUIET_TURNS:
            working = self.store is not None and self.store._worker is not None
            await asyncio.sleep(0.001 if working else 0)
            turns = 0 if working else turns + 1
        self.slept += seconds
        self.now += timedelta(seconds=seconds)

    async def post(self, subscription: Subscription, reply: Reply, nonce: str) -> str:
        fault = self.faults.pop(0) if self.faults else self.always(subscription)
        if fault is None or self.arrives_all_the_same:
            self._take(subscription, reply, nonce)
        if fault is not None:
            raise fault
        return str(len(self.sent))

    def _take(self, subscription: Subscription, reply: Reply, nonce: str) -> None:
        recent = [s for s in self.sent[-50:] if self.now - s.at < timedelta(minutes=2)]
        if self.drops_repeats and any(s.nonce == nonce for s in recent):
            return
        self.sent.append(Sent(subscription.chat_key, self.now, reply, nonce, subscription.thread))

    async def find(self, subscription: Subscription, reply: Reply, since: datetime) -> str | None:
        if not self.shows_history:
            return None
        own = (n for n, s in enumerate(self.sent, 1) if s.chat_key == subscription.chat_key and s.at >= since)
        return next((str(n) for n in own), None)

    async def tell(self, subscription: Subscription, reply: Reply) -> None:
        self.told.append((subscription.set_by, reply))

    def daily(self, store: SqlStore, *, seed: int = 1, platform: str = "telegram") -> Daily:
        self.store = store
        return Daily(
            platform=platform,
            bot_key="bot",
            poster=self,
            pacer=Pacer(UNLIMITED, self.monotonic, self.sleep),
            store=store,
            edition=lambda: EDITION,
            phrases=PHRASES,
            clock=self.clock,
            monotonic=self.monotonic,
            sleep=self.sleep,
            rng=Random(seed),
            beats={},
        )


def wanted(
    chat_key: str = "-1", at: time = time(9), zone: str = "Europe/Berlin", **more: object
) -> Subscription:
    held = Subscription("telegram", chat_key, Plan(at, zone), place="Berlin", private=False, set_by="7")
    return replace(held, **more)  # type: ignore[arg-type]
