import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any

import aiohttp
import pytest
from discord.http import Route

from bots.discord import Discord
from bots.discord_http import Callbacks, Invalid, failure, parsed
from core.errors import RetryLater, TokenRefused, Unreachable
from core.recent import Seen
from core.reply import Block, Button, Deed, Picture, Reply
from core.schedule import Plan
from core.store import PostState, Standing, Subscription
from tests import discord_wire as w
from tests.room import PHRASES, Room, Scripted

QUESTION = "is it addictive"


@pytest.fixture
async def wire(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[w.Wire]:
    async with w.open_to_library(monkeypatch) as opened:
        yield opened


@pytest.fixture
async def live(wire: w.Wire, room: Room) -> AsyncIterator[w.Wire]:
    async with w.serving(wire, room):
        yield wire


def text(shown: dict[str, Any]) -> str:
    return "\n".join(f"{e.get('title', '')}\n{e.get('description', '')}" for e in shown["embeds"])


def actions(shown: dict[str, Any]) -> list[str]:
    return [button["custom_id"] for row in shown["components"] for button in row["components"]]


async def subscribed(room: Room, chat_key: str = w.CHANNEL, **more: Any) -> Subscription:
    """A chat whose post is due now."""
    held = Subscription("discord", chat_key, Plan(clock_time(12), "UTC"), set_by="7", private=False, **more)
    return await room.store.subscribe(held, room.now)


async def test_a_due_post_goes_out_once_and_is_written_down(wire: w.Wire, room: Room) -> None:
    held = await subscribed(room, thread=w.THREAD)
    async with w.serving(wire, room):
        await wire.until(lambda: wire.shown)
        await asyncio.sleep(1.3)
    (shown,) = wire.shown
    assert shown["channel_id"] == w.THREAD
    assert len(shown["nonce"]) == 24
    assert shown["enforce_nonce"]
    (post,) = await room.store.posts(held.id, 9)
    assert post.state is PostState.SENT
    assert post.message_key


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (403, 50001, "no_access"),
        (403, 50007, "blocked"),
        (403, 50013, "no_rights"),
        (404, 10003, "deleted"),
        (400, 50083, "archived"),
        (403, 160005, "locked"),
    ],
)
async def test_a_post_that_can_not_arrive_suspends(
    wire: w.Wire, room: Room, status: int, code: int, reason: str
) -> None:
    wire.faults.append(w.Fault("/messages", status, times=1, body={"code": code, "message": "no"}))
    held = await subscribed(room)
    async with w.serving(wire, room):
        await wire.until(lambda: wire.shown)
    now = await room.store.subscription("discord", held.chat_key)
    assert now
    assert (now.standing, now.reason) == (Standing.SUSPENDED, reason)
    assert "stopped" in wire.shown[0]["embeds"][0]["title"]


async def test_a_removed_bot_suspends_and_an_invited_one_goes_on(wire: w.Wire, room: Room) -> None:
    held = await subscribed(room, done_day=date(2026, 11, 23))

    async def standing() -> Standing | None:
        now = await room.store.subscription("discord", held.chat_key)
        return now.standing if now else None

    async with w.serving(wire, room):
        await asyncio.sleep(0.2)
        await wire.bring("GUILD_DELETE", {"id": w.SERVER})
        await asyncio.sleep(0.2)
        assert await standing() is Standing.SUSPENDED
        await wire.bring("GUILD_CREATE", w.server())
        await asyncio.sleep(0.2)
        assert await standing() is Standing.ACTIVE


TEXT_CHANNEL = {**w.server()["channels"][0], "guild_id": w.SERVER}
OPEN_THREAD = {**w.server()["threads"][0], "guild_id": w.SERVER}
NO_THREAD = {"id": w.THREAD, "type": 11, "guild_id": w.SERVER, "parent_id": w.CHANNEL}
MORE_RIGHTS = {"guild_id": w.SERVER, "role": w.everyone(1 << 10 | 1 << 11 | 1 << 14 | 1 << 15)}
NO_RIGHTS = {"guild_id": w.SERVER, "role": w.everyone(0)}
SAME_RIGHTS = {"guild_id": w.SERVER, "role": {**w.everyone(), "name": "everybody"}}
ARCHIVED_THREAD, LOCKED_THREAD = (
    {**OPEN_THREAD, "thread_metadata": {**OPEN_THREAD["thread_metadata"], "archived": True, "locked": locked}}
    for locked in (False, True)
)


@pytest.mark.parametrize(
    ("was", "event", "payload", "now"),
    [
        ("", "THREAD_DELETE", NO_THREAD, "thread_deleted"),
        ("", "THREAD_DELETE", {**NO_THREAD, "id": "999"}, ""),
        ("", "CHANNEL_DELETE", TEXT_CHANNEL, "deleted or thread_deleted"),
        ("archived", "THREAD_UPDATE", OPEN_THREAD, ""),
        ("locked", "THREAD_UPDATE", OPEN_THREAD, ""),
        ("no_rights", "THREAD_UPDATE", OPEN_THREAD, "no_rights"),
        ("no_rights", "CHANNEL_UPDATE", TEXT_CHANNEL, ""),
        ("no_access", "CHANNEL_UPDATE", TEXT_CHANNEL, ""),
        ("deleted", "CHANNEL_UPDATE", TEXT_CHANNEL, "deleted"),
        ("no_rights", "GUILD_ROLE_UPDATE", MORE_RIGHTS, ""),
        ("no_rights", "GUILD_ROLE_UPDATE", NO_RIGHTS, "no_rights"),
        ("no_rights", "GUILD_ROLE_UPDATE", SAME_RIGHTS, "no_rights"),
        ("archived", "THREAD_UPDATE", ARCHIVED_THREAD, "archived"),
        ("locked", "THREAD_UPDATE", LOCKED_THREAD, "locked"),
    ],
)
async def test_what_happens_to_a_place_suspends_or_brings_back(
    wire: w.Wire, room: Room, was: str, event: str, payload: dict[str, Any], now: str
) -> None:
    await subscribed(room, thread=w.THREAD, done_day=date(2026, 11, 23))
    async with w.serving(wire, room):
        await asyncio.sleep(0.2)
        if was:
            await room.app.gone("discord", w.CHANNEL, was)
        await wire.bring(event, payload)
        await asyncio.sleep(0.2)
    held = await room.store.subscription("discord", w.CHANNEL)
    assert held
    assert held.reason in now.split(" or ")
    told = [shown["embeds"][0]["title"] for shown in wire.shown]
    assert told == (["A daily post that you set up has stopped"] if now and not was else [])


