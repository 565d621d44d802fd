"""Telegram updates as requests, and replies as texts with entities: pure functions."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from telegram import (
    CallbackQuery,
    ChatMember,
    InlineQuery,
    Message,
    MessageEntity,
    Update,
    User,
)

from core.chat import Request, Surface
from core.reply import (
    KEPT_CARDS,
    SEPARATOR,
    Article,
    Block,
    Link,
    Picture,
    Reply,
    Style,
    paragraphs,
    utf16_length,
)

ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "inline_query",
    "my_chat_member",
)
"""What the bot asks Telegram for (Bot API 10.1, Update)."""

_COMMAND = re.compile(r"/\w{1,32}(?:@(?P<bot>\w+))?(?=\s|$)")
_STYLES = {
    Style.STRONG: "bold",
    Style.HEADING: "bold",
    Style.QUOTE: "blockquote",
}
_UNSENDABLE = re.compile("[\ud800-\udfff]")


CACHE_SECONDS = 300
"""How long Telegram may answer a repeated inline query by itself; after that, content may have changed."""

CAPTION_UNITS = 1024
"""The longest text that goes with a picture (Bot API 10.1, sendPhoto)."""

NO_PREVIEW = {"is_disabled": True}

Json = dict[str, Any]
"""An object of the Bot API, as it is sent."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A message as the Bot API takes it: plain objects, which cost a third of the library's own."""

    text: str
    entities: list[Json]
    markup: Json | None
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """What the platform keeps about an update beside the request.

    Attributes:
        key: the same for a message and its edits, and for an update that comes twice.
        written: when a message was first sent; None for a press or an inline query.
        is_edit: the message came before, with other text.
    """

    key: str
    written: datetime | None = None
    is_edit: bool = False


def post(update: Update) -> Post:
    """The facts of an update that decide whether it is answered at all."""
    message = update.effective_message
    if update.callback_query or update.inline_query or message is None:
        return Post(f"update {update.update_id}")
    edited = update.edited_message or update.edited_channel_post
    return Post(f"{message.chat.id} {message.message_id}", message.date, edited is not None)


def migration(update: Update) -> tuple[str, str] | None:
    """The old and new key of a group that became a supergroup, where the update tells of it."""
    message = update.message
    if message is None or not message.chat:
        return None
    if message.migrate_to_chat_id:
        return str(message.chat.id), str(message.migrate_to_chat_id)
    if message.migrate_from_chat_id:
        return str(message.migrate_from_chat_id), str(message.chat.id)
    return None


def standing(update: Update) -> tuple[str, str] | None:
    """The chat in which the bot's own membership changed, and why it can't post there; empty if it can."""
    change = update.my_chat_member
    if change is None or not change.chat:
        return None
    new, chat = change.new_chat_member, change.chat
    mute = new.status == ChatMember.RESTRICTED and not getattr(new, "can_send_messages", True)
    # Only channels have that right.
    mute = mute or (chat.type == "channel" and not getattr(new, "can_post_messages", False))
    reason = "no_rights" if mute else ""
    if new.status == ChatMember.BANNED:
        reason = "blocked" if chat.type == "private" else "kicked"
    elif new.status == ChatMember.LEFT:
        reason = "left"
    return str(chat.id), reason


def joined(update: Update, me: User) -> Request | None:
    """The group that the bot `me` has just come into, as a request of who added it."""
    change = update.my_chat_member
    if change is None or not change.chat or change.chat.type not in ("group", "supergroup"):
        return None
    if not _is_in(change.new_chat_member) or _is_in(change.old_chat_member):
        return None
    return Request(
        platform="telegram",
        chat_key=str(change.chat.id),
        actor_key=str(change.from_user.id),
        private=False,
        bot_link=_link(me),
        start_link=_link(me, "?start="),
    )


def _is_in(member: ChatMember) -> bool:
    # Who is restricted may be in the chat or not.
    return member.status not in (ChatMember.LEFT, ChatMember.BANNED) and getattr(member, "is_member", True)


def reopened(update: Update) -> tuple[str, str] | None:
    """The forum and the topic in it that was reopened; the general topic is empty."""
    message = update.message
    if message is None or not message.chat:
        return None
    if message.forum_topic_reopened or message.general_forum_topic_unhidden:
        return str(message.chat.id), _thread(message) or ""
    return None


