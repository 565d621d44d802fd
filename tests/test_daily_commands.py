from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from core.chat import Request
from core.daily_commands import suggest_settings
from core.errors import ChatGone
from core.reply import Deed, Reply, plain_text
from core.store import Standing, Subscription
from tests.room import CONTENT, GROUP, PERSON, Room, actions
from tests.stage import Stage

DISCORD = replace(GROUP, platform="discord", can_whisper=True)


@pytest.fixture
def room(room: Room) -> Room:
    room.facts.admin = True
    return room


async def held(room: Room, request: Request = PERSON) -> Subscription:
    found = await room.store.subscription(request.platform, request.chat_key)
    assert found is not None
    return found


async def post_due(room: Room, stage: Stage, at: datetime) -> None:
    room.now = stage.now = at
    await stage.daily(room.store).step()


async def test_one_message_sets_it_and_shows_the_next_three_in_words(room: Room) -> None:
    text = plain_text(await room.say("/daily 9am Berlin"))
    assert "A myth or a fact, every day, at 09:00 in Berlin." in text
    assert "tomorrow, Monday 23 November, 09:00 in Berlin\nTuesday 24 November, 09:00 in Berlin" in text
    assert text.count("09:00 in Berlin\n") + text.endswith("09:00 in Berlin") >= 3


async def test_three_presses_set_it_too(room: Room) -> None:
    times = actions(await room.say("/daily"))
    where = await room.press(times[1])
    assert where.deed is Deed.EDIT
    assert where.title == "Where are you?"
    done = await room.press(actions(where)[1])
    assert "at 09:00 in Berlin" in plain_text(done)


async def test_a_place_first_asks_for_the_time(room: Room) -> None:
    asked = await room.say("/daily weekdays Berlin myths")
    assert asked.title == "No daily post yet"
    done = await room.press(actions(asked)[3])
    assert "A myth, on weekdays, at 18:00 in Berlin." in plain_text(done)


async def test_an_ambiguous_place_is_a_choice_that_keeps_the_rest(room: Room) -> None:
    choice = await room.say("/daily 7:15 mon,fri facts Portland")
    assert choice.title == "Which one do you mean?"
    done = plain_text(await room.press(actions(choice)[1]))
    assert "A fact, on Monday, Friday, at 07:15 in Portland." in done
    assert (await held(room)).plan.zone == "America/New_York"


@pytest.mark.parametrize(
    ("text", "unread", "offers"),
    [
        ("/daily 9:00 Portland Oregon", "Oregon", ["Portland (OR, US)", "Portland (ME, US)"]),
        ("/daily 9:00 London, UK", "UK", ["London (GB)", "London (CA)"]),
        ("/daily at 9 in the morning in Berlin", "the morning", ["Berlin (DE)"]),
        ("/daily 9 Berlin London", "London", ["Berlin (DE)"]),
        ("/daily 9 Berlin, Berlin", "Berlin, Berlin", ["Berlin (DE)"]),
        ("/daily 9 Berlin-Mitte, München - Wien", "Mitte München Wien", ["Berlin (DE)"]),
        (f"/daily 9 Berlin {'far ' * 99}", f"{'far ' * 14}…", ["Berlin (DE)"]),
    ],
)
async def test_a_place_of_which_a_part_is_known_is_a_choice_that_names_the_rest(
    room: Room, text: str, unread: str, offers: list[str]
) -> None:
    choice = await room.say(text)
    assert f"I couldn't read “{unread}”." in plain_text(choice)
    assert [button.label for row in choice.buttons for button in row] == offers
    done = await room.press(actions(choice)[0])
    assert f"at 09:00 in {offers[0].split(' (')[0]}" in plain_text(done)


async def test_a_name_too_long_for_a_button_goes_by_its_zone(room: Room) -> None:
    choice = await room.say("/daily 7:15 mon,tue,wed,fri,sat facts Santiago")
    assert "daily:07:15 mon,tue,wed,fri,sat facts America/Santo_Domingo" in actions(choice)
    assert all(len(action.encode()) <= 64 for action in actions(choice))
    for action in actions(choice):
        assert (await room.press(action)).title == "Daily post set"


@pytest.mark.parametrize(
    ("part", "typed", "offers"),
    [
        ("time", "", ["8:00", "9:00", "12:00", "18:00", "20:00"]),
        ("time", "21", ["21:00", "21:30"]),
        ("time", "09", ["9:00", "9:30"]),
        ("time", "00", ["0:00", "0:30"]),
        ("time", "7.15pm", ["19:15"]),
        ("time", "25", []),
        ("place", "BST", ["London (GB)", "Dhaka (BD)"]),
        ("days", "mon,t", ["mon,tuesday", "mon,thursday"]),
        ("days", "x", []),
        ("words", "x", []),
    ],
)
def test_a_part_that_is_typed_can_be_picked(part: str, typed: str, offers: list[str]) -> None:
    assert [choice.summary for choice in suggest_settings(part, typed)][: len(offers) + 1] == offers


