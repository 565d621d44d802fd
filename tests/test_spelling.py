import pytest

from core.spelling import Spelling

SPELLING = Spelling(
    emoji={"🔪": "xknife"},
    fixes={"kms": "kill myself", "u": "you"},
    keywords=["suicidal", "overdose"],
    distinct=["overdoses"],
    lexicon=["kill", "die"],
)


@pytest.mark.parametrize(
    ("typed", "sentences"),
    [
        ("kms", [["kill", "myself"]]),
        ("s u i c i d a l", [["suicidal"]]),
        ("plan b i c", [["plan", "b", "i", "c"]]),
        ("a b toy c d", [["a", "b", "toy", "c", "d"]]),
        ("k1ll", [["kill"]]),
        ("d*e", [["die"]]),
        ("x*z", [["x", "z"]]),
        ("suicdal and overdoses", [["suicidal", "and", "overdoses"]]),
        ("🔪 now", [["xknife", "now"]]),
        ("12.5 mg? ok.", [["0", "mg", "?"], ["ok"]]),
        ("heeeelp!", [["help"]]),
        ("...", []),
    ],
)
def test_what_was_typed_is_read_as_it_was_meant(typed: str, sentences: list[list[str]]) -> None:
    assert SPELLING.sentences(typed) == sentences
