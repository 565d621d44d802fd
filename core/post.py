"""One day's post: what a due subscription gets, and what each end of a try means. All without I/O."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from core.card import daily_card
from core.content import Content, Entry
from core.errors import BadInput
from core.moment import reason_words, wanted_words
from core.phrases import Phrases
from core.pick import draw_from
from core.reply import Block, Reply
from core.schedule import WINDOW, Slot, latest_slot, next_slot, open_slot
from core.store import Due, Outcome, Post, PostState, Subscription

UNSURE_PAUSES = (3, 60, 600, 1800)
"""Seconds before what may have arrived is sent again: soon, then rarely, as each try may be a repeat."""

FIRST_PAUSE, LONGEST_PAUSE = 2, 300
"""Seconds between tries of what surely failed, doubled each time."""

JITTER = 0.2
"""The part of a pause that is left to chance, so that chats do not come back all at once."""

LAST_CALL = timedelta(minutes=1)
"""How long before the window closes the last try is made, whatever pause was due."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A post to be sent now.

    Attributes:
        post: its ledger row as begun; pessimistic until its end is known.
        round: the number of the chat's daily round in which it counts.
        unsure_since: when an earlier try may have arrived, if one may.
    """

    subscription: Subscription
    slot: Slot
    post: Post
    reply: Reply
    round: int
    unsure_since: datetime | None


def attempt(due: Due, content: Content, phrases: Phrases, rng: Random, now: datetime) -> Attempt | Outcome:
    """What to send to a subscription whose time has come, or what to write down if nothing."""
    held = due.subscription
    try:
        slot = open_slot(held.plan, now, held.done_day)
    except BadInput:
        return Outcome(held, due.round, suspend="zone")
    if not slot:
        return _nothing(due, now)
    entries = _of_kind(content, held.kind)
    if not entries:
        return _over(due, Post(held.id, slot.day, "", PostState.FAILED, now, reason="no_entry"), now)
    begun = next((post for post in due.unfinished if post.day == slot.day), None)
    entry = _entry(entries, due.seen, begun, rng)
    same = begun is not None and begun.entry_id == entry.id
    unsure_since = begun.at if begun and begun.unsure and same else None
    tries = begun.tries + 1 if begun else 1
    # A later try does not make the first one young again: by that, repeats are told.
    begins = unsure_since or now
    post = Post(held.id, slot.day, entry.id, PostState.SENDING, begins, tries=tries, unsure=True)
    reply = replace(daily_card(content, entry, phrases), thread=held.thread)
    finished = all(entry.id in due.seen for entry in entries)
    return Attempt(held, slot, post, reply, due.round + finished, unsure_since)


def suspension_card(held: Subscription, reason: str, phrases: Phrases) -> Reply:
    """What the person who set it up is told, once, when it can't go on."""
    texts = (
        wanted_words(phrases, held),
        reason_words(phrases, reason),
        phrases.say("daily.suspended_advice"),
    )
    return Reply(title=phrases.say("daily.suspended_for"), blocks=tuple(map(Block, texts)))


def nonce(bot_key: str, subscription: Subscription, slot: Slot, slot_number: int = 0) -> str:
    """The same 24 characters for every try of one post, and for no other."""
    named = f"{bot_key}:{subscription.platform}:{subscription.chat_key}:{slot.day}:{slot_number}"
    return hashlib.sha256(named.encode()).hexdigest()[:24]


def sent(tried: Attempt, message_key: str, now: datetime) -> Outcome:
    """It arrived: the day is done."""
    post = replace(tried.post, state=PostState.SENT, message_key=message_key, unsure=False, at=now)
    return _done(tried, post, now)


def refused(tried: Attempt, reason: str, now: datetime) -> Outcome:
    """The platform takes other messages, but not this one: none that day."""
    return _done(tried, replace(tried.post, state=PostState.FAILED, reason=reason, unsure=False, at=now), now)


