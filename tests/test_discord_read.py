import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.discord_client import MessageFacts
from bots.discord_read import HINT, INTERACTION, MESSAGE, Me, age, read, rights, wants_whisper
from bots.discord_view import render
from core.chat import Request, Surface
from tests import discord_wire as w
from tests.fuzz import EXAMPLES, swiftly
from tests.room import Room

ME = Me(w.BOT, lambda _server, channel: w.CHANNEL if channel == w.THREAD else None)


def asked(payload: dict[str, Any]) -> Request:
    request = read(INTERACTION, payload, ME)
    assert request
    return request


def said(payload: dict[str, Any]) -> Request | None:
    return read(MESSAGE, payload, ME)


@pytest.mark.parametrize("odd", [{"data": 5}, {"data": {"options": [5]}}, {"message": {"flags": "x"}}])
def test_who_may_see_an_odd_interaction_is_no_secret_and_gives_no_rights(odd: dict[str, Any]) -> None:
    assert wants_whisper(odd) is False
    assert not rights({"member": {"permissions": "x"}}).admin
    assert not rights({"app_permissions": "x"}).post


def test_a_command_of_a_kind_nobody_offered_is_nothing_for_the_bot() -> None:
    assert read(INTERACTION, w.interaction({"id": "1", "name": "wave", "type": 2}), ME) is None


def test_a_command_in_a_server() -> None:
    request = asked(w.slash("myth", "drip", private=True))
    assert request == Request(
        "discord",
        w.CHANNEL,
        w.ALICE,
        text="/myth drip",
        language="en-US",
        private=False,
        bot_link=f"https://discord.com/users/{w.BOT}",
        can_whisper=True,
    )


def test_a_thread_belongs_to_its_channel() -> None:
    thread = {"id": w.THREAD, "type": 11, "parent_id": w.CHANNEL}
    request = asked(w.slash("myth", channel=thread, channel_id=w.THREAD))
    assert (request.chat_key, request.thread) == (w.CHANNEL, w.THREAD)
    message = said(w.message("hi", place=w.THREAD))
    assert message
    assert (message.chat_key, message.thread) == (w.CHANNEL, w.THREAD)


def test_a_private_chat_with_the_bot_is_private_and_keeps_what_is_shown() -> None:
    request = asked(w.slash("myth", **w.in_bot_dm()))
    assert (request.chat_key, request.private, request.can_whisper) == (w.DM, True, False)


def test_an_app_that_only_the_person_installed_keeps_the_rounds_of_the_person() -> None:
    request = asked(w.slash("myth", authorizing_integration_owners={"1": w.ALICE}))
    assert (request.chat_key, request.private, request.can_whisper) == (w.ALICE, True, True)


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ({"content": "it cures all"}, "it cures all"),
        (
            {"content": "", "embeds": [{"title": "Myth", "description": "It cures all."}]},
            "Myth\nIt cures all.",
        ),
        ({"content": ""}, ""),
        ({"content": "", "message_snapshots": [{"message": {"content": "it cures all"}}]}, "it cures all"),
    ],
)
def test_the_menu_of_a_message_asks_about_that_message(said: dict[str, Any], about: str) -> None:
    request = asked(w.check({"id": "77", **said}))
    assert (request.text, request.surface, request.replied_text) == ("/check", Surface.MENU, about)
    assert (request.message_key, request.can_whisper) == (None, True)


SEND, SEND_IN_THREADS, EXTERNAL = 1 << 11, 1 << 38, 1 << 50
CARDS = 1 << 10 | 1 << 14
ALONE = {"authorizing_integration_owners": {"1": w.ALICE}}
IN_THREAD = {"channel_id": w.THREAD, "channel": {"id": w.THREAD, "type": 11, "parent_id": w.CHANNEL}}


@pytest.mark.parametrize(
    ("theirs", "ours", "fields", "may"),
    [
        (SEND, SEND, {}, True),
        (SEND, 0, {}, False),
        (0, SEND, {}, False),
        (SEND, SEND, IN_THREAD, False),
        (SEND_IN_THREADS, SEND_IN_THREADS, IN_THREAD, True),
        (SEND, SEND, ALONE, False),
        (SEND | EXTERNAL, 0, ALONE, True),
        (EXTERNAL, 0, ALONE, False),
        (SEND, SEND, {**w.in_bot_dm()}, False),
        (0, 0, {**w.in_bot_dm(), **ALONE, "context": 2}, True),
    ],
)
def test_an_answer_may_be_shared_where_others_see_it_and_the_person_may_write(
    theirs: int, ours: int, fields: dict[str, Any], may: bool
) -> None:
    member = {"user": w.user(), "permissions": str(theirs)}
    request = asked(w.click("share:m-cure", **{"member": member, "app_permissions": str(ours), **fields}))
    assert request.may_share is may


def test_a_button_carries_its_action_and_message() -> None:
    request = asked(w.click("next:myth"))
    assert (request.action, request.surface, request.message_key) == ("next:myth", Surface.BUTTON, "600")


