"""How fast daily posts go: the engine alone, and 100,000 chats at one minute on a simulated clock.

python -m tests.bench.daily_rate [posts] [chats] [folder for the database]
"""

import asyncio
import resource
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter

from sqlalchemy import Connection, insert

from core.daily import Daily
from core.database import ms
from core.delivery import Limits, Pacer
from core.reply import Reply
from core.sqldaily import SUBSCRIPTION
from core.sqlstore import SqlStore
from core.store import Subscription
from tests.room import EDITION, PHRASES
from tests.stage import UNLIMITED

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
LIMIT = 25
"""Telegram's posts a second, as the adapter sets it."""


class Instant:
    """A platform that takes everything at once, on a clock that only its pacer moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.at: list[float] = []

    def clock(self) -> datetime:
        return NINE + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def pace(self, seconds: float) -> None:
        # The pacer sleeps only when nothing may be sent: time passes at once.
        await asyncio.sleep(0)
        self.seconds += seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def post(self, subscription: Subscription, reply: Reply, nonce: str) -> str:
        self.at.append(self.seconds)
        return nonce

    async def find(self, subscription: Subscription, reply: Reply, since: datetime) -> str | None:
        return None

    async def tell(self, subscription: Subscription, reply: Reply) -> None:
        return None


async def measure(chats: int, limits: Limits, folder: Path) -> tuple[float, Instant]:
    """Seconds it took to post to all chats, and the platform that took them."""
    store, platform = SqlStore(f"sqlite:///{folder / f'{chats}-{limits.burst}.db'}"), Instant()
    await _subscribe(store, chats)
    sender = Daily(
        platform="telegram",
        bot_key="bot",
        poster=platform,
        pacer=Pacer(limits, platform.monotonic, platform.pace),
        store=store,
        edition=lambda: EDITION,
        phrases=PHRASES,
        clock=platform.clock,
        monotonic=platform.monotonic,
        sleep=platform.sleep,
        rng=Random(1),
        beats={},
    )
    begin = perf_counter()
    await sender.step()
    seconds = perf_counter() - begin
    await store.close()
    return seconds, platform


async def _subscribe(store: SqlStore, chats: int) -> None:
    row = {
        "platform": "telegram",
        "private": False,
        "minute": 540,
        "zone": "UTC",
        "days": 127,
        "place": "UTC",
        "kind": "both",
        "set_by": "7",
        "standing": "active",
        "reason": "",
        "done_day": "2026-11-22",
        "round": 1,
        "next_due_ms": ms(NINE),
        "changed_ms": ms(NINE),
    }
    for first in range(0, chats, 1000):
        rows = [{**row, "chat_key": str(first + number)} for number in range(min(1000, chats - first))]
        await store.run(partial(_insert, rows))


def _insert(rows: list[dict[str, object]], connection: Connection) -> None:
    connection.execute(insert(SUBSCRIPTION), rows)


async def main() -> None:
    """Print both figures."""
    posts = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    chats = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as folder:
        seconds, platform = await measure(posts, UNLIMITED, Path(folder))
        assert len(platform.at) == posts
        print(f"engine alone: {posts} posts in {seconds:.1f} s, {posts / seconds:.0f}/s")
        paced = Limits(per_second=LIMIT, burst=1, chat_per_second=1, chat_burst=3, group_per_minute=20)
        seconds, platform = await measure(chats, paced, Path(folder))
    took, ideal = platform.at[-1] - platform.at[0], (chats - 1) / LIMIT
    most = _most_in_a_second(platform.at)
    print(
        f"paced: {len(platform.at)} of {chats} chats in {took / 60:.1f} simulated minutes, "
        f"{100 * (took / ideal - 1):+.2f}% of the limit's {ideal / 60:.1f}; at most {most} in any second "
        f"(limit {LIMIT}); {seconds:.0f} s of real time"
    )
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _most_in_a_second(at: list[float]) -> int:
    first, most = 0, 0
    for last, moment in enumerate(at):
        while moment - at[first] >= 1 - 1e-6:
            first += 1
        most = max(most, last - first + 1)
    return most


if __name__ == "__main__":
    asyncio.run(main())
