"""How often the bot speaks up in a group that lets it listen, at the thresholds in core/search.json.

    python -m tests.bench.unasked

Two thresholds of their own, 0.95 and 0.8 where /ask has 0.72 and 0.5, chosen on the training
material: the bot stays out of ordinary chat at 0.9 and 0.7 already, but gives three wrong entries there.
Measured at those chosen:

| what is said in the group | messages | answered | wrongly |
| --- | --- | --- | --- |
| ordinary chat | 401 | 0 | 0 |
| the same, were each a question | 401 | 1 | 1 |
| questions that no entry answers, left out in ten folds | 789 | 2 | 2 |
| questions that an entry answers, and asked of nobody | 1026 | 371 | 8 |

A guard that fires counts as silence, as in the bot.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.draft import load_content
from core.edition import Edition, build_edition
from core.listen import asks_the_group, sure_answer
from core.safety import load_guards
from core.search import Index
from tests.bench.fit_search import FOLDS
from tests.bench.material import ROOT, Question, load_lines, load_questions

CHATTER = "chat-"
"""Styles of the guards' training texts that are everyday talk in a group."""


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one kind of message."""

    label: str
    messages: int
    answered: int
    wrong: int


def chatter(path: Path = ROOT / "tests/data/guards_train.jsonl") -> list[str]:
    """Everyday talk, of which nothing is for the bot."""
    texts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [t["text"] for t in texts if t["label"] == "ok" and t["style"].startswith(CHATTER)]


def said(edition: Edition, index: Index, text: str) -> str | None:
    """The entry that a group would get for the text."""
    asked = replace(edition, index=index)
    return None if asked.check(text).guard else sure_answer(asked, text)


def rows(edition: Edition) -> list[Row]:
    """What the bot would have said to each kind of message."""
    questions = load_questions(ROOT / "tests/data/questions_train.jsonl")
    asked = [q for q in questions if q.gold and asks_the_group(q.text)]
    talk = [Question(text, ()) for text in chatter()]
    as_questions = [Question(f"{q.text.rstrip('.!')}?", ()) for q in talk]
    return [
        _row("ordinary chat", edition, [(edition.index, q) for q in talk]),
        _row("the same, were each a question", edition, [(edition.index, q) for q in as_questions]),
        _row("questions that no entry answers", edition, _left_out(edition, questions)),
        _row("questions that an entry answers", edition, [(edition.index, q) for q in asked]),
    ]


def _left_out(edition: Edition, questions: Sequence[Question]) -> list[tuple[Index, Question]]:
    """Each question without an answer, beside an index that has not been told so."""
    outside = [q for q in questions if not q.gold]
    names = [n for name in ("medicines", "other_topics") for n in load_lines(ROOT / f"core/{name}.txt")]
    content = edition.content
    pairs = []
    for fold in range(FOLDS):
        kept = [q.text for number, q in enumerate(outside) if number % FOLDS != fold]
        index = Index(content.entries, content.bot.topic_words, kept, names)
        pairs += [(index, q) for q in outside[fold::FOLDS]]
    return pairs


def _row(label: str, edition: Edition, asked: Sequence[tuple[Index, Question]]) -> Row:
    answers = [(said(edition, index, q.text), q.gold) for index, q in asked]
    given = [(answer, gold) for answer, gold in answers if answer]
    return Row(label, len(answers), len(given), sum(answer not in gold for answer, gold in given))


def main() -> None:
    """Print the table."""
    edition = build_edition(load_content(ROOT / "content.yaml"), load_guards())
    for row in rows(edition):
        print(f"| {row.label:<32} | {row.messages:>4} | {row.answered:>4} | {row.wrong:>3} |")


if __name__ == "__main__":
    main()
