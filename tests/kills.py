"""Kills the real program at every await of the sending of daily posts, and counts what chats got.

    python -m tests.kills [KILLS] [--rigs FOLDER] [--only sqlite|postgresql] [--seed N]

Each life of the program finds new chats whose posts are due, beside what the
life before it left; some chats' platform fails once. Most lives end at an
await that no life has ended at so far, as long as there is one, the others at
any moment. On PostgreSQL a second process stands by all the time.
"""

import argparse
import asyncio
import math
import os
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Protocol

from sqlalchemy import func, select, update

from core.database import Use, ms
from core.schedule import Plan
from core.sqldaily import SUBSCRIPTION
from core.sqlstore import SqlStore
from core.store import Subscription
from tests import discord_wire, loopback
from tests.loopback import Arrival
from tests.nursery import Child, Nursery, open_nursery
from tests.postgres import NoPostgres, serving

ROOT = Path(__file__).parent.parent
IN_FLIGHT = 3
"""Posts that one kill may repeat where the platform knows no nonce; see README, and `core.daily`."""

PLAIN, FAULTY = 5, 2
"""Chats that a life finds, and how many of them meet a fault."""

TELEGRAM_FAULTS = ("429", "500", "502 after", "cut before", "cut after", "moved", "kicked")
DISCORD_FAULTS = ("429", "500", "502 after", "cut before", "cut after", "kicked")
AIM_SECONDS = 2.0
"""How long a life may take to come to the place where it is to end."""

RANDOM_SECONDS = 1.0
FRESH_SECONDS = 3.0
"""A post that arrived longer before a kill should have been written down."""


class Town(Protocol):
    """A platform whose chats get posts."""

    platform: str
    faults: Sequence[str]
    may_repeat: bool

    def environment(self, life: int) -> dict[str, str]:
        """Settings of a program that posts there; `life` is its number."""
        ...

    def found(self, number: int, fault: str) -> str:
        """A new chat, in which the fault happens once; returns its key."""
        ...

    def arrivals(self) -> list[Arrival]:
        """What its chats got so far."""
        ...

    def key_of(self, chat: str, fault: str) -> str:
        """The key under which the chat gets its posts in the end."""
        ...


class TelegramTown:
    """The Telegram of tests/loopback.py."""

    platform, faults, may_repeat = "telegram", TELEGRAM_FAULTS, True

    def __init__(self, server: loopback.Telegram) -> None:
        self._server = server

    def environment(self, life: int) -> dict[str, str]:
        return {"TELEGRAM_TOKEN": loopback.TOKEN, "TELEGRAM_API_URL": f"{self._server.address}/{life}"}

    def found(self, number: int, fault: str) -> str:
        chat = f"-{1000 + number}"
        self._server.faults[chat] = [fault] if fault else []
        return chat

    def arrivals(self) -> list[Arrival]:
        return list(self._server.arrivals)

    def key_of(self, chat: str, fault: str) -> str:
        return loopback.moved(chat) if fault == "moved" else chat


class DiscordTown:
    """The Discord of tests/discord_wire.py."""

    platform, faults, may_repeat = "discord", DISCORD_FAULTS, False

    def __init__(self, wire: discord_wire.Wire) -> None:
        self._wire = wire

    def environment(self, life: int) -> dict[str, str]:
        api, gateway = self._wire.api, self._wire.gateway_url
        return {
            "DISCORD_TOKEN": discord_wire.TOKEN,
            "MORTAL_DISCORD_API": api,
            "MORTAL_DISCORD_GATEWAY": gateway,
        }

    def found(self, number: int, fault: str) -> str:
        chat = discord_wire.snowflake()
        path = f"/channels/{chat}/messages"
        bodies = {
            "429": discord_wire.Fault(path, 429, body={"retry_after": 0.3, "global": False, "code": 0}),
            "500": discord_wire.Fault(path, 500),
            "502 after": discord_wire.Fault(path, 502, after=True),
            "cut before": discord_wire.Fault(path),
            "cut after": discord_wire.Fault(path, after=True),
            "kicked": discord_wire.Fault(path, 403, body={"code": 50001}, times=99),
        }
        if fault:
            self._wire.faults.append(bodies[fault])
        return chat

    def arrivals(self) -> list[Arrival]:
        # A long post's further messages have a longer nonce.
        first = [m for m in self._wire.shown if len(str(m.get("nonce", ""))) == 24]
        return [Arrival(m["channel_id"], str(m["embeds"]), 0.0, told=True) for m in first]

    def key_of(self, chat: str, fault: str) -> str:
        return chat


