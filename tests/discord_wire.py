"""The few parts of Discord that the bot talks to, on this machine: HTTP and gateway, with faults."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import yarl
from aiohttp import WSMsgType, web
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bots.discord import build
from bots.settings import Settings
from tests.room import PHRASES, Room

BOT, ALICE, SERVER, CHANNEL, THREAD, DM, OWNER = "900", "7", "500", "501", "502", "503", "8"
TOKEN = "wire.token.of-no-real-bot"  # noqa: S105 - made up
EPHEMERAL = 64
NONCE_SECONDS = 120.0
"""For how long a nonce counts; Discord's documentation says "a few minutes"."""

_EPOCH_MS = 1_420_070_400_000
_NUMBERS = itertools.count(1)


def snowflake(seconds_ago: float = 0) -> str:
    """An id as Discord would give out at that time."""
    return str((int((time.time() - seconds_ago) * 1000 - _EPOCH_MS) << 22) + next(_NUMBERS) % 4096)


def user(person: str = ALICE) -> dict[str, Any]:
    return {"id": person, "username": f"user{person}", "discriminator": "0", "avatar": None}


def interaction(data: dict[str, Any], kind: int = 2, **fields: Any) -> dict[str, Any]:
    """An interaction in the server's channel; `fields` replace or add to it."""
    key = snowflake()
    payload = {
        "id": key,
        "application_id": BOT,
        "type": kind,
        "token": f"token{key}",
        "version": 1,
        "channel_id": CHANNEL,
        "channel": {"id": CHANNEL, "type": 0},
        "guild_id": SERVER,
        "member": {"user": user(), "roles": [], "permissions": "0"},
        "context": 0,
        "authorizing_integration_owners": {"0": SERVER},
        "app_permissions": str(1 << 10 | 1 << 11 | 1 << 14),
        "locale": "en-US",
        "data": data,
    }
    return {**payload, **fields}


def in_bot_dm() -> dict[str, Any]:
    place = {"channel_id": DM, "channel": {"id": DM, "type": 1}, "context": 1, "user": user()}
    return {**place, "member": None, "guild_id": None, "authorizing_integration_owners": {"0": "0"}}


def slash(name: str, words: str | None = None, *, private: bool = False, **fields: Any) -> dict[str, Any]:
    options = [{"name": "words", "type": 3, "value": words}] if words is not None else []
    options += [{"name": "private", "type": 5, "value": True}] if private else []
    return interaction({"id": "1", "name": name, "type": 1, "options": options}, **fields)


