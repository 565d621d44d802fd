"""The matching rules that ours is compared with do what their names say."""

import pytest

from tests.bench import baselines, dev
from tests.bench.baselines import Line

LINES: list[Line] = [
    ("tea is a hot drink", "m-tea"),
    ("brewed leaves", "m-tea"),
    ("snow falls in winter", "f-snow"),
]


@pytest.mark.parametrize("name", baselines.rules(LINES))
def test_every_rule_finds_a_line_asked_word_for_word(name: str) -> None:
    assert baselines.rules(LINES)[name]("Snow falls in winter") == "f-snow"


@pytest.mark.parametrize("name", ["bigrams 0.95", "bigrams 0.7", "fuzzy ratio 60", "difflib"])
def test_rules_with_a_threshold_leave_other_questions_alone(name: str) -> None:
    assert baselines.rules(LINES)[name]("how long do goats sleep") is None


def test_bm25_answers_whatever_shares_a_word() -> None:
    assert baselines.rules(LINES)["BM25"]("do goats drink") == "m-tea"


def test_the_looser_of_two_thresholds_takes_a_slip() -> None:
    rules = baselines.rules(LINES)
    assert [rules[f"bigrams {least}"]("snow fell in winter") for least in (0.95, 0.7)] == [None, "f-snow"]


def test_table_has_wrong_answers_first_and_a_column_for_each_system() -> None:
    items: list[dev.Item] = [
        {"q": "snow?", "gold": ["f-snow"], "type": "in", "style": "chat", "source": "written"},
        {"q": "goats?", "gold": [], "type": "out", "style": "chat", "source": "written"},
    ]
    shown = baselines.table(items, {"one": [("f-snow", None, [])] * 2, "two": [("m-tea", None, [])] * 2})
    assert shown.splitlines()[:4] == [
        "| % | one | two |",
        "|---|--:|--:|",
        "| wrong-answer rate | 0 | 100 |",
        "| in-scope hit@1 | 100 | 0 |",
    ]
