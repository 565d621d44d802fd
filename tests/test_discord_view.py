import copy

import pytest

from bots import discord_view
from bots.discord_menu import same_commands, slash_commands
from bots.discord_view import DESCRIPTION_UNITS, render
from core.card import first_card, more_card
from core.commands import COMMANDS
from core.completion import OFFERED, Completions
from core.reply import SEPARATOR, Block, Button, Link, Reply, Style, utf16_length
from core.when import read_wish
from tests.room import CONTENT, PHRASES

ALL_STYLES = Reply(
    title="▲ Myth",
    tone="misleading",
    blocks=(
        Block("It *cures*.", style=Style.QUOTE),
        Block("No.", style=Style.STRONG),
        Block("Text.", label="Note:"),
        Block("Lines", style=Style.HEADING),
        Block("call 1", label="US:", style=Style.ITEM),
        Block("A paper", url="https://doi.org/10.1(2)3", style=Style.ITEM),
    ),
    links=(Link("Leaf 2020", "https://example.org/leaf"), Link("Cup", "https://example.org/cup")),
    links_label="Sources:",
    closing="Not advice.",
    buttons=((Button("More", "more:x"),),),
)


def test_every_part_has_its_place() -> None:
    (page,) = render(ALL_STYLES)
    (embed,) = page["embeds"]
    assert embed["title"] == "▲ Myth"
    assert embed["footer"] == {"text": "Not advice."}
    assert embed["description"].split("\n\n") == [
        "> It \\*cures\\*.",
        "**No.**",
        "**Note:** Text.",
        "**Lines**\n**US:** call 1\n[A paper](https://doi.org/10.1%282%293)",
        f"**Sources:** [Leaf 2020](https://example.org/leaf){SEPARATOR}[Cup](https://example.org/cup)",
    ]
    (row,) = page["components"]
    assert row["components"] == [{"type": 2, "style": 2, "label": "More", "custom_id": "more:x"}]


def test_a_closing_too_long_for_a_footer_ends_the_text() -> None:
    (page,) = render(Reply(title="x", closing="c" * 1001))
    assert page["embeds"] == [{"title": "x", "description": "c" * 1001}]


def test_every_entry_fits_one_message_at_both_depths() -> None:
    for entry in CONTENT.entries:
        for card in (first_card(CONTENT, entry, PHRASES), more_card(CONTENT, entry, PHRASES)):
            (page,) = render(card)
            assert utf16_length(page["embeds"][0]["description"]) <= DESCRIPTION_UNITS


def test_what_is_too_long_goes_on_in_further_messages() -> None:
    words = " ".join(str(number) for number in range(4_000))
    pages = render(Reply(title="t" * 300, blocks=(Block(words), Block("end")), buttons=ALL_STYLES.buttons))
    texts = [page["embeds"][0]["description"] for page in pages]
    assert all(len(text) <= DESCRIPTION_UNITS for text in texts)
    assert " ".join(texts).split()[1:4_001] == words.split()
    assert [bool(page["components"]) for page in pages] == [False] * (len(pages) - 1) + [True]


@pytest.mark.parametrize(
    ("count", "rows"), [(1, [1]), (5, [1] * 5), (10, [2] * 5), (12, [3] * 4), (25, [5] * 5)]
)
def test_buttons_flow_into_at_most_five_rows(count: int, rows: list[int]) -> None:
    reply = Reply(title="t", buttons=tuple((Button(f"b{n}", f"a{n}"),) for n in range(count)))
    (page,) = render(reply)
    assert [len(row["components"]) for row in page["components"]] == rows


def test_more_buttons_than_a_message_holds_go_on_in_the_next() -> None:
    reply = Reply(title="t", buttons=tuple((Button(f"b{n}", f"a{n}"),) for n in range(30)))
    counts = [sum(len(row["components"]) for row in page["components"]) for page in render(reply)]
    assert counts == [25, 5]


def test_nothing_to_show_is_no_message() -> None:
    assert render(Reply()) == ()


