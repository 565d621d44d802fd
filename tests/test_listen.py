from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text as sql

from core.chat import Request, Surface
from core.reply import Block, Deed, Reply, Style, plain_text
from core.store import Tally
from tests.room import CONTENT, EDITION, GROUP, PERSON, PHRASES, Room, actions, without

TALK = replace(GROUP, addressed=False)
"""Somebody writes in the group, and not to the bot."""

ADDICTIVE = "is ketamine addictive?"
DRIVING = "can I drive after a ketamine infusion?"
ANSWERS = {ADDICTIVE: "m-very-addictive", DRIVING: "f-driving"}


async def overhear(room: Room, text: str, request: Request = TALK) -> Reply | None:
    return await room.app.handle(replace(request, text=text), room.facts)


@pytest.fixture
async def listening(room: Room) -> Room:
    room.facts.admin = True
    await room.say("/listen on", GROUP)
    room.facts.admin = False
    return room


async def test_the_bot_does_not_listen_unless_told_to(room: Room) -> None:
    assert (await room.say("/listen", GROUP)).title == "I am not listening here"
    for text in (ADDICTIVE, "I want to kill myself"):
        assert await room.silence(text, TALK)
        assert await room.app.urgent(replace(TALK, text=text), room.facts) is None


async def test_an_admin_turns_it_on_and_off_and_anybody_sees_how_it_stands(room: Room) -> None:
    room.facts.admin = True
    for word, title in (("on", "I am listening here"), ("off", "I am not listening here")):
        for typed in (f"/listen {word}", f"/listen {word.upper()}"):
            assert (await room.say(typed, GROUP)).title == title
        room.facts.admin = False
        shown = await room.say("/listen", GROUP)
        assert shown.title == title
        assert "one answer in 10 minutes" in plain_text(shown)
        assert "neither stored nor logged" in plain_text(shown)
        room.facts.admin = True
    assert await room.silence(ADDICTIVE, TALK)


async def test_others_get_one_line_and_change_nothing(listening: Room) -> None:
    for word in ("on", "off"):
        reply = await listening.say(f"/listen {word}", GROUP)
        assert reply == Reply(title=PHRASES.say("listen.admins"), quiet=True)
    assert (await listening.say("/listen", GROUP)).title == "I am listening here"


async def test_what_else_follows_the_command_is_asked_about(room: Room) -> None:
    room.facts.admin = True
    assert (await room.say("/listen please", GROUP)).title == PHRASES.say("listen.unclear")


@pytest.mark.parametrize("place", [PERSON, replace(GROUP, broadcast=True)])
async def test_it_is_for_groups(room: Room, place: Request) -> None:
    room.facts.admin = True
    assert (await room.say("/listen on", place)).title == PHRASES.say("listen.groups")
    assert await room.store.marks("telegram:-100") == frozenset()


@pytest.mark.parametrize("platform", ["discord", "console"])
async def test_other_platforms_have_no_such_command(room: Room, platform: str) -> None:
    reply = await room.say("/listen on", replace(PERSON, platform=platform))
    assert reply.title == PHRASES.say("command.unknown")
    assert "/listen" not in plain_text(await room.say("/help", replace(GROUP, platform=platform)))


@pytest.mark.parametrize(("hears", "said"), [(True, "listen.hears"), (False, "needs.plain_text")])
async def test_it_says_what_privacy_mode_means(room: Room, hears: bool, said: str) -> None:
    room.facts.admin, room.facts.hearing = True, hears
    for typed in ("/listen", "/listen on", "/listen off"):
        texts = [block.text for block in (await room.say(typed, GROUP)).blocks]
        assert PHRASES.say(said) in texts


async def test_a_question_that_nobody_put_to_the_bot_gets_the_one_entry(listening: Room) -> None:
    reply = await overhear(listening, ADDICTIVE, replace(TALK, thread="5"))
    assert reply
    assert (reply.entry_id, reply.deed, reply.thread) == ("m-very-addictive", Deed.SEND, "5")
    assert reply.blocks[1].style is Style.QUOTE
    assert "About:" in reply.blocks[1].text
    assert reply.choices == ()
    assert {"unasked:up:m-very-addictive", "unasked:down:m-very-addictive"} <= set(actions(reply))
    assert all(action.startswith("unasked:") for action in actions(reply))


@pytest.mark.parametrize(
    "text",
    [
        "did you all sleep well?",
        "is methadone addictive?",
        "does it help migraine or fibro?",
        "Ketamine is addictive.",
        "is ketamine addictive",
        "addictive?",
        "https://example.org/watch?v=ketamine is ketamine addictive",
        "@ada is ketamine addictive?",
        "what is the weather like in Oslo today?",
        "",
    ],
)
async def test_everything_else_is_met_with_silence(listening: Room, text: str) -> None:
    assert await overhear(listening, text) is None


async def test_a_question_to_another_member_is_theirs(listening: Room) -> None:
    assert await overhear(listening, ADDICTIVE, replace(TALK, replied_text="I had mine today")) is None


