import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.chat import Surface
from core.reply import Reply, plain_text
from core.safety import Ruling
from core.store import Draw, Forgotten
from tests.room import CONTENT, DOUBTFUL, GROUP, GUARDS, PERSON, Room, actions
from tests.samples import biased

DISCORD = replace(GROUP, platform="discord", can_whisper=True)


@pytest.mark.parametrize(
    "text",
    [
        "/myth kill myself",
        "/fact i want to die",
        "/ask I want to kill myself",
        "I want to kill myself",
        "/zzz kill myself",
    ],
)
async def test_the_crisis_card_comes_before_any_answer_on_every_route(room: Room, text: str) -> None:
    reply = await room.say(text)
    assert reply.guard == "crisis"
    assert reply.entry_id is None
    assert actions(reply) == []
    shown = plain_text(reply)
    for part in ("911", "999", "112", "988", "116 123", "findahelpline.com", CONTENT.safety.crisis.message):
        assert part in shown


@pytest.mark.parametrize(
    "asked", ["are troches addictive", "/ask are troches addictive", "/myth are troches addictive"]
)
async def test_who_may_be_in_danger_is_told_where_to_turn_and_shown_no_entry(
    doubtful: Room, asked: str
) -> None:
    reply = await doubtful.say(asked)
    assert (reply.entry_id, reply.guard, reply.choices) == (None, None, ())
    assert reply.title == "I have no entry on that"
    assert not [action for action in actions(reply) if action.startswith("show:")]
    for number in ("911", "999", "112", "988", "116 123", "findahelpline.com"):
        assert number in plain_text(reply)


async def test_who_asks_for_a_dose_and_may_be_in_danger_is_told_where_to_turn_first(room: Room) -> None:
    room.app.edition = replace(room.app.edition, guards=GUARDS.with_classifier(biased(-0.9, 9.0, -9.0)))
    reply = await room.say("how much of it at once")
    assert reply.guard == "dosing"
    assert "988" in reply.blocks[0].text
    assert actions(reply) == []


async def test_nothing_to_post_is_offered_to_who_may_be_in_danger(doubtful: Room) -> None:
    inline = replace(PERSON, surface=Surface.INLINE, chat_key="7")
    assert (await doubtful.say("addictive troches", inline)).articles == ()


async def test_the_very_name_of_an_entry_leaves_no_doubt(doubtful: Room) -> None:
    assert (await doubtful.say("/myth Only a party drug?")).entry_id == "m-party-drug"


@pytest.fixture
def doubtful(room: Room) -> Room:
    """A room whose guards have a doubt about whatever is said."""
    room.app.edition = replace(room.app.edition, guards=DOUBTFUL)
    return room


async def test_a_second_crisis_within_ten_minutes_gets_the_short_form(room: Room) -> None:
    await room.say("I want to kill myself")
    short = await room.say("i want to kill myself")
    assert short.guard == "crisis"
    assert CONTENT.safety.crisis.short in plain_text(short)
    assert "911" in plain_text(short)
    room.now += timedelta(minutes=10)
    assert CONTENT.safety.crisis.message in plain_text(await room.say("I want to kill myself"))


async def test_the_next_person_in_a_server_still_gets_the_full_card(room: Room) -> None:
    """The first one's card was shown to the first one only."""
    await room.say("/ask I want to kill myself", DISCORD)
    other = await room.say("/ask I want to kill myself", replace(DISCORD, actor_key="8"))
    assert CONTENT.safety.crisis.message in plain_text(other)
    again = await room.say("/ask I want to kill myself", DISCORD)
    assert CONTENT.safety.crisis.short in plain_text(again)


async def test_in_a_group_the_card_points_at_nobodys_message(room: Room) -> None:
    assert (await room.say("/ask I want to kill myself", GROUP)).apart
    assert not (await room.say("I want to kill myself")).apart
    assert not (await room.say("/ask how many mg should i take", GROUP)).apart


async def test_another_chat_still_gets_the_full_card(room: Room) -> None:
    await room.say("I want to kill myself")
    other = await room.say("I want to kill myself", replace(PERSON, chat_key="8"))
    assert CONTENT.safety.crisis.message in plain_text(other)


async def test_in_a_group_the_card_is_short_and_links_to_the_private_chat(room: Room) -> None:
    reply = await room.say("/ask I want to kill myself", GROUP)
    assert CONTENT.safety.crisis.short in plain_text(reply)
    assert reply.blocks[-1].url == "https://t.me/bot?start=hi"
    assert len(plain_text(reply)) < 600


