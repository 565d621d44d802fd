"""What people type after /daily, as a wish: a time, days, a place, a kind, or what to do."""

import re
from dataclasses import dataclass, replace
from datetime import time
from enum import StrEnum

from core.errors import BadInput
from core.schedule import EVERY_DAY, WEEKDAYS, WEEKENDS

LONGEST_PAUSE_DAYS = 366


class Verb(StrEnum):
    """What is to be done."""

    SHOW = "show"
    SET = "set"
    PAUSE = "pause"
    RESUME = "resume"
    PREVIEW = "preview"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed; None or empty where it says nothing.

    Attributes:
        days: days of the week as bits, see `core.schedule`.
        kind: `myth`, `fact` or `both`.
        place: the words that name a place, not yet looked up.
        pause_days: for how long.
    """

    verb: Verb
    at: time | None = None
    days: int | None = None
    kind: str | None = None
    place: str = ""
    pause_days: int | None = None


_VERBS = {
    "off": Verb.OFF,
    "stop": Verb.OFF,
    "cancel": Verb.OFF,
    "resume": Verb.RESUME,
    "on": Verb.RESUME,
    "start": Verb.RESUME,
    "continue": Verb.RESUME,
    "unpause": Verb.RESUME,
    "preview": Verb.PREVIEW,
    "status": Verb.SHOW,
    "help": Verb.SHOW,
}
_KINDS = {"myth": "myth", "myths": "myth", "fact": "fact", "facts": "fact", "both": "both"}
DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KIND_WORDS = {"myth": "myths", "fact": "facts", "both": "both"}
"""How each kind is typed."""

PARTS: dict[str, tuple[str, ...]] = {
    "time": (),
    "place": (),
    "days": (),
    "kind": ("both", "myths", "facts"),
    "action": ("pause 1 week", "pause 2 weeks", "pause 4 weeks", "resume", "preview", "off"),
}
"""What a wish is made of, for platforms that ask for each part alone: all that it can be, if that is few."""

_DAY_SETS = {
    "weekdays": WEEKDAYS,
    "workdays": WEEKDAYS,
    "weekends": WEEKENDS,
    "weekend": WEEKENDS,
    "daily": EVERY_DAY,
    "everyday": EVERY_DAY,
}
_ALONE = {*_VERBS, "pause"}
_FILLERS = {"at", "in", "on", "and", "time", "start"}
_UNITS = {"d": 1, "day": 1, "days": 1, "w": 7, "week": 7, "weeks": 7, "month": 30, "months": 30}
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_TIME = re.compile(
    r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2}))?\s?(?P<half>[ap]\.?m\.?)?h?(?=[\s,]|$)|"
    r"(?P<digits>\d{4})(?=\s|$)|(?P<word>noon|midnight)\b",
    re.IGNORECASE,
)
_PAUSE = re.compile(r"pause(?:\s+for)?(?:\s+(?P<count>\d{1,3}|[a-z]+)\s*(?P<unit>[a-z]+))?", re.IGNORECASE)


def read_wish(words: str) -> Wish:
    """What the words after /daily ask for.

    Raises:
        BadInput: a time that does not exist, or a pause of no known length.
    """
    typed = " ".join(words.split())
    if not typed:
        return Wish(Verb.SHOW)
    if verb := _VERBS.get(typed.lower()):
        return Wish(verb)
    if typed.lower().startswith("pause"):
        return _pause(typed)
    return _settings(typed)


def _pause(typed: str) -> Wish:
    match = _PAUSE.fullmatch(typed)
    if not match:
        raise BadInput("daily.pause_unclear")
    if not match["count"]:
        return Wish(Verb.PAUSE)
    counted = match["count"].lower()
    count = int(counted) if counted.isdecimal() else _COUNTS.get(counted, 0)
    days = count * _UNITS.get(match["unit"].lower(), 0)
    if not 0 < days <= LONGEST_PAUSE_DAYS:
        raise BadInput("daily.pause_unclear")
    return Wish(Verb.PAUSE, pause_days=days)


def _settings(typed: str) -> Wish:
    wish = Wish(Verb.SET)
    left = typed
    # "every day" is two words that mean one.
    left = re.sub(r"\bevery ?day\b", "everyday", left, flags=re.IGNORECASE)
    match = next((m for m in _TIME.finditer(left) if m.start() == 0 or left[m.start() - 1] in " ,"), None)
    if match and not left[: match.start()].endswith(("+", "-")):
        wish = replace(wish, at=_time(match))
        left = f"{left[: match.start()]} {left[match.end() :]}"
    place: list[str] = []
    for token in left.split():
        word = token.strip(",").lower()
        if days := _days(word):
            wish = replace(wish, days=(wish.days or 0) | days)
        elif word in _KINDS:
            wish = replace(wish, kind=_KINDS[word])
        elif word in _ALONE and word not in _FILLERS:
            raise BadInput("daily.one_thing", word=word)
        elif word and word not in _FILLERS:
            place.append(token)
    if place and place[0][0].isdigit():
        # A second time, after one that was read.
        raise BadInput("daily.one_time" if wish.at else "daily.time_unclear", time=place[0][:8])
    return replace(wish, place=" ".join(place).strip(","))


def _time(match: re.Match[str]) -> time:
    if match["word"]:
        return time(12 if match["word"].lower() == "noon" else 0)
    digits = match["digits"]
    hour = int(digits[:2] if digits else match["hour"])
    minute = int(digits[2:] if digits else match["minute"] or 0)
    half = (match["half"] or "").lower()
    if half and not 1 <= hour <= 12:
        raise BadInput("daily.time_unclear", time=match[0].strip())
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    if hour > 23 or minute > 59:
        raise BadInput("daily.time_unclear", time=match[0].strip())
    return time(hour, minute)


def _days(word: str) -> int:
    """The days that a word names as bits: `weekdays`, `mon`, `tuesdays`, `mon-fri`, `mon,wed`; 0 for none."""
    if word in _DAY_SETS:
        return _DAY_SETS[word]
    bits = 0
    for part in re.split(r"[,/+]", word):
        first, _, last = part.partition("-")
        begin, end = _weekday(first), _weekday(last or first)
        if begin is None or end is None:
            return 0
        for step in range((end - begin) % 7 + 1):
            bits |= 1 << (begin + step) % 7
    return bits


def _weekday(word: str) -> int | None:
    for number, name in enumerate(DAY_NAMES):
        if word in (name, f"{name}s", name[:3], name[:4], name[:5]):
            return number
    return None
