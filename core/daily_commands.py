"""/daily, /stop and /status: what a chat wants posted, and how that is going."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from textwrap import shorten

from core.card import daily_card
from core.errors import BadInput
from core.moment import date_words, moment_words, reason_words, time_words, wanted_words
from core.places import Place, find_places, large_cities, similar_places, suggest_places
from core.reply import ACTION_BYTES, BUTTON_TITLE, Block, Button, Choice, Deed, Reply, Style, utf16_length
from core.schedule import EVERY_DAY, Plan, latest_slot, next_slot, open_slot, open_zone
from core.store import Post, PostState, Standing, Subscription
from core.turn import Deps, Turn
from core.when import DAY_NAMES, KIND_WORDS, Verb, Wish, read_wish

TIMES = ("8:00", "9:00", "12:00", "18:00", "20:00")
"""Offered as buttons to who has not chosen yet."""

LEDGER_ROWS = 35
"""All that there can be."""

CHOICE_LETTERS = 100
"""Longest suggestion that Discord takes (docs, Application Command Option Choice)."""

UNREAD_LETTERS = 60
"""The most that is repeated of what can't be read."""

SHOWN = 3
"""Posts to come that every answer shows."""

SILENCE = timedelta(minutes=3)
"""How long the sender may be silent before /status says so: it looks around every second."""


async def daily(turn: Turn) -> Reply:
    """Show, set, pause, resume, preview or end the chat's daily post."""
    await _admins_only(turn)
    wish = read_wish(turn.words)
    held = await turn.deps.store.subscription(turn.request.platform, turn.request.chat_key)
    return await _BY_VERB[wish.verb](turn, held, wish)


async def stop(turn: Turn) -> Reply:
    """End the chat's daily post."""
    return await daily(replace(turn, words=Verb.OFF))


async def status(turn: Turn) -> Reply:
    """Next post, last post with its result, last error, and what is missing."""
    await _admins_only(turn)
    request, deps = turn.request, turn.deps
    held = await deps.store.subscription(request.platform, request.chat_key)
    if not held:
        return _whisper(turn, _offer(turn))
    ledger = await deps.store.posts(held.id, LEDGER_ROWS)
    rows = [*_state(turn, held), *_history(turn, ledger)]
    if not await turn.facts.may_post(request):
        rows.append(_row(turn, "missing", turn.say(f"status.may_not_post.{request.platform}")))
    rows.append(_row(turn, "sender", _sender_words(turn)))
    reply = Reply(title=turn.say("status.title"), blocks=tuple(rows), buttons=_buttons(turn, held))
    return _whisper(turn, reply)


def suggest_settings(part: str, typed: str) -> tuple[Choice, ...]:
    """What the part may become that is being typed: times, places or days."""
    suggest = _SUGGEST.get(part)
    texts = suggest(typed.strip()) if suggest else []
    return tuple(Choice(text, text, text) for text in texts if len(text) <= CHOICE_LETTERS)


def _suggest_times(typed: str) -> list[str]:
    """The time as it will be understood, then half hours that begin so."""
    if not typed:
        return [*TIMES]
    hours = [f"{hour}:{minute}" for hour in range(24) for minute in ("00", "30")]
    near = [text for text in hours if text.startswith(typed.removeprefix("0") or "0")]
    try:
        at = read_wish(typed).at
    except BadInput:
        at = None
    return list(dict.fromkeys([f"{at.hour}:{at:%M}", *near] if at else near))


def _suggest_places(typed: str) -> list[str]:
    return [place.label() for place in suggest_places(typed)]


def _suggest_days(typed: str) -> list[str]:
    """Days by their names; several in a row go on with the last."""
    before, comma, last = typed.lower().rpartition(",")
    names = DAY_NAMES if comma else ("every day", "weekdays", "weekends", *DAY_NAMES)
    return [f"{before}{comma}{name}" for name in names if name.startswith(last.strip())]


_SUGGEST: dict[str, Callable[[str], list[str]]] = {
    "time": _suggest_times,
    "place": _suggest_places,
    "days": _suggest_days,
}


async def daily_pressed(turn: Turn) -> Reply:
    """What a button asks for, in words as one would type them, answered in place."""
    reply = await daily(turn)
    return reply if reply.entry_id or turn.request.can_whisper else replace(reply, deed=Deed.EDIT)


