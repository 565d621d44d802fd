from datetime import date

import pytest

from bots.proof import content_checks
from core.draft import examine_text
from tests.room import GUARDS
from tests.samples import NO_BODY, SOUND, planted

HARD = "    body: " + (
    "Pharmacological interventions necessitate comprehensive multidisciplinary evaluation preceding "
    "administration, notwithstanding considerable heterogeneity characterising contemporary "
    "investigations. " * 5
)


TODAY = date(2026, 10, 1)
MYTH = "entries[m-tea-cures]"
FACT = "entries[f-tea-warm]"
AGAIN = "; call or open it, then write today's date"
FUTURE = " is in the future; write the day it was done"
DOSE = "; leave the amount out"
ONCE = " already; keep it in one place"


def complaints(raw: bytes, today: date = TODAY) -> list[str]:
    """What the checks say of a file on a day."""
    report = examine_text(raw, content_checks(GUARDS, today))
    return [fault.show("content.yaml") for fault in report.faults]


def test_a_sound_file_with_easy_texts_passes() -> None:
    assert complaints(SOUND.encode()) == []


# What is wrong; the lines planted; every line that should be told, in this order.
PLANTED: list[tuple[str, dict[int, str], list[str]]] = [
    # Doses
    *[
        (
            f"dose: {dose}",
            {61: f"    must_not_miss: Have {dose} of it."},
            [f"61: {MYTH}.must_not_miss: gives a dose ({told}){DOSE}"],
        )
        for dose, told in [
            ("50 mg", "50 mg"),
            ("0.5mg/kg", "0.5mg"),
            ("10-20 mcg/kg/min", "10-20 mcg"),
            ("2 to 3 µg", "2 to 3 μg"),
            ("５０ ｍｇ", "50 mg"),
            ("1,000 milligrams", "1,000 milligrams"),
            ("half a gram", "half a gram"),
            ("two 5-ml vials", "5-ml"),
            ("five tablets", "five tablets"),
            ("1/2 pill", "1/2 pill"),
            ("3 sprays", "3 sprays"),
            ("100 I.U. or 100 IU", "100 iu"),
        ]
    ],
    (
        "dose in a title",
        {52: "    title: Is 5 g of tea enough?"},
        [f"52: {MYTH}.title: gives a dose (5 g){DOSE}"],
    ),
    (
        "dose in an answer",
        {55: "    answer: No. Not even 2 ml."},
        [f"55: {MYTH}.answer: gives a dose (2 ml){DOSE}"],
    ),
    (
        "dose in the evidence",
        {65: "      why: At 2 mg it did."},
        [f"65: {MYTH}.evidence.why: gives a dose (2 mg){DOSE}"],
    ),
    (
        "dose in a source",
        {69: "        title: Tea at 2 mg"},
        [f"69: {MYTH}.sources[0].title: gives a dose (2 mg){DOSE}"],
    ),
    ("dose in the bot's words", {6: "  about: Take 2 mg."}, [f"6: bot.about: gives a dose (2 mg){DOSE}"]),
    (
        "dose in a safety message",
        {30: "    message: Not over 2 mg."},
        [f"30: safety.dosing.message: gives a dose (2 mg){DOSE}"],
    ),
    (
        "dose in a category",
        {46: "    title: From 2 mg on"},
        [f"46: categories[basics].title: gives a dose (2 mg){DOSE}"],
    ),
    (
        "no dose",
        {61: "    must_not_miss: In 2024, 3 of 10 got well in 4 weeks; call 112 or 5 gyms at 2 sites."},
        [],
    ),
    (
        "dose that nobody reads",
        {72: "        url: https://example.org/2-mg", 94: "      - is 2 mg enough"},
        [],
    ),
    # Phrasings
    (
        "phrasing of another entry",
        {104: "      - Hot TEA!"},
        [f"130: {FACT}.phrasings[11]: 'hot tea' stands in m-tea-cures{ONCE}"],
    ),
    (
        "phrasing twice in an entry",
        {104: "      - Healing? Tea!"},
        [f"104: {MYTH}.phrasings[19]: 'Healing? Tea!' stands in m-tea-cures{ONCE}"],
    ),
    (
        "phrasing that is not covered",
        {135: "not_covered: [what is coffee, Is it... medicine?]"},
        [f"135: not_covered[1]: 'Is it... medicine?' stands in m-tea-cures{ONCE}"],
    ),
    (
        "not covered twice",
        {135: "not_covered: [what is coffee, what is coffee?, 🙏, ❤️]"},
        [f"135: not_covered[1]: 'what is coffee?' stands in not_covered{ONCE}"],
    ),
    # What a guard would stop
    (
        "keyword of a crisis",
        {83: "      - kill myself"},
        [f"83: {MYTH}.keywords[1]: 'kill myself' is met by the crisis guard (kill-self); use other words"],
    ),
    (
        "claim of a crisis",
        {53: "    claim: I want to kill myself."},
        [
            f"53: {MYTH}.claim: 'I want to kill myself.' is met by the crisis guard (kill-self);"
            " use other words"
        ],
    ),
    (
        "phrasing of a crisis",
        {104: "      - i want to kill myself"},
        [
            f"104: {MYTH}.phrasings[19]: warning: 'i want to kill myself' is met by the crisis guard"
            " (kill-self); use other words"
        ],
    ),
    # Days
    ("source opened tomorrow", {73: "        checked: 2026-10-02"}, []),
    (
        "source opened in two days",
        {73: "        checked: 2026-10-03"},
        [f"73: {MYTH}.sources[0].checked: 2026-10-03{FUTURE}"],
    ),
    (
        "reviewed in two days",
        {109: "      date: 2026-10-03"},
        [f"109: {MYTH}.reviewed.date: 2026-10-03{FUTURE}"],
    ),
    (
        "number called in the far future",
        {39: "        checked: 2062-10-01"},
        [f"39: safety.dosing.helplines[0].checked: 2062-10-01{FUTURE}"],
    ),
    ("number of 60 days", {21: "        checked: 2026-08-02"}, []),
    (
        "number of 61 days",
        {21: "        checked: 2026-08-01"},
        [
            "21: safety.crisis.emergency[0].checked: warning: Emergency services (EU) was checked 61 days ago"
            + AGAIN
        ],
    ),
    (
        "number of 90 days",
        {21: "        checked: 2026-07-03"},
        [
            "21: safety.crisis.emergency[0].checked: warning: Emergency services (EU) was checked 90 days ago"
            + AGAIN
        ],
    ),
    (
        "number of 91 days",
        {28: "        checked: 2026-07-02"},
        ["28: safety.crisis.helplines[0].checked: Lifeline (US) was checked 91 days ago" + AGAIN],
    ),
    # All at once, beside faults of form
    (
        "a source that is sound in an entry that is not",
        {52: "    title:", 69: "        title: Tea at 2 mg"},
        [
            f"52: {MYTH}.title: is empty; write something",
            f"69: {MYTH}.sources[0].title: gives a dose (2 mg){DOSE}",
        ],
    ),
    (
        "an entry that is sound beside one that is not, a bot that is not, a number that is not",
        {
            3: "  name:",
            20: "        source: x",
            28: "        checked: 2026-07-02",
            52: "    title:",
            61: "    must_not_miss: Have 2 mg.",
            122: "    must_not_miss: Have 2 mg.",
            134: "    reviewed: {date: 2027-09-02, by: no}",
            135: "not_covered: [hot tea]",
        },
        [
            "3: bot.name: is empty; write something",
            "20: safety.crisis.emergency[0].source: is no web address; write it like https://doi.org/...",
            "28: safety.crisis.helplines[0].checked: Lifeline (US) was checked 91 days ago" + AGAIN,
            f"52: {MYTH}.title: is empty; write something",
            f"122: {FACT}.must_not_miss: gives a dose (2 mg){DOSE}",
            f"134: {FACT}.reviewed.date: 2027-09-02{FUTURE}",
            f"135: not_covered[0]: 'hot tea' stands in f-tea-warm{ONCE}",
        ],
    ),
]


@pytest.mark.parametrize(("edits", "lines"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED])
def test_a_planted_fault_is_told_with_its_line_and_place(edits: dict[int, str], lines: list[str]) -> None:
    assert complaints(planted(edits)) == [f"content.yaml:{line}" for line in lines]


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
    assert complaints(planted({94: "      - is it in a teapot"})) == []


def test_a_source_from_a_year_to_come_is_flagged() -> None:
    assert complaints(planted({70: "        year: 2062"})) == [
        "content.yaml:70: entries[m-tea-cures].sources[0].year:"
        " 2062 is in the future; write the year it came out"
    ]


def test_every_crisis_number_is_watched() -> None:
    lines = complaints(SOUND.encode(), date(2026, 12, 1))
    assert [line.partition(" was ")[0] for line in lines] == [
        "content.yaml:21: safety.crisis.emergency[0].checked: warning: Emergency services (EU)",
        "content.yaml:28: safety.crisis.helplines[0].checked: warning: Lifeline (US)",
        "content.yaml:39: safety.dosing.helplines[0].checked: warning: Tea Help (US)",
    ]
