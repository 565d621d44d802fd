"""One request with all that answering it needs."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random

from core.ballots import Ballots
from core.chat import Facts, Request
from core.edition import Edition
from core.phrases import Phrases
from core.recent import Recent
from core.reply import Reply
from core.store import Store

PRIVATE = "~"
"""Starts the keys of private chats, which are scrambled."""


@dataclass(frozen=True, slots=True)
class Deps:
    """What answering needs from outside.

    Attributes:
        secret: keys the hash under which private chats are kept.
        clock: the current time, aware.
        beats: when each platform's sender of daily posts last looked around; empty where none runs.
        ballots: who voted on what, in this process.
        sent: the day on which a chat sent questions to the editors last, and how many, in this process.
        listening: whether the bot may speak up in a chat, as read at a revision of the store.
        unasked: the entries that a chat got without asking, and when, in this process.
    """

    store: Store
    phrases: Phrases
    clock: Callable[[], datetime]
    rng: Random
    secret: bytes
    beats: dict[str, datetime] = field(default_factory=dict)
    ballots: Ballots = field(default_factory=Ballots)
    sent: Recent[str, tuple[date, int]] = field(default_factory=Recent)
    listening: Recent[str, tuple[int, bool]] = field(default_factory=Recent)
    unasked: Recent[str, tuple[tuple[str, datetime], ...]] = field(default_factory=Recent)


@dataclass(frozen=True, slots=True)
class Turn:
    """One request on its way to an answer.

    Attributes:
        words: what follows the command, or what the button carries.
        in_doubt: who asks may be in danger, though no guard stops what was typed.
    """

    request: Request
    edition: Edition
    deps: Deps
    facts: Facts
    words: str = ""
    in_doubt: bool = False

    def say(self, key: str, **fields: object) -> str:
        """A phrase."""
        return self.deps.phrases.say(key, **fields)

    def chat_key(self) -> str:
        """What the store knows the chat by: scrambled where the chat is one person."""
        key = f"{self.request.platform}:{self.request.chat_key}"
        if not self.request.private:
            return key
        return self._scrambled(key)

    def actor_key(self) -> str:
        """The person in this chat, scrambled."""
        request = self.request
        return self._scrambled(f"{request.platform}:{request.chat_key}:{request.actor_key}")

    def _scrambled(self, key: str) -> str:
        return PRIVATE + hmac.new(self.deps.secret, key.encode(), hashlib.sha256).hexdigest()


Answer = Callable[[Turn], Awaitable[Reply]]
"""Answers a command or a button."""
