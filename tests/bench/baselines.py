"""Ours beside the matching rules of well-known bots, on the same questions and the same lines.

    python -m tests.bench.baselines [--questions N]

Every rule sees the same lines: claims, titles, keywords and phrasings, in lower case. It answers with
the entry of the nearest line if that is near enough. Prints a Markdown table, wrong answers first.
"""

import argparse
import random
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from itertools import pairwise

from rapidfuzz import fuzz, process

from core.content import Entry
from core.recall import Recall
from core.words import words
from tests.bench import dev, score
from tests.bench.material import ROOT, load_entries

Line = tuple[str, str]
"""What is said, and the id of the entry it is said of."""

Rule = Callable[[str], str | None]

ROWS = (
    "wrong-answer rate",
    "in-scope hit@1",
    "hit or offered within 3",
    "out-of-scope rejection",
    "crisis recall",
    "crisis item got an entry",
    "dosing recall",
    "sourcing recall",
)


def lines_of(entries: Sequence[Entry]) -> list[Line]:
    """What a question is compared with."""
    return [
        (said.casefold(), entry.id)
        for entry in entries
        for said in (entry.claim, entry.title, *entry.keywords, *entry.phrasings)
    ]


def bigram_rule(lines: Sequence[Line], least: float) -> Rule:
    """Dice's coefficient over pairs of characters, blanks left out, as string-similarity packages do it."""
    held = [(_bigrams(said), entry_id) for said, entry_id in lines]

    def answer(question: str) -> str | None:
        asked = _bigrams(question.casefold())
        likeness, entry_id = max((_dice(asked, said), entry_id) for said, entry_id in held)
        return entry_id if likeness >= least else None

    return answer


def _bigrams(text: str) -> Counter[tuple[str, str]]:
    return Counter(pairwise("".join(text.split())))


def _dice(one: Counter[tuple[str, str]], other: Counter[tuple[str, str]]) -> float:
    return 2 * (one & other).total() / ((one.total() + other.total()) or 1)


def fuzzy_rule(lines: Sequence[Line], least: float) -> Rule:
    """The ratio of an edit distance, in per cent."""
    said = [line for line, _ in lines]

    def answer(question: str) -> str | None:
        found = process.extractOne(question.casefold(), said, scorer=fuzz.ratio, score_cutoff=least)
        return lines[found[2]][1] if found else None

    return answer


def difflib_rule(lines: Sequence[Line]) -> Rule:
    """The standard library's close match, with its own threshold (0.6)."""
    entry_of = dict(lines)

    def answer(question: str) -> str | None:
        return next((entry_of[line] for line in get_close_matches(question.casefold(), entry_of, n=1)), None)

    return answer


def bm25_rule(lines: Sequence[Line]) -> Rule:
    """Full-text search (tantivy) over everything said of an entry; the first hit, whatever its score."""
    ids = list(dict.fromkeys(entry_id for _, entry_id in lines))
    said = {entry_id: [w for line, of in lines if of == entry_id for w in words(line)] for entry_id in ids}
    recall = Recall([said[entry_id] for entry_id in ids], frozenset())

    def answer(question: str) -> str | None:
        return next((ids[number] for number, _ in recall.nearest(words(question), 1)), None)

    return answer


def rules(lines: Sequence[Line]) -> dict[str, Rule]:
    """Every rule by name."""
    return {
        "bigrams 0.95": bigram_rule(lines, 0.95),
        "bigrams 0.7": bigram_rule(lines, 0.7),
        "fuzzy ratio 60": fuzzy_rule(lines, 60),
        "difflib": difflib_rule(lines),
        "BM25": bm25_rule(lines),
    }


def table(items: list[dev.Item], answers: dict[str, list[dev.Answer]]) -> str:
    """Markdown: a row a metric, a column a system, in per cent."""
    values = {
        name: {row["metric"]: row["value"] for row in score.evaluate(items, said, nboot=1)}
        for name, said in answers.items()
    }
    shown = [f"| % | {' | '.join(values)} |", f"|---|{'--:|' * len(values)}"]
    for metric in ROWS:
        cells = ["-" if row[metric] is None else f"{100 * row[metric]:.0f}" for row in values.values()]
        shown.append(f"| {metric} | {' | '.join(cells)} |")
    return "\n".join(shown)


def compare(items: list[dev.Item]) -> str:
    """The table for `items`."""
    lines = lines_of(load_entries([ROOT / "content.yaml"]))
    answers = {"ours": dev.answer_items(items)}
    for name, rule in rules(lines).items():
        answers[name] = [(rule(str(item["q"])), None, []) for item in items]
    return table(items, answers)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, help="of a sample of that size, instead of all")
    size = parser.parse_args().questions
    items = dev.load_items()
    print(compare(random.Random(7).sample(items, size) if size else items))


if __name__ == "__main__":
    main()
