"""What people can post with the bot's help where the bot may not be, and what they can't."""

import re
from dataclasses import replace

import pytest
from msgspec import structs

from bots.telegram_view import inline_answer
from core.card import first_card
from core.chat import Request, Surface
from core.inline import ARTICLES
from core.reply import plain_text
from tests.room import CONTENT, PERSON, PHRASES, Room, actions

TYPING = Request(
    "telegram", "7", "7", surface=Surface.INLINE, private=False, start_link="https://t.me/fact_bot?start="
)
DANGERS = {
    "i want to kill myself": "crisis",
    "how many mg should i take": "dosing",
    "where can I buy ketamine online": "sourcing",
}


async def test_a_question_is_offered_as_claim_verdict_and_answer(room: Room) -> None:
    reply = await room.say("hooked", TYPING)
    first = reply.articles[0]
    entry = CONTENT.entry("m-very-addictive")
    assert entry
    assert (first.entry_id, first.title) == (entry.id, entry.claim)
    assert first.summary == f"▲ Myth: misleading. {entry.answer}"


async def test_what_is_posted_is_the_first_message_with_a_link_and_no_button(room: Room) -> None:
    (first, *_) = (await room.say("hooked", TYPING)).articles
    entry = CONTENT.entry(first.entry_id)
    assert entry
    assert first.card == replace(first_card(CONTENT, entry, PHRASES), buttons=())
    assert first.card.links
    assert first.link
    assert first.link.url == "https://t.me/fact_bot?start=e-m-very-addictive"


async def test_without_an_address_of_its_own_the_bot_links_nowhere(room: Room) -> None:
    reply = await room.say("hooked", replace(TYPING, start_link=""))
    assert reply.articles[0].link is None
    assert all("reply_markup" not in result for result in inline_answer("1", reply)["results"])


async def test_the_link_of_every_entry_opens_it(room: Room) -> None:
    for entry in CONTENT.entries:
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", f"e-{entry.id}")
        assert (await room.say(f"/start e-{entry.id}")).entry_id == entry.id


async def test_a_link_opens_its_entry_whatever_the_entry_is_called(room: Room) -> None:
    entry = structs.replace(CONTENT.entries[0], id="i-want-to-die")
    room.use(structs.replace(CONTENT, entries=[*CONTENT.entries, entry]))
    assert (await room.say("/start e-i-want-to-die")).entry_id == "i-want-to-die"
    assert (await room.say("/start i want to die")).guard == "crisis"


async def test_without_words_there_is_an_entry_of_each_topic(room: Room) -> None:
    articles = (await room.say("", TYPING)).articles
    topics = [entry.category for a in articles if (entry := CONTENT.entry(a.entry_id))]
    assert topics == [topic.id for topic in CONTENT.categories][:ARTICLES]


async def test_a_word_half_typed_already_finds_something(room: Room) -> None:
    assert "f-fibromyalgia" in [a.entry_id for a in (await room.say("fibrom", TYPING)).articles]


async def test_no_entry_is_offered_twice_or_beyond_a_screenful(room: Room) -> None:
    for typed in ("", "ke", "is ketamine addictive", "pain", "does it help migraine or fibro"):
        ids = [article.entry_id for article in (await room.say(typed, TYPING)).articles]
        assert 0 < len(ids) == len(set(ids)) <= ARTICLES


@pytest.mark.parametrize("typed", ["paracetamol", "/ask quantum chromodynamics", "xqzzt"])
async def test_no_entry_leads_to_the_topics(room: Room, typed: str) -> None:
    reply = await room.say(typed, TYPING)
    assert (reply.articles, actions(reply)) == ((), ["topics"])
    assert (await room.say("/start topics")).title == "Topics"


@pytest.mark.parametrize("prefix", ["", "/ask ", "/myth ", "/daily ", "/nonsense "])
@pytest.mark.parametrize("typed", DANGERS)
async def test_danger_is_offered_nothing_but_the_way_to_help(room: Room, prefix: str, typed: str) -> None:
    reply = await room.say(prefix + typed, TYPING)
    assert (reply.articles, reply.choices, reply.guard) == ((), (), DANGERS[typed])
    assert actions(reply) == [f"g-{DANGERS[typed]}"]
    assert plain_text(reply) == ""


@pytest.mark.parametrize("typed", DANGERS)
async def test_the_way_to_help_carries_nothing_typed_and_leads_there(room: Room, typed: str) -> None:
    (parameter,) = actions(await room.say(typed, TYPING))
    helped = await room.say(f"/start {parameter}", PERSON)
    assert helped == await room.say(typed, replace(PERSON, chat_key="8"))


async def test_a_link_that_names_no_guard_says_hello(room: Room) -> None:
    assert (await room.say("/start g-nothing")).title == CONTENT.bot.name


@pytest.mark.parametrize("command", ["/forget", "/about", "help"])
async def test_commands_do_nothing_while_typing(room: Room, command: str) -> None:
    await room.say("/myth")
    reply = await room.say(command, replace(TYPING, private=True))
    assert plain_text(reply) == ""
    assert "Entries on it: 1." in plain_text(await room.say("/forget"))