@pytest.mark.parametrize(("there", "posts"), [(True, 1), (False, 2)])
async def test_long_after_an_unknown_end_the_bot_looks_for_its_own_post_first(
    wire: w.Wire, room: Room, there: bool, posts: int
) -> None:
    room.now = datetime.now(UTC)
    minute = clock_time(room.now.hour, room.now.minute)
    wanted = Subscription("discord", w.CHANNEL, Plan(minute, "UTC"), private=False)
    held = await room.store.subscribe(wanted, room.now)
    async with w.serving(wire, room):
        await wire.until(lambda: wire.shown)
        await asyncio.sleep(0.2)
    (sent,) = await room.store.posts(held.id, 9)
    # As if the process had died before it could write that down, ten minutes ago.
    begun = replace(sent, state=PostState.SENDING, unsure=True, message_key=None)
    await room.store.begin([replace(begun, at=room.now - timedelta(minutes=10))])
    await room.store.run(
        lambda connection: connection.exec_driver_sql(
            "UPDATE subscription SET done_day = '0001-01-01', next_due_ms = 1000"
        )
    )
    wire.forget_nonces()
    if not there:
        wire.faults.append(w.Fault("/messages", 403, body={"code": 50001, "message": "Missing Access"}))
    async with w.serving(wire, room):
        async with asyncio.timeout(5):
            while (await room.store.posts(held.id, 9))[0].state is not PostState.SENT:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert len(wire.shown) == posts
    (found,) = await room.store.posts(held.id, 9)
    assert found.message_key == wire.shown[-1]["id"]


@pytest.mark.parametrize(
    ("status", "body", "seconds"),
    [
        (429, {"code": 20016, "retry_after": 12.5}, 12.5),
        (400, {"code": 20016}, 60),
        (403, {"code": 20028}, 60),
    ],
)
def test_slow_mode_is_a_wait(status: int, body: dict[str, Any], seconds: float) -> None:
    error = failure(status, body)
    assert isinstance(error, RetryLater)
    assert (error.seconds, error.everywhere) == (seconds, False)


@pytest.mark.parametrize(
    ("part", "typed", "offers"),
    [
        ("time", "9", ["9:00", "9:30"]),
        ("place", "Berl", ["Berlin (DE)"]),
        ("place", "america/ind", ["America/Indiana/Indianapolis"]),
        ("days", "we", ["weekdays", "weekends", "wednesday"]),
    ],
)
async def test_settings_are_offered_while_one_of_them_is_typed(
    live: w.Wire, part: str, typed: str, offers: list[str]
) -> None:
    await live.interact(w.filled("daily", typing=part, kind="both", **{part: typed}))
    await live.until(live.callbacks)
    offered = [choice["value"] for choice in live.callbacks()[0]["data"]["choices"]]
    assert offered[: len(offers)] == offers


async def test_one_command_with_options_sets_the_daily_post(live: w.Wire, room: Room) -> None:
    await live.interact(w.filled("daily", place="Berlin (DE)", time="9am", kind="myths", days="weekdays"))
    await live.until(lambda: live.shown)
    assert "A myth, on weekdays, at 09:00 in Berlin." in text(live.shown[0])
    await live.interact(w.filled("daily", action="pause 2 weeks"))
    await live.until(lambda: len(live.shown) == 2)
    assert "Daily post is paused" in text(live.shown[1])
    held = await room.store.subscription("discord", w.CHANNEL)
    assert held
    assert (held.plan, held.kind) == (Plan(clock_time(9), "Europe/Berlin", 0b11111), "myth")


async def test_whoever_may_not_manage_the_server_sets_nothing(live: w.Wire, room: Room) -> None:
    asked = w.filled("daily", time="9:00", place="Berlin")
    asked["member"]["permissions"] = "0"
    await live.interact(asked)
    await live.until(lambda: live.shown)
    assert "only admins" in text(live.shown[0])
    assert live.shown[0]["flags"] == w.EPHEMERAL
    assert await room.store.agenda(5) == []


async def test_only_those_who_manage_the_server_are_offered_settings(live: w.Wire) -> None:
    daily = next(command for command in live.commands if command["name"] == "daily")
    assert (daily["default_member_permissions"], daily["integration_types"]) == ("32", [0])
    assert daily["contexts"] == [0, 1]


async def test_a_command_is_answered_with_an_embed_and_buttons(live: w.Wire) -> None:
    await live.interact(w.slash("myth"))
    await live.until(lambda: live.shown)
    (shown,) = live.shown
    assert "Myth:" in shown["embeds"][0]["title"]
    assert shown["embeds"][0]["color"]
    assert actions(shown)[0] == "next:myth"
    assert shown["allowed_mentions"] == {"parse": []}
    assert "flags" not in shown


async def test_the_private_option_shows_the_answer_to_one_person(live: w.Wire) -> None:
    await live.interact(w.slash("myth", private=True))
    await live.until(lambda: live.shown)
    assert live.shown[0]["flags"] == w.EPHEMERAL


