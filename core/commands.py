"""What the bot can be told to do: one function for each command, and the table they stand in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.chat import Surface
from core.daily_commands import daily, status, stop, suggest_settings
from core.errors import BadInput
from core.inline import TOPICS, linked_entry
from core.listen import LISTENS, TOLD, listen
from core.outcome import chosen, matched, none, offer, random_entry, shareable, topic_list
from core.reply import Block, Button, Reply, Style
from core.search import CHOICES
from core.talk import Talk, heard
from core.turn import Answer, Turn
from core.when import PARTS

_NEAR = 0.1
"""Share of the chances that an entry of the kind asked for needs, to stand before the other kind's."""


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table from which menus, slash commands and /help all come.

    Attributes:
        name: as typed after the slash.
        run: answers it.
        takes: what may follow it: `words`, a `question`, `daily` settings or `nothing`; or a
            `claim`, which may also be the message replied to.
        parts: the same in pieces, for a platform that asks for each alone: what each can be, if
            that is few.
        alone: makes sense in a private chat only.
        shared: makes sense in a group only.
        admins: in a group, only admins may use it.
        member: of use only where the bot itself is in the chat.
        on_message: also stands in the menu of every message, where the platform has such menus.
        only: the platform that alone has it; empty if each has.
    """

    name: str
    run: Answer
    takes: str = "nothing"
    parts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    alone: bool = False
    shared: bool = False
    admins: bool = False
    member: bool = False
    on_message: bool = False
    only: str = ""

    def is_on(self, platform: str) -> bool:
        """Whether the platform has the command."""
        return self.only in ("", platform)


async def myth(turn: Turn) -> Reply:
    """The best myth on the words, or one that the chat hasn't had in this round."""
    return await _of_kind(turn, "myth")


async def fact(turn: Turn) -> Reply:
    """The best fact on the words, or one that the chat hasn't had in this round."""
    return await _of_kind(turn, "fact")


async def ask(turn: Turn) -> Reply:
    """One entry, up to three to choose from, or an honest none."""
    if not turn.words.strip():
        titles = [entry.title for entry in turn.edition.content.entries]
        raise BadInput("ask.empty", example=next((t for t in titles if t.endswith("?")), titles[0]))
    talk = heard(turn.words)
    return await _TALK[talk](turn) if talk else _search(turn)


async def check(turn: Turn) -> Reply:
    """What `ask` says to the message replied to, or to words of its own."""
    claim = turn.words.strip() or turn.request.replied_text
    if claim is None:
        raise BadInput(f"check.empty.{turn.request.platform}")
    if not claim.strip():
        raise BadInput("check.no_text")
    reply = _search(replace(turn, words=claim))
    return shareable(turn, reply) if turn.request.surface is Surface.MENU else reply


async def suggest(turn: Turn) -> Reply:
    """Entries or settings to pick from while words are being typed."""
    request = turn.request
    if request.text.startswith("/daily"):
        return Reply(choices=suggest_settings(request.part, turn.words))
    kind = next((kind for kind in ("myth", "fact") if request.text.startswith(f"/{kind} ")), None)
    return Reply(choices=turn.edition.completions.find(turn.words, kind))


async def topics(turn: Turn) -> Reply:
    """The categories, as buttons."""
    return topic_list(turn)


async def help_(turn: Turn) -> Reply:
    """Every command with what it does."""
    lines = [
        Block(
            turn.say(f"menu.{c.name}"),
            label=turn.say("help.command", typed=f"/{c.name} {turn.say(f'takes.{c.takes}')}".strip()),
            style=Style.ITEM,
        )
        for c in COMMANDS
        if c.name != "start" and c.is_on(turn.request.platform) and not (c.shared and turn.request.private)
    ]
    key = "help.ask" if turn.request.private else "help.ask_group"
    return Reply(
        title=turn.say("help.title"),
        blocks=(*lines, Block(turn.say(key))),
        closing=turn.edition.content.bot.standing_line,
    )


async def start(turn: Turn) -> Reply:
    """Hello, or what a link into the private chat names."""
    content = turn.edition.content
    if turn.words.strip() == TOPICS:
        return topic_list(turn)
    if entry := linked_entry(turn.words.strip(), turn):
        return chosen(turn, entry)
    shown = await help_(turn)
    blocks = (Block(content.bot.about), Block(turn.say("start.text"), style=Style.HEADING), *shown.blocks)
    return replace(
        shown, title=turn.say("start.title", name=content.bot.name), blocks=blocks, buttons=_ways_on(turn)
    )