@dataclass
class Life:
    """One process; `aim` is the place at which it ends itself, empty for none."""

    process: Child
    trace: Path
    log: Path
    aim: str = ""

    def places(self) -> list[str]:
        """The suspensions and resumptions it has come to."""
        return self.trace.read_text().splitlines() if self.trace.exists() else []


@dataclass
class Verdict:
    """What became of the posts.

    Attributes:
        places: suspensions and resumptions of the sending that were seen, and how many of them ended a life.
        repeats: posts that came again, and of them those after a kill; `worst`: the most after one kill.
        unexplained: repeats that the guarantee does not allow.
        takeover: the longest from a kill to the first post of the life after it, in seconds.
    """

    kills: int = 0
    places: int = 0
    died_at: set[str] = field(default_factory=set)
    unreached: list[str] = field(default_factory=list)
    chats: int = 0
    lost: list[str] = field(default_factory=list)
    repeats: int = 0
    worst: int = 0
    unexplained: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    suspended: int = 0
    wrongly_sent: list[str] = field(default_factory=list)
    exit_code: int | None = None
    takeover: float = 0.0

    def broken(self) -> list[str]:
        """Every breach of the guarantee."""
        return [*self.lost, *self.unexplained, *self.changed, *self.wrongly_sent]

    def line(self) -> str:
        """For people."""
        return (
            f"{self.kills} kills, at {len(self.died_at)} of {self.places} places where sending waits and at "
            f"random moments; {self.chats} chats due: lost {len(self.lost)}, repeated {self.repeats}, "
            f"at most {self.worst} by one kill, more than the guarantee allows {len(self.unexplained)}, "
            f"with another entry {len(self.changed)}; suspended {self.suspended}, "
            f"posts to those {len(self.wrongly_sent)}; "
            f"from a kill to the next post on Telegram at most {self.takeover:.1f} s"
        )


