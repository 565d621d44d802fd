"""Answers to questions that nobody put to the bot, in groups whose admins turned that on."""

import re
from dataclasses import replace
from datetime import timedelta

from core.edition import Edition
from core.errors import BadInput, StoreError, StoreTrouble
from core.outcome import matched
from core.reply import Block, Button, Reply, Style
from core.turn import Turn
from core.words import words

COOLDOWN = timedelta(minutes=10)
"""Between two such answers in a chat."""

REPEAT = timedelta(hours=24)
"""How long such an answer's entry stays unsaid in the chat."""

LEAST_WORDS = 3
"""A word or two with a question mark ("Insurance costs?") belong to what people said before."""

LISTENS, TOLD = "listen", "told"
"""Marks of a chat: its admins want such answers; it was told what the bot needs to see plain text."""

UNASKED = "unasked"
"""Starts the actions of buttons under such an answer; they are on old messages, so never rename it."""

_ASKS = re.compile(r"[?\N{FULLWIDTH QUESTION MARK}\N{ARABIC QUESTION MARK}](?!\w)")
_TO_SOMEBODY = re.compile(r"(?<!\w)@\w")


async def listen(turn: Turn) -> Reply:
    """Say in words whether the bot listens here and what that means; `on` and `off` change it."""
    request, store, key = turn.request, turn.deps.store, turn.chat_key()
    if request.private or request.broadcast:
        raise BadInput("listen.groups")
    wish = turn.words.strip().lower()
    if wish not in ("", "on", "off"):
        raise BadInput("listen.unclear")
    if wish and not await turn.facts.is_admin(request):
        raise BadInput("listen.admins")
    if wish:
        await (store.mark if wish == "on" else store.unmark)(key, LISTENS)
    hears = await turn.facts.hears(request)
    if wish == "on" and not hears:
        await store.mark(key, TOLD)
    is_on = LISTENS in await store.marks(key)
    state = "off" if not is_on else "on" if hears else "deaf"
    needs = Block(turn.say("listen.hears" if hears else "needs.plain_text"))
    return Reply(
        title=turn.say(f"listen.{state}"),
        blocks=(
            replace(needs, style=Style.STRONG) if state == "deaf" else needs,
            Block(turn.say(f"listen.{state}_text")),
            Block(turn.say("listen.limits")),
            Block(turn.say("listen.danger")),
            Block(turn.say("listen.kept")),
            Block(turn.say("listen.on_how" if is_on else "listen.off_how")),
        ),
    )


async def explain_needs(turn: Turn) -> Reply | None:
    """What the bot lacks to see plain text in the group, said once in each."""
    store, key = turn.deps.store, turn.chat_key()
    if TOLD in await store.marks(key) or await turn.facts.hears(turn.request):
        return None
    await store.mark(key, TOLD)
    return Reply(blocks=(Block(turn.say("needs.plain_text")),), quiet=True)


async def listens(turn: Turn) -> bool:
    """Whether the bot may speak up in the chat; as it was last, where the database can't tell."""
    deps, key = turn.deps, turn.chat_key()
    known, revision = deps.listening.get(key), deps.store.revision
    if known and known[0] == revision:
        return known[1]
    try:
        is_on = LISTENS in await deps.store.marks(key)
    except (StoreTrouble, StoreError):
        # Nobody asked anything, so nobody is told; the log has it from those who did.
        return known is not None and known[1]
    deps.listening.set(key, (revision, is_on))
    return is_on


def speak_up(turn: Turn) -> Reply | None:
    """The one entry that surely answers what was asked of the group, if it is time for one."""
    request, deps = turn.request, turn.deps
    if request.replied_text is not None:
        return None
    key, now = turn.chat_key(), deps.clock()
    said = tuple(one for one in deps.unasked.get(key) or () if now - one[1] < REPEAT)
    if said and now - said[-1][1] < COOLDOWN:
        return None
    entry = turn.edition.content.entry(sure_answer(turn.edition, request.text) or "")
    if entry is None or entry.id in dict(said):
        return None
    deps.unasked.set(key, (*said, (entry.id, now)))
    return with_marked_buttons(matched(turn, entry))


def sure_answer(edition: Edition, text: str) -> str | None:
    """The entry that a group which lets the bot listen gets for the text, if no guard stops that."""
    return edition.index.unasked(text) if asks_the_group(text) else None


def asks_the_group(text: str) -> bool:
    """Whether the text is a question, and to nobody by name."""
    return bool(_ASKS.search(text) and not _TO_SOMEBODY.search(text) and len(words(text)) >= LEAST_WORDS)


def with_marked_buttons(reply: Reply) -> Reply:
    """The reply with buttons that know, even after a restart, that nobody asked for it."""
    rows = tuple(
        tuple(Button(button.label, f"{UNASKED}:{button.action}") for button in row) for row in reply.buttons
    )
    return replace(reply, buttons=rows)
