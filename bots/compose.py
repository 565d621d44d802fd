"""Builds every object of the program, once, and runs it."""

import hashlib
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bots import console
from bots.settings import Settings
from core.app import App
from core.chat import Request
from core.edition import open_edition
from core.errors import ContentError
from core.phrases import load_phrases
from core.reply import Reply
from core.safety import load_guards
from core.sqlstore import SqlStore
from core.turn import PRIVATE, Deps

log = logging.getLogger(__name__)

IDLE = timedelta(days=90)
"""How long a private chat's round is kept without use."""

RELOAD_SECONDS = 2.0
"""How often the content file is looked at for changes."""

HOUSEKEEPING_SECONDS = 3600.0


class Program:
    """The parts that live as long as the process.

    Raises:
        ContentError: the content file has faults.
        StoreError: the database can't be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.phrases = load_phrases()
        self._guards = load_guards()
        self._path = settings.content_path
        self._stamp = _stamp(self._path)
        edition = open_edition(self._path, self.phrases, self._guards)
        self.store = SqlStore(settings.database_url)
        deps = Deps(self.store, self.phrases, _now, Random(), _secret(settings))
        self.app = App(edition, deps)

    def refresh(self) -> None:
        """Take over a changed content file; a faulty one is reported once and changes nothing."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.app.edition = open_edition(self._path, self.phrases, self._guards)
        except ContentError as error:
            for line in error.lines():
                log.error("content kept as it was: %s", line)
        else:
            log.info("content reloaded entries=%d", len(self.app.edition.content.entries))

    async def housekeep(self) -> None:
        """Forget private chats that have been idle for too long."""
        chats = await self.store.forget_idle(PRIVATE, _now() - IDLE)
        log.info("idle private chats forgotten chats=%d", chats)


async def run_console(settings: Settings, *, explain: bool) -> None:
    """The terminal chat; `explain` says why it is that and how to go live."""
    program = Program(settings)
    try:
        await program.housekeep()
        say = program.phrases.say
        if explain:
            print(say("console.no_token"), end="\n\n")
        print(say("console.welcome", name=program.app.edition.content.bot.name), end="\n\n", flush=True)
        await console.chat(program.app, program.phrases, sys.stdin, sys.stdout, program.refresh)
    finally:
        await program.store.close()


async def answer_all(settings: Settings, questions: Sequence[str]) -> list[dict[str, object]]:
    """What a private chat would answer to each question: `id`, `choices` and `guard`."""
    program = Program(replace(settings, database_url="sqlite://"))
    facts = console.ConsoleFacts()
    answers: list[dict[str, object]] = []
    for number, question in enumerate(questions):
        request = Request("console", str(number), str(number), text=question)
        reply = await program.app.handle(request, facts) or Reply()
        choices = [choice.entry_id for choice in reply.choices]
        answers.append({"id": reply.entry_id, "choices": choices, "guard": reply.guard})
    await program.store.close()
    return answers


def _now() -> datetime:
    return datetime.now(UTC)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _secret(settings: Settings) -> bytes:
    """The key that scrambles private chats: from a token, so that the database alone tells nobody."""
    token = settings.telegram_token or settings.discord_token or "console"
    return hashlib.sha256(f"private chats {token}".encode()).digest()
