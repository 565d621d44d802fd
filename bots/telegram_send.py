"""Sends replies to Telegram, and says in core's errors what became of them."""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from telegram import Bot, ChatMember, InputFile
from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from bots.telegram_http import surely_unsent
from bots.telegram_view import NO_PREVIEW, Json, Payload, inline_answer, render
from core.chat import Request, Surface
from core.delivery import Limits, Outbox, Priority, priority_of
from core.errors import ChatGone, RetryLater, Unconnected, Undeliverable, Unsure
from core.reply import Deed, Reply

log = logging.getLogger(__name__)

LIMITS = Limits(per_second=25, burst=5, chat_per_second=1, chat_burst=3, group_per_minute=20)
"""Below Telegram's published 30 a second; per chat and group as published (Bots FAQ, read 2026-06)."""

_FORBIDDEN = (
    ("blocked", "blocked"),
    ("kicked", "kicked"),
    ("not a member", "kicked"),
    ("deactivated", "deactivated"),
    ("initiate conversation", "not_started"),
)
_GONE = (
    ("not enough rights", "no_rights"),
    ("no rights", "no_rights"),
    ("chat_write_forbidden", "no_rights"),
    ("need administrator rights", "no_rights"),
    ("chat_restricted", "no_rights"),
    ("topic_closed", "topic_closed"),
    ("topic_deleted", "topic_deleted"),
    ("message thread not found", "topic_deleted"),
    ("chat not found", "deleted"),
    ("peer_id_invalid", "deleted"),
    ("user not found", "deleted"),
    ("deactivated", "deleted"),
)
_LOST = ("message to edit not found", "can't be edited", "no text in the message", "message_id_invalid")
_HARMLESS = re.compile(r"[A-Za-z_' ]{1,80}")

Moved = Callable[[str, str], Awaitable[None]]
"""Told when a group has another key: the old and the new one."""


def translate(error: TelegramError) -> Exception:
    """What may be done about an error of the library."""
    if isinstance(error, RetryAfter):
        return RetryLater(seconds(error))
    if isinstance(error, ChatMigrated):
        return ChatGone("moved", moved_to=str(error.new_chat_id))
    text = error.message.lower()
    if isinstance(error, Forbidden):
        return ChatGone(next((reason for words, reason in _FORBIDDEN if words in text), "no_rights"))
    if isinstance(error, BadRequest):
        gone = next((reason for words, reason in _GONE if words in text), None)
        return ChatGone(gone) if gone else Undeliverable(_harmless(error.message))
    if isinstance(error, InvalidToken | EndPointNotFound):
        return RetryLater(5, everywhere=True)
    return Unconnected(1) if surely_unsent(error) else Unsure(type(error).__name__)


