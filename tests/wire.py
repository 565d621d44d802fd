"""A Telegram of a few lines: the library's own request class, answering from memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from telegram import User
from telegram.request import BaseRequest, RequestData

from bots.telegram import Telegram
from bots.telegram_send import LIMITS
from core.delivery import Limits
from tests.room import PHRASES, Room

ME = User(id=99, is_bot=True, first_name="Bot", username="fact_bot")
ADA = {"id": 7, "is_bot": False, "first_name": "Ada", "language_code": "en"}
PRIVATE = {"id": 7, "type": "private"}
GROUP = {"id": -100, "type": "supergroup", "title": "G"}
NOW = 1_800_000_000
TOKEN = "123456:" + "a" * 35

Failure = tuple[int, dict[str, Any]] | Exception


@dataclass
class Call:
    """One request of the bot."""

    method: str
    fields: dict[str, Any]


@dataclass
class Wire:
    """Updates to hand out, failures to give, and the calls that came.

    A method answers with the next of its `queues`, then always with its `answers`, else as most bots see it.
    """

    updates: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    failures: dict[str, list[Failure]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    queues: dict[str, list[Any]] = field(default_factory=dict)
    numbers: int = 0

    def push(self, **update: Any) -> None:
        """Hand out an update with the next number."""
        self.numbers += 1
        self.updates.put_nowait({"update_id": self.numbers, **update})

    def wait_in_vain(self) -> None:
        """End the bot's wait for updates without any."""
        self.updates.put_nowait({})

    def of(self, *methods: str) -> list[dict[str, Any]]:
        """What was asked of the methods."""
        return [call.fields for call in self.calls if call.method in methods]

    async def until(self, holds: Callable[[], object], seconds: float = 2) -> None:
        """Wait till something holds."""
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - it is not the test that makes it hold
                await asyncio.sleep(0.002)

    async def answer(self, method: str, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if method != "getupdates":
            self.calls.append(Call(method, fields))
        if self.failures.get(method):
            failure = self.failures[method].pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        return 200, {"ok": True, "result": await self._result(method, fields)}

    async def _result(self, method: str, fields: dict[str, Any]) -> object:
        if self.queues.get(method):
            return self.queues[method].pop(0)
        if method in self.answers:
            return self.answers[method]
        if method == "getme":
            return ME.to_dict()
        if method == "getupdates":
            update = await self.updates.get() if fields["timeout"] else {}
            return [update] if update else []
        if method == "getchat":
            return {"id": fields["chat_id"], "type": "supergroup"}
        if method.startswith("getmy"):
            return [] if method == "getmycommands" else {"description": "", "short_description": ""}
        return True


class WireRequest(BaseRequest):
    """The library's transport, over a `Wire`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @property
    def read_timeout(self) -> float | None:
        return 5.0

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: object, **__: object
    ) -> tuple[int, bytes]:
        fields = dict(request_data.parameters) if request_data else {}
        if request_data and request_data.multipart_data:
            fields |= {name: part[:2] for name, part in request_data.multipart_data.items()}
        status, answer = await self._wire.answer(url.rpartition("/")[2].lower(), fields)
        return status, json.dumps(answer).encode()


def refusal(status: int, description: str, **parameters: Any) -> Failure:
    """An error as Telegram words it."""
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    return status, {**body, "parameters": parameters} if parameters else body


def message(text: str | None = "/myth", chat: dict[str, Any] = PRIVATE, **more: Any) -> dict[str, Any]:
    """A message as Telegram sends it; numbers are new unless given."""
    message.number = getattr(message, "number", 0) + 1  # type: ignore[attr-defined]
    body = {"message_id": message.number, "date": NOW, "chat": chat, "from": ADA, "text": text, **more}  # type: ignore[attr-defined]
    return {key: value for key, value in body.items() if value is not None}


def press(data: str | None, under: dict[str, Any] | None) -> dict[str, Any]:
    """A button pressed under a message."""
    body = {"id": "1", "from": ADA, "chat_instance": "1", "data": data, "message": under}
    return {key: value for key, value in body.items() if value is not None}


@asynccontextmanager
async def serving(wire: Wire, room: Room, limits: Limits = LIMITS) -> AsyncIterator[Telegram]:
    """The adapter at work on the room's app."""
    stop = asyncio.Event()

    def request() -> BaseRequest:
        return WireRequest(wire)

    bot = Telegram(
        TOKEN,
        "http://t",
        request,
        room.app,
        PHRASES,
        room.daily("telegram"),
        clock=lambda: datetime.fromtimestamp(NOW, UTC),
        limits=limits,
    )
    running = asyncio.create_task(bot.run(stop))
    try:
        yield bot
    finally:
        stop.set()
        await running
