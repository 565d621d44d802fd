"""The one way in: safety first, then the command or button, then the last-resort error."""

import asyncio
import logging
import re
import secrets
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.buttons import passed_on, pressed
from core.card import crisis_brief, crisis_card, declined_card
from core.chat import Facts, Request, Surface
from core.commands import COMMANDS, Command, ask, suggest
from core.daily_commands import change_standing
from core.edition import Edition
from core.errors import BadInput, named
from core.inline import linked_entry, linked_guard, post_entries, private_link, step_aside
from core.listen import explain_needs, listens, speak_up
from core.post import suspension_card
from core.reply import Block, Deed, Reply
from core.safety import CLASSIFIER, GUARDS
from core.store import Standing, Subscription
from core.talk import Talk, heard
from core.turn import Deps, Turn

log = logging.getLogger(__name__)

SHORT_FORM = timedelta(minutes=10)
"""How long after a full crisis card the same chat gets the short form."""

REMEMBERED_CRISES = 10_000
"""Chats whose last crisis card is remembered, in memory only."""

_COMMAND = re.compile(r"/(?P<name>[a-zA-Z0-9_]{1,32})(?:@\w+)?(?=\s|$)(?P<words>.*)", re.DOTALL)
_BY_NAME = {command.name: command for command in COMMANDS}


class App:
    """Answers requests from the edition that is current."""

    def __init__(self, edition: Edition, deps: Deps) -> None:
        self.edition = edition
        self._deps = deps
        self._crises: OrderedDict[str, datetime] = OrderedDict()
        self._standing = asyncio.Lock()

    async def handle(self, request: Request, facts: Facts) -> Reply | None:
        """The answer, or None where the bot has nothing to say."""
        try:
            turn = Turn(request, self.edition, self._deps, facts)
            look = _look(turn)
            reply = self._met(turn, look) or await _answer(replace(turn, in_doubt=look.in_doubt))
            if reply is None and not request.addressed:
                reply = await self._overheard(turn, speak_up)
        except BadInput as error:
            said = self._deps.phrases.say(error.key, **error.fields)
            # Where others read too, a refusal is nothing to call them for.
            pressed_among_others = request.action is not None and not request.private
            reply = Reply(
                deed=Deed.TOAST if pressed_among_others else Deed.SEND,
                title=said,
                whisper=request.can_whisper,
                quiet=not request.private,
            )
        except Exception as error:  # noqa: BLE001 - the last resort: nobody is shown a traceback
            reply = self._apology(error, request)
        if reply and request.thread and reply.thread is None:
            reply = replace(reply, thread=request.thread)
        return reply

    async def urgent(self, request: Request, facts: Facts) -> Reply | None:
        """The crisis card, if what was typed calls for it: for a request that gets no other answer."""
        try:
            turn = Turn(request, self.edition, self._deps, facts)
            card = self._met(turn, _look(turn)) if request.addressed else await self._overheard(turn)
        except Exception as error:  # noqa: BLE001 - see `handle`
            return self._apology(error, request)
        if card is None or card.guard != "crisis":
            return None
        return replace(card, thread=request.thread)

    async def moved(self, platform: str, old_key: str, new_key: str) -> None:
        """Take over what is kept about a group that the platform has given another key."""
        await self._deps.store.move(f"{platform}:{old_key}", f"{platform}:{new_key}")
        await self._deps.store.move_subscription(platform, old_key, new_key)
        if said := self._deps.unasked.get(f"{platform}:{old_key}"):
            self._deps.unasked.drop(f"{platform}:{old_key}")
            self._deps.unasked.set(f"{platform}:{new_key}", said)

    async def joined(self, request: Request, facts: Facts) -> Reply | None:
        """What to tell a group that the bot has come into, if anything."""
        try:
            return await explain_needs(Turn(request, self.edition, self._deps, facts))
        except Exception as error:  # noqa: BLE001 - see `handle`; nobody asked, so nobody is told
            self._note(error)
            return None

    async def gone(
        self, platform: str, chat_key: str, reason: str, *, thread: str | None = None
    ) -> tuple[Subscription, Reply] | None:
        """The bot can't post to the chat, or to the thread alone: keep its settings, and stop trying.

        Returns whose post that ends and what its setter is to be told, the first time and where others read.
        """
        stands = Standing.SUSPENDED
        # One at a time: a channel that is deleted takes its threads along, and that is told once.
        async with self._standing:
            held = await change_standing(self._deps, platform, chat_key, stands, reason, thread=thread)
        if not held or held.private or not held.set_by:
            return None
        log.info("daily posts suspended reason=%s", reason)
        return held, suspension_card(held, reason, self._deps.phrases)

    async def returned(self, platform: str, chat_key: str, *was: str, thread: str | None = None) -> None:
        """The bot may post there again: go on where that, or one of the reasons `was`, had stopped it."""
        async with self._standing:
            await change_standing(self._deps, platform, chat_key, Standing.ACTIVE, was=was, thread=thread)

    def _met(self, turn: Turn, look: "_Look") -> Reply | None:
        """The card of the guard that stops a request, if one does."""
        guard, surface = look.guard, turn.request.surface
        if guard is None:
            return None
        if surface is Surface.AUTOCOMPLETE:
            return Reply(guard=guard)
        if surface is Surface.INLINE:
            return step_aside(guard, turn.deps.phrases)
        if guard != "crisis":
            # How to get treated is the one thing to read for who asks where to buy.
            is_shown = guard == "dosing" and not look.in_doubt
            nearest = turn.edition.index.find(look.words).nearest if is_shown else None
            content, phrases = turn.edition.content, turn.deps.phrases
            return declined_card(content, guard, phrases, nearest, in_doubt=look.in_doubt)
        return self._crisis(turn)

    async def _overheard(
        self, turn: Turn, answer: Callable[[Turn], Reply | None] | None = None
    ) -> Reply | None:
        """What a message that nobody put to the bot gets where it listens: help in danger, or an `answer`.

        Doses and sellers are not its business unless it is asked: what members may talk about is
        for the group's admins to say, and a refusal to nobody would only be noise.
        """
        request = turn.request
        if request.surface is not Surface.MESSAGE or request.private or not await listens(turn):
            return None
        look = _look_at(turn, request.text)
        if look.guard == "crisis":
            return self._crisis(turn)
        return answer(turn) if answer and look.guard is None and not look.in_doubt else None

    def _crisis(self, turn: Turn) -> Reply:
        request = turn.request
        seen_alone = request.private or request.can_whisper
        card = crisis_card if seen_alone and self._is_first_crisis(turn) else crisis_brief
        link = "" if request.private else private_link(request, "crisis")
        shown = card(turn.edition.content, turn.deps.phrases, link)
        return replace(shown, whisper=request.can_whisper, apart=not seen_alone)

    def _is_first_crisis(self, turn: Turn) -> bool:
        # What one person alone was shown, another in the same chat hasn't seen.
        key, now = turn.actor_key(), turn.deps.clock()
        last = self._crises.get(key)
        if last is not None and now - last < SHORT_FORM:
            return False
        self._crises[key] = now
        self._crises.move_to_end(key)
        while len(self._crises) > REMEMBERED_CRISES:
            self._crises.popitem(last=False)
        return True

    def _note(self, error: Exception) -> str:
        """Log what went wrong; returns the reference that finds it again."""
        reference = secrets.token_hex(4)
        # Neither the error's words nor its locals: they may hold what a person typed.
        frames = traceback.extract_tb(error.__traceback__)
        stack = " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        log.error("reference=%s error=%s stack=%s", reference, named(error), stack)
        return reference

    def _apology(self, error: Exception, request: Request) -> Reply | None:
        reference = self._note(error)
        if not request.addressed:
            return None
        say = self._deps.phrases.say
        return Reply(
            title=say("error.title"),
            blocks=(Block(say("error.text", reference=reference)),),
            whisper=request.can_whisper,
        )


