import pytest
from msgspec import structs

from core.card import card_check, crisis_brief, crisis_card, daily_card, declined_card, first_card, more_card
from core.content import Content, Entry
from core.draft import examine_text
from core.reply import Button, plain_text, utf16_length
from tests.room import CONTENT, PHRASES
from tests.samples import planted, sound


@pytest.mark.parametrize("entry", CONTENT.entries, ids=lambda entry: entry.id)
def test_both_messages_of_every_entry_fit_everywhere(entry: Entry) -> None:
    first, more = daily_card(CONTENT, entry, PHRASES), more_card(CONTENT, entry, PHRASES)
    assert utf16_length(plain_text(first)) <= 1024
    assert utf16_length(plain_text(more)) <= 4096


@pytest.mark.parametrize("entry", CONTENT.entries, ids=lambda entry: entry.id)
def test_the_first_message_holds_every_part_whole(entry: Entry) -> None:
    text = plain_text(first_card(CONTENT, entry, PHRASES))
    for part in (entry.claim, entry.answer, entry.body, entry.must_not_miss, CONTENT.bot.standing_line):
        assert part in text
    assert all(source.label in text for source in entry.sources)


@pytest.mark.parametrize(
    ("verdict", "title"),
    [
        ("false", "✖ Myth: false"),
        ("misleading", "▲ Myth: misleading"),
        ("half-true", "◐ Myth: half true"),
        ("well-supported", "✔ Fact: well supported"),
        ("supported-with-limits", "◑ Fact: supported, with limits"),
        ("limited-evidence", "○ Fact: limited evidence"),
    ],
)
def test_verdicts_are_told_by_shape_and_words(verdict: str, title: str) -> None:
    content = edited(verdict=verdict)
    assert first_card(content, content.entries[0], PHRASES).title == title


def edited(**changes: object) -> Content:
    entry = structs.replace(CONTENT.entries[0], **changes)
    return structs.replace(CONTENT, entries=[entry, *CONTENT.entries[1:]])


def complaints(raw: bytes) -> list[str]:
    """What the rule on lengths says of a content file."""
    found = examine_text(raw, [card_check(PHRASES)]).faults
    return [fault.show("content.yaml") for fault in found if "too long" in fault.message]


def caveat(spare: int) -> str:
    """A caveat that leaves `spare` characters of the first message unused."""
    entry = sound().entries[0]
    left = 1024 - utf16_length(plain_text(daily_card(sound(), entry, PHRASES)))
    return f"    must_not_miss: {entry.must_not_miss}{'x' * (left - spare)}"


TOO_LONG = "characters too long; shorten the texts"


def test_a_first_message_that_is_too_long_is_a_fault() -> None:
    assert complaints(planted({61: caveat(0)})) == []
    assert complaints(planted({61: caveat(-3)})) == [
        f"content.yaml:50: entries[m-tea-cures]: its first message is 3 {TOO_LONG}"
    ]


def test_a_first_message_is_measured_without_a_bot_that_is_sound() -> None:
    without_line = utf16_length(" " + sound().bot.standing_line)
    assert complaints(planted({61: caveat(-without_line), 7: ""})) == []
    assert len(complaints(planted({61: caveat(-without_line - 1), 7: ""}))) == 1


def test_links_count_against_discords_limit() -> None:
    url = "https://example.org/" + "x" * 180
    source = f"      - {{label: {'l' * 24}, authors: {'A' * 500}, title: T, year: 2020, published_in: P,"
    source += f" url: '{url}', checked: 2026-09-01}}"
    assert complaints(planted({67: "\n".join([source] * 6), **dict.fromkeys(range(68, 81), "")}))[
        0
    ].startswith("content.yaml:50: entries[m-tea-cures]: its More message with its links is ")


def test_a_safety_card_that_is_too_long_is_a_fault() -> None:
    found = complaints(planted({12: f"    message: {'x' * 4000}", 41: f"    message: {'x' * 5000}"}))
    assert [line.split(" message is ")[0] for line in found] == [
        "content.yaml:11: safety.crisis: its",
        "content.yaml:40: safety.sourcing: its",
    ]


def test_an_undated_source_says_so() -> None:
    source = structs.replace(CONTENT.entries[0].sources[0], year=None)
    content = edited(sources=[source])
    assert "undated" in plain_text(more_card(content, content.entries[0], PHRASES))


def test_an_entry_without_neighbours_has_no_related_button() -> None:
    content = edited(related=[])
    assert [button.label for button in first_card(content, content.entries[0], PHRASES).buttons[0]] == [
        "Another myth",
        "More",
    ]


def test_safety_cards_fit_and_never_carry_an_entry() -> None:
    for card in (crisis_card(CONTENT, PHRASES), crisis_brief(CONTENT, PHRASES)):
        assert utf16_length(plain_text(card)) <= 1500
        assert card.entry_id is None
        assert card.buttons == ()
    for guard in ("dosing", "sourcing"):
        assert utf16_length(plain_text(declined_card(CONTENT, guard, PHRASES))) <= 1024


def test_every_crisis_number_stands_with_its_country() -> None:
    text = plain_text(crisis_card(CONTENT, PHRASES))
    for line in [*CONTENT.safety.crisis.emergency, *CONTENT.safety.crisis.helplines]:
        assert f"{line.country}: {line.contact}" in text


def test_a_declined_card_without_its_entry_has_no_button() -> None:
    content = structs.replace(CONTENT, entries=CONTENT.entries[:1])
    assert declined_card(content, "dosing", PHRASES).buttons == ()


def test_an_action_over_the_platforms_limit_is_refused() -> None:
    Button("ok", "x" * 64)
    with pytest.raises(ValueError, match="over 64 bytes"):
        Button("no", "x" * 65)
