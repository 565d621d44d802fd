"""Real processes of the bot on one PostgreSQL: how long until another one posts when the first one goes.

    python -m tests.standby [ROUNDS]

needs PostgreSQL's binaries; see `tests.postgres`. Times are from the moment the
leader was killed, told to end or cut off from the database to the arrival of a
post that came due at that moment.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

from core.database import Use
from core.schedule import Plan
from core.sqlstore import SqlStore
from core.store import Subscription
from tests.loopback import TOKEN, Telegram, open_telegram
from tests.nursery import Child, Nursery, open_nursery
from tests.postgres import Server, named, serving

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 60.0
"""How long anything may take before the wait for it counts as vain, on however busy a machine."""

SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND application_name = 'ketafacts'"
HOLDERS = "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE datname = %s"
HOLDERS += " AND locktype = 'advisory'"


@dataclass
class Bot:
    """A process of the program."""

    process: Child
    log: Path

    def said(self, words: str) -> int:
        """How many lines of its log have the words."""
        return sum(words in line for line in self.log.read_text().splitlines())

    def leads(self) -> bool:
        """Whether it said so last, or has led from its start."""
        return self.said("leading now") >= self.said("standing by")

    async def says(self, words: str) -> None:
        """Wait until it has said so."""
        await until(lambda: self.said(words) > 0, f"{words!r} in {self.log.read_text()[-2000:]}")

    async def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Send it the signal and wait for its end; returns its exit code."""
        self.process.send_signal(by)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.process.wait()


@dataclass
class Scene:
    """A Telegram, a database, and the processes between them."""

    telegram: Telegram
    nursery: Nursery
    server: Server
    url: str
    folder: Path
    bots: list[Bot]
    chats: int = 0

    async def start(self, url: str = "") -> Bot:
        """One more process, on this database unless another address is given."""
        log = self.folder / f"log{len(self.bots)}"
        settings = {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": f"{self.telegram.address}/{len(self.bots) + 1}",
            "DATABASE_URL": url or self.url,
            "CONTENT_PATH": str(ROOT / "content.yaml"),
            "PATH": os.environ["PATH"],
        }
        process = await self.nursery.bear(self.folder, log, settings)
        bot = Bot(process, log)
        self.bots.append(bot)
        return bot

    async def posts(self) -> float:
        """Have a post come due now, and wait for it; returns when it arrived, of time.monotonic()."""
        self.chats += 1
        chat, now = f"-{1000 + self.chats}", datetime.now(UTC)
        due = now - timedelta(minutes=1)
        plan = Plan(clock_time(due.hour, due.minute), "UTC")
        yesterday = due.date() - timedelta(days=1)
        books = SqlStore(self.url, Use.BESIDE)
        wanted = Subscription("telegram", chat, plan, private=False, done_day=yesterday)
        await books.subscribe(wanted, now - timedelta(minutes=2))
        await books.close()
        await until(lambda: any(arrival.chat == chat for arrival in self.telegram.arrivals), f"{chat}'s post")
        return next(arrival.at for arrival in self.telegram.arrivals if arrival.chat == chat)

    def repeats(self) -> int:
        """How many posts came again."""
        return len(self.telegram.arrivals) - len({arrival.chat for arrival in self.telegram.arrivals})

    def cut_off(self, *, leader: bool = False) -> None:
        """End the sessions of all processes, or of the one that leads."""
        for (session,) in self.server.run(HOLDERS if leader else SESSIONS, named(self.url)):
            self.server.run("SELECT pg_terminate_backend(%s)", session)


@asynccontextmanager
async def scene(server: Server, folder: Path) -> AsyncIterator[Scene]:
    """An empty one; its processes end with the block."""
    async with open_telegram() as telegram, open_nursery() as nursery:
        opened = Scene(telegram, nursery, server, server.database(), folder, [])
        try:
            yield opened
        finally:
            for bot in opened.bots:
                if bot.process.returncode is None:
                    bot.process.kill()
                await bot.process.wait()


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait till it holds.

    Raises:
        AssertionError: it does not.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, f"in vain: {what}"
        await asyncio.sleep(0.02)


async def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds to the next post, by what happened to the leader."""
    took: dict[str, list[float]] = {"killed": [], "told to end": [], "cut off": []}
    with tempfile.TemporaryDirectory() as folder, serving() as server:
        async with scene(server, Path(folder)) as stage:
            both = [await stage.start(), await stage.start()]
            await stage.posts()
            for number in range(3 * rounds):
                # What starts must not count, nor who is about to notice a loss.
                await until(lambda: any(bot.said("standing by") for bot in both), "a standby")
                await asyncio.sleep(3)
                (leader,) = [bot for bot in both if bot.leads()]
                what, since = list(took)[number % 3], time.monotonic()
                if what == "cut off":
                    stage.cut_off(leader=True)
                else:
                    leader.process.send_signal(signal.SIGKILL if what == "killed" else signal.SIGTERM)
                took[what].append(await stage.posts() - since)
                if what != "cut off":
                    await leader.process.wait()
                    both.remove(leader)
                    both.append(await stage.start())
                    await both[-1].says("standing by")
            print(f"{stage.chats} posts, {stage.repeats()} of them twice")
    return took


def main() -> int:
    """Print the shortest, the middle and the longest."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    for what, seconds in asyncio.run(measure(parser.parse_args().rounds)).items():
        middle = sorted(seconds)[len(seconds) // 2]
        print(f"leader {what:<12} next post after {min(seconds):.1f} / {middle:.1f} / {max(seconds):.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
