from datetime import date

import pytest

from bots.proof import content_checks, overdue
from core.content import Content, parse_content
from core.errors import ContentError
from tests.room import GUARDS
from tests.samples import NO_BODY, SOUND, planted, sound

HARD = "    body: " + (
    "Pharmacological interventions necessitate comprehensive multidisciplinary evaluation preceding "
    "administration, notwithstanding considerable heterogeneity characterising contemporary "
    "investigations. " * 5
)


def complaints(raw: bytes) -> list[str]:
    """What the further checks say of a file that is sound otherwise."""
    with pytest.raises(ContentError) as caught:
        parse_content(raw, checks=content_checks(GUARDS))
    return caught.value.lines()


def test_an_easy_text_with_enough_unnamed_phrasings_passes() -> None:
    assert parse_content(SOUND.encode(), checks=content_checks(GUARDS)) == sound()


def test_a_hard_text_is_flagged_at_its_body() -> None:
    lines = complaints(planted({56: HARD, **NO_BODY}))
    assert len(lines) == 1
    assert lines[0].startswith("content.yaml:56: entries[m-tea-cures].body: reads at school grade ")
    assert lines[0].endswith("; use shorter words and sentences, at most 8")


def test_long_sentences_of_short_words_are_flagged_too() -> None:
    body = "    body: " + "the cup of tea is on the mat and " * 10
    assert "reads at school grade" in complaints(planted({56: body, **NO_BODY}))[0]


def test_fewer_than_half_unnamed_phrasings_are_flagged() -> None:
    assert complaints(planted({94: "      - is tea medicine"})) == [
        "content.yaml:84: entries[m-tea-cures].phrasings:"
        " only 9 of 20 leave the topic unnamed; at least half should"
    ]


@pytest.mark.parametrize("phrasing", ["TEA as a pill", "téa as a pill", "it's brew's: Teas!", "tea's cure"])
def test_the_topic_is_recognised_however_it_is_written(phrasing: str) -> None:
    raw = planted({5: "  topic_words: [Tea, Téas, teas]", 94: f'      - "{phrasing}"'})
    assert "only 9 of 20" in complaints(raw)[0]


def test_a_word_that_only_contains_the_topic_leaves_it_unnamed() -> None:
    raw = planted({94: "      - is it in a teapot"})
    assert parse_content(raw, checks=content_checks(GUARDS)).entries[0].phrasings[9] == "is it in a teapot"


def last_checked(day: str) -> Content:
    """Content whose emergency number was last checked on `day`, everything else on 2026-10-01."""
    return parse_content(planted({21: f"        checked: {day}"}))


TODAY = date(2026, 10, 1)
ADVICE = "call or open it, then renew 'checked'"


@pytest.mark.parametrize(
    ("day", "warnings", "faults"),
    [
        ("2026-10-01", [], []),
        ("2026-08-02", [], []),  # 60 days
        (
            "2026-08-01",  # 61 days
            [f"warning: safety: Emergency services (EU) was checked 61 days ago; {ADVICE}"],
            [],
        ),
        (
            "2026-07-03",  # 90 days
            [f"warning: safety: Emergency services (EU) was checked 90 days ago; {ADVICE}"],
            [],
        ),
        (
            "2026-07-02",  # 91 days
            [],
            [f"safety: Emergency services (EU) was checked 91 days ago; {ADVICE}"],
        ),
        ("2026-10-02", [], []),  # today, east of Greenwich
        (
            "2062-10-01",
            [],
            ["safety: Emergency services (EU) has a day in the future; write the day it was checked"],
        ),
    ],
)
def test_a_crisis_number_warns_after_60_days_and_fails_after_90(
    day: str, warnings: list[str], faults: list[str]
) -> None:
    assert overdue(last_checked(day), TODAY) == (warnings, faults)


def test_every_crisis_number_is_watched() -> None:
    warnings, faults = overdue(sound(), date(2026, 12, 1))
    assert [line.split(" was ")[0] for line in warnings] == [
        "warning: safety: Emergency services (EU)",
        "warning: safety: Lifeline (US)",
        "warning: safety: Tea Help (US)",
    ]
    assert faults == []


def test_without_a_day_the_clock_decides() -> None:
    """No day can be fresh by the real clock for good: one that is long past fails for good."""
    warnings, faults = overdue(last_checked("2001-01-01"))
    assert any("Emergency services (EU) was checked" in line for line in faults)
    assert not any("Emergency services" in line for line in warnings)


def test_a_name_that_the_guards_would_stop_is_a_fault() -> None:
    raw = SOUND.replace("keywords:\n", "keywords:\n      - kill myself\n", 1).encode()
    assert any("'kill myself' is met by the crisis guard" in line for line in complaints(raw))