def test_every_command_is_offered_wherever_it_is_of_use() -> None:
    offered = [command for command in slash_commands(PHRASES) if command["type"] == 1]
    rows = [command for command in COMMANDS if command.is_on("discord")]
    assert [command["name"] for command in offered] == [command.name for command in rows]
    for command, row in zip(offered, rows, strict=True):
        where = ([0], [0, 1]) if row.member else ([0, 1], [0, 1, 2])
        assert (command["integration_types"], command["contexts"]) == where
        assert command["options"][-1]["name"] == "private"
        assert all(len(option["description"]) <= 100 for option in [command, *command["options"]])


def test_a_claim_is_checked_from_the_menu_of_any_message() -> None:
    (menu,) = [command for command in slash_commands(PHRASES) if command["type"] == 3]
    assert menu == {
        "type": 3,
        "name": "Check this claim",
        "integration_types": [0, 1],
        "contexts": [0, 1, 2],
        "default_member_permissions": None,
    }


def test_a_question_is_required_and_words_are_not() -> None:
    required = {
        c["name"]: c["options"][0].get("required")
        for c in slash_commands(PHRASES)
        if len(c.get("options", [])) > 1
    }
    assert required == {"myth": False, "fact": False, "ask": True, "check": False, "daily": False}


def test_the_daily_post_is_set_in_parts_that_are_suggested_or_chosen() -> None:
    (daily,) = [command for command in slash_commands(PHRASES) if command["name"] == "daily"]
    parts = {o["name"]: [c["value"] for c in o.get("choices", [])] for o in daily["options"]}
    assert parts == {
        "time": [],
        "place": [],
        "days": [],
        "kind": ["both", "myths", "facts"],
        "action": ["pause 1 week", "pause 2 weeks", "pause 4 weeks", "resume", "preview", "off"],
        "private": [],
    }
    assert [o["name"] for o in daily["options"] if o.get("autocomplete")] == ["time", "place", "days"]
    assert all(read_wish(value) for values in parts.values() for value in values)


def test_other_choices_are_another_command() -> None:
    changed = copy.deepcopy(slash_commands(PHRASES))
    daily = next(command for command in changed if command["name"] == "daily")
    daily["options"][3]["choices"].pop()
    assert not same_commands(slash_commands(PHRASES), changed)


def test_commands_are_the_same_whatever_discord_adds_or_leaves_out() -> None:
    wanted = slash_commands(PHRASES)
    registered = [{"id": "1", "version": "2", "nsfw": False, **command} for command in reversed(wanted)]
    for command in registered:
        if command["type"] == 3:
            command["description"] = ""
            continue
        command["options"] = [{k: v for k, v in o.items() if v is not False} for o in command["options"]]
    assert same_commands(wanted, registered)
    registered[-1] = {**registered[-1], "description": "other"}
    assert not same_commands(wanted, registered)
    assert not same_commands(wanted, registered[1:])


def test_titles_go_before_claims_and_keywords() -> None:
    completions = Completions(CONTENT.entries)
    entry = CONTENT.entries[0]
    assert completions.find(entry.title)[0].entry_id == entry.id
    assert entry.id in [choice.entry_id for choice in completions.find(entry.claim)]
    assert entry.id in [choice.entry_id for choice in completions.find(entry.keywords[0])]


def test_the_first_letters_are_enough_and_the_kind_is_kept() -> None:
    completions = Completions(CONTENT.entries)
    assert completions.find("addic")
    assert completions.find("qqqq") == ()
    assert len(completions.find("")) == min(OFFERED, len(CONTENT.entries))
    kinds = {entry.id: entry.kind for entry in CONTENT.entries}
    assert {kinds[choice.entry_id] for choice in completions.find("", "fact")} == {"fact"}


def test_what_a_person_typed_is_kept_nowhere() -> None:
    """Only entries' cards are: a suggestion quotes the question."""
    kept = discord_view._known_parts.cache_info().currsize
    render(Reply(title="No entry", blocks=(Block("my own story", style=Style.QUOTE),)))
    assert discord_view._known_parts.cache_info().currsize == kept
