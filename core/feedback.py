"""What people say about answers: thumbs up and down."""

import logging

from core.content import Entry
from core.errors import StoreError, StoreTrouble, named
from core.outcome import withdrawn
from core.reply import Deed, Reply
from core.turn import Turn

log = logging.getLogger(__name__)


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
