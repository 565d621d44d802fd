"""The Telegram adapter through the real library, with a Telegram of a few lines."""

import asyncio
import json
import logging
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telegram import Bot, Update
from telegram.error import InvalidToken, NetworkError, TimedOut

from bots.settings import Settings
from bots.telegram import TYPED_AT_ONCE, Telegram, build
from bots.telegram_http import NotSent
from bots.telegram_post import TelegramPoster
from bots.telegram_send import LIMITS, Sender, TelegramFacts, translate
from bots.telegram_view import inline_answer, migration, post, read, render
from core.app import App
from core.chat import Facts, Request
from core.daily import Poster
from core.delivery import Outbox, Pacer
from core.errors import RetryLater, StoreError, TokenRefused, Unreachable
from core.recent import Seen
from core.reply import Block, Button, Deed, Picture, Reply, plain_text
from core.schedule import Plan
from core.store import Post, PostState, Standing, Subscription
from tests.fuzz import EXAMPLES, swiftly
from tests.loopback import TOKEN as LOOPBACK_TOKEN
from tests.loopback import open_telegram
from tests.room import GROUP as ROOM_GROUP
from tests.room import PHRASES, FixedFacts, Room, Scripted
from tests.stage import UNLIMITED
from tests.wire import (
    ADA,
    GROUP,
    ME,
    NOW,
    PRIVATE,
    TOKEN,
    Wire,
    WireRequest,
    message,
    press,
    refusal,
    serving,
)

RIGHTS = dict.fromkeys(
    (
        "can_be_edited",
        "is_anonymous",
        "can_manage_chat",
        "can_delete_messages",
        "can_manage_video_chats",
        "can_restrict_members",
        "can_promote_members",
        "can_change_info",
        "can_invite_users",
        "can_post_stories",
        "can_edit_stories",
        "can_delete_stories",
    ),
    False,
)
RESTRICTED_RIGHTS = (
    "is_member",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_send_messages",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_manage_topics",
    "until_date",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_edit_tag",
    "can_react_to_messages",
)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def sent(wire: Wire) -> list[dict[str, Any]]:
    return wire.of("sendmessage")


async def quiet(wire: Wire) -> None:
    """Until everything handed out has been dealt with."""
    await wire.until(wire.updates.empty)
    await asyncio.sleep(0.08)


async def standing_of(room: Room, chat_key: str, wanted: Standing) -> Subscription:
    """The chat's subscription, once it stands so."""
    async with asyncio.timeout(5):
        while True:
            held = await room.store.subscription("telegram", chat_key)
            if held and held.standing is wanted:
                return held
            await asyncio.sleep(0.01)


async def subscribed(room: Room, chat_key: str, platform: str = "telegram", **more: Any) -> Subscription:
    """A chat whose post is due now."""
    held = Subscription(platform, chat_key, Plan(clock_time(12), "UTC"), set_by="7", private=False, **more)
    return await room.store.subscribe(held, room.now)


async def test_a_due_post_goes_out_once_and_is_written_down(wire: Wire, room: Room) -> None:
    wire.answers["sendmessage"] = {"message_id": 41}
    held = await subscribed(room, "-100", thread="5")
    async with serving(wire, room):
        await wire.until(lambda: sent(wire))
        await asyncio.sleep(1.3)
    (call,) = sent(wire)
    assert (int(call["chat_id"]), int(call["message_thread_id"])) == (-100, 5)
    assert "/stop" in call["text"]
    (post,) = await room.store.posts(held.id, 9)
    assert (post.state, post.message_key) == (PostState.SENT, "41")


@pytest.mark.parametrize(
    ("status", "words", "reason"),
    [
        (403, "Forbidden: bot was kicked from the supergroup chat", "kicked"),
        (400, "Bad Request: TOPIC_CLOSED", "topic_closed"),
        (400, "Bad Request: message thread not found", "topic_deleted"),
        (400, "Bad Request: not enough rights to send text messages to the chat", "no_rights"),
    ],
)
async def test_a_post_that_can_not_arrive_suspends_and_tells_who_set_it(
    wire: Wire, room: Room, status: int, words: str, reason: str
) -> None:
    wire.failures["sendmessage"] = [refusal(status, words)]
    await subscribed(room, "-100", thread="5")
    async with serving(wire, room):
        await wire.until(lambda: len(sent(wire)) == 2)
        await asyncio.sleep(1.3)
    tried, told = sent(wire)
    assert int(tried["message_thread_id"]) == 5
    assert "message_thread_id" not in told
    held = await room.store.subscription("telegram", "-100")
    assert held
    assert (held.standing, held.reason) == (Standing.SUSPENDED, reason)
    assert int(sent(wire)[1]["chat_id"]) == 7


async def test_a_post_follows_a_group_that_was_upgraded(wire: Wire, room: Room) -> None:
    moved = refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-200)
    wire.failures["sendmessage"] = [moved]
    wire.answers["sendmessage"] = {"message_id": 1}
    await subscribed(room, "-100")
    async with serving(wire, room):
        await wire.until(lambda: len(sent(wire)) == 2)
        await asyncio.sleep(0.1)
    assert [int(call["chat_id"]) for call in sent(wire)] == [-100, -200]
    held = await room.store.subscription("telegram", "-200")
    assert held
    assert held.next_due
    assert held.next_due > room.now


def membership(status: str, chat: dict[str, Any] = GROUP) -> dict[str, Any]:
    me = {"id": 99, "is_bot": True, "first_name": "Bot"}
    new: dict[str, Any] = {"status": status, "user": me}
    if status == "kicked":
        new["until_date"] = 0
    return {"chat": chat, "from": ADA, "date": NOW, "old_chat_member": new, "new_chat_member": new}


@pytest.mark.parametrize(
    ("status", "chat", "reason"),
    [("kicked", GROUP, "kicked"), ("left", GROUP, "left"), ("kicked", PRIVATE, "blocked")],
)
async def test_membership_suspends_and_brings_back(
    wire: Wire, room: Room, status: str, chat: dict[str, Any], reason: str
) -> None:
    held = Subscription("telegram", str(chat["id"]), Plan(clock_time(12), "UTC"), set_by="7")
    held = replace(held, private=chat is PRIVATE, done_day=date(2026, 11, 23))
    await room.store.subscribe(held, room.now)
    async with serving(wire, room):
        wire.push(my_chat_member=membership(status, chat))
        gone = await standing_of(room, held.chat_key, Standing.SUSPENDED)
        await quiet(wire)
        wire.push(my_chat_member=membership("member", chat))
        await standing_of(room, held.chat_key, Standing.ACTIVE)
    assert gone.reason == reason
    told = [(int(call["chat_id"]), call["text"].partition("\n")[0]) for call in sent(wire)]
    in_group = chat is GROUP
    assert told == ([(7, "A daily post that you set up has stopped")] if in_group else [])