async def test_every_suggested_time_place_and_day_can_be_read(room: Room) -> None:
    for part in ("time", "place", "days"):
        for typed in ("", "1", "b", "Lo", "mon,"):
            for choice in suggest_settings(part, typed):
                rest = {"time": "Berlin", "place": "9:00", "days": "9:00 Berlin"}[part]
                assert "Next posts:" in plain_text(await room.say(f"/daily {choice.summary} {rest}"))


@pytest.mark.parametrize("text", ["/daily 9:00 Berlin resume", "/daily off 9:00", "/daily 9 pause 2 weeks"])
async def test_settings_and_what_ends_them_are_two_things(room: Room, text: str) -> None:
    assert "One thing at a time" in plain_text(await room.say(text))
    assert await room.store.agenda(5) == []


async def test_parts_change_and_the_rest_stays(room: Room) -> None:
    await room.say("/daily 9:00 Berlin")
    await room.say("/daily 18:30 weekends")
    await room.say("/daily myths")
    await room.say("/daily Tokyo")
    kept = await held(room)
    assert (kept.plan.at.hour, kept.plan.zone, kept.plan.days, kept.kind) == (
        18,
        "Asia/Tokyo",
        0b1100000,
        "myth",
    )
    assert (await room.say("/daily")).title == "Daily post is on"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/daily 9:00 UTC+2", "stays behind when clocks change"),
        ("/daily 9:00 Gondolin", "I don't know that place"),
        ("/daily 25:00", "I can't read 25:00"),
        ("/daily pause forever", "Tell me for how long"),
        ("/stop", "There is no daily post here"),
        ("/daily off", "There is no daily post here"),
        ("/daily pause 2 weeks", "No daily post yet"),
        ("/daily resume", "No daily post yet"),
        ("/status", "No daily post yet"),
    ],
)
async def test_what_can_not_be_done_is_said(room: Room, text: str, says: str) -> None:
    assert says in plain_text(await room.say(text))
    assert await room.store.agenda(5) == []


@pytest.mark.parametrize("text", ["/daily", "/daily 9:00 Berlin", "/stop", "/status", "/daily preview"])
async def test_in_groups_others_get_one_quiet_line(room: Room, text: str) -> None:
    room.facts.admin = False
    reply = await room.say(text, DISCORD)
    assert reply.title == "In a group, only admins can see and change the daily post."
    assert reply.whisper
    assert await room.store.agenda(5) == []


async def test_a_button_that_is_for_admins_tells_the_presser_alone(room: Room) -> None:
    room.facts.admin = False
    refusal = await room.press("daily:off", GROUP)
    assert refusal.title == "In a group, only admins can see and change the daily post."
    assert refusal.deed is Deed.TOAST


async def test_where_the_bot_may_not_post_nothing_is_set(room: Room) -> None:
    room.facts.postable = False
    assert "I may not post here" in (await room.say("/daily 9:00 Berlin", GROUP)).title
    assert await room.store.agenda(5) == []


async def test_a_pause_ends_by_itself_or_by_resume(room: Room) -> None:
    await room.say("/daily 9:00 Berlin")
    lengths = await room.say("/daily pause")
    assert actions(lengths) == ["daily:pause 1 week", "daily:pause 2 weeks", "daily:pause 4 weeks"]
    paused = await room.say("/daily pause 2 weeks")
    assert paused.title == "Daily post is paused"
    assert "It starts again on Sunday 6 December." in plain_text(paused)
    assert (await held(room)).next_due == datetime(2026, 12, 6, 8, 0, tzinfo=UTC)
    assert "It starts again on Sunday 6 December." in plain_text(await room.say("/status"))
    await room.say("/daily resume")
    assert (await held(room)).next_due == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def test_off_keeps_the_settings_and_resume_brings_them_back(room: Room) -> None:
    await room.say("/daily 9:00 Berlin")
    off = await room.say("/stop")
    assert off.title == "Daily post is off"
    assert (await held(room)).next_due is None
    assert (await room.say("/daily")).title == "Daily post is off"
    assert "Nothing more will be posted" in plain_text(await room.say("/status"))
    assert "tomorrow, Monday" in plain_text(await room.press(actions(off)[0]))


