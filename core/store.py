"""What core asks of a database, and nothing more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from core.schedule import Plan


@dataclass(frozen=True, slots=True)
class Drawn:
    """The next entry of a round; `restarts` says that the round before it was complete."""

    entry_id: str
    restarts: bool = False


Draw = Callable[[Sequence[str]], Drawn]
"""Chooses, given the ids a chat has had in this round, oldest first."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted for a chat: how many remembered entries, and its marks."""

    seen: int
    marks: frozenset[str] = frozenset()


class Standing(StrEnum):
    """Whether a subscription posts; settings stay in every case."""

    ACTIVE = "active"
    OFF = "off"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a chat wants posted daily.

    Attributes:
        id: given by the store; 0 before.
        chat_key: the platform's own id of the chat, as in `Request.chat_key`.
        thread: where inside the chat it goes.
        private: nobody but one person reads the chat.
        plan: when.
        place: what its zone is called in words.
        kind: `myth`, `fact` or `both`.
        set_by: the person who is told once when posting has become impossible.
        reason: why it is suspended; a word of `ChatGone.reason`.
        paused_until: the local day on which it goes on, if it was paused.
        done_day: the last local day that needs no post any more.
        next_due: when to look at it next, in UTC; None unless active.
    """

    platform: str
    chat_key: str
    plan: Plan
    id: int = 0
    thread: str | None = None
    private: bool = True
    place: str = ""
    kind: str = "both"
    set_by: str = ""
    standing: Standing = Standing.ACTIVE
    reason: str = ""
    paused_until: date | None = None
    done_day: date = date.min
    next_due: datetime | None = None


class PostState(StrEnum):
    """What is known of one day's post.

    SENDING covers every try whose end is unknown, and those still to come.
    """

    SENDING = "sending"
    SENT = "sent"
    MISSED = "missed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Post:
    """A row of the ledger: one per chat, local day and slot.

    Attributes:
        entry_id: what is or was to be posted; empty if it never came to that.
        message_key: the message on the platform, once sent.
        tries: how often sending was begun.
        reason: the last error, in one word.
        unsure: an earlier try may have arrived.
        at: when it changed last; while it is unsure, when that try was made.
    """

    subscription_id: int
    day: date
    entry_id: str
    state: PostState
    at: datetime
    slot: int = 0
    message_key: str | None = None
    tries: int = 0
    reason: str = ""
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A subscription whose time has come, with what posting needs.

    Attributes:
        round: the number of the chat's daily round.
        seen: the entries it has had in this round, oldest first.
        unfinished: the posts of the last days that are not known to have ended.
    """

    subscription: Subscription
    round: int
    seen: tuple[str, ...]
    unfinished: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to write down after a try, in one transaction.

    Attributes:
        subscription: as it was when the try began.
        post: the ledger's new row; None leaves the ledger alone.
        done_day: the day that needs no post any more; None leaves it open.
        next_due: when to look at it next; None if it is suspended.
        round: the number of the chat's daily round, in which a post that was sent counts as seen.
        suspend: why it can't go on, in one word; empty if it can.
    """

    subscription: Subscription
    round: int
    post: Post | None = None
    done_day: date | None = None
    next_due: datetime | None = None
    suspend: str = ""


class Subscriptions(Protocol):
    """Keeps what chats want daily and what became of it; every call is one transaction.

    Raises:
        StoreTrouble: from any call; it changed nothing.
    """

    @property
    def revision(self) -> int:
        """A number that grows whenever a person changes a subscription or a mark."""
        ...

    async def subscription(self, platform: str, chat_key: str) -> Subscription | None:
        """What the chat has set, if anything."""
        ...

    async def subscribe(self, wanted: Subscription, now: datetime) -> Subscription:
        """Set what the chat wants, in place of what it had; returns it with its id and when it is due.

        The day that was posted last stays done, whatever is wanted.
        """
        ...

    async def unsubscribe(self, platform: str, chat_key: str) -> bool:
        """Delete everything about the chat's daily posts; whether there was anything."""
        ...

    async def move_subscription(self, platform: str, chat_key: str, new_key: str) -> Subscription | None:
        """Give the chat its new key; returns the subscription that has it now."""
        ...

    async def due(self, platform: str, now: datetime, limit: int) -> list[Due]:
        """The active subscriptions to look at by `now`, the longest due first."""
        ...

    async def begin(self, posts: Sequence[Post]) -> None:
        """Write down that these posts are being sent, before they are."""
        ...

    async def record(self, outcomes: Sequence[Outcome]) -> None:
        """Write down what became of posts.

        Where the settings changed meanwhile, they win, but the day stays done.
        """
        ...

    async def posts(self, subscription_id: int, limit: int) -> list[Post]:
        """The chat's ledger, the latest day first."""
        ...

    async def agenda(self, limit: int) -> list[Subscription]:
        """All subscriptions, those to look at next first, then those that are suspended or off."""
        ...

    async def replan(self, version: str, plan: Callable[[Subscription], datetime | None]) -> int:
        """Plan every active subscription anew if the tz database is not `version`; how many changed."""
        ...

    async def tidy(self, ledger_before: date, off_before: datetime) -> int:
        """Delete ledger rows of earlier days and private subscriptions off since before then; how many."""
        ...


