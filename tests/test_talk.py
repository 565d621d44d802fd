import pytest

from core.reply import plain_text
from core.talk import Talk, heard
from tests.room import CONTENT, GROUP, Room, actions


@pytest.mark.parametrize(
    ("text", "talk"),
    [
        ("Hello!", Talk.GREETING),
        ("heyyy there 👋", Talk.GREETING),
        ("good morning everyone", Talk.GREETING),
        ("hi, how are you today?", Talk.GREETING),
        ("thanks!", Talk.THANKS),
        ("ok thank you so much", Talk.THANKS),
        ("Thank you for your help", Talk.THANKS),
        ("that was really helpful, thanks", Talk.THANKS),
        ("what can you do?", Talk.HELP),
        ("hi what can I ask you", Talk.HELP),
        ("how do I use this bot", Talk.HELP),
        ("who are you", Talk.ABOUT),
        ("Who made you?", Talk.ABOUT),
        ("so who actually runs this bot", Talk.ABOUT),
        ("are you a real doctor?", Talk.ABOUT),
        ("are you chatgpt", Talk.ABOUT),
        ("Is this a bot or a human?", Talk.ABOUT),
        ("am I talking to a real person", Talk.ABOUT),
        ("where do you get your information from?", Talk.ABOUT),
        ("can I trust you", Talk.ABOUT),
        ("lol ok", Talk.REACTION),
        ("Haha, good to know!", Talk.REACTION),
        ("😀😀", Talk.REACTION),
        ("???", Talk.REACTION),
        ("do you store my messages?", Talk.PRIVACY),
        ("is this chat private?", Talk.PRIVACY),
        ("who can see my questions", Talk.PRIVACY),
    ],
)
def test_what_is_said_to_the_bot_itself_is_heard(text: str, talk: Talk) -> None:
    assert heard(text) is talk


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00 \n",
        "hello, is ketamine addictive?",
        "thanks for telling me will I die",
        "thanks, and will I get hooked",
        "thank you but what about the liver",
        "thank you for the ketamine article, is it true that it harms the bladder and the liver too",
        "who made ketamine",
        "who invented it",
        "what is it",
        "is it private insurance only",
        "is it safe",
        "can I trust my clinic",
        "what can it do for my pain",
        "is it reliable for nerve pain",
        "who are the people that should avoid it",
        "thank you " * 50,
        "good night's sleep after the drip",
    ],
)
def test_what_may_be_a_question_is_none_of_it(text: str) -> None:
    assert heard(text) is None


def test_no_phrasing_title_or_claim_is_taken_for_talk() -> None:
    texts = [text for entry in CONTENT.entries for text in (*entry.phrasings, *entry.keywords, entry.title)]
    assert [text for text in texts if heard(text)] == []


async def test_talk_gets_kind_words_and_the_way_on(room: Room) -> None:
    assert (await room.say("hello")).title == "Hello!"
    assert actions(await room.say("hello")) == ["next:myth", "next:fact", "topics"]
    assert (await room.say("thanks!")).title == "You're welcome"


async def test_a_reaction_in_a_group_is_left_alone(room: Room) -> None:
    assert await room.silence("lol ok", GROUP)
    assert await room.silence("😂", GROUP)
    assert (await room.say("lol ok")).title == "I'm here"
    assert (await room.say("/ask lol ok", GROUP)).title == "I'm here"


@pytest.mark.parametrize(
    ("text", "command"),
    [("who made you?", "/about"), ("what can you do", "/help"), ("do you log my questions", "/privacy")],
)
async def test_questions_about_the_bot_get_what_the_command_says(room: Room, text: str, command: str) -> None:
    assert plain_text(await room.say(text)) == plain_text(await room.say(command))
    assert plain_text(await room.say(f"/ask {text}")) == plain_text(await room.say(command))


async def test_somebody_elses_thanks_are_no_claim(room: Room) -> None:
    assert (await room.say("/check thanks")).title == "I have no entry on that"
