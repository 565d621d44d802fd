"""Discord's answers over HTTP: what an interaction is answered with, and what each failure means."""

import json
from collections import deque
from collections.abc import Callable
from typing import Any

import aiohttp

from core.errors import ChatGone, KetaFactsError, RetryLater, Unconnected, Undeliverable, Unsure

ATTEMPT_SECONDS = 10.0
"""An attempt without an answer by then is given up as unsure."""

INVALID_STATUSES = (401, 403, 429)
INVALID_LIMIT = 1_000
INVALID_SECONDS = 600.0
"""Discord bans an address for 10,000 of these in 10 minutes (docs, Invalid Request Limit); we stop early."""

ALREADY_ANSWERED = 40060
"""The interaction was acknowledged before (Discord docs, JSON Error Codes)."""

SLOWED = (20016, 20028)
SLOWED_SECONDS = 60.0
"""Slow mode and a channel's limit for writing (docs, JSON Error Codes), and the wait where none is named."""

_GONE = {
    10003: "deleted",
    10004: "kicked",
    50001: "no_access",
    50007: "blocked",
    50013: "no_rights",
    50083: "archived",
    160002: "no_rights",
    160005: "locked",
}
_EXPIRED = {10008: "message deleted", 10015: "token expired", 10062: "token expired", 50027: "token expired"}
"""Codes of the JSON Error Codes that end a chat or a single answer."""

PICTURE = "picture"
"""Where a message carries a `Picture`, which is uploaded beside it (Discord docs, Uploading Files)."""

Payload = dict[str, Any]


class AlreadyAnswered(KetaFactsError):
    """Discord has an answer to the interaction: an earlier attempt arrived after all."""


class Invalid:
    """Counts refused requests; tells when to stop sending.

    Args:
        clock: seconds, never going back.
        stop: called with the seconds to stop for.
    """

    def __init__(self, clock: Callable[[], float], stop: Callable[[float], None]) -> None:
        self._clock, self._stop = clock, stop
        self._times: deque[float] = deque()

    def count(self, status: int, scope: str | None = None) -> None:
        """One response; limits that are shared with others don't count."""
        if status not in INVALID_STATUSES or scope == "shared":
            return
        now = self._clock()
        self._times.append(now)
        while self._times[0] <= now - INVALID_SECONDS:
            self._times.popleft()
        if len(self._times) >= INVALID_LIMIT:
            self._times.clear()
            self._stop(INVALID_SECONDS)


class Callbacks:
    """Sends what answers interactions, over a session of its own.

    discord.py's way parses the payload into objects and the sent message back
    from the response, which costs more than everything else about an answer.
    """

    def __init__(self, session: aiohttp.ClientSession, base: str, invalid: Invalid) -> None:
        self._session, self._base, self._invalid = session, base, invalid

    async def request(self, method: str, path: str, body: Payload | None = None) -> None:
        """One request, once.

        Raises:
            AlreadyAnswered, RetryLater, Unsure, ChatGone, Undeliverable: it failed; see there.
        """
        try:
            async with self._session.request(method, self._base + path, **_content(body)) as response:
                if response.status < 300:
                    return
                self._invalid.count(response.status, response.headers.get("X-RateLimit-Scope"))
                text = await response.text()
        except aiohttp.ClientConnectorError as error:
            raise Unconnected(1.0) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unsure from error
        raise failure(response.status, parsed(text), response.headers.get("Retry-After"))


def _content(body: Payload | None) -> dict[str, Any]:
    """What aiohttp takes to send it."""
    if body is None:
        return {}
    if parts := form(body):
        data = aiohttp.FormData(quote_fields=False)
        for part in parts:
            data.add_field(**part)
        return {"data": data}
    text = json.dumps(body, separators=(",", ":")).encode()
    return {"data": text, "headers": {"Content-Type": "application/json"}}


def form(body: Payload) -> list[Payload]:
    """The fields of a form, where a picture goes with the message; none where it is JSON alone."""
    message = body.get("data", body)
    if PICTURE not in message:
        return []
    picture = message[PICTURE]
    bare = {key: value for key, value in message.items() if key != PICTURE}
    told = json.dumps({**body, "data": bare} if "data" in body else bare)
    return [
        {"name": "payload_json", "value": told, "content_type": "application/json"},
        {"name": "files[0]", "value": picture.data, "filename": picture.name},
    ]


def parsed(text: str) -> Payload:
    """The JSON object in `text`, or an empty one."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def failure(status: int, body: Payload, retry_after: str | None = None) -> KetaFactsError:
    """What a failed response means for the one who sent."""
    code = body.get("code", 0)
    if status == 429:
        seconds = float(body.get("retry_after") or retry_after or 1.0)
        return RetryLater(seconds, everywhere=bool(body.get("global")) or "retry_after" not in body)
    if status >= 500:
        return Unsure()
    if code in SLOWED:
        return RetryLater(float(body.get("retry_after") or retry_after or SLOWED_SECONDS))
    if code == ALREADY_ANSWERED:
        return AlreadyAnswered()
    if code in _EXPIRED:
        return Undeliverable(_EXPIRED[code])
    if "message_reference" in (body.get("errors") or {}):
        return Undeliverable("question deleted")
    if code in _GONE or status in (401, 403):
        return ChatGone(_GONE.get(code, f"refused status={status} code={code}"))
    return Undeliverable(f"refused status={status} code={code}")
