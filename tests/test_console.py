import asyncio
import io
import sys
from collections.abc import Callable

import pytest

from bots.console import ConsoleFacts, chat, fill, lines, read, render
from core.chat import Request, Surface
from core.reply import Block, Button, Link, Picture, Reply, Style
from tests.room import PERSON, PHRASES, Room


class Terminal(io.StringIO):
    """Text that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


async def talk(
    room: Room, typed: str, *, terminal: bool = False, refresh: Callable[[], None] = lambda: None
) -> str:
    """What a terminal, or a pipe, shows after these lines."""
    loop, kind = asyncio.get_running_loop(), Terminal if terminal else io.StringIO
    out = kind()

    def answer(request: Request) -> Reply | None:
        return asyncio.run_coroutine_threadsafe(room.app.handle(request, ConsoleFacts()), loop).result()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", kind(typed))
        patch.setattr(sys, "stdout", out)
        await asyncio.to_thread(chat, answer, PHRASES, lines(), out, refresh)
    return out.getvalue()


async def test_a_typed_command_is_answered_with_its_sources(room: Room) -> None:
    shown = await talk(room, "/myth addictive\n")
    assert "▲ Myth: misleading" in shown
    assert "“Medical ketamine is very addictive.”" in shown
    assert "Swainson 2022: https://doi.org/10.1007/s40263-022-00897-2" in shown
    assert "[1] Another myth · [2] More · [3] Related" in shown


async def test_a_number_presses_the_button(room: Room) -> None:
    assert "Evidence:" in await talk(room, "/myth addictive\n2\n")


async def test_a_thumb_is_thanked_for_in_a_line(room: Room) -> None:
    shown = await talk(room, "/myth addictive\n4\n")
    assert shown.endswith("\nThank you. Counted as helpful.\n\n")


async def test_a_question_goes_to_the_editors_once_it_was_seen_and_sent(room: Room) -> None:
    shown = await talk(room, "quantum chromodynamics?\n2\n2\n")
    assert shown.endswith("Nothing was stored.\n\n[1] Browse topics\n\n")
    assert await room.store.questions() == []
    shown = await talk(room, "quantum chromodynamics?\n2\n1\n")
    assert "  quantum chromodynamics?\n" in shown
    (kept,) = await room.store.questions()
    assert (kept.text, kept.day) == ("quantum chromodynamics?", room.now.date())


async def test_a_number_without_a_button_says_so(room: Room) -> None:
    for number in ("9", "0", "42"):
        assert f"There is no button {int(number)}." in await talk(room, f"/myth addictive\n{number}\n")


@pytest.mark.parametrize("number", ["988", "911", "112", "999", "9" * 5000])
async def test_a_long_number_is_something_said(room: Room, number: str) -> None:
    assert "I have no entry on that" in await talk(room, f"{number}\n")


async def test_buttons_stay_after_a_reply_without_any(room: Room) -> None:
    assert "Evidence:" in await talk(room, "/myth addictive\n/mtyh\n2\n")


async def test_empty_lines_are_passed_over(room: Room) -> None:
    assert await talk(room, "\n   \n") == ""


async def test_a_request_without_an_answer_prints_nothing(room: Room) -> None:
    room.app.handle = silent  # type: ignore[method-assign]  # an app with nothing to say
    assert await talk(room, "hm\n") == ""


async def silent(*_: object) -> None:
    return None


async def test_content_is_refreshed_before_each_line(room: Room) -> None:
    seen: list[int] = []
    await talk(room, "/help\n/help\n", refresh=lambda: seen.append(1))
    assert seen == [1, 1]


async def test_a_terminal_gets_a_prompt_and_bold_type_a_pipe_gets_neither(room: Room) -> None:
    shown = await talk(room, "/myth addictive\n", terminal=True)
    assert shown.startswith("> ")
    assert "\x1b[1m" in shown
    assert "\x1b" not in await talk(room, "/myth addictive\n")


async def test_colour_can_be_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in await talk(room, "/myth addictive\n", terminal=True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in await talk(room, "/myth addictive\n", terminal=True)


async def test_the_end_of_typing_leaves_the_prompts_line(room: Room) -> None:
    assert await talk(room, "", terminal=True) == "> \n"
    assert await talk(room, "") == ""


def test_ctrl_c_leaves_the_prompts_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(lines())
    assert capsys.readouterr().out == "\n"


@pytest.mark.parametrize(("told", "wide"), [(20, 30), (40, 40), (200, 76)])
async def test_no_line_is_wider_than_the_terminal(
    room: Room, monkeypatch: pytest.MonkeyPatch, told: int, wide: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(told))
    typed = "/myth addictive\n2\n/help\n/about\n/topics\n1\nI want to kill myself\n"
    shown = [line for line in (await talk(room, typed)).splitlines() if "https://" not in line]
    assert wide - 10 < max(map(len, shown)) <= wide


def test_words_with_hyphens_and_buttons_stay_whole() -> None:
    rows = ((Button("Another myth", "a"), Button("More", "b"), Button("Not so well-founded ones", "c")),)
    shown = render(Reply(title="It goes by self-controlled steps", buttons=rows), width=30)
    assert shown == (
        "It goes by self-controlled\nsteps\n\n[1] Another myth · [2] More\n[3] Not so well-founded ones\n"
    )


def test_text_of_several_lines_is_filled_line_by_line() -> None:
    assert fill("one two\nthree", 4) == "one\ntwo\nthre\ne"


def test_a_line_becomes_a_private_request() -> None:
    request = read("/myth drip\n", Reply())
    assert request
    assert (request.text, request.private, request.addressed, request.surface) == (
        "/myth drip\n",
        True,
        True,
        Surface.MESSAGE,
    )


def test_a_number_becomes_the_buttons_action() -> None:
    under = Reply(buttons=((Button("One", "show:a"), Button("Two", "show:b")),))
    request = read(" 2 \n", under)
    assert request
    assert request.action == "show:b"
    assert read("3", under) is None


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
    assert await ConsoleFacts().hears(PERSON)


def test_the_words_of_a_picture_stand_for_it() -> None:
    assert render(Reply(title="Drips", picture=Picture("d.png", b"", "A drip"))) == "Drips\n\nA drip\n"