def read(update: Update, me: User) -> Request | None:
    """The request in an update, or None if nobody asks anything of the bot `me`."""
    if update.callback_query:
        return _press(update.callback_query, me)
    if update.inline_query:
        return _inline(update.inline_query, me)
    message = update.effective_message
    return _message(message, me) if message else None


def _message(message: Message, me: User) -> Request | None:
    text = message.text or message.caption or ""
    # The library lets parts be missing that the Bot API promises.
    if not message.chat:
        return None
    if not text.strip() or _is_foreign(message, me):
        return None
    text, mentioned = _without_mention(text, me)
    command = _COMMAND.match(text.strip())
    if command and command["bot"] and command["bot"].lower() != (me.username or "").lower():
        return None
    private = message.chat.type == "private"
    answered = message.reply_to_message
    is_reply = bool(answered and answered.from_user and answered.from_user.id == me.id)
    if answered and answered.forum_topic_created:
        # Everything in a topic counts as a reply to its first message.
        answered, is_reply = None, False
    return Request(
        platform="telegram",
        chat_key=str(message.chat.id),
        actor_key=_actor(message),
        text=text,
        thread=_thread(message),
        message_key=str(message.message_id),
        replied_text=_replied(message, answered),
        language=message.from_user.language_code if message.from_user else None,
        private=private,
        broadcast=message.chat.type == "channel",
        addressed=private or bool(command) or mentioned or is_reply,
        bot_link=_link(me),
        start_link=_link(me, "?start="),
    )


def _replied(message: Message, answered: Message | None) -> str | None:
    """What is replied to: the part that the person picked out, if they did."""
    if message.quote and message.quote.is_manual:
        return message.quote.text
    return (answered.text or answered.caption or "") if answered else None


def _is_foreign(message: Message, me: User) -> bool:
    """Whether the message is a bot's, this one's included, or a copy of a channel's post."""
    if message.via_bot and message.via_bot.id == me.id:
        return True
    if message.is_automatic_forward:
        return True
    # Anonymous admins and channels speak through bots of Telegram's own.
    return bool(message.from_user and message.from_user.is_bot and not message.sender_chat)


def _without_mention(text: str, me: User) -> tuple[str, bool]:
    """The text without the bot's name, which only says who is meant, and whether it was there."""
    if not me.username or "@" not in text:
        return text, False
    bare, times = re.subn(rf"(?<![\w/@])@{re.escape(me.username)}(?!\w)\s*", "", text, flags=re.IGNORECASE)
    return bare, times > 0


def _actor(message: Message) -> str:
    if message.sender_chat:
        return str(message.sender_chat.id)
    return str(message.from_user.id if message.from_user else message.chat.id)


def _thread(message: Message) -> str | None:
    """The topic; replies in plain groups carry a number too, and the general topic must not be named."""
    if not message.is_topic_message or message.message_thread_id in (None, 1):
        return None
    return str(message.message_thread_id)


def _link(me: User, more: str = "") -> str:
    return f"https://t.me/{me.username}{more}" if me.username else ""


def _press(press: CallbackQuery, me: User) -> Request | None:
    if press.data is None or not press.from_user:
        return None
    message = press.message
    chat = message.chat if message else None
    there = message if isinstance(message, Message) and message.is_accessible else None
    return Request(
        platform="telegram",
        # Without its message, all that is known is the person.
        chat_key=str(chat.id if chat else press.from_user.id),
        actor_key=str(press.from_user.id),
        action=press.data,
        quoted=_quotation(there) if there else None,
        surface=Surface.BUTTON,
        thread=_thread(there) if there else None,
        message_key=str(there.message_id) if there else None,
        language=press.from_user.language_code,
        private=chat is None or chat.type == "private",
        bot_link=_link(me),
        start_link=_link(me, "?start="),
    )


def _quotation(message: Message) -> str | None:
    quotes = (mark for mark in message.entities or () if mark.type == MessageEntity.BLOCKQUOTE)
    first = next(quotes, None)
    return message.parse_entity(first) if first and message.text else None


def _inline(query: InlineQuery, me: User) -> Request | None:
    if not query.from_user:
        return None
    person = str(query.from_user.id)
    return Request(
        platform="telegram",
        chat_key=person,
        actor_key=person,
        text=query.query,
        surface=Surface.INLINE,
        language=query.from_user.language_code,
        # What is chosen is posted where others may read.
        private=False,
        bot_link=_link(me),
        start_link=_link(me, "?start="),
    )


