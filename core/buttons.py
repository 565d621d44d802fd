"""What the buttons under answers do: one function for each, and the table they stand in."""

import re
from dataclasses import replace

from core.card import more_card
from core.chat import Request
from core.daily_commands import daily_pressed
from core.feedback import dont_send, preview_question, send_question, thumb_down, thumb_up
from core.listen import UNASKED, with_marked_buttons
from core.outcome import aside, chosen, none, random_entry, shareable, stale, topic_list, withdrawn
from core.reply import Button, Deed, Reply
from core.turn import Answer, Turn

PAGE = 8
"""Entries shown at once under a topic: a phone screen of buttons."""

PAGE_NUMBER = "[0-9]{1,3}"
"""No content file has room for the entries of more pages."""


async def another(turn: Turn) -> Reply:
    """A further random entry, posted anew under the card whose button was pressed."""
    if turn.words not in ("myth", "fact"):
        return stale(turn)
    return replace(await random_entry(turn, turn.words), answers=turn.request.message_key)


async def more(turn: Turn) -> Reply:
    """Everything behind an entry, in place or for the presser alone."""
    entry = turn.edition.content.entry(turn.words)
    if not entry:
        return withdrawn(turn)
    card = more_card(turn.edition.content, entry, turn.deps.phrases)
    return aside(turn, replace(card, buttons=()) if turn.request.can_whisper else card)


async def show(turn: Turn) -> Reply:
    """An entry in place of the message whose button was pressed."""
    entry = turn.edition.content.entry(turn.words)
    if not entry:
        return withdrawn(turn)
    return replace(chosen(turn, entry), deed=Deed.EDIT)


async def checked(turn: Turn) -> Reply:
    """An entry picked for a claim, in place, still for the presser alone."""
    return shareable(turn, await show(turn))


async def share(turn: Turn) -> Reply:
    """An entry for everybody, from an answer that only the presser sees."""
    entry = turn.edition.content.entry(turn.words)
    if not entry:
        return withdrawn(turn)
    if not turn.request.may_share:
        return Reply(title=turn.say("share.kept"), whisper=True)
    return replace(chosen(turn, entry), aloud=True)


async def related(turn: Turn) -> Reply:
    """The neighbours of an entry, in place or for the presser alone."""
    entry = turn.edition.content.entry(turn.words)
    if not entry:
        return withdrawn(turn)
    near = [turn.edition.content.entry(other) for other in entry.related]
    rows = [(Button(other.title, f"show:{other.id}"),) for other in near if other]
    if not turn.request.can_whisper:
        rows.append((Button(turn.say("button.back"), f"show:{entry.id}"),))
    return aside(turn, Reply(title=turn.say("choose.related", title=entry.title), buttons=tuple(rows)))


async def category(turn: Turn) -> Reply:
    """The entries of a topic, a page at a time."""
    category_id, _, page = turn.words.partition(":")
    content = turn.edition.content
    heading = next((c for c in content.categories if c.id == category_id), None)
    if not heading or not re.fullmatch(PAGE_NUMBER, page):
        return stale(turn)
    entries = [entry for entry in content.entries if entry.category == category_id]
    first = int(page) * PAGE
    rows = [(Button(entry.title, f"show:{entry.id}"),) for entry in entries[first : first + PAGE]]
    if first + PAGE < len(entries):
        rows.append((Button(turn.say("button.page"), f"cat:{category_id}:{int(page) + 1}"),))
    rows.append((Button(turn.say("button.topics"), "topics"),))
    return Reply(deed=Deed.EDIT, title=heading.title, buttons=tuple(rows))


async def topics_again(turn: Turn) -> Reply:
    """The categories, in place."""
    return replace(topic_list(turn), deed=Deed.EDIT)


async def none_of_these(turn: Turn) -> Reply:
    """The honest none, in place of a choice that held nothing right."""
    return replace(none(turn), deed=Deed.EDIT)


async def unasked(turn: Turn) -> Reply:
    """A button under an answer that nobody asked for, which a thumb down takes away."""
    reply = await pressed(replace(turn, request=replace(turn.request, action=turn.words)))
    if turn.words.startswith("down:"):
        return Reply(deed=Deed.DELETE, title=turn.say("listen.removed"))
    return with_marked_buttons(reply) if reply.deed is Deed.EDIT else reply


ACTIONS: dict[str, Answer] = {
    "next": another,
    "more": more,
    "show": show,
    "check": checked,
    "share": share,
    "rel": related,
    "cat": category,
    "topics": topics_again,
    "none": none_of_these,
    "up": thumb_up,
    "down": thumb_down,
    "editors": preview_question,
    "send": send_question,
    "unsent": dont_send,
    "daily": daily_pressed,
    UNASKED: unasked,
}
"""By what a button's action starts with; they are on old messages, so never rename one."""


PASSES_ON = ("editors", "send")
"""Buttons that pass on what the message under which they stand quotes: safety looks at that as if typed."""


def passed_on(request: Request) -> str | None:
    """The words that a pressed button is about to pass on, if it does that."""
    # However often it is put in front: nobody else makes sure that these words are looked at.
    name = (request.action or "").replace(f"{UNASKED}:", "").partition(":")[0]
    return request.quoted if name in PASSES_ON else None


async def pressed(turn: Turn) -> Reply:
    """Answer a button; one that no version ever made gets a kind word."""
    name, _, words = (turn.request.action or "").partition(":")
    answer = ACTIONS.get(name)
    return await answer(replace(turn, words=words)) if answer else stale(turn)