async def test_who_set_a_post_and_never_started_the_bot_is_told_nothing(wire: Wire, room: Room) -> None:
    words = "Forbidden: bot can't initiate conversation with a user"
    wire.failures["sendmessage"] = [refusal(403, words)]
    await subscribed(room, "-100", done_day=date(2026, 11, 23))
    async with serving(wire, room):
        for _ in range(2):
            wire.push(my_chat_member=membership("kicked"))
        await wire.until(lambda: sent(wire))
        wire.push(message=message("/about"))
        await wire.until(lambda: len(sent(wire)) == 2)
    assert [int(call["chat_id"]) for call in sent(wire)] == [7, 7]


@pytest.mark.parametrize(
    ("thread", "where", "standing"),
    [
        ("5", {"message_thread_id": 5, "is_topic_message": True}, Standing.ACTIVE),
        ("5", {"message_thread_id": 6, "is_topic_message": True}, Standing.SUSPENDED),
        ("5", {}, Standing.SUSPENDED),
        (None, {}, Standing.ACTIVE),
    ],
)
async def test_a_post_goes_on_once_its_topic_is_reopened(
    wire: Wire, room: Room, thread: str | None, where: dict[str, Any], standing: Standing
) -> None:
    await subscribed(room, "-100", thread=thread, done_day=date(2026, 11, 23))
    await room.app.gone("telegram", "-100", "topic_closed")
    async with serving(wire, room):
        wire.push(message=message(None, GROUP, forum_topic_reopened={}, **where))
        await quiet(wire)
    held = await room.store.subscription("telegram", "-100")
    assert held
    assert held.standing is standing


async def test_members_are_told_without_a_sound_that_settings_are_for_admins(wire: Wire, room: Room) -> None:
    wire.answers["getchatmember"] = {"user": ADA, "status": "member"}
    async with serving(wire, room):
        wire.push(message=message("/daily 9:00 Berlin", GROUP))
        await wire.until(lambda: sent(wire))
        wire.push(message=message("/daily 25:00"))
        await wire.until(lambda: len(sent(wire)) == 2)
    refused, alone = sent(wire)
    assert refused["text"] == "In a group, only admins can see and change the daily post."
    assert refused["disable_notification"]
    assert "disable_notification" not in alone
    assert await room.store.agenda(5) == []


async def test_a_channel_gets_its_daily_post_too(wire: Wire, room: Room) -> None:
    channel = {"id": -300, "type": "channel", "title": "C"}
    rights = {**RIGHTS, "can_post_messages": True}
    wire.answers["getchatmember"] = {"user": ME.to_dict(), **rights, "status": "administrator"}
    posted = message("/daily 9:00 Berlin", channel, sender_chat=channel)
    del posted["from"]
    async with serving(wire, room):
        wire.push(channel_post=posted)
        await wire.until(lambda: sent(wire))
    (call,) = sent(wire)
    assert int(call["chat_id"]) == -300
    assert "Next posts:" in call["text"]
    held = await room.store.subscription("telegram", "-300")
    assert held
    assert (held.private, held.standing) == (False, Standing.ACTIVE)


async def listening(room: Room) -> None:
    await room.store.mark("telegram:-100", "listen")


async def test_a_question_to_a_group_that_lets_the_bot_listen_is_answered_once(
    wire: Wire, room: Room
) -> None:
    await listening(room)
    asked = message("is ketamine addictive?", GROUP)
    async with serving(wire, room):
        for update in (
            message("good morning!", GROUP),
            asked,
            asked,
            message("can ketamine be sold?", GROUP),
        ):
            wire.push(message=update)
        wire.push(edited_message=asked)
        await wire.until(lambda: sent(wire))
        await quiet(wire)
    (call,) = sent(wire)
    assert call["reply_parameters"]["message_id"] == asked["message_id"]
    buttons = [b["callback_data"] for row in call["reply_markup"]["inline_keyboard"] for b in row]
    assert "unasked:down:m-very-addictive" in buttons


async def test_a_crisis_in_a_group_that_lets_the_bot_listen_is_met_however_old(
    wire: Wire, room: Room
) -> None:
    await listening(room)
    async with serving(wire, room):
        for date_sent in (NOW, NOW - 700):
            wire.push(message=message("I want to kill myself", GROUP, date=date_sent))
        await wire.until(lambda: len(sent(wire)) == 2)
    for call in sent(wire):
        assert "not alone" in call["text"]
        assert "reply_parameters" not in call


@pytest.mark.parametrize(
    ("refused", "edits"),
    [
        (None, 0),
        (refusal(400, "Bad Request: message can't be deleted for everyone"), 1),
        (refusal(400, "Bad Request: message to delete not found"), 0),
    ],
    ids=["deleted", "too old", "gone"],
)
async def test_a_thumb_down_takes_away_what_nobody_asked_for(
    wire: Wire, room: Room, refused: Any, edits: int
) -> None:
    """Nothing has to be remembered for that: another process answered."""
    wire.failures["deletemessage"] = [refused] if refused else []
    answer = message("About addiction", GROUP, **{"from": ME.to_dict()})
    async with serving(wire, room):
        wire.push(callback_query=press("unasked:down:m-very-addictive", answer))
        await wire.until(lambda: wire.of("deletemessage"))
        await quiet(wire)
    (call,) = wire.of("deletemessage")
    assert (int(call["chat_id"]), int(call["message_id"])) == (-100, answer["message_id"])
    assert wire.of("answercallbackquery")[0]["text"] == PHRASES.say("listen.removed")
    shown = [edit["text"] for edit in wire.of("editmessagetext")]
    assert shown == [PHRASES.say("listen.removed")] * edits
    assert sent(wire) == []
    assert (await room.store.votes(date(2026, 11, 22)))[0].down == 1


async def test_an_anonymous_admin_may_let_the_bot_listen(wire: Wire, room: Room) -> None:
    wire.answers["getchatmember"] = {"status": "member", "user": ADA}
    async with serving(wire, room):
        wire.push(message=message("/listen on", GROUP))
        await wire.until(lambda: sent(wire))
        wire.push(message=message("/listen on", GROUP, sender_chat=GROUP))
        await wire.until(lambda: len(sent(wire)) == 2)
    refused, done = (call["text"] for call in sent(wire))
    assert refused == PHRASES.say("listen.admins")
    assert done.startswith(PHRASES.say("listen.deaf"))
    assert PHRASES.say("needs.plain_text") in done


