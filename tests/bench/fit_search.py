"""Fit core/search.json: how candidates are weighed, and when the bot answers or stays silent.

    python -m tests.bench.fit_search --content content.yaml

Data: the training questions, and the entries' own phrasings, each asked of an index that lacks it
(ten folds). The questions that no entry answers are split the same way, so none meets itself.
`--report` only prints how often a left-out phrasing finds its entry with the present coefficients.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from core.accept import ACCEPT_FEATURES, COEFFICIENTS, RANK_FEATURES, Model, load_model, share, weigh
from core.content import Entry
from core.search import Found, Index, settle
from tests.bench.material import ROOT, Question, load_entries, load_lines, load_questions, load_topic_words

FOLDS = 10
INSIDE_WEIGHT = 1.0
OUTSIDE_WEIGHT = 3.0
PHRASING_WEIGHT = 0.8
"""Questions that no entry answers are fewer; phrasings are terser and more alike than what people send."""

RIDGE = 1.0
CONTENTS = (ROOT / "content.yaml",)
QUESTIONS = ROOT / "tests/data/questions_train.jsonl"
NAMES = (ROOT / "core/medicines.txt", ROOT / "core/other_topics.txt")
THRESHOLDS = {
    "sure_inside": 0.72,
    "sure_right": 0.5,
    "offer_inside": 0.25,
    "clear_inside": 0.75,
    "clear_right": 0.8,
    "offer_near": 0.1,
    "unasked_inside": 0.95,
    "unasked_right": 0.8,
}
"""The first three are set on the development questions: at most 8% wrong answers, 92% of the unanswerable
left alone. The next three are for words looked up: 80% of left-out phrasings find or offer their entry. The
last two are for what nobody asked the bot: see tests/bench/unasked.py."""

_NONE = (0.0,) * len(ACCEPT_FEATURES)
FLAT = Model((1.0,) * len(RANK_FEATURES), _NONE, _NONE, *[1.0] * 8)


@dataclass(frozen=True, slots=True)
class Material:
    """Everything the fit reads."""

    entries: list[Entry]
    topic_words: list[str]
    names: list[str]
    inside: list[Question]
    outside: list[Question]


@dataclass(frozen=True, slots=True)
class Example:
    """One question, what the index said to it, and how much it counts."""

    gold: tuple[str, ...]
    found: Found
    weight: float


def examples(material: Material, model: Model) -> Iterator[Example]:
    """Every training question and phrasing, asked of an index that has not seen it."""
    whole = Index(
        material.entries, material.topic_words, [q.text for q in material.outside], material.names, model
    )
    for question in material.inside:
        yield Example(question.gold, whole.rank(question.text), INSIDE_WEIGHT)
    for fold in range(FOLDS):
        kept = [q.text for n, q in enumerate(material.outside) if n % FOLDS != fold]
        parts = [_split(entry, fold + n) for n, entry in enumerate(material.entries)]
        index = Index([part for part, _ in parts], material.topic_words, kept, material.names, model)
        for entry, held in parts:
            for phrasing in held:
                yield Example((entry.id,), index.rank(phrasing), PHRASING_WEIGHT)
        for question in material.outside[fold::FOLDS]:
            yield Example((), index.rank(question.text), OUTSIDE_WEIGHT)


def _split(entry: Entry, fold: int) -> tuple[Entry, list[str]]:
    """The entry without every tenth phrasing, and those."""
    held = entry.phrasings[fold % FOLDS :: FOLDS]
    return structs.replace(entry, phrasings=[p for p in entry.phrasings if p not in held]), held


def fit_rank(found: Sequence[Example], steps: int = 150) -> list[float]:
    """Weights under which the entry that answers gets the largest share (Adam, full batch)."""
    cases = []
    for example in found:
        rows = [[value for _, value in match.scores] for match in example.found.candidates]
        good = [match.entry_id in example.gold for match in example.found.candidates]
        if any(good):
            cases.append((rows, [g / sum(good) for g in good], example.weight))
    spread = _spread([row for rows, _, _ in cases for row in rows])
    scaled = [
        ([[v / s for v, s in zip(row, spread, strict=True)] for row in rows], want, w)
        for rows, want, w in cases
    ]
    size, total = len(spread), sum(weight for _, _, weight in scaled)
    weights, mean, square = [1.0] * size, [0.0] * size, [0.0] * size
    for step in range(1, steps + 1):
        slope = [0.001 * w for w in weights]
        for rows, want, weight in scaled:
            for row, p, q in zip(rows, share([weigh(weights, row) for row in rows]), want, strict=True):
                pull = (p - q) * weight / total
                for i, value in enumerate(row):
                    slope[i] += pull * value
        for i, g in enumerate(slope):
            mean[i] = 0.9 * mean[i] + 0.1 * g
            square[i] = 0.99 * square[i] + 0.01 * g * g
            size_of_step = mean[i] / (1 - 0.9**step) / (math.sqrt(square[i] / (1 - 0.99**step)) + 1e-9)
            weights[i] -= 0.05 * size_of_step
    return [w / s for w, s in zip(weights, spread, strict=True)]


def fit_logistic(
    rows: Sequence[Sequence[float]], hits: Sequence[bool], counts: Sequence[float]
) -> list[float]:
    """Ridge logistic regression by Newton's method; the first column is the intercept."""
    spread = [1.0, *_spread(rows)[1:]]
    scaled = [[v / s for v, s in zip(row, spread, strict=True)] for row in rows]
    size = len(spread)
    weights = [0.0] * size
    for _ in range(12):
        slope = [-RIDGE * w if i else 0.0 for i, w in enumerate(weights)]
        curve = [[RIDGE if i == j and i else 0.0 for j in range(size)] for i in range(size)]
        for row, hit, count in zip(scaled, hits, counts, strict=True):
            p = 0.5 * (1 + math.tanh(weigh(weights, row) / 2))
            error, bend = count * (hit - p), count * max(p * (1 - p), 1e-6)
            for i, value in enumerate(row):
                slope[i] += error * value
                pull, line = bend * value, curve[i]
                for j in range(i + 1):
                    line[j] += pull * row[j]
        for i in range(size):
            for j in range(i):
                curve[j][i] = curve[i][j]
        weights = [w + step for w, step in zip(weights, _solve(curve, slope), strict=True)]
    return [w / s for w, s in zip(weights, spread, strict=True)]