def check(said: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The menu of a message, used on `said`."""
    about = {"resolved": {"messages": {said["id"]: said}}, "target_id": said["id"]}
    return interaction({"id": "2", "name": "Check this claim", "type": 3, **about}, **fields)


def filled(name: str, *, typing: str = "", **parts: str) -> dict[str, Any]:
    """A command with several options; `typing` names the one that is being typed."""
    options: list[dict[str, Any]] = [{"name": part, "type": 3, "value": text} for part, text in parts.items()]
    for option in options:
        option.update({"focused": True} if option["name"] == typing else {})
    kind, rights = (4 if typing else 2), {"user": user(), "roles": [], "permissions": "32"}
    return interaction({"id": "1", "name": name, "type": 1, "options": options}, kind, member=rights)


def click(action: str, *, flags: int = 0, **fields: Any) -> dict[str, Any]:
    message = {"id": "600", "channel_id": fields.get("channel_id", CHANNEL), "flags": flags}
    return interaction({"custom_id": action, "component_type": 2}, 3, message=message, **fields)


def message(content: str, *, place: str = CHANNEL, mention: bool = True, **fields: Any) -> dict[str, Any]:
    said = {
        "id": snowflake(),
        "channel_id": place,
        "author": user(),
        "content": f"<@{BOT}> {content}" if mention else content,
        "mentions": [user(BOT)] if mention else [],
        "type": 0,
        "member": {"roles": []},
    }
    return {**said, **({} if place == DM else {"guild_id": SERVER}), **fields}


@dataclass(frozen=True)
class Sent:
    """One request that arrived, and whether it was acted on."""

    method: str
    path: str
    body: Any
    at: float


@dataclass
class Fault:
    """What becomes of the next matching requests: acted on first if `after`, then `status` or a cut line."""

    path: str
    status: int = 0
    after: bool = False
    times: int = 1
    seconds: float = 0
    body: dict[str, Any] = field(default_factory=dict)


class Wire:
    """Speaks REST and gateway to one bot; everything shown on the screen is in `shown`."""

    api = gateway_url = ""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.shown: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.commands: list[dict[str, Any]] = []
        self.identified, self.resumed, self.sequence = 0, 0, 0
        self.history: list[dict[str, Any]] = []
        self.refused_gateway = 0
        self.closed_with = self.intents = 0
        self._acked: dict[str, int] = {}
        self._nonces: dict[str, tuple[float, dict[str, Any]]] = {}
        self._sockets: list[web.WebSocketResponse] = []

    async def bring(self, event: str, payload: dict[str, Any]) -> None:
        """Dispatch an event to the bot, or keep it until the bot has resumed."""
        self.sequence += 1
        packet = {"op": 0, "t": event, "s": self.sequence, "d": payload}
        self.history.append(packet)
        if self._sockets:
            await self._sockets[-1].send_json(packet)

    async def interact(self, payload: dict[str, Any]) -> None:
        await self.bring("INTERACTION_CREATE", payload)

    async def say(self, payload: dict[str, Any]) -> None:
        await self.bring("MESSAGE_CREATE", payload)

    async def control(self, op: int, data: Any = None) -> None:
        await self._sockets[-1].send_json({"op": op, "d": data})

    async def babble(self) -> None:
        """Send something that is no JSON."""
        await self._sockets[-1].send_str("not JSON")

    async def cut(self) -> None:
        """Break the connection to the gateway without a word."""
        socket = self._sockets.pop()
        transport = socket._req.transport if socket._req else None
        assert transport
        transport.abort()

    async def until(self, is_true: Callable[[], object], seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            while not is_true():  # noqa: ASYNC110 - any of many things may make it true
                await asyncio.sleep(0.005)

    def forget_nonces(self) -> None:
        """As after some minutes."""
        self._nonces.clear()

    def forget(self) -> None:
        """Drop everything that came and went."""
        for kept in (self.sent, self.shown, self.faults, self.history, self._nonces):
            kept.clear()

    def callbacks(self) -> list[dict[str, Any]]:
        return [sent.body for sent in self.sent if sent.path.endswith("/callback")]

    async def gateway(self, request: web.Request) -> web.StreamResponse:
        if self.refused_gateway:
            self.refused_gateway -= 1
            return web.Response(status=502)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41_250}})
        async for packet in socket:
            if packet.type is WSMsgType.TEXT:
                await self._packet(socket, json.loads(packet.data))
        return socket

    async def _packet(self, socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        if packet["op"] == 1:
            await socket.send_json({"op": 11})
        elif packet["op"] == 2 and self.closed_with:
            await socket.close(code=self.closed_with)
        elif packet["op"] == 2:
            self.identified += 1
            self.intents = packet["d"]["intents"]
            self._sockets.append(socket)
            await self.bring("READY", self.ready())
            await self.bring("GUILD_CREATE", server())
        elif packet["op"] == 6:
            self.resumed += 1
            self._sockets.append(socket)
            for missed in [p for p in self.history if p["s"] > packet["d"]["seq"]]:
                await socket.send_json(missed)
            await self.bring("RESUMED", {})

    def ready(self) -> dict[str, Any]:
        return {
            "v": 10,
            "user": user(BOT),
            "guilds": [{"id": SERVER, "unavailable": True}],
            "session_id": "s",
            "resume_gateway_url": self.gateway_url,
            "application": {"id": BOT, "flags": 0},
        }

    async def rest(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/api")
        body = await _body(request)
        fault = next((f for f in self.faults if f.path in path and f.times), None)
        if fault:
            fault.times -= 1
            await asyncio.sleep(fault.seconds)
        if fault is None or fault.after or not (fault.status or fault.body):
            self.sent.append(Sent(request.method, path, body, time.monotonic()))
        if fault and not fault.after and (fault.status or not fault.seconds):
            return self._broken(request, fault)
        status, answer = self._act(request, path, body)
        if fault and fault.after:
            return self._broken(request, fault)
        return web.Response(status=204) if answer is None else _json(answer, status)

    def _broken(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.status:
            return _json(fault.body, fault.status)
        # Without one, the process at the other end has died meanwhile.
        if request.transport:
            request.transport.abort()
        return web.Response(status=500)

    def _act(self, request: web.Request, path: str, body: Any) -> tuple[int, Any]:
        parts = path.strip("/").split("/")
        if parts[0] == "interactions":
            return self._callback(parts[2], body)
        if parts[0] == "webhooks":
            return self._hook(request.method, parts[2], body)
        if parts[0] == "channels":
            return 200, self._history(request, parts[1]) if request.method == "GET" else self._post(
                parts[1], body
            )
        if parts[-1] == "commands":
            if request.method == "PUT":
                self.commands = [{"id": str(n), "version": "1", **c} for n, c in enumerate(body, 1)]
            return 200, self.commands
        if path == "/users/@me":
            return (
                (200, user(BOT)) if request.headers["Authorization"] == f"Bot {TOKEN}" else (401, {"code": 0})
            )
        return 200, {
            "id": BOT,
            "name": "bot",
            "icon": None,
            "description": "",
            "owner": user(OWNER),
            "team": None,
            "bot_public": True,
            "bot_require_code_grant": False,
            "summary": "",
            "verify_key": "",
            "flags": 0,
        }

    def _post(self, channel: str, body: Any) -> dict[str, Any]:
        """Show a message, unless its nonce was seen a short while ago."""
        nonce, now = body.get("nonce"), time.monotonic()
        then, earlier = self._nonces.get(nonce, (now - NONCE_SECONDS, {}))
        if nonce and now - then < NONCE_SECONDS:
            return earlier
        message = {**body, "id": snowflake(), "channel_id": channel, "author": user(BOT)}
        self.shown.append(message)
        if nonce:
            self._nonces[nonce] = (now, message)
        return message

    def _history(self, request: web.Request, channel: str) -> list[dict[str, Any]]:
        """What was said after an id, the newest first."""
        after, limit = int(request.query["after"]), int(request.query["limit"])
        there = [m for m in self.shown if m.get("channel_id") == channel and int(m["id"]) > after]
        return there[::-1][:limit]

    def _callback(self, token: str, body: Any) -> tuple[int, Any]:
        if token in self._acked:
            return 400, {"code": 40060, "message": "already"}
        self._acked[token] = body["type"]
        if body["type"] in (4, 7):
            self.shown.append(body["data"])
        return 204, None

    def _hook(self, method: str, token: str, body: Any) -> tuple[int, Any]:
        if token not in self._acked:
            return 404, {"code": 10015, "message": "unknown"}
        if body:
            self.shown.append({**body, "method": method})
        return 200, {"id": snowflake()}


async def _body(request: web.Request) -> Any:
    """What was sent; where files came with it, they are under `uploaded`."""
    if not request.can_read_body:
        return None
    if request.content_type != "multipart/form-data":
        return await request.json()
    parts: dict[str, Any] = dict(await request.post())
    body = json.loads(parts.pop("payload_json"))
    body.get("data", body)["uploaded"] = {
        name: (part.filename, part.file.read())
        for name, part in parts.items()
        if isinstance(part, web.FileField)
    }
    return body


def everyone(more: int = 1 << 10 | 1 << 11 | 1 << 14) -> dict[str, Any]:
    """The role that all members have; by default it lets them view, send and embed links."""
    return {
        "id": SERVER,
        "name": "@everyone",
        "permissions": str(more),
        "position": 0,
        "color": 0,
        "hoist": False,
        "managed": False,
        "mentionable": False,
    }


def server() -> dict[str, Any]:
    manager = {**everyone(), "id": "510", "name": "mods", "permissions": str(1 << 5), "position": 1}
    channel = {"id": CHANNEL, "type": 0, "name": "general", "position": 0, "permission_overwrites": []}
    thread = {
        "id": THREAD,
        "type": 11,
        "name": "thread",
        "parent_id": CHANNEL,
        "message_count": 0,
        "member_count": 1,
        "owner_id": OWNER,
        "guild_id": SERVER,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 60,
            "archive_timestamp": "2026-01-01T00:00:00+00:00",
        },
    }
    return {
        "id": SERVER,
        "name": "Server",
        "owner_id": OWNER,
        "roles": [everyone(), manager],
        "channels": [channel],
        "threads": [thread],
        "members": [{"user": user(BOT), "roles": [], "flags": 0, "joined_at": "2026-01-01T00:00:00+00:00"}],
        "emojis": [],
        "stickers": [],
        "features": [],
        "member_count": 2,
        "large": False,
    }


def _json(body: Any, status: int) -> web.Response:
    # discord.py reads only this very content type as JSON.
    text = json.dumps(body).encode()
    return web.Response(body=text, status=status, headers={"Via": "wire"}, content_type="application/json")


@asynccontextmanager
async def open_wire() -> AsyncIterator[Wire]:
    """A wire that listens on a port of this machine; `api` and `gateway_url` say where."""
    wire = Wire()
    app = web.Application()
    app.router.add_get("/gateway/", wire.gateway)
    app.router.add_get("/gateway", wire.gateway)
    app.router.add_route("*", "/api/{rest:.*}", wire.rest)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    wire.api, wire.gateway_url = f"http://127.0.0.1:{port}/api", f"ws://127.0.0.1:{port}/gateway"
    try:
        yield wire
    finally:
        await runner.cleanup()


@asynccontextmanager
async def open_to_library(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    """A wire that the library takes for Discord."""
    async with open_wire() as wire:
        monkeypatch.setattr(Route, "BASE", wire.api)
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(wire.gateway_url))
        yield wire


@asynccontextmanager
async def serving(wire: Wire, room: Room, token: str = TOKEN) -> AsyncIterator[asyncio.Event]:
    """The adapter at work on the room's app; the event stops it."""
    stop = asyncio.Event()
    bot = build(Settings(discord_token=token), room.app, PHRASES, room.daily("discord"))
    running = asyncio.create_task(bot.run(stop))
    try:
        await wire.until(lambda: running.done() or (wire.identified and wire.commands))
        if running.done():
            running.result()
        yield stop
    finally:
        stop.set()
        await asyncio.gather(running, return_exceptions=True)
