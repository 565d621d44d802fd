from dataclasses import replace

import pytest
from msgspec import structs

from core.buttons import ACTIONS
from core.chat import Request, Surface
from core.commands import COMMANDS
from core.reply import Deed, Reply, plain_text
from tests.room import CONTENT, GROUP, PERSON, PHRASES, SHARED, SHARED_BY, Room, actions, without

WHISPERING = replace(GROUP, platform="discord", can_whisper=True)


async def test_myth_with_words_answers_with_the_entry(room: Room) -> None:
    reply = await room.say("/myth addictive")
    assert reply.entry_id == "m-very-addictive"
    assert reply.title == "▲ Myth: misleading"
    assert [link.label for link in reply.links][:2] == ["US label: dependence", "Swainson 2022"]
    assert reply.closing == CONTENT.bot.standing_line
    assert actions(reply)[:3] == ["next:myth", "more:m-very-addictive", "rel:m-very-addictive"]


@pytest.mark.parametrize(
    ("text", "entry_id"),
    [
        ("/myth adictive", "m-very-addictive"),
        ("/MYTH@ketafactsbot  HOOKED!!! 😬", "m-very-addictive"),
        ("/fact fibromialgia", "f-fibromyalgia"),
        ("/fact fibro", "f-fibromyalgia"),
        ("/fact nmda", "f-nmda"),
        ("/fact infusions", "f-infusions"),
        ("/fact driving?", "f-driving"),
    ],
)
async def test_words_are_found_however_they_are_typed(room: Room, text: str, entry_id: str) -> None:
    assert (await room.say(text)).entry_id == entry_id


async def test_a_match_of_the_other_kind_is_offered(room: Room) -> None:
    reply = await room.say("/myth nmda")
    assert reply.entry_id is None
    assert reply.title == "No myth fits as well as this fact:"
    assert actions(reply) == ["show:f-nmda", "none"]


async def test_what_is_near_of_the_kind_asked_for_stands_before_a_name_of_the_other_kind(room: Room) -> None:
    reply = await room.say("/myth bladder")
    assert reply.title == "Did you mean"
    assert actions(reply) == ["show:m-bladder-street", "show:f-bladder-liver", "none"]


@pytest.mark.parametrize(
    "text",
    [
        "/myth quantum chromodynamics",
        "/fact xqzzt",
        "/fact paracetamol",
        # Signs and emoji are words that say nothing: a draw is what comes without any words.
        "/myth ???",
        "/myth 🎲",
        "/myth #$%&/(((" + "#$%&/(((" * 100,
        "/myth asdkjh qwe",
        "/myth <b>",
        "/myth hmm",
        "/fact %s%s",
        "/myth s😧😦😩",
        "/ask n7§l)2k@83*'$€lb98:g/€fo4*_a*f*ej.>l@§&2§j/f_b&g|4:|m#!0",
        "/fact focq jskfaf prpe mbcmxc mxvz",
        "/myth xff trpi dvgwfbr rruyytour",
    ],
)
async def test_nothing_close_says_so_and_offers_topics(room: Room, text: str) -> None:
    reply = await room.say(text)
    assert reply.title == "I have no entry on that"
    assert actions(reply)[0] == "topics"


async def test_choices_come_with_none_of_these(room: Room) -> None:
    reply = await room.say(SHARED)
    assert reply.title == "Did you mean"
    assert actions(reply) == [*(f"show:{entry_id}" for entry_id in SHARED_BY), "none"]


async def test_a_question_is_led_by_its_answer_and_names_what_it_matched(room: Room) -> None:
    reply = await room.say("is ketamine addictive?")
    entry = CONTENT.entry("m-very-addictive")
    assert entry is not None
    assert reply.blocks[0].text == entry.answer
    assert reply.blocks[1].text == f"About: {entry.claim}"