async def test_a_time_changed_after_todays_post_starts_tomorrow(room: Room) -> None:
    stage = Stage()
    await room.say("/daily 9:00 Berlin")
    await post_due(room, stage, datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    assert len(stage.sent) == 1
    text = plain_text(await room.say("/daily 18:00"))
    assert "tomorrow, Tuesday 24 November, 18:00 in Berlin" in text
    assert "today" not in text
    await room.say("/stop")
    assert "tomorrow, Tuesday" in plain_text(await room.say("/daily 20:00"))


async def test_a_zone_changed_after_todays_post_starts_on_the_next_day_of_either_clock(room: Room) -> None:
    """20:00 in Los Angeles on Monday is Tuesday in Berlin, which has had its post then."""
    stage = Stage()
    await room.say("/daily 20:00 Los Angeles")
    await post_due(room, stage, datetime(2026, 11, 23, 4, 0, tzinfo=UTC))
    assert len(stage.sent) == 1
    await room.say("/daily 9:00 Berlin")
    assert (await held(room)).next_due == datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


async def test_a_time_changed_while_todays_post_is_late_keeps_it_open(room: Room) -> None:
    await room.say("/daily 9:00 Berlin")
    room.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert "in a moment" in plain_text(await room.say("/daily 9:30"))


async def test_before_todays_post_a_later_time_is_still_today(room: Room) -> None:
    await room.say("/daily 9:00 Berlin")
    room.now = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    assert "today, Monday 23 November, 18:00 in Berlin" in plain_text(await room.say("/daily 18:00"))


async def test_set_in_another_thread_it_moves_and_says_so(room: Room) -> None:
    here, there = replace(GROUP, thread="5"), replace(GROUP, thread="6")
    assert "It used to go elsewhere" not in plain_text(await room.say("/daily 9:00 Berlin", here))
    assert "/daily resume" in plain_text(await room.say("/daily", there))
    assert "It used to go elsewhere" in plain_text(await room.say("/daily resume", there))
    assert (await held(room, GROUP)).thread == "6"
    assert len(await room.store.agenda(5)) == 1


async def test_a_preview_is_private(room: Room) -> None:
    alone = await room.say("/daily preview")
    assert "/stop ends it" in plain_text(alone)
    assert (await room.press("daily:preview", DISCORD)).whisper
    elsewhere = await room.say("/daily preview", GROUP)
    assert elsewhere.entry_id is None
    assert elsewhere.blocks[0].url == GROUP.bot_link
    await room.say("/daily 9:00 Berlin facts")
    assert str((await room.say("/daily preview")).entry_id).startswith("f-")
    room.use(structs.replace(CONTENT, entries=[e for e in CONTENT.entries if e.kind == "myth"]))
    assert str((await room.say("/daily preview")).entry_id).startswith("m-")


async def test_status_tells_next_last_error_and_what_is_missing(room: Room) -> None:
    stage = Stage()
    await room.say("/daily 9:00 Berlin", GROUP)
    fresh = plain_text(await room.say("/status", GROUP))
    assert "Last post: none yet" in fresh
    assert "Sender: not running" in fresh
    await post_due(room, stage, datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    stage.always = lambda _held: ChatGone("no_rights")
    await post_due(room, stage, datetime(2026, 11, 24, 8, 0, tzinfo=UTC))
    room.facts.postable = False
    room.beats["telegram"] = room.now - timedelta(minutes=9)
    shown = plain_text(await room.say("/status", GROUP))
    assert "I am not allowed to post there." in shown
    assert "Last post: Tuesday 24 November: failed" in shown
    assert "Last error: Tuesday 24 November: I am not allowed to post there." in shown
    assert "Missing: the right to send messages here" in shown
    assert "not heard of for 9 minutes" in shown
    room.beats["telegram"] = room.now
    assert "Sender: running" in plain_text(await room.say("/status", GROUP))


async def test_resume_after_a_suspension_makes_up_for_today(room: Room) -> None:
    stage = Stage()
    await room.say("/daily 9:00 Berlin", GROUP)
    stage.always = lambda _held: ChatGone("kicked")
    await post_due(room, stage, datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    stage.always = lambda _held: None
    room.now = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
    assert "in a moment" in plain_text(await room.say("/daily resume", GROUP))
    await post_due(room, stage, datetime(2026, 11, 23, 11, 1, tzinfo=UTC))
    assert len(stage.sent) == 1


async def test_the_platform_says_that_the_bot_is_gone_and_back(room: Room) -> None:
    await room.say("/daily 9:00 Berlin", GROUP)
    await room.app.gone("telegram", "-100", "kicked")
    assert (await held(room, GROUP)).standing is Standing.SUSPENDED
    await room.app.gone("telegram", "-100", "kicked")
    await room.app.returned("telegram", "-100")
    back = await held(room, GROUP)
    assert (back.standing, back.reason) == (Standing.ACTIVE, "")
    await room.app.moved("telegram", "-100", "-200")
    assert (await held(room, replace(GROUP, chat_key="-200"))).id == back.id
    await room.app.returned("telegram", "-999")
    await room.app.moved("telegram", "-998", "-999")
    assert await room.store.subscription("telegram", "-999") is None
    await room.say("/stop", replace(GROUP, chat_key="-200"))
    await room.app.returned("telegram", "-200")
    assert (await held(room, replace(GROUP, chat_key="-200"))).standing is Standing.OFF


async def test_forget_deletes_the_daily_post_too(room: Room) -> None:
    await room.say("/daily 9:00 Berlin")
    text = plain_text(await room.say("/forget"))
    assert "I deleted the daily post" in text
    assert await room.store.agenda(5) == []
    assert "35 days" in plain_text(await room.say("/privacy"))


@pytest.mark.parametrize("action", ["daily:", "daily:x", "daily:99:99", "daily:9:00 UTC+1", "daily:pause"])
async def test_forged_buttons_do_nothing(room: Room, action: str) -> None:
    assert isinstance(await room.press(action), Reply)
    assert await room.store.agenda(5) == []