class Rounds(Protocol):
    """Keeps rounds; every call is one transaction.

    Raises:
        StoreTrouble: from any call; it changed nothing.
    """

    async def draw(self, chat_key: str, kind: str, draw: Draw, at: datetime) -> str:
        """Choose the chat's next entry of `kind` with `draw` and remember it as seen `at`."""
        ...

    async def forget(self, chat_key: str) -> Forgotten:
        """Delete everything kept about the chat."""
        ...

    async def move(self, chat_key: str, new_key: str) -> None:
        """Keep what is kept about the chat under another key from now on, along with what is there."""
        ...

    async def forget_idle(self, prefix: str, before: datetime) -> int:
        """Delete the chats whose key starts with `prefix` and that drew nothing since `before`.

        Returns how many chats that was.
        """
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of the database."""
        ...


@dataclass(frozen=True, slots=True)
class Tally:
    """How many thumbs an entry got."""

    entry_id: str
    up: int = 0
    down: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked the editors to answer; nothing says who."""

    id: int
    day: date
    text: str


class Feedback(Protocol):
    """Keeps what people say about answers, and nothing about who says it; every call is one transaction."""

    async def count_votes(self, day: date, tally: Tally) -> None:
        """Add thumbs to those that the entry has of `day`, in UTC; negative ones take back."""
        ...

    async def votes(self, since: date) -> list[Tally]:
        """The sums since that day, the entries with the most thumbs down first."""
        ...

    async def keep_question(self, text: str, day: date, most: int) -> bool:
        """Keep a question, once a day however often it is sent; False if there are `most` already."""
        ...

    async def questions(self) -> list[Question]:
        """Every question, the oldest first."""
        ...

    async def clear_questions(self, through: int) -> int:
        """Delete the questions up to that id; how many those were."""
        ...


class Marks(Protocol):
    """Keeps what a chat has set or was told, as words of at most 16 letters; every call is one transaction.

    `Rounds.forget` and `Rounds.move` take them along. Any change makes `revision` grow.
    """

    async def marks(self, chat_key: str) -> frozenset[str]:
        """The marks that the chat has."""
        ...

    async def mark(self, chat_key: str, name: str) -> bool:
        """Give the chat a mark; False if it has it already."""
        ...

    async def unmark(self, chat_key: str, name: str) -> bool:
        """Take the mark away; False if the chat does not have it."""
        ...


class Store(Rounds, Subscriptions, Feedback, Marks, Protocol):
    """Everything that is kept."""
