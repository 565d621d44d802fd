"""Nothing that people type or are called is kept, logged or printed, whatever route it takes.

Marks go in by every route of both adapters, through the real libraries; they
must be in no table, no byte of the database's files, no line of any log and
nothing that is printed. New commands, options, buttons and kinds of update
take part by standing in their tables; a table that nobody drives fails.
"""

import asyncio
import gc
import io
import logging
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql

from bots.cli import _parser, main
from bots.console import ConsoleFacts, chat
from bots.discord_menu import slash_commands
from bots.logs import OURS, start_logging
from bots.telegram_view import ALLOWED_UPDATES
from core.app import App
from core.buttons import ACTIONS
from core.chat import Facts, Request, Surface
from core.commands import COMMANDS, Command, ask
from core.edition import Edition
from core.listen import LISTENS, UNASKED
from core.reply import Reply
from core.store import Drawn
from tests import canary, discord_wire
from tests.canary import Marks
from tests.room import EDITION, PHRASES, FixedFacts, Room
from tests.stage import UNLIMITED
from tests.wire import Wire, message, press, refusal, serving

FEW = canary.QUESTIONS[:1]
"""Where handling fails, whatever was typed."""

PRESSES = 3
"""Of each kind of button, wherever it stands."""

WAVES = 3
"""How deep buttons are pressed: a choice, the honest none, the preview."""


LISTS_NOTHING = {"run", "console", "check", "find", "answer", "schema"}
"""Commands of the program that never look into the database, or run until they are stopped."""

ON_TELEGRAM = {Surface.MESSAGE, Surface.BUTTON, Surface.INLINE}
ON_DISCORD = {Surface.MESSAGE, Surface.BUTTON, Surface.AUTOCOMPLETE, Surface.MENU}


class Raising:
    """Fails at whatever it is asked for, with what it was given in the error's words, as libraries do."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*given: object, **named: object) -> Any:
            raise RuntimeError(f"{name} {given} {named}")

        return fail


class RaisingApp(App):
    """Fails where nothing in core is left to catch it."""

    async def handle(self, request: Request, facts: Facts) -> Reply | None:
        raise RuntimeError(f"{request}")


class Watched:
    """An app that notes what reaches it."""

    def __init__(self, app: App, reached: list[Request]) -> None:
        self._app, self._reached = app, reached

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    async def handle(self, request: Request, facts: Facts) -> Reply | None:
        self._reached.append(request)
        return await self._app.handle(request, facts)


class Records(logging.Handler):
    """The project's own log as it is before anything is left out of it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.exc_info}")


@dataclass
class Watch:
    """All that may be looked at after a run.

    Attributes:
        log: what the program's own logging writes, with every library at DEBUG.
        own: the project's records, raw.
        handlers: where the program's logging writes.
        reached: the requests that core got.
    """

    room: Room
    folder: Path
    log: io.StringIO
    own: Records
    handlers: list[logging.Handler]
    marks: Marks = field(default_factory=Marks)
    reached: list[Request] = field(default_factory=list)

    def open(self, fault: Callable[[Room], None]) -> None:
        """Break the room as told, and note from now on what reaches it."""
        # pytest keeps whatever is logged, with all that it holds.
        logging.root.handlers[:] = self.handlers
        fault(self.room)
        self.room.app = Watched(self.room.app, self.reached)  # type: ignore[assignment]

    def in_database(self) -> list[str]:
        """Routes whose marks are in a table, or in any byte of the database's files."""
        with closing(sqlite3.connect(self.folder / "bot.db")) as database:
            rows = "\n".join(database.iterdump())
        files = b"".join(path.read_bytes() for path in sorted(self.folder.iterdir()))
        return self.marks.found(rows) + self.marks.found(files)

    def in_memory(self) -> list[str]:
        """Routes whose marks the process still knows, apart from what this watch itself keeps."""
        self.reached.clear()
        # What `run` has frozen, in any test before, would not be looked through.
        gc.unfreeze()
        gc.collect()
        held = {id(text): text for holder in gc.get_objects() for text in _texts_in(holder)}
        return self.marks.found("\n".join(held.values()))

    def in_logs(self) -> list[str]:
        return self.marks.found(self.log.getvalue()) + self.marks.found("\n".join(self.own.lines))