@pytest.mark.parametrize("words", ["", " is this true?"])
async def test_a_crisis_in_the_message_that_check_replies_to_gets_the_short_form(
    room: Room, words: str
) -> None:
    reply = await room.say(f"/check{words}", replace(GROUP, replied_text="I want to kill myself"))
    assert reply.guard == "crisis"
    assert CONTENT.safety.crisis.short in plain_text(reply)
    assert actions(reply) == []


@pytest.mark.parametrize(
    ("said", "guard"), [("how many mg do I take", "dosing"), ("anyone selling?", "sourcing")]
)
async def test_what_check_replies_to_is_guarded_too(room: Room, said: str, guard: str) -> None:
    reply = await room.say("/check", replace(GROUP, replied_text=said))
    assert (reply.guard, reply.entry_id) == (guard, None)


async def test_where_the_link_can_carry_it_the_private_chat_opens_with_the_full_card(room: Room) -> None:
    there = replace(GROUP, start_link="https://t.me/bot?start=")
    link = (await room.say("/ask I want to kill myself", there)).blocks[-1].url
    assert link == "https://t.me/bot?start=g-crisis"
    opened = await room.say("/start g-crisis")
    assert CONTENT.safety.crisis.message in plain_text(opened)


async def test_where_the_bot_can_whisper_the_full_card_is_for_the_person_alone(room: Room) -> None:
    reply = await room.say("/ask I want to kill myself", DISCORD)
    assert reply.whisper is True
    assert CONTENT.safety.crisis.message in plain_text(reply)


