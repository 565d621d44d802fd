import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import schedule
from core.errors import BadInput
from core.schedule import (
    EVERY_DAY,
    WEEKDAYS,
    WEEKENDS,
    WINDOW,
    Plan,
    Slot,
    latest_slot,
    next_due,
    next_slot,
    open_slot,
    tz_version,
    wake_at,
)

ZONES = sorted(available_timezones())
YEARS = range(2022, 2032)


def distinct() -> list[str]:
    """One name for every set of rules: the others are links to the same file."""
    by_rules: dict[bytes, str] = {}
    for zone in ZONES:
        by_rules.setdefault(rules(zone), zone)
    return sorted(by_rules.values())


def rules(zone: str) -> bytes:
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / zone).is_file():
            return (folder / zone).read_bytes()
    return resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("at", "zone", "after", "due"),
    [
        (time(9), "Europe/Berlin", utc(2026, 11, 23, 7, 59), utc(2026, 11, 23, 8)),
        (time(9), "Europe/Berlin", utc(2026, 11, 23, 8), utc(2026, 11, 24, 8)),
        (time(9), "Europe/Berlin", utc(2026, 3, 28, 8), utc(2026, 3, 29, 7)),
        # Skipped: 02:30 becomes 03:30.
        (time(2, 30), "Europe/Berlin", utc(2026, 3, 28, 12), utc(2026, 3, 29, 1, 30)),
        # Repeated: the first of the two.
        (time(2, 30), "Europe/Berlin", utc(2026, 10, 24, 12), utc(2026, 10, 25, 0, 30)),
        (time(2, 30), "Europe/Berlin", utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30)),
        # A gap of half an hour.
        (time(2, 15), "Australia/Lord_Howe", utc(2026, 10, 3, 12), utc(2026, 10, 3, 15, 45)),
        # A gap at midnight.
        (time(0, 10), "Africa/Cairo", utc(2026, 4, 23, 12), utc(2026, 4, 23, 22, 10)),
        # A gap that ends at midnight: the evening's post comes just after it.
        (time(23, 30), "America/Nuuk", utc(2026, 3, 28, 12), utc(2026, 3, 29, 1, 30)),
        # Samoa had no 30 December 2011.
        (time(9), "Pacific/Apia", utc(2011, 12, 29, 19), utc(2011, 12, 30, 19)),
        (time(9), "Pacific/Apia", utc(2011, 12, 30, 19), utc(2011, 12, 31, 19)),
    ],
)
def test_next_due_keeps_to_the_wall_clock(at: time, zone: str, after: datetime, due: datetime) -> None:
    assert next_due(at, zone, after) == due


def expected(at: time, zone: ZoneInfo, day: date) -> datetime:
    """Found by looking: the first instant of that wall time, or of the clock as it went before a gap."""
    wall = datetime.combine(day, at)
    offsets = {
        (wall.replace(tzinfo=UTC) + timedelta(hours=h)).astimezone(zone).utcoffset() for h in (-30, 30)
    }
    candidates = sorted(wall.replace(tzinfo=UTC) - offset for offset in offsets if offset is not None)
    real = [c for c in candidates if c.astimezone(zone).replace(tzinfo=None) == wall]
    return real[0] if real else candidates[-1]


@pytest.mark.parametrize("zone", distinct())
def test_ten_years_have_one_slot_a_local_day_at_the_right_minute(zone: str) -> None:
    rng, local = Random(zone), ZoneInfo(zone)
    # Where clocks change, they mostly do so at night.
    at = rng.choice(
        [time(0), time(23, 45), time(rng.randrange(4), rng.randrange(60)), time(rng.randrange(24))]
    )
    plan = Plan(at, zone)
    day, now, end = date(YEARS[0], 1, 1), utc(YEARS[0] - 1, 12, 30), date(YEARS[-1] + 1, 1, 1)
    while (slot := next_slot(plan, now)).day < day:
        now = slot.due
    while day < end:
        assert slot == Slot(day, expected(at, local, day))
        day += timedelta(days=1)
        slot = next_slot(plan, slot.due)