@dataclass(frozen=True, slots=True)
class _Typed:
    """What was typed: a command and its words, or words alone; `is_slashed` if it began as a command does."""

    command: Command | None
    words: str
    is_slashed: bool


def _command(name: str, platform: str) -> Command | None:
    command = _BY_NAME.get(name.lower())
    return command if command and command.is_on(platform) else None


def _typed(text: str, platform: str) -> _Typed:
    match = _COMMAND.match(text.strip())
    if match:
        command = _command(match["name"], platform)
        return _Typed(command, match["words"].strip() if command else text, is_slashed=True)
    # "help", "topics" and "stop" mean the command; "forget" and "ask" may be anything.
    command = _command(text.strip(), platform)
    is_harmless = (
        command is not None and command.takes != "question" and (not command.admins or command.name == "stop")
    )
    return _Typed(command if is_harmless else None, "" if is_harmless else text, is_slashed=False)


@dataclass(frozen=True, slots=True)
class _Look:
    """What the guards make of a request: who stops it, by which words, or whether they have a doubt."""

    guard: str | None = None
    words: str = ""
    in_doubt: bool = False


def _look(turn: Turn) -> _Look:
    """What the guards make of what was typed to the bot, or is to be passed on."""
    request = turn.request
    said = request.text if request.action is None else passed_on(request)
    return _Look() if said is None or not request.addressed else _look_at(turn, said)


def _look_at(turn: Turn, said: str) -> _Look:
    """What the guards make of what was said, without the command before it."""
    typed = _typed(said, turn.request.platform)
    command, text = typed.command, typed.words
    if command and command.name == "start":
        guard = linked_guard(text)
        if guard in GUARDS:
            return _Look(guard)
        if linked_entry(text, turn):
            return _Look()
    if command and command.takes == "claim":
        replied = turn.request.replied_text or ""
        if turn.edition.guards.check(replied).guard == "crisis":
            return _Look("crisis")
        text = text or replied
    ruling = turn.edition.check(text)
    sets = command and command.takes == "daily" and turn.request.surface is not Surface.INLINE
    if sets and (ruling.guard != "crisis" or ruling.rule == CLASSIFIER):
        # Settings, not questions: a time and a number of weeks look like a dose to the classifier.
        return _Look()
    return _Look(ruling.guard, text, ruling.in_doubt)


async def _answer(turn: Turn) -> Reply | None:
    request = turn.request
    if request.action is not None:
        return await pressed(turn)
    typed = _typed(request.text, request.platform)
    if request.surface is Surface.INLINE:
        return await post_entries(replace(turn, words=typed.words))
    if typed.command and (typed.is_slashed or request.addressed):
        run = suggest if request.surface is Surface.AUTOCOMPLETE else typed.command.run
        return await run(replace(turn, words=typed.words))
    if typed.is_slashed:
        # In a group the command may be meant for another bot, unless only the actor could see the answer.
        if request.private or request.can_whisper:
            return Reply(title=turn.say("command.unknown"), whisper=request.can_whisper)
        return None
    if request.addressed and request.text.strip() and request.surface is Surface.MESSAGE:
        if not request.private and heard(request.text) is Talk.REACTION:
            # Everybody there would read the answer to somebody's "lol".
            return None
        return await ask(replace(turn, words=request.text))
    return None
