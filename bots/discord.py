"""Discord: the gateway's events go to core, core's replies go back."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
from discord.http import Route

from bots.discord_answer import Answer
from bots.discord_client import Change, Client, MessageFacts
from bots.discord_http import ATTEMPT_SECONDS, Callbacks, Invalid
from bots.discord_menu import slash_commands
from bots.discord_post import DiscordPoster
from bots.discord_read import INTERACTION, Me, age, read, rights
from bots.discord_view import Payload, render
from bots.settings import Settings
from core.app import App
from core.chat import Facts, Request, Surface
from core.daily import DailyRun, tell
from core.delivery import GRACE_SECONDS, Bucket, Grant, Limits, Outbox, Pacer, Priority, finish, priority_of
from core.errors import ChatGone, RetryLater, Undeliverable, Unreachable, Unsure
from core.phrases import Phrases
from core.recent import Seen
from core.reply import Deed, Reply

log = logging.getLogger(__name__)

Attempt = Callable[[], Awaitable[bool]]

LIMITS = Limits(per_second=40, burst=10, chat_per_second=1_000, chat_burst=1_000)
"""Discord allows 50 requests a second (docs, Global Rate Limit); discord.py keeps to each channel's limit."""

ANSWER_LIMITS = Limits(per_second=1_000, burst=1_000, chat_per_second=1_000, chat_burst=1_000)
"""Answers to interactions are outside that limit (same place), and late after 3 seconds: none waits."""

OLDEST = timedelta(minutes=10)
"""What was asked longer ago, as after an outage, gets no answer."""

UNSURE_RETRIES = 4
"""With a nonce, or on an interaction, Discord drops what it already has."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before connecting again, doubled each time."""

CROWD = 16
"""Answers at work from which on they are begun one at a time."""

LOGIN_LOOK_SECONDS = 0.1
"""How often daily posts look whether the bot is logged in."""

CLOSING_SECONDS = 1.0
"""What closing the connections may take of the time to stop."""


def build(settings: Settings, app: App, phrases: Phrases, daily: DailyRun) -> "Discord":
    """The platform; nothing is connected yet. `daily` runs its daily posts."""
    return Discord(settings.discord_token, app, phrases, daily)