class Ordeal:
    """The program, its platforms and its database, life after life.

    Args:
        standby: a second process waits for the first one's end; needs PostgreSQL.
    """

    def __init__(
        self,
        towns: Sequence[Town],
        nursery: Nursery,
        database: str,
        folder: Path,
        rng: Random,
        *,
        standby: bool,
    ) -> None:
        self._towns, self._nursery, self._database = towns, nursery, database
        self._folder, self._rng, self._standby = folder, rng, standby
        self._chats: list[tuple[Town, str, str]] = []
        self._known: dict[str, None] = {}
        self._tried: Counter[str] = Counter()
        self._deaths: list[float] = []
        self._found: list[float] = []
        self._born = 0
        self._verdict = Verdict()

    async def go(self, kills: int) -> Verdict:
        """So many deaths, then a life that may finish."""
        await SqlStore(self._database).close()
        self._books = SqlStore(self._database, Use.BESIDE)
        await self._find_chats()
        lives = [await self._bear() for _ in range(1 + self._standby)]
        try:
            # One that was told where to die can't be the last.
            while len(self._deaths) < kills or lives[0].aim:
                await self._end(lives.pop(0))
                await self._find_chats()
                lives.append(await self._bear(aims=len(self._deaths) < kills))
            await self._finish(lives[0])
            self._judge()
        finally:
            for life in lives:
                if life.process.returncode is None:
                    life.process.kill()
                    await life.process.wait()
            await self._books.close()
        return self._verdict

    async def _bear(self, *, aims: bool = True) -> Life:
        self._born += 1
        trace, log = self._folder / f"trace{self._born}", self._folder / f"log{self._born}"
        aim, times = self._aim() if aims else ("", 0)
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        for town in self._towns:
            environment |= town.environment(self._born)
        environment |= {
            "CONTENT_PATH": str(ROOT / "content.yaml"),
            "DATABASE_URL": self._database,
            "MORTAL_TRACE": str(trace),
            "MORTAL_AIM": f"{times} {aim}" if aim else "",
        }
        return Life(await self._nursery.bear(self._folder, log, environment), trace, log, aim)

    def _aim(self) -> tuple[str, int]:
        """Where to die, at which time there; none now and then, and once lives ended everywhere."""
        fresh = [p for p in self._known if p not in self._verdict.died_at and self._tried[p] < 3]
        if not fresh or not self._born % 4:
            return "", 0
        aim = self._rng.choice(fresh)
        self._tried[aim] += 1
        return aim, self._rng.choice((1, 1, 1, 2, 3)) if self._tried[aim] < 2 else 1

    async def _find_chats(self) -> None:
        """New chats whose post has been due for some minutes."""
        now = datetime.now(UTC)
        due = now - timedelta(minutes=5)
        for town in self._towns:
            faults = ["" for _ in range(PLAIN)] + self._rng.choices(town.faults, k=FAULTY)
            for fault in self._rng.sample(faults, len(faults)):
                number = len(self._chats)
                chat = town.found(number, fault)
                self._chats.append((town, chat, fault))
                plan = Plan(clock_time(due.hour, due.minute), "UTC")
                person, done = str(10**6 + number), due.date() - timedelta(days=1)
                wanted = Subscription(town.platform, chat, plan, private=False, set_by=person, done_day=done)
                await self._books.subscribe(wanted, now)
        self._found.append(time.monotonic())

    async def _end(self, life: Life) -> None:
        """Have it die at its place, or soon."""
        if self._rng.random() < 0.9:
            # Otherwise it may die while it starts.
            await _until(lambda: bool(life.places()) or life.process.returncode is not None, 20)
        if life.aim:
            await _until(lambda: life.process.returncode is not None, AIM_SECONDS)
        else:
            await asyncio.sleep(self._rng.uniform(0, RANDOM_SECONDS))
        if life.process.returncode is None:
            life.process.kill()
        elif life.aim:
            self._verdict.died_at.add(life.aim)
        await life.process.wait()
        code = life.process.returncode
        assert code == -signal.SIGKILL, f"ended by itself with {code}: {life.log.read_text()[-2000:]}"
        self._deaths.append(time.monotonic())
        self._known.update(dict.fromkeys(life.places()))
        await self._hurry()

    async def _hurry(self) -> None:
        """An hour's pause before the next try need not be waited for."""
        now = ms(datetime.now(UTC))
        columns = SUBSCRIPTION.c
        soon = update(SUBSCRIPTION).where(columns.next_due_ms.between(now, now + 5 * 3_600_000))
        await self._books.run(lambda connection: connection.execute(soon.values(next_due_ms=now)))

    async def _open(self) -> int:
        """How many posts are still due."""
        later = ms(datetime.now(UTC)) + 5 * 3_600_000
        count = select(func.count()).where(SUBSCRIPTION.c.next_due_ms < later)
        return await self._books.run(lambda connection: connection.scalar(count) or 0)

    async def _finish(self, life: Life) -> None:
        end = time.monotonic() + 90
        while await self._open():
            assert life.process.returncode is None, life.log.read_text()[-2000:]
            assert time.monotonic() < end, life.log.read_text()[-2000:]
            await asyncio.sleep(1)
            await self._hurry()
        self._known.update(dict.fromkeys(life.places()))
        life.process.terminate()
        self._verdict.exit_code = await asyncio.wait_for(life.process.wait(), 15)

    def _judge(self) -> None:
        sheet = self._verdict
        sheet.kills, sheet.places, sheet.chats = len(self._deaths), len(self._known), len(self._chats)
        sheet.unreached = [place for place in self._known if place not in sheet.died_at]
        got: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
        for town in self._towns:
            for arrival in town.arrivals():
                got[town.platform, arrival.chat].append(arrival)
        after: Counter[tuple[str, float]] = Counter()
        for town, chat, fault in self._chats:
            name = f"{town.platform} {chat} {fault}"
            there = got[town.platform, town.key_of(chat, fault)]
            if fault == "kicked":
                sheet.suspended += 1
                sheet.wrongly_sent += [name for _ in there]
                continue
            sheet.lost += [name] if not there else []
            sheet.changed += [name] if len({arrival.text for arrival in there}) > 1 else []
            sheet.repeats += max(len(there) - 1, 0)
            for earlier in there[:-1]:
                kill = self._end_of(earlier)
                if not town.may_repeat:
                    sheet.unexplained.append(name)
                elif not earlier.told:
                    continue
                elif kill is None or kill - earlier.at > FRESH_SECONDS:
                    sheet.unexplained.append(name)
                else:
                    after[town.platform, kill] += 1
        sheet.worst = max(after.values(), default=0)
        for (platform, _kill), count in after.items():
            sheet.unexplained += [f"{platform}: {count} by one kill"] if count > IN_FLIGHT else []
        sheet.takeover = self._longest_takeover()

    def _end_of(self, arrival: Arrival) -> float | None:
        """When the process was killed that sent it; by the clock where the platform can't tell them apart."""
        if arrival.life:
            # They die in the order in which they were born.
            return self._deaths[arrival.life - 1] if arrival.life <= len(self._deaths) else None
        return next((at for at in self._deaths if at >= arrival.at), None)

    def _longest_takeover(self) -> float:
        """From a kill to the next arrival, where the life in between had the time to post."""
        times = sorted(a.at for town in self._towns for a in town.arrivals() if a.at)
        waits = []
        for (kill, following), found in zip(
            pairwise([*self._deaths, math.inf]), self._found[1:], strict=True
        ):
            first = next((at for at in times if at > kill), math.inf)
            # Before new chats were found, nothing may have been due.
            waits += [first - min(max(kill, found), first)] if first < following else []
        return max(waits, default=0.0)