async def test_a_button_of_a_private_answer_answers_in_private(live: w.Wire) -> None:
    await live.interact(w.click("next:myth", flags=w.EPHEMERAL))
    await live.until(lambda: live.shown)
    assert live.shown[0]["flags"] == w.EPHEMERAL


async def test_more_is_shown_to_the_presser_alone_in_a_server(live: w.Wire, room: Room) -> None:
    entry = room.edition.content.entries[0].id
    await live.interact(w.click(f"more:{entry}"))
    await live.until(lambda: live.shown)
    assert (live.callbacks()[0]["type"], live.shown[0]["flags"]) == (4, w.EPHEMERAL)


async def test_a_vote_is_thanked_for_in_words_that_only_the_presser_sees(live: w.Wire) -> None:
    for place in ({}, w.in_bot_dm()):
        await live.interact(w.click("down:m-cure", **place))
    await live.until(lambda: len(live.shown) == 2)
    assert [callback["type"] for callback in live.callbacks()] == [4, 4]
    for shown in live.shown:
        assert shown["flags"] == w.EPHEMERAL
        assert PHRASES.say("vote.down") in text(shown)


@pytest.mark.parametrize("is_slash", [True, False])
async def test_a_question_reaches_the_editors_from_the_message_that_quotes_it(
    live: w.Wire,
    room: Room,
    is_slash: bool,
) -> None:
    asked = "*quantum* 🐈 chromo_dynamics https://a.b/c_d?"
    if is_slash:
        await live.interact(w.slash("ask", asked, **w.in_bot_dm()))
    else:
        await live.say(w.message(asked, place=w.DM, mention=False))
    for number, action in enumerate(("editors", "send"), 1):
        await live.until(lambda count=number: len(live.shown) == count)
        last = live.shown[-1]
        assert action in actions(last)
        pressed = w.click(action, **w.in_bot_dm())
        pressed["message"]["embeds"] = last["embeds"]
        await live.interact(pressed)
    await live.until(lambda: len(live.shown) == 3)
    assert "Sent to the editors" in text(live.shown[2])
    assert [question.text for question in await room.store.questions()] == [asked]


async def test_more_replaces_the_card_in_a_private_chat(live: w.Wire, room: Room) -> None:
    entry = room.edition.content.entries[0].id
    await live.interact(w.click(f"more:{entry}", **w.in_bot_dm()))
    await live.until(lambda: live.shown)
    assert live.callbacks()[0]["type"] == 7
    assert actions(live.shown[0]) == [f"show:{entry}"]


async def test_a_crisis_card_in_a_server_is_shown_to_one_person(live: w.Wire) -> None:
    await live.interact(w.slash("ask", "i want to kill myself"))
    await live.until(lambda: live.shown)
    assert live.shown[0]["flags"] == w.EPHEMERAL
    assert "988" in text(live.shown[0])


async def test_the_menu_of_a_message_answers_the_asker_alone_who_may_share_it(live: w.Wire) -> None:
    await live.interact(w.check(w.message(QUESTION, mention=False)))
    await live.until(lambda: live.shown)
    (answer,) = live.shown
    assert answer["flags"] == w.EPHEMERAL
    assert actions(answer)[0] == "share:m-very-addictive"
    member = {"user": w.user(), "permissions": str(1 << 11)}
    await live.interact(w.click("share:m-very-addictive", flags=w.EPHEMERAL, member=member))
    await live.until(lambda: len(live.shown) == 2)
    shared = live.shown[1]
    assert live.callbacks()[1]["type"] == 4
    assert "flags" not in shared
    assert shared["allowed_mentions"] == {"parse": []}
    assert actions(shared)[0] == "next:myth"


async def test_what_a_server_keeps_private_is_said_in_words(live: w.Wire) -> None:
    await live.interact(w.click("share:m-very-addictive", flags=w.EPHEMERAL, app_permissions="0"))
    await live.until(lambda: live.shown)
    assert live.shown[0]["flags"] == w.EPHEMERAL
    assert text(live.shown[0]).strip() == PHRASES.say("share.kept")


@pytest.mark.parametrize("said", ["I want to kill myself", "how many mg should I take", "anyone selling?"])
async def test_what_a_guard_stops_is_never_shared(live: w.Wire, said: str) -> None:
    await live.interact(w.check(w.message(said, mention=False)))
    await live.until(lambda: live.shown)
    assert live.shown[0]["flags"] == w.EPHEMERAL
    assert not any(action.startswith(("share:", "check:")) for action in actions(live.shown[0]))


MAY_WRITE = {"member": {"user": w.user(), "permissions": str(1 << 11)}}


@pytest.mark.parametrize(
    ("payload", "announced", "method", "flags"),
    [
        (w.check(w.message(QUESTION, mention=False)), {"type": 5, "data": {"flags": 64}}, "PATCH", 64),
        (w.click("share:m-cure", flags=w.EPHEMERAL, **MAY_WRITE), {"type": 6}, "POST", 0),
    ],
)
async def test_a_slow_check_is_for_the_asker_alone_and_a_slow_share_for_everybody(
    live: w.Wire,
    room: Room,
    monkeypatch: pytest.MonkeyPatch,
    payload: dict[str, Any],
    announced: dict[str, Any],
    method: str,
    flags: int,
) -> None:
    monkeypatch.setattr("bots.discord_answer.DEFER_SECONDS", 0.05)
    handle = room.app.handle

    async def slowly(*given: Any) -> Any:
        await asyncio.sleep(0.2)
        return await handle(*given)

    monkeypatch.setattr(room.app, "handle", slowly)
    await live.interact({**payload, "id": w.snowflake(), "token": f"slow{w.snowflake()}"})
    await live.until(lambda: live.shown)
    assert live.callbacks() == [announced]
    assert (live.shown[0]["method"], live.shown[0].get("flags", 0)) == (method, flags)