async def test_an_empty_question_says_how_to_ask(room: Room) -> None:
    assert (await room.say("/ask")).title.endswith(": /ask Only a party drug?")
    assert (await room.say("/ask Only a party drug?")).entry_id == "m-party-drug"
    room.use(structs.replace(CONTENT, entries=[e for e in CONTENT.entries if e.id == "f-nmda"]))
    assert (await room.say("/ask")).title.endswith(": /ask How it works: NMDA")


async def test_check_answers_the_message_replied_to(room: Room) -> None:
    replying = replace(GROUP, replied_text="my sister says you get hooked on it")
    assert (await room.say("/check", replying)).entry_id == "m-very-addictive"
    assert (await room.say("/check@ketafactsbot", replying)).entry_id == "m-very-addictive"
    with_words = await room.say("/check Only a party drug?", replying)
    assert plain_text(with_words) == plain_text(await room.say("/ask Only a party drug?"))


@pytest.mark.parametrize(
    ("replied", "platform", "hint"),
    [
        (None, "telegram", "Reply to a message with /check"),
        (None, "discord", "Apps, Check this claim"),
        (None, "console", "after the command"),
        ("", "telegram", "no text in that message"),
        ("  ", "discord", "no text in that message"),
    ],
)
async def test_check_without_a_claim_is_one_line_on_how(
    room: Room, replied: str | None, platform: str, hint: str
) -> None:
    reply = await room.say("/check", replace(GROUP, platform=platform, replied_text=replied))
    assert hint in reply.title
    assert reply == Reply(title=reply.title, quiet=True)


MENU = replace(WHISPERING, surface=Surface.MENU)


async def test_a_checked_claim_is_for_the_asker_alone_with_a_way_to_share(room: Room) -> None:
    reply = await room.say("/check", replace(MENU, replied_text="is ketamine addictive?"))
    assert (reply.whisper, reply.entry_id) == (True, "m-very-addictive")
    assert reply.buttons[0][0].label == "Share"
    assert actions(reply)[:2] == ["share:m-very-addictive", "next:myth"]


async def test_an_entry_picked_for_a_claim_can_be_shared_too(room: Room) -> None:
    offered = await room.say("/check", replace(MENU, replied_text=SHARED))
    assert offered.whisper
    assert actions(offered)[0] == f"check:{SHARED_BY[0]}"
    assert not any(action.startswith("share:") for action in actions(offered))
    picked = await room.press(f"check:{SHARED_BY[0]}", WHISPERING)
    assert (picked.deed, actions(picked)[0]) == (Deed.EDIT, f"share:{SHARED_BY[0]}")


async def test_no_entry_is_nothing_to_share(room: Room) -> None:
    reply = await room.say("/check", replace(MENU, replied_text="quantum chromodynamics"))
    assert reply.whisper
    assert actions(reply) == ["topics"]


async def test_a_claim_checked_in_a_private_chat_has_nobody_to_be_shared_with(room: Room) -> None:
    alone = replace(PERSON, surface=Surface.MENU, replied_text="is ketamine addictive?")
    reply = await room.say("/check", alone)
    assert (reply.whisper, actions(reply)[0]) == (False, "next:myth")


async def test_share_posts_the_entry_for_everybody_or_says_why_not(room: Room) -> None:
    shared = await room.press("share:m-cure", replace(WHISPERING, may_share=True))
    assert (shared.deed, shared.aloud, shared.whisper, shared.entry_id) == (Deed.SEND, True, False, "m-cure")
    assert plain_text(shared) == plain_text(await room.say("/myth cure"))
    assert not any(action.startswith("share:") for action in actions(shared))
    kept = await room.press("share:m-cure", WHISPERING)
    assert (kept.whisper, kept.entry_id) == (True, None)
    assert "keeps my answers private" in kept.title


async def test_random_myths_come_once_a_round(room: Room) -> None:
    myths = {entry.id for entry in CONTENT.entries if entry.kind == "myth"}
    given = [(await room.say("/myth")).entry_id for _ in range(len(myths))]
    assert set(given) == myths
    assert (await room.say("/myth")).entry_id != given[-1]


