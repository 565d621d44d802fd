"""What content looks like as answers: an entry at two depths, and the safety cards."""

from collections.abc import Iterator, Sequence

from core.content import Bot, Content, Entry, Helpline
from core.document import Finding
from core.draft import Check, Draft
from core.phrases import Phrases
from core.reply import Block, Button, Deed, Link, Reply, Style, plain_text, utf16_length

FIRST_UNITS = 1024
"""Telegram's limit for a caption, in UTF-16 units (Bot API 10.1, sendPhoto)."""

MORE_UNITS = 4096
"""Telegram's limit for a text and Discord's for an embed description, in UTF-16 units."""


def first_card(content: Content, entry: Entry, phrases: Phrases) -> Reply:
    """What a person reads first: verdict, claim, answer, body, caveat, sources."""
    return _first(entry, phrases, content.bot.standing_line)


def _first(entry: Entry, phrases: Phrases, standing_line: str) -> Reply:
    rows = [
        Button(phrases.say(f"button.another.{entry.kind}"), f"next:{entry.kind}"),
        Button(phrases.say("button.more"), f"more:{entry.id}"),
    ]
    if entry.related:
        rows.append(Button(phrases.say("button.related"), f"rel:{entry.id}"))
    return Reply(
        title=verdict_line(entry, phrases),
        tone=entry.verdict,
        blocks=(
            Block(phrases.say("card.claim", claim=entry.claim), style=Style.QUOTE),
            Block(entry.answer, style=Style.STRONG),
            Block(entry.body),
            Block(entry.must_not_miss, label=phrases.say("card.must_not_miss")),
        ),
        links_label=phrases.say("card.sources"),
        links=tuple(Link(source.label, source.url) for source in entry.sources),
        closing=standing_line,
        buttons=(tuple(rows),),
        entry_id=entry.id,
    )


def daily_card(content: Content, entry: Entry, phrases: Phrases) -> Reply:
    """What a chat gets once a day: the first card, and how to end it."""
    return _daily(entry, phrases, content.bot.standing_line)


def _daily(entry: Entry, phrases: Phrases, standing_line: str) -> Reply:
    return _first(entry, phrases, f"{standing_line} {phrases.say('daily.footer')}".lstrip())


def more_card(content: Content, entry: Entry, phrases: Phrases) -> Reply:
    """The evidence, the full sources, a question for the clinician, the review."""
    return _more(entry, phrases, content.bot.standing_line)


def _more(entry: Entry, phrases: Phrases, standing_line: str) -> Reply:
    sources = [
        Block(
            phrases.say(
                "more.source",
                authors=source.authors.rstrip("."),
                title=source.title.rstrip("."),
                published_in=source.published_in.rstrip("."),
                year=source.year or phrases.say("more.undated"),
                checked=source.checked.isoformat(),
            ),
            style=Style.ITEM,
            url=source.url,
        )
        for source in entry.sources
    ]
    strength = phrases.say("more.strength", strength=entry.evidence.strength, why=entry.evidence.why)
    reviewed = phrases.say("more.reviewed", date=entry.reviewed.date.isoformat(), by=entry.reviewed.by)
    return Reply(
        title=verdict_line(entry, phrases),
        tone=entry.verdict,
        blocks=(
            Block(phrases.say("card.claim", claim=entry.claim), style=Style.QUOTE),
            Block(entry.answer, style=Style.STRONG),
            Block(strength, label=phrases.say("more.evidence")),
            Block(entry.ask_your_clinician, label=phrases.say("more.ask")),
            Block(phrases.say("card.sources"), style=Style.HEADING),
            *sources,
            Block(reviewed, label=phrases.say("more.review")),
        ),
        closing=standing_line,
        buttons=((Button(phrases.say("button.back"), f"show:{entry.id}"),),),
        deed=Deed.EDIT,
        entry_id=entry.id,
    )


def verdict_line(entry: Entry, phrases: Phrases) -> str:
    """The verdict as shape and words: never told by colour alone."""
    return phrases.say(f"verdict.{entry.verdict}")


def crisis_card(content: Content, phrases: Phrases, link: str = "") -> Reply:
    """The full crisis card: one kind sentence, emergency numbers, every crisis line with its country.

    The reader's country is unknown and never inferred, so all are shown.
    """
    crisis = content.safety.crisis
    emergency = _contacts(crisis.emergency, phrases, "crisis.emergency_line")
    lines = _contacts(crisis.helplines, phrases, "crisis.line")
    blocks = [
        Block(crisis.message, style=Style.STRONG),
        Block(crisis.act_now, style=Style.STRONG),
        *emergency,
    ]
    blocks += [Block(phrases.say("crisis.helplines"), style=Style.HEADING), *lines]
    return Reply(
        title=phrases.say("crisis.title"),
        tone="crisis",
        blocks=(*blocks, *_private(phrases, link)),
        guard="crisis",
    )