def _spread(rows: Sequence[Sequence[float]]) -> list[float]:
    """The standard deviation of each column, 1 where it is constant."""
    found = []
    for column in zip(*rows, strict=True):
        mean = sum(column) / len(column)
        found.append(math.sqrt(sum((v - mean) ** 2 for v in column) / len(column)) or 1.0)
    return found


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """The solution of a symmetric positive system, by elimination."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, size):
            factor = rows[r][i] / rows[i][i]
            if factor:
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i], strict=True)]
    answer = [0.0] * size
    for i in reversed(range(size)):
        answer[i] = (rows[i][size] - weigh(rows[i][i + 1 : size], answer[i + 1 :])) / rows[i][i]
    return answer


def fit(material: Material, thresholds: Mapping[str, float]) -> dict[str, object]:
    """The coefficients, as core/search.json holds them."""
    rank = fit_rank(list(examples(material, FLAT)))
    model = replace(FLAT, rank=tuple(rank))
    found = [example for example in examples(material, model) if example.found.features]
    rows = [[value for _, value in example.found.features] for example in found]
    counts = [example.weight for example in found]
    inside = fit_logistic(rows, [bool(example.gold) for example in found], counts)
    good = [n for n, example in enumerate(found) if example.gold]
    first = [found[n].found.candidates[0].entry_id in found[n].gold for n in good]
    right = fit_logistic([rows[n] for n in good], first, [counts[n] for n in good])
    phrasings = sum(len(entry.phrasings) for entry in material.entries)
    return {
        "made_by": "python -m tests.bench.fit_search",
        "made_from": f"{len(material.inside)} training questions with an answer, "
        f"{len(material.outside)} without, {phrasings} phrasings left out in {FOLDS} folds",
        "thresholds_from": "the development questions",
        **thresholds,
        "rank": _named(RANK_FEATURES, rank),
        "inside": _named(ACCEPT_FEATURES, inside),
        "right": _named(ACCEPT_FEATURES, right),
    }


def _named(names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in zip(names, values, strict=True)}


@dataclass(frozen=True, slots=True)
class Report:
    """How left-out phrasings and unanswerable questions fare, each a share of its kind.

    Attributes:
        right: phrasings answered with their entry; `wrong` with another.
        offered: answered with it or offered it; `below` counts the runners-up under an answer too.
        looked_up: as `offered`, where the words come with /myth or /fact.
        answered: unanswerable questions that got an entry; `shown` an entry or a choice.
    """

    phrasings: int
    questions: int
    right: float
    wrong: float
    offered: float
    below: float
    looked_up: float
    answered: float
    shown: float

    def __str__(self) -> str:
        return (
            f"{self.phrasings} left-out phrasings: answered right {self.right:.1%}, wrong {self.wrong:.1%}, "
            f"right or offered {self.offered:.1%}, or below a wrong answer {self.below:.1%}; "
            f"looked up, right or offered {self.looked_up:.1%}\n"
            f"{self.questions} unanswerable: answered {self.answered:.1%}, something shown {self.shown:.1%}"
        )


def report(material: Material, model: Model) -> Report:
    """How left-out phrasings and unanswerable questions fare with `model`."""
    tally: Counter[str] = Counter()
    strict = model.for_look_up()
    for example in examples(material, model):
        found, gold = example.found, set(example.gold)
        if not gold:
            tally["questions"] += 1
            tally["answered"] += found.entry_id is not None
            tally["shown"] += bool(found.entry_id or found.choices)
        elif example.weight == PHRASING_WEIGHT:
            tally["phrasings"] += 1
            tally["right"] += found.entry_id in gold
            tally["wrong"] += found.entry_id not in (None, *gold)
            tally["offered"] += bool({found.entry_id, *found.choices} & gold)
            tally["below"] += bool({found.entry_id, *found.choices, *found.also} & gold)
            entry_id, choices = settle(found.candidates, found.right, found.inside, strict)
            tally["looked_up"] += bool({entry_id, *choices} & gold)
    phrasings, questions = tally["phrasings"], tally["questions"]
    of_phrasings = {n: tally[n] / phrasings for n in ("right", "wrong", "offered", "below", "looked_up")}
    return Report(
        phrasings,
        questions,
        **of_phrasings,
        answered=tally["answered"] / questions,
        shown=tally["shown"] / questions,
    )


def load_material(contents: Sequence[Path] = CONTENTS, topic_words: Sequence[str] = ()) -> Material:
    """What there is to fit on; topic words are those of the first content file unless given."""
    asked = load_questions(QUESTIONS)
    return Material(
        load_entries(contents),
        topic_words or load_topic_words(contents[0]),
        [name for path in NAMES for name in load_lines(path)],
        [q for q in asked if q.gold],
        [q for q in asked if not q.gold],
    )


def main() -> None:
    """Fit and write, or report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--content", type=Path, nargs="+", default=CONTENTS)
    parser.add_argument("--topic-words", nargs="+", default=[], help="default: those of the content file")
    for name, value in THRESHOLDS.items():
        parser.add_argument("--" + name.replace("_", "-"), type=float, default=value)
    parser.add_argument("--output", type=Path, default=COEFFICIENTS)
    parser.add_argument("--report", action="store_true")
    args = parser.parse_args()
    material = load_material(args.content, args.topic_words)
    if args.report:
        print(report(material, load_model(args.output)))
        return
    text = json.dumps(fit(material, {name: getattr(args, name) for name in THRESHOLDS}), indent=1)
    args.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
