import logging
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text as sql

from core.chat import Request
from core.reply import Block, Deed, Reply, Style, utf16_length
from core.store import Tally
from tests.room import CONTENT, DOUBTFUL, GROUP, PERSON, PHRASES, SHARED, Room, actions, without

WHISPERING = replace(GROUP, platform="discord", can_whisper=True)


async def votes(room: Room) -> list[Tally]:
    return await room.store.votes(date(2026, 11, 22))


@pytest.mark.parametrize(
    "text", ["/myth cure", "/fact nmda", "/ask is ketamine addictive?", "is it addictive"]
)
async def test_an_answer_to_words_can_be_voted_on(room: Room, text: str) -> None:
    reply = await room.say(text)
    assert [button.action for button in reply.buttons[1]] == [
        f"up:{reply.entry_id}",
        f"down:{reply.entry_id}",
    ]


async def test_an_entry_that_was_chosen_can_be_voted_on(room: Room) -> None:
    assert {"up:m-cure", "down:m-cure"} <= set(actions(await room.press("show:m-cure")))
    assert {"up:m-cure", "down:m-cure"} <= set(actions(await room.say("/start m-cure")))


@pytest.mark.parametrize("text", ["/myth", "/fact", "/topics", "/about", SHARED])
async def test_what_nobody_asked_for_can_not_be_voted_on(room: Room, text: str) -> None:
    assert not {"up", "down"} & {action.partition(":")[0] for action in actions(await room.say(text))}


@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("request_", [PERSON, GROUP, WHISPERING])
async def test_a_vote_is_counted_and_thanked_for_quietly(room: Room, way: str, request_: object) -> None:
    reply = await room.press(f"{way}:m-cure", request_)  # type: ignore[arg-type]
    assert (reply.deed, reply.whisper, reply.buttons) == (Deed.TOAST, True, ())
    assert reply.title == PHRASES.say(f"vote.{way}")
    assert await votes(room) == [Tally("m-cure", **{way: 1})]


async def test_a_person_counts_once_per_message_and_may_change_the_vote(room: Room) -> None:
    for action in ("up:m-cure", "up:m-cure", "down:m-cure"):
        await room.press(action, GROUP)
    assert await votes(room) == [Tally("m-cure", down=1)]
    await room.press("up:m-cure", replace(GROUP, actor_key="8"))
    assert await votes(room) == [Tally("m-cure", up=1, down=1)]


async def test_the_same_keys_on_another_platform_are_somebody_else(room: Room) -> None:
    for request in (GROUP, WHISPERING):
        await room.press("up:m-cure", request)
    assert await votes(room) == [Tally("m-cure", up=2)]


@pytest.mark.parametrize("entry_id", ["m-cure", "", "nonsense", "'; DROP"])
async def test_a_vote_on_a_withdrawn_entry_says_so_and_counts_nothing(room: Room, entry_id: str) -> None:
    room.use(without("m-cure"))
    assert (await room.press(f"up:{entry_id}")).title.startswith("This entry was withdrawn")
    assert await votes(room) == []


async def test_a_vote_that_can_not_be_stored_is_excused_quietly(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    await room.store.run(lambda connection: connection.execute(sql("DROP TABLE vote")))
    reply = await room.press("up:m-cure", replace(GROUP, actor_key="canary-person"))
    assert (reply.deed, reply.title) == (Deed.TOAST, PHRASES.say("vote.lost"))
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["vote not counted error=StoreTrouble (OperationalError SQLITE_ERROR)"]


@pytest.mark.parametrize("way", ["up", "down"])
def test_the_words_fit_a_toast_and_two_buttons_of_a_phone(way: str) -> None:
    # Telegram's limit (Bot API 10.1, answerCallbackQuery).
    assert utf16_length(PHRASES.say(f"vote.{way}")) <= 200
    # Half of 360 px, less its margins, at 8 px a letter.
    assert utf16_length(PHRASES.say(f"button.{way}")) <= 18


def test_every_entrys_name_fits_the_count() -> None:
    assert max(len(entry.id) for entry in CONTENT.entries) <= 32


def quotation(reply: Reply) -> str | None:
    """What an adapter reads back when a button below the reply is pressed."""
    return next((block.text for block in reply.blocks if block.style is Style.QUOTE), None)


async def press_under(room: Room, reply: Reply, action: str, request: Request = PERSON) -> Reply:
    assert action in actions(reply)
    return await room.press(action, replace(request, quoted=quotation(reply)))


async def sent(room: Room) -> list[str]:
    return [question.text for question in await room.store.questions()]


UNKNOWN = "quantum chromodynamics?"
ALONE_ON_DISCORD = replace(PERSON, platform="discord")


@pytest.mark.parametrize("typed", [UNKNOWN, f"/ask {UNKNOWN}", f"/check {UNKNOWN}"])
@pytest.mark.parametrize("request_", [PERSON, ALONE_ON_DISCORD])
async def test_a_question_without_an_entry_is_sent_once_it_was_shown(
    room: Room, typed: str, request_: Request
) -> None:
    none = await room.say(typed, request_)
    assert none.title == "I have no entry on that"
    preview = await press_under(room, none, "editors", request_)
    assert preview.deed is Deed.EDIT
    assert "2026-11-22" in preview.blocks[0].text
    assert preview.blocks[1] == Block(UNKNOWN, style=Style.QUOTE)
    assert await sent(room) == []
    done = await press_under(room, preview, "send", request_)
    assert (done.deed, done.title, actions(done)) == (Deed.EDIT, "Sent to the editors", ["topics"])
    (kept,) = await room.store.questions()
    assert (kept.text, kept.day) == (UNKNOWN, date(2026, 11, 22))


async def test_none_of_these_offers_the_same(room: Room) -> None:
    choice = await room.say(SHARED)
    none = await press_under(room, choice, "none")
    preview = await press_under(room, none, "editors")
    await press_under(room, preview, "send")
    assert await sent(room) == [SHARED]


async def test_dont_send_stores_nothing(room: Room) -> None:
    preview = await press_under(room, await room.say(UNKNOWN), "editors")
    done = await press_under(room, preview, "unsent")
    assert (done.title, done.blocks[0].text) == ("Not sent", "Nothing was stored.")
    assert await sent(room) == []


@pytest.mark.parametrize("request_", [GROUP, WHISPERING, replace(WHISPERING, private=True)])
async def test_where_others_are_nothing_is_quoted_offered_or_stored(room: Room, request_: Request) -> None:
    for text in (f"/ask {UNKNOWN}", f"/ask {SHARED}"):
        reply = await room.say(text, request_)
        assert quotation(reply) is None
        assert "editors" not in actions(reply)
    for action in ("none", "editors", "send"):
        pressed = await room.press(action, replace(request_, quoted=UNKNOWN))
        assert "editors" not in actions(pressed)
        assert quotation(pressed) is None
    assert await sent(room) == []


async def test_somebody_elses_message_is_not_the_askers_to_send(room: Room) -> None:
    reply = await room.say("/check", replace(PERSON, replied_text=UNKNOWN))
    assert reply.title == "I have no entry on that"
    assert (quotation(reply), actions(reply)) == (None, ["topics"])


async def test_a_button_without_a_question_above_it_is_stale(room: Room) -> None:
    for action in ("editors", "send"):
        assert (await room.press(action)).title.startswith("This button no longer works")
    assert actions(await room.press("none")) == ["topics"]


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("I want to kill myself", "crisis"),
        ("how many mg should i take", "dosing"),
        ("where can I buy it", "sourcing"),
    ],
)
@pytest.mark.parametrize("action", ["editors", "send"])
async def test_safety_comes_first_on_the_way_to_the_editors(
    room: Room, text: str, guard: str, action: str
) -> None:
    assert "editors" not in actions(await room.say(text))
    reply = await room.press(action, replace(PERSON, quoted=text))
    assert reply.guard == guard
    assert await sent(room) == []


