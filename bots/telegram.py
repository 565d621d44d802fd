"""The bot on Telegram: takes updates, has them answered, sends the answers."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from telegram import Bot, Update
from telegram.error import Conflict, EndPointNotFound, InvalidToken, RetryAfter, TelegramError, TimedOut
from telegram.request import BaseRequest, HTTPXRequest

from bots.settings import Settings
from bots.telegram_http import AiohttpRequest
from bots.telegram_menu import keep_menu
from bots.telegram_post import TelegramPoster
from bots.telegram_send import LIMITS, Sender, TelegramFacts, seconds, translate
from bots.telegram_view import ALLOWED_UPDATES, Post, joined, migration, post, read, reopened, standing
from core.app import App
from core.chat import Request, Surface
from core.daily import DailyRun, Poster, tell
from core.delivery import GRACE_SECONDS, Bucket, Grant, Limits, Outbox, Pacer, finish
from core.errors import RetryLater, TokenRefused, Unreachable, Unsure
from core.phrases import Phrases
from core.recent import Seen
from core.reply import Deed, Reply

log = logging.getLogger(__name__)

OLD = timedelta(minutes=10)
"""Messages that waited longer than this are skipped."""

POLL_SECONDS = 30
"""How long Telegram may keep a request for updates open."""

GATHER_SECONDS = 0.05
"""Pause after updates, so that more of them come with one request: under load, not noticed by anybody."""

POLL_MARGIN_SECONDS = 10.0

LONGEST_PAUSE_SECONDS = 30.0
"""Between tries to get updates."""

REFUSALS = 8
"""How often in a row the token may be refused, in about two minutes, before it counts as revoked."""

TYPED_PER_SECOND, TYPED_AT_ONCE = 2.0, 40
"""Inline queries a person may make: clients send one for every pause in typing."""

ACK_PAUSES = (0.0, 0.5, 2.0, 5.0)
"""Seconds before each try to tell Telegram that a press has arrived."""


def build(settings: Settings, app: App, phrases: Phrases, daily: DailyRun) -> "Telegram":
    """The bot of the token in `settings`; `daily` runs its daily posts."""
    kind = AiohttpRequest if settings.telegram_transport == "aiohttp" else _stock
    return Telegram(settings.telegram_token, settings.telegram_api_url, kind, app, phrases, daily)


def _stock() -> BaseRequest:
    return HTTPXRequest(connection_pool_size=64, read_timeout=20, write_timeout=20, pool_timeout=5)


def _now() -> datetime:
    return datetime.now(UTC)


class Telegram:
    """One bot account; see `bots.compose.Platform`."""

    name = "telegram"

    def __init__(
        self,
        token: str,
        api_url: str,
        request: Callable[[], BaseRequest],
        app: App,
        phrases: Phrases,
        daily: DailyRun,
        *,
        clock: Callable[[], datetime] = _now,
        limits: Limits = LIMITS,
    ) -> None:
        self._token, self._api_url, self._request = token, api_url, request
        self._app, self._phrases, self._daily, self._clock = app, phrases, daily, clock
        self._limits = limits

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then finish what is in flight.

        Raises:
            TokenRefused: Telegram does not know the token.
            Unreachable: Telegram can't be reached at the start.
            StoreError: the database is lost to another sender.
        """
        request = self._request()
        url = self._api_url
        bot = Bot(
            self._token,
            base_url=f"{url}/bot",
            base_file_url=f"{url}/file/bot",
            request=request,
            get_updates_request=request,
        )
        try:
            if await _before(stop, _connect(bot)):
                await self._serve(bot, stop)
        finally:
            await bot.shutdown()
            await request.shutdown()

    async def _serve(self, bot: Bot, stop: asyncio.Event) -> None:
        log.info("telegram started username=%s", bot.username)
        if not bot.bot.supports_inline_queries:
            log.info("inline mode is off: to offer entries in any chat, send /setinline to @BotFather")
        desk = Desk(bot, self._app, self._phrases, self._clock, self._limits)
        poll = Poll(bot, desk.take)
        menu = asyncio.create_task(keep_menu(bot, self._app.edition.content, self._phrases))
        ending = asyncio.Event()
        daily: asyncio.Task[object] = asyncio.create_task(
            self._daily(str(bot.id), desk.poster, desk.pacer, ending)
        )
        try:
            await _before(stop, _both(poll.run(), daily))
        finally:
            ending.set()
            menu.cancel()
            confirmed = asyncio.create_task(poll.confirm())
            _late, dropped = await asyncio.gather(finish({daily}, GRACE_SECONDS - 1), desk.close())
            await finish({confirmed}, 0.5)
            log.info("telegram stopped dropped=%d", dropped)


async def _connect(bot: Bot) -> None:
    try:
        await bot.initialize()
    except InvalidToken:
        # The library's error quotes the token.
        raise TokenRefused("Telegram refuses the token; copy TELEGRAM_TOKEN anew from @BotFather") from None
    except RetryAfter as error:
        raise Unreachable(f"{_host(bot)}: told to wait {seconds(error):.0f} s") from None
    except TelegramError as error:
        # The transport's error tells more than what the library makes of it.
        raise Unreachable(f"{_host(bot)}: {type(error.__cause__ or error).__name__}") from None