class Discord:
    """The bot on Discord, for as long as `run` runs."""

    name = "discord"

    def __init__(self, token: str, app: App, phrases: Phrases, daily: DailyRun) -> None:
        self._token, self._app, self._phrases, self._daily = token, app, phrases, daily
        self._has_served = False

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`; reconnect by itself once it has been connected.

        Raises:
            TokenRefused: Discord refuses the token or what it may do.
            Unreachable: it can't be reached, and never was.
            StoreError: the database is lost to another sender.
        """
        clock = time.monotonic
        pacers = [Pacer(limits, clock, asyncio.sleep) for limits in (LIMITS, ANSWER_LIMITS)]
        messages, answers = [Outbox(pacer, clock) for pacer in pacers]
        bucket = Bucket(clock)

        def hold(seconds: float) -> None:
            log.error("too many refused requests: nothing is sent for %.0f s", seconds)
            for pacer in pacers:
                pacer.hold(None, seconds)

        invalid = Invalid(clock, hold)
        pause = FIRST_PAUSE
        try:
            while not stop.is_set():
                try:
                    await self._serve(
                        stop, Desk(self._app, self._phrases, messages, answers, bucket), invalid, pacers[0]
                    )
                except Unreachable as error:
                    if not self._has_served:
                        raise
                    log.warning("discord disconnected (%s), next try in %.0f s", error, pause)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            for outbox in (messages, answers):
                await outbox.close()

    async def _serve(self, stop: asyncio.Event, desk: "Desk", invalid: Invalid, pacer: Pacer) -> None:
        """One client, from its login to its end; returns only once `stop` is set."""
        client, ending = Client(desk.take, invalid, desk.standing), asyncio.Event()
        timeout = aiohttp.ClientTimeout(total=ATTEMPT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            desk.open(client, Callbacks(session, Route.BASE, invalid), pacer)
            staying = asyncio.create_task(client.stay(self._token, slash_commands(self._phrases)))
            stopping = asyncio.create_task(stop.wait())
            daily: asyncio.Task[object] = asyncio.create_task(self._post_daily(client, pacer, ending))
            try:
                await asyncio.wait((staying, stopping, daily), return_when=asyncio.FIRST_COMPLETED)
                if not stop.is_set():
                    await (daily if daily.done() else staying)
            finally:
                ending.set()
                self._has_served = self._has_served or client.has_connected
                stopping.cancel()
                seconds = GRACE_SECONDS - CLOSING_SECONDS
                dropped, _late = await asyncio.gather(desk.close(), finish({daily}, seconds))
                log.info("stopped dropped=%d", dropped)
                staying.cancel()
                await asyncio.gather(staying, return_exceptions=True)
                await client.close()

    async def _post_daily(self, client: Client, pacer: Pacer, stop: asyncio.Event) -> None:
        """Daily posts, from the moment the bot knows who it is."""
        while not client.has_connected or client.user is None:
            if stop.is_set():
                return
            await asyncio.sleep(LOGIN_LOOK_SECONDS)
        await self._daily(str(client.user.id), DiscordPoster(client), pacer, stop)


class Desk:
    """Takes what arrives to core and delivers what core replies."""

    def __init__(self, app: App, phrases: Phrases, messages: Outbox, answers: Outbox, bucket: Bucket) -> None:
        self._app, self._phrases, self._bucket = app, phrases, bucket
        self._messages, self._answers = messages, answers
        self._tasks: set[asyncio.Task[object]] = set()
        # Ids of answered events: the gateway may deliver one twice.
        self._seen: Seen[str] = Seen()
        self._door = asyncio.Lock()
        self._is_open = False

    def open(self, client: Client, callbacks: Callbacks, pacer: Pacer) -> None:
        """Begin to take what arrives; replies go out through `client` and `callbacks`."""
        self._client, self._callbacks, self._pacer = client, callbacks, pacer
        self._is_open = True

    async def close(self) -> int:
        """Take nothing more and let what is in flight end; returns how many answers were dropped."""
        self._is_open = False
        return await finish(self._tasks, GRACE_SECONDS - CLOSING_SECONDS)

    def take(self, event: str, payload: Payload) -> None:
        """Start answering an event, unless it is none of the bot's business or comes a second time."""
        me = self._client.user
        if not self._is_open or me is None:
            return
        request = read(event, payload, Me(str(me.id), self._client.parent_of))
        if request is None or payload["id"] in self._seen:
            return
        self._seen.add(payload["id"])
        answer = self._interaction if event == INTERACTION else self._message
        task: asyncio.Task[object] = asyncio.create_task(_logged(answer(payload, request)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def standing(self, change: Change) -> None:
        """Suspend daily posts, and tell who set them, or go on with them."""
        where, thread = (Discord.name, change.channel), change.thread
        if not change.reason:
            await self._app.returned(*where, *change.was, thread=thread)
        elif stopped := await self._app.gone(*where, change.reason, thread=thread):
            await tell(DiscordPoster(self._client), self._pacer, *stopped)

    async def _interaction(self, payload: Payload, request: Request) -> None:
        answer, facts = Answer(payload, self._callbacks), rights(payload)
        if request.surface is Surface.AUTOCOMPLETE:
            offered = await self._app.handle(request, facts)
            await answer.suggest(offered.choices if offered else ())
            return
        sorry = partial(answer.show, deed=Deed.SEND, whisper=True)
        timer = answer.defer_later()
        try:
            reply = await self._reply(payload, request, facts, must=True)
            if reply is None:
                await answer.pass_over()
            elif reply.deed is Deed.DELETE:
                await self._deliver(request, reply, [answer.remove], sorry)
            else:
                shown = partial(answer.show, deed=reply.deed, whisper=reply.whisper, aloud=reply.aloud)
                show = [partial(shown, page) for page in render(reply)]
                await self._deliver(request, reply, show, sorry)
        finally:
            timer.cancel()
            await answer.settle()

    async def _message(self, payload: Payload, request: Request) -> None:
        reply = await self._reply(payload, request, MessageFacts(self._client, payload))
        if reply is None:
            return
        channel, nonce = reply.thread or request.chat_key, str(payload["id"])
        bodies = [
            {**page, "nonce": f"{nonce}.{number}", "enforce_nonce": True}
            for number, page in enumerate(render(reply))
        ]
        # Whoever takes a question back wants no answer, but somebody in danger gets theirs.
        must_exist = priority_of(reply) is not Priority.CRISIS
        for body in [] if reply.apart else bodies[:1]:
            key = reply.answers or request.message_key
            body["message_reference"] = {"message_id": key, "fail_if_not_exists": must_exist}
        post = [partial(self._client.post, channel, body) for body in bodies]
        await self._deliver(request, reply, post, partial(self._client.post, channel))

    async def _reply(
        self, payload: Payload, request: Request, facts: Facts, *, must: bool = False
    ) -> Reply | None:
        """Core's reply, within what one person may ask; `must` tells them each time that it was too much."""
        if age(payload["id"], datetime.now(UTC)) > OLDEST:
            return await self._app.urgent(request, facts)
        # When many ask at once, the first answers leave before the last is worked out.
        if len(self._tasks) > CROWD:
            async with self._door:
                await asyncio.sleep(0)
        grant = self._bucket.take(request.actor_key)
        if grant is Grant.YES:
            return await self._app.handle(request, facts)
        urgent = await self._app.urgent(request, facts)
        if urgent or (grant is Grant.EMPTY and not must):
            return urgent
        return Reply(title=self._phrases.say("notice.slow"), whisper=True, thread=request.thread)

    async def _deliver(
        self,
        request: Request,
        reply: Reply,
        attempts: Sequence[Attempt],
        show: Callable[[Payload], Awaitable[bool]],
    ) -> None:
        """Make every attempt succeed, in order; `show` tells people if answers were dropped."""

        async def notify() -> None:
            await show(render(Reply(title=self._phrases.say("notice.dropped")))[0])

        outbox, lane = self._messages, reply.thread or request.chat_key
        if request.message_key is None or request.action is not None:
            # An interaction has no channel's limit to wait for: only what the same person asked goes first.
            outbox, lane = self._answers, f"{lane} {request.actor_key}"
        for attempt in attempts:
            if not await outbox.deliver(
                lane,
                attempt,
                priority=priority_of(reply),
                unsure_retries=UNSURE_RETRIES,
                notice=notify,
            ):
                return


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end; what goes wrong is a line in the log."""
    try:
        await work
    except (ChatGone, Undeliverable, RetryLater, Unsure) as error:
        log.info("no answer shown reason=%s", error or type(error).__qualname__)
    except Exception as error:  # noqa: BLE001 - the last resort, without the error's words
        log.error("answer failed error=%s", type(error).__qualname__)
