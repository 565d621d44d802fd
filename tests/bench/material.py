"""What the search benchmarks read: entries, questions and lists of names."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from core.content import Entry
from tests.samples import entry_with

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Question:
    """A labelled question; `gold` lists the entries that answer it, none if out of scope."""

    text: str
    gold: tuple[str, ...]


def load_entries(paths: Sequence[Path]) -> list[Entry]:
    """The entries of a content file, or of files that are plain lists of entries."""
    entries: list[Entry] = []
    for path in paths:
        data = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        listed = data["entries"] if isinstance(data, dict) else data
        # Not validated: drafts without review details can be tried too.
        entries += [entry_with(**item) for item in listed]
    return entries


def load_questions(path: Path) -> list[Question]:
    """The in-scope and out-of-scope questions of a JSON-lines file; other types are left out."""
    items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [Question(x["q"], tuple(x["gold"])) for x in items if x["type"] in ("in", "out")]


def load_lines(path: Path) -> list[str]:
    """The lines of a list file, without blank ones and comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def load_topic_words(path: Path) -> list[str]:
    """The topic words of a content file."""
    data = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return [str(word) for word in data["bot"]["topic_words"]]
