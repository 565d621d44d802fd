"""The benchmark's copies are unchanged, and no change makes the bot worse on it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench import dev

BENCH = Path(__file__).parent / "bench"


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