def seconds(error: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _harmless(message: str) -> str:
    """Telegram's words, unless they could quote somebody's."""
    return message if _HARMLESS.fullmatch(message) else "bad request"


@dataclass(slots=True)
class _Target:
    """Where a message goes; a group may move while it waits."""

    chat_id: int
    thread: int | None
    answers: int | None
    edits: int | None


class Sender:
    """Delivers replies through one outbox."""

    def __init__(self, bot: Bot, outbox: Outbox, moved: Moved, notice: Reply) -> None:
        self._bot, self._outbox, self._moved, self._notice = bot, outbox, moved, notice

    async def deliver(self, request: Request, reply: Reply) -> None:
        """Carry out the reply, now or within a minute; a failure is logged, never raised."""
        target = _target(request, reply)
        deleting = reply.deed is Deed.DELETE
        sending = self._sending(target, reply, quietly=reply.quiet)
        attempt = self._deleting(target, reply) if deleting else sending
        await self._outbox.deliver(
            request.chat_key,
            attempt,
            priority=priority_of(reply),
            is_group=not request.private,
            notice=self._sending(_target(request, self._notice), self._notice, quietly=True),
        )

    async def tell(self, request: Request, notice: Reply) -> None:
        """Send a line that makes no sound."""
        attempt = self._sending(_target(request, notice), notice, quietly=True)
        await self._outbox.deliver(
            request.chat_key, attempt, priority=Priority.SETTING, is_group=not request.private
        )

    async def offer(self, query_id: str, reply: Reply | None) -> None:
        """Answer an inline query, if only with nothing."""
        answer = inline_answer(query_id, reply)

        async def attempt() -> None:
            try:
                await self._call("answerinlinequery", answer)
            except TelegramError as error:
                raise translate(error) from error

        # Whoever types asks again before the last answer came: no chat's limit is theirs.
        await self._outbox.deliver(
            f"inline {query_id}", attempt, priority=priority_of(reply) if reply else Priority.ANSWER
        )

    def _sending(
        self, target: _Target, reply: Reply, *, quietly: bool = False
    ) -> Callable[[], Awaitable[None]]:
        async def attempt() -> None:
            try:
                if target.edits is None or not await self._edit(target, render(reply, edits=True)):
                    await self._send(target, render(reply), quietly=quietly)
            except ChatMigrated as error:
                await self._follow(target, error.new_chat_id)
                raise RetryLater(0) from error
            except TelegramError as error:
                raise translate(error) from error

        return attempt

    def _deleting(self, target: _Target, reply: Reply) -> Callable[[], Awaitable[None]]:
        async def attempt() -> None:
            try:
                if target.edits is not None and not await self._delete(target.chat_id, target.edits):
                    await self._edit(target, render(reply))
            except TelegramError as error:
                raise translate(error) from error

        return attempt

    async def _delete(self, chat_id: int, message_id: int) -> bool:
        """Delete the message; False if it is too old for that, as all are after 48 hours (Bot API 10.1)."""
        try:
            await self._bot.delete_message(chat_id, message_id)
        except BadRequest as error:
            text = error.message.lower()
            if "message to delete not found" in text:
                return True
            if "can't be deleted" not in text:
                raise
            return False
        return True

    async def _edit(self, target: _Target, payload: Payload) -> bool:
        """Change the message; False if it can't be, and a new one is due."""
        fields = {"chat_id": target.chat_id, "message_id": target.edits, **message_fields(payload)}
        try:
            await self._call("editmessagetext", fields)
        except BadRequest as error:
            text = error.message.lower()
            if "not modified" in text:
                return True
            if not any(words in text for words in _LOST):
                raise
            target.edits = None
            return False
        return True

    async def _send(self, target: _Target, payload: Payload, *, quietly: bool) -> None:
        method, content = sending(payload)
        fields = {"chat_id": target.chat_id, **content}
        if target.thread:
            fields["message_thread_id"] = target.thread
        if target.answers:
            fields["reply_parameters"] = {
                "message_id": target.answers,
                "allow_sending_without_reply": True,
            }
        if quietly:
            fields["disable_notification"] = True
        await self._call(method, fields)

    async def _call(self, method: str, fields: Json) -> None:
        """Call a method of the Bot API by its name in lower case, which Telegram takes as well.

        The library's own methods would turn every part of the message and of the
        answer into objects: half the CPU time of sending, and nothing here reads them.
        """
        await self._bot.do_api_request(method, api_kwargs=fields)

    async def _follow(self, target: _Target, chat_id: int) -> None:
        old, target.chat_id = target.chat_id, chat_id
        # Messages have other numbers in a supergroup.
        target.answers = target.edits = None
        await self._moved(str(old), str(chat_id))


def sending(payload: Payload) -> tuple[str, Json]:
    """The method that sends the message, and what it takes but for where to."""
    if payload.picture is None:
        return "sendmessage", message_fields(payload)
    photo = InputFile(payload.picture.data, filename=payload.picture.name)
    fields: Json = {"photo": photo, "caption": payload.text, "caption_entities": payload.entities}
    return "sendphoto", {**fields, "reply_markup": payload.markup} if payload.markup else fields


def message_fields(payload: Payload) -> Json:
    """The text of a message as parameters of a request."""
    fields: Json = {"text": payload.text, "entities": payload.entities, "link_preview_options": NO_PREVIEW}
    return {**fields, "reply_markup": payload.markup} if payload.markup else fields


def _target(request: Request, reply: Reply) -> _Target:
    """In groups and channels, an answer replies to what it answers, unless that should not be shown."""
    answers = reply.answers
    if answers is None and not reply.apart and request.surface is Surface.MESSAGE and not request.private:
        answers = request.message_key
    thread = reply.thread or request.thread
    edits = request.message_key if reply.deed is not Deed.SEND else None
    return _Target(
        int(request.chat_key),
        int(thread) if thread else None,
        int(answers) if answers else None,
        int(edits) if edits else None,
    )


class TelegramFacts:
    """What core may ask about a chat."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def is_admin(self, request: Request) -> bool:
        """See `Facts.is_admin`; only admins can write as the chat itself."""
        if request.private or request.actor_key == request.chat_key:
            return True
        if int(request.actor_key) < 0:
            return False
        member = await self._bot.get_chat_member(int(request.chat_key), int(request.actor_key))
        return member.status in (ChatMember.ADMINISTRATOR, ChatMember.OWNER)

    async def may_post(self, request: Request) -> bool:
        """See `Facts.may_post`."""
        if request.private:
            return True
        member = await self._bot.get_chat_member(int(request.chat_key), self._bot.id)
        if member.status == ChatMember.RESTRICTED:
            return bool(getattr(member, "can_send_messages", False))
        if member.status == ChatMember.ADMINISTRATOR:
            # Only channels have this right; it is None in groups.
            return getattr(member, "can_post_messages", None) is not False
        if member.status == ChatMember.MEMBER:
            chat = await self._bot.do_api_request("getchat", api_kwargs={"chat_id": int(request.chat_key)})
            return (chat.get("permissions") or {}).get("can_send_messages") is not False
        return member.status == ChatMember.OWNER

    async def hears(self, request: Request) -> bool:
        """See `Facts.hears`; asked anew, as both can change while the bot runs."""
        if request.private or (await self._bot.get_me()).can_read_all_group_messages:
            return True
        member = await self._bot.get_chat_member(int(request.chat_key), self._bot.id)
        return member.status == ChatMember.ADMINISTRATOR
