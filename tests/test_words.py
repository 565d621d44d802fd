import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.words import fold, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("HELLO", "hello"),
        ("Straße", "strasse"),
        ("café", "cafe"),
        ("cafe\u0301", "cafe"),
        ("ＴＥＡ　１", "tea 1"),
        ("𝐭𝐞𝐚 𝓽𝓮𝓪 ⓣⓔⓐ", "tea tea tea"),
        ("ﬁne x²", "fine x2"),
        ("te\u200ba", "tea"),
        ("te\u200d\u2060\ufeffa", "tea"),
        ("te\u00ada", "tea"),
        ("\u202etea\u202c \u200ftea\u200e", "tea tea"),
        ("t̶e̶a̶", "tea"),
        ("don't", "dont"),
        ("don’t don‘t", "dont dont"),
        ("don´t don`t donʼt don＇t", "dont dont dont dont"),
        ("ŉ", "n"),
        ("suiсide kеtаmine", "suicide ketamine"),  # Cyrillic letters among Latin ones
        ("кетамин ketamine", "кетамин ketamine"),  # a word of its own script
        ("1\ufe0f\u20e3", "1"),
        ("", ""),
    ],
)
def test_what_looks_alike_is_folded_alike(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Is tea good?", ["is", "tea", "good"]),
        ("tea-time, tea_cup/tea.pot", ["tea", "time", "tea", "cup", "tea", "pot"]),
        ("I can't 😳 drink 🍵tea🍵", ["i", "cant", "drink", "tea"]),
        ("👨‍👩‍👧 🇬🇧 ❤️", []),
        ("5mg 2.5", ["5mg", "2", "5"]),
        ("чай茶", ["чаи茶"]),
        ("?!... ___ '", []),
        ("", []),
        ("a\0b\tc\nd", ["a", "b", "c", "d"]),
        ("\ud83d tea", ["tea"]),
    ],
)
def test_words_are_runs_of_letters_and_digits(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_a_paste_of_10_000_characters_is_read_to_its_end() -> None:
    text = "tea " * 2_499 + "last"
    assert len(text) == 10_000
    assert len(words(text)) == 2_500
    assert words(text)[-1] == "last"


def test_what_follows_12_000_characters_is_not_looked_at() -> None:
    assert words("a" * 11_999 + " tea") == ["a" * 11_999]


def test_the_longest_paste_stays_bounded() -> None:
    """U+FDFA becomes 18 characters: none in Unicode grows more."""
    assert len(fold("\ufdfa" * 100_000)) == 216_000


@given(st.text())
def test_words_hold_only_letters_and_digits(text: str) -> None:
    assert all(re.fullmatch(r"[^\W_]+", word) for word in words(text))


@given(st.text(st.characters(), max_size=50))
def test_words_never_fail_on_any_code_point(text: str) -> None:
    assert isinstance(words(text), list)


@given(st.text("abcé'’´ \u200b-😀A", max_size=30))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
