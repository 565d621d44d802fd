import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord_text import escape, quotation, unescape


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*a* _b_ ~~c~~ `d` ||e||", r"\*a\* \_b\_ \~\~c\~\~ \`d\` \|\|e\|\|"),
        ("@everyone <@1> <#2> <:x:3>", r"\@everyone \<\@1\> \<#2\> \<\:x:3\>"),
        ("[a](http://b.c)", r"\[a\](http://b.c)"),
        ("# big\n- list\n1. one\n> quote", "\\# big\n\\- list\n1\\. one\n\\> quote"),
        (":smile: 10:30 a - b. 1.5", r"\:smile: 10:30 a - b. 1.5"),
        ("see https://a.b/c_d?e=1#f. Then", "see https://a.b/c_d?e=1#f. Then"),
        ("https://a.b/c__d__ **x**", r"https://a.b/c\_\_d\_\_ \*\*x\*\*"),
        ("a\\", r"a\\"),
        ("\ud800", "\ufffd"),
    ],
)
def test_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_escaped_can_be_read_back_word_for_word(text: str) -> None:
    assert unescape(escape(text)) == text


def test_the_first_quotation_is_read_back() -> None:
    assert quotation("**Title**\n\n> is it \\*safe\\* at 3 \\> 2?\n\n> another") == "is it *safe* at 3 > 2?"
    assert quotation("no quotation") is None