def crisis_brief(content: Content, phrases: Phrases, link: str = "") -> Reply:
    """The crisis card where others read along, or again soon after the full one: short, no name, no quote."""
    crisis = content.safety.crisis
    blocks = (
        Block(crisis.short, style=Style.STRONG),
        Block(phrases.say("crisis.brief_numbers", numbers=_listed(crisis.emergency))),
        Block(phrases.say("crisis.brief_helplines", numbers=_listed(crisis.helplines))),
        *_private(phrases, link),
    )
    return Reply(title=phrases.say("crisis.title"), tone="crisis", blocks=blocks, guard="crisis")


def help_line(content: Content, phrases: Phrases) -> Block:
    """Where to turn in danger, in one paragraph: for an answer to somebody who may be."""
    crisis = content.safety.crisis
    emergency, helplines = _listed(crisis.emergency), _listed(crisis.helplines)
    return Block(phrases.say("crisis.in_doubt", emergency=emergency, helplines=helplines), style=Style.STRONG)


def declined_card(
    content: Content, guard: str, phrases: Phrases, nearest: str | None = None, *, in_doubt: bool = False
) -> Reply:
    """No number and no seller: why, whom to ask, and one entry as a button.

    That is the entry `nearest` to what was asked, or else the one that editors named. To somebody who may
    be in danger it says first where to turn, and shows no entry.
    """
    declined = content.safety.dosing if guard == "dosing" else content.safety.sourcing
    helplines = _contacts(declined.helplines, phrases, "declined.line")
    entry = None if in_doubt else content.entry(nearest or declined.entry)
    help_ = (help_line(content, phrases),) if in_doubt else ()
    return Reply(
        title=phrases.say(f"declined.{guard}"),
        tone="declined",
        blocks=(*help_, Block(declined.message), Block(declined.advice), *helplines),
        closing=content.bot.standing_line,
        buttons=((Button(entry.title, f"show:{entry.id}"),),) if entry else (),
        guard=guard,
    )


def _contacts(lines: Sequence[Helpline], phrases: Phrases, key: str) -> list[Block]:
    return [
        Block(
            phrases.say(key, contact=line.contact, name=line.name),
            label=phrases.say("crisis.country", country=line.country),
            style=Style.ITEM,
        )
        for line in lines
    ]


def _listed(lines: Sequence[Helpline]) -> str:
    return ", ".join(f"{line.contact} ({line.country})" for line in lines)


def _private(phrases: Phrases, link: str) -> tuple[Block, ...]:
    return (Block(phrases.say("crisis.private"), url=link),) if link else ()


def card_check(phrases: Phrases) -> Check:
    """A rule for content files: both messages of every entry, and every safety card, fit whole everywhere."""

    def find(draft: Draft) -> Iterator[Finding]:
        # Faulty, it counts for nothing: what is too long without it is so with it.
        standing_line = next((bot.standing_line for _, bot in draft.of(Bot)), "")
        for place, entry in draft.of(Entry):
            first, more = _daily(entry, phrases, standing_line), _more(entry, phrases, standing_line)
            for name, over in (
                ("first message", utf16_length(plain_text(first)) - FIRST_UNITS),
                ("first message with its links", _with_links(first) - MORE_UNITS),
                ("More message with its links", _with_links(more) - MORE_UNITS),
            ):
                if over > 0:
                    yield place, f"its {name} is {over} characters too long; shorten the texts"
        for name, card in _safety_cards(draft.content, phrases) if draft.content else ():
            over = _with_links(card) - MORE_UNITS
            if over > 0:
                yield ("safety", name), f"its message is {over} characters too long; shorten the texts"

    return Check(find)


def _safety_cards(content: Content, phrases: Phrases) -> list[tuple[str, Reply]]:
    return [
        ("crisis", crisis_card(content, phrases)),
        ("crisis", crisis_brief(content, phrases)),
        *((guard, declined_card(content, guard, phrases, in_doubt=True)) for guard in ("dosing", "sourcing")),
    ]


def _with_links(card: Reply) -> int:
    """What Discord counts: `[text](address)` for every link."""
    addresses = [link.url for link in card.links] + [block.url for block in card.blocks if block.url]
    return utf16_length(plain_text(card)) + sum(utf16_length(url) + 4 for url in addresses)