def test_typing_is_told_from_sending() -> None:
    assert asked(w.slash("ask", "ad", type=4)).surface is Surface.AUTOCOMPLETE


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (f"<@{w.BOT}> is it legal", "is it legal"),
        (f"<@!{w.BOT}> /myth drip", "/myth drip"),
        (f"hey <@{w.BOT}>", "hey"),
        (f"<@{w.BOT}>", HINT),
        ("", HINT),
        (f"<@{w.BOT}> ask <@123>", "ask <@123>"),
    ],
)
def test_the_mention_is_no_part_of_the_question(content: str, text: str) -> None:
    request = said({**w.message(""), "content": content})
    assert request
    assert request.text == text


def test_a_reply_carries_what_it_replies_to() -> None:
    shown = {"content": "", "embeds": [{"title": "Myth", "description": "It cures all."}]}
    request = said(w.message("is it safe", referenced_message=shown))
    assert request
    assert request.replied_text == "Myth\nIt cures all."


@pytest.mark.parametrize(
    ("payload", "whispers"),
    [
        (w.slash("myth"), False),
        (w.slash("myth", private=True), True),
        (w.click("x"), False),
        (w.click("x", flags=w.EPHEMERAL), True),
        (w.check(w.message("hi")), True),
        (w.check(w.message("hi"), **w.in_bot_dm()), False),
    ],
)
def test_a_private_answer_is_asked_for(payload: dict[str, Any], whispers: bool) -> None:
    assert wants_whisper(payload) is whispers


@pytest.mark.parametrize(
    ("permissions", "admin"), [(0, False), (1 << 3, True), (1 << 5, True), (1 << 13, False)]
)
def test_rights_come_with_the_interaction(permissions: int, admin: bool) -> None:
    member = {"user": w.user(), "permissions": str(permissions)}
    assert rights(w.slash("forget", member=member)).admin is admin


@pytest.mark.parametrize(
    ("fields", "post"),
    [
        ({}, True),
        ({"app_permissions": "0"}, False),
        ({"authorizing_integration_owners": {"1": w.ALICE}}, False),
        ({"channel": {"id": w.THREAD, "type": 11}}, False),
        ({"channel": {"id": w.THREAD, "type": 11}, "app_permissions": str(CARDS | 1 << 38)}, True),
        ({"app_permissions": str(1 << 10 | SEND)}, False),
        ({"app_permissions": str(1 << 14 | SEND)}, False),
        ({"app_permissions": str(1 << 3)}, True),
    ],
)
def test_the_bot_may_post_where_it_has_the_right(fields: dict[str, Any], post: bool) -> None:
    assert rights(w.slash("myth", **fields)).post is post


async def test_in_servers_only_what_is_meant_for_the_bot_comes() -> None:
    """It works without the intent for anything else."""
    for place, hears in ((asked(w.slash("myth")), False), (asked(w.slash("myth", **w.in_bot_dm())), True)):
        assert await rights(w.slash("myth")).hears(place) is hears
        assert await MessageFacts(None, {}).hears(place) is hears  # type: ignore[arg-type]


def test_ids_tell_the_time() -> None:
    passed = age(w.snowflake(seconds_ago=700), datetime.now(UTC))
    assert timedelta(seconds=699) < passed < timedelta(seconds=705)


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
TEXTS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "\u202e@everyone",
            "z" + "\u0351" * 200,
            "\u200b" * 50,
            "x" * 6000,
            "my doctor offered the drip for my rsd " * 150,
            "<@900>",
            "/myth",
            "\ud800",
        ]
    ),
)
FIELDS = (
    "id",
    "application_id",
    "type",
    "token",
    "channel_id",
    "channel",
    "guild_id",
    "member",
    "user",
    "context",
    "data",
    "message",
    "locale",
    "options",
    "content",
    "authorizing_integration_owners",
    "app_permissions",
    "author",
    "mentions",
    "referenced_message",
    "webhook_id",
)


@st.composite
def events(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A sound event with some fields missing, some wild, some forged."""
    text = draw(TEXTS)
    sound = draw(
        st.sampled_from(
            [
                (INTERACTION, lambda: w.slash(text[:32], text)),
                (INTERACTION, lambda: w.slash("ask", text, type=4)),
                (INTERACTION, lambda: w.slash("myth", text, **w.in_bot_dm())),
                (INTERACTION, lambda: w.click(text)),
                (INTERACTION, lambda: w.check(w.message(text))),
                (MESSAGE, lambda: w.message(text)),
                (MESSAGE, lambda: w.message(text, place=w.DM, mention=False)),
            ]
        )
    )
    payload = sound[1]()
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=3)):
        payload.pop(name, None)
    payload.update(draw(st.dictionaries(st.sampled_from(FIELDS), WILD, max_size=2)))
    return sound[0], payload


def test_no_event_is_too_odd_or_too_slow_to_answer() -> None:
    room = Room()
    room.edition.index.warm()
    with asyncio.Runner() as runner:

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(events())
        def answer(event: tuple[str, dict[str, Any]]) -> None:
            with swiftly():
                request = read(*event, ME)
                if request is None:
                    return
                facts, _whispers = rights(event[1]), wants_whisper(event[1])
                reply = runner.run(room.app.handle(request, facts))
                pages = render(reply) if reply else ()
            assert reply is None or "went wrong" not in reply.title
            for page in pages:
                json.dumps(page).encode()
                assert page["embeds"][0]

        answer()
        runner.run(room.store.close())
