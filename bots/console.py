"""A chat in the terminal: one person, private, on the same core as the platforms."""

import asyncio
import textwrap
from collections.abc import AsyncIterator, Callable
from typing import TextIO

from core.app import App
from core.chat import Request, Surface
from core.phrases import Phrases
from core.reply import SEPARATOR, Block, Button, Reply, Style, paragraphs

WIDTH = 76
"""Columns of text: comfortable to read, and narrower than any terminal."""

_CODES = {Style.STRONG: "1", Style.QUOTE: "3", Style.HEADING: "1"}


class ConsoleFacts:
    """Whoever sits at the terminal owns the chat."""

    async def is_admin(self, request: Request) -> bool:
        """See `Facts.is_admin`."""
        return True

    async def may_post(self, request: Request) -> bool:
        """See `Facts.may_post`."""
        return True


def read(line: str, buttons: tuple[Button, ...]) -> Request:
    """A typed line as a request; a number presses that button of the last message."""
    typed = line.strip()
    if typed.isdecimal() and 0 < int(typed) <= len(buttons):
        action = buttons[int(typed) - 1].action
        return Request("console", "terminal", "terminal", action=action, surface=Surface.BUTTON)
    return Request("console", "terminal", "terminal", text=line)


def render(reply: Reply, *, colour: bool = False) -> str:
    """A reply as lines of a terminal, its buttons numbered."""

    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour and code and text else text

    def paragraph(block: Block) -> str:
        label = f"{block.label} " if block.label else ""
        indent = "  " if block.style is Style.QUOTE else ""
        lines = _wrap(label + block.text, indent)
        painted = paint("\n".join(lines), _CODES.get(block.style, ""))
        if label and not _CODES.get(block.style):
            painted = painted.replace(block.label, paint(block.label, "1"), 1)
        return f"{painted}\n  {block.url}" if block.url else painted

    parts = [paint("\n".join(_wrap(reply.title)), "1;4")] if reply.title else []
    parts += ["\n".join(paragraph(block) for block in run) for run in paragraphs(reply.blocks)]
    if reply.links:
        sources = [f"  {link.label}: {link.url}" for link in reply.links]
        parts.append("\n".join([paint(reply.links_label, "1"), *sources]))
    if reply.closing:
        parts.append(paint("\n".join(_wrap(reply.closing)), "2"))
    buttons = _buttons(reply)
    if buttons:
        parts.append(SEPARATOR.join(f"[{n}] {button.label}" for n, button in enumerate(buttons, 1)))
    return "\n\n".join(parts) + "\n"


async def chat(app: App, phrases: Phrases, source: TextIO, out: TextIO, refresh: Callable[[], None]) -> None:
    """Answer lines until the source ends; `refresh` runs before each, to pick up new content."""
    buttons: tuple[Button, ...] = ()
    facts = ConsoleFacts()
    colour = out.isatty()
    async for line in _lines(source, out):
        refresh()
        if not line.strip():
            continue
        typed = line.strip()
        if typed.isdecimal() and not 0 < int(typed) <= len(buttons):
            print(phrases.say("console.no_button", number=typed), file=out, flush=True)
            continue
        reply = await app.handle(read(line, buttons), facts)
        if reply:
            buttons = _buttons(reply)
            print(render(reply, colour=colour), file=out, flush=True)


async def _lines(source: TextIO, out: TextIO) -> AsyncIterator[str]:
    """The lines of `source`, read in a thread so that the loop goes on."""
    while True:
        if source.isatty():
            print("> ", end="", file=out, flush=True)
        line = await asyncio.to_thread(source.readline)
        if not line:
            return
        yield line


def _buttons(reply: Reply) -> tuple[Button, ...]:
    return tuple(button for row in reply.buttons for button in row)


def _wrap(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent) or [""]