@pytest.mark.parametrize(
    ("reads_all", "status", "hears"),
    [(False, "member", False), (False, "administrator", True), (True, "member", True)],
)
async def test_plain_text_is_heard_by_admins_or_without_privacy_mode(
    wire: Wire, reads_all: bool, status: str, hears: bool
) -> None:
    wire.answers["getme"] = {**ME.to_dict(), "can_read_all_group_messages": reads_all}
    rights = RIGHTS if status == "administrator" else {}
    wire.answers["getchatmember"] = {"user": ME.to_dict(), **rights, "status": status}
    bot = Bot(TOKEN, request=WireRequest(wire), get_updates_request=WireRequest(wire))
    assert await TelegramFacts(bot).hears(Request("telegram", "-100", "7", private=False)) is hears
    assert await TelegramFacts(bot).hears(Request("telegram", "7", "7"))


def added(status: str = "member", was: str = "left", chat: dict[str, Any] = GROUP) -> dict[str, Any]:
    change = membership(status, chat)
    if status == "administrator":
        change["new_chat_member"] |= RIGHTS
    change["old_chat_member"] = {**change["new_chat_member"], "status": was}
    if was == "kicked":
        change["old_chat_member"]["until_date"] = 0
    return change


async def test_a_group_it_is_added_to_is_told_once_what_the_bot_needs(wire: Wire, room: Room) -> None:
    wire.answers["getchatmember"] = {"user": ME.to_dict(), "status": "member"}
    channel = {"id": -300, "type": "channel", "title": "C"}
    async with serving(wire, room):
        for change in (added(), added(was="kicked"), added(was="member", chat={**GROUP, "id": -101})):
            wire.push(my_chat_member=change)
        wire.push(my_chat_member=added(chat=PRIVATE))
        wire.push(my_chat_member=added("administrator", chat=channel))
        await wire.until(lambda: sent(wire))
        await quiet(wire)
    (call,) = sent(wire)
    assert (int(call["chat_id"]), call["text"]) == (-100, PHRASES.say("needs.plain_text"))


async def test_who_hears_everything_needs_nothing(wire: Wire, room: Room) -> None:
    wire.answers["getchatmember"] = {"user": ME.to_dict(), **RIGHTS, "status": "administrator"}
    async with serving(wire, room):
        wire.push(my_chat_member=added("administrator"))
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire))
        await quiet(wire)
    assert len(sent(wire)) == 1


async def test_command_is_answered_without_preview(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire))
    expected = await room.say("/about")
    (call,) = sent(wire)
    assert call["text"] == plain_text(expected)
    assert call["link_preview_options"] == {"is_disabled": True}
    assert "reply_parameters" not in call
    assert "message_thread_id" not in call


