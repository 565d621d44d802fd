"""What people type is in no database and in no log, whatever the way, whatever breaks.

The one exception is a question that its writer sends to the editors; see `test_feedback`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bots.discord import Discord
from bots.logs import Discreet
from bots.telegram import Telegram
from core.buttons import ACTIONS
from core.chat import Request, Surface
from core.commands import COMMANDS
from core.sqlstore import SqlStore
from tests import discord_wire as w
from tests.room import GROUP, PERSON, PHRASES, Room
from tests.wire import ADA, NOW, PRIVATE, Wire, WireRequest, message, press, refusal
from tests.wire import GROUP as CHAT

CANARY = "zqkanarienvogelqz"
SAID = (
    f"is {CANARY} addictive?",
    f"{CANARY} I want to kill myself",
    f"how many mg of {CANARY} should I take",
    f"where can I buy {CANARY}",
    f"{CANARY} 9:00 Berlin",
    f"\ud800{CANARY}",
    CANARY * 20,
)
TOKEN = "123456:" + "a" * 35
PLACES = (
    PERSON,
    GROUP,
    replace(GROUP, platform="discord", can_whisper=True, may_share=True),
    replace(PERSON, platform="discord", can_whisper=True),
)


class Log(logging.Handler):
    """All that any library says, down to DEBUG, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(Discreet([TOKEN]))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> Iterator[Log]:
    root, kept = logging.getLogger(), Log()
    before = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    try:
        yield kept
    finally:
        root.removeHandler(kept)
        root.setLevel(before)


@pytest.fixture
async def filed(tmp_path: Path) -> AsyncIterator[Room]:
    """A room whose database is a file; nothing typed is in it at the end."""
    room = Room()
    await room.store.close()
    room.store = SqlStore(f"sqlite:///{tmp_path / 'bot.db'}")
    room.app._deps = replace(room.app._deps, store=room.store)
    yield room
    await room.store.close()
    assert list(tmp_path.iterdir())
    for path in tmp_path.iterdir():
        assert CANARY.encode() not in path.read_bytes().lower(), path.name


class Broken:
    """A store of which every part fails, in words that quote what was typed."""

    def __getattr__(self, name: str) -> Any:
        async def fail(*_: object, **__: object) -> None:
            raise RuntimeError(f"{name} {CANARY}")

        return fail


class BrokenFacts:
    """A platform that answers no question, in such words."""

    async def is_admin(self, request: Request) -> bool:
        raise RuntimeError(CANARY)

    async def may_post(self, request: Request) -> bool:
        raise RuntimeError(CANARY)


def requests() -> Iterator[Request]:
    """Everything that can carry words: each command, surface and button, in each place."""
    typed = [f"/{command.name} {words}" for command in COMMANDS for words in SAID]
    typed += [*SAID, f"/{CANARY}", f"/start e-{CANARY}", f"/start g-{CANARY}"]
    for place in PLACES:
        for text in typed:
            for surface in (Surface.MESSAGE, Surface.INLINE, Surface.AUTOCOMPLETE):
                yield replace(place, text=text, surface=surface)
        for said in SAID:
            for surface in (Surface.MESSAGE, Surface.MENU):
                yield replace(place, text="/check", replied_text=said, surface=surface)
        for action in ACTIONS:
            pressed = replace(place, surface=Surface.BUTTON, message_key="1")
            yield replace(pressed, action=f"{action}:{CANARY}")
            if action != "send":
                yield replace(pressed, action=action, quoted=SAID[0])


@pytest.mark.parametrize("breaks", ["nothing", "facts", "store"])
async def test_no_route_keeps_or_logs_what_is_typed(filed: Room, log: Log, breaks: str) -> None:
    if breaks == "store":
        filed.app._deps = replace(filed.app._deps, store=Broken())
    facts = BrokenFacts() if breaks == "facts" else filed.facts
    for request in requests():
        await filed.app.handle(request, facts)
        filed.app.urgent(request, facts)
    assert any("reference=" in line for line in log.lines) is (breaks != "nothing")
    assert not [line for line in log.lines if CANARY in line.lower()]


@asynccontextmanager
async def on_telegram(wire: Wire, room: Room) -> AsyncIterator[None]:
    stop = asyncio.Event()
    bot = Telegram(
        TOKEN,
        "http://t",
        lambda: WireRequest(wire),
        room.app,
        PHRASES,
        room.daily("telegram"),
        clock=lambda: datetime.fromtimestamp(NOW, UTC),
    )
    running = asyncio.create_task(bot.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def test_telegram_logs_nothing_of_it_even_when_it_is_quoted_back(filed: Room, log: Log) -> None:
    quoted = refusal(400, f'Bad Request: can\'t parse "{CANARY}"')
    wire = Wire(
        failures={
            method: [quoted, RuntimeError(CANARY)]
            for method in ("sendmessage", "answerinlinequery", "editmessagetext")
        }
    )
    async with on_telegram(wire, filed):
        for number, said in enumerate(SAID):
            who = {**ADA, "id": 100 + number, "first_name": CANARY}
            sender = {"from": who}
            wire.push(message=message(f"/ask {said}"[:4096], {**CHAT, "id": -200 - number}, **sender))
            wire.push(message=message("/check", CHAT, reply_to_message=message(said, CHAT), **sender))
            wire.push(edited_message=message(said, PRIVATE, **sender))
            wire.push(inline_query={"id": str(number), "from": who, "query": said[:256], "offset": ""})
            wire.push(callback_query={**press(f"show:{CANARY}", message(said, CHAT)), "from": who})
            wire.push(message={"message_id": 1, "date": CANARY})
        wire.push(message=message("/privacy"))
        await wire.until(lambda: any(c["text"].startswith("Privacy") for c in wire.of("sendmessage")), 20)
        await wire.until(lambda: len(wire.of("answerinlinequery")) >= len(SAID), 20)
    assert log.lines
    assert not [line for line in log.lines if CANARY in line.lower()]


async def test_discord_logs_nothing_of_it_even_when_it_is_quoted_back(
    filed: Room, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with w.open_wire() as wire:
        monkeypatch.setattr(Route, "BASE", wire.api)
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(wire.gateway_url))
        stop = asyncio.Event()
        running = asyncio.create_task(Discord(w.TOKEN, filed.app, PHRASES, filed.daily("discord")).run(stop))
        await wire.until(lambda: wire.identified and wire.commands)
        refused = {"status": 400, "body": {"code": 50035, "message": CANARY, "errors": {CANARY: CANARY}}}
        wire.faults = [w.Fault("/callback", **refused), w.Fault("/messages", **refused)]
        for said in SAID[:5]:
            await wire.interact(w.slash("ask", said))
            await wire.interact(w.slash("ask", said, type=4))
            await wire.interact(w.check(w.message(said, mention=False)))
            await wire.interact(w.click(f"share:{CANARY}"))
            await wire.say(w.message(said))
            await wire.say(w.message("is this so?", referenced_message={"content": said}))
            await wire.bring("MESSAGE_CREATE", {"id": CANARY, "content": CANARY})
        other = {"user": w.user("9"), "permissions": "0"}
        await wire.interact(w.slash("privacy", member=other))
        try:
            await wire.until(lambda: any("Privacy" in str(shown) for shown in wire.shown), 20)
        finally:
            stop.set()
            await running
    assert log.lines
    assert not [line for line in log.lines if CANARY in line.lower()]
