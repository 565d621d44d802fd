"""Days, instants and failures in words."""

from datetime import date, datetime, time, timedelta

from core.phrases import Phrases
from core.schedule import EVERY_DAY, WEEKDAYS, WEEKENDS, open_zone
from core.store import Subscription


def moment_words(phrases: Phrases, due: datetime, zone: str, place: str, now: datetime) -> str:
    """`tomorrow, Tuesday 24 November, 09:00 in Berlin`."""
    if due <= now:
        return phrases.say("moment.now")
    local, today = due.astimezone(open_zone(zone)), now.astimezone(open_zone(zone)).date()
    near = {today: "today", today + timedelta(days=1): "tomorrow"}
    shown = date_words(phrases, local.date())
    key = f"moment.{near.get(local.date(), 'later')}"
    return phrases.say(key, date=shown, time=time_words(local.time()), place=place)


def date_words(phrases: Phrases, day: date) -> str:
    """`Tuesday 24 November`."""
    month = phrases.say("moment.months").split()[day.month - 1]
    return phrases.say("moment.date", weekday=_weekdays(phrases)[day.weekday()], day=day.day, month=month)


def time_words(at: time) -> str:
    """`09:00`."""
    return at.strftime("%H:%M")


def days_words(phrases: Phrases, days: int) -> str:
    """`on weekdays`, `on Monday, Friday`."""
    named = {EVERY_DAY: "every", WEEKDAYS: "weekdays", WEEKENDS: "weekends"}
    if days in named:
        return phrases.say(f"days.{named[days]}")
    names = [name for number, name in enumerate(_weekdays(phrases)) if days >> number & 1]
    return phrases.say("days.some", days=", ".join(names))


def wanted_words(phrases: Phrases, held: Subscription) -> str:
    """What the chat wants: `A myth, on weekdays, at 09:00 in Berlin.`."""
    return phrases.say(
        "daily.what",
        kind=phrases.say(f"daily.kind.{held.kind}"),
        days=days_words(phrases, held.plan.days),
        time=time_words(held.plan.at),
        place=held.place,
    )


def reason_words(phrases: Phrases, reason: str) -> str:
    """Why posting failed, from its one word."""
    key, known = f"reason.{reason}", phrases.keys()
    return phrases.say(key if key in known else "reason.other")


def _weekdays(phrases: Phrases) -> list[str]:
    return phrases.say("moment.weekdays").split()
