"""What the Discord gateway brings, as requests: slash commands, typing in them, buttons, messages."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bots.discord_text import quotation
from core.chat import Request, Surface

INTERACTION, MESSAGE = "INTERACTION_CREATE", "MESSAGE_CREATE"

COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4
"""Interaction types (Discord docs, Interaction Type)."""

_TYPED, _ON_MESSAGE = 1, 3
"""Types of commands (Discord docs, Application Command Types)."""

EPHEMERAL = 1 << 6
"""The flag of a message that only one person sees (Discord docs, Message Flags)."""

PRIVATE = "private"
"""The option of every slash command that asks for an answer only the person sees."""

CHECK = "/check"
"""What the menu of a message stands for."""

HINT = "/ask"
"""Stands for a mention or private message without words: core answers it with a hint."""

MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)
"""What reading raises where a payload isn't as documented."""

_BOT_DM = 1
_THREADS = (10, 11, 12)
_PLAIN, _REPLY = 0, 19
_ADMINISTERS = 1 << 3
_MANAGES = _ADMINISTERS | 1 << 5
_CARDS = 1 << 10 | 1 << 14  # view channel, embed links
_SENDS, _SENDS_IN_THREADS = 1 << 11, 1 << 38
_EXTERNAL = 1 << 50
"""Lets apps that only the person installed answer for everybody (Discord docs, Permissions)."""

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself.

    Attributes:
        user_id: the bot's user id.
        parent_of: the channel a thread belongs to, by server and thread; None for other channels.
    """

    user_id: str
    parent_of: Callable[[str, str], str | None] = lambda _server, _channel: None


@dataclass(frozen=True, slots=True)
class Rights:
    """What the update itself says about the actor's and the bot's rights."""

    admin: bool
    post: bool

    async def is_admin(self, request: Request) -> bool:
        """See `Facts.is_admin`: administrators and those who may manage the server."""
        return self.admin

    async def may_post(self, request: Request) -> bool:
        """See `Facts.may_post`."""
        return self.post

    async def hears(self, request: Request) -> bool:
        """See `Facts.hears`: without the intent for it, only what is meant for the bot comes."""
        return request.private


def read(event: str, payload: Payload, me: Me) -> Request | None:
    """A dispatched event as a request; None if it is malformed or nothing for the bot."""
    try:
        return _interaction(payload, me) if event == INTERACTION else _message(payload, me)
    except MALFORMED:
        return None


def wants_whisper(payload: Payload) -> bool:
    """Whether the answer is private: by the option, by a message's menu, or as the button's message is."""
    try:
        if (payload.get("data") or {}).get("type") == _ON_MESSAGE:
            return payload.get("context") != _BOT_DM
        data, message = payload.get("data") or {}, payload.get("message") or {}
        options = [(option["name"], option.get("value")) for option in data.get("options") or []]
        return (PRIVATE, True) in options or bool(int(message.get("flags") or 0) & EPHEMERAL)
    except MALFORMED:
        return False


def rights(payload: Payload) -> Rights:
    """The rights an interaction states; outside servers the person owns the chat."""
    try:
        member, channel = payload.get("member"), payload.get("channel") or {}
        admin = member is None or bool(int(member.get("permissions") or 0) & _MANAGES)
        needed = _SENDS_IN_THREADS if channel.get("type") in _THREADS else _SENDS
        installed = "0" in (payload.get("authorizing_integration_owners") or {})
        ours = int(payload.get("app_permissions") or 0)
        able = bool(ours & _ADMINISTERS) or (bool(ours & needed) and ours & _CARDS == _CARDS)
        post = installed and (member is None or able)
        return Rights(admin, post)
    except MALFORMED:
        return Rights(admin=False, post=False)


def age(key: str, now: datetime) -> timedelta:
    """How long ago Discord gave out the id `key` (Discord docs, Snowflakes)."""
    return now - _EPOCH - timedelta(milliseconds=int(key) >> 22)


def _interaction(payload: Payload, me: Me) -> Request | None:
    kind, data, channel = payload["type"], payload["data"], payload.get("channel") or {}
    user = (payload.get("member") or payload)["user"]
    person, place = str(int(user["id"])), str(int(payload.get("channel_id") or channel["id"]))
    alone = payload.get("context") == _BOT_DM
    owners = payload.get("authorizing_integration_owners") or {}
    parent = channel.get("parent_id") if channel.get("type") in _THREADS else None
    # An app that only a person installed has no chat of its own: its rounds are the person's.
    personal = bool(owners) and "0" not in owners and not alone
    text, action, surface, message_key, about, part = "", None, Surface.MESSAGE, None, None, ""
    quoted = None
    if kind == COMPONENT:
        surface, action, message_key = (
            Surface.BUTTON,
            str(data["custom_id"]),
            str(int(payload["message"]["id"])),
        )
        quoted = quotation(_shown(payload["message"]))
    elif kind in (COMMAND, AUTOCOMPLETE) and data.get("type", _TYPED) == _TYPED:
        surface = Surface.AUTOCOMPLETE if kind == AUTOCOMPLETE else Surface.MESSAGE
        options = [o for o in data.get("options") or [] if isinstance(o.get("value"), str)]
        if focused := next((o for o in options if kind == AUTOCOMPLETE and o.get("focused")), None):
            options, part = [focused], str(focused["name"])
        text = " ".join([f"/{data['name']}", *(o["value"] for o in options)])
    elif kind == COMMAND and data["type"] == _ON_MESSAGE:
        message = data["resolved"]["messages"][data["target_id"]]
        text, surface, about = CHECK, Surface.MENU, _words(message)
    else:
        return None
    return Request(
        "discord",
        person if personal else str(int(parent or place)),
        person,
        text=text,
        action=action,
        surface=surface,
        thread=place if parent else None,
        message_key=message_key,
        quoted=quoted,
        replied_text=about,
        language=payload.get("locale"),
        private=alone or personal,
        bot_link=f"https://discord.com/users/{me.user_id}",
        can_whisper=not alone,
        part=part,
        may_share=not alone and _is_heard(payload, is_thread=bool(parent), installed=not personal),
    )


def _is_heard(payload: Payload, *, is_thread: bool, installed: bool) -> bool:
    """Whether others see what the bot answers; it is no way around a person's own rights."""
    member = payload.get("member")
    if member is None:
        return True
    needed = _SENDS_IN_THREADS if is_thread else _SENDS
    theirs, ours = int(member.get("permissions") or 0), int(payload.get("app_permissions") or 0)
    return bool(theirs & needed) and bool(ours & needed if installed else theirs & _EXTERNAL)


