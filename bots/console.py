"""A chat in the terminal: one person, private, on the same core as the platforms."""

import importlib
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TextIO

from core.chat import Request, Surface
from core.phrases import Phrases
from core.reply import SEPARATOR, Block, Button, Reply, Style, paragraphs

NARROWEST, WIDEST = 30, 76
"""Columns of text: what a phone held upright shows, and what is still comfortable to read."""

LONGEST_NUMBER = 2
"""Digits of a button's number; a longer one, such as an emergency number, is something said."""

_CODES = {Style.STRONG: "1", Style.QUOTE: "3", Style.HEADING: "1"}


class ConsoleFacts:
    """Whoever sits at the terminal owns the chat."""

    async def is_admin(self, request: Request) -> bool:
        """See `Facts.is_admin`."""
        return True

    async def may_post(self, request: Request) -> bool:
        """See `Facts.may_post`."""
        return True

    async def hears(self, request: Request) -> bool:
        """See `Facts.hears`."""
        return True


def read(line: str, under: Reply) -> Request | None:
    """A typed line as a request; a number presses that button of the reply it is `under`, if it has that."""
    number = _number(line)
    if number is None:
        return Request("console", "terminal", "terminal", text=line)
    buttons = _buttons(under)
    if not 0 < number <= len(buttons):
        return None
    quoted = next((block.text for block in under.blocks if block.style is Style.QUOTE), None)
    pressed = Request("console", "terminal", "terminal", surface=Surface.BUTTON, quoted=quoted)
    return replace(pressed, action=buttons[number - 1].action)


def render(reply: Reply, *, width: int = WIDEST, colour: bool = False) -> str:
    """A reply as lines of at most `width` columns, addresses apart, its buttons numbered."""

    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour and code and text else text

    def paragraph(block: Block) -> str:
        label = f"{block.label} " if block.label else ""
        indent = "  " if block.style is Style.QUOTE else ""
        lines = _wrap(label + block.text, width, indent)
        painted = paint("\n".join(lines), _CODES.get(block.style, ""))
        if label and not _CODES.get(block.style):
            painted = painted.replace(block.label, paint(block.label, "1"), 1)
        return f"{painted}\n  {block.url}" if block.url else painted

    parts = [paint("\n".join(_wrap(reply.title, width)), "1;4")] if reply.title else []
    parts += ["\n".join(paragraph(block) for block in run) for run in paragraphs(reply.blocks)]
    if reply.picture:
        parts.append(paint("\n".join(_wrap(reply.picture.alt, width)), "3"))
    if reply.links:
        sources = [f"  {link.label}: {link.url}" for link in reply.links]
        parts.append("\n".join([paint(reply.links_label, "1"), *sources]))
    if reply.closing:
        parts.append(paint("\n".join(_wrap(reply.closing, width)), "2"))
    if reply.buttons:
        parts.append("\n".join(_numbered(_buttons(reply), width)))
    return "\n\n".join(parts) + "\n"


def fill(text: str, width: int) -> str:
    """`text` wrapped to `width` columns, its own line breaks kept."""
    return "\n".join(line for written in text.splitlines() for line in _wrap(written, width))


def columns() -> int:
    """How wide text may be in the terminal as it is now."""
    return min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)


def lines() -> Iterator[str]:
    """What is typed, line by line, until the end of input."""
    terminal = sys.stdin.isatty()
    if terminal:
        # Arrow keys, where there is such a thing.
        with suppress(ImportError):
            importlib.import_module("readline")
    while True:
        try:
            line = input("> " if terminal else "")
        except (EOFError, KeyboardInterrupt) as end:
            if terminal:
                # What comes next in the terminal starts on a line of its own.
                print()
            if isinstance(end, EOFError):
                return
            raise
        yield line


def chat(
    answer: Callable[[Request], Reply | None],
    phrases: Phrases,
    typed: Iterable[str],
    out: TextIO,
    refresh: Callable[[], None],
) -> None:
    """Answer each typed line; `refresh` runs before, to pick up new content."""
    shown = Reply()
    colour = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    for line in typed:
        refresh()
        if not line.strip():
            continue
        request = read(line, shown)
        if request is None:
            print(phrases.say("console.no_button", number=_number(line)), file=out, flush=True)
            continue
        reply = answer(request)
        if reply:
            # A reply without buttons, say to a slip, leaves those of the one before.
            shown = reply if reply.buttons else shown
            print(render(reply, width=columns(), colour=colour), file=out, flush=True)


def _number(line: str) -> int | None:
    typed = line.strip()
    return int(typed) if typed.isdecimal() and len(typed) <= LONGEST_NUMBER else None


def _buttons(reply: Reply) -> tuple[Button, ...]:
    return tuple(button for row in reply.buttons for button in row)


def _numbered(buttons: Iterable[Button], width: int) -> list[str]:
    """The buttons side by side, as many to a line as fit whole."""
    rows: list[str] = []
    for number, button in enumerate(buttons, 1):
        label = f"[{number}] {button.label}"
        if rows and len(rows[-1] + SEPARATOR + label) <= width:
            rows[-1] += SEPARATOR + label
        else:
            rows += _wrap(label, width)
    return rows


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    wrapped = textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
    return wrapped or [""]