def _texts_in(holder: object) -> Iterator[str]:
    """Texts right in a thing, or in what it holds that the garbage collector does not know by itself."""
    # The collector itself passes over keys that are texts.
    keys = list(holder) if isinstance(holder, dict) else []
    for held in (*keys, *gc.get_referents(holder)):
        if isinstance(held, str | bytes):
            text = held if isinstance(held, str) else held.decode("latin-1")
            if canary.PREFIX in text:
                yield text
        elif not gc.is_tracked(held) and isinstance(held, dict | tuple):
            yield from _texts_in(held)


@pytest.fixture
async def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watch]:
    """A room on a database file, with the program's own logging and nothing else's, at its most talkative."""
    handlers, levels = logging.root.handlers[:], {name: logging.getLogger(name).level for name in ("", *OURS)}
    logging.root.handlers[:] = []
    log, own = io.StringIO(), Records()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", log)
        start_logging("DEBUG", ["token"])
    logging.root.setLevel(logging.DEBUG)
    for name in OURS:
        logging.getLogger(name).addHandler(own)
    room = Room(database=f"sqlite:///{tmp_path / 'bot.db'}")
    await room.store.mark(f"telegram:{canary.LISTENING}", LISTENS)
    yield Watch(room, tmp_path, log, own, logging.root.handlers[:])
    await room.store.close()
    for name in OURS:
        logging.getLogger(name).removeHandler(own)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.root.handlers[:] = handlers