async def test_a_command_nobody_knows_any_more_gets_a_kind_word(live: w.Wire) -> None:
    await live.interact(w.slash("gone"))
    await live.until(lambda: live.shown)
    assert live.shown[0]["flags"] == w.EPHEMERAL


async def test_typing_offers_entries_and_a_crisis_offers_none(live: w.Wire) -> None:
    await live.interact(w.slash("ask", "addict", type=4))
    await live.interact(w.slash("ask", "i want to kill myself", type=4))
    await live.until(lambda: len(live.callbacks()) == 2)
    some, none = live.callbacks()
    assert some["type"] == 8
    assert some["data"]["choices"][0].keys() == {"name", "value"}
    assert none["data"]["choices"] == []


@pytest.mark.parametrize("content", [QUESTION, "/myth", "/help", ""])
async def test_a_mention_is_answered_as_a_reply(live: w.Wire, content: str) -> None:
    asked = w.message(content)
    await live.say(asked)
    await live.until(lambda: live.shown)
    (shown,) = live.shown
    assert shown["message_reference"] == {"message_id": asked["id"], "fail_if_not_exists": True}
    assert shown["enforce_nonce"] is True
    assert len(shown["nonce"]) <= 25
    assert shown["allowed_mentions"] == {"parse": []}


async def test_a_crisis_in_a_server_is_answered_without_name_or_words(live: w.Wire) -> None:
    await live.say(w.message("I want to kill myself", place=w.THREAD))
    await live.until(lambda: live.shown)
    (shown,) = live.shown
    assert shown["channel_id"] == w.THREAD
    assert "message_reference" not in shown
    assert "kill" not in text(shown)
    assert f"https://discord.com/users/{w.BOT}" in text(shown)


@pytest.mark.parametrize("fields", [{}, {"referenced_message": {"content": ""}, "type": 19}])
async def test_a_mention_without_words_gets_a_hint_to_ask(live: w.Wire, fields: dict[str, Any]) -> None:
    await live.say(w.message("", **fields))
    await live.until(lambda: live.shown)
    assert ": /ask " in text(live.shown[0])


async def test_a_question_in_a_thread_is_answered_there(live: w.Wire) -> None:
    await live.say(w.message(QUESTION, place=w.THREAD))
    await live.until(lambda: live.shown)
    assert live.shown[0]["channel_id"] == w.THREAD


async def test_a_private_message_needs_no_mention(live: w.Wire) -> None:
    await live.say(w.message(QUESTION, place=w.DM, mention=False))
    await live.until(lambda: live.shown)
    assert live.shown[0]["channel_id"] == w.DM


@pytest.mark.parametrize(
    "said",
    [
        w.message(QUESTION, mention=False),
        w.message(QUESTION, author={**w.user(), "bot": True}),
        w.message(QUESTION, webhook_id="4"),
        w.message(QUESTION, type=7),
    ],
)
async def test_what_is_not_meant_for_the_bot_is_left_alone(live: w.Wire, said: dict[str, Any]) -> None:
    await live.say(said)
    await live.say(w.message(QUESTION, place=w.DM, mention=False))
    await live.until(lambda: live.shown)
    assert [shown["channel_id"] for shown in live.shown] == [w.DM]


async def test_only_those_who_manage_a_server_may_forget_for_it(live: w.Wire) -> None:
    manager = w.message("/forget", member={"roles": ["510"]})
    for said in (w.message("/forget"), manager, w.message("/forget", author=w.user(w.OWNER))):
        await live.say(said)
    await live.interact(w.slash("forget"))
    await live.interact(w.slash("forget", member={"user": w.user(), "permissions": str(1 << 5)}))
    await live.until(lambda: len(live.shown) == 5)
    shown = {
        (s.get("message_reference") or {}).get("message_id", n): text(s) for n, s in enumerate(live.shown)
    }
    refused = [words for words in shown.values() if "only admins" in words]
    assert len(refused) == 2
    assert "only admins" not in shown[manager["id"]]


async def test_an_event_that_comes_twice_is_answered_once(live: w.Wire) -> None:
    pressed, asked = w.click("next:myth"), w.message(QUESTION)
    for _ in range(2):
        await live.interact(pressed)
        await live.say(asked)
    await live.say(w.message(QUESTION, place=w.DM, mention=False))
    await live.until(lambda: len(live.shown) == 3)
    await asyncio.sleep(0.05)
    assert len(live.shown) == 3


async def test_what_was_asked_long_ago_is_skipped_unless_somebody_is_in_danger(live: w.Wire) -> None:
    for content in (QUESTION, "i want to kill myself"):
        await live.say(w.message(content, place=w.DM, mention=False, id=w.snowflake(seconds_ago=700)))
    await live.until(lambda: live.shown)
    await asyncio.sleep(0.05)
    (shown,) = live.shown
    assert "988" in text(shown) or "911" in text(shown)
    assert shown["message_reference"]["fail_if_not_exists"] is False


async def test_who_asks_without_end_is_slowed_down_in_private(live: w.Wire) -> None:
    for _ in range(22):
        await live.interact(w.slash("help"))
    await live.until(lambda: len(live.shown) == 22)
    assert live.shown[-1]["flags"] == w.EPHEMERAL
    assert text(live.shown[-1]) != text(live.shown[0])


async def test_an_odd_event_does_not_end_the_connection(live: w.Wire) -> None:
    await live.bring("GUILD_UPDATE", {})
    await live.bring("INTERACTION_CREATE", {})
    await live.bring("MESSAGE_CREATE", {"id": None})
    await live.interact(w.slash("help"))
    await live.until(lambda: live.shown)
    assert live.identified == 1


FAULTS = [
    pytest.param(w.Fault("", status=502), id="502 before"),
    pytest.param(w.Fault("", status=502, after=True), id="502 after"),
    pytest.param(w.Fault(""), id="cut before"),
    pytest.param(w.Fault("", after=True), id="cut after"),
    pytest.param(w.Fault("", status=429, body={"retry_after": 0.1, "global": False}), id="429"),
]


