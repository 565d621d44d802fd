"""Posts what is due: one sender per bot, at most three posts in flight, each outcome written down."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

from core import post as posts
from core.delivery import Pacer, Priority, finish
from core.edition import Edition
from core.errors import (
    BadInput,
    ChatGone,
    KetaFactsError,
    RetryLater,
    StoreError,
    StoreTrouble,
    Unconnected,
    Undeliverable,
    Unsure,
    named,
)
from core.phrases import Phrases
from core.post import Attempt, attempt, nonce
from core.reply import Reply
from core.schedule import reopen_zones, tz_version, wake_at
from core.store import Outcome, Standing, Subscription, Subscriptions

log = logging.getLogger(__name__)

IN_FLIGHT = 3
"""Posts on their way at once: enough for 25 a second, and all that a kill can repeat."""

CLAIM = 32
"""Due subscriptions read at once; a larger number is hardly faster."""

POLL_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
"""How long a post may wait for its own chat's turn before others go first."""

HELD = timedelta(seconds=30)
"""When a chat whose turn did not come is tried again."""

TROUBLE = 3
"""Failures in a row, in whatever chats, after which the platform itself is taken to be down."""

CROWD = 20
"""Chats in a row that ask for patience, each for itself, after which it is rather the platform that does."""

FIRST_REST, LONGEST_REST = 5.0, 30.0
"""Seconds between single probes while it is down, doubled each time: what everybody waits once it is back."""

JUMP_SECONDS = 120.0
"""How far the wall clock must move by itself to be worth a line in the log."""

FRESH = timedelta(minutes=2)
"""How long Discord drops a message whose nonce it has seen ("a few minutes" in its documentation)."""

KEPT = timedelta(days=35)
"""How long the ledger keeps a row."""

OFF_KEPT = timedelta(days=90)
"""How long a private chat's settings are kept after it has switched its post off."""

HOUSEKEEPING_SECONDS = 3600.0


class Poster(Protocol):
    """One bot on one platform; every method is one request, unpaced and tried once."""

    async def post(self, subscription: Subscription, reply: Reply, nonce: str) -> str:
        """Send the reply to the chat and thread; returns the message's key.

        `nonce` is the same for every try of one post, at most 25 characters.

        Raises:
            RetryLater: it surely did not arrive.
            Unsure: it may have arrived.
            ChatGone: nothing can be posted there; `moved_to` names the chat's new key, if it has one.
            Undeliverable: this one message can't be sent.
        """
        ...

    async def find(self, subscription: Subscription, reply: Reply, since: datetime) -> str | None:
        """The message's key if the bot itself sent the reply there since then.

        None where it did not, or where the bot may not or can't look.
        """
        ...

    async def tell(self, subscription: Subscription, reply: Reply) -> None:
        """Send the reply privately to the person who set the subscription, if the platform allows it."""
        ...


DailyRun = Callable[[str, Poster, Pacer, asyncio.Event], Coroutine[Any, Any, None]]
"""Runs the daily posts of a bot, by its id, through a poster and a pacer, until the event is set."""


async def tell(poster: Poster, pacer: Pacer, held: Subscription, card: Reply) -> None:
    """Tell who set a subscription what has become of it, when it is that person's turn; tried once."""
    await pacer.turn(held.set_by, False, Priority.SETTING)
    try:
        await poster.tell(held, card)
    except KetaFactsError as error:
        log.info("admin not told error=%s", type(error).__qualname__)
    finally:
        pacer.done(held.set_by)