async def change_standing(
    deps: Deps,
    platform: str,
    chat_key: str,
    standing: Standing,
    reason: str = "",
    *,
    was: Collection[str] = (),
    thread: str | None = None,
) -> Subscription | None:
    """Suspend what is active, or go on with what was suspended; returns what has changed, as it is now.

    A day whose post is still open is made up for if the window allows. Whatever is off stays off.

    Args:
        deps: see there.
        platform: whose chat it is.
        chat_key: the chat.
        standing: what it becomes.
        reason: why.
        was: changes only what stands as it does for one of these reasons, if any are given.
        thread: changes only what goes to that thread, or to the chat's main part if empty.
    """
    held = await deps.store.subscription(platform, chat_key)
    if not held or held.standing in (standing, Standing.OFF) or (was and held.reason not in was):
        return None
    if thread is not None and (held.thread or "") != thread:
        return None
    return await deps.store.subscribe(replace(held, standing=standing, reason=reason), deps.clock())


async def _show(turn: Turn, held: Subscription | None, _wish: Wish) -> Reply:
    if not held:
        return _offer(turn)
    rows = _state(turn, held)
    if held.standing is Standing.ACTIVE and held.thread != turn.request.thread:
        rows.append(Block(turn.say("daily.elsewhere")))
    title = turn.say(f"daily.{_standing(turn, held)}")
    return Reply(title=title, blocks=tuple(rows), buttons=_buttons(turn, held))


async def _set(turn: Turn, held: Subscription | None, wish: Wish) -> Reply:
    try:
        places = find_places(wish.place) if wish.place else []
    except BadInput:
        similar, unread = similar_places(wish.place)
        if not similar:
            raise
        told = turn.say("daily.unread", words=shorten(unread, UNREAD_LETTERS, placeholder=" …"))
        return replace(_choose(turn, wish, turn.say("daily.which"), similar), blocks=(Block(told),))
    if len(places) > 1:
        return _choose(turn, wish, turn.say("daily.which"), places)
    at = wish.at or (held.plan.at if held else None)
    if not at:
        return _offer(turn, wish)
    if not places and not held:
        shown = time_words(at)
        asked = _choose(turn, wish, turn.say("daily.where"), large_cities())
        return replace(asked, blocks=(Block(turn.say("daily.where_text", time=shown)),))
    zone = places[0].zone if places else held.plan.zone if held else ""
    days = wish.days or (held.plan.days if held else EVERY_DAY)
    wanted = Subscription(
        turn.request.platform,
        turn.request.chat_key,
        Plan(at, zone, days),
        place=places[0].name if places else held.place if held else "",
        kind=wish.kind or (held.kind if held else "both"),
    )
    return await _save(turn, held, wanted, await _done_day(turn, held, wanted.plan))


async def _resume(turn: Turn, held: Subscription | None, _wish: Wish) -> Reply:
    if not held:
        return _offer(turn)
    # What was suspended may still have a post to make up for today.
    suspended = held.standing is Standing.SUSPENDED
    return await _save(
        turn, held, held, held.done_day if suspended else await _done_day(turn, held, held.plan)
    )


async def _pause(turn: Turn, held: Subscription | None, wish: Wish) -> Reply:
    if not held:
        return _offer(turn)
    if not wish.pause_days:
        return Reply(title=turn.say("daily.pause_how_long"), buttons=(_pauses(turn),))
    now = turn.deps.clock()
    until = _today(held, now) + timedelta(days=wish.pause_days)
    wanted = replace(held, paused_until=until, done_day=until - timedelta(days=1))
    saved = await turn.deps.store.subscribe(wanted, now)
    return await _show(turn, saved, wish)


async def _off(turn: Turn, held: Subscription | None, _wish: Wish) -> Reply:
    if not held:
        raise BadInput("daily.none_to_stop")
    await turn.deps.store.subscribe(replace(held, standing=Standing.OFF, reason=""), turn.deps.clock())
    resume = _button(turn, "resume", Verb.RESUME)
    return Reply(
        title=turn.say("daily.off"), blocks=(Block(turn.say("daily.off_text")),), buttons=((resume,),)
    )


