"""When a daily post is due: pure arithmetic on wall time, an IANA zone and days of the week."""

import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzdata

from core.errors import BadInput

WINDOW = timedelta(hours=6)
"""How late a post may come; later than that, there is none that day."""

EVERY_DAY = 0b1111111
WEEKDAYS = 0b0011111
WEEKENDS = 0b1100000
"""Days of the week as bits; Monday is the lowest."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """When a chat wants its post: `at` is wall time in the IANA `zone`, on `days` of the week."""

    at: time
    zone: str
    days: int = EVERY_DAY


@dataclass(frozen=True, slots=True)
class Slot:
    """One post to be: the local day it was planned for, and the instant it is due, in UTC.

    The two differ where a clock jumps over midnight: 23:30 in Nuuk, on the
    one evening a year that has no 23:30, comes at 00:30 and is that evening's.
    """

    day: date
    due: datetime


def next_due(at: time, zone: str, after: datetime, days: int = EVERY_DAY) -> datetime:
    """The next instant to post, in UTC, strictly later than `after`.

    `at` is wall-clock time in the IANA `zone`, on the `days` of the week that
    are set. A time skipped by summer time is shifted by the gap's length; a
    repeated one fires once.

    Raises:
        BadInput: `zone` is unknown.
    """
    return next_slot(Plan(at, zone, days), after).due


def next_slot(plan: Plan, after: datetime, done_day: date = date.min) -> Slot:
    """The first slot that is due strictly later than `after` and planned for a day after `done_day`."""
    zone = open_zone(plan.zone)
    today = after.astimezone(zone).date()
    # A day earlier: its slot may have been shifted past midnight.
    first = max(today - _DAY, done_day + _DAY)
    return next(slot for slot in _slots(plan, zone, first, 1) if slot.due > after)


def latest_slot(plan: Plan, now: datetime) -> Slot:
    """The last slot that is due at `now` or before."""
    zone = open_zone(plan.zone)
    today = now.astimezone(zone).date()
    return next(slot for slot in _slots(plan, zone, today, -1) if slot.due <= now)


def open_slot(plan: Plan, now: datetime, done_day: date) -> Slot | None:
    """The slot to be posted now, if there is one: the latest, not done, and inside the window.

    However long the bot was away, it is at most one.
    """
    slot = latest_slot(plan, now)
    return slot if slot.day > done_day and now - slot.due <= WINDOW else None


def wake_at(plan: Plan, now: datetime, done_day: date) -> datetime:
    """When there will be something to post: in the past, if there is now."""
    slot = open_slot(plan, now, done_day)
    return slot.due if slot else next_slot(plan, now, done_day).due


def _slots(plan: Plan, zone: ZoneInfo, first: date, step: int) -> Iterator[Slot]:
    """The plan's slots from the day `first` on, forwards or backwards in time."""
    if not plan.days & EVERY_DAY:
        raise ValueError("a plan needs a day of the week")
    day = first
    while True:
        if plan.days >> day.weekday() & 1:
            due = _instant(plan.at, zone, day)
            # Samoa had no 30 December 2011: its slot would be the one of the 31st.
            if due.astimezone(zone).date() == day or due != _instant(plan.at, zone, day + _DAY):
                yield Slot(day, due)
        day += step * _DAY


def _instant(at: time, zone: ZoneInfo, day: date) -> datetime:
    # fold=0: the offset before a change, which shifts skipped times and takes repeated ones first.
    return datetime.combine(day, at, zone).astimezone(UTC)


@cache
def open_zone(key: str) -> ZoneInfo:
    """The zone, kept: ZoneInfo itself holds on to eight only, and opening one takes 90 microseconds.

    Raises:
        BadInput: there is no zone of that name.
    """
    try:
        return ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput("daily.place_unknown") from error


def reopen_zones() -> None:
    """Read every zone anew from now on, after the tz database changed."""
    ZoneInfo.clear_cache()
    open_zone.cache_clear()


def tz_version(folders: Sequence[str] = zoneinfo.TZPATH) -> str:
    """What tells one state of the tz database from another: the system's, or else the package's."""
    for folder in map(Path, folders):
        try:
            with (folder / "tzdata.zi").open(encoding="utf-8") as file:
                return file.readline().strip("# \n")
        except OSError:
            pass
        if (folder / "UTC").exists():
            return f"files of {max(path.stat().st_mtime_ns for path in folder.iterdir())}"
    return f"tzdata {tzdata.IANA_VERSION}"
