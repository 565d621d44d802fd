from zoneinfo import ZoneInfo, available_timezones

import pytest

from core.errors import BadInput
from core.places import CHOICES, CITIES, find_places, large_cities, similar_places, suggest_places, zone_place


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Berlin", "Europe/Berlin"),
        ("münchen", "Europe/Berlin"),
        ("Wien", "Europe/Vienna"),
        ("NYC", "America/New_York"),
        ("new  york", "America/New_York"),
        ("sao paulo", "America/Sao_Paulo"),
        ("Kiev", "Europe/Kyiv"),
        ("Lodz", "Europe/Warsaw"),
        ("kobenhavn", "Europe/Copenhagen"),
        ("Ireland", "Europe/Dublin"),
        ("Portland, ME", "America/New_York"),
        ("Portland (OR, US)", "America/Los_Angeles"),
        ("europe/berlin", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("UTC", "UTC"),
        ("UK", "Europe/London"),
    ],
)
def test_a_place_without_doubt_stands_alone(text: str, zone: str) -> None:
    assert [place.zone for place in find_places(text)] == [zone]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Portland", ["Portland (OR, US)", "Portland (ME, US)"]),
        ("Birmingham", ["Birmingham (GB)", "Birmingham (AL, US)"]),
        ("CST", ["Chicago (IL, US)", "Mexico City (MX)", "Shanghai (CN)", "Havana (CU)"]),
        ("Eastern", ["New York City (NY, US)", "Toronto (CA)"]),
        ("Ontario", ["Toronto (CA)", "Winnipeg (CA)", "Los Angeles (CA, US)"]),
        ("gmt", ["London (GB)", "Accra (GH)", "Reykjavík (IS)"]),
    ],
)
def test_what_could_be_several_places_is_a_choice(text: str, labels: list[str]) -> None:
    assert [place.label() for place in find_places(text)] == labels


@pytest.mark.parametrize("text", ["UTC+2", "gmt-5", "+02:00", "-5", "Etc/GMT+5", "UTC +5:30"])
def test_offsets_are_refused(text: str) -> None:
    with pytest.raises(BadInput) as raised:
        find_places(text)
    assert raised.value.key == "daily.offset"


@pytest.mark.parametrize("text", ["Gondolin", "|", "\t", "Portland, XX", "a" * 5000])
def test_unknown_places_are_said(text: str) -> None:
    with pytest.raises(BadInput) as raised:
        find_places(text)
    assert raised.value.key == "daily.place_unknown"


@pytest.mark.parametrize("text", ["", "Gondolin", "my house", "UTC+2", "the end", "a" * 5000, "x " * 5000])
def test_what_names_no_city_in_any_part_is_similar_to_none(text: str) -> None:
    assert similar_places(text) == ([], text)


def test_every_abbreviation_stands_for_zones_that_exist() -> None:
    for name in ("us", "canada", "australia", "central", "mountain", "pacific"):
        assert {place.zone for place in find_places(name)} <= available_timezones()
        assert len(find_places(name)) <= CHOICES


def test_suggestions_start_as_typed_the_largest_first() -> None:
    assert [place.label() for place in suggest_places("ber", 2)] == ["Berlin (DE)", "Bergen (NO)"]
    assert suggest_places("") == large_cities()
    assert [place.zone for place in suggest_places("europe/be", 9)][:3] == [
        "Europe/Belfast",
        "Europe/Belgrade",
        "Europe/Berlin",
    ]
    assert len(suggest_places("a")) == 25


def test_every_suggestion_is_understood_as_itself() -> None:
    for letter in "abcdefghijklmnopqrstuvwxyz":
        for place in suggest_places(letter):
            assert find_places(place.label())[0].zone == place.zone


def test_a_zone_is_called_by_its_city_where_there_is_one() -> None:
    assert zone_place("Europe/Vienna").label() == "Vienna (AT)"
    assert zone_place("Europe/Belfast").label() == "Europe/Belfast"
    assert zone_place("Antarctica/Troll").label() == "Antarctica/Troll"


def test_every_city_has_a_zone_that_exists() -> None:
    zones = {line.split("\t")[4] for line in CITIES.read_text(encoding="utf-8").splitlines()}
    assert zones <= available_timezones()
    assert len(zones) > 300
    assert all(ZoneInfo(zone) for zone in zones)
