"""discord.py as this bot uses it: the gateway and its cache of servers, and messages to channels."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import discord
from discord.http import Route

from bots.discord_http import Invalid, failure, form
from bots.discord_menu import Payload, same_commands
from bots.discord_read import INTERACTION, MESSAGE
from core.chat import Request
from core.errors import RetryLater, TokenRefused, Unconnected, Unreachable, Unsure

log = logging.getLogger(__name__)

SEND_SECONDS = 20.0
"""discord.py waits for a channel's limit and repeats by itself; what takes longer is given up as unsure."""

SYNC_PAUSES = (0, 5, 60, 600)
"""Seconds before each attempt to register the commands."""

REFUSED_SECONDS = 5.0
"""When to try again after Discord refused the bot as a whole."""

NO_HISTORY = 160002
"""The bot may write but not reply: it may not read what was said (Discord docs, JSON Error Codes)."""

REFUSED_CODES = (4004, 4010, 4011, 4012, 4013, 4014)
"""Gateway close codes after which connecting again is no use (Discord docs, Gateway Close Event Codes)."""


@dataclass(frozen=True, slots=True)
class Change:
    """Whether the bot may post somewhere has changed.

    Attributes:
        channel: where; a thread's own channel.
        reason: why nothing can be posted there any more; empty if it can be again.
        was: the reasons that are over then.
        thread: the thread in it that alone is meant.
    """

    channel: str
    reason: str = ""
    was: tuple[str, ...] = ()
    thread: str | None = None