async def test_people_in_private_chats_have_their_own_rounds(room: Room) -> None:
    facts = sum(entry.kind == "fact" for entry in CONTENT.entries)
    for _ in range(facts):
        await room.say("/fact")
    others = {(await room.say("/fact", replace(PERSON, chat_key="8"))).entry_id for _ in range(facts)}
    assert len(others) == facts


async def test_another_is_posted_anew_as_a_reply(room: Room) -> None:
    reply = await room.press("next:fact")
    assert reply.deed is Deed.SEND
    assert reply.answers == "42"
    assert reply.entry_id is not None
    assert reply.entry_id.startswith("f-")


@pytest.mark.parametrize("action", ["more:m-cure", "rel:m-cure"])
async def test_details_come_in_place_or_for_the_presser_alone(room: Room, action: str) -> None:
    in_place = await room.press(action)
    assert (in_place.deed, in_place.whisper) == (Deed.EDIT, False)
    assert "show:m-cure" in actions(in_place)
    alone = await room.press(action, WHISPERING)
    assert (alone.deed, alone.whisper) == (Deed.SEND, True)
    assert "show:m-cure" not in actions(alone)


async def test_more_holds_evidence_sources_question_and_review(room: Room) -> None:
    text = plain_text(await room.press("more:m-cure"))
    for part in (
        "Evidence: moderate.",
        "Ask your clinician:",
        "Sources:",
        "Sigtermans",
        "not clinically reviewed",
    ):
        assert part in text


async def test_back_shows_the_entry_again(room: Room) -> None:
    back = await room.press("show:m-cure")
    assert back.deed is Deed.EDIT
    assert plain_text(back) == plain_text(await room.say("/myth cure"))


async def test_topics_lead_to_every_entry(room: Room) -> None:
    reached: set[str] = set()
    for action in actions(await room.say("/topics")):
        page = await room.press(action)
        assert page.deed is Deed.EDIT
        reached |= {a.removeprefix("show:") for a in actions(page) if a.startswith("show:")}
    assert reached == {entry.id for entry in CONTENT.entries}


async def test_a_long_topic_has_pages(room: Room) -> None:
    entries = [structs.replace(entry, category="basics") for entry in CONTENT.entries]
    room.use(structs.replace(CONTENT, entries=entries))
    first = actions(await room.press("cat:basics:0"))
    assert len(first) == 10
    assert first[-2:] == ["cat:basics:1", "topics"]
    assert actions(await room.press("cat:basics:5"))[-1] == "topics"
    assert len(actions(await room.press("cat:basics:5"))) == 7


async def test_topics_again_comes_in_place(room: Room) -> None:
    assert (await room.press("topics")).deed is Deed.EDIT


async def test_none_of_these_becomes_the_honest_none(room: Room) -> None:
    reply = await room.press("none")
    assert reply.deed is Deed.EDIT
    assert reply.title == "I have no entry on that"


@pytest.mark.parametrize("entry_id", ["m-cure", "m-never-was", ""])
@pytest.mark.parametrize("name", ["more", "rel", "show", "check", "share", "up", "down", "unasked:more"])
@pytest.mark.parametrize("request_", [PERSON, GROUP, WHISPERING])
async def test_buttons_of_a_withdrawn_entry_say_so_and_leave_what_is_there(
    room: Room, name: str, entry_id: str, request_: Request
) -> None:
    """Made up, a button must not take away what others read; its id can't be told from a withdrawn one."""
    room.use(without("m-cure"))
    reply = await room.press(f"{name}:{entry_id}", request_)
    assert reply.title.startswith("This entry was withdrawn")
    assert (reply.deed, reply.whisper, actions(reply)) == (Deed.TOAST, True, [])
    assert len(reply.title) <= 200  # Bot API, answerCallbackQuery