class _Writer:
    """Text that grows, and the entities in it, whose offsets count UTF-16 units."""

    def __init__(self) -> None:
        self.text = ""
        self.units = 0
        self.entities: list[Json] = []

    def write(self, text: str, kind: str | None = None, url: str | None = None) -> None:
        # A lone surrogate is no character, and no request can carry it.
        if not text.isascii():
            text = _UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text)
        if not self.units:
            # Telegram cuts space off the front, which would shift every entity.
            text = text.lstrip()
        units = utf16_length(text)
        if kind and text.strip():
            self._mark(kind, self.units, units, url)
        self.text += text
        self.units += units

    def block(self, block: Block) -> None:
        start = self.units
        if block.label:
            self.write(block.label, "bold")
            self.write(" ")
        if block.url:
            self.write(block.text, "text_link", block.url)
        else:
            self.write(block.text)
        if (style := _STYLES.get(block.style)) and self.units > start:
            self._mark(style, start, self.units - start)

    def _mark(self, kind: str, offset: int, length: int, url: str | None = None) -> None:
        entity: Json = {"type": kind, "offset": offset, "length": length}
        self.entities.append({**entity, "url": url} if url else entity)


def render(reply: Reply, *, edits: bool = False) -> Payload:
    """A reply as one message, or as the new text of one that it `edits`.

    Where a picture can't go along, its words stand for it: Telegram knows no alt text.
    """
    payload = _written(reply)
    if reply.picture is None:
        return payload
    if edits or utf16_length(payload.text) > CAPTION_UNITS:
        return _written(replace(reply, blocks=(*reply.blocks, Block(reply.picture.alt))))
    return replace(payload, picture=reply.picture)


def _written(reply: Reply) -> Payload:
    # Only what editors wrote is kept, never what a person typed.
    write = _known_text if reply.entry_id else _text
    text, entities = write(reply.title, reply.blocks, reply.links, reply.links_label, reply.closing)
    return Payload(text, list(entities), _markup(reply))


def _text(
    title: str, blocks: tuple[Block, ...], links: tuple[Link, ...], links_label: str, closing: str
) -> tuple[str, tuple[Json, ...]]:
    """The whole text, and the entities in it."""
    writer = _Writer()

    def part() -> None:
        if writer.units:
            writer.write("\n\n")

    if title:
        writer.write(title, "bold")
    for run in paragraphs(blocks):
        part()
        for number, block in enumerate(run):
            if number:
                writer.write("\n")
            writer.block(block)
    if links:
        part()
        _links(writer, links, links_label)
    if closing:
        part()
        writer.write(closing, "italic")
    return writer.text, tuple(writer.entities)


_known_text = lru_cache(KEPT_CARDS)(_text)


def inline_answer(query_id: str, reply: Reply | None) -> Json:
    """The parameters of `answerInlineQuery`; only what anybody would get for the same words is kept."""
    articles = reply.articles if reply else ()
    answer: Json = {
        "inline_query_id": query_id,
        "results": [_article(article) for article in articles],
        "cache_time": CACHE_SECONDS if articles else 0,
        "is_personal": not articles,
    }
    if reply and reply.buttons:
        way = reply.buttons[0][0]
        answer["button"] = {"text": way.label, "start_parameter": way.action}
    return answer


def _article(article: Article) -> Json:
    shown = render(article.card)
    content = {
        "message_text": shown.text,
        "entities": shown.entities,
        "link_preview_options": NO_PREVIEW,
    }
    listed: Json = {
        "type": "article",
        "id": article.entry_id,
        "title": article.title,
        "description": article.summary,
        "input_message_content": content,
    }
    if article.link:
        button = {"text": article.link.label, "url": article.link.url}
        listed["reply_markup"] = {"inline_keyboard": [[button]]}
    return listed


def _links(writer: _Writer, links: tuple[Link, ...], links_label: str) -> None:
    if links_label:
        writer.write(links_label, "bold")
        writer.write(" ")
    for number, link in enumerate(links):
        if number:
            writer.write(SEPARATOR)
        writer.write(link.label, "text_link", link.url)


def _markup(reply: Reply) -> Json | None:
    if not reply.buttons:
        return None
    rows = [
        [{"text": button.label, "callback_data": button.action} for button in row] for row in reply.buttons
    ]
    return {"inline_keyboard": rows}
