"""Daily posts on Telegram: each method is one request, with core's errors."""

from datetime import datetime

from telegram import Bot
from telegram.error import ChatMigrated, TelegramError

from bots.telegram_send import Moved, sending, translate
from bots.telegram_view import Json, render
from core.reply import Reply
from core.store import Subscription


class TelegramPoster:
    """See `core.daily.Poster`; Telegram knows no nonce and shows bots no history."""

    def __init__(self, bot: Bot, moved: Moved) -> None:
        self._bot, self._moved = bot, moved

    async def post(self, subscription: Subscription, reply: Reply, nonce: str) -> str:
        """See `Poster.post`."""
        where: Json = {"chat_id": int(subscription.chat_key)}
        if subscription.thread:
            where["message_thread_id"] = int(subscription.thread)
        try:
            sent = await self._send(where, reply)
        except ChatMigrated as error:
            # More than the subscription is kept under the old key.
            await self._moved(subscription.chat_key, str(error.new_chat_id))
            raise translate(error) from error
        except TelegramError as error:
            raise translate(error) from error
        return str(sent["message_id"])

    async def find(self, subscription: Subscription, reply: Reply, since: datetime) -> str | None:
        """See `Poster.find`."""
        return None

    async def tell(self, subscription: Subscription, reply: Reply) -> None:
        """See `Poster.tell`; an anonymous admin has no private chat."""
        if not subscription.set_by.isdecimal():
            return
        try:
            await self._send({"chat_id": int(subscription.set_by)}, reply)
        except TelegramError as error:
            raise translate(error) from error

    async def _send(self, where: Json, reply: Reply) -> Json:
        method, content = sending(render(reply))
        sent: Json = await self._bot.do_api_request(method, api_kwargs={**where, **content})
        return sent