async def about(turn: Turn) -> Reply:
    """Who makes this, by what rules, and how much there is."""
    content = turn.edition.content
    kinds = [entry.kind for entry in content.entries]
    newest = max(entry.reviewed.date for entry in content.entries).isoformat()
    counts = turn.say("about.count", myths=kinds.count("myth"), facts=kinds.count("fact"), date=newest)
    return Reply(
        title=turn.say("about.title", name=content.bot.name),
        blocks=(
            Block(content.bot.about),
            Block(content.bot.editorial_policy, label=turn.say("about.policy")),
            Block(counts),
            Block(turn.say("about.feedback")),
        ),
        closing=content.bot.standing_line,
    )


async def privacy(turn: Turn) -> Reply:
    """What is kept, and what isn't."""
    keys = (
        "privacy.text",
        "privacy.round",
        "privacy.daily",
        "privacy.forget",
        "privacy.votes",
        "privacy.editors",
        "privacy.listen",
    )
    return Reply(title=turn.say("privacy.title"), blocks=tuple(Block(turn.say(key)) for key in keys))


async def _hello(turn: Turn) -> Reply:
    hint = Block(turn.say("talk.hint", topic=turn.edition.content.bot.topic))
    return Reply(title=turn.say("talk.greeting"), blocks=(hint,), buttons=_ways_on(turn))


async def _here(turn: Turn) -> Reply:
    return replace(await _hello(turn), title=turn.say("talk.reaction"))


async def _welcome(turn: Turn) -> Reply:
    return Reply(title=turn.say("talk.thanks"), blocks=(Block(turn.say("talk.again")),))


def _ways_on(turn: Turn) -> tuple[tuple[Button, ...], ...]:
    return (
        (Button(turn.say("button.myth"), "next:myth"), Button(turn.say("button.fact"), "next:fact")),
        (Button(turn.say("button.topics"), "topics"),),
    )


async def forget(turn: Turn) -> Reply:
    """Delete at once what the chat has, and say what it was."""
    if not turn.request.private and not await turn.facts.is_admin(turn.request):
        raise BadInput("forget.admins")
    gone = await turn.deps.store.forget(turn.chat_key())
    turn.deps.unasked.drop(turn.chat_key())
    had_daily = await turn.deps.store.unsubscribe(turn.request.platform, turn.request.chat_key)
    texts = [turn.say("forget.some", count=gone.seen)] if gone.seen else []
    texts += [turn.say("forget.daily")] if had_daily else []
    texts += [turn.say("forget.listen")] if LISTENS in gone.marks else []
    texts += [turn.say("forget.told")] if TOLD in gone.marks else []
    return Reply(
        title=turn.say("forget.title"),
        blocks=tuple(map(Block, texts or [turn.say("forget.nothing")])),
    )


COMMANDS = (
    Command("myth", myth, "words"),
    Command("fact", fact, "words"),
    Command("ask", ask, "question"),
    Command("check", check, "claim", on_message=True),
    Command("topics", topics),
    Command("help", help_),
    Command("start", start, alone=True),
    Command("about", about),
    Command("privacy", privacy),
    Command("forget", forget, admins=True),
    Command("daily", daily, "daily", PARTS, admins=True, member=True),
    Command("stop", stop, admins=True, member=True),
    Command("status", status, admins=True, member=True),
    Command("listen", listen, "listen", shared=True, admins=True, member=True, only="telegram"),
)


_TALK: dict[Talk, Answer] = {
    Talk.GREETING: _hello,
    Talk.THANKS: _welcome,
    Talk.REACTION: _here,
    Talk.HELP: help_,
    Talk.ABOUT: about,
    Talk.PRIVACY: privacy,
}


def _search(turn: Turn) -> Reply:
    if turn.in_doubt:
        return none(turn)
    found = turn.edition.index.find(turn.words)
    entry = turn.edition.content.entry(found.entry_id) if found.entry_id else None
    return matched(turn, entry, found.also) if entry else offer(turn, found.choices)


async def _of_kind(turn: Turn, kind: str) -> Reply:
    if not turn.words.strip():
        return await random_entry(turn, kind)
    if turn.in_doubt:
        return none(turn)
    content = turn.edition.content
    found = turn.edition.index.find(turn.words, prefer_kind=kind)
    entry = content.entry(found.entry_id) if found.entry_id else None
    if not entry:
        return offer(turn, found.choices)
    if entry.kind == kind:
        return chosen(turn, entry)
    ranked = turn.edition.index.rank(turn.words).candidates
    near = [match.entry_id for match in ranked if match.kind == kind and match.probability >= _NEAR]
    if near:
        return offer(turn, (*near[: CHOICES - 1], entry.id))
    return replace(offer(turn, (entry.id,)), title=turn.say(f"choose.other.{entry.kind}"))