async def test_answer_in_a_topic_replies_to_the_question_there(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        wire.push(message=message("/myth", GROUP, message_id=50, message_thread_id=12, is_topic_message=True))
        await wire.until(lambda: sent(wire))
    (call,) = sent(wire)
    assert call["message_thread_id"] == 12
    assert call["reply_parameters"] == {"message_id": 50, "allow_sending_without_reply": True}


async def test_crisis_in_a_group_shows_neither_name_nor_words(wire: Wire, room: Room) -> None:
    where = {"message_thread_id": 12, "is_topic_message": True}
    async with serving(wire, room):
        wire.push(message=message("/ask I want to kill myself", GROUP, message_id=50, **where))
        await wire.until(lambda: sent(wire))
    (call,) = sent(wire)
    assert call["message_thread_id"] == 12
    assert "reply_parameters" not in call
    assert "Ada" not in call["text"]
    assert "kill" not in call["text"]
    assert call["entities"][-1]["url"] == f"https://t.me/{ME.username}?start=g-crisis"


async def test_danger_that_an_edit_tells_is_met_though_the_message_was_answered(
    wire: Wire, room: Room
) -> None:
    async with serving(wire, room):
        wire.push(message=message("/about", message_id=70))
        wire.push(edited_message=message("I want to kill myself", message_id=70))
        wire.push(edited_message=message("I want to kill myself", message_id=71, date=NOW - 60))
        await wire.until(lambda: len(sent(wire)) == 3)
    assert all("not alone" in call["text"] for call in sent(wire)[1:])


async def test_check_answers_the_person_who_asked_in_the_topic(wire: Wire, room: Room) -> None:
    where = {"message_thread_id": 12, "is_topic_message": True}
    claim = message("Medical ketamine is very addictive.", GROUP, message_id=50, **where)
    async with serving(wire, room):
        wire.push(message=message("/check@fact_bot", GROUP, message_id=51, reply_to_message=claim, **where))
        await wire.until(lambda: sent(wire))
    (call,) = sent(wire)
    assert (call["message_thread_id"], call["reply_parameters"]["message_id"]) == (12, 51)
    assert "Myth: misleading" in call["text"]


async def test_press_is_acknowledged_and_edits_its_message(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        wire.push(callback_query=press("topics", message("card", message_id=60)))
        await wire.until(lambda: wire.of("editmessagetext") and wire.of("answercallbackquery"))
    assert wire.of("editmessagetext")[0]["message_id"] == 60


async def test_a_vote_is_thanked_for_in_a_passing_line(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        wire.push(callback_query=press("up:m-cure", message("card", message_id=60)))
        await wire.until(lambda: wire.of("answercallbackquery"))
        await quiet(wire)
    assert wire.of("answercallbackquery") == [{"callback_query_id": "1", "text": PHRASES.say("vote.up")}]
    assert not wire.of("editmessagetext", "sendmessage", "deletemessage")


async def test_a_question_reaches_the_editors_from_the_message_that_quotes_it(wire: Wire, room: Room) -> None:
    asked = "<b>quantum</b> 🐈 chromodynamics?"
    async with serving(wire, room):
        wire.push(message=message(asked))
        await wire.until(lambda: sent(wire))
        for action in ("editors", "send"):
            last = wire.of("sendmessage", "editmessagetext")[-1]
            buttons = [
                button["callback_data"] for row in last["reply_markup"]["inline_keyboard"] for button in row
            ]
            assert action in buttons
            shown = message(last["text"], message_id=60, entities=last["entities"])
            count = len(wire.of("editmessagetext"))
            wire.push(callback_query=press(action, shown))
            await wire.until(lambda before=count: len(wire.of("editmessagetext")) > before)
    preview, done = wire.of("editmessagetext")
    assert asked in preview["text"]
    assert "Sent to the editors" in done["text"]
    assert [question.text for question in await room.store.questions()] == [asked]


@pytest.mark.parametrize(
    ("words", "anew"),
    [
        ("Bad Request: message is not modified: same", 0),
        ("Bad Request: message to edit not found", 1),
        ("Bad Request: message can't be edited", 1),
        ("Bad Request: there is no text in the message to edit", 1),
    ],
)
async def test_message_that_cant_be_edited_is_sent_anew(
    wire: Wire, room: Room, words: str, anew: int
) -> None:
    wire.failures["editmessagetext"] = [refusal(400, words)]
    async with serving(wire, room):
        wire.push(callback_query=press("topics", message("card")))
        await wire.until(lambda: len(wire.of("editmessagetext", "sendmessage")) == 1 + anew)
        await quiet(wire)
    assert len(sent(wire)) == anew


async def test_acknowledging_is_tried_again_but_not_when_too_old(wire: Wire, room: Room) -> None:
    wire.failures["answercallbackquery"] = [
        NetworkError("x"),
        refusal(400, "Bad Request: query is too old and response timeout expired"),
    ]
    async with serving(wire, room):
        wire.push(callback_query=press(None, None))
        await wire.until(lambda: len(wire.of("answercallbackquery")) == 2)
        await quiet(wire)
    assert len(wire.of("answercallbackquery")) == 2


async def test_edited_message_is_answered_once_at_most(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        wire.push(message=message("hello there", GROUP, message_id=70))
        wire.push(edited_message=message("/myth", GROUP, message_id=70))
        wire.push(edited_message=message("/fact", GROUP, message_id=70))
        await wire.until(lambda: sent(wire))
        await quiet(wire)
    assert len(sent(wire)) == 1


async def test_edit_of_a_message_from_before_the_start_is_left_alone(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        wire.push(edited_message=message("/myth", date=NOW - 60))
        await quiet(wire)
    assert not sent(wire)


async def test_message_older_than_ten_minutes_is_skipped_but_for_a_crisis(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        wire.push(message=message("/myth", date=NOW - 601))
        wire.push(message=message("I want to kill myself", date=NOW - 601))
        wire.push(message=message("/about", date=NOW - 599))
        await wire.until(lambda: len(sent(wire)) == 2)
    assert "not alone" in sent(wire)[0]["text"]


async def test_update_that_comes_twice_is_answered_once(wire: Wire, room: Room) -> None:
    again = message("/myth")
    async with serving(wire, room):
        wire.push(message=again)
        wire.push(message=again)
        await wire.until(lambda: sent(wire))
        await quiet(wire)
    assert len(sent(wire)) == 1


async def test_update_that_cant_be_read_does_not_stop_the_next(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        wire.push(message={"chat": 5})
        wire.push(callback_query={"id": "1", "from": {"id": 1}})
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire))


async def test_one_chats_messages_are_answered_in_order(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        for text in ("/about", "/privacy", "/help"):
            wire.push(message=message(text))
        await wire.until(lambda: len(sent(wire)) == 3)
    firsts = [call["text"].split("\n")[0] for call in sent(wire)]
    assert firsts == [(await room.say(text)).title for text in ("/about", "/privacy", "/help")]


async def test_answer_follows_a_group_that_moved_and_so_does_its_round(wire: Wire, room: Room) -> None:
    old = {"id": -5, "type": "group", "title": "G"}
    moved = "Bad Request: group chat was upgraded to a supergroup chat"
    wire.failures["sendmessage"] = [refusal(400, moved, migrate_to_chat_id=-1005)]
    async with serving(wire, room):
        wire.push(message=message("/myth", old))
        await wire.until(lambda: len(sent(wire)) == 2)
    assert [call["chat_id"] for call in sent(wire)] == [-5, -1005]
    assert "reply_parameters" not in sent(wire)[1]
    assert (await room.app._deps.store.forget("telegram:-1005")).seen == 1


async def test_service_message_of_a_move_takes_the_round_along(wire: Wire, room: Room) -> None:
    old = {"id": -5, "type": "group", "title": "G"}
    async with serving(wire, room):
        wire.push(message=message("/myth", old))
        await wire.until(lambda: sent(wire))
        wire.push(message=message(None, old, migrate_to_chat_id=-1005))
        await quiet(wire)
    assert (await room.app._deps.store.forget("telegram:-1005")).seen == 1


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        (refusal(403, "Forbidden: bot was kicked from the supergroup chat"), "chat gone reason=kicked"),
        (refusal(403, "Forbidden: bot was blocked by the user"), "chat gone reason=blocked"),
        (refusal(403, "Forbidden: user is deactivated"), "chat gone reason=deactivated"),
        (refusal(403, "Forbidden: something new"), "chat gone reason=no_rights"),
        (
            refusal(400, "Bad Request: not enough rights to send text messages to the chat"),
            "chat gone reason=no_rights",
        ),
        (refusal(400, "Bad Request: chat not found"), "chat gone reason=deleted"),
        (refusal(400, "TOPIC_CLOSED"), "chat gone reason=topic_closed"),
        (refusal(400, 'Bad Request: can\'t parse "secret words"'), "undeliverable reason=bad request"),
    ],
)
async def test_final_refusal_is_one_line_and_no_second_try(
    wire: Wire, room: Room, caplog: pytest.LogCaptureFixture, failure: Any, line: str
) -> None:
    caplog.set_level(logging.INFO, "core")
    wire.failures["sendmessage"] = [failure]
    async with serving(wire, room):
        wire.push(message=message("/myth"))
        await wire.until(lambda: sent(wire))
        await quiet(wire)
    assert len(sent(wire)) == 1
    assert [record.getMessage() for record in caplog.records if record.name == "core.delivery"] == [line]


@pytest.mark.parametrize(
    "failure",
    [
        NotSent("x"),
        TimedOut(),
        NetworkError("x"),
        refusal(502, "Bad Gateway"),
        refusal(429, "Too Many Requests: retry after 1", retry_after=0.2),
    ],
    ids=str,
)
async def test_passing_failure_is_tried_again(
    wire: Wire, room: Room, failure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: real(min(seconds, 0.01)))
    wire.failures["sendmessage"] = [failure]
    async with serving(wire, room):
        wire.push(message=message("/about"))
        async with asyncio.timeout(8):
            while len(sent(wire)) < 2:
                await real(0.01)
    assert sent(wire)[0] == sent(wire)[1]


async def test_polling_goes_on_after_failures_and_removes_a_webhook(wire: Wire, room: Room) -> None:
    hook = refusal(409, "Conflict: can't use getUpdates method while webhook is active")
    wire.failures["getupdates"] = [hook, refusal(401, "Unauthorized")]
    async with serving(wire, room):
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire), 5)
    assert wire.of("deletewebhook")


async def test_somebody_who_asks_too_much_is_told_once_and_still_helped(wire: Wire, room: Room) -> None:
    chats = [{**GROUP, "id": -n} for n in range(1, 26)]
    async with serving(wire, room):
        for chat in chats:
            wire.push(message=message("/about", chat))
        wire.push(message=message("/ask I want to kill myself", {**GROUP, "id": -50}))
        await wire.until(lambda: any("not alone" in call["text"] for call in sent(wire)))
    texts = [call["text"] for call in sent(wire)]
    assert sum(text == PHRASES.say("notice.slow") for text in texts) == 1
    assert len(texts) == 22
    assert [call for call in sent(wire) if call.get("disable_notification")]


@pytest.mark.parametrize(
    ("who", "status", "deleted"),
    [
        ({}, "member", False),
        ({}, "administrator", True),
        ({"sender_chat": GROUP}, None, True),
        ({"sender_chat": {"id": -9, "type": "channel", "title": "C"}}, None, False),
    ],
)
async def test_only_admins_delete_what_is_kept_for_a_group(
    wire: Wire, room: Room, who: dict[str, Any], status: str | None, deleted: bool
) -> None:
    wire.answers["getchatmember"] = {
        "status": status,
        "user": ADA,
        **(RIGHTS if status == "administrator" else {}),
    }
    async with serving(wire, room):
        wire.push(message=message("/forget", GROUP, **who))
        await wire.until(lambda: sent(wire))
    assert (PHRASES.say("forget.admins") not in sent(wire)[0]["text"]) is deleted


def typing(words: str, query_id: str = "5") -> dict[str, Any]:
    return {"id": query_id, "from": ADA, "query": words, "offset": ""}


async def test_inline_query_offers_articles_that_carry_no_callback(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        wire.push(inline_query=typing("hooked"))
        await wire.until(lambda: wire.of("answerinlinequery"))
    (call,) = wire.of("answerinlinequery")
    first = call["results"][0]
    assert (first["type"], first["id"]) == ("article", "m-very-addictive")
    assert (first["title"], first["description"][:19]) == (
        "Medical ketamine is very addictive.",
        "▲ Myth: misleading.",
    )
    assert "Sources:" in first["input_message_content"]["message_text"]
    for result in call["results"]:
        (row,) = result["reply_markup"]["inline_keyboard"]
        (button,) = row
        assert button == {
            "text": "Open in the bot",
            "url": f"https://t.me/{ME.username}?start=e-{result['id']}",
        }
    assert (call["cache_time"], call["is_personal"]) == (300, False)
    assert "button" not in call


@pytest.mark.parametrize(
    ("words", "parameter"),
    [("I want to kill myself", "g-crisis"), ("where to buy it illegally, dealer", "g-sourcing")],
)
async def test_inline_query_in_danger_gets_the_way_into_private_only(
    wire: Wire, room: Room, words: str, parameter: str
) -> None:
    async with serving(wire, room):
        wire.push(inline_query=typing(words))
        await wire.until(lambda: wire.of("answerinlinequery"))
    (call,) = wire.of("answerinlinequery")
    assert (call["results"], call["cache_time"], call["is_personal"]) == ([], 0, True)
    assert call["button"]["start_parameter"] == parameter


async def test_inline_queries_count_for_each_person_but_danger_is_always_met(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        for number in range(TYPED_AT_ONCE + 5):
            wire.push(inline_query=typing("hooked", str(number)))
        wire.push(inline_query=typing("I want to kill myself", "crisis"))
        wire.push(inline_query={**typing("hooked", "other"), "from": {**ADA, "id": 8}})
        wire.push(message=message("/about"))
        await wire.until(lambda: len(wire.of("answerinlinequery")) == TYPED_AT_ONCE + 7, 8)
        await wire.until(lambda: sent(wire))
    answers = {call["inline_query_id"]: call for call in wire.of("answerinlinequery")}
    assert answers["0"]["results"]
    assert answers[str(TYPED_AT_ONCE + 4)]["results"] == []
    assert answers["crisis"]["button"]["start_parameter"] == "g-crisis"
    assert answers["other"]["results"]
    assert len(sent(wire)) == 1


async def test_inline_query_that_expired_ends_in_one_line(
    wire: Wire, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "core")
    wire.failures["answerinlinequery"] = [
        refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
    ]
    async with serving(wire, room):
        wire.push(inline_query=typing("hooked"))
        await wire.until(lambda: wire.of("answerinlinequery"))
        await quiet(wire)
    assert len(wire.of("answerinlinequery")) == 1
    (line,) = [record.getMessage() for record in caplog.records if record.name == "core.delivery"]
    assert line.lower().startswith("undeliverable reason=query is too old")


async def test_what_was_posted_with_the_bots_help_is_left_alone(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        for chat in (PRIVATE, GROUP):
            wire.push(message=message("/myth", chat, via_bot=ME.to_dict()))
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire))
    assert len(sent(wire)) == 1


@pytest.mark.parametrize("supported", [True, False])
async def test_the_log_says_once_what_inline_mode_needs(
    wire: Wire, room: Room, caplog: pytest.LogCaptureFixture, supported: bool
) -> None:
    caplog.set_level(logging.INFO, "bots")
    wire.answers["getme"] = {**ME.to_dict(), "supports_inline_queries": supported}
    async with serving(wire, room):
        await quiet(wire)
    assert caplog.text.count("/setinline") == (0 if supported else 1)


async def test_menus_are_set_only_where_they_differ(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        await wire.until(lambda: wire.of("setmyshortdescription"))
    menus = {call["scope"]["type"]: call["commands"] for call in wire.of("setmycommands")}
    assert [len(menu) for menu in menus.values()] == [13, 8, 13]
    scopes = wire.of("setmycommands")
    assert scopes[0]["scope"] == {"type": "all_private_chats"}
    same = Wire(answers={"getmycommands": [{"command": "x", "description": "y"}]})
    about = room.app.edition.content.bot
    same.answers["getmydescription"] = {"description": about.about}
    same.answers["getmyshortdescription"] = {
        "short_description": PHRASES.say("menu.short", topic=about.topic)
    }
    async with serving(same, room):
        await same.until(lambda: same.of("getmyshortdescription"))
    assert not same.of("setmydescription", "setmyshortdescription")


async def test_wrong_token_is_refused_without_showing_it(room: Room) -> None:
    wire = Wire(failures={"getme": [refusal(401, "Unauthorized")]})
    with pytest.raises(TokenRefused) as caught:
        async with serving(wire, room):
            await asyncio.sleep(0.05)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (refusal(502, "Bad Gateway"), "t: NetworkError"),
        (NotSent("x"), "t: NotSent"),
        (refusal(429, "x", retry_after=3), "t: told to wait 3 s"),
    ],
    ids=str,
)
async def test_telegram_out_of_reach_at_the_start(room: Room, failure: Any, reason: str) -> None:
    wire = Wire(failures={"getme": [failure]})
    with pytest.raises(Unreachable, match=f"^{reason}$"):
        async with serving(wire, room):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("transport", "kind"), [("aiohttp", "ClientConnectorError"), ("httpx", "ConnectError")]
)
async def test_an_address_that_leads_nowhere_is_told_without_its_secrets(
    room: Room, transport: str, kind: str
) -> None:
    chosen = Settings(
        telegram_token=TOKEN,
        telegram_api_url="http://ada:SECRET@127.0.0.1:1/path",
        telegram_transport=transport,
    )
    bot = build(chosen, room.app, PHRASES, room.daily("telegram"))
    with pytest.raises(Unreachable) as caught:
        await bot.run(asyncio.Event())
    assert str(caught.value) == f"127.0.0.1:1: {kind}"


def test_refused_token_holds_every_chat() -> None:
    """The request surely did nothing, and the next chat's would not either."""
    failure = translate(InvalidToken("x"))
    assert isinstance(failure, RetryLater)
    assert failure.everywhere


async def test_token_revoked_while_serving_ends_the_platform(
    wire: Wire, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.REFUSALS", 2)
    wire.failures["getupdates"] = [refusal(401, "Unauthorized")] * 2
    bot = Telegram(TOKEN, "http://t", lambda: WireRequest(wire), room.app, PHRASES, room.daily("telegram"))
    with pytest.raises(TokenRefused):
        await asyncio.wait_for(bot.run(asyncio.Event()), 5)


async def test_second_program_on_the_token_is_told_of_once(
    wire: Wire, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    wire.failures["getupdates"] = [refusal(409, "Conflict: terminated by other getUpdates request")] * 2
    async with serving(wire, room):
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire), 5)
    assert caplog.text.count("another program gets the updates") == 1


async def test_menu_and_inline_failures_stop_nothing(wire: Wire, room: Room) -> None:
    wire.failures = {
        "getmycommands": [refusal(429, "x", retry_after=3)],
        "answerinlinequery": [refusal(400, "Bad Request: query is too old")],
    }
    async with serving(wire, room):
        wire.push(inline_query={"id": "5", "from": ADA, "query": "x", "offset": ""})
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire))