def planted(wire: w.Wire, fault: w.Fault, path: str) -> None:
    wire.faults = [w.Fault(path, fault.status, fault.after, body=fault.body)]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_broken_request_loses_and_doubles_no_answer(live: w.Wire, fault: w.Fault) -> None:
    for payload in (w.slash("help"), w.click("next:myth")):
        planted(live, fault, "/callback")
        live.shown.clear()
        await live.interact(payload)
        await live.until(lambda: live.shown)
    planted(live, fault, "/messages")
    live.shown.clear()
    await live.say(w.message(QUESTION))
    await live.until(lambda: live.shown, 10)
    await asyncio.sleep(1.2)
    assert len(live.shown) == 1


@pytest.mark.parametrize("payload", [w.slash("help"), w.click("next:myth")])
async def test_a_slow_way_is_announced_in_time_and_answered_once(
    live: w.Wire, monkeypatch: pytest.MonkeyPatch, payload: dict[str, Any]
) -> None:
    monkeypatch.setattr("bots.discord_answer.DEFER_SECONDS", 0.1)
    live.faults = [w.Fault("/callback", seconds=0.4)]
    began = time.monotonic()
    await live.interact({**payload, "id": w.snowflake(), "token": f"slow{payload['type']}"})
    await live.until(lambda: live.shown)
    assert live.callbacks()[0]["type"] in (5, 6)
    assert live.sent[-1].at - began < 3
    await asyncio.sleep(0.5)
    assert len(live.shown) == 1


@pytest.mark.parametrize(
    ("payload", "whisper", "path"),
    [
        (w.slash("myth"), False, "PATCH"),
        (w.slash("myth", private=True), True, "PATCH"),
        (w.click("next:myth"), False, "POST"),
        (w.click("topics"), False, "PATCH"),
    ],
)
async def test_a_slow_core_is_announced_in_time(
    live: w.Wire,
    room: Room,
    monkeypatch: pytest.MonkeyPatch,
    payload: dict[str, Any],
    whisper: bool,
    path: str,
) -> None:
    monkeypatch.setattr("bots.discord_answer.DEFER_SECONDS", 0.05)
    handle = room.app.handle

    async def slowly(*given: Any) -> Any:
        await asyncio.sleep(0.2)
        return await handle(*given)

    monkeypatch.setattr(room.app, "handle", slowly)
    await live.interact({**payload, "id": w.snowflake(), "token": f"core{w.snowflake()}"})
    await live.until(lambda: live.shown)
    (announced,) = live.callbacks()
    assert announced == {"type": 6} if payload["type"] == 3 else announced["type"] == 5
    assert announced.get("data", {}).get("flags", 0) == (w.EPHEMERAL if whisper else 0)
    assert live.shown[0]["method"] == path


