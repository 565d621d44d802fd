"""Updates become requests, replies become texts with entities that always parse."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Update

from bots import telegram_view
from bots.telegram_view import inline_answer, migration, read, render
from core.chat import Request, Surface
from core.reply import Article, Block, Button, Link, Reply, Style, plain_text
from tests.wire import ADA, GROUP, ME, PRIVATE, message, press

CHANNEL = {"id": -200, "type": "channel", "title": "C"}
FROM_BOT = message("card", GROUP, **{"from": ME.to_dict()})


def reading(kind: str = "message", **content: Any) -> Request | None:
    return read(Update.de_json({"update_id": 1, kind: content}, None), ME)


def test_private_message_is_addressed() -> None:
    request = reading(**message("what about drips?", message_id=5))
    assert request == Request(
        "telegram",
        "7",
        "7",
        "what about drips?",
        message_key="5",
        language="en",
        bot_link="https://t.me/fact_bot",
        start_link="https://t.me/fact_bot?start=",
    )


@pytest.mark.parametrize(
    ("text", "addressed"),
    [
        ("/myth", True),
        ("/myth@fact_bot drip", True),
        ("/myth@FACT_BOT", True),
        ("@fact_bot is it safe?", True),
        ("is it safe, @fact_bot?", True),
        ("is it safe?", False),
        ("me@fact_bot.org", False),
        ("@fact_botanist", False),
    ],
)
def test_group_message_is_addressed_by_command_or_name(text: str, addressed: bool) -> None:
    request = reading(**message(text, GROUP))
    assert request
    assert (request.addressed, request.private) == (addressed, False)


@pytest.mark.parametrize(("chat", "broadcast"), [(CHANNEL, True), (GROUP, False), (PRIVATE, False)])
def test_a_channel_is_told_from_a_group(chat: dict[str, Any], broadcast: bool) -> None:
    request = reading("channel_post" if broadcast else "message", **message("/listen on", chat))
    assert request
    assert request.broadcast is broadcast


def test_the_bots_name_is_no_part_of_the_question() -> None:
    request = reading(**message("@fact_bot /myth drip", GROUP))
    assert request
    assert request.text == "/myth drip"


@pytest.mark.parametrize(
    "content",
    [
        message("/myth@other_bot", GROUP),
        message("/myth@other_bot"),
        message("   "),
        message(None),
        message("/myth", GROUP, via_bot=ME.to_dict()),
        message("/myth", GROUP, is_automatic_forward=True),
        message("/myth", GROUP, **{"from": {"id": 5, "is_bot": True, "first_name": "B"}}),
    ],
)
def test_what_is_not_for_the_bot_is_left_alone(content: dict[str, Any]) -> None:
    assert reading(**content) is None


def test_reply_to_the_bot_is_addressed_and_carries_its_text() -> None:
    request = reading(**message("why?", GROUP, reply_to_message=FROM_BOT))
    assert request
    assert (request.addressed, request.replied_text) == (True, "card")


@pytest.mark.parametrize(
    ("answered", "replied"),
    [
        ({"text": "it cures all"}, "it cures all"),
        ({"text": None, "caption": "on a picture"}, "on a picture"),
        ({"text": None}, ""),
        ({"text": None, "forum_topic_created": {"name": "T", "icon_color": 1}}, None),
    ],
)
def test_a_reply_says_whether_there_is_text_in_what_it_replies_to(
    answered: dict[str, Any], replied: str | None
) -> None:
    where = {"message_thread_id": 12, "is_topic_message": True}
    request = reading(
        **message("/check@fact_bot", GROUP, **where, reply_to_message=message(**answered, chat=GROUP))
    )
    assert request
    assert (request.replied_text, request.thread, request.addressed) == (replied, "12", True)


@pytest.mark.parametrize(("picked", "replied"), [(True, "cures"), (False, "it cures all")])
def test_the_part_picked_out_of_a_message_is_what_is_replied_to(picked: bool, replied: str) -> None:
    quote = {"text": "cures", "position": 3, "is_manual": picked}
    answered = message("it cures all", GROUP)
    request = reading(**message("/check", GROUP, reply_to_message=answered, quote=quote))
    assert request
    assert request.replied_text == replied


def test_caption_counts_as_text() -> None:
    request = reading(**message(None, caption="/myth drip"))
    assert request
    assert request.text == "/myth drip"


@pytest.mark.parametrize(("number", "thread"), [(12, "12"), (1, None), (None, None)])
def test_topic_is_named_but_the_general_one(number: int | None, thread: str | None) -> None:
    request = reading(**message("/myth", GROUP, message_thread_id=number, is_topic_message=True))
    assert request
    assert request.thread == thread


def test_reply_thread_of_a_plain_group_is_no_topic() -> None:
    request = reading(**message("/myth", GROUP, message_thread_id=12))
    assert request
    assert request.thread is None


def test_first_message_of_a_topic_is_not_what_is_replied_to() -> None:
    first = message(None, GROUP, forum_topic_created={"name": "T", "icon_color": 1}, **{"from": ME.to_dict()})
    request = reading(**message("hello", GROUP, reply_to_message=first))
    assert request
    assert not request.addressed


@pytest.mark.parametrize(
    ("content", "actor"),
    [
        (
            message(
                "/myth",
                GROUP,
                sender_chat=GROUP,
                **{"from": {"id": 1087968824, "is_bot": True, "first_name": "G"}},
            ),
            "-100",
        ),
        (message("/myth", GROUP, sender_chat=CHANNEL), "-200"),
        (message("/myth", GROUP, **{"from": None}), "-100"),
    ],
)
def test_whoever_writes_without_a_name_counts_as_the_chat_written_as(
    content: dict[str, Any], actor: str
) -> None:
    request = reading(**content)
    assert request
    assert request.actor_key == actor


def test_channel_post_is_a_request() -> None:
    request = reading("channel_post", **message("/myth", CHANNEL, **{"from": None}))
    assert request
    assert (request.chat_key, request.actor_key, request.private) == ("-200", "-200", False)


def test_press_names_the_message_and_the_person() -> None:
    under = message("card", GROUP, message_id=8, message_thread_id=12, is_topic_message=True)
    request = reading("callback_query", **press("more:x", under))
    assert request == Request(
        "telegram",
        "-100",
        "7",
        action="more:x",
        surface=Surface.BUTTON,
        thread="12",
        message_key="8",
        language="en",
        private=False,
        bot_link="https://t.me/fact_bot",
        start_link="https://t.me/fact_bot?start=",
    )


@pytest.mark.parametrize("under", [None, {"message_id": 3, "date": 0, "chat": PRIVATE}])
def test_press_under_a_lost_message_gets_a_new_one(under: dict[str, Any] | None) -> None:
    request = reading("callback_query", **press("topics", under))
    assert request
    assert (request.chat_key, request.message_key) == ("7", None)


def test_press_without_data_asks_nothing() -> None:
    assert reading("callback_query", **press(None, None)) is None


def test_inline_query_carries_its_surface() -> None:
    request = reading("inline_query", **{"id": "1", "from": ADA, "query": "drip", "offset": ""})
    assert request
    assert (request.surface, request.text, request.chat_key) == (Surface.INLINE, "drip", "7")


def test_group_that_moves_tells_its_keys() -> None:
    old = Update.de_json({"update_id": 1, "message": message(None, GROUP, migrate_to_chat_id=-300)}, None)
    new = Update.de_json(
        {"update_id": 1, "message": message(None, {**GROUP, "id": -300}, migrate_from_chat_id=-100)}, None
    )
    assert migration(old) == migration(new) == ("-100", "-300")


def test_reply_shows_title_parts_links_and_closing() -> None:
    reply = Reply(
        title="✖ Myth",
        blocks=(
            Block("“x”", style=Style.QUOTE),
            Block("No.", style=Style.STRONG),
            Block("see a doctor", label="Don't:"),
            Block("Lines", style=Style.HEADING),
            Block("one", style=Style.ITEM, url="https://e.org/1"),
        ),
        links=(Link("A", "https://e.org/a"), Link("B", "https://e.org/b")),
        links_label="Sources:",
        closing="Not advice.",
        buttons=((Button("More", "more:x"),),),
    )
    shown = render(reply)
    assert shown.text == plain_text(reply)
    assert [(e["type"], cut(shown.text, e)) for e in shown.entities] == [
        ("bold", "✖ Myth"),
        ("blockquote", "“x”"),
        ("bold", "No."),
        ("bold", "Don't:"),
        ("bold", "Lines"),
        ("text_link", "one"),
        ("bold", "Sources:"),
        ("text_link", "A"),
        ("text_link", "B"),
        ("italic", "Not advice."),
    ]
    assert shown.markup == {"inline_keyboard": [[{"text": "More", "callback_data": "more:x"}]]}


def cut(text: str, entity: dict[str, Any]) -> str:
    units = text.encode("utf-16-le")
    start = 2 * entity["offset"]
    return units[start : start + 2 * entity["length"]].decode("utf-16-le")


WORDS = st.text(max_size=40)


@given(title=WORDS, label=WORDS, text=WORDS, closing=WORDS, style=st.sampled_from(Style))
def test_entities_lie_in_the_text_whatever_it_is(
    title: str, label: str, text: str, closing: str, style: Style
) -> None:
    shown = render(Reply(title=title, blocks=(Block(text, label, style),), closing=closing))
    shown.text.encode()
    length = len(shown.text.encode("utf-16-le")) // 2
    for entity in shown.entities:
        assert entity["length"] > 0
        assert entity["offset"] + entity["length"] <= length
        cut(shown.text, entity)


def test_what_lacks_what_the_bot_api_promises_asks_nothing() -> None:
    assert reading(message_id=5, date=0, text="/myth") is None
    assert reading("inline_query", id="1", query="hooked", offset="") is None


def test_sources_need_no_label() -> None:
    payload = render(Reply(links=(Link("Leaf 2020", "https://example.org/leaf"),)))
    assert (payload.text, [mark["type"] for mark in payload.entities]) == ("Leaf 2020", ["text_link"])


def test_an_article_without_a_link_has_no_button() -> None:
    article = Article("m-cure", "Does it cure?", "No.", Reply(title="No."))
    (result,) = inline_answer("1", Reply(articles=(article,)))["results"]
    assert "reply_markup" not in result


def test_what_a_person_typed_is_kept_nowhere() -> None:
    """Only entries' cards are: a suggestion quotes the question."""
    kept = telegram_view._known_text.cache_info().currsize
    render(Reply(title="No entry", blocks=(Block("my own story", style=Style.QUOTE),)))
    assert telegram_view._known_text.cache_info().currsize == kept
