"""Builds every object of the program, once, and runs it."""

import asyncio
import gc
import hashlib
import logging
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

from bots import console
from bots.serve import Platform, serve
from bots.settings import Settings
from core.app import App
from core.chat import Request
from core.daily import Daily, DailyRun, Poster
from core.database import Use
from core.delivery import Pacer
from core.edition import open_edition
from core.errors import ContentError, named
from core.phrases import load_phrases
from core.reply import Reply
from core.safety import load_guards
from core.sqlstore import SqlStore
from core.store import Question, Subscription, Tally
from core.turn import PRIVATE, Deps

log = logging.getLogger(__name__)

IDLE = timedelta(days=90)
"""How long a private chat's round is kept without use."""

RELOAD_SECONDS = 2.0
"""How often the content file is looked at for changes."""

HOUSEKEEPING_SECONDS = 3600.0


class Program:
    """The parts that live as long as the process.

    Args:
        use: what it wants of the database.

    Raises:
        ContentError: the content file has faults.
        StoreError: the database can't be used.
    """

    def __init__(self, settings: Settings, use: Use = Use.LEAD) -> None:
        self.phrases = load_phrases()
        self._guards = load_guards()
        self._path = settings.content_path
        self._stamp = _stamp(self._path)
        edition = open_edition(self._path, self.phrases, self._guards)
        self.store = SqlStore(settings.database_url, use)
        self._beats: dict[str, datetime] = {}
        deps = Deps(self.store, self.phrases, _now, Random(), _secret(settings), self._beats)
        self.app = App(edition, deps)

    def daily(self, platform: str) -> DailyRun:
        """What runs the platform's daily posts."""

        async def run(bot_key: str, poster: Poster, pacer: Pacer, stop: asyncio.Event) -> None:
            sender = Daily(
                platform=platform,
                bot_key=bot_key,
                poster=poster,
                pacer=pacer,
                store=self.store,
                edition=lambda: self.app.edition,
                phrases=self.phrases,
                clock=_now,
                monotonic=time.monotonic,
                sleep=asyncio.sleep,
                rng=Random(),
                beats=self._beats,
            )
            await sender.run(stop)

        return run

    def refresh(self) -> None:
        """Take over a changed content file; a faulty one is reported once and changes nothing."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            edition = open_edition(self._path, self.phrases, self._guards)
        except ContentError as error:
            for line in error.lines():
                log.error("content kept as it was: %s", line)
        else:
            edition.index.warm()
            self.app.edition = edition
            _give_back()
            log.info("content reloaded entries=%d", len(self.app.edition.content.entries))

    async def housekeep(self) -> None:
        """Forget private chats that have been idle for too long."""
        chats = await self.store.forget_idle(PRIVATE, _now() - IDLE)
        if chats:
            log.info("idle private chats forgotten chats=%d", chats)


def run_console(settings: Settings, *, explain: bool) -> None:
    """The terminal chat; `explain` says why it is that and how to go live.

    Lines are read between runs of the loop: Ctrl-C then ends the program while it waits for one.
    """
    program = Program(settings, Use.BESIDE)
    facts = console.ConsoleFacts()
    with asyncio.Runner() as runner:

        def answer(request: Request) -> Reply | None:
            return runner.run(program.app.handle(request, facts))

        try:
            runner.run(program.housekeep())
            say, width = program.phrases.say, console.columns()
            if explain:
                print(console.fill(say("console.no_token"), width), end="\n\n")
            welcome = say("console.welcome", name=program.app.edition.content.bot.name)
            print(console.fill(welcome, width), end="\n\n", flush=True)
            console.chat(answer, program.phrases, console.lines(), sys.stdout, program.refresh)
        finally:
            runner.run(program.store.close())


async def run_bots(settings: Settings) -> int:
    """Serve every platform that has a token until told to stop, whenever no other process does.

    Returns how many served to the end, or would have.
    """
    # What a start makes stays: looking through it for garbage, now or later, is a tenth of its time.
    gc.disable()
    try:
        program = Program(settings, Use.STAND_BY)
        stop = asyncio.Event()
        _stop_on_signals(stop)
        platforms = _platforms(settings, program)
        gc.freeze()
    finally:
        gc.enable()
    refreshing = asyncio.create_task(_refresh(program))
    try:
        return await serve(platforms, program.store, partial(_housekeep, program), stop)
    finally:
        refreshing.cancel()
        await asyncio.gather(refreshing, return_exceptions=True)
        await program.store.close()


def _platforms(settings: Settings, program: Program) -> list[Platform]:
    """The configured platforms; the libraries of the others are not even imported."""
    platforms: list[Platform] = []
    if settings.telegram_token:
        from bots import telegram

        platforms.append(telegram.build(settings, program.app, program.phrases, program.daily("telegram")))
    if settings.discord_token:
        from bots import discord

        platforms.append(discord.build(settings, program.app, program.phrases, program.daily("discord")))
    return platforms


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(name, stop.set)
        except NotImplementedError:  # pragma: no cover - Windows has none of these
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))


async def _refresh(program: Program) -> None:
    # In a thread: building the index would hold up every answer, and all of it at once the first one.
    await asyncio.sleep(RELOAD_SECONDS)
    await asyncio.to_thread(program.app.edition.index.warm)
    await asyncio.to_thread(_give_back)
    while True:
        await asyncio.to_thread(program.refresh)
        await asyncio.sleep(RELOAD_SECONDS)


def _give_back() -> None:
    """Let the system have the memory that reading and indexing content took: glibc would keep it, 5 MB."""
    # What a start left behind, a MB of it, is looked for once it has answered.
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    # Here, as no start needs it; where there is no such function, there is nothing to do.
    import ctypes

    with suppress(AttributeError, TypeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


async def _housekeep(program: Program) -> None:
    while True:
        try:
            await program.housekeep()
        except Exception as error:  # noqa: BLE001 - the next hour is another chance
            log.error("housekeeping failed error=%s", named(error))
        await asyncio.sleep(HOUSEKEEPING_SECONDS)


async def answer_all(settings: Settings, questions: Sequence[str]) -> list[dict[str, object]]:
    """What a private chat would answer to each question: `id`, `choices` and `guard`."""
    program = Program(replace(settings, database_url="sqlite://"))
    answers = await answer_each(program.app, questions)
    await program.store.close()
    return answers


async def answer_each(app: App, questions: Sequence[str]) -> list[dict[str, object]]:
    """Like `answer_all`, of an app that runs already; every question comes from a chat of its own."""
    facts = console.ConsoleFacts()
    answers: list[dict[str, object]] = []
    for number, question in enumerate(questions):
        request = Request("console", str(number), str(number), text=question)
        reply = await app.handle(request, facts) or Reply()
        choices = [choice.entry_id for choice in reply.choices]
        answers.append({"id": reply.entry_id, "choices": choices, "guard": reply.guard})
    return answers


async def agenda(settings: Settings, count: int) -> list[str]:
    """Subscriptions as lines, those to be looked at first on top; readable while the bot runs."""
    store = SqlStore(settings.database_url, Use.LOOK)
    held, now = await store.agenda(count), _now()
    await store.close()
    return [_line(subscription, now) for subscription in held]


async def votes(settings: Settings, days: int) -> list[Tally]:
    """The thumbs of today and the days before, `days` in all; readable while the bot runs."""
    store = SqlStore(settings.database_url, Use.LOOK)
    tallies = await store.votes(_now().date() - timedelta(days=days - 1))
    await store.close()
    return tallies


async def questions(settings: Settings) -> list[Question]:
    """What people sent to the editors, the oldest first; readable while the bot runs."""
    store = SqlStore(settings.database_url, Use.LOOK)
    kept = await store.questions()
    await store.close()
    return kept


async def clear_questions(settings: Settings, through: int) -> int:
    """Delete the questions up to that id, while the bot runs or not; how many those were."""
    store = SqlStore(settings.database_url, Use.LOOK)
    gone = await store.clear_questions(through)
    await store.close()
    return gone


def _line(held: Subscription, now: datetime) -> str:
    """`due        telegram:-100  2026-11-23 08:00 UTC  09:00 Europe/Berlin`; private chats stay unnamed."""
    state = held.standing.value
    if held.next_due:
        state = "due" if held.next_due <= now else "next"
    chat = f"{held.platform}:{'private' if held.private else held.chat_key}"
    when = f"{held.next_due:%Y-%m-%d %H:%M} UTC" if held.next_due else held.reason or "-"
    return f"{state:<10} {chat:<28} {when:<21} {held.plan.at:%H:%M} {held.plan.zone}"


def _now() -> datetime:
    return datetime.now(UTC)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    # The first two tell of a replaced file whose size and time were kept.
    return (status.st_ino, status.st_ctime_ns, status.st_mtime_ns, status.st_size)


def _secret(settings: Settings) -> bytes:
    """The key that scrambles private chats: from a token, so that the database alone tells nobody."""
    token = settings.telegram_token or settings.discord_token or "console"
    return hashlib.sha256(f"private chats {token}".encode()).digest()
