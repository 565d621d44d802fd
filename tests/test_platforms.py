"""One table of cases, driven through both real libraries: the words are the same on both platforms."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from tests import discord_wire, wire
from tests.room import CONTENT, Room
from tests.stage import UNLIMITED

PRIVATE, GROUP, THREAD = "private", "group", "thread"


@dataclass(frozen=True)
class Shown:
    """What a person sees: the words without markup, the addresses behind them, the buttons' labels."""

    text: str
    links: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """Steps in one place: a command, words said to the bot, or `[label]`, a button of the last answer.

    The last answer must hold `says`. With `apart`, the other words differ on purpose.
    """

    place: str
    steps: tuple[str, ...]
    says: str
    apart: bool = False


ADDICTIVE = next(entry for entry in CONTENT.entries if entry.id == "m-very-addictive")
CASES = [
    Case(PRIVATE, ("/start",), CONTENT.bot.name),
    Case(PRIVATE, ("/help",), "/myth"),
    # Listening is Telegram's alone.
    Case(GROUP, ("/help",), "/myth", apart=True),
    Case(GROUP, ("/about",), CONTENT.bot.editorial_policy),
    Case(GROUP, ("/privacy",), "stored"),
    Case(PRIVATE, ("/forget",), "Nothing"),
    Case(GROUP, ("/forget",), "admin"),
    Case(PRIVATE, ("/myth", "/forget"), "1"),
    *(
        Case(place, (f"/{name} {words}".strip(),), says)
        for place in (PRIVATE, GROUP, THREAD)
        for name, words, says in (
            ("myth", "addictive", ADDICTIVE.body),
            ("myth", "", "Myth:"),
            ("fact", "", "Fact:"),
            ("myth", "nmda", "fact"),
            ("fact", "fibromialgia", "ibromyalgia"),
            ("ask", "will I get hooked on the drip?", ADDICTIVE.answer),
            ("ask", "is methadone addictive?", "no entry"),
            ("ask", "", "/ask"),
            ("check", "will I get hooked on the drip?", ADDICTIVE.answer),
            ("ask", "bladder", ""),
            ("ask", "@everyone <b>*bold*</b> [x](http://x)", ""),
            ("topics", "", "topic"),
            ("myth", "how much ketamine should i take", "dose"),
            ("fact", "where can i buy ketamine without a prescription", "buy"),
        )
    ),
    *(
        Case(place, (words,), says)
        for place in (PRIVATE, GROUP, THREAD)
        for words, says in (
            ("will I get hooked on the drip?", ADDICTIVE.answer),
            ("is methadone addictive?", "no entry"),
        )
    ),
    # In Telegram's groups the card is short, with a link into the private chat; a command's answer on
    # Discord is shown to one person and needs neither.
    *(
        Case(place, (f"{command}i want to kill myself",), "988", apart=place != PRIVATE)
        for place in (PRIVATE, GROUP, THREAD)
        for command in ("", "/ask ", "/myth ")
    ),
    Case(PRIVATE, ("/myth addictive", "[More]"), ADDICTIVE.ask_your_clinician),
    Case(GROUP, ("/myth addictive", "[Another myth]"), "Myth:"),
    Case(GROUP, ("/myth addictive", "[Another myth]", "[Another myth]"), "Myth:"),
    Case(PRIVATE, ("/myth addictive", "[Related]"), ADDICTIVE.title),
    Case(PRIVATE, ("/topics", f"[{CONTENT.categories[0].title}]"), CONTENT.categories[0].title),
    Case(PRIVATE, ("i want to kill myself", "i want to kill myself"), "988"),
    Case(PRIVATE, ("/daily 9am Berlin",), "Berlin"),
    Case(PRIVATE, ("/daily 9:00 CST",), "Which one"),
    Case(PRIVATE, ("/daily 9:00 Paris", "/daily off"), "off"),
    Case(PRIVATE, ("/daily 9:00 Paris", "/stop"), ""),
    Case(PRIVATE, ("/daily 9:00 Paris", "/status"), "Paris"),
    Case(GROUP, ("/daily 9:00 Paris",), "admin"),
]


class Screen(Protocol):
    """One platform, as a person uses it."""

    async def do(self, step: str, place: str) -> Shown:
        """What the step brings to the screen."""


