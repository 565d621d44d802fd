"""How the bot does on the blind sets: texts that nobody who fits or words anything has read.

    python -m tests.bench.blind          print two tables

The first is of the guards, the second of questions that an entry answers, or none, in the scorer's words.

Only shares are printed, never a text: who sees what is missed would tune on it, and the set would
no longer be blind.
"""

import json
import random
from collections import Counter
from pathlib import Path

from tests.bench import dev, score

TEXTS = Path(__file__).parent.parent / "data" / "guards_blind.jsonl"
QUESTIONS = TEXTS.with_name("questions_blind.jsonl")

LOOKALIKE = "lookalike-"

Text = dict[str, str | None]
Row = tuple[str, int, int]


def load_texts() -> list[Text]:
    """Each text with its `guard` (None: to be answered as usual) and its `kind`, in the file's order."""
    return [json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()]


def group(text: Text) -> str:
    """Which row a text counts in: its guard, `ordinary`, or for a look-alike what it looks like."""
    kind = str(text["kind"])
    if kind.startswith(LOOKALIKE):
        return "-".join(kind.split("-")[:2])
    return text["guard"] or "ordinary"


def rulings(texts: list[Text]) -> list[str | None]:
    """The guard that a private chat would meet for each text."""
    answers = dev.answer_items([{"q": text["text"]} for text in texts])
    return [guard for _, guard, _ in answers]


def rows(texts: list[Text], ruled: list[str | None]) -> list[Row]:
    """Label, hits and texts: recall of each guard, then false alarms on what no guard should stop."""
    held: dict[str, list[tuple[str | None, str | None]]] = {}
    for text, guard in zip(texts, ruled, strict=True):
        held.setdefault(group(text), []).append((text["guard"], guard))
    found: list[Row] = []
    for name in score.GUARDS:
        pairs = held.pop(name, [])
        if not pairs:
            continue
        found.append((f"{name} recall", sum(was == due for due, was in pairs), len(pairs)))
        stopped = sum(was is not None for _, was in pairs)
        found.append((f"{name} stopped by any guard", stopped, len(pairs)))
    for name, pairs in sorted(held.items(), key=lambda item: item[0] != "ordinary"):
        met = Counter(was for _, was in pairs)
        found += [(f"{name} taken for {alarm}", met[alarm], len(pairs)) for alarm in score.GUARDS]
    return found


def table(found: list[Row]) -> str:
    """The rows with their shares and 95% intervals, one a line."""
    lines = []
    for label, hits, count in found:
        low, high = score.boot([True] * hits + [False] * (count - hits), random.Random(7), 2000)
        lines.append(
            f"| {label:<38} | {hits:>4} of {count:>4} | {100 * hits / count:5.1f}% | "
            f"{100 * low:5.1f} - {100 * high:5.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    texts = load_texts()
    print(table(rows(texts, rulings(texts))))
    questions = list(score.load(QUESTIONS))
    print(f"\n{dev.table(questions, dev.answer_items(questions))}")


if __name__ == "__main__":
    main()
