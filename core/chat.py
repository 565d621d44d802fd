"""What arrives: a platform's update as plain facts, and the questions core may ask back."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Surface(StrEnum):
    """Where on the platform the request was made."""

    MESSAGE = "message"
    BUTTON = "button"
    INLINE = "inline"
    MENU = "menu"
    AUTOCOMPLETE = "autocomplete"


@dataclass(frozen=True, slots=True)
class Request:
    """One update, stated by an adapter, which decides nothing.

    Attributes:
        platform: `telegram`, `discord` or `console`.
        chat_key: the chat that rounds and subscriptions belong to: a Telegram
            chat id or a Discord channel id; for an inline query or a
            user-installed Discord app, the person's id.
        actor_key: who did it; an anonymous admin or a channel counts as the chat.
        text: what was typed, commands included (`/myth drip`); empty for a button.
        action: what a pressed button carried, at most 64 bytes; None otherwise.
        surface: where it was done.
        thread: where inside the chat to answer, if not in its main part.
        message_key: the message that was sent, or that carries the pressed button.
        quoted: the first quotation in the message that carries the pressed button, one line.
        replied_text: the text of the message this one replies to or is about; empty if that has
            none, None if there is no such message.
        language: the person's language tag, as the platform gives it.
        private: nobody but the person reads the chat.
        broadcast: it is a channel, in which only its admins write.
        addressed: the bot was meant: a command, a mention, a reply to it, a private chat.
        bot_link: an address that opens a private chat with the bot; empty if there is none.
        start_link: the same, if what is put after it comes back as the words of /start there.
        can_whisper: the platform can show this answer to the actor only.
        part: the option that is being typed, where the platform asks for each alone; `text` has nothing else.
        may_share: what the bot shows here can be seen by the others, and the actor may write here.
    """

    platform: str
    chat_key: str
    actor_key: str
    text: str = ""
    action: str | None = None
    surface: Surface = Surface.MESSAGE
    thread: str | None = None
    message_key: str | None = None
    quoted: str | None = None
    replied_text: str | None = None
    language: str | None = None
    private: bool = True
    broadcast: bool = False
    addressed: bool = True
    bot_link: str = ""
    start_link: str = ""
    can_whisper: bool = False
    may_share: bool = False
    part: str = ""


class Facts(Protocol):
    """What core may ask a platform while it answers; each question costs a network call."""

    async def is_admin(self, request: Request) -> bool:
        """Whether the actor may change settings of the chat."""
        ...

    async def may_post(self, request: Request) -> bool:
        """Whether the bot may send messages to the chat and thread."""
        ...

    async def hears(self, request: Request) -> bool:
        """Whether the bot gets messages of the chat that are not meant for it."""
        ...