def gone(tried: Attempt, reason: str, now: datetime) -> Outcome:
    """Nothing can be posted there: suspended; the day stays open, in case the bot comes back in time."""
    post = replace(tried.post, state=PostState.FAILED, reason=reason, unsure=False, at=now)
    return Outcome(tried.subscription, tried.round, post, suspend=reason)


def busy(tried: Attempt, seconds: float, now: datetime, rng: Random) -> Outcome:
    """It surely did not arrive: again, not before the platform's `seconds` are over."""
    own = min(FIRST_PAUSE * 2 ** (tried.post.tries - 1), LONGEST_PAUSE)
    asked = timedelta(seconds=seconds * (1 + JITTER * rng.random()))
    when = max(now + asked, _within(tried, own, now, rng))
    known = tried.unsure_since
    post = replace(tried.post, reason="busy", unsure=known is not None, at=known or now)
    return Outcome(tried.subscription, tried.round, post, next_due=when)


def unsure(tried: Attempt, reason: str, now: datetime, rng: Random) -> Outcome:
    """It may have arrived: again, ever more rarely."""
    pause = UNSURE_PAUSES[min(tried.post.tries, len(UNSURE_PAUSES)) - 1]
    post = replace(tried.post, reason=reason, at=tried.unsure_since or now)
    return Outcome(tried.subscription, tried.round, post, next_due=_within(tried, pause, now, rng))


def held_up(tried: Attempt, until: datetime | None) -> Outcome:
    """It was not tried, as its turn did not come: that makes no later pause longer."""
    tries = tried.post.tries - 1
    post = replace(tried.post, reason="busy", tries=tries, unsure=tried.unsure_since is not None)
    return Outcome(tried.subscription, tried.round, post, next_due=until)


def _nothing(due: Due, now: datetime) -> Outcome:
    """No post now: the window has closed over the last one, or the clock went back."""
    held = due.subscription
    latest = latest_slot(held.plan, now)
    if latest.day <= held.done_day:
        return Outcome(held, due.round, next_due=next_slot(held.plan, now, held.done_day).due)
    begun = next((post for post in due.unfinished if post.day == latest.day), None)
    missed = begun or Post(held.id, latest.day, "", PostState.MISSED, now, reason="down")
    return _over(due, replace(missed, state=PostState.MISSED, at=now), now)


def _over(due: Due, post: Post, now: datetime) -> Outcome:
    plan = due.subscription.plan
    return Outcome(due.subscription, due.round, post, post.day, next_slot(plan, now, post.day).due)


def _done(tried: Attempt, post: Post, now: datetime) -> Outcome:
    # The clock may have gone back since: the day that is done stays done.
    following = next_slot(tried.subscription.plan, max(now, tried.slot.due), tried.slot.day)
    return Outcome(tried.subscription, tried.round, post, tried.slot.day, following.due)


def _within(tried: Attempt, seconds: float, now: datetime, rng: Random) -> datetime:
    """After a pause with jitter, but once more before the window closes."""
    when = now + timedelta(seconds=seconds * (1 + JITTER * rng.random()))
    last_call = tried.slot.due + WINDOW - LAST_CALL * (1 + rng.random())
    return min(when, last_call) if now < last_call - LAST_CALL else max(when, tried.slot.due + WINDOW)


def _of_kind(content: Content, kind: str) -> list[Entry]:
    return [entry for entry in content.entries if kind in ("both", entry.kind)]


def _entry(entries: Sequence[Entry], seen: Sequence[str], begun: Post | None, rng: Random) -> Entry:
    """The entry that was begun with, if it still stands: a repeat should not look like a second post."""
    by_id = {entry.id: entry for entry in entries}
    if begun and begun.entry_id in by_id:
        return by_id[begun.entry_id]
    return by_id[draw_from(list(by_id), rng)([entry_id for entry_id in seen if entry_id in by_id]).entry_id]