async def test_message_is_deleted_where_the_reply_says_so(wire: Wire) -> None:
    outbox = Outbox(Pacer(LIMITS, time.monotonic, asyncio.sleep), time.monotonic)
    bot = Bot(TOKEN, request=WireRequest(wire), get_updates_request=WireRequest(wire))

    async def moved(_old: str, _new: str) -> None: ...

    sender = Sender(bot, outbox, moved, Reply(title="dropped"))
    pressed = Request("telegram", "7", "7", action="x", message_key="3")
    wire.failures["deletemessage"] = [refusal(400, "Bad Request: chat not found")]
    await sender.deliver(pressed, Reply(deed=Deed.DELETE))
    await sender.deliver(pressed, Reply(deed=Deed.DELETE))
    await sender.deliver(replace(pressed, message_key=None), Reply(deed=Deed.DELETE))
    assert wire.of("deletemessage") == [{"chat_id": 7, "message_id": 3}] * 2
    await outbox.close()


@pytest.mark.parametrize("words", ["Bad Request: chat not found", "Bad Request: message is too long"])
async def test_an_edit_that_is_refused_for_another_reason_is_not_sent_anew(
    wire: Wire, room: Room, words: str
) -> None:
    wire.failures["editmessagetext"] = [refusal(400, words)]
    async with serving(wire, room):
        wire.push(callback_query=press("topics", message("card")))
        await wire.until(lambda: wire.of("editmessagetext"))
        await quiet(wire)
    assert len(wire.of("editmessagetext", "sendmessage")) == 1


