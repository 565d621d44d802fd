"""What the bot answers to the development questions, in the scorer's table and per question.

    python -m tests.bench.dev            print two tables
    python -m tests.bench.dev --write    and keep the outcomes that tests compare with
    python -m tests.bench.dev --thresholds    print those that all the questions choose

The first table is of the bot as shipped. In the second, every question is answered with thresholds
chosen on the other four fifths of the questions (tests/bench/tuning.py), so that no figure owes
anything to the question it counts.

Questions and scorer are copies, unchanged, of the benchmark that the project is judged by; others
judge with other questions.
"""

import argparse
import asyncio
import json
from pathlib import Path

from bots.compose import Program, answer_all, answer_each
from bots.settings import Settings
from core.accept import load_model
from core.edition import open_edition
from core.phrases import load_phrases
from core.safety import load_guards
from tests.bench import score, tuning

HERE = Path(__file__).parent
QUESTIONS = HERE / "dev_questions.jsonl"
OUTCOMES = HERE / "dev_outcomes.json"

FOLDS = 5

Item = dict[str, object]
Answer = tuple[str | None, str | None, list[str]]


def load_items() -> list[Item]:
    """The questions, in the order of the file."""
    return list(score.load(QUESTIONS))


def answer_items(items: list[Item]) -> list[Answer]:
    """What a private chat would get, as the scorer wants it."""
    answers = asyncio.run(answer_all(Settings(), [str(item["q"]) for item in items]))
    return list(score.clean(answers, len(items)))


def cross_validate(items: list[Item], folds: int = FOLDS) -> list[Answer]:
    """What a private chat would get if the thresholds were chosen on the questions of the other folds."""
    return asyncio.run(_cross_validate(items, folds))


async def _cross_validate(items: list[Item], folds: int) -> list[Answer]:
    program = Program(Settings(database_url="sqlite://"))
    edition, model = program.app.edition, load_model()
    readings = tuning.read(edition, items)
    answered: dict[int, dict[str, object]] = {}
    for held in tuning.folds(items, folds):
        others = [reading for place, reading in enumerate(readings) if place not in held]
        program.app.edition = tuning.tuned(edition, *tuning.choose(others, edition.guards.limits, model))
        answers = await answer_each(program.app, [str(items[place]["q"]) for place in held])
        answered.update(zip(held, answers, strict=True))
    await program.store.close()
    return list(score.clean([answered[place] for place in range(len(items))], len(items)))


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
    parser.add_argument("--thresholds", action="store_true")
    chosen = parser.parse_args()
    items = load_items()
    if chosen.thresholds:
        edition = open_edition(Settings().content_path, load_phrases(), load_guards())
        limits, model = tuning.choose(tuning.read(edition, items), edition.guards.limits, load_model())
        print(f"guards.yaml: alone {dict(limits.alone)}, with_rule {dict(limits.with_rule)}")
        print(f"search.json: sure_inside {model.sure_inside}, sure_right {model.sure_right}")
        return
    answers = answer_items(items)
    print(table(items, answers))
    print(f"\nThresholds chosen on the other folds ({FOLDS} folds):\n{table(items, cross_validate(items))}")
    if chosen.write:
        kept = json.dumps(outcomes(items, answers), indent=1, ensure_ascii=False)
        OUTCOMES.write_text(kept + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