class TelegramScreen:
    """Telegram's side of the table."""

    def __init__(self, wire: wire.Wire) -> None:
        self._wire = wire
        self._buttons: dict[str, str] = {}

    async def do(self, step: str, place: str) -> Shown:
        chat: dict[str, Any] = wire.PRIVATE if place == PRIVATE else wire.GROUP
        there = {"message_thread_id": 5, "is_topic_message": True} if place == THREAD else {}
        before = len(self._sent())
        if step.startswith("["):
            under = wire.message("card", chat, message_id=60, **there)
            self._wire.push(callback_query=wire.press(self._buttons[step[1:-1]], under))
        else:
            addressed = place == PRIVATE or step.startswith("/")
            said = step if addressed else f"@{wire.ME.username} {step}"
            self._wire.push(message=wire.message(said, chat, **there))
        await self._wire.until(lambda: len(self._sent()) > before)
        return self._shown(self._sent()[-1])

    def _sent(self) -> list[dict[str, Any]]:
        return self._wire.of("sendmessage", "editmessagetext")

    def _shown(self, sent: dict[str, Any]) -> Shown:
        rows = (sent.get("reply_markup") or {}).get("inline_keyboard", [])
        self._buttons = {b["text"]: b["callback_data"] for row in rows for b in row if "callback_data" in b}
        links = (entity["url"] for entity in sent.get("entities") or [] if entity["type"] == "text_link")
        return Shown(normal(sent["text"]), tuple(links), tuple(self._buttons))


class DiscordScreen:
    """Discord's side of the table."""

    def __init__(self, wire: discord_wire.Wire) -> None:
        self._wire = wire
        self._buttons: dict[str, str] = {}

    async def do(self, step: str, place: str) -> Shown:
        before = len(self._wire.shown)
        where = {PRIVATE: discord_wire.in_bot_dm(), GROUP: {}, THREAD: _in_thread()}[place]
        if step.startswith("["):
            await self._wire.interact(discord_wire.click(self._buttons[step[1:-1]], **where))
        elif step.startswith("/"):
            name, _, words = step[1:].partition(" ")
            await self._wire.interact(discord_wire.slash(name, words or None, **where))
        else:
            channel = {PRIVATE: discord_wire.DM, GROUP: discord_wire.CHANNEL, THREAD: discord_wire.THREAD}
            said = discord_wire.message(step, place=channel[place], mention=place != PRIVATE)
            await self._wire.say(said)
        await self._wire.until(lambda: len(self._wire.shown) > before)
        return self._shown(self._wire.shown[-1])

    def _shown(self, shown: dict[str, Any]) -> Shown:
        rows = shown.get("components") or []
        self._buttons = {b["label"]: b["custom_id"] for row in rows for b in row["components"]}
        parts = [
            part
            for embed in shown["embeds"]
            for part in (
                embed.get("title", ""),
                embed.get("description", ""),
                embed.get("footer", {}).get("text", ""),
            )
        ]
        return Shown(*unmarked("\n".join(parts)), tuple(self._buttons))


def _in_thread() -> dict[str, Any]:
    return {
        "channel_id": discord_wire.THREAD,
        "channel": {"id": discord_wire.THREAD, "type": 11, "parent_id": discord_wire.CHANNEL},
    }


def unmarked(text: str) -> tuple[str, tuple[str, ...]]:
    """Discord's markdown as plain words, and the addresses behind them."""
    links = tuple(re.findall(r"(?<!\\)\]\((\S+?)\)", text))
    text = re.sub(r"(?<!\\)\[((?:\\.|[^\]\\])+)\]\(\S+?\)", r"\1", text)
    text = re.sub(r"(?<!\\)\*\*|^> ", "", text, flags=re.MULTILINE)
    plain = re.sub(r"\\([^\w\s])", r"\1", text)
    return normal(plain), tuple(link.replace("%28", "(").replace("%29", ")") for link in links)


def normal(text: str) -> str:
    """Words parted by single spaces: line ends are each platform's own."""
    return " ".join(text.split())


@asynccontextmanager
async def on_telegram() -> AsyncIterator[Screen]:
    opened, room = wire.Wire(), Room()
    opened.answers["getchatmember"] = {"status": "member", "user": wire.ADA}
    async with wire.serving(opened, room, UNLIMITED):
        await opened.until(lambda: room.beats)
        yield TelegramScreen(opened)
    await room.store.close()


@pytest.fixture
def on_discord(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    @asynccontextmanager
    async def screen() -> AsyncIterator[Screen]:
        room = Room()
        async with discord_wire.open_to_library(monkeypatch) as opened, discord_wire.serving(opened, room):
            await opened.until(lambda: room.beats)
            yield DiscordScreen(opened)
        await room.store.close()

    return screen


async def played(screen: Callable[[], Any], case: Case) -> list[Shown]:
    async with screen() as opened:
        return [await opened.do(step, case.place) for step in case.steps]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.place}: {' '.join(case.steps)}"[:60])
async def test_both_platforms_say_the_same(case: Case, on_discord: Callable[[], Awaitable[Any]]) -> None:
    telegram = await played(on_telegram, case)
    discord = await played(on_discord, case)
    for shown in (telegram[-1], discord[-1]):
        assert case.says.casefold() in shown.text.casefold()
    assert telegram == discord or case.apart
