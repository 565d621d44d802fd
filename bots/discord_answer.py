"""One interaction on its way to an answer: in time, once, and shown to whom it should be."""

import asyncio
from contextlib import suppress
from typing import Any

from bots.discord_http import AlreadyAnswered, Callbacks
from bots.discord_read import COMPONENT, EPHEMERAL, wants_whisper
from core.errors import KetaFactsError, Undeliverable, Unsure
from core.reply import Choice, Deed

DEFER_SECONDS = 1.5
"""Half of the 3 seconds Discord gives for the first response (docs, Receiving and Responding)."""

CHOICES = 25
"""How many Discord shows while a person types (docs, Autocomplete)."""

_MESSAGE, _LATER_MESSAGE, _LATER_UPDATE, _UPDATE, _CHOICES = 4, 5, 6, 7, 8

Payload = dict[str, Any]


class Answer:
    """How far the answer to one interaction has come.

    Every request but a follow-up can be repeated without harm: Discord takes
    one first response, and an edit changes nothing the second time.

    Attributes:
        whispers: the person asked for an answer nobody else sees.
        is_component: a button was pressed.
    """

    def __init__(self, payload: Payload, callbacks: Callbacks) -> None:
        self.whispers = wants_whisper(payload)
        self.is_component = payload["type"] == COMPONENT
        self._callbacks = callbacks
        self._callback = f"/interactions/{int(payload['id'])}/{payload['token']}/callback"
        self._hook = f"/webhooks/{int(payload['application_id'])}/{payload['token']}"
        self._original = f"{self._hook}/messages/@original"
        self._deferral: asyncio.Task[None] | None = None
        self._is_deferred = False
        self._is_deferral_unsure = False
        self._is_answered = False

    def defer_later(self) -> asyncio.TimerHandle:
        """Acknowledge the interaction by itself, unless the timer is cancelled before."""
        return asyncio.get_running_loop().call_later(DEFER_SECONDS, self._start_deferral)

    async def settle(self) -> None:
        """Let a deferral that is under way end."""
        if self._deferral:
            await self._deferral

    async def suggest(self, choices: tuple[Choice, ...]) -> None:
        """Offer choices while the person types."""
        offered = [{"name": choice.title, "value": choice.summary} for choice in choices[:CHOICES]]
        await self._respond(_CHOICES, {"choices": offered})

    async def show(self, page: Payload, *, deed: Deed, whisper: bool, aloud: bool = False) -> bool:
        """Attempt to show a message: as the first response, or in place of it, or after it; True if shown.

        `aloud`, everybody sees it, whatever the person asked for.

        Raises:
            RetryLater, Unsure, ChatGone, Undeliverable: it was not shown, or may not have been.
        """
        whisper = (whisper or self.whispers) and not aloud
        edits = deed is Deed.EDIT and self.is_component
        body = {**page, "flags": EPHEMERAL} if whisper and not edits else page
        await self.settle()
        if self._is_answered:
            await self._callbacks.request("POST", self._hook, body)
        elif self._is_deferred:
            await self._show_later(body, edits=edits, whisper=whisper)
        else:
            await self._show_first(body, edits=edits, whisper=whisper)
        self._is_answered = True
        return True

    async def pass_over(self) -> None:
        """Show nothing: a pressed button just stops waiting, the notice of a later answer goes away."""
        await self.settle()
        if self._is_deferred and not self.is_component:
            await self._callbacks.request("DELETE", self._original)
        elif self.is_component and not self._is_deferred:
            await self._respond(_LATER_UPDATE)

    async def remove(self) -> bool:
        """Attempt to delete the message whose button was pressed."""
        await self.pass_over()
        await self._callbacks.request("DELETE", self._original)
        return True

    async def _show_first(self, body: Payload, *, edits: bool, whisper: bool) -> None:
        try:
            await self._callbacks.request(
                "POST", self._callback, {"type": _UPDATE if edits else _MESSAGE, "data": body}
            )
        except AlreadyAnswered:
            await self.settle()
            # Was it the answer that arrived, or only the notice of it? Shown twice is better than never.
            if self._is_deferred or self._is_deferral_unsure:
                await self._show_later(body, edits=edits, whisper=whisper)

    async def _show_later(self, body: Payload, *, edits: bool, whisper: bool) -> None:
        if edits or (not self.is_component and whisper == self.whispers):
            await self._callbacks.request("PATCH", self._original, body)
            return
        if not self.is_component:
            # Everybody sees that an answer is coming, but it is for the person alone.
            with suppress(Undeliverable):
                await self._callbacks.request("DELETE", self._original)
        await self._callbacks.request("POST", self._hook, body)

    async def _respond(self, kind: int, data: Payload | None = None) -> None:
        try:
            await self._callbacks.request(
                "POST", self._callback, {"type": kind, **({"data": data} if data else {})}
            )
        except AlreadyAnswered:
            return

    def _start_deferral(self) -> None:
        self._deferral = asyncio.create_task(self._defer())

    async def _defer(self) -> None:
        kind = _LATER_UPDATE if self.is_component else _LATER_MESSAGE
        data = {"data": {"flags": EPHEMERAL}} if self.whispers and not self.is_component else {}
        for _attempt in range(2):
            try:
                await self._callbacks.request("POST", self._callback, {"type": kind, **data})
            except Unsure:
                self._is_deferral_unsure = True
            except KetaFactsError:
                # Answered in the meantime, or too late: the answer's own attempt will tell.
                return
            else:
                self._is_deferred, self._is_deferral_unsure = True, False
                return