async def test_a_late_whisper_takes_back_the_public_announcement(
    live: w.Wire, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord_answer.DEFER_SECONDS", 0.05)
    handle = room.app.handle

    async def slowly(*given: Any) -> Any:
        await asyncio.sleep(0.2)
        return await handle(*given)

    monkeypatch.setattr(room.app, "handle", slowly)
    await live.interact(w.slash("ask"))
    await live.until(lambda: live.shown)
    assert [sent.method for sent in live.sent if "webhooks" in sent.path] == ["DELETE", "POST"]
    assert live.shown[0]["flags"] == w.EPHEMERAL


@pytest.mark.parametrize("code", [10062, 50013, 50001, 99999])
async def test_what_can_not_be_answered_ends_in_one_line(
    live: w.Wire, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    caplog.set_level(logging.INFO)
    refused = {"status": 403 if code < 60000 else 400, "body": {"code": code, "message": "no"}}
    live.faults = [w.Fault("/callback", **refused), w.Fault("/messages", **refused)]
    await live.interact(w.slash("help"))
    await live.say(w.message(QUESTION))
    await live.until(lambda: len([r for r in caplog.records if r.name == "core.delivery"]) == 2)
    assert all(record.exc_info is None for record in caplog.records)
    assert QUESTION not in caplog.text
    await live.interact(w.slash("help"))
    await live.until(lambda: live.shown)


async def test_without_the_right_to_read_back_it_answers_without_a_reply(live: w.Wire) -> None:
    live.faults = [w.Fault("/messages", status=400, body={"code": 160002, "message": "no"})]
    await live.say(w.message(QUESTION))
    await live.until(lambda: live.shown)
    assert "message_reference" not in live.shown[0]


async def test_commands_are_registered_only_when_they_changed(wire: w.Wire, room: Room) -> None:
    def writes() -> int:
        return sum(sent.method == "PUT" for sent in wire.sent)

    async with w.serving(wire, room):
        await wire.until(writes)
    async with w.serving(wire, room):
        await wire.until(lambda: sum(sent.path.endswith("/commands") for sent in wire.sent) == 3)
    assert writes() == 1
    wire.commands[0]["description"] = "another"
    async with w.serving(wire, room):
        await wire.until(lambda: writes() == 2)


TROUBLES = {
    "cut": lambda wire: wire.cut(),
    "op 7": lambda wire: wire.control(7),
    "op 9 resumable": lambda wire: wire.control(9, True),
    "op 9": lambda wire: wire.control(9, False),
    "duplicate READY": lambda wire: wire.bring("READY", wire.ready()),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_troubled_gateway_loses_and_doubles_nothing(live: w.Wire, trouble: str) -> None:
    await live.say(w.message(QUESTION))
    sessions = live.identified + live.resumed
    await TROUBLES[trouble](live)
    if trouble in ("cut", "op 7", "op 9 resumable"):
        await live.say(w.message(QUESTION))
    if trouble != "duplicate READY":
        await live.until(lambda: live.identified + live.resumed > sessions, 15)
    await live.say(w.message(QUESTION))
    wanted = 3 if trouble in ("cut", "op 7", "op 9 resumable") else 2
    await live.until(lambda: len(live.shown) >= wanted)
    await asyncio.sleep(0.05)
    assert (
        len({shown["message_reference"]["message_id"] for shown in live.shown}) == len(live.shown) == wanted
    )


async def test_the_bot_asks_for_no_intent_that_needs_an_approval(live: w.Wire) -> None:
    """Servers, and messages there and in private: no members, no presences, no message content."""
    assert live.intents == 1 << 0 | 1 << 9 | 1 << 12


async def test_a_wrong_token_is_refused(wire: w.Wire, room: Room) -> None:
    with pytest.raises(TokenRefused):
        await Discord("some.other.token-of-nobody", room.app, PHRASES, room.daily("discord")).run(
            asyncio.Event()
        )


async def test_an_unreachable_platform_says_so(wire: w.Wire, room: Room) -> None:
    wire.refused_gateway = 1
    with pytest.raises(Unreachable, match=r"^127.0.0.1: WSServerHandshakeError$"):
        await Discord(w.TOKEN, room.app, PHRASES, room.daily("discord")).run(asyncio.Event())


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        ("http://127.0.0.1:1", "127.0.0.1: ClientConnectorError"),
        ("http://no-such-host.invalid", "no-such-host.invalid: ClientConnectorDNSError"),
    ],
)
async def test_an_unreachable_host_is_named(
    room: Room, monkeypatch: pytest.MonkeyPatch, base: str, reason: str
) -> None:
    monkeypatch.setattr(Route, "BASE", base)
    with pytest.raises(Unreachable, match=f"^{reason}$"):
        await Discord(w.TOKEN, room.app, PHRASES, room.daily("discord")).run(asyncio.Event())


async def test_a_failing_platform_is_named_too(wire: w.Wire, room: Room) -> None:
    wire.faults = [w.Fault("/users/@me", status=503, times=99)]
    with pytest.raises(Unreachable, match=r"^127.0.0.1: DiscordServerError$"):
        await Discord(w.TOKEN, room.app, PHRASES, room.daily("discord")).run(asyncio.Event())


async def test_it_reconnects_by_itself_once_it_has_served(live: w.Wire) -> None:
    await live.interact(w.slash("help"))
    await live.until(lambda: live.shown)
    await live.babble()
    await live.until(lambda: live.identified == 2)
    await live.interact(w.slash("help"))
    await live.until(lambda: len(live.shown) == 2)


async def test_stopping_finishes_what_is_in_flight(wire: w.Wire, room: Room) -> None:
    wire.faults = [w.Fault("/callback", seconds=0.3)]
    async with w.serving(wire, room) as stop:
        await wire.interact(w.slash("help"))
        await asyncio.sleep(0.1)
        stop.set()
        await asyncio.sleep(0.05)
        await wire.interact(w.slash("about"))
    assert len(wire.shown) == 1


async def test_no_log_tells_the_token_or_what_was_asked(
    wire: w.Wire, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bots")
    caplog.set_level(logging.DEBUG, "core")
    async with w.serving(wire, room):
        await wire.say(w.message(QUESTION))
        await wire.until(lambda: wire.shown)
    assert w.TOKEN not in caplog.text
    assert QUESTION not in caplog.text


async def test_too_many_refused_requests_stop_all_sending(
    live: w.Wire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bots.discord_http.INVALID_LIMIT", 3)
    live.faults = [w.Fault("/callback", status=403, body={"code": 50013}, times=3)]
    for _ in range(3):
        await live.interact(w.slash("help"))
    await live.until(lambda: "too many refused" in caplog.text)
    await live.interact(w.slash("help"))
    await asyncio.sleep(0.2)
    assert not live.shown


DRIP = Picture("drip.png", b"\x89PNG drip", "A drip beside a chair")
ILLUSTRATED = Reply(
    title="Drips", blocks=(Block("This is one."),), buttons=((Button("Topics", "topics"),),), picture=DRIP
)


@pytest.mark.parametrize("by", ["slash", "button", "mention"])
async def test_a_picture_is_attached_with_its_description(wire: w.Wire, room: Room, by: str) -> None:
    room.app = Scripted(room, ILLUSTRATED)
    async with w.serving(wire, room):
        if by == "mention":
            await wire.say(w.message("what is a drip"))
        else:
            await wire.interact(w.slash("myth") if by == "slash" else w.click("next:myth"))
        await wire.until(lambda: wire.shown)
    (shown,) = wire.shown
    assert shown["attachments"] == [{"id": 0, "filename": "drip.png", "description": DRIP.alt}]
    assert shown["uploaded"] == {"files[0]": ("drip.png", DRIP.data)}
    assert shown["embeds"][0]["image"] == {"url": "attachment://drip.png"}
    assert (text(shown), actions(shown)) == ("Drips\nThis is one.", ["topics"])


@pytest.mark.parametrize("seconds", [0, 0.2])
async def test_a_message_is_deleted_where_the_reply_says_so(
    wire: w.Wire, room: Room, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr("bots.discord_answer.DEFER_SECONDS", 0.05)
    room.app = Scripted(room, Reply(deed=Deed.DELETE), seconds)
    async with w.serving(wire, room):
        await wire.interact(w.click("down:m-cure"))
        await wire.until(lambda: any(sent.method == "DELETE" for sent in wire.sent))
    (deleted,) = [sent for sent in wire.sent if sent.method == "DELETE"]
    assert deleted.path.endswith("/messages/@original")
    assert [callback["type"] for callback in wire.callbacks()] == [6]
    assert not wire.shown


async def test_an_old_button_just_stops_waiting(live: w.Wire) -> None:
    pressed = w.click("next:myth", id=w.snowflake(seconds_ago=700), token="old")
    await live.interact(pressed)
    await live.until(live.callbacks)
    assert live.callbacks() == [{"type": 6}]


@pytest.mark.parametrize(("payload", "taken_back"), [(w.slash("myth"), 1), (w.click("next:myth"), 0)])
async def test_the_notice_of_an_answer_that_never_comes_is_taken_back(
    wire: w.Wire, room: Room, monkeypatch: pytest.MonkeyPatch, payload: dict[str, Any], taken_back: int
) -> None:
    monkeypatch.setattr("bots.discord_answer.DEFER_SECONDS", 0.05)
    room.app = Scripted(room, None, seconds=0.2)
    async with w.serving(wire, room):
        await wire.interact({**payload, "id": w.snowflake(), "token": f"none{w.snowflake()}"})
        await wire.until(wire.callbacks)
    assert sum(sent.method == "DELETE" for sent in wire.sent) == taken_back
    assert not wire.shown


@pytest.mark.parametrize("fault", [w.Fault("/callback", after=True), w.Fault("/callback", 502, after=True)])
@pytest.mark.parametrize(
    ("payload", "reply", "method", "flags"),
    [
        (w.click("next:myth"), Reply(title="Here"), "POST", 0),
        (w.click("topics"), Reply(title="Here", deed=Deed.EDIT), "PATCH", 0),
        (w.slash("myth"), Reply(title="Here"), "PATCH", 0),
        (w.slash("ask"), Reply(title="Here", whisper=True), "POST", w.EPHEMERAL),
    ],
)
async def test_a_slow_answer_is_shown_to_whom_it_is_for_though_its_notice_broke(
    wire: w.Wire,
    room: Room,
    monkeypatch: pytest.MonkeyPatch,
    fault: w.Fault,
    payload: dict[str, Any],
    reply: Reply,
    method: str,
    flags: int,
) -> None:
    monkeypatch.setattr("bots.discord_answer.DEFER_SECONDS", 0.05)
    room.app = Scripted(room, reply, seconds=0.3)
    async with w.serving(wire, room):
        wire.faults = [w.Fault(fault.path, fault.status, after=True)]
        await wire.interact({**payload, "id": w.snowflake(), "token": f"broke{w.snowflake()}"})
        await wire.until(lambda: wire.shown)
        await asyncio.sleep(0.1)
    (shown,) = wire.shown
    assert (text(shown).strip(), shown["method"], shown.get("flags", 0)) == ("Here", method, flags)


async def test_more_pages_than_one_message_come_in_order(wire: w.Wire, room: Room) -> None:
    long = tuple(Block(f"{letter * 3000}") for letter in "abc")
    room.app = Scripted(room, Reply(title="Long", blocks=long))
    async with w.serving(wire, room):
        await wire.interact(w.slash("myth"))
        await wire.until(lambda: len(wire.shown) == 3)
        wire.shown.clear()
        await wire.say(w.message("long"))
        await wire.until(lambda: len(wire.shown) == 3)
    assert [shown["embeds"][0]["description"][0] for shown in wire.shown] == ["a", "b", "c"]
    assert len({shown["nonce"] for shown in wire.shown}) == 3
    assert ["message_reference" in shown for shown in wire.shown] == [True, False, False]


@pytest.mark.parametrize(("code", "words"), [(4014, "an intent is refused"), (4004, "code=4004")])
async def test_a_gateway_that_refuses_the_bot_ends_the_platform(
    wire: w.Wire, room: Room, code: int, words: str
) -> None:
    wire.closed_with = code
    with pytest.raises(TokenRefused, match=words):
        await Discord(w.TOKEN, room.app, PHRASES, room.daily("discord")).run(asyncio.Event())


async def test_commands_that_can_not_be_registered_stop_nothing(
    wire: w.Wire, room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bots.discord_client.SYNC_PAUSES", (0, 0))
    wire.commands = [{"id": "1", "name": "old"}]
    wire.faults = [w.Fault("/commands", 403, body={"code": 50001, "message": "no"}, times=2)]
    async with w.serving(wire, room):
        await wire.interact(w.slash("help"))
        await wire.until(lambda: wire.shown)
        await wire.until(lambda: caplog.text.count("commands not registered error=Forbidden") == 2)
    assert not any(sent.method == "PUT" for sent in wire.sent)


async def test_seen_events_are_remembered_for_so_many(
    wire: w.Wire, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord.Seen", lambda: Seen(1))
    first, second, third = (w.message(QUESTION) for _ in range(3))

    def asked() -> list[str]:
        posts = [sent.body["message_reference"] for sent in wire.sent if "/messages" in sent.path]
        return [post["message_id"] for post in posts]

    async with w.serving(wire, room):
        for said in (first, second, third, second, third, {**first, "content": f"<@{w.BOT}> /help"}):
            await wire.say(said)
        await wire.until(lambda: len(asked()) == 4)
    assert sorted(asked()) == sorted(said["id"] for said in (first, first, second, third))


async def test_who_says_too_much_is_told_once_and_still_helped_in_danger(live: w.Wire) -> None:
    for _ in range(24):
        await live.say(w.message("/help", place=w.DM, mention=False))
    await live.say(w.message("i want to kill myself", place=w.DM, mention=False))
    await live.until(lambda: len(live.shown) == 22, 10)
    await asyncio.sleep(0.1)
    words = [text(shown) for shown in live.shown]
    assert len(words) == 22
    assert sum(PHRASES.say("notice.slow") in said for said in words) == 1
    assert sum("988" in said for said in words) == 1


async def test_no_more_than_twenty_answers_wait_in_a_channel_and_one_line_says_so(live: w.Wire) -> None:
    live.faults = [w.Fault("/messages", seconds=1.5)]
    for number in range(24):
        await live.say(w.message(QUESTION, author=w.user(str(1000 + number))))
    await live.say(w.message("i want to kill myself", author=w.user("2000")))
    await live.until(lambda: len(live.shown) == 22, 15)
    await asyncio.sleep(0.3)
    words = [text(shown) for shown in live.shown]
    assert len(words) == 22
    assert sum(PHRASES.say("notice.dropped") in said for said in words) == 1
    assert sum("988" in said for said in words) == 1


async def test_suggestions_that_come_too_late_end_in_a_line(
    live: w.Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bots")
    live.faults = [w.Fault("/callback", 404, body={"code": 10062, "message": "Unknown interaction"})]
    await live.interact(w.slash("ask", "addict", type=4))
    await live.until(lambda: "no answer shown reason=token expired" in caplog.text)
    live.faults = [w.Fault("/callback", 400, body={"code": 40060, "message": "already"})]
    await live.interact(w.slash("ask", "addict", type=4))
    await live.interact(w.slash("help"))
    await live.until(lambda: live.shown)
    assert caplog.text.count("no answer shown") == 1


async def test_an_interaction_without_its_token_is_one_line(
    live: w.Wire, caplog: pytest.LogCaptureFixture
) -> None:
    odd = w.slash("ask", "chromodynamics")
    del odd["token"]
    await live.interact(odd)
    await live.until(lambda: "answer failed error=KeyError" in caplog.text)
    assert "chromodynamics" not in caplog.text


async def test_an_answer_whose_notices_never_arrived_is_the_first_response(
    wire: w.Wire, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord_answer.DEFER_SECONDS", 0.05)
    room.app = Scripted(room, Reply(title="Here"), seconds=0.3)
    async with w.serving(wire, room):
        wire.faults = [w.Fault("/callback", times=2)]
        await wire.interact(w.slash("myth"))
        await wire.until(lambda: wire.shown)
    (shown,) = wire.shown
    assert "method" not in shown
    assert wire.callbacks()[-1]["type"] == 4


async def test_an_event_that_the_database_fails_is_one_line(
    wire: w.Wire, caplog: pytest.LogCaptureFixture
) -> None:
    room = Room()
    async with w.serving(wire, room):
        await room.store.close()
        await wire.bring("CHANNEL_DELETE", TEXT_CHANNEL)
        await wire.until(lambda: "event failed event=on_guild_channel_delete" in caplog.text)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_of_the_bot_as_a_whole_is_waited_out(
    live: w.Wire, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("bots.discord_client.REFUSED_SECONDS", 0.1)
    live.faults = [w.Fault("/messages", status, body={"code": 0, "message": "no"})]
    await live.say(w.message(QUESTION))
    await live.until(lambda: live.shown)


async def test_an_answer_waits_until_discord_can_be_reached_again(
    live: w.Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(Route, "BASE", "http://127.0.0.1:1/api")
        await live.say(w.message(QUESTION))
        await asyncio.sleep(0.3)
        assert not live.shown
    await live.until(lambda: live.shown)
    assert len(live.shown) == 1


async def test_a_callback_that_finds_nobody_was_surely_not_sent() -> None:
    async with aiohttp.ClientSession() as session:
        callbacks = Callbacks(session, "http://127.0.0.1:1", Invalid(time.monotonic, lambda _seconds: None))
        with pytest.raises(RetryLater):
            await callbacks.request("POST", "/interactions/1/x/callback", {"type": 5})


async def test_a_question_that_was_deleted_ends_in_a_line(
    live: w.Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "core")
    unknown = {"message_reference": {"_errors": [{"code": "REPLIES_UNKNOWN_MESSAGE"}]}}
    live.faults = [w.Fault("/messages", 400, body={"code": 50035, "message": "Invalid", "errors": unknown})]
    await live.say(w.message(QUESTION))
    await live.until(lambda: "undeliverable reason=question deleted" in caplog.text)


def test_refused_requests_count_for_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.discord_http.INVALID_LIMIT", 2)
    times, stops = iter((0.0, 600.0, 1199.0)), list[float]()
    invalid = Invalid(lambda: next(times), stops.append)
    for _ in range(2):
        invalid.count(401)
    assert stops == []
    invalid.count(429, "shared")
    invalid.count(403)
    assert stops == [600.0]


def test_what_is_no_json_says_nothing() -> None:
    assert parsed("<html>") == parsed("[1]") == {}


async def settings_by_message(wire: w.Wire, **fields: Any) -> str:
    """What `/daily` is answered when said to the bot by the server's owner."""
    wire.shown.clear()
    await wire.say(w.message("/daily 9:00 UTC", author=w.user(w.OWNER), **fields))
    await wire.until(lambda: wire.shown)
    return text(wire.shown[0])


async def test_a_daily_post_can_be_set_by_a_message_where_the_bot_may_post(live: w.Wire) -> None:
    for place in ({}, {"place": w.DM, "mention": False}):
        assert "Next posts" in await settings_by_message(live, **place)
    assert "Next posts" not in await settings_by_message(live, place=w.THREAD)
    in_threads = w.everyone(1 << 10 | 1 << 11 | 1 << 14 | 1 << 38)
    await live.bring("GUILD_ROLE_UPDATE", {"guild_id": w.SERVER, "role": in_threads})
    assert "Next posts" in await settings_by_message(live, place=w.THREAD)
    assert "Next posts" not in await settings_by_message(live, place="999")
    assert "only admins" in await settings_by_message(live, guild_id="999")
    await live.bring("GUILD_ROLE_UPDATE", NO_RIGHTS)
    assert "Next posts" not in await settings_by_message(live)


async def test_nothing_can_be_posted_where_the_bot_is_no_member(live: w.Wire) -> None:
    await live.bring("GUILD_CREATE", {**w.server(), "members": []})
    assert "Next posts" not in await settings_by_message(live)