def _message(payload: Payload, me: Me) -> Request | None:
    author, server = payload["author"], payload.get("guild_id")
    if author.get("bot") or payload.get("webhook_id") or payload.get("type", 0) not in (_PLAIN, _REPLY):
        return None
    if server and not any(user["id"] == me.user_id for user in payload.get("mentions") or []):
        return None
    place, person = str(int(payload["channel_id"])), str(int(author["id"]))
    parent = me.parent_of(server, place) if server else None
    text = re.sub(rf"<@!?{me.user_id}>", " ", payload.get("content") or "").strip()
    replied = payload.get("referenced_message") or {}
    return Request(
        "discord",
        parent or place,
        person,
        text=text or HINT,
        thread=place if parent else None,
        message_key=str(int(payload["id"])),
        replied_text=_words(replied) or None,
        private=not server,
        bot_link=f"https://discord.com/users/{me.user_id}",
    )


def _words(message: Payload) -> str:
    """What a message says: its text, its embeds, or the message that it forwards."""
    forwarded = [snapshot["message"] for snapshot in message.get("message_snapshots") or []]
    return message.get("content") or _shown(message) or "\n".join(map(_words, forwarded))


def _shown(message: Payload) -> str:
    embeds = message.get("embeds") or []
    return "\n".join(
        text for embed in embeds for text in (embed.get("title"), embed.get("description")) if text
    )