async def test_remembered_crises_are_bounded(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.app.REMEMBERED_CRISES", 2)
    for chat in ("1", "2", "3"):
        await room.say("I want to kill myself", replace(PERSON, chat_key=chat))
    again = await room.say("I want to kill myself", replace(PERSON, chat_key="1"))
    assert CONTENT.safety.crisis.message in plain_text(again)


@pytest.mark.parametrize(
    ("text", "guard", "entry_id"),
    [
        # Nothing says what it is about: the entry that editors name.
        ("/ask how many mg should i take", "dosing", "m-higher-dose"),
        ("/start g-dosing", "dosing", "m-higher-dose"),
        ("how do i taper my oxycodone before the infusion", "dosing", "m-stop-meds"),
        ("/myth convert iv ketamine to oral dose", "dosing", "m-oral-equal"),
        ("/check what is the right dose for fibromyalgia", "dosing", "f-fibromyalgia"),
        ("/fact how many mg is too much during pregnancy", "dosing", "f-pregnancy"),
        ("where can I buy ketamine online", "sourcing", "f-choose-clinic"),
        ("can I use my dog's ketamine from the vet", "sourcing", "f-choose-clinic"),
    ],
)
async def test_dosing_and_sourcing_are_declined_with_one_entry_as_a_button(
    room: Room, text: str, guard: str, entry_id: str
) -> None:
    reply = await room.say(text)
    assert reply.guard == guard
    assert reply.entry_id is None
    assert actions(reply) == [f"show:{entry_id}"]
    assert all(entry.body not in plain_text(reply) for entry in CONTENT.entries)


async def test_what_is_replied_to_says_which_entry_is_the_nearest(room: Room) -> None:
    asked = replace(PERSON, replied_text="what is the right dose for fibromyalgia")
    assert actions(await room.say("/check", asked)) == ["show:f-fibromyalgia"]


@pytest.mark.parametrize("command", ["/ask", "/myth", "/fact", "/check", "/daily"])
async def test_nothing_is_suggested_to_somebody_in_danger(room: Room, command: str) -> None:
    typing = replace(DISCORD, surface=Surface.AUTOCOMPLETE)
    assert (await room.say(f"{command} I want to kill myself", typing)).choices == ()


@pytest.mark.parametrize("command", ["/ask", "/myth", "/fact", "/check"])
@pytest.mark.parametrize("typed", ["how much ketamine should I take", "where can I buy it"])
async def test_nothing_is_suggested_for_what_a_guard_stops(room: Room, command: str, typed: str) -> None:
    typing = replace(DISCORD, surface=Surface.AUTOCOMPLETE)
    assert (await room.say(f"{command} {typed}", typing)).choices == ()


async def test_the_very_name_of_an_entry_is_no_danger_whatever_the_classifier_says(room: Room) -> None:
    wary = GUARDS.with_classifier(biased(9.0, -9.0, -9.0))
    room.app.edition = replace(room.app.edition, guards=wary)
    assert (await room.say("hello there")).guard == "crisis"
    assert (await room.say("Only a party drug?")).entry_id == "m-party-drug"


async def test_a_fault_in_the_guards_themselves_is_told_kindly(room: Room) -> None:
    room.app.edition = replace(room.app.edition, guards=None)
    told = await room.app.urgent(replace(PERSON, text="hello"), room.facts)
    assert told
    assert told.title == (await room.say("hello")).title == "Something went wrong"


async def test_unaddressed_talk_in_a_group_is_left_alone(room: Room) -> None:
    quiet = replace(GROUP, addressed=False)
    assert await room.silence("is ketamine addictive?", quiet)
    assert await room.silence("I want to kill myself", quiet)


async def test_unknown_commands_are_answered_in_private_only(room: Room) -> None:
    assert (await room.say("/weather")).title.startswith("I don't know that command")
    assert await room.silence("/weather", GROUP)
    assert await room.silence("   ", PERSON)
    assert await room.silence("drip", replace(PERSON, surface=Surface.AUTOCOMPLETE))


@pytest.mark.parametrize("word", ["help", " Topics ", "START", "about", "privacy", "Stop"])
async def test_a_bare_command_word_means_the_command(room: Room, word: str) -> None:
    assert (await room.say(word)).title == (await room.say(f"/{word.strip()}")).title


async def test_a_bare_forget_deletes_nothing(room: Room) -> None:
    await room.say("/myth")
    await room.say("forget")
    assert "Entries on it: 1." in plain_text(await room.say("/forget"))


async def test_the_short_form_names_somebody_to_talk_to(room: Room) -> None:
    shown = plain_text(await room.say("/ask I want to kill myself", GROUP))
    for part in ("988", "116 123", "findahelpline.com"):
        assert part in shown


async def test_answers_go_to_the_thread_of_the_request(room: Room) -> None:
    assert (await room.say("/myth", replace(GROUP, thread="9"))).thread == "9"


class BrokenStore:
    """Fails with what a person typed in its words, as real errors do."""

    async def draw(self, chat_key: str, kind: str, draw: Draw, at: object) -> str:
        raise RuntimeError("canary-text")

    async def forget(self, chat_key: str) -> Forgotten:
        raise RuntimeError("canary-text")

    async def forget_idle(self, prefix: str, before: object) -> int:
        return 0

    async def close(self) -> None:
        return None


@pytest.fixture
async def dropped(room: Room) -> Room:
    """A room whose database has lost what rounds are kept in."""
    await room.store.run(lambda connection: connection.execute(text("DROP TABLE seen")))
    return room


@pytest.mark.parametrize("command", ["/myth", "/fact"])
async def test_a_draw_gives_an_entry_when_the_database_fails(
    dropped: Room, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    given = [await dropped.say(command, replace(PERSON, chat_key="canary-chat")) for _ in range(3)]
    assert all(CONTENT.entry(reply.entry_id or "") for reply in given)
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["entry drawn without memory error=StoreTrouble (OperationalError SQLITE_ERROR)"] * 3


async def test_another_gives_an_entry_when_the_database_fails(dropped: Room) -> None:
    assert (await dropped.press("next:fact")).entry_id


async def test_nothing_is_said_to_be_forgotten_when_the_database_fails(
    dropped: Room, caplog: pytest.LogCaptureFixture
) -> None:
    reply = await dropped.say("/forget")
    assert reply.title == "Something went wrong"
    assert "error=StoreTrouble (OperationalError SQLITE_ERROR) stack=" in caplog.text


@pytest.fixture
def broken(room: Room) -> Room:
    room.app._deps = replace(room.app._deps, store=BrokenStore())
    return room


async def test_the_last_resort_is_a_kind_sentence_with_a_reference(
    broken: Room, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        reply = await broken.say("/fact")
    assert reply.title == "Something went wrong"
    reference = plain_text(reply).split("reference ")[1].rstrip(".")
    assert reference in caplog.text
    assert "RuntimeError" in caplog.text
    assert "test_app.py" in caplog.text
    assert "canary-text" not in caplog.text
    assert "Traceback" not in plain_text(reply)


class BrokenGuards:
    """Fails with what a person typed in its words."""

    def weigh(self, text: str) -> Ruling:
        raise RuntimeError(text)


async def test_a_broken_guard_gives_an_apology_and_no_answer(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.app.edition = replace(room.app.edition, guards=BrokenGuards())
    request = replace(PERSON, text="canary-text is it addictive?")
    for reply in (await room.app.urgent(request, room.facts), await room.app.handle(request, room.facts)):
        assert reply is not None
        assert reply.title == "Something went wrong"
    assert caplog.text.count("error=RuntimeError") == 2
    assert "canary-text" not in caplog.text


async def test_only_a_crisis_is_urgent(room: Room) -> None:
    async def urgent(text: str) -> Reply | None:
        return await room.app.urgent(replace(PERSON, text=text, thread="9"), room.facts)

    card = await urgent("I want to kill myself")
    assert card is not None
    assert (card.guard, card.thread) == ("crisis", "9")
    assert await urgent("how many mg should i take") is None
    assert await urgent("is it addictive?") is None
