from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text as sql

from core.reply import Deed, utf16_length
from core.store import Tally
from tests.room import CONTENT, GROUP, PERSON, PHRASES, Room, actions, without

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


@pytest.mark.parametrize("text", ["/myth", "/fact", "/topics", "/about", "does it help migraine or fibro"])
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
    assert (await room.press(f"up:{entry_id}")).title == "This entry was withdrawn"
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