async def _preview(turn: Turn, held: Subscription | None, _wish: Wish) -> Reply:
    request, content = turn.request, turn.edition.content
    if not request.private and not request.can_whisper:
        return Reply(blocks=(Block(turn.say("daily.preview_private"), url=request.bot_link),))
    kind = held.kind if held else "both"
    entries = [entry for entry in content.entries if kind in ("both", entry.kind)] or content.entries
    card = daily_card(content, turn.deps.rng.choice(entries), turn.deps.phrases)
    return _whisper(turn, card)


_BY_VERB: dict[Verb, Callable[[Turn, Subscription | None, Wish], Awaitable[Reply]]] = {
    Verb.SHOW: _show,
    Verb.SET: _set,
    Verb.PAUSE: _pause,
    Verb.RESUME: _resume,
    Verb.PREVIEW: _preview,
    Verb.OFF: _off,
}


async def _admins_only(turn: Turn) -> None:
    if not turn.request.private and not await turn.facts.is_admin(turn.request):
        raise BadInput("daily.admins")


async def _save(turn: Turn, held: Subscription | None, wanted: Subscription, done_day: date) -> Reply:
    """Set it to post here, from the first slot after `done_day` on, and say what follows."""
    request, now = turn.request, turn.deps.clock()
    if not await turn.facts.may_post(request):
        raise BadInput(f"daily.may_not_post.{request.platform}")
    wanted = replace(
        wanted,
        thread=request.thread,
        private=request.private,
        set_by=request.actor_key,
        standing=Standing.ACTIVE,
        reason="",
        paused_until=None,
        done_day=done_day,
    )
    saved = await turn.deps.store.subscribe(wanted, now)
    rows = _state(turn, saved)
    if held and held.standing is not Standing.OFF and held.thread != request.thread:
        rows.append(Block(turn.say("daily.moved")))
    return Reply(title=turn.say("daily.set"), blocks=tuple(rows), buttons=_buttons(turn, saved))


async def _done_day(turn: Turn, held: Subscription | None, plan: Plan) -> date:
    """The last day that needs no post under a new plan: what is past is past, and no day gets two.

    A post that is open under the old plan stays open.
    """
    now = turn.deps.clock()
    latest = latest_slot(plan, now).day
    if not held:
        return latest
    if held.standing is Standing.ACTIVE and open_slot(held.plan, now, held.done_day):
        return held.done_day
    sent = [post for post in await turn.deps.store.posts(held.id, 3) if post.state is PostState.SENT]
    # Both on the old clock and on the new one.
    days = [day for post in sent for day in (post.day, post.at.astimezone(open_zone(plan.zone)).date())]
    return max([latest, *days])


def _offer(turn: Turn, wish: Wish | None = None) -> Reply:
    """Times to pick from, for who has none yet."""
    rest = _typed(replace(wish, at=None)) if wish else ""
    buttons = tuple(Button(text, f"daily:{text} {rest}".strip()) for text in TIMES)
    blocks = (Block(turn.say("daily.none_text")), Block(turn.say("daily.how")))
    preview = (_button(turn, "preview", Verb.PREVIEW),)
    return Reply(title=turn.say("daily.none"), blocks=blocks, buttons=(buttons, preview))


def _choose(turn: Turn, wish: Wish, title: str, places: list[Place]) -> Reply:
    """Places as buttons that carry the whole wish."""
    rows = []
    for place in places:
        label = place.label() if utf16_length(place.label()) <= BUTTON_TITLE else place.zone
        action = f"daily:{_typed(replace(wish, place=place.label()))}"
        if len(action.encode()) > ACTION_BYTES:
            action = f"daily:{_typed(replace(wish, place=place.zone))}"
        rows.append((Button(label, action),))
    return Reply(title=title, buttons=tuple(rows))


def _typed(wish: Wish) -> str:
    """The wish as one would type it."""
    days = ",".join(name[:3] for number, name in enumerate(DAY_NAMES) if (wish.days or 0) >> number & 1)
    words = [time_words(wish.at) if wish.at else "", days if wish.days != EVERY_DAY else "everyday"]
    return " ".join(word for word in (*words, KIND_WORDS.get(wish.kind or "", ""), wish.place) if word)


