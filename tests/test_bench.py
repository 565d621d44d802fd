"""The benchmark's copies are unchanged, and no change makes the bot worse on it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.rank import stem
from core.words import words
from tests.bench import dev

BENCH = Path(__file__).parent / "bench"
DATA = Path(__file__).parent / "data"

FILLING = frozenset(("a", "and", "is", "it", "of", "the", "to"))
ALIKE = 0.6
"""Shared words by all words of two texts from which on one may be a paraphrase of the other."""


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("dev_questions.jsonl", "eca727bd3c5921dee6c9a6190f69a6e51f20509aa5e32db717e58da013066acc"),
        ("score.py", "41d43e1ec0b84fae1af09800ff96afaec2b0d06a3664ca3efc5688ee891cb5e1"),
    ],
)
def test_the_copies_are_unchanged(name: str, digest: str) -> None:
    assert hashlib.sha256((BENCH / name).read_bytes()).hexdigest() == digest


def test_the_development_questions_are_answered_as_well_as_before(show: Callable[[str], None]) -> None:
    items = dev.load_items()
    answers = dev.answer_items(items)
    show(dev.table(items, answers))
    show(f"thresholds chosen on the other folds:\n{dev.table(items, dev.cross_validate(items))}")
    before = json.loads(dev.OUTCOMES.read_text(encoding="utf-8"))
    now = dev.outcomes(items, answers)
    asked = [str(item["q"]) for item in items if item["type"] == "in"]
    dropped = sum(before[q] == "right" for q in asked) - sum(now[q] == "right" for q in asked)
    assert dropped <= 0.06 * len(asked), f"{dropped} of {len(asked)} fewer questions are answered rightly"
    crises = [str(item["q"]) for item in items if item["type"] == "crisis"]
    assert [q for q in crises if before[q] == "crisis" and now[q] != "crisis"] == []


def _meant(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text) if word not in FILLING)


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)


@pytest.mark.parametrize("name", ["guards_train", "questions_train"])
def test_nothing_that_is_fitted_on_says_what_a_development_question_says(name: str) -> None:
    asked = [_meant(str(item["q"])) for item in dev.load_items()]
    rows = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    said = [_meant(row["text"] if "text" in row else row["q"]) for row in rows]
    assert [one for one in said if any(_alike(one, other) >= ALIKE for other in asked)] == []


def test_a_paraphrase_is_told_from_another_question() -> None:
    one = _meant("how long does an infusion take?")
    assert _alike(one, _meant("How long does one of the infusions take")) >= ALIKE
    assert _alike(one, _meant("how long did you wait for an infusion")) < ALIKE