class Daily:
    """The sender of one bot's daily posts.

    Args:
        platform: whose subscriptions it serves.
        bot_key: the bot's own id, part of every nonce.
        edition: the content that is current.
        clock: the current time, aware; it may jump.
        monotonic: seconds that never go back.
        sleep: waits for seconds of that.
        beats: where it leaves word, under its platform, that it is alive.
    """

    def __init__(
        self,
        *,
        platform: str,
        bot_key: str,
        poster: Poster,
        pacer: Pacer,
        store: Subscriptions,
        edition: Callable[[], Edition],
        phrases: Phrases,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        rng: Random,
        beats: dict[str, datetime],
    ) -> None:
        self._platform, self._bot_key = platform, bot_key
        self._poster, self._pacer, self._store = poster, pacer, store
        self._edition, self._phrases, self._rng = edition, phrases, rng
        self._clock, self._monotonic, self._sleep = clock, monotonic, sleep
        self._beats = beats
        self._failures = self._delays = 0
        self._rest_until = monotonic()
        self._kept_at = float("-inf")
        self._tz = tz_version()
        self._records = _Records(store, sleep)

    async def run(self, stop: asyncio.Event) -> None:
        """Post what is due until `stop` is set; then finish what is in flight within seconds.

        Raises:
            StoreError: the database is lost to another sender.
        """
        offset = self._clock().timestamp() - self._monotonic()
        stopping = asyncio.ensure_future(_set(stop))
        told = ""
        try:
            while not stop.is_set():
                try:
                    await self.housekeep()
                    await self.step(stop)
                    told = ""
                except StoreError:
                    raise
                except Exception as error:  # noqa: BLE001 - the supervisor: one fault must not end daily posts
                    if told != named(error):
                        log.error("daily round failed error=%s", named(error))
                    told = named(error)
                moved = self._clock().timestamp() - self._monotonic() - offset
                if abs(moved) > JUMP_SECONDS:
                    log.warning("wall clock jumped seconds=%d", moved)
                    offset += moved
                pause = asyncio.ensure_future(self._sleep(POLL_SECONDS))
                await _first(stopping, pause)
                pause.cancel()
        finally:
            stopping.cancel()

    async def step(self, stop: asyncio.Event | None = None) -> None:
        """Post everything that is due now or becomes so meanwhile; returns when nothing is left."""
        stop = stop or asyncio.Event()
        queue: deque[tuple[Attempt, int]] = deque()
        running: dict[asyncio.Task[None], int] = {}
        stopping = asyncio.ensure_future(_set(stop))
        try:
            while not stop.is_set():
                self._beats[self._platform] = self._clock()
                if not queue and self._may_start():
                    queue.extend(await self._prepare_beside(running))
                while queue and len(running) < self._room() and self._may_start():
                    tried, revision = queue.popleft()
                    task = asyncio.create_task(self._deliver(tried, revision))
                    running[task] = tried.subscription.id
                if not running:
                    break
                for task in await self._ended(list(running), stopping):
                    del running[task]
                    task.result()
        finally:
            stopping.cancel()
            if late := await finish(set(running)):
                log.warning("daily posts cut off posts=%d", late)
        if queue:
            await self._store.record(
                [posts.held_up(tried, tried.subscription.next_due) for tried, _ in queue]
            )

    async def housekeep(self) -> None:
        """Once an hour: plan anew if the tz database changed, and delete what is kept no longer."""
        if self._monotonic() - self._kept_at < HOUSEKEEPING_SECONDS:
            return
        self._kept_at = self._monotonic()
        version, now = tz_version(), self._clock()
        if version != self._tz:
            reopen_zones()
            self._tz = version
        changed = await self._store.replan(version, lambda held: _wake(held, now))
        gone = await self._store.tidy((now - KEPT).date(), now - OFF_KEPT)
        log.info("daily posts kept in order replanned=%d deleted=%d", changed, gone)

    def _may_start(self) -> bool:
        return self._monotonic() >= self._rest_until

    def _room(self) -> int:
        return 1 if self._failures >= TROUBLE else IN_FLIGHT

    async def _ended(
        self, running: list[asyncio.Task[None]], stopping: asyncio.Future[None]
    ) -> list[asyncio.Task[None]]:
        """The posts that are through, once one is, or it is time to look around or to stop."""
        if len(running) < self._room():
            alarm = asyncio.ensure_future(self._sleep(POLL_SECONDS))
            await _first(*running, stopping, alarm)
            alarm.cancel()
        else:
            # Nothing can be started before one of them ends.
            await _first(*running, stopping)
        return [task for task in running if task.done()]

    async def _prepare(self, busy: set[int]) -> list[tuple[Attempt, int]]:
        """The next posts to send, written down as begun, with the settings' revision they go by."""
        now, revision = self._clock(), self._store.revision
        content = self._edition().content
        tries: list[Attempt] = []
        outcomes: list[Outcome] = []
        for due in await self._store.due(self._platform, now, CLAIM + len(busy)):
            if due.subscription.id in busy:
                continue
            planned = attempt(due, content, self._phrases, self._rng, now)
            if isinstance(planned, Attempt):
                tries.append(planned)
            else:
                outcomes.append(planned)
        if outcomes:
            await self._store.record(outcomes)
        if tries:
            await self._store.begin([tried.post for tried in tries])
        return [(tried, revision) for tried in tries]

    async def _prepare_beside(self, running: dict[asyncio.Task[None], int]) -> list[tuple[Attempt, int]]:
        """The next posts; none while the database fails and others wait for it to write down their end."""
        try:
            return await self._prepare(set(running.values()))
        except StoreTrouble:
            if not running:
                raise
            return []

    async def _deliver(self, tried: Attempt, revision: int) -> None:
        """One try, from the chat's turn to the record of its end."""
        held = tried.subscription
        by = self._monotonic() + PATIENCE_SECONDS
        if not await self._pacer.turn(held.chat_key, not held.private, Priority.BROADCAST, by=by):
            await self._records.keep(posts.held_up(tried, self._clock() + HELD))
            return
        try:
            if revision != self._store.revision and not await self._still_wanted(tried):
                return
            outcome = await self._try(tried, may_move=True)
        finally:
            self._pacer.done(held.chat_key)
        if outcome:
            # An update of the platform may have told of the same, while this was on its way.
            is_news = bool(outcome.suspend) and not await self._is_suspended(held)
            await self._records.keep(outcome)
            if is_news:
                await self._tell(outcome)

    async def _still_wanted(self, tried: Attempt) -> bool:
        """Whether the settings are surely as they were when the post was prepared."""
        held = tried.subscription
        with suppress(StoreTrouble):
            return await self._store.subscription(held.platform, held.chat_key) == held
        # It stays begun, and due.
        return False

    async def _is_suspended(self, held: Subscription) -> bool:
        with suppress(StoreTrouble):
            now = await self._store.subscription(held.platform, held.chat_key)
            return now is not None and now.standing is Standing.SUSPENDED
        return False

    async def _try(self, tried: Attempt, *, may_move: bool) -> Outcome | None:
        """Send it once; returns what to write down, or None if its settings went to another chat's."""
        held = tried.subscription
        try:
            key = await self._send(tried)
        except ChatGone as error:
            if not error.moved_to or not may_move:
                return posts.gone(tried, error.reason, self._clock())
            moved = await self._store.move_subscription(held.platform, held.chat_key, error.moved_to)
            if not moved or moved.id != held.id:
                return None
            return await self._try(replace(tried, subscription=moved), may_move=False)
        except RetryLater as error:
            self._delays += 1
            # A limit of this chat alone says nothing of the others.
            if error.everywhere or isinstance(error, Unconnected) or self._delays >= CROWD:
                self._fail()
            self._pacer.hold(None if error.everywhere else held.chat_key, error.seconds)
            return posts.busy(tried, error.seconds, self._clock(), self._rng)
        except Undeliverable as error:
            log.warning("daily post undeliverable reason=%s", error)
            return posts.refused(tried, "undeliverable", self._clock())
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the next post
            self._fail()
            reason = "dropped" if isinstance(error, Unsure) else type(error).__name__
            log.warning("daily post may not have arrived error=%s", type(error).__qualname__)
            return posts.unsure(tried, reason, self._clock(), self._rng)
        self._failures = self._delays = 0
        return posts.sent(tried, key, self._clock())

    async def _send(self, tried: Attempt) -> str:
        if tried.unsure_since and self._clock() - tried.unsure_since > FRESH:
            found = await self._poster.find(tried.subscription, tried.reply, tried.unsure_since)
            if found:
                return found
        key = nonce(self._bot_key, tried.subscription, tried.slot)
        return await self._poster.post(tried.subscription, tried.reply, key)

    def _fail(self) -> None:
        """Count a failure that may be the platform's; after several in a row, probe with one at a time."""
        self._failures += 1
        if self._failures >= TROUBLE:
            seconds = min(FIRST_REST * 2 ** min(self._failures - TROUBLE, 10), LONGEST_REST)
            self._rest_until = self._monotonic() + seconds * self._rng.uniform(0.8, 1.2)

    async def _tell(self, outcome: Outcome) -> None:
        """Tell the person who set it up, once, that it can't go on."""
        held = outcome.subscription
        log.info("daily posts suspended reason=%s", outcome.suspend)
        if held.private or not held.set_by:
            return
        card = posts.suspension_card(held, outcome.suspend, self._phrases)
        await tell(self._poster, self._pacer, held, card)


