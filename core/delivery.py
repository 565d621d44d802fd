"""When and how often answers are sent: paced, retried, dropped only when late, and counted."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from heapq import heappop, heappush
from itertools import count, islice
from math import inf
from typing import TypeVar

from core.errors import ChatGone, RetryLater, Undeliverable, Unsure
from core.reply import Reply

log = logging.getLogger(__name__)

T = TypeVar("T")
Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

GRACE_SECONDS = 5.0
"""How long a stopping platform may finish what is in flight."""

LIFE_SECONDS = 60.0
"""An answer that comes later than this is worth nothing."""

WAITING = 20
"""Answers that may wait in one chat."""

REMEMBERED = 10_000
"""Chats or people whose state is kept at once, in memory only."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds between tries where the platform names no wait, doubled each time."""

CRISIS_UNSURE_RETRIES = 3
"""A second crisis card does less harm than none."""


class Priority(IntEnum):
    """Who goes first when a limit makes messages wait."""

    CRISIS = 0
    ANSWER = 1
    SETTING = 2
    BROADCAST = 3


def priority_of(reply: Reply) -> Priority:
    """The priority of an answer to a person."""
    return Priority.CRISIS if reply.tone == "crisis" else Priority.ANSWER


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform allows a token.

    Attributes:
        per_second: messages a second over all chats, on average.
        burst: how many of them may go at once.
        chat_per_second: messages a second in one chat, on average.
        chat_burst: how many of them may go at once.
        group_per_minute: messages in any 60 seconds in one group.
    """

    per_second: float
    burst: int
    chat_per_second: float
    chat_burst: int
    group_per_minute: float = inf


@dataclass(slots=True)
class _Waiter:
    rank: tuple[Priority, int]
    deadline: float
    granted: asyncio.Future[bool]

    def __lt__(self, other: "_Waiter") -> bool:
        return self.rank < other.rank


@dataclass(slots=True)
class _Lane:
    """One chat: who waits, what was sent, and until when it is held."""

    key: str
    is_group: bool
    level: float
    at: float
    held_until: float = -inf
    busy: bool = False
    waiting: list[_Waiter] = field(default_factory=list)
    # A deque takes 600 bytes even when it is empty.
    sent: list[float] = field(default_factory=list)

    def refill(self, now: float, limits: Limits) -> None:
        self.level = min(limits.chat_burst, self.level + (now - self.at) * limits.chat_per_second)
        self.at = now
        while self.sent and self.sent[0] <= now - 60:
            del self.sent[0]

    def free_at(self, now: float, limits: Limits) -> float:
        """When the chat may get its next message."""
        self.refill(now, limits)
        free = now if self.level >= 1 else now + (1 - self.level) / limits.chat_per_second
        if self.is_group and len(self.sent) >= limits.group_per_minute:
            free = max(free, self.sent[0] + 60)
        return max(free, self.held_until)

    def is_idle(self, now: float, limits: Limits) -> bool:
        self.refill(now, limits)
        settled = self.level >= limits.chat_burst and not self.sent and self.held_until <= now
        return settled and not self.busy and not self.waiting


class Pacer:
    """Gives out turns to send: one at a time in a chat, within the platform's limits.

    Args:
        limits: what the platform allows.
        clock: seconds, never going back.
        sleep: waits for seconds of that clock.
    """

    def __init__(self, limits: Limits, clock: Clock, sleep: Sleep) -> None:
        self._limits, self._clock, self._sleep = limits, clock, sleep
        self._level, self._at = float(limits.burst), clock()
        self._held_until = -inf
        self._lanes: OrderedDict[str, _Lane] = OrderedDict()
        self._ready: list[tuple[tuple[Priority, int], str]] = []
        self._due: list[tuple[float, str]] = []
        self._orders = count()
        self._timer: asyncio.Task[None] | None = None
        self._wake_at = inf

    def order(self) -> int:
        """A place in the line, to be kept over several turns."""
        return next(self._orders)

    async def turn(
        self, chat_key: str, is_group: bool, priority: Priority, *, order: int | None = None, by: float = inf
    ) -> bool:
        """Wait for the chat's turn; after sending, give it back with `done`.

        Returns False, without a turn, once it is sure not to come before `by`.
        """
        rank = (priority, self.order() if order is None else order)
        waiter = _Waiter(rank, by, asyncio.get_running_loop().create_future())
        lane = self._lane(chat_key, is_group)
        heappush(lane.waiting, waiter)
        self._enlist(lane, self._clock())
        self._pump()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.done() and not waiter.granted.cancelled() and waiter.granted.result():
                self.done(chat_key)
            raise

    def done(self, chat_key: str, *, sent: bool = True) -> None:
        """The turn is over; what it may have sent counts from now, which is never too early."""
        now, lane = self._clock(), self._lanes[chat_key]
        lane.refill(now, self._limits)
        if sent:
            lane.level -= 1
            if lane.is_group:
                lane.sent.append(now)
        lane.busy = False
        self._enlist(lane, now)
        self._pump()

    def hold(self, chat_key: str | None, seconds: float) -> None:
        """Send nothing to the chat, or to nobody if None, for so long."""
        until = self._clock() + seconds
        if chat_key is None:
            self._held_until = max(self._held_until, until)
        else:
            lane = self._lane(chat_key, is_group=False)
            lane.held_until = max(lane.held_until, until)

    def close(self) -> None:
        """Stop giving out turns."""
        if self._timer:
            self._timer.cancel()

    def _lane(self, chat_key: str, is_group: bool) -> _Lane:
        lane = self._lanes.get(chat_key)
        if lane is None:
            now = self._clock()
            self._forget_idle(now)
            lane = _Lane(chat_key, is_group, self._limits.chat_burst, now)
            self._lanes[chat_key] = lane
        lane.is_group = lane.is_group or is_group
        self._lanes.move_to_end(chat_key)
        return lane

    def _forget_idle(self, now: float) -> None:
        # A few of the oldest are looked at, so that one that is held for long does not keep the rest.
        for lane in list(islice(self._lanes.values(), 2)):
            if lane.is_idle(now, self._limits):
                del self._lanes[lane.key]
            else:
                self._lanes.move_to_end(lane.key)

    def _enlist(self, lane: _Lane, now: float) -> None:
        """Put the lane where its next waiter will be found, if it has one that can be served."""
        while lane.waiting and not lane.busy:
            first = lane.waiting[0]
            free = lane.free_at(now, self._limits)
            if first.granted.done() or first.deadline < free:
                heappop(lane.waiting)
                if not first.granted.done():
                    first.granted.set_result(False)
                continue
            if free <= now:
                heappush(self._ready, (first.rank, lane.key))
            else:
                heappush(self._due, (free, lane.key))
            return

    def _pump(self) -> None:
        """Give out every turn that can be given, and come back when the next can."""
        now = self._clock()
        at = self._release(now)
        if at >= self._wake_at:
            return
        if self._timer:
            self._timer.cancel()
        self._wake_at = at
        self._timer = asyncio.create_task(self._come_back(at - now))

    async def _come_back(self, seconds: float) -> None:
        await self._sleep(seconds)
        self._timer, self._wake_at = None, inf
        self._pump()

    def _release(self, now: float) -> float:
        """Give out turns; returns when to try again."""
        while self._due and self._due[0][0] <= now:
            lane = self._lanes.get(heappop(self._due)[1])
            if lane:  # pragma: no branch - a chat is forgotten with an entry left only if times were rounded
                self._enlist(lane, now)
        while self._ready:
            free = self._free_at(now)
            if free > now:
                return min(free, self._due[0][0] if self._due else inf)
            rank, key = heappop(self._ready)
            lane = self._lanes.get(key)
            # Whatever changed since the lane was listed listed it anew.
            if not lane or lane.busy or not lane.waiting or lane.waiting[0].rank != rank:
                continue
            if lane.free_at(now, self._limits) > now or lane.waiting[0].granted.done():
                self._enlist(lane, now)
                continue
            lane.busy = True
            self._level -= 1
            heappop(lane.waiting).granted.set_result(True)
        return self._due[0][0] if self._due else inf

    def _free_at(self, now: float) -> float:
        self._level = min(self._limits.burst, self._level + (now - self._at) * self._limits.per_second)
        self._at = now
        free = now if self._level >= 1 else now + (1 - self._level) / self._limits.per_second
        return max(free, self._held_until)


@dataclass(slots=True)
class Counts:
    """What became of the messages since the start."""

    sent: int = 0
    retried: int = 0
    dropped: int = 0
    unsure: int = 0


class Outbox:
    """Delivers messages: a sure failure again until it is too late, an ambiguous one once more."""

    def __init__(self, pacer: Pacer, clock: Clock) -> None:
        self.counts = Counts()
        self._pacer, self._clock = pacer, clock
        self._waiting: dict[str, int] = {}
        self._noticed: OrderedDict[str, float] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._notices: set[asyncio.Task[None]] = set()

    async def deliver(
        self,
        chat_key: str,
        attempt: Callable[[], Awaitable[T]],
        *,
        priority: Priority = Priority.ANSWER,
        is_group: bool = False,
        unsure_retries: int = 1,
        notice: Callable[[], Awaitable[object]] | None = None,
    ) -> T | None:
        """What `attempt` returned, or None if it could not be delivered.

        Args:
            chat_key: the chat it goes to.
            attempt: sends it once; raises RetryLater, Unsure, ChatGone or Undeliverable.
            priority: who goes first; a crisis reply is never dropped.
            is_group: the chat has the platform's limit for groups.
            unsure_retries: how often to repeat what may have arrived.
            notice: sends one quiet line on dropped answers.
        """
        waiting = self._waiting.get(chat_key, 0)
        if waiting >= WAITING and priority is not Priority.CRISIS:
            self._drop(chat_key, is_group, notice)
            return None
        self._waiting[chat_key] = waiting + 1
        try:
            if priority is Priority.CRISIS:
                unsure_retries = max(unsure_retries, CRISIS_UNSURE_RETRIES)
            return await self._persist(chat_key, attempt, priority, is_group, unsure_retries, notice)
        finally:
            self._waiting[chat_key] -= 1
            if not self._waiting[chat_key]:
                del self._waiting[chat_key]

    async def close(self) -> None:
        """Send nothing more."""
        self._pacer.close()
        for task in self._notices:
            task.cancel()
        await asyncio.gather(*self._notices, return_exceptions=True)

    async def _persist(
        self,
        chat_key: str,
        attempt: Callable[[], Awaitable[T]],
        priority: Priority,
        is_group: bool,
        unsure_retries: int,
        notice: Callable[[], Awaitable[object]] | None,
    ) -> T | None:
        order = self._pacer.order()
        by = inf if priority is Priority.CRISIS else self._clock() + LIFE_SECONDS
        pause = FIRST_PAUSE
        while await self._pacer.turn(chat_key, is_group, priority, order=order, by=by):
            sent = True
            try:
                result = await attempt()
            except RetryLater as error:
                sent = False
                self._pacer.hold(None if error.everywhere else chat_key, max(error.seconds, pause))
            except Unsure:
                self.counts.unsure += 1
                if not unsure_retries:
                    log.warning("answer may not have arrived")
                    return None
                unsure_retries -= 1
                self._pacer.hold(chat_key, max(pause, 2 * FIRST_PAUSE))
            except (ChatGone, Undeliverable) as error:
                self._end(chat_key, error)
                return None
            else:
                self.counts.sent += 1
                self._gone.pop(chat_key, None)
                return result
            finally:
                self._pacer.done(chat_key, sent=sent)
            self.counts.retried += 1
            pause = min(2 * pause, LONGEST_PAUSE)
        self._drop(chat_key, is_group, notice)
        return None

    def _end(self, chat_key: str, error: ChatGone | Undeliverable) -> None:
        """One line for what can't be delivered; none if the chat is known to be gone."""
        if isinstance(error, Undeliverable):
            log.info("undeliverable reason=%s", error)
        elif chat_key not in self._gone:
            log.info("chat gone reason=%s", error.reason)
            self._gone[chat_key] = None
            if len(self._gone) > REMEMBERED:
                self._gone.popitem(last=False)

    def _drop(self, chat_key: str, is_group: bool, notice: Callable[[], Awaitable[object]] | None) -> None:
        self.counts.dropped += 1
        now = self._clock()
        if now - self._noticed.get(chat_key, -inf) < LIFE_SECONDS:
            return
        self._noticed[chat_key] = now
        self._noticed.move_to_end(chat_key)
        if len(self._noticed) > REMEMBERED:
            self._noticed.popitem(last=False)
        log.warning("answers dropped so_far=%d", self.counts.dropped)
        if notice:
            task = asyncio.create_task(self._notify(chat_key, is_group, notice))
            self._notices.add(task)
            task.add_done_callback(self._notices.discard)

    async def _notify(self, chat_key: str, is_group: bool, notice: Callable[[], Awaitable[object]]) -> None:
        await self._persist(chat_key, notice, Priority.SETTING, is_group, 0, None)