class Client(discord.Client):
    """discord.py without what this bot doesn't use: no caches of people or messages, no views.

    Args:
        receive: takes the interactions and messages, as they come from the gateway.
        invalid: counts the requests that Discord refuses.
        standing: told where nothing can be posted any more, or where it can be again.

    Attributes:
        has_connected: the gateway took the token.
    """

    has_connected = False

    def __init__(
        self,
        receive: Callable[[str, Payload], None],
        invalid: Invalid,
        standing: Callable[["Change"], Awaitable[None]],
    ) -> None:
        self._standing = standing
        # It warns of libraries that only voice needs.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(partial(_count, invalid))
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.dm_messages = True
        super().__init__(
            intents=intents,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            http_trace=trace,
        )
        # An error in a parser would end the whole connection, and there is no public way in between.
        parsers = self._connection.parsers
        parsers.update({event: partial(receive, event) for event in (INTERACTION, MESSAGE)})
        parsers.update({event: _careful(event, parse) for event, parse in parsers.items()})

    async def on_connect(self) -> None:
        """The gateway is ready."""
        self.has_connected = True

    async def stay(self, token: str, commands: Sequence[Payload]) -> None:
        """Log in, offer the commands and stay connected, until the client is closed.

        Raises:
            TokenRefused: Discord refuses the token or what it is used for.
            Unreachable: the connection can't be made or kept.
        """
        offering: asyncio.Task[None] | None = None
        try:
            await self.login(token)
            offering = asyncio.create_task(self._offer(commands))
            await self.connect()
        except Exception as error:
            raise _ending(error) from error
        finally:
            if offering:
                offering.cancel()

    def parent_of(self, server: str, channel: str) -> str | None:
        """The channel that a thread belongs to; None for what isn't a known thread."""
        guild = self.get_guild(int(server))
        thread = guild.get_thread(int(channel)) if guild else None
        return str(thread.parent_id) if thread else None

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """The bot was added to a server."""
        for channel in guild.channels:
            await self._standing(Change(str(channel.id), was=("kicked",)))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """A server is there again, or for the first time since the start: the bot may have been invited."""
        await self.on_guild_join(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot was removed from a server, or the server was deleted."""
        for channel in guild.channels:
            await self._standing(Change(str(channel.id), "kicked"))

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """A channel is no more."""
        await self._standing(Change(str(channel.id), "deleted"))

    async def on_guild_channel_update(
        self, _before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        """A channel's rights may have changed."""
        if may_send(after, in_thread=False):
            await self._standing(Change(str(after.id), was=("no_access", "no_rights")))

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """A role's rights may have changed, the bot's among them."""
        if before.permissions != after.permissions:
            for channel in after.guild.channels:
                await self.on_guild_channel_update(channel, channel)

    async def on_raw_thread_delete(self, gone: discord.RawThreadDeleteEvent) -> None:
        """A thread is no more."""
        await self._standing(Change(str(gone.parent_id), "thread_deleted", thread=str(gone.thread_id)))

    async def on_raw_thread_update(self, changed: discord.RawThreadUpdateEvent) -> None:
        """A thread may be open again."""
        state = changed.data["thread_metadata"]
        if not state["archived"] and not state.get("locked"):
            thread = str(changed.thread_id)
            await self._standing(Change(str(changed.parent_id), was=("archived", "locked"), thread=thread))

    async def on_error(self, event_method: str, /, *_args: object, **_more: object) -> None:
        """Without the error's words, which discord.py would print."""
        error = sys.exc_info()[0]
        log.error("event failed event=%s error=%s", event_method, error.__qualname__ if error else "")

    async def post(self, channel: str, body: Payload) -> bool:
        """Send a message once, as far as discord.py does that; True if it went out.

        Raises:
            RetryLater, Unsure, ChatGone, Undeliverable: it did not, or may not have.
        """
        await self.request(Route("POST", "/channels/{channel_id}/messages", channel_id=channel), body)
        return True

    async def request(self, route: Route, body: Payload | None = None) -> Any:
        """What Discord answers.

        Raises:
            RetryLater, Unsure, ChatGone, Undeliverable: as in `post`.
        """
        sent: dict[str, Any] = {} if body is None else {"json": body}
        if body and (parts := form(body)):
            sent = {"form": parts}
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return await self.http.request(route, **sent)
        except discord.HTTPException as error:
            if error.status == 401 or (error.status == 403 and not error.code):
                # The token or the address is refused, not this chat.
                raise RetryLater(REFUSED_SECONDS, everywhere=True) from error
            if error.code == NO_HISTORY and body and body.pop("message_reference", None):
                raise RetryLater(0) from error
            details = {"message_reference": 1} if "message_reference" in error.text else {}
            wait = error.response.headers.get("Retry-After")
            raise failure(error.status, {"code": error.code, "errors": details}, wait) from error
        except aiohttp.ClientConnectorError as error:
            raise Unconnected(1.0) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unsure from error

    async def _offer(self, commands: Sequence[Payload]) -> None:
        """Register the commands, unless Discord offers just these already."""
        for pause in SYNC_PAUSES:
            await asyncio.sleep(pause)
            try:
                there: Any = await self.http.get_global_commands(self.application_id or 0)
                if not same_commands(commands, there):
                    await self.http.bulk_upsert_global_commands(self.application_id or 0, list(commands))
                    log.info("commands registered count=%d", len(commands))
            except (discord.DiscordException, aiohttp.ClientError, OSError, KeyError, TypeError) as error:
                log.warning("commands not registered error=%s", type(error).__qualname__)
            else:
                return


class MessageFacts:
    """What the cache of servers says about a message's author and place."""

    def __init__(self, client: "Client", payload: Payload) -> None:
        self._client, self._payload = client, payload

    async def is_admin(self, request: Request) -> bool:
        """See `Facts.is_admin`: whoever may manage the server."""
        guild = self._guild()
        if guild is None:
            return request.private
        roles = [guild.get_role(int(role)) for role in self._payload.get("member", {}).get("roles", [])]
        manages = any(r and (r.permissions.administrator or r.permissions.manage_guild) for r in roles)
        return manages or request.actor_key == str(guild.owner_id)

    async def may_post(self, request: Request) -> bool:
        """See `Facts.may_post`."""
        guild = self._guild()
        if guild is None:
            return request.private
        channel = guild.get_channel_or_thread(int(request.thread or request.chat_key))
        return channel is not None and may_send(channel, in_thread=request.thread is not None)

    async def hears(self, request: Request) -> bool:
        """See `Facts.hears`: without the intent for it, only what is meant for the bot comes."""
        return request.private

    def _guild(self) -> discord.Guild | None:
        return self._client.get_guild(int(self._payload.get("guild_id") or 0))


def may_send(channel: discord.abc.GuildChannel | discord.Thread, *, in_thread: bool) -> bool:
    """Whether the bot's cards can be sent there, as far as the cache of servers knows."""
    me = channel.guild.me
    if me is None:
        return False
    rights = channel.permissions_for(me)
    sends = rights.send_messages_in_threads if in_thread else rights.send_messages
    return sends and rights.view_channel and rights.embed_links


def _careful(event: str, parse: Callable[[Any], object]) -> Callable[[Any], None]:
    def guarded(payload: Any) -> None:
        try:
            parse(payload)
        except Exception as error:  # noqa: BLE001 - one odd event must not end the connection
            log.warning("event skipped event=%s error=%s", event, type(error).__qualname__)

    return guarded


def _ending(error: Exception) -> TokenRefused | Unreachable:
    """What an error of discord.py says about connecting again; it lets through whatever broke."""
    if isinstance(error, discord.LoginFailure):
        return TokenRefused("the token is refused; copy it again from the developer portal, under Bot")
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return TokenRefused("an intent is refused")
    if isinstance(error, discord.ConnectionClosed) and error.code in REFUSED_CODES:
        return TokenRefused(f"the gateway refuses the bot code={error.code}")
    return Unreachable(_unreached(error))


def _unreached(error: BaseException) -> str:
    """Which host could not be reached, and how that failed."""
    if isinstance(error, AttributeError) and error.__context__:
        # discord.py stumbles over a connection to the gateway that never came about.
        error = error.__context__
    if isinstance(error, aiohttp.ClientConnectorError):
        host: str | None = error.host
    elif isinstance(error, aiohttp.ClientResponseError):
        host = error.request_info.real_url.host
    else:
        host = urlsplit(Route.BASE).hostname
    return f"{host}: {type(error).__qualname__}"


async def _count(
    invalid: Invalid, _session: aiohttp.ClientSession, _context: object, end: aiohttp.TraceRequestEndParams
) -> None:
    invalid.count(end.response.status, end.response.headers.get("X-RateLimit-Scope"))