async def test_who_may_be_in_danger_is_not_asked_for_the_question(room: Room) -> None:
    """Nor can an older button send it: where to turn is all that counts then."""
    room.app.edition = replace(room.app.edition, guards=DOUBTFUL)
    none = await room.say(UNKNOWN)
    assert (none.blocks[0].style, quotation(none), actions(none)) == (Style.STRONG, None, ["topics"])
    for action in ("editors", "send"):
        pressed = await room.press(action, replace(PERSON, quoted=UNKNOWN))
        assert (pressed.deed, actions(pressed)) == (Deed.TOAST, [])
    assert await sent(room) == []


async def test_words_are_kept_as_they_are_but_on_one_line(room: Room) -> None:
    none = await room.say("  <b>Cats</b>?\n\tand \u202e*dogs* \x1b[31m \ud83d🐈\u200d⬛ ")
    assert quotation(none) == "<b>Cats</b>? and *dogs* [31m 🐈\u200d⬛"


@pytest.mark.parametrize(("letters", "offered"), [(500, True), (501, False)])
async def test_a_long_story_is_not_offered(room: Room, letters: int, offered: bool) -> None:
    reply = await room.press("none", replace(PERSON, quoted="q" * letters))
    assert ("editors" in actions(reply)) is offered


async def test_a_chat_may_send_five_a_day(room: Room) -> None:
    for number in range(5):
        await room.press("send", replace(PERSON, quoted=f"{UNKNOWN} {number}"))
    more = replace(PERSON, quoted=f"{UNKNOWN} more")
    assert (await room.press("send", more)).title == PHRASES.say("editors.enough")
    assert len(await sent(room)) == 5
    await room.press("send", replace(more, chat_key="8"))
    room.now += timedelta(days=1)
    assert (await room.press("send", more)).title == "Sent to the editors"
    assert len(await sent(room)) == 7


async def test_pressing_twice_stores_once(room: Room) -> None:
    for _ in range(2):
        await room.press("send", replace(PERSON, quoted=UNKNOWN))
    assert await sent(room) == [UNKNOWN]


async def test_when_there_is_no_room_person_and_operator_are_told(
    room: Room, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.feedback.QUESTIONS_KEPT", 1)
    await room.press("send", replace(PERSON, quoted=UNKNOWN))
    with caplog.at_level(logging.DEBUG):
        full = await room.press("send", replace(PERSON, quoted="canary-text?"))
    assert full.title == PHRASES.say("editors.full")
    lines = [record.getMessage() for record in caplog.records if record.name == "core.feedback"]
    assert lines == ["no room for a question kept=1; see: ketafacts questions --clear"]
    assert await sent(room) == [UNKNOWN]


async def test_forget_and_privacy_tell_the_truth_about_sent_questions(room: Room) -> None:
    await room.press("send", replace(PERSON, quoted=UNKNOWN))
    assert "Nothing was stored for this chat" in (await room.say("/forget")).blocks[0].text
    assert await sent(room) == [UNKNOWN]
    told = " ".join(block.text for block in (await room.say("/privacy")).blocks)
    assert "/forget can't, as nobody knows whose it was" in told
    assert "questions that people chose to send" in " ".join(
        b.text for b in (await room.say("/about")).blocks
    )