@pytest.mark.parametrize("text", ["how many mg should I take?", "does anyone sell ketamine here?"])
async def test_doses_and_sellers_are_left_to_the_admins_unless_the_bot_is_asked(
    listening: Room, text: str
) -> None:
    assert await overhear(listening, text) is None
    assert (await listening.say(f"/ask {text}", GROUP)).guard in ("dosing", "sourcing")


async def test_one_answer_in_ten_minutes_per_chat(listening: Room) -> None:
    assert await overhear(listening, ADDICTIVE)
    assert await overhear(listening, DRIVING, replace(TALK, actor_key="8")) is None
    listening.now += timedelta(minutes=9, seconds=59)
    assert await overhear(listening, DRIVING) is None
    listening.now += timedelta(seconds=1)
    reply = await overhear(listening, DRIVING)
    assert reply
    assert reply.entry_id == "f-driving"


async def test_other_chats_have_their_own_ten_minutes(listening: Room) -> None:
    listening.facts.admin = True
    await listening.say("/listen on", replace(GROUP, chat_key="-200"))
    assert await overhear(listening, ADDICTIVE)
    assert await overhear(listening, ADDICTIVE, replace(TALK, chat_key="-200"))


async def test_no_entry_twice_in_24_hours(listening: Room) -> None:
    assert await overhear(listening, ADDICTIVE)
    listening.now += timedelta(hours=12)
    assert await overhear(listening, ADDICTIVE) is None
    assert await overhear(listening, DRIVING)
    listening.now += timedelta(hours=11, minutes=59)
    assert await overhear(listening, ADDICTIVE) is None
    listening.now += timedelta(minutes=1)
    assert await overhear(listening, ADDICTIVE)


async def test_being_asked_is_another_matter(listening: Room) -> None:
    assert await overhear(listening, ADDICTIVE)
    assert (await listening.say(f"/ask {ADDICTIVE}", GROUP)).entry_id == "m-very-addictive"


async def test_a_crisis_gets_the_short_card_whatever_was_answered_before(listening: Room) -> None:
    assert await overhear(listening, ADDICTIVE)
    for request in (TALK, TALK, replace(TALK, replied_text="how are you?"), replace(TALK, actor_key="8")):
        card = await overhear(listening, "I want to kill myself", request)
        assert card
        assert (card.guard, card.entry_id, card.apart, actions(card)) == ("crisis", None, True, [])
        assert CONTENT.safety.crisis.short in plain_text(card)
        assert card.blocks[-1].url == GROUP.bot_link
        assert len(plain_text(card)) < 600


async def test_a_crisis_card_takes_nobodys_ten_minutes(listening: Room) -> None:
    assert await overhear(listening, "I want to kill myself")
    assert await overhear(listening, ADDICTIVE)


async def test_a_crisis_in_what_gets_no_answer_any_more_is_met_all_the_same(listening: Room) -> None:
    card = await listening.app.urgent(replace(TALK, text="I want to kill myself"), listening.facts)
    assert card
    assert card.guard == "crisis"
    assert await listening.app.urgent(replace(TALK, text=ADDICTIVE), listening.facts) is None
    assert await overhear(listening, ADDICTIVE)


@pytest.mark.parametrize("surface", [Surface.INLINE, Surface.AUTOCOMPLETE, Surface.MENU, Surface.BUTTON])
async def test_only_messages_are_overheard(listening: Room, surface: Surface) -> None:
    reply = await overhear(listening, ADDICTIVE, replace(TALK, surface=surface))
    assert reply is None or not any(action.startswith("unasked:") for action in actions(reply))


async def test_a_thumb_down_is_counted_and_takes_the_answer_away(listening: Room) -> None:
    other = replace(GROUP, actor_key="8")
    reply = await listening.press("unasked:down:m-very-addictive", other)
    assert reply == Reply(deed=Deed.DELETE, title=PHRASES.say("listen.removed"))
    today = listening.now.date()
    assert await listening.store.votes(today) == [Tally("m-very-addictive", down=1)]


async def test_a_thumb_up_leaves_it(listening: Room) -> None:
    reply = await listening.press("unasked:up:m-very-addictive", GROUP)
    assert (reply.deed, reply.title) == (Deed.TOAST, PHRASES.say("vote.up"))
    assert await listening.store.votes(listening.now.date()) == [Tally("m-very-addictive", up=1)]


async def test_it_goes_even_if_the_vote_can_not_be_counted(room: Room) -> None:
    await room.store.run(lambda connection: connection.execute(sql("DROP TABLE vote")))
    assert (await room.press("unasked:down:m-very-addictive", GROUP)).deed is Deed.DELETE
    room.use(without("m-very-addictive"))
    assert (await room.press("unasked:down:m-very-addictive", GROUP)).deed is Deed.DELETE


async def test_a_look_at_more_does_not_lose_the_way_to_take_it_away(listening: Room) -> None:
    more = await listening.press("unasked:more:m-very-addictive", GROUP)
    back = next(action for action in actions(more) if ":show:" in action)
    again = await listening.press(back, GROUP)
    assert (more.deed, again.deed) == (Deed.EDIT, Deed.EDIT)
    assert "unasked:down:m-very-addictive" in actions(again)