async def test_an_anonymous_admin_is_told_nothing_and_no_history_is_looked_at(wire: Wire) -> None:
    async def moved(_old: str, _new: str) -> None: ...

    bot = Bot(TOKEN, request=WireRequest(wire), get_updates_request=WireRequest(wire))
    poster = TelegramPoster(bot, moved)
    held = Subscription("telegram", "-100", Plan(clock_time(12), "UTC"), set_by="-100", private=False)
    await poster.tell(held, Reply(title="stopped"))
    assert await poster.find(held, Reply(title="post"), datetime.now(UTC)) is None
    assert not wire.calls


DRIP = Picture("drip.png", b"\x89PNG drip", "A drip beside a chair")
ILLUSTRATED = Reply(
    title="Drips", blocks=(Block("This is one."),), buttons=((Button("Topics", "topics"),),), picture=DRIP
)


async def test_a_picture_goes_out_with_the_words_as_its_caption(wire: Wire, room: Room) -> None:
    room.app = Scripted(room, ILLUSTRATED)
    async with serving(wire, room):
        wire.push(message=message("what is a drip", GROUP, message_id=50))
        await wire.until(lambda: wire.of("sendphoto"))
    (call,) = wire.of("sendphoto")
    assert call["photo"] == ("drip.png", DRIP.data)
    assert call["caption"] == "Drips\n\nThis is one."
    assert call["caption_entities"] == [{"type": "bold", "offset": 0, "length": 5}]
    assert call["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "topics"
    assert call["reply_parameters"]["message_id"] == 50
    assert not sent(wire)


async def test_the_words_of_a_picture_stand_for_it_where_it_can_not_go_along(wire: Wire, room: Room) -> None:
    room.app = Scripted(room, replace(ILLUSTRATED, blocks=(Block("x" * 1020),)))
    async with serving(wire, room):
        wire.push(message=message())
        await wire.until(lambda: sent(wire))
    room.app = Scripted(room, replace(ILLUSTRATED, deed=Deed.EDIT))
    async with serving(wire, room):
        wire.push(callback_query=press("topics", message("card", message_id=60)))
        await wire.until(lambda: wire.of("editmessagetext"))
    assert not wire.of("sendphoto")
    for call in wire.of("sendmessage", "editmessagetext"):
        assert call["text"].endswith(f"\n\n{DRIP.alt}")


@pytest.mark.parametrize(
    ("member", "postable"),
    [
        ({"status": "member"}, True),
        ({"status": "left"}, False),
        ({"status": "restricted", "can_send_messages": False}, False),
        ({"status": "administrator", "can_post_messages": False}, False),
        ({"status": "administrator"}, True),
    ],
)
async def test_may_post_follows_the_bots_rights(wire: Wire, member: dict[str, Any], postable: bool) -> None:
    rights = dict.fromkeys(RESTRICTED_RIGHTS, False) if member["status"] == "restricted" else RIGHTS
    wire.answers["getchatmember"] = {"user": ME.to_dict(), **rights, **member}
    bot = Bot(TOKEN, request=WireRequest(wire), get_updates_request=WireRequest(wire))
    await bot.initialize()
    group = Request("telegram", "-100", "7", private=False)
    assert await TelegramFacts(bot).may_post(group) is postable
    assert await TelegramFacts(bot).may_post(Request("telegram", "7", "7"))


async def test_a_group_that_lets_no_member_write_lets_the_bot_neither(wire: Wire) -> None:
    wire.answers["getchatmember"] = {"user": ME.to_dict(), "status": "member"}
    wire.answers["getchat"] = {"id": -100, "type": "group", "permissions": {"can_send_messages": False}}
    bot = Bot(TOKEN, request=WireRequest(wire), get_updates_request=WireRequest(wire))
    await bot.initialize()
    assert not await TelegramFacts(bot).may_post(Request("telegram", "-100", "7", private=False))


async def test_stopping_finishes_what_is_in_flight(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        wire.push(message=message("/about"))
        await wire.until(wire.updates.empty)
        await asyncio.sleep(0.01)
    assert len(sent(wire)) == 1


class Torn(App):
    """One chat's answers wait until they may come."""

    def __init__(self, room: Room, chat_key: str) -> None:
        super().__init__(room.edition, room.deps)
        self._chat_key, self.may_go = chat_key, asyncio.Event()

    async def handle(self, request: Request, facts: Facts) -> Reply | None:
        if request.chat_key == self._chat_key:
            await self.may_go.wait()
        return await super().handle(request, facts)


async def test_a_slow_chat_is_answered_in_order_and_stalls_no_other(wire: Wire, room: Room) -> None:
    room.app = torn = Torn(room, "-100")
    texts = ("/about", "/privacy", "/help")
    async with serving(wire, room):
        for text in texts:
            wire.push(message=message(text, GROUP))
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire))
        assert [call["chat_id"] for call in sent(wire)] == [7]
        torn.may_go.set()
        await wire.until(lambda: len(sent(wire)) == 4, 5)
    firsts = [call["text"].split("\n")[0] for call in sent(wire)[1:]]
    assert firsts == [(await room.say(text, ROOM_GROUP)).title for text in texts]


