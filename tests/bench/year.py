"""The simulated year through our sender and through the rules of other bots, as a table.

    python -m tests.bench.year [chats] [seed]

The others lose a post that the platform refuses, as they do not try again.
"""

import asyncio
import logging
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.year import START, WINDOW, Trouble, Wanted, Year, by_chat, distinct, judge, live, repeats, trouble

DAY = timedelta(days=1)
Rule = Callable[["Times", Trouble, list[Wanted]], Iterator[datetime]]


class Times:
    """When the process runs, with a restart at every kill, and when the platform takes posts."""

    def __init__(self, year: Trouble, seed: int) -> None:
        rng = Random(seed)
        length = (year.end - START).total_seconds()
        kills = [START + timedelta(seconds=rng.uniform(0, length)) for _ in year.kills]
        ends = sorted([(d.begin, d.end) for d in year.down] + [(k, k + timedelta(seconds=5)) for k in kills])
        self.lives: list[tuple[datetime, datetime]] = []
        begin = START
        for down, up in ends:
            if down > begin:
                self.lives.append((begin, down))
            begin = max(begin, up)
        self.lives.append((begin, year.end))
        self.killed = {rng.randrange(len(year.wishes) * 365) for _ in year.kills}
        self.outages = year.outages
        self.number = 0

    def running(self, at: datetime) -> bool:
        """Whether the process runs then."""
        index = bisect_right(self.lives, (at, datetime.max.replace(tzinfo=UTC))) - 1
        return index >= 0 and self.lives[index][0] <= at < self.lives[index][1]

    def taken(self, at: datetime) -> bool:
        """Whether the platform takes a post then."""
        return not any(o.begin <= at < o.end and o.kind != "answers badly" for o in self.outages)


def every_24_hours(times: Times, year: Trouble, wishes: list[Wanted]) -> Iterator[datetime]:
    """A loop of 24 hours that begins with the process."""
    for begin, end in times.lives:
        at = begin
        while at < end:
            yield at
            at += DAY


def utc_hour(times: Times, year: Trouble, wishes: list[Wanted]) -> Iterator[datetime]:
    """The hour in UTC, as it was when it was set."""
    for wanted, day in _days(year, wishes):
        first = _instant(year, wanted, wanted.since.date(), wanted.since)
        at = datetime.combine(day, time(first.hour), UTC)
        if times.running(at):
            yield at


def saved_offset(times: Times, year: Trouble, wishes: list[Wanted]) -> Iterator[datetime]:
    """The minute by the offset that was in force when it was set."""
    for wanted, day in _days(year, wishes):
        first = _instant(year, wanted, wanted.since.date(), wanted.since)
        at = datetime.combine(day, first.timetz().replace(tzinfo=UTC))
        if times.running(at):
            yield at


def exact_minute(times: Times, year: Trouble, wishes: list[Wanted]) -> Iterator[datetime]:
    """A look at the wall clock every minute: posts where it reads the very time."""
    for wanted, day in _days(year, wishes):
        for at in _readings(year, wanted, day):
            if times.running(at):
                yield at


def apscheduler(times: Times, year: Trouble, wishes: list[Wanted]) -> Iterator[datetime]:
    """A cron trigger with a zone, kept in memory: one second of grace, twice in an overlap."""
    for wanted, day in _days(year, wishes):
        instant = _instant(year, wanted, day)
        for at in _readings(year, wanted, day) or ([instant] if wanted.at.hour else []):
            if times.running(at):
                yield at


def marked_first(times: Times, year: Trouble, wishes: list[Wanted]) -> Iterator[datetime]:
    """Our own times and window, but the day is marked as done before the post is sent."""
    for wanted, day in _days(year, wishes):
        due = _instant(year, wanted, day)
        at = max(due, next((begin for begin, end in times.lives if end > due), year.end))
        times.number += 1
        if at - due <= WINDOW and times.number not in times.killed:
            yield at


RULES: dict[str, Rule] = {
    "24 h loop from start": every_24_hours,
    "UTC hour only": utc_hour,
    "saved offset": saved_offset,
    "exact-minute match": exact_minute,
    "APScheduler defaults": apscheduler,
    "mark before send": marked_first,
}


def _days(year: Trouble, wishes: list[Wanted]) -> Iterator[tuple[Wanted, date]]:
    for wanted, following in zip(wishes, [*wishes[1:], None], strict=True):
        day, end = wanted.since.date(), following.since if following else year.end
        while day < end.date():
            yield wanted, day
            day += DAY


def _instant(year: Trouble, wanted: Wanted, day: date, known: datetime | None = None) -> datetime:
    zone = year.rules(wanted.zone, known or datetime.combine(day, wanted.at, UTC))
    return datetime.combine(day, wanted.at, zone).astimezone(UTC)


def _readings(year: Trouble, wanted: Wanted, day: date) -> list[datetime]:
    """Every instant of the day at which a clock on the wall reads the time: none, one or two."""
    zone: ZoneInfo = year.rules(wanted.zone, datetime.combine(day, wanted.at, UTC))
    wall = datetime.combine(day, wanted.at, zone)
    instants = {wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(at for at in instants if at.astimezone(zone).time() == wanted.at)


async def main() -> None:
    """Print the table; the first row is ours."""
    logging.disable(logging.CRITICAL)
    chats = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    year = Year(trouble=trouble(int(sys.argv[2]) if len(sys.argv) > 2 else 1, chats))
    await live(year)
    print("| Rule | on the minute | made up for | missed | double | wrong hour |\n|---|---|---|---|---|---|")
    print(f"| this bot | {judge(year.trouble, by_chat(distinct(year))).row()} |")
    for name, rule in RULES.items():
        times = Times(year.trouble, 1)
        posts = {
            chat: [at for at in rule(times, year.trouble, wishes) if times.taken(at)]
            for chat, wishes in year.trouble.wishes.items()
        }
        print(f"| {name} | {judge(year.trouble, posts).row()} |")
    print(
        f"\n{chats} chats, {len(year.trouble.down)} stops, {year.killed} kills in mid-send, "
        f"{len(year.trouble.outages)} outages, {len(year.trouble.updates)} tz updates; repeats after a kill "
        f"or a dropped answer, allowed by the guarantee and not counted above: {repeats(year)}"
    )


if __name__ == "__main__":
    asyncio.run(main())
