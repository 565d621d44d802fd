from core.classifier import WINDOW, pair_features, windows


def test_pairs_are_named_by_concept_with_and_without_a_word_between() -> None:
    pairs = list(pair_features(["my", "husband", "sleeps"], {"husband": "@kin"}))
    assert pairs == ["my @kin", "@kin sleeps", "my _ sleeps"]


def test_a_long_sentence_is_judged_in_overlapping_pieces() -> None:
    spans = windows([["word"] * (2 * WINDOW)])
    assert spans[:3] == [(0, 26), (13, 39), (26, 52)]


def test_short_sentences_are_judged_alone_in_pairs_and_together() -> None:
    assert windows([["a"], ["b"], ["c"]]) == [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)]
