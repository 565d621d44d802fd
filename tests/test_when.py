from datetime import time

import pytest

from core.errors import BadInput
from core.schedule import EVERY_DAY, WEEKDAYS, WEEKENDS
from core.when import Verb, Wish, read_wish


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("9:00", time(9)),
        ("9am", time(9)),
        ("9 a.m.", time(9)),
        ("9", time(9)),
        ("0930", time(9, 30)),
        ("at 9.30", time(9, 30)),
        ("18:30", time(18, 30)),
        ("6:30PM", time(18, 30)),
        ("12am", time(0)),
        ("12pm", time(12)),
        ("21h", time(21)),
        ("noon", time(12)),
        ("midnight", time(0)),
    ],
)
def test_times_of_day_as_people_type_them(text: str, at: time) -> None:
    assert read_wish(text) == Wish(Verb.SET, at=at)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("9am Berlin", Wish(Verb.SET, at=time(9), place="Berlin")),
        ("9:00 Portland, ME", Wish(Verb.SET, at=time(9), place="Portland, ME")),
        ("berlin 9:00", Wish(Verb.SET, at=time(9), place="berlin")),
        ("18:30, weekdays in New York", Wish(Verb.SET, at=time(18, 30), days=WEEKDAYS, place="New York")),
        ("UTC+2 9:00", Wish(Verb.SET, at=time(9), place="UTC+2")),
        ("9:00 +02:00", Wish(Verb.SET, at=time(9), place="+02:00")),
        ("weekends 10:00 facts", Wish(Verb.SET, at=time(10), days=WEEKENDS, kind="fact")),
        ("every day", Wish(Verb.SET, days=EVERY_DAY)),
        ("mon, wed and fri 8", Wish(Verb.SET, at=time(8), days=0b0010101)),
        ("fri-mon 8", Wish(Verb.SET, at=time(8), days=0b1110001)),
        ("tuesdays", Wish(Verb.SET, days=0b0000010)),
        ("myths", Wish(Verb.SET, kind="myth")),
        ("both", Wish(Verb.SET, kind="both")),
        ("", Wish(Verb.SHOW)),
        ("OFF", Wish(Verb.OFF)),
        ("resume", Wish(Verb.RESUME)),
        ("preview", Wish(Verb.PREVIEW)),
        ("pause", Wish(Verb.PAUSE)),
        ("pause 2 weeks", Wish(Verb.PAUSE, pause_days=14)),
        ("pause for a week", Wish(Verb.PAUSE, pause_days=7)),
        ("pause three weeks", Wish(Verb.PAUSE, pause_days=21)),
        ("unpause", Wish(Verb.RESUME)),
        ("start", Wish(Verb.RESUME)),
        ("start 9am Berlin", Wish(Verb.SET, at=time(9), place="Berlin")),
        ("help", Wish(Verb.SHOW)),
        ("pause 10d", Wish(Verb.PAUSE, pause_days=10)),
    ],
)
def test_wishes_in_any_order(text: str, wish: Wish) -> None:
    assert read_wish(text) == wish


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("25:00", "daily.time_unclear"),
        ("9:75", "daily.time_unclear"),
        ("13pm", "daily.time_unclear"),
        ("9:5", "daily.time_unclear"),
        ("9:00 and 18:00 Berlin", "daily.one_time"),
        ("pause many weeks", "daily.pause_unclear"),
        ("pause forever", "daily.pause_unclear"),
        ("pause 0 days", "daily.pause_unclear"),
        ("pause 900 weeks", "daily.pause_unclear"),
        ("pause 3 moons", "daily.pause_unclear"),
    ],
)
def test_what_makes_no_sense_is_said(text: str, key: str) -> None:
    with pytest.raises(BadInput) as raised:
        read_wish(text)
    assert raised.value.key == key