async def _until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait till it holds, or so long."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:  # noqa: ASYNC110 - another process makes it hold
        await asyncio.sleep(0.01)


Towns = Callable[[], AbstractAsyncContextManager[Sequence[Town]]]


@asynccontextmanager
async def doubles() -> AsyncIterator[Sequence[Town]]:
    """Both platforms as the tests have them."""
    async with loopback.open_telegram() as telegram, discord_wire.open_wire() as wire:
        yield TelegramTown(telegram), DiscordTown(wire)


async def suffer(
    kills: int, database: str, folder: Path, seed: int, *, standby: bool, places: Towns = doubles
) -> Verdict:
    """The ordeal from its beginning to its end."""
    async with places() as towns, open_nursery() as nursery:
        return await Ordeal(towns, nursery, database, folder, Random(seed), standby=standby).go(kills)


def main() -> int:
    """Print what became of the posts; 1 if the guarantee was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--rigs", type=Path, help="a folder with the rigs `telegram` and `discord`")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    failed = 0
    if chosen.only != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            failed += _report("SQLite", chosen, f"sqlite:///{folder}/kills.db", Path(folder), standby=False)
    if chosen.only != "sqlite":
        try:
            with serving() as server, tempfile.TemporaryDirectory() as folder:
                where = "PostgreSQL with a standby"
                failed += _report(where, chosen, server.database(), Path(folder), standby=True)
        except NoPostgres as reason:
            print(f"PostgreSQL: skipped, {reason}")
    return 1 if failed else 0


def _report(where: str, chosen: argparse.Namespace, database: str, folder: Path, *, standby: bool) -> bool:
    """Whether the guarantee was broken on a database."""
    places: Towns = doubles
    if chosen.rigs:
        from tests.bench.rig_towns import open_rigs

        places = partial(open_rigs, chosen.rigs)
    work = suffer(chosen.kills, database, folder, chosen.seed, standby=standby, places=places)
    verdict = asyncio.run(work)
    print(f"{where}: {verdict.line()}")
    for place in sorted(verdict.died_at):
        print(f"  a life ended at {place}")
    for place in verdict.unreached:
        print(f"  no life ended at {place}")
    for breach in verdict.broken():
        print(f"  BROKEN {breach}")
    return bool(verdict.broken() or verdict.exit_code)


if __name__ == "__main__":
    sys.exit(main())
