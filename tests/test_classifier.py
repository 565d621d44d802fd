import pytest

from core.classifier import WINDOW, Classifier, Lexicon, pair_features, windows, word_features
from core.network import ZERO, Head, Network, Unit, slot

LEXICON = Lexicon(
    {"husband": "@kin"}, {"husband": ("#kin",), "rope": ("#weapon", "#tool"), "gone": ("#end",)}
)


@pytest.mark.parametrize(
    ("apart", "names"),
    [(1, ["@kin gone", "#kin>#end"]), (2, ["@kin _ gone", "#kin>#end"]), (3, ["#kin>#end"])],
)
def test_a_pair_is_named_by_its_words_when_near_and_by_their_meanings(apart: int, names: list[str]) -> None:
    assert [name for name, _ in pair_features("husband", "gone", apart, LEXICON)] == names


def test_a_word_counts_as_itself_its_meanings_and_runs_of_its_letters() -> None:
    names = [name for name, _ in word_features("rope", LEXICON)]
    assert names[:4] == ["rope", "#weapon", "#tool", "~ ro"]


def test_the_mark_of_a_rule_pairs_as_itself() -> None:
    assert [name for name, _ in pair_features("=burden", "gone", 4, LEXICON)] == ["=burden>#end"]


def test_meanings_reach_no_further_than_the_window() -> None:
    heads = [Head(0.0, (Unit(1.0, 0.0, 1.0),)), Head(0.0, ()), Head(0.0, ())]
    weights = bytearray([ZERO]) * 1024
    weights[slot("#kin>#end", 1024)] += 50
    classifier = Classifier(Network(heads, bytes(weights)), LEXICON)
    apart, together = [["husband"], ["gone"]], [["husband", "gone"]]
    assert [sums[0] > 0.5 for _, sums in classifier.scores(apart)] == [False, False, True]
    assert [sums[0] > 0.5 for _, sums in classifier.scores(together)] == [True]


def test_a_long_sentence_is_judged_in_overlapping_pieces() -> None:
    spans = windows([["word"] * (2 * WINDOW)])
    assert spans[:3] == [(0, 26), (13, 39), (26, 52)]


def test_short_sentences_are_judged_alone_in_pairs_and_together() -> None:
    assert windows([["a"], ["b"], ["c"]]) == [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)]
