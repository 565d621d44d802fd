"""What people say about answers: thumbs up and down, and questions for the editors."""

import logging
from datetime import UTC

from core.content import Entry
from core.errors import BadInput, StoreError, StoreTrouble, named
from core.outcome import own_question, stale, withdrawn
from core.reply import Block, Button, Deed, Reply, Style
from core.turn import Turn

log = logging.getLogger(__name__)

QUESTIONS_A_DAY = 5
"""That one chat may send to the editors."""

QUESTIONS_KEPT = 1_000
"""More than editors read in a sitting; beyond that, whoever runs the bot is told in the log."""


async def thumb_up(turn: Turn) -> Reply:
    """The answer helped."""
    return await _vote(turn, "up")


async def thumb_down(turn: Turn) -> Reply:
    """The answer did not help."""
    return await _vote(turn, "down")


async def count_thumb(turn: Turn, entry: Entry, way: str) -> None:
    """Count the presser's thumb, `up` or `down`, on the message whose button was pressed."""
    request, deps = turn.request, turn.deps
    ballot = (request.platform, request.chat_key, request.message_key, request.actor_key, entry.id)
    await deps.ballots.cast(deps.store, ballot, entry.id, is_up=way == "up", at=deps.clock())


async def _vote(turn: Turn, way: str) -> Reply:
    entry = turn.edition.content.entry(turn.words)
    if not entry:
        return withdrawn(turn)
    said = f"vote.{way}"
    try:
        await count_thumb(turn, entry, way)
    except (StoreTrouble, StoreError) as error:
        log.error("vote not counted error=%s", named(error))
        said = "vote.lost"
    return Reply(deed=Deed.TOAST, whisper=True, title=turn.say(said))


async def preview_question(turn: Turn) -> Reply:
    """Exactly what the editors would get, before anything is stored."""
    question = own_question(turn)
    if question is None:
        return stale(turn)
    day = turn.deps.clock().astimezone(UTC).date().isoformat()
    choices = (Button(turn.say("button.send"), "send"), Button(turn.say("button.unsent"), "unsent"))
    return Reply(
        deed=Deed.EDIT,
        title=turn.say("editors.title"),
        blocks=(
            Block(turn.say("editors.what", day=day)),
            Block(question, style=Style.QUOTE),
            Block(turn.say("editors.final")),
        ),
        buttons=(choices,),
    )


async def send_question(turn: Turn) -> Reply:
    """Store the question that the preview showed, and the day."""
    question = own_question(turn)
    if question is None:
        return stale(turn)
    deps, chat = turn.deps, turn.chat_key()
    today = deps.clock().astimezone(UTC).date()
    day, count = deps.sent.get(chat) or (today, 0)
    if day == today and count >= QUESTIONS_A_DAY:
        raise BadInput("editors.enough")
    if not await deps.store.keep_question(question, today, QUESTIONS_KEPT):
        log.warning("no room for a question kept=%d; see: ketafacts questions --clear", QUESTIONS_KEPT)
        raise BadInput("editors.full")
    deps.sent.set(chat, (today, count + 1 if day == today else 1))
    return _topics_below(turn, "sent")


async def dont_send(turn: Turn) -> Reply:
    """Leave the editors alone."""
    return _topics_below(turn, "unsent")


def _topics_below(turn: Turn, outcome: str) -> Reply:
    return Reply(
        deed=Deed.EDIT,
        title=turn.say(f"editors.{outcome}"),
        blocks=(Block(turn.say(f"editors.{outcome}_text")),),
        buttons=((Button(turn.say("button.topics"), "topics"),),),
    )
