"""What a search or a draw leads to: an entry, a choice of entries, or an honest none."""

import logging
import unicodedata
from dataclasses import replace

from core.card import help_line
from core.content import Entry
from core.errors import StoreError, StoreTrouble, named
from core.pick import draw_from
from core.reply import Block, Button, Choice, Deed, Reply, Style
from core.turn import Turn

log = logging.getLogger(__name__)

QUESTION_LETTERS = 500
"""The longest question that can be sent to the editors; room for a question, not for a life's story."""

_BREAKS = ("Cc", "Zl", "Zp")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Turns the direction of what follows, in an editor's terminal too (Unicode 17, Bidirectional Algorithm)."""


async def random_entry(turn: Turn, kind: str) -> Reply:
    """The next entry of the chat's round; any entry where the database can't tell which it has had."""
    deps = turn.deps
    entries = {entry.id: entry for entry in turn.edition.content.entries if entry.kind == kind}
    if not entries:
        return none(turn)
    draw = draw_from(list(entries), deps.rng)
    try:
        drawn = await deps.store.draw(turn.chat_key(), kind, draw, deps.clock())
    except (StoreTrouble, StoreError) as error:
        log.error("entry drawn without memory error=%s", named(error))
        drawn = draw([]).entry_id
    return turn.edition.card(entries[drawn], deps.phrases)


def chosen(turn: Turn, entry: Entry) -> Reply:
    """An entry that was asked for, by words or by its button: with thumbs to say whether it helped."""
    card = turn.edition.card(entry, turn.deps.phrases)
    thumbs = tuple(Button(turn.say(f"button.{way}"), f"{way}:{entry.id}") for way in ("up", "down"))
    return replace(card, buttons=(*card.buttons, thumbs))


def matched(turn: Turn, entry: Entry, also: tuple[str, ...] = ()) -> Reply:
    """An entry found by a question: its one-sentence answer first, and what was matched.

    `also` are entries that came close; they stand below as buttons.
    """
    content = turn.edition.content
    card = chosen(turn, entry)
    _claim, answer, *rest = card.blocks
    about = Block(turn.say("card.matched", claim=entry.claim), style=Style.QUOTE)
    near = [other for other in (content.entry(other_id) for other_id in also) if other]
    return replace(
        card,
        blocks=(answer, about, *rest),
        buttons=(*card.buttons, *((_button(turn, other),) for other in near)),
        choices=tuple(Choice(other.id, other.title, other.claim) for other in near),
    )


def _button(turn: Turn, entry: Entry) -> Button:
    return Button(turn.say("button.also", title=entry.title), f"show:{entry.id}")


def shareable(turn: Turn, reply: Reply) -> Reply:
    """An answer for the asker alone, who may post the entry it shows for everybody."""
    if not turn.request.can_whisper:
        return reply
    rows = tuple(
        tuple(replace(button, action=button.action.replace("show:", "check:")) for button in row)
        for row in reply.buttons
    )
    if reply.entry_id:
        rows = ((Button(turn.say("button.share"), f"share:{reply.entry_id}"),), *rows)
    return replace(reply, whisper=True, buttons=rows)


def offer(turn: Turn, choices: tuple[str, ...]) -> Reply:
    """Up to three entries to choose from; without any, the honest none."""
    found = [turn.edition.content.entry(choice) for choice in choices]
    entries = [entry for entry in found if entry]
    if not entries:
        return none(turn)
    rows = [(Button(entry.title, f"show:{entry.id}"),) for entry in entries]
    claims = [Block(entry.claim, label=turn.say(f"kind.{entry.kind}"), style=Style.ITEM) for entry in entries]
    return Reply(
        title=turn.say("choose.title"),
        blocks=(*_quoted(turn), *claims),
        buttons=(*rows, (Button(turn.say("button.none"), "none"),)),
        choices=tuple(Choice(entry.id, entry.title, entry.claim) for entry in entries),
    )


def none(turn: Turn) -> Reply:
    """No entry, whom to ask instead, and the way to what there is; help first where it may be needed."""
    content = turn.edition.content
    help_ = (help_line(content, turn.deps.phrases),) if turn.in_doubt else ()
    # Who may be in danger is not sent to try other words.
    hint = () if turn.in_doubt else (Block(turn.say("none.hint")),)
    advice = turn.say("none.advice", topic=content.bot.topic)
    quoted, rows = _quoted(turn), [(Button(turn.say("button.topics"), "topics"),)]
    if quoted:
        rows.append((Button(turn.say("button.editors"), "editors"),))
    return Reply(
        title=turn.say("none.title"),
        blocks=(*quoted, *help_, Block(advice), *hint),
        buttons=tuple(rows),
    )


def own_question(turn: Turn) -> str | None:
    """What a person asked, in one line, if nobody else is there and the editors may have it.

    Not in doubt: who may be in danger is told where to turn, and asked for nothing.

    Until it is sent it is kept by nobody but the platform: the answer quotes
    it, and a button under the answer brings the quotation back.
    """
    request = turn.request
    if turn.in_doubt or not request.private or request.can_whisper:
        return None
    # Somebody else's message, which was only replied to, isn't theirs to send.
    typed = turn.words if turn.words in request.text else ""
    said = typed if request.action is None else request.quoted or ""
    # Space between words may be left out below, but not looked through for ever.
    text = _in_one_line(said) if len(said) <= 2 * QUESTION_LETTERS else ""
    return text if 0 < len(text) <= QUESTION_LETTERS else None


def _quoted(turn: Turn) -> tuple[Block, ...]:
    question = own_question(turn)
    return (Block(question, style=Style.QUOTE),) if question else ()


def _in_one_line(text: str) -> str:
    """The same words, without what breaks lines or turns their direction, or is no character at all."""
    kept = (
        " " if unicodedata.category(letter) in _BREAKS else letter
        for letter in text
        if letter not in _BIDI and unicodedata.category(letter) != "Cs"
    )
    return " ".join("".join(kept).split())


def topic_list(turn: Turn) -> Reply:
    """The categories, as buttons."""
    rows = tuple((Button(c.title, f"cat:{c.id}:0"),) for c in turn.edition.content.categories)
    return Reply(title=turn.say("topics.title"), blocks=(Block(turn.say("topics.intro")),), buttons=rows)


def stale(turn: Turn) -> Reply:
    """The button itself is gone, or never was.

    Said in passing: a made-up button must not take away what others read above it.
    """
    return Reply(deed=Deed.TOAST, whisper=True, title=turn.say("stale.title"))


def withdrawn(turn: Turn) -> Reply:
    """The entry behind a button is gone, or never was: nobody can tell, so it is said in passing, too."""
    return Reply(deed=Deed.TOAST, whisper=True, title=turn.say("withdrawn.title"))


def aside(turn: Turn, reply: Reply) -> Reply:
    """For the presser alone where the platform can, in place where it can't."""
    if turn.request.can_whisper:
        return replace(reply, deed=Deed.SEND, whisper=True)
    return replace(reply, deed=Deed.EDIT)
