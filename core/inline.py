"""What an inline query gets: entries to post into any chat, or the way into the private chat."""

from dataclasses import replace

from core.card import verdict_line
from core.chat import Request
from core.content import Entry
from core.phrases import Phrases
from core.reply import Article, Button, Link, Reply
from core.turn import Turn

ARTICLES = 10
"""Entries offered at once: a phone shows three or four beside its keyboard."""

TOPICS = "topics"
_ENTRY, _GUARD = "e-", "g-"
"""What /start may be followed by. It goes by way of the platform's link, so it holds nothing typed."""


async def post_entries(turn: Turn) -> Reply:
    """The entries that the words may mean, the likeliest first; one of each topic without words."""
    if turn.in_doubt:
        return _nothing(turn)
    content = turn.edition.content
    named = _matches(turn) if turn.words.strip() else _samples(turn)
    entries = [entry for entry in map(content.entry, dict.fromkeys(named)) if entry][:ARTICLES]
    if not entries:
        return _nothing(turn)
    return Reply(articles=tuple(_article(turn, entry) for entry in entries))


def _nothing(turn: Turn) -> Reply:
    return Reply(buttons=((Button(turn.say("inline.none"), TOPICS),),))


def step_aside(guard: str, phrases: Phrases) -> Reply:
    """Nothing to post: the way to the guard's own answer, in private."""
    label = phrases.say(f"inline.{guard}")
    tone = "crisis" if guard == "crisis" else ""
    return Reply(tone=tone, buttons=((Button(label, f"{_GUARD}{guard}"),),), guard=guard)


def private_link(request: Request, guard: str) -> str:
    """The way into the private chat, and to the guard's own answer if it can lead there; may be empty."""
    return f"{request.start_link}{_GUARD}{guard}" if request.start_link else request.bot_link


def linked_entry(parameter: str, turn: Turn) -> Entry | None:
    """The entry that a link into the private chat opens."""
    return turn.edition.content.entry(parameter.removeprefix(_ENTRY))


def linked_guard(parameter: str) -> str | None:
    """The guard whose answer a link into the private chat opens, as far as its form goes."""
    return parameter.removeprefix(_GUARD) if parameter.startswith(_GUARD) else None


def _matches(turn: Turn) -> list[str]:
    found = turn.edition.index.find(turn.words)
    sure = [found.entry_id, *found.also] if found.entry_id else list(found.choices)
    # A word that is still being typed begins an entry's words, though it is none yet.
    return [*sure, *(choice.entry_id for choice in turn.edition.completions.find(turn.words))]


def _samples(turn: Turn) -> list[str]:
    content = turn.edition.content
    by_topic = [[e.id for e in content.entries if e.category == topic.id] for topic in content.categories]
    return [turn.deps.rng.choice(entries) for entries in by_topic if entries]


def _article(turn: Turn, entry: Entry) -> Article:
    """No button of the card goes along: there is no bot to answer one where the entry is posted."""
    card = replace(turn.edition.card(entry, turn.deps.phrases), buttons=())
    verdict = verdict_line(entry, turn.deps.phrases)
    start = turn.request.start_link
    return Article(
        entry_id=entry.id,
        title=entry.claim,
        summary=turn.say("inline.summary", verdict=verdict, answer=entry.answer),
        card=card,
        link=Link(turn.say("inline.open"), f"{start}{_ENTRY}{entry.id}") if start else None,
    )