def _state(turn: Turn, held: Subscription) -> list[Block]:
    """What is posted, when it comes next, or why it does not."""
    say, plan, now = turn.say, held.plan, turn.deps.clock()
    rows = [Block(wanted_words(turn.deps.phrases, held))]
    if held.standing is Standing.SUSPENDED:
        return [
            *rows,
            Block(reason_words(turn.deps.phrases, held.reason)),
            Block(say("daily.suspended_advice")),
        ]
    if held.standing is Standing.OFF:
        return [*rows, Block(say("daily.off_text"))]
    if held.paused_until and _is_paused(held, now):
        rows.append(Block(say("daily.paused_until", date=date_words(turn.deps.phrases, held.paused_until))))
    rows.append(Block(say("daily.next"), style=Style.HEADING))
    for due in _upcoming(held, now):
        words = moment_words(turn.deps.phrases, due, plan.zone, held.place, now)
        rows.append(Block(words, style=Style.ITEM))
    return rows


def _upcoming(held: Subscription, now: datetime) -> list[datetime]:
    """When the next posts are due."""
    slot = open_slot(held.plan, now, held.done_day) or next_slot(held.plan, now, held.done_day)
    slots = [slot]
    while len(slots) < SHOWN:
        slots.append(next_slot(held.plan, slots[-1].due, slots[-1].day))
    return [slot.due for slot in slots]


def _history(turn: Turn, ledger: list[Post]) -> list[Block]:
    """The last post with its result, and the last error."""
    say, phrases = turn.say, turn.deps.phrases
    last = turn.say("status.never")
    if ledger:
        last = say(f"status.state.{ledger[0].state}", date=date_words(phrases, ledger[0].day))
    rows = [_row(turn, "last", last)]
    failed = next((post for post in ledger if post.reason and post.state is not PostState.SENT), None)
    if failed:
        words = f"{date_words(phrases, failed.day)}: {reason_words(phrases, failed.reason)}"
        rows.append(_row(turn, "error", words))
    return rows


def _sender_words(turn: Turn) -> str:
    beat = turn.deps.beats.get(turn.request.platform)
    if beat is None:
        return turn.say("status.absent")
    silence = turn.deps.clock() - beat
    if silence <= SILENCE:
        return turn.say("status.alive")
    return turn.say("status.silent", minutes=silence // timedelta(minutes=1))


def _buttons(turn: Turn, held: Subscription) -> tuple[tuple[Button, ...], ...]:
    kinds = tuple(_button(turn, kind, words) for kind, words in KIND_WORDS.items() if kind != held.kind)
    preview = _button(turn, "preview", Verb.PREVIEW)
    off = _button(turn, "off", Verb.OFF)
    if _standing(turn, held) != "active":
        rest = (preview,) if held.standing is Standing.OFF else (preview, off)
        return ((_button(turn, "resume", Verb.RESUME), *rest),)
    return (kinds, (_button(turn, "weeks", "pause 2 weeks"), preview, off))


def _pauses(turn: Turn) -> tuple[Button, ...]:
    lengths = {"week": "1 week", "weeks": "2 weeks", "month": "4 weeks"}
    return tuple(_button(turn, name, f"pause {length}") for name, length in lengths.items())


def _button(turn: Turn, name: str, words: str) -> Button:
    return Button(turn.say(f"daily.button.{name}"), f"daily:{words}")


def _row(turn: Turn, name: str, text: str) -> Block:
    return Block(text, label=turn.say(f"status.{name}"))


def _standing(turn: Turn, held: Subscription) -> str:
    """`active`, `paused`, `off` or `suspended`."""
    is_active = held.standing is Standing.ACTIVE
    return "paused" if is_active and _is_paused(held, turn.deps.clock()) else held.standing.value


def _is_paused(held: Subscription, now: datetime) -> bool:
    return held.paused_until is not None and _today(held, now) < held.paused_until


def _today(held: Subscription, now: datetime) -> date:
    return now.astimezone(open_zone(held.plan.zone)).date()


def _whisper(turn: Turn, reply: Reply) -> Reply:
    return replace(reply, whisper=turn.request.can_whisper)