@pytest.fixture
async def wire(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[discord_wire.Wire]:
    async with discord_wire.open_to_library(monkeypatch) as opened:
        yield opened


def break_nothing(_room: Room) -> None:
    pass


def break_search(room: Room) -> None:
    room.app.edition = replace(EDITION, index=Raising(), completions=Raising())  # type: ignore[arg-type]


def break_guards(room: Room) -> None:
    room.app.edition = replace(EDITION, guards=Raising())  # type: ignore[arg-type]


def break_store(room: Room) -> None:
    room.app = App(room.app.edition, replace(room.app._deps, store=Raising()))  # type: ignore[arg-type]


def break_app(room: Room) -> None:
    room.app = RaisingApp(EDITION, room.app._deps)


FAULTS = (break_search, break_guards, break_store, break_app)


async def idle() -> None:
    """Until everything that came has been dealt with."""
    async with asyncio.timeout(60):
        while any(_is_answering(task) for task in asyncio.all_tasks()):  # noqa: ASYNC110 - not ours to signal
            await asyncio.sleep(0.01)


def _is_answering(task: asyncio.Task[Any]) -> bool:
    return getattr(task.get_coro(), "__qualname__", "") in ("Desk._attend", "_logged")


async def through_telegram(watch: Watch, questions: tuple[str, ...]) -> Wire:
    """Every update that people can cause, then every button of the answers that came."""
    routes, telegram = canary.Telegram(watch.marks, COMMANDS, ACTIONS), Wire()
    echo = watch.marks.new("telegram error")
    telegram.failures = {
        method: [refusal(400, f'Bad Request: can\'t parse "{echo}"'), RuntimeError(echo)]
        for method in ("sendmessage", "editmessagetext", "answerinlinequery", "getchatmember")
    }
    async with serving(telegram, watch.room, UNLIMITED):
        for update in routes.updates(questions):
            telegram.push(**update)
        await telegram.until(telegram.updates.empty, 30)
        await idle()
        done: Counter[str] = Counter()
        for _wave in range(WAVES):
            calls = [call for call in telegram.of("sendmessage", "editmessagetext") if "reply_markup" in call]
            for call in calls:
                # More in one chat would have to wait for its limit.
                for action in islice(
                    _fresh(call["reply_markup"]["inline_keyboard"], "callback_data", done), 2
                ):
                    telegram.push(**routes.press_under(call, action))
            await telegram.until(telegram.updates.empty, 30)
            await idle()
    return telegram


async def through_discord(watch: Watch, wire: discord_wire.Wire, questions: tuple[str, ...]) -> None:
    """The same there."""
    routes = canary.Discord(watch.marks, slash_commands(PHRASES), ACTIONS)
    error = watch.marks.new("discord error")
    echo = {"code": 50035, "message": error, "errors": {error: error}}
    wire.faults = [discord_wire.Fault(path, 400, body=echo) for path in ("/messages", "/callback")]
    async with discord_wire.serving(wire, watch.room):
        for event, payload in routes.events(questions):
            await wire.bring(event, payload)
        await _read(watch, wire)
        done: Counter[str] = Counter()
        for _wave in range(WAVES):
            for shown in [shown for shown in wire.shown if shown.get("components")]:
                rows = [row["components"] for row in shown["components"]]
                for action in _fresh(rows, "custom_id", done):
                    await wire.interact(routes.press_under(shown, action)[1])
            await _read(watch, wire)


async def _read(watch: Watch, wire: discord_wire.Wire) -> None:
    """Until the bot has taken everything that was sent."""
    last = f"/about {watch.marks.new('last')}"
    await wire.interact(discord_wire.slash("about", last.removeprefix("/about ")))
    await wire.until(lambda: any(request.text == last for request in watch.reached), 60)
    await idle()


def _fresh(rows: list[list[dict[str, Any]]], key: str, done: Counter[str]) -> Iterator[str]:
    """Buttons of kinds that were hardly pressed yet, but for the one that may store what it stands under."""
    for button in (button for row in rows for button in row):
        action = button.get(key, "")
        kind = action.partition(":")[0]
        if action and action != canary.SENDS and done[kind] < PRESSES:
            done[kind] += 1
            yield action


def nowhere(watch: Watch, printed: str) -> None:
    assert watch.in_logs() == []
    assert watch.in_database() == []
    assert watch.marks.found(printed) == []


class RaisingFacts:
    """A platform that answers no question, in words that quote what it was asked about."""

    async def is_admin(self, request: Request) -> bool:
        raise RuntimeError(f"{request}")

    async def may_post(self, request: Request) -> bool:
        raise RuntimeError(f"{request}")

    async def hears(self, request: Request) -> bool:
        raise RuntimeError(f"{request}")


def looking_up_once(edition: Edition) -> Edition:
    """The same edition, which weighs and searches a text the first time and remembers the result."""
    index, guards = copy(edition.index), copy(edition.guards)
    index.find, guards.weigh = cache(index.find), cache(guards.weigh)  # type: ignore[method-assign]
    return replace(edition, index=index, guards=guards)


@pytest.mark.parametrize("facts", [FixedFacts(admin=True), RaisingFacts()])
@pytest.mark.parametrize("fault", [break_nothing, break_store])
async def test_core_keeps_logs_and_prints_nothing_typed(
    watch: Watch, capfd: pytest.CaptureFixture[str], fault: Callable[[Room], None], facts: Facts
) -> None:
    # Each text comes on some fifty ways, and is read alike on all of them.
    watch.room.app.edition = looking_up_once(EDITION)
    watch.open(fault)
    for request in canary.requests(watch.marks, COMMANDS, ACTIONS):
        await watch.room.app.handle(request, facts)
        await watch.room.app.urgent(request, facts)
    nowhere(watch, str(capfd.readouterr()))


@pytest.mark.parametrize("fault", [break_nothing, *FAULTS])
async def test_nothing_typed_on_telegram_is_kept_logged_or_printed(
    watch: Watch, capfd: pytest.CaptureFixture[str], fault: Callable[[Room], None]
) -> None:
    watch.open(fault)
    telegram = await through_telegram(watch, canary.QUESTIONS if fault is break_nothing else FEW)
    # Where others read, nobody is quoted or named.
    aloud = [call.fields for call in telegram.calls if int(call.fields.get("chat_id", 0)) <= 0]
    assert aloud
    assert watch.marks.found(str(aloud)) == []
    assert {request.surface for request in watch.reached} >= ON_TELEGRAM
    if fault is break_nothing:
        assert PHRASES.say("editors.title") in str(telegram.of("editmessagetext"))
        overheard = [c for c in telegram.of("sendmessage") if int(c["chat_id"]) == canary.LISTENING]
        assert any(UNASKED in str(call) for call in overheard)
        assert any(PHRASES.say("crisis.title") in call["text"] for call in overheard)
    nowhere(watch, str(capfd.readouterr()))


@pytest.mark.parametrize("fault", [break_nothing, *FAULTS])
async def test_nothing_typed_on_discord_is_kept_logged_or_printed(
    watch: Watch, wire: discord_wire.Wire, capfd: pytest.CaptureFixture[str], fault: Callable[[Room], None]
) -> None:
    watch.open(fault)
    await through_discord(watch, wire, canary.QUESTIONS if fault is break_nothing else FEW)
    assert {request.surface for request in watch.reached} == ON_DISCORD
    alone = {p["d"].get("token") for p in wire.history if p["d"].get("context") == 1} | {discord_wire.DM}
    aloud = [sent.body for sent in wire.sent if not alone & set(sent.path.split("/"))]
    assert watch.marks.found(str(aloud)) == []
    nowhere(watch, str(capfd.readouterr()))


async def test_nothing_typed_in_the_terminal_is_kept_or_logged(
    watch: Watch, capfd: pytest.CaptureFixture[str]
) -> None:
    loop, out = asyncio.get_running_loop(), io.StringIO()
    watch.open(break_nothing)

    def answer(request: Request) -> Reply | None:
        asked = watch.room.app.handle(request, ConsoleFacts())
        return asyncio.run_coroutine_threadsafe(asked, loop).result()

    typed = [
        f"{lead} {question}".strip().format(watch.marks.new("console"))
        for lead in ("", *(f"/{command.name}" for command in COMMANDS))
        for question in canary.QUESTIONS
    ]
    # Every button but "Send it", which is the first under a preview.
    lines = [line for question in typed for line in (question, "2", "2", "3")]
    await asyncio.to_thread(chat, answer, PHRASES, lines, out, lambda: None)
    assert len(watch.reached) > len(typed)
    nowhere(watch, str(capfd.readouterr()))


async def test_nothing_typed_shows_in_what_the_program_lists(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    watch.open(break_nothing)
    await through_telegram(watch, FEW)
    (watch.folder / "content.yaml").symlink_to(Path(__file__).parent.parent / "content.yaml")
    monkeypatch.chdir(watch.folder)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{watch.folder / 'bot.db'}")
    commands = next(a.choices for a in _parser()._actions if isinstance(a.choices, dict))
    listing = commands.keys() - LISTS_NOTHING
    assert {"due", "votes", "questions"} <= listing
    for command in listing:
        assert await asyncio.to_thread(main, [command]) == 0
    nowhere(watch, str(capfd.readouterr()))


async def test_nothing_typed_stays_in_memory(watch: Watch, wire: discord_wire.Wire) -> None:
    watch.open(break_nothing)
    await through_telegram(watch, FEW)
    # Twice, as the first message that the bot sends is refused.
    await through_discord(watch, wire, FEW * 2)
    wire.forget()
    # The names of servers are in discord.py's cache of them.
    assert set(watch.in_memory()) <= {"discord server"}


async def test_what_a_person_sends_to_the_editors_is_found_where_it_belongs_and_nowhere_else(
    watch: Watch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The one text that may be stored, which shows that a stored text is found."""
    watch.open(break_nothing)
    telegram, person = Wire(), {"id": 7, "type": "private"}
    asked = watch.marks.new("sent to the editors")
    async with serving(telegram, watch.room, UNLIMITED):
        telegram.push(message=message(asked, person))
        await telegram.until(lambda: telegram.of("sendmessage"))
        for action in ("editors", canary.SENDS):
            shown = telegram.of("sendmessage", "editmessagetext")[-1]
            under = message(shown["text"], person, entities=shown["entities"])
            before = len(telegram.of("editmessagetext"))
            telegram.push(callback_query=press(action, under))
            await telegram.until(lambda count=before: len(telegram.of("editmessagetext")) > count)
    assert set(watch.in_database()) == {"sent to the editors"}
    assert watch.in_logs() == []
    assert watch.marks.found(str(capfd.readouterr())) == []


async def keep(room: Room, text: str) -> None:
    await room.store.draw("chat", "myth", lambda _seen: Drawn(text[:32]), room.now)


async def keep_and_delete(room: Room, text: str) -> None:
    await room.store.run(lambda connection: connection.execute(sql("PRAGMA secure_delete=OFF")))
    await keep(room, text)
    await room.store.forget("chat")


async def log_own(_room: Room, text: str) -> None:
    logging.getLogger("core.leak").debug("typed %s", text)


async def log_by_library(_room: Room, text: str) -> None:
    logging.getLogger("library").warning(f"typed {text}")  # noqa: G004 - as careless libraries do


async def log_error(_room: Room, text: str) -> None:
    try:
        int(text)
    except ValueError:
        logging.getLogger("bots.leak").exception("failed")


_KEPT: list[str] = []


async def remember(_room: Room, text: str) -> None:
    _KEPT.append(text)


@cache
def _known(_text: str) -> bool:
    return True


async def remember_a_result(_room: Room, text: str) -> None:
    _known(text)


async def show(_room: Room, text: str) -> None:
    print(text)


async def complain(_room: Room, text: str) -> None:
    print(text, file=sys.stderr)


class Leaking(App):
    """Lets out what it is told, as a careless command would."""

    leak: Callable[[str], Awaitable[None]]

    async def handle(self, request: Request, facts: Facts) -> Reply | None:
        await self.leak(request.text)
        return await super().handle(request, facts)


IN_MEMORY = (remember, remember_a_result)
LEAKS = (keep, keep_and_delete, log_own, log_by_library, log_error, show, complain, *IN_MEMORY)


@pytest.mark.parametrize("leak", LEAKS)
async def test_a_leak_is_found(
    watch: Watch, capfd: pytest.CaptureFixture[str], leak: Callable[[Room, str], Awaitable[None]]
) -> None:
    """Each of the looks above can fail."""
    app = Leaking(EDITION, watch.room.app._deps)
    app.leak = lambda text: leak(watch.room, text)
    watch.room.app = app
    watch.open(break_nothing)
    telegram = Wire()
    async with serving(telegram, watch.room, UNLIMITED):
        telegram.push(message=message(watch.marks.new("leaking route")))
        await telegram.until(lambda: telegram.of("sendmessage"))
    found = watch.in_logs() + watch.in_database() + watch.marks.found(str(capfd.readouterr()))
    if leak in IN_MEMORY:
        assert found == []
        telegram.calls.clear()
        gc.freeze()
        found = watch.in_memory()
        _KEPT.clear()
        _known.cache_clear()
    assert set(found) == {"leaking route"}


def test_every_kind_of_update_and_every_surface_is_driven() -> None:
    assert canary.Telegram.by_kind.keys() == set(ALLOWED_UPDATES)
    assert set(Surface) == ON_TELEGRAM | ON_DISCORD


def test_new_commands_options_and_buttons_take_part_by_standing_in_their_tables() -> None:
    marks, commands = Marks(), (*COMMANDS, Command("new", ask, "question"))
    updates = str(list(canary.Telegram(marks, commands, [*ACTIONS, "fresh"]).updates()))
    assert all(typed in updates for typed in ("/new is ketamine addictive", "'fresh:", "'fresh'"))
    option = {"type": 3, "name": "option"}
    registered = [{"type": 1, "name": "new", "options": [option]}, {"type": 3, "name": "New menu"}]
    events = str(list(canary.Discord(marks, registered, ["fresh"]).events()))
    assert all(typed in events for typed in ("'name': 'new'", "'name': 'New menu'", "'fresh:", "'fresh'"))
    assert {"discord /new option", "telegram /new is ketamine addictive {}"} <= set(marks.routes.values())