async def test_a_wait_for_updates_that_brings_none_is_followed_by_the_next(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        wire.wait_in_vain()
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire))


async def test_updates_that_may_come_again_are_told_of_at_the_end(
    wire: Wire, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bots")
    async with serving(wire, room):
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire))
        await quiet(wire)
        wire.failures["getupdates"] = [refusal(502, "Bad Gateway")]
    assert "it may come again" in caplog.text


@pytest.mark.parametrize("failing", [True, False])
async def test_a_webhook_that_keeps_updates_away_is_removed(
    wire: Wire, room: Room, caplog: pytest.LogCaptureFixture, failing: bool
) -> None:
    words = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first"
    wire.failures["getupdates"] = [refusal(409, words)]
    wire.failures["deletewebhook"] = [refusal(502, "Bad Gateway")] if failing else []
    async with serving(wire, room):
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire), 5)
    assert len(wire.of("deletewebhook")) == 1
    assert ("webhook not removed" in caplog.text) is failing


async def test_a_wait_that_telegram_asks_for_is_kept_while_polling(wire: Wire, room: Room) -> None:
    wire.failures["getupdates"] = [refusal(429, "Too Many Requests", retry_after=1)]
    began = time.monotonic()
    async with serving(wire, room):
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire), 5)
    assert time.monotonic() - began >= 1