def _host(bot: Bot) -> str:
    """Where requests go: without the path, which holds the token, and without a password."""
    return urlsplit(bot.base_url).netloc.rpartition("@")[2]


async def _before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether `work` ended by itself; it is cancelled once `stop` is set."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return True
        return False
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def _both(work: Coroutine[Any, Any, None], beside: asyncio.Task[object]) -> None:
    """Run `work` until it or `beside` ends; what goes wrong in either is raised."""
    working = asyncio.create_task(work)
    try:
        await asyncio.wait({working, beside}, return_when=asyncio.FIRST_COMPLETED)
        await (beside if beside.done() else working)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


class Poll:
    """Gets updates.

    Not the library's own loop, because that one ends for ever at the first
    refusal of the token, asks for a batch again and again if one update in it
    can't be read, and can't be interrupted in a pause.
    """

    def __init__(self, bot: Bot, take: Callable[[Update], None]) -> None:
        self._bot, self._take = bot, take
        self._offset: int | None = None
        self._failures = self._refusals = 0

    async def run(self) -> None:
        """Hand on every update, for ever.

        Raises:
            TokenRefused: the token was revoked.
        """
        while True:
            try:
                updates = await self._ask(POLL_SECONDS)
            except TelegramError as error:
                await asyncio.sleep(await self._pause(error))
            else:
                if self._failures:
                    log.info("telegram polling again after failures=%d", self._failures)
                self._failures = self._refusals = 0
                for update in updates:
                    self._hand_on(update)
                if updates:
                    await asyncio.sleep(GATHER_SECONDS)

    async def confirm(self) -> None:
        """Tell Telegram what has arrived, so that it does not come again."""
        if self._offset is not None:
            try:
                await self._ask(0)
            except TelegramError:
                log.info("telegram not told what has arrived; it may come again")

    async def _ask(self, wait_seconds: int) -> list[dict[str, Any]]:
        asked = {"timeout": wait_seconds, "allowed_updates": list(ALLOWED_UPDATES), "offset": self._offset}
        # In lower case, the name reaches Telegram without the library reading the updates: one that
        # it can't read would take the others with it.
        updates: list[dict[str, Any]] = await self._bot.do_api_request(
            "getupdates", api_kwargs=asked, read_timeout=wait_seconds + POLL_MARGIN_SECONDS
        )
        return updates

    def _hand_on(self, raw: dict[str, Any]) -> None:
        self._offset = raw["update_id"] + 1
        try:
            update = Update.de_json(raw, self._bot)
        except Exception as error:  # noqa: BLE001 - whatever the library stumbles over, the next one counts
            log.warning("telegram update not readable error=%s", type(error).__name__)
        else:
            self._take(update)

    async def _pause(self, error: TelegramError) -> float:
        """Seconds to wait after a failure, which is told once."""
        self._failures += 1
        if self._failures == 1 and not isinstance(error, TimedOut):
            log.warning("telegram polling failed host=%s error=%s", _host(self._bot), type(error).__name__)
        if isinstance(error, InvalidToken | EndPointNotFound):
            self._refusals += 1
            if self._refusals >= REFUSALS:
                raise TokenRefused("Telegram refuses the token now; was it revoked?")
        if isinstance(error, Conflict) and self._failures in (1, 10):
            await self._on_conflict(error)
        if isinstance(error, RetryAfter):
            return seconds(error)
        return min(LONGEST_PAUSE_SECONDS, 0.5 * 2.0 ** min(self._failures - 1, 8))

    async def _on_conflict(self, error: Conflict) -> None:
        if "webhook" not in error.message:
            log.error("telegram: another program gets the updates of this token; stop one of them")
            return
        try:
            await self._bot.delete_webhook()
        except TelegramError as failure:
            log.warning("telegram webhook not removed error=%s", type(failure).__name__)


