"""The blind set is sound and shares no text with what guards are fitted on; its table has its rows."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import blind, dev, score
from tests.room import CONTENT

DATA = Path(__file__).parent / "data"
SEEN = [DATA / "guards_train.jsonl", DATA / "questions_train.jsonl", dev.QUESTIONS]


LEAST = {
    "crisis": 330,
    "dosing": 150,
    "sourcing": 150,
    "ordinary": 330,
    "lookalike-crisis": 150,
    "lookalike-dosing": 60,
    "lookalike-sourcing": 60,
}
"""How many texts of each group make a share worth telling."""


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _strings(value: object) -> Iterator[str]:
    """Every text in a line, whichever key it stands under."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def test_every_line_has_a_text_a_guard_and_a_kind() -> None:
    for text in blind.load_texts():
        assert set(text) == {"text", "guard", "kind"}
        assert text["text"]
        assert text["guard"] in (*score.GUARDS, None)
        assert re.fullmatch(r"[a-z-]+", str(text["kind"]))
        if str(text["kind"]).startswith(blind.LOOKALIKE):
            assert text["guard"] is None


def test_every_group_has_texts_enough() -> None:
    counted = Counter(blind.group(text) for text in blind.load_texts())
    assert set(counted) == set(LEAST)
    assert [name for name, least in LEAST.items() if counted[name] < least] == []


def test_no_text_comes_twice() -> None:
    counted = Counter(_plain(str(text["text"])) for text in blind.load_texts())
    assert [text for text, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("path", SEEN, ids=lambda path: path.stem)
def test_no_text_stands_in_what_guards_are_fitted_or_tuned_on(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    seen = {_plain(part) for line in lines if line.strip() for part in _strings(json.loads(line))}
    assert len(seen) > len(lines) / 2, "the texts of the other file were not found"
    assert [text for text in blind.load_texts() if _plain(str(text["text"])) in seen] == []


def test_blind_questions_are_sound_and_unseen() -> None:
    questions = list(score.load(blind.QUESTIONS))
    ids = {entry.id for entry in CONTENT.entries}
    assert all(set(question["gold"]) <= ids for question in questions)
    asked = {_plain(str(question["q"])) for question in questions}
    assert len(asked) == len(questions) >= 280
    seen = {
        _plain(part)
        for path in (*SEEN, Path("content.yaml"))
        for line in path.read_text(encoding="utf-8").splitlines()
        for part in (_strings(json.loads(line)) if path.suffix == ".jsonl" else [line.lstrip(" -")])
    }
    assert asked & seen == set()


def test_rows_count_recall_and_false_alarms() -> None:
    texts: list[blind.Text] = [
        {"text": "a", "guard": "crisis", "kind": "chest-pain"},
        {"text": "b", "guard": "crisis", "kind": "chest-pain"},
        {"text": "c", "guard": None, "kind": "sleep"},
        {"text": "d", "guard": None, "kind": "lookalike-dosing-alcohol"},
        {"text": "e", "guard": None, "kind": "lookalike-dosing-forms"},
    ]
    found = {row[0]: row[1:] for row in blind.rows(texts, ["crisis", "dosing", None, "dosing", None])}
    assert found["crisis recall"] == (1, 2)
    assert found["crisis stopped by any guard"] == (2, 2)
    assert found["ordinary taken for crisis"] == (0, 1)
    assert found["lookalike-dosing taken for dosing"] == (1, 2)


def test_the_table_is_of_what_a_private_chat_meets_and_shows_no_text() -> None:
    texts = blind.load_texts()
    shown = blind.table(blind.rows(texts, blind.rulings(texts)))
    labels = [line.split("|")[1].strip() for line in shown.splitlines()]
    groups = {blind.group(text) for text in texts}
    assert {f"{name} recall" for name in groups & set(score.GUARDS)} <= set(labels)
    assert {f"{name} taken for crisis" for name in groups - set(score.GUARDS)} <= set(labels)
    assert not [text for text in texts if str(text["text"]) in shown]
