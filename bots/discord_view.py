"""A reply as Discord messages: embeds that nothing in the text can break out of, and rows of buttons."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from bots.discord_http import PICTURE
from bots.discord_text import QUOTED, escape
from core.reply import KEPT_CARDS, SEPARATOR, Block, Button, Link, Reply, Style, paragraphs, utf16_length

TITLE_UNITS = 256
DESCRIPTION_UNITS = 4096
FOOTER_UNITS = 1000
"""Limits of an embed (Discord docs, Embed Limits). A footer may have 2,048, but no more than 6,000 in all."""

ROWS = 5
ROW_BUTTONS = 5
"""Rows of a message and buttons of a row (Discord docs, Component Reference)."""

COLOURS = {
    "false": 0xC0392B,
    "misleading": 0xD35400,
    "half-true": 0xD4AC0D,
    "well-supported": 0x1E8449,
    "supported-with-limits": 0x148F77,
    "limited-evidence": 0x5D6D7E,
    "crisis": 0x6C3483,
    "declined": 0x566573,
}
"""A stripe beside the title, which says the same in a word and a shape."""

SECONDARY = 2
"""Button style: grey, so that none is urged (Discord docs, Button Styles)."""

_ACTION_ROW, _BUTTON = 1, 2

Payload = dict[str, Any]


def render(reply: Reply) -> tuple[Payload, ...]:
    """The bodies of the messages that show the whole reply: one, unless it is longer than any entry may be.

    Each has `embeds`, `components` and `allowed_mentions`; nothing in them can ping anyone. A picture
    goes with the first.
    """
    embeds = _embeds(reply)
    rows = _rows([button for row in reply.buttons for button in row], reply.buttons)
    pages = max(len(embeds), len(rows))
    # Buttons stand under the end of the text.
    embeds += [{"description": SEPARATOR} for _ in range(pages - len(embeds))]
    rows = [[] for _ in range(pages - len(rows))] + rows
    bodies: tuple[Payload, ...] = tuple(
        {"embeds": [embed], "components": components, "allowed_mentions": {"parse": []}}
        for embed, components in zip(embeds, rows, strict=True)
    )
    if reply.picture:
        there = {"id": 0, "filename": reply.picture.name, "description": reply.picture.alt}
        bodies[0].update({"attachments": [there], PICTURE: reply.picture})
    return bodies


def _embeds(reply: Reply) -> list[Payload]:
    title = escape(reply.title)
    titled = 0 < utf16_length(title) <= TITLE_UNITS
    parts = [f"**{title}**"] if title and not titled else []
    # Only what editors wrote is kept, never what a person typed.
    read = _known_parts if reply.entry_id else _parts
    parts += read(reply.blocks, reply.links, reply.links_label)
    small = 0 < utf16_length(reply.closing) <= FOOTER_UNITS
    if reply.closing and not small:
        parts.append(escape(reply.closing))
    embeds: list[Payload] = [{"description": text} for text in _packed(parts)] or [{}]
    if titled:
        embeds[0]["title"] = title
    if reply.picture:
        embeds[0]["image"] = {"url": f"attachment://{reply.picture.name}"}
    if small:
        embeds[-1]["footer"] = {"text": reply.closing}
    if reply.tone in COLOURS:
        for embed in embeds:
            embed["color"] = COLOURS[reply.tone]
    return [embed for embed in embeds if embed]


def _parts(blocks: tuple[Block, ...], links: tuple[Link, ...], links_label: str) -> tuple[str, ...]:
    """The paragraphs, and the line of sources after them."""
    parts = ["\n".join(_line(block) for block in run) for run in paragraphs(blocks)]
    if links:
        labels = SEPARATOR.join(_linked(link.label, link.url) for link in links)
        parts.append(f"**{escape(links_label)}** {labels}" if links_label else labels)
    return tuple(parts)


_known_parts = lru_cache(KEPT_CARDS)(_parts)


def _line(block: Block) -> str:
    text = _linked(block.text, block.url) if block.url else escape(block.text)
    if block.style in (Style.STRONG, Style.HEADING) and text:
        text = f"**{text}**"
    if block.label:
        text = f"**{escape(block.label)}** {text}".rstrip()
    if block.style is Style.QUOTE:
        text = "\n".join(f"{QUOTED}{line}" for line in text.split("\n"))
    return text


def _linked(label: str, url: str) -> str:
    address = url.replace("(", "%28").replace(")", "%29").replace(" ", "%20")
    return f"[{escape(label)}]({address})"


def _packed(parts: Sequence[str], room: int = DESCRIPTION_UNITS) -> list[str]:
    """Paragraphs joined into as few texts as fit `room` units each."""
    # Nearly always: joined step by step, the text would be measured anew each time.
    whole = "\n\n".join(filter(None, parts))
    if utf16_length(whole) <= room:
        return [whole] if whole else []
    texts: list[str] = []
    for part in (piece for text in parts if text for piece in _pieces(text, room)):
        if texts and utf16_length(texts[-1]) + 2 + utf16_length(part) <= room:
            texts[-1] += f"\n\n{part}"
        else:
            texts.append(part)
    return texts


def _pieces(text: str, room: int) -> list[str]:
    """`text` whole, or parted at line ends, then spaces, then anywhere."""
    if utf16_length(text) <= room:
        return [text]
    head = text[: room // 2]
    at = max(head.rfind("\n"), 0) or max(head.rfind(" "), 0) or len(head)
    return [head[:at], *_pieces(text[at:].lstrip(), room)]


def _rows(buttons: Sequence[Button], wished: Sequence[Sequence[Button]]) -> list[list[Payload]]:
    """The action rows of each message: as wished, or re-flowed evenly where that doesn't fit."""
    if not buttons:
        return []
    if len(wished) <= ROWS and all(0 < len(row) <= ROW_BUTTONS for row in wished):
        return [[_row(row) for row in wished]]
    most = ROWS * ROW_BUTTONS
    pages = [buttons[first : first + most] for first in range(0, len(buttons), most)]
    return [[_row(row) for row in _reflowed(page)] for page in pages]


def _reflowed(buttons: Sequence[Button]) -> list[Sequence[Button]]:
    width = -(-len(buttons) // ROWS)
    return [buttons[first : first + width] for first in range(0, len(buttons), width)]


def _row(buttons: Sequence[Button]) -> Payload:
    return {
        "type": _ACTION_ROW,
        "components": [
            {"type": _BUTTON, "style": SECONDARY, "label": button.label, "custom_id": button.action}
            for button in buttons
        ],
    }