class Desk:
    """Has each update answered: side by side, but one chat's in order.

    Attributes:
        pacer: holds everything that is sent to Telegram's limits.
        poster: sends daily posts.
    """

    def __init__(
        self, bot: Bot, app: App, phrases: Phrases, clock: Callable[[], datetime], limits: Limits
    ) -> None:
        self._bot, self._app, self._clock = bot, app, clock
        self._me, self._facts = bot.bot, TelegramFacts(bot)
        self.pacer = Pacer(limits, time.monotonic, asyncio.sleep)
        self.poster: Poster = TelegramPoster(bot, self._moved)
        self._outbox = Outbox(self.pacer, time.monotonic)
        self._sender = Sender(bot, self._outbox, self._moved, Reply(title=phrases.say("notice.dropped")))
        self._slow = Reply(title=phrases.say("notice.slow"))
        self._bucket = Bucket(time.monotonic)
        self._typing = Bucket(time.monotonic, per_second=TYPED_PER_SECOND, burst=TYPED_AT_ONCE)
        self._lines = Lines()
        self._answered: Seen[str] = Seen()
        self._started = clock()
        self._tasks: set[asyncio.Task[object]] = set()
        self._skipped = 0

    def take(self, update: Update) -> None:
        """Begin to answer an update."""
        self._begin(self._attend(update))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[object]:
        task: asyncio.Task[object] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> int:
        """Finish what is in flight; returns how many answers were dropped."""
        late = await finish(self._tasks, GRACE_SECONDS - 1)
        await self._outbox.close()
        counts = self._outbox.counts
        log.info("telegram sent=%d retried=%d unsure=%d", counts.sent, counts.retried, counts.unsure)
        return late + counts.dropped

    async def _attend(self, update: Update) -> None:
        try:
            await self._answer(update)
        except Exception as error:  # noqa: BLE001 - one update must not end the others
            place = error.__traceback__
            while place and place.tb_next:
                place = place.tb_next
            where = f"{place.tb_frame.f_code.co_name}:{place.tb_lineno}" if place else ""
            log.error("telegram update failed error=%s at=%s", type(error).__qualname__, where)

    async def _answer(self, update: Update) -> None:
        if moved := migration(update):
            await self._moved(*moved)
        if changed := standing(update):
            await self._standing(*changed)
        if topic := reopened(update):
            await self._app.returned("telegram", topic[0], "topic_closed", thread=topic[1])
        if came := joined(update, self._me):
            await self._explain(came)
        request, press = read(update, self._me), update.callback_query
        reply = ack = None
        try:
            if request:
                async with self._lines.of(request.chat_key):
                    reply = await self._reply(request, post(update))
        finally:
            if press:
                toast = reply.title if reply and reply.deed in (Deed.TOAST, Deed.DELETE) else None
                ack = self._begin(self._acknowledge(press.id, toast))
        if request:
            await self._show(update, request, reply)
        if ack:
            await ack

    async def _show(self, update: Update, request: Request, reply: Reply | None) -> None:
        if update.inline_query:
            await self._sender.offer(update.inline_query.id, reply)
        elif reply is self._slow:
            await self._sender.tell(request, reply)
        elif reply and reply.deed is not Deed.TOAST:
            await self._sender.deliver(request, reply)

    async def _reply(self, request: Request, told: Post) -> Reply | None:
        # What is older than the start was perhaps answered before the restart.
        is_old = told.is_edit and told.written and told.written < self._started
        if told.key in self._answered or is_old:
            # An answer is not given again, but danger may be what an edit tells.
            return await self._app.urgent(request, self._facts) if told.is_edit else None
        reply = await self._ruled(request, told)
        if reply:
            self._answered.add(told.key)
        return reply

    async def _ruled(self, request: Request, told: Post) -> Reply | None:
        """The answer; only a crisis card for what is too old, or from somebody who asks too much."""
        if told.written and self._clock() - told.written > OLD:
            self._skipped += 1
            if self._skipped in (1, 10, 100) or self._skipped % 1000 == 0:
                log.info("telegram old messages skipped so_far=%d", self._skipped)
            return await self._app.urgent(request, self._facts)
        if request.addressed:
            is_typing = request.surface is Surface.INLINE
            grant = (self._typing if is_typing else self._bucket).take(request.actor_key)
            if grant is not Grant.YES:
                notice = self._slow if grant is Grant.NOW_EMPTY and not is_typing else None
                return await self._app.urgent(request, self._facts) or notice
        return await self._app.handle(request, self._facts)

    async def _acknowledge(self, press_id: str, toast: str | None) -> None:
        """Stop the clock on the pressed button, with a passing line or none; doing it twice does no harm."""
        for pause in ACK_PAUSES:
            await asyncio.sleep(pause)
            try:
                await self._bot.answer_callback_query(press_id, toast)
            except TelegramError as error:
                failure = translate(error)
                if not isinstance(failure, RetryLater | Unsure):
                    return
                if isinstance(failure, RetryLater):
                    await asyncio.sleep(failure.seconds)
            else:
                return

    async def _explain(self, came: Request) -> None:
        async with self._lines.of(came.chat_key):
            needs = await self._app.joined(came, self._facts)
        if needs:
            await self._sender.deliver(came, needs)

    async def _moved(self, old_key: str, new_key: str) -> None:
        await self._app.moved("telegram", old_key, new_key)

    async def _standing(self, chat_key: str, reason: str) -> None:
        if not reason:
            await self._app.returned("telegram", chat_key)
        elif stopped := await self._app.gone("telegram", chat_key, reason):
            await tell(self.poster, self.pacer, *stopped)


class Lines:
    """Lets one at a time in, first come first served, for each key."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Wait for the turn, and hold it."""
        lock, waiting = self._lines.get(key) or (asyncio.Lock(), 0)
        self._lines[key] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._lines[key]
            if waiting == 1:
                del self._lines[key]
            else:
                self._lines[key] = lock, waiting - 1