@pytest.mark.parametrize(
    "action",
    [
        "",
        "x",
        "next:poem",
        "cat:nowhere:0",
        "cat:basics:-1",
        "cat:basics",
        "cat:basics:" + "9" * 5000,
        "'; DROP",
    ],
)
async def test_buttons_nobody_made_get_a_kind_word(room: Room, action: str) -> None:
    assert (await room.press(action)).title.startswith("This button no longer works")


async def test_a_round_goes_on_when_content_changes(room: Room) -> None:
    first = (await room.say("/myth")).entry_id
    assert first is not None
    room.use(without(first))
    myths = sum(entry.kind == "myth" for entry in CONTENT.entries) - 1
    rest = {(await room.say("/myth")).entry_id for _ in range(myths)}
    assert len(rest) == myths
    assert first not in rest


async def test_a_kind_without_entries_says_so(room: Room) -> None:
    facts = [entry for entry in CONTENT.entries if entry.kind == "fact"]
    room.use(structs.replace(CONTENT, entries=facts))
    assert (await room.say("/myth")).title == "I have no entry on that"


async def test_help_lists_every_command_but_start(room: Room) -> None:
    text = plain_text(await room.say("/help"))
    in_group = plain_text(await room.say("/help", GROUP))
    assert all(f"/{command.name}" in in_group for command in COMMANDS if command.name != "start")
    assert [c.name for c in COMMANDS if f"/{c.name}" not in text] == ["start", "listen"]
    assert "/start" not in text
    assert "/ask question: Ask a question" in text
    assert "/topics: Browse" in text
    assert "Or just ask" in text
    assert "reply to one of my messages" in plain_text(await room.say("/help", GROUP))


async def test_start_says_hello_or_opens_the_entry_of_a_link(room: Room) -> None:
    assert (await room.say("/start")).title == "KetaFacts"
    assert (await room.say("/start m-cure")).entry_id == "m-cure"
    assert (await room.say("/start nonsense")).title == "KetaFacts"


async def test_about_tells_the_policy_and_the_numbers(room: Room) -> None:
    text = plain_text(await room.say("/about"))
    assert CONTENT.bot.editorial_policy in text
    assert "18 myths and 28 facts" in text


async def test_privacy_tells_what_is_kept(room: Room) -> None:
    assert "neither stored nor logged" in plain_text(await room.say("/privacy"))


async def test_forget_says_what_was_deleted(room: Room) -> None:
    await room.say("/myth")
    await room.say("/fact")
    assert "Entries on it: 2." in plain_text(await room.say("/forget"))
    assert "Nothing was stored" in plain_text(await room.say("/forget"))


async def test_in_groups_only_admins_forget(room: Room) -> None:
    await room.say("/myth", GROUP)
    assert (await room.say("/forget", GROUP)).title.startswith("In a group, only admins")
    room.facts.admin = True
    assert "Entries on it: 1." in plain_text(await room.say("/forget", GROUP))


def test_every_command_has_its_phrases() -> None:
    for command in COMMANDS:
        assert PHRASES.say(f"menu.{command.name}")
        assert PHRASES.say(f"takes.{command.takes}") is not None


def test_actions_fit_the_platforms_limit_for_every_entry() -> None:
    longest = max(len(f"{name}:{entry.id}:9") for name in ACTIONS for entry in CONTENT.entries)
    assert longest <= 64


async def test_entries_that_came_close_stand_below_an_answer(room: Room) -> None:
    asked = [phrasing for entry in CONTENT.entries for phrasing in entry.phrasings]
    close, found = next((text, found) for text in asked if (found := room.app.edition.index.find(text)).also)
    reply = await room.say(close)
    assert reply.entry_id == found.entry_id
    assert [choice.entry_id for choice in reply.choices] == list(found.also)
    assert actions(reply)[-1] == f"show:{found.also[-1]}"
