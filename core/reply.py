"""What leaves: one answer, laid out in neutral parts that every adapter can render whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

ACTION_BYTES = 64
"""Telegram's limit for `callback_data` (Bot API 10.1, InlineKeyboardButton)."""

BUTTON_TITLE = 32
"""Longest button label that a phone shows whole, in UTF-16 units."""


KEPT_CARDS = 500
"""Entries' cards whose rendering is kept: about 1 KB each, in half the time of writing them anew."""


class Deed(StrEnum):
    """What to do with the message.

    A toast is a passing line for who pressed a button, where the platform has such a thing.
    """

    SEND = "send"
    EDIT = "edit"
    DELETE = "delete"
    TOAST = "toast"


class Style(StrEnum):
    """How a block looks, as far as the platform can show it.

    Items stand on lines of their own without a gap, under the heading before them.
    """

    PLAIN = "plain"
    STRONG = "strong"
    QUOTE = "quote"
    HEADING = "heading"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph; `label` stands before the text, in bold; `url` links the whole text."""

    text: str
    label: str = ""
    style: Style = Style.PLAIN
    url: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A source: a short label and the address behind it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press; `action` comes back in `Request.action`."""

    label: str
    action: str

    def __post_init__(self) -> None:
        if len(self.action.encode()) > ACTION_BYTES:
            raise ValueError(f"action {self.action!r} is over {ACTION_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several entries to pick from: a suggestion."""

    entry_id: str
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An image, with the text that stands for it where it can't be seen.

    Attributes:
        name: a file name of letters, digits, hyphens and a dot.
        alt: at most 1,024 letters (Discord docs, Attachment Object).
    """

    name: str
    data: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Attributes:
        deed: send anew, edit the message whose button was pressed, delete it, or leave it and say a line.
        whisper: show it to the actor only, where the platform can.
        quiet: make no sound, where messages make one.
        aloud: show it to everybody, even where the button stood under what only the actor sees.
        title: one line on top.
        tone: what the title's colour and shape go by: a verdict, `crisis`, or empty.
        blocks: the body, paragraph by paragraph.
        links: sources, as one line of linked labels after `links_label`.
        closing: the last line, set small.
        buttons: rows of buttons.
        choices: suggestions, for surfaces that show a list.
        articles: what an inline query may post; an action of a button beside them is what /start gets.
        picture: an image that goes with the answer.
        answers: the message to reply to.
        apart: reply to no message: platforms show whose it was, and its first words.
        thread: where inside the chat it goes.
        entry_id: the entry it shows, if it shows one.
        guard: the safety guard that made it, if one did.
    """

    deed: Deed = Deed.SEND
    whisper: bool = False
    quiet: bool = False
    aloud: bool = False
    title: str = ""
    tone: str = ""
    blocks: tuple[Block, ...] = ()
    links: tuple[Link, ...] = ()
    links_label: str = ""
    closing: str = ""
    buttons: tuple[tuple[Button, ...], ...] = ()
    choices: tuple[Choice, ...] = ()
    articles: "tuple[Article, ...]" = ()
    picture: Picture | None = None
    answers: str | None = None
    apart: bool = False
    thread: str | None = None
    entry_id: str | None = None
    guard: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """An entry that a person may post, in their own name, into a chat where the bot may not be.

    Attributes:
        entry_id: the entry.
        title: how it is listed.
        summary: a line or two below that.
        card: what is posted.
        link: a button under the card, to an address.
    """

    entry_id: str
    title: str
    summary: str
    card: Reply
    link: Link | None = None


SEPARATOR = " · "
"""Between the labels of the sources line."""


def paragraphs(blocks: Iterable[Block]) -> list[list[Block]]:
    """The blocks as paragraphs: items with their heading are one, every other block stands alone."""
    grouped: list[list[Block]] = []
    for block in blocks:
        if block.style is Style.ITEM and grouped and grouped[-1][-1].style in (Style.HEADING, Style.ITEM):
            grouped[-1].append(block)
        else:
            grouped.append([block])
    return grouped


def plain_text(reply: Reply) -> str:
    """The reply as a person reads it, without markup: what the limits are counted on.

    Paragraphs are parted by an empty line, as every adapter shows them.
    """
    parts = [reply.title]
    parts += [
        "\n".join(f"{block.label} {block.text}".strip() for block in run) for run in paragraphs(reply.blocks)
    ]
    if reply.links:
        labels = SEPARATOR.join(link.label for link in reply.links)
        parts.append(f"{reply.links_label} {labels}".strip())
    parts.append(reply.closing)
    return "\n\n".join(part for part in parts if part)


def utf16_length(text: str) -> int:
    """The length of `text` in UTF-16 code units, which Telegram and Discord count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
