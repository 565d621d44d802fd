"""A Telegram on a port of this machine that outlives the process under test, and fails as told."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.wire import ME

TOKEN = "123456:" + "a" * 35
POLL_SECONDS = 30.0
_FORBIDDEN = "Forbidden: bot was kicked from the supergroup chat"


@dataclass(frozen=True)
class Arrival:
    """A message that a chat got.

    Attributes:
        at: when its request came; the process that sent it was alive then.
        told: the answer was that it arrived.
        life: the process that sent it, where that is known.
    """

    chat: str
    text: str
    at: float
    told: bool
    life: int = 0


@dataclass
class Telegram:
    """What arrived, and what happens to the next messages of a chat.

    A fault is `429`, `500` (before it arrives), `502 after`, `cut before`, `cut after`, `moved` or `kicked`.
    """

    arrivals: list[Arrival] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    address: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One method of the Bot API, as far as posting needs it."""
        method = request.match_info["method"].lower()
        # The stock transport sends a form.
        is_json = request.content_type == "application/json"
        fields = await request.json() if is_json else dict(await request.post())
        if method == "sendmessage":
            return await self._send(request, fields)
        if method == "getupdates":
            await asyncio.sleep(min(float(fields.get("timeout", 0)), POLL_SECONDS))
            return _ok([])
        if method == "getme":
            return _ok(ME.to_dict())
        described = {"description": "", "short_description": ""}
        return _ok([] if method == "getmycommands" else described if method.startswith("getmy") else True)

    async def _send(self, request: web.Request, fields: dict[str, Any]) -> web.StreamResponse:
        chat, at = str(fields["chat_id"]), time.monotonic()
        life = int(request.match_info["life"])
        # Long enough that several sends are in flight at once, as over a real network.
        await asyncio.sleep(0.02)
        fault = self.faults[chat][0] if self.faults[chat] else ""
        if fault not in ("moved", "kicked"):
            self.faults[chat][:1] = []
        if fault == "429":
            return _error(429, "Too Many Requests: retry after 1", retry_after=1)
        if fault == "500":
            return _error(500, "Internal Server Error")
        if fault == "moved":
            return _error(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=int(moved(chat)))
        if fault == "kicked":
            return _error(403, _FORBIDDEN)
        if fault == "cut before":
            return _cut(request)
        self.arrivals.append(Arrival(chat, fields["text"], at, "after" not in fault, life))
        if fault == "502 after":
            return _error(502, "Bad Gateway")
        if fault == "cut after":
            return _cut(request)
        await asyncio.sleep(0.02)
        return _ok({"message_id": len(self.arrivals), "date": int(time.time()), "chat": {"id": int(chat)}})


def moved(chat: str) -> str:
    """The key of a supergroup that a group became."""
    return f"-100{abs(int(chat))}"


@asynccontextmanager
async def open_telegram() -> AsyncIterator[Telegram]:
    """It listens as long as the block; `address` and the number of a process are its Bot API server."""
    telegram = Telegram()
    app = web.Application()
    app.router.add_post(f"/{{life}}/bot{TOKEN}/{{method}}", telegram.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    telegram.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield telegram
    finally:
        await runner.cleanup()


def _ok(result: object) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _error(status: int, description: str, **parameters: int) -> web.Response:
    body = {"ok": False, "error_code": status, "description": description, "parameters": parameters}
    return web.json_response(body, status=status)


def _cut(request: web.Request) -> web.Response:
    # Without one, the process at the other end has died meanwhile.
    if request.transport:
        request.transport.abort()
    return web.Response(status=500)