@given(
    zone=st.sampled_from(ZONES),
    minute=st.integers(0, 1439),
    hours=st.integers(0, 24 * 3652),
    days=st.integers(1, EVERY_DAY),
)
def test_latest_and_next_are_neighbours(zone: str, minute: int, hours: int, days: int) -> None:
    now = utc(2022, 1, 1) + timedelta(hours=hours)
    plan = Plan(time(minute // 60, minute % 60), zone, days)
    latest, following = latest_slot(plan, now), next_slot(plan, now)
    assert latest.due <= now < following.due
    assert next_slot(plan, latest.due) == following
    assert all(days >> slot.day.weekday() & 1 for slot in (latest, following))


@pytest.mark.parametrize(
    ("days", "weekdays"), [(WEEKDAYS, [0, 1, 2, 3, 4]), (WEEKENDS, [5, 6]), (1 << 3, [3])]
)
def test_only_the_days_that_are_wanted(days: int, weekdays: list[int]) -> None:
    slot = next_slot(Plan(time(9), "Europe/Berlin", days), utc(2026, 1, 1))
    seen = set()
    for _ in range(20):
        seen.add(slot.day.weekday())
        slot = next_slot(Plan(time(9), "Europe/Berlin", days), slot.due)
    assert sorted(seen) == weekdays


def test_a_day_that_a_zone_skipped_has_no_slot_of_its_own() -> None:
    fridays = Plan(time(9), "Pacific/Apia", 1 << 4)
    assert next_slot(fridays, utc(2011, 12, 28)).day == date(2012, 1, 6)


BERLIN = Plan(time(9), "Europe/Berlin")
MONDAY = date(2026, 11, 23)


def test_a_slot_stays_open_for_the_window_and_no_longer() -> None:
    due = utc(2026, 11, 23, 8)
    yesterday = MONDAY - timedelta(days=1)
    assert open_slot(BERLIN, due - timedelta(seconds=1), yesterday) is None
    assert open_slot(BERLIN, due, yesterday) == Slot(MONDAY, due)
    assert open_slot(BERLIN, due + WINDOW, yesterday) == Slot(MONDAY, due)
    assert open_slot(BERLIN, due + WINDOW + timedelta(seconds=1), yesterday) is None
    assert open_slot(BERLIN, due, MONDAY) is None


def test_months_of_downtime_leave_one_slot() -> None:
    """Judged on the latest slot: the stored one is months old, today's is not."""
    assert open_slot(BERLIN, utc(2026, 11, 23, 9), date(2026, 2, 1)) == Slot(MONDAY, utc(2026, 11, 23, 8))


def test_waking_is_in_the_past_only_for_an_open_slot() -> None:
    now = utc(2026, 11, 23, 9)
    assert wake_at(BERLIN, now, MONDAY - timedelta(days=1)) == utc(2026, 11, 23, 8)
    assert wake_at(BERLIN, now, MONDAY) == utc(2026, 11, 24, 8)
    assert wake_at(BERLIN, now, date(2026, 12, 6)) == utc(2026, 12, 7, 8)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe", "x\0y"])
def test_an_unknown_zone_is_said(zone: str) -> None:
    with pytest.raises(BadInput) as raised:
        next_due(time(9), zone, utc(2026, 1, 1))
    assert raised.value.key == "daily.place_unknown"


def test_a_plan_without_days_is_refused() -> None:
    with pytest.raises(ValueError, match="day of the week"):
        next_slot(Plan(time(9), "Europe/Berlin", 0), utc(2026, 1, 1))


def test_the_tz_database_has_a_version_wherever_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "tzdata.zi").write_text("# version 2026c\nR d 1916\n")
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "UTC").write_bytes(b"")
    assert tz_version([str(tmp_path / "none"), str(tmp_path)]) == "version 2026c"
    assert tz_version([str(plain)]).startswith("files of ")
    assert tz_version([]).startswith("tzdata 20")
    assert tz_version() == tz_version(zoneinfo.TZPATH)


def test_zones_are_read_anew_after_an_update() -> None:
    before = schedule.open_zone("Europe/Berlin")
    assert schedule.open_zone("Europe/Berlin") is before
    schedule.reopen_zones()
    assert schedule.open_zone("Europe/Berlin") is not before
