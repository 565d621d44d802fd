import io

import pytest

from bots.console import ConsoleFacts, chat, read, render
from core.chat import Surface
from core.reply import Block, Button, Link, Reply, Style
from tests.room import PERSON, PHRASES, Room


class Terminal(io.StringIO):
    """Text that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


async def talk(room: Room, typed: str, *, terminal: bool = False) -> str:
    kind = Terminal if terminal else io.StringIO
    out = kind()
    await chat(room.app, PHRASES, kind(typed), out, refresh=lambda: None)
    return out.getvalue()


async def test_a_typed_command_is_answered_with_its_sources(room: Room) -> None:
    shown = await talk(room, "/myth addictive\n")
    assert "▲ Myth: misleading" in shown
    assert "“Medical ketamine is very addictive.”" in shown
    assert "Swainson 2022: https://doi.org/10.1007/s40263-022-00897-2" in shown
    assert "[1] Another myth · [2] More · [3] Related" in shown


async def test_a_number_presses_the_button(room: Room) -> None:
    assert "Evidence:" in await talk(room, "/myth addictive\n2\n")


async def test_a_number_without_a_button_says_so(room: Room) -> None:
    assert "There is no button 9 on the last message." in await talk(room, "/myth addictive\n9\n")


async def test_empty_lines_are_passed_over(room: Room) -> None:
    assert await talk(room, "\n   \n") == ""


async def test_a_request_without_an_answer_prints_nothing(room: Room) -> None:
    out = io.StringIO()
    room.app.handle = silent  # type: ignore[method-assign]  # an app with nothing to say
    await chat(room.app, PHRASES, io.StringIO("hm\n"), out, refresh=lambda: None)
    assert out.getvalue() == ""


async def silent(*_: object) -> None:
    return None


async def test_content_is_refreshed_before_each_line(room: Room) -> None:
    seen: list[int] = []
    await chat(
        room.app, PHRASES, io.StringIO("/help\n/help\n"), io.StringIO(), refresh=lambda: seen.append(1)
    )
    assert seen == [1, 1]


async def test_a_terminal_gets_a_prompt_and_bold_type_a_pipe_gets_neither(room: Room) -> None:
    shown = await talk(room, "/myth addictive\n", terminal=True)
    assert shown.startswith("> ")
    assert "\x1b[1m" in shown
    assert "\x1b" not in await talk(room, "/myth addictive\n")


async def test_no_line_is_wider_than_a_terminal(room: Room) -> None:
    shown = await talk(room, "/myth addictive\n2\n/help\n/about\nI want to kill myself\n")
    assert all(len(line) <= 80 for line in shown.splitlines() if "https://" not in line and "[1]" not in line)


def test_a_line_becomes_a_private_request() -> None:
    request = read("/myth drip\n", ())
    assert (request.text, request.private, request.addressed, request.surface) == (
        "/myth drip\n",
        True,
        True,
        Surface.MESSAGE,
    )


def test_a_number_becomes_the_buttons_action() -> None:
    buttons = (Button("One", "show:a"), Button("Two", "show:b"))
    assert read(" 2 \n", buttons).action == "show:b"
    assert read("3", buttons).action is None


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (Reply(title="T"), "T\n"),
        (Reply(blocks=(Block("text", label="L:"),)), "L: text\n"),
        (Reply(blocks=(Block("quoted", style=Style.QUOTE),)), "  quoted\n"),
        (
            Reply(
                blocks=(
                    Block("H", style=Style.HEADING),
                    Block("a", style=Style.ITEM),
                    Block("b", style=Style.ITEM),
                )
            ),
            "H\na\nb\n",
        ),
        (Reply(blocks=(Block("linked", url="https://a.example"),)), "linked\n  https://a.example\n"),
        (
            Reply(links=(Link("A", "https://a.example"),), links_label="Sources:"),
            "Sources:\n  A: https://a.example\n",
        ),
        (Reply(closing="end"), "end\n"),
        (Reply(buttons=((Button("One", "a"),), (Button("Two", "b"),))), "[1] One · [2] Two\n"),
        (Reply(title="T", closing="end"), "T\n\nend\n"),
    ],
)
def test_every_part_of_a_reply_is_shown(reply: Reply, shown: str) -> None:
    assert render(reply) == shown


def test_labels_are_bold_in_colour() -> None:
    assert render(Reply(blocks=(Block("text", label="L:"),)), colour=True) == "\x1b[1mL:\x1b[0m text\n"


async def test_whoever_sits_at_the_terminal_is_admin() -> None:
    assert await ConsoleFacts().is_admin(PERSON)
    assert await ConsoleFacts().may_post(PERSON)