async def test_an_update_that_fails_is_one_line_without_its_words(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    room = Room()
    await room.store.close()
    async with serving(wire, room):
        wire.push(message=message("chromodynamics", GROUP, migrate_to_chat_id=-1005))
        wire.push(message=message("/about"))
        await wire.until(lambda: sent(wire))
    (line,) = [r.getMessage() for r in caplog.records if r.name == "bots.telegram" and r.levelname == "ERROR"]
    assert line.startswith("telegram update failed error=")
    assert "chromodynamics" not in caplog.text


async def test_what_was_answered_is_remembered_for_so_many(
    wire: Wire, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.Seen", lambda: Seen(1))
    first, second, third = (message("/about") for _ in range(3))
    async with serving(wire, room):
        for body in (first, second, third, second, third, first):
            wire.push(message=body)
        await wire.until(lambda: len(sent(wire)) == 4, 5)


async def test_acknowledging_waits_as_told_and_gives_up_at_last(
    wire: Wire, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.ACK_PAUSES", (0.0, 0.0))
    wire.failures["answercallbackquery"] = [
        refusal(429, "Too Many Requests", retry_after=1),
        refusal(502, "Bad Gateway"),
    ]
    async with serving(wire, room):
        wire.push(callback_query=press("topics", message("card", message_id=60)))
        await wire.until(lambda: len(wire.of("answercallbackquery")) == 2)
        await quiet(wire)
    assert len(wire.of("answercallbackquery")) == 2


async def test_a_menu_that_fails_thrice_waits_for_the_next_start(
    wire: Wire, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram_menu.TRIES", (0.0, 0.0, 0.0))
    wire.failures["getmycommands"] = [refusal(502, "Bad Gateway")] * 3
    async with serving(wire, room):
        await wire.until(lambda: len(wire.of("getmycommands")) == 3)
        await quiet(wire)
    assert len(wire.of("getmycommands")) == 3
    assert not wire.of("setmycommands")


async def test_a_menu_that_is_there_already_is_left_as_it_is(wire: Wire, room: Room) -> None:
    async with serving(wire, room):
        await wire.until(lambda: wire.of("setmyshortdescription"))
    (everyone, members, admins) = (call["commands"] for call in wire.of("setmycommands"))
    about = wire.of("setmydescription")[0]["description"]
    short = wire.of("setmyshortdescription")[0]["short_description"]
    again = Wire(
        answers={
            "getmydescription": {"description": about},
            "getmyshortdescription": {"short_description": short},
        },
        queues={"getmycommands": [everyone, members, admins]},
    )
    async with serving(again, room):
        await again.until(lambda: again.of("getmyshortdescription"))
    assert not again.of("setmycommands", "setmydescription", "setmyshortdescription")


async def test_a_lost_database_ends_the_platform(wire: Wire, room: Room) -> None:
    async def lost(_bot_key: str, _poster: Poster, _pacer: Pacer, _stop: asyncio.Event) -> None:
        raise StoreError("lost")

    bot = Telegram(TOKEN, "http://t", lambda: WireRequest(wire), room.app, PHRASES, lost)
    with pytest.raises(StoreError):
        await asyncio.wait_for(bot.run(asyncio.Event()), 5)


async def test_long_after_an_unknown_end_the_post_goes_out_again(wire: Wire, room: Room) -> None:
    """Telegram shows a bot no history: better twice than never."""
    wire.answers["sendmessage"] = {"message_id": 41}
    held = await subscribed(room, "-100")
    begun, day = room.now - timedelta(minutes=10), date(2026, 11, 22)
    await room.store.begin([Post(held.id, day, "m-cure", PostState.SENDING, begun, unsure=True)])
    async with serving(wire, room):
        await wire.until(lambda: sent(wire))
        await asyncio.sleep(0.3)
    (post_,) = await room.store.posts(held.id, 9)
    assert (post_.state, post_.message_key) == (PostState.SENT, "41")


async def test_the_stock_transport_works_as_well(room: Room) -> None:
    async with open_telegram() as telegram:
        chosen = Settings(
            telegram_token=LOOPBACK_TOKEN,
            telegram_api_url=f"{telegram.address}/1",
            telegram_transport="httpx",
        )
        await subscribed(room, "-100")
        stop = asyncio.Event()
        running = asyncio.create_task(build(chosen, room.app, PHRASES, room.daily("telegram")).run(stop))
        async with asyncio.timeout(10):
            while not telegram.arrivals:  # noqa: ASYNC110 - the bot makes it hold
                await asyncio.sleep(0.01)
        stop.set()
        await running
    assert [arrival.chat for arrival in telegram.arrivals] == ["-100"]


KEYS = st.sampled_from(
    [
        "text",
        "caption",
        "date",
        "chat",
        "from",
        "sender_chat",
        "reply_to_message",
        "via_bot",
        "message_thread_id",
        "is_topic_message",
        "migrate_to_chat_id",
        "entities",
        "data",
        "id",
        "message",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "/myth",
            "/fact drip",
            "/ask",
            "/myth@x",
            "@fact_bot",
            "\u202e/myth",
            "a\u0301" * 500,
            "\u200b",
            "x" * 4096,
            "/ask " + "𝔨" * 2000,
            "/ask " + "my doctor offered the drip for my rsd and i cant sleep " * 80,
            "/start m-cure",
            "/topics",
            "/help\x00",
            "\ud800",
        ]
    ),
)
ACTIONS = st.one_of(
    st.text(max_size=64),
    st.sampled_from(
        [
            "next:myth",
            "more:",
            "show:x",
            "cat:a:99999999999",
            "cat:a:²",
            "rel:\ud800",
            "topics:x",
            "none",
            ":",
            "",
        ]
    ),
)
CHATS = st.sampled_from(
    [
        PRIVATE,
        GROUP,
        {"id": -3, "type": "channel", "title": "C"},
        {"id": -4, "type": "strange"},
        {"id": 2**52, "type": "private"},
    ]
)


@st.composite
def anything(draw: st.DrawFn) -> dict[str, Any]:
    """An update of some kind, some of it missing or forged."""
    base = message(draw(TEXTS), draw(CHATS))
    kind = draw(
        st.sampled_from(
            ["message", "edited_message", "channel_post", "callback_query", "inline_query", "strange"]
        )
    )
    if kind == "callback_query":
        base = press(
            draw(ACTIONS), draw(st.sampled_from([base, None, {"message_id": 1, "date": 0, "chat": PRIVATE}]))
        )
    elif kind == "inline_query":
        base = {"id": "1", "from": ADA, "query": draw(TEXTS), "offset": ""}
    body = dict(base)
    for key in draw(st.lists(KEYS, max_size=2)):
        if draw(st.booleans()):
            body.pop(key, None)
        else:
            body[key] = None
    return {kind: body}


LOOP, ROOM = asyncio.new_event_loop(), Room()
ROOM.edition.index.warm()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=anything())
def test_no_update_is_slow_or_raises(raw: dict[str, Any]) -> None:
    """From the library's parsing, which alone may refuse an update, to the payload and back."""
    with swiftly():
        try:
            update = Update.de_json({"update_id": 1, **raw}, None)
        except Exception:  # noqa: BLE001 - whatever the library raises; `Poll` skips such an update
            return
        migration(update)
        request = read(update, ME)
        if request:
            post(update)
        reply = LOOP.run_until_complete(ROOM.app.handle(request, FixedFacts())) if request else None
        if reply:
            assert reply.title != PHRASES.say("error.title")
            render(reply).text.encode()
            json.dumps(inline_answer("1", reply)).encode()


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(anything(), min_size=20, max_size=20))
def test_no_update_can_break_the_bot(batch: list[dict[str, Any]]) -> None:
    """After whatever came, a plain command is still answered, and nothing was logged as an error."""

    async def scenario() -> None:
        wire, room = Wire(), Room()
        async with serving(wire, room, UNLIMITED):
            for update in batch:
                wire.push(**update)
            person = {**ADA, "id": 1_000_001}
            wire.push(message=message("/privacy", {"id": 1_000_001, "type": "private"}, **{"from": person}))
            await wire.until(lambda: any(call["chat_id"] == 1_000_001 for call in sent(wire)))
        await room.store.close()

    errors = Errors()
    for name in ("bots", "core"):
        logging.getLogger(name).addHandler(errors)
    try:
        asyncio.run(scenario())
    finally:
        for name in ("bots", "core"):
            logging.getLogger(name).removeHandler(errors)
    assert errors.lines == []


class Errors(logging.Handler):
    """Collects what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
