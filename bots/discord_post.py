"""Daily posts on Discord: each method is one message, with core's errors."""

from datetime import UTC, datetime, timedelta
from typing import Any

from discord.http import Route

from bots.discord_client import Client
from bots.discord_view import Payload, render
from core.errors import ChatGone, Undeliverable
from core.reply import Reply
from core.store import Subscription

LOOKED_AT = 100
"""Messages read to find an earlier post; the most Discord gives at once (docs, Get Channel Messages)."""

SKEW = timedelta(seconds=30)
"""How far this machine's clock may be ahead of Discord's."""

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


class DiscordPoster:
    """See `core.daily.Poster`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def post(self, subscription: Subscription, reply: Reply, nonce: str) -> str:
        """See `Poster.post`; a card longer than a message goes on in further ones."""
        keys = [
            await self._send(_channel(subscription), page, f"{nonce}{number or ''}")
            for number, page in enumerate(render(reply))
        ]
        return keys[0]

    async def find(self, subscription: Subscription, reply: Reply, since: datetime) -> str | None:
        """See `Poster.find`."""
        after = int((since - SKEW - _EPOCH) / timedelta(milliseconds=1)) << 22
        path = f"/channels/{{channel_id}}/messages?after={after}&limit={LOOKED_AT}"
        try:
            there = await self._client.request(Route("GET", path, channel_id=_channel(subscription)))
        except (ChatGone, Undeliverable):
            # Whether it may post there is another question, which posting answers.
            return None
        me, wanted = self._client.user, _essence(render(reply)[0])
        own = (m for m in there if me and m["author"]["id"] == str(me.id) and _essence(m) == wanted)
        return next((str(message["id"]) for message in own), None)

    async def tell(self, subscription: Subscription, reply: Reply) -> None:
        """See `Poster.tell`."""
        opened = await self._client.request(
            Route("POST", "/users/@me/channels"), {"recipient_id": subscription.set_by}
        )
        for page in render(reply):
            await self._client.post(str(opened["id"]), page)

    async def _send(self, channel: str, page: Payload, nonce: str) -> str:
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=channel)
        sent = await self._client.request(route, {**page, "nonce": nonce, "enforce_nonce": True})
        return str(sent["id"])


def _channel(subscription: Subscription) -> str:
    return subscription.thread or subscription.chat_key


def _essence(message: Any) -> list[tuple[str, str]]:
    """What of a message comes back as it was sent."""
    embeds = message.get("embeds") or []
    return [((e.get("title") or "").strip(), (e.get("description") or "").strip()) for e in embeds]