async def test_another_one_was_asked_for(listening: Room) -> None:
    reply = await listening.press("unasked:next:myth", GROUP)
    assert reply.deed is Deed.SEND
    assert not any(action.startswith("unasked:") for action in actions(reply))


@pytest.mark.parametrize("action", ["editors", "unasked:editors", "unasked:unasked:send"])
async def test_safety_looks_behind_the_marker(room: Room, action: str) -> None:
    reply = await room.press(action, replace(PERSON, quoted="I want to kill myself"))
    assert reply.guard == "crisis"
    assert await room.store.questions() == []


async def test_the_setting_outlives_a_restart_and_the_memory_does_not(listening: Room) -> None:
    assert await overhear(listening, ADDICTIVE)
    restarted = Room()
    await restarted.store.close()
    restarted.app._deps = replace(restarted.app._deps, store=listening.store)
    assert await overhear(restarted, ADDICTIVE)


async def test_forget_ends_it_and_says_so(listening: Room) -> None:
    assert await overhear(listening, ADDICTIVE)
    listening.facts.admin = True
    assert PHRASES.say("forget.listen") in plain_text(await listening.say("/forget", GROUP))
    listening.now += timedelta(days=2)
    assert await overhear(listening, ADDICTIVE) is None
    assert PHRASES.say("forget.nothing") in plain_text(await listening.say("/forget", GROUP))


async def test_a_group_that_gets_another_key_keeps_setting_and_memory(listening: Room) -> None:
    there = replace(TALK, chat_key="-1005")
    assert await overhear(listening, ADDICTIVE, there) is None
    assert await overhear(listening, ADDICTIVE)
    await listening.app.moved("telegram", "-100", "-1005")
    assert await overhear(listening, DRIVING, there) is None
    listening.now += timedelta(minutes=10)
    assert await overhear(listening, ADDICTIVE, there) is None
    assert await overhear(listening, DRIVING, there)
    assert await overhear(listening, "I want to kill myself") is None


async def test_where_the_database_fails_it_goes_on_as_before(listening: Room) -> None:
    other = replace(TALK, chat_key="-200")
    assert await overhear(listening, "good morning all") is None
    assert await overhear(listening, "good morning all", other) is None
    await listening.store.run(lambda connection: connection.execute(sql("DROP TABLE mark")))
    listening.store.revision += 1
    card = await overhear(listening, "I want to kill myself")
    assert card
    assert card.guard == "crisis"
    assert await overhear(listening, "I want to kill myself", other) is None


async def test_nobody_gets_an_apology_for_what_they_did_not_ask(
    listening: Room, caplog: pytest.LogCaptureFixture
) -> None:
    listening.app.edition = replace(EDITION, guards=None)  # type: ignore[arg-type]
    assert await overhear(listening, "canary-text is ketamine addictive?") is None
    assert await listening.app.urgent(replace(TALK, text="canary-text"), listening.facts) is None
    assert caplog.text.count("error=AttributeError") == 2
    assert "canary-text" not in caplog.text


async def test_a_group_is_told_once_what_the_bot_needs(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    assert await room.app.joined(GROUP, room.facts) is None
    room.facts.hearing = False
    told = await room.app.joined(GROUP, room.facts)
    assert told
    assert (plain_text(told), told.quiet) == (PHRASES.say("needs.plain_text"), True)
    assert await room.app.joined(GROUP, room.facts) is None
    assert await room.app.joined(replace(GROUP, chat_key="-200"), room.facts)
    room.facts.admin = True
    assert PHRASES.say("forget.told") in plain_text(await room.say("/forget", GROUP))
    await room.store.run(lambda connection: connection.execute(sql("DROP TABLE mark")))
    assert await room.app.joined(GROUP, room.facts) is None
    assert "error=StoreTrouble" in caplog.text


async def test_listening_without_hearing_is_told_as_such(room: Room) -> None:
    room.facts.admin, room.facts.hearing = True, False
    reply = await room.say("/listen on", GROUP)
    assert reply.title == "Listening is on, but I can't hear you yet"
    assert reply.blocks[0] == Block(PHRASES.say("needs.plain_text"), style=Style.STRONG)
    assert (await room.say("/listen off", GROUP)).title == "I am not listening here"


async def test_who_turned_it_on_needs_no_telling_again(room: Room) -> None:
    room.facts.admin, room.facts.hearing = True, False
    assert PHRASES.say("needs.plain_text") in plain_text(await room.say("/listen on", GROUP))
    assert await room.app.joined(GROUP, room.facts) is None


async def test_forget_covers_what_is_only_in_memory(listening: Room) -> None:
    assert await overhear(listening, ADDICTIVE)
    listening.facts.admin = True
    await listening.say("/forget", GROUP)
    await listening.say("/listen on", GROUP)
    assert await overhear(listening, ADDICTIVE)


async def test_privacy_tells_of_it(room: Room) -> None:
    assert PHRASES.say("privacy.listen") in plain_text(await room.say("/privacy"))