class _Records:
    """Writes outcomes down, as many as are waiting in one transaction."""

    def __init__(self, store: Subscriptions, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._store, self._sleep = store, sleep
        self._waiting: list[tuple[Outcome, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, outcome: Outcome) -> None:
        """Return once it is written.

        Raises:
            StoreError: it never will be.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((outcome, written))
        if not self._writer:
            self._writer = asyncio.create_task(self._write())
        await written

    async def _write(self) -> None:
        batch: list[tuple[Outcome, asyncio.Future[None]]] = []
        try:
            while self._waiting:
                # What ends in the same moment goes together.
                await asyncio.sleep(0)
                batch, self._waiting = self._waiting, []
                error = await self._commit([outcome for outcome, _ in batch])
                self._settle(batch, error)
        except BaseException as error:
            # Cut off, it must leave nobody waiting.
            self._settle([*batch, *self._waiting], error)
            raise
        finally:
            self._writer = None

    @staticmethod
    def _settle(batch: Sequence[tuple[Outcome, asyncio.Future[None]]], error: BaseException | None) -> None:
        for _, written in batch:
            if written.done():
                continue
            if error:
                written.set_exception(error)
            else:
                written.set_result(None)

    async def _commit(self, outcomes: Sequence[Outcome]) -> StoreError | None:
        """Try until it is written: sending on without would repeat posts for as long as the disk is full."""
        told = ""
        while True:
            try:
                await self._store.record(outcomes)
            except StoreError as error:
                return error
            except Exception as error:  # noqa: BLE001 - any fault of the database: it may pass
                if told != named(error):
                    log.error("daily posts not recorded error=%s", named(error))
                told = named(error)
                await self._sleep(POLL_SECONDS)
            else:
                return None


def _wake(held: Subscription, now: datetime) -> datetime | None:
    try:
        return wake_at(held.plan, now, held.done_day)
    except BadInput:
        # Looked at once more when due, and suspended then.
        return None


async def _set(stop: asyncio.Event) -> None:
    await stop.wait()


async def _first(*waiting: asyncio.Future[None] | asyncio.Task[None]) -> None:
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
