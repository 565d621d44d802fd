"""The rigs of both platforms as places where tests.kills has daily posts sent."""

import asyncio
import importlib
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from tests import loopback
from tests.kills import Town
from tests.loopback import Arrival

PORT = 8391
DISCORD_TOKEN = "rig.token.for-the-bench-only"  # noqa: S105 - the rig's own
FOOTER = "/stop ends it"
"""Stands in every daily post, and once."""

_TELEGRAM_FAULTS = {
    "429": "flood",
    "500": "500",
    "502 after": "502_after",
    "cut before": "drop_before",
    "cut after": "drop_after",
}
_DISCORD_FAULTS: dict[str, dict[str, Any]] = {
    "429": {"kind": "ratelimit", "retry_after": 0.5},
    "500": {"kind": "status", "status": 500},
    "502 after": {"kind": "status_after", "status": 502},
    "cut before": {"kind": "drop"},
    "cut after": {"kind": "drop_after"},
}


class TelegramRig:
    """A rig in a process of its own."""

    platform, may_repeat = "telegram", True
    faults: Sequence[str] = (*_TELEGRAM_FAULTS, "moved", "kicked")

    def __init__(self, rig: Any) -> None:
        self._rig = rig
        self._moved: dict[str, str] = {}

    def environment(self, life: int) -> dict[str, str]:
        return {"TELEGRAM_TOKEN": loopback.TOKEN, "TELEGRAM_API_URL": f"http://127.0.0.1:{PORT}"}

    def found(self, number: int, fault: str) -> str:
        kind = "group" if fault == "moved" else "supergroup"
        chat = self._rig.add_chat(type=kind, title=str(number))["id"]
        if fault == "moved":
            self._moved[str(chat)] = str(self._rig.migrate(chat=chat)["chat"]["id"])
        elif fault == "kicked":
            self._rig.kick_bot(chat=chat)
        elif fault:
            self._rig.fault(preset=_TELEGRAM_FAULTS[fault], method="sendMessage", chat_id=chat, times=1)
        return str(chat)

    def arrivals(self) -> list[Arrival]:
        shift = time.monotonic() - time.time()
        found = []
        for call in self._rig.calls(methods=["sendMessage"], since=0):
            params, told = call["params"], call["status"] == 200 and not call["fault"]
            if FOOTER in params["text"] and (told or call["fault"] in ("html_after", "drop_after")):
                found.append(Arrival(str(params["chat_id"]), params["text"], call["ts"] + shift, told))
        return found

    def key_of(self, chat: str, fault: str) -> str:
        return self._moved.get(chat, chat)

    def violations(self) -> list[str]:
        return [str(found) for found in self._rig.violations(severity=["reject", "tolerated"])]


class DiscordRig:
    """A rig in this process."""

    platform, may_repeat = "discord", False
    faults: Sequence[str] = (*_DISCORD_FAULTS, "kicked")

    def __init__(self, rig: Any) -> None:
        self._rig = rig

    def environment(self, life: int) -> dict[str, str]:
        gateway = self._rig.gateway_url
        return {
            "DISCORD_TOKEN": DISCORD_TOKEN,
            "MORTAL_DISCORD_API": self._rig.api,
            "MORTAL_DISCORD_GATEWAY": gateway,
        }

    def found(self, number: int, fault: str) -> str:
        channel = self._rig.add_channel(name=f"c{number}")
        if fault == "kicked":
            self._rig.deny_bot(channel, "VIEW_CHANNEL", "SEND_MESSAGES")
        elif fault:
            self._rig.fault(f"/channels/{channel['id']}/messages", **_DISCORD_FAULTS[fault])
        return str(channel["id"])

    def arrivals(self) -> list[Arrival]:
        posts = [m for m in self._rig.bot_messages() if FOOTER in str(m["embeds"])]
        return [Arrival(m["channel_id"], str(m["embeds"]), 0.0, told=True) for m in posts]

    def key_of(self, chat: str, fault: str) -> str:
        return chat

    def violations(self) -> list[str]:
        report = self._rig.report()
        return [f"{key}: {report[key]}" for key in ("violations", "rig_errors") if report[key]]


@asynccontextmanager
async def open_rigs(folder: Path) -> AsyncIterator[Sequence[Town]]:
    """Both rigs, in the folders `telegram` and `discord`; prints what they found faulty.

    Raises:
        AssertionError: a request was faulty.
    """
    sys.path[:0] = [str(folder / "telegram"), str(folder / "discord")]
    client = importlib.import_module("client")
    sys.path.remove(str(folder / "telegram"))
    # Both have modules of the same names.
    for name in ("server", "spec"):
        sys.modules.pop(name, None)
    discord = await importlib.import_module("server").Rig(token=DISCORD_TOKEN, approved=()).start()
    command = [sys.executable, "server.py", "--port", str(PORT), "--flood", "enforce"]
    server = await asyncio.create_subprocess_exec(*command, cwd=folder / "telegram", stdout=DEVNULL)
    try:
        rig = client.RigClient(f"http://127.0.0.1:{PORT}")
        for _ in range(100):
            with suppress(OSError):
                rig.stats()
                break
            await asyncio.sleep(0.1)
        rig.declare_bot(token=loopback.TOKEN, username="the_rig_bot")
        towns = TelegramRig(rig), DiscordRig(discord)
        yield towns
        bad = [f"{town.platform} {found}" for town in towns for found in town.violations()]
        assert not bad, bad[:5]
    finally:
        server.terminate()
        await server.wait()
        await discord.stop()
