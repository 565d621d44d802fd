"""What the bot answers to the development questions, in the scorer's table and per question.

    python -m tests.bench.dev            print the table
    python -m tests.bench.dev --write    and keep the outcomes that tests compare with

Questions and scorer are copies, unchanged, of the benchmark that the project is judged by; others
judge with other questions.
"""

import argparse
import asyncio
import json
from pathlib import Path

from bots.compose import answer_all
from bots.settings import Settings
from tests.bench import score

HERE = Path(__file__).parent
QUESTIONS = HERE / "dev_questions.jsonl"
OUTCOMES = HERE / "dev_outcomes.json"

Item = dict[str, object]
Answer = tuple[str | None, str | None, list[str]]


def load_items() -> list[Item]:
    """The questions, in the order of the file."""
    return list(score.load(QUESTIONS))


def answer_items(items: list[Item]) -> list[Answer]:
    """What a private chat would get, as the scorer wants it."""
    answers = asyncio.run(answer_all(Settings(), [str(item["q"]) for item in items]))
    return list(score.clean(answers, len(items)))


def outcomes(items: list[Item], answers: list[Answer]) -> dict[str, str]:
    """Each question's outcome: `right`, `wrong`, `offered`, `silent`, or the guard that stopped it."""
    found: dict[str, str] = {}
    for item, (entry_id, guard, choices) in zip(items, answers, strict=True):
        gold = item["gold"]
        if guard:
            outcome = guard
        elif entry_id:
            outcome = "right" if entry_id in gold else "wrong"  # type: ignore[operator]  # a list in the file
        else:
            outcome = "offered" if choices else "silent"
        found[str(item["q"])] = outcome
    return found


def table(items: list[Item], answers: list[Answer]) -> str:
    """The scorer's metrics, one a line, with their 95% intervals."""
    rows = score.evaluate(items, answers)
    return "\n".join(
        f"| {row['label']:<42} | {row['n']:>4} | {100 * row['value']:5.1f}% | "
        f"{100 * row['lo']:5.1f} - {100 * row['hi']:5.1f} |"
        for row in rows
        if row["n"]
    )


def main() -> None:
    """Print the table; with `--write`, keep the outcomes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    items = load_items()
    answers = answer_items(items)
    print(table(items, answers))
    if chosen.write:
        kept = json.dumps(outcomes(items, answers), indent=1, ensure_ascii=False)
        OUTCOMES.write_text(kept + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