class Grant(Enum):
    """What a person's bucket says."""

    YES = "yes"
    NOW_EMPTY = "now empty"
    EMPTY = "empty"


class Bucket:
    """How much each person may ask: `burst` at once, then `per_second`.

    The first refusal says NOW_EMPTY, so that it can be told once; the next
    one to say so comes after the bucket has been full again.
    """

    def __init__(self, clock: Clock, *, per_second: float = 0.5, burst: int = 20) -> None:
        self._clock, self._per_second, self._burst = clock, per_second, burst
        self._people: OrderedDict[str, tuple[float, float, bool]] = OrderedDict()

    def take(self, actor_key: str) -> Grant:
        """Count one request of the person."""
        now = self._clock()
        level, at, told = self._people.pop(actor_key, (float(self._burst), now, False))
        level = min(self._burst, level + (now - at) * self._per_second)
        told = told and level < self._burst
        grant = Grant.YES if level >= 1 else Grant.EMPTY if told else Grant.NOW_EMPTY
        left = level - 1 if grant is Grant.YES else level
        self._people[actor_key] = (left, now, told or grant is Grant.NOW_EMPTY)
        level, at, _told = next(iter(self._people.values()))
        is_full = level + (now - at) * self._per_second >= self._burst
        if is_full or len(self._people) > REMEMBERED:
            self._people.popitem(last=False)
        return grant


async def finish(tasks: set[asyncio.Task[object]], seconds: float = GRACE_SECONDS) -> int:
    """Let tasks end by themselves for so long, then cancel the rest; returns how many those were."""
    if not tasks:
        return 0
    _done, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return len(late)
