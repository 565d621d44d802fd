"""Fit core/guards.json and guards.bin, and say what it is worth by five-fold cross-validation.

    python -m tests.bench.fit_guards --date 2026-11-23 [--content content.yaml] [--folds 5]

Run it from the root of the repository. Labelled messages come from tests/data/guards_train.jsonl;
questions people ask (tests/data/questions_train.jsonl) and the phrasings of every entry join as "ok";
STORIES put together from them teach it what a long harmless message looks like.
The same input gives the same file.
"""

import argparse
import collections
import json
import random
import sys
import warnings
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import yaml
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from core.classifier import (
    HEADS,
    REACH,
    WEIGHTS,
    WORD,
    Classifier,
    Lexicon,
    damped,
    pair_features,
    windows,
    word_features,
)
from core.network import ZERO, Head, Network, Unit, slot
from core.safety import GUARDS, Guards, load_guards
from core.spelling import Sentence

DATA = Path(__file__).parents[1] / "data"
SEED = 20_26
STORIES = 3_000
"""Messages put together from others, and sentences from two."""
INSIDE = ("crisis", "ok", "dosing", "ok", "crisis", "ok", "sourcing", "ok")
"""What such messages have inside, in turn."""
ROUNDS = 2
"""Fits, each on the windows that the one before finds worst."""
SLOTS = 1 << 17
"""What features are hashed into: there are about 180,000 of them."""
HIDDEN = 4
"""Hidden units of each guard's network: 8 did no better on left-out texts."""
EPOCHS = 4
"""Passes over the messages in one fit."""
CALM = ("plain", "long-story-lookalike", "question-in", "question-out", "phrasing", "lookalike-support")
"""Styles whose sentences stories are put together from."""
IN_SCOPE = ("question-in", "phrasing")
WEIGHT_OF_IN_SCOPE = 3.0
"""A question that an entry answers counts as so many other harmless messages."""
WEIGHT_OF_HIT = {"crisis": 2.0, "dosing": 1.5, "sourcing": 1.5}
"""A missed message costs this many false alarms."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled message: its words by sentence, its label and the kind of writing."""

    text: str
    sentences: list[Sentence]
    label: str
    style: str


def read_examples(guards: Guards, content: Path) -> list[Example]:
    """Every labelled message, without repeats, in a fixed order."""
    rows = [(r["text"], r["label"], r["style"]) for r in _lines(DATA / "guards_train.jsonl")]
    rows += [(r["q"], "ok", f"question-{r['type']}") for r in _lines(DATA / "questions_train.jsonl")]
    with content.open(encoding="utf-8") as file:
        entries = yaml.load(file, yaml.CSafeLoader)["entries"]
    rows += [(text, "ok", "phrasing") for entry in entries for text in entry["phrasings"]]
    seen: dict[str, Example] = {}
    for text, label, style in rows:
        seen.setdefault(text.casefold(), Example(text, guards.read(text)[0], label, style))
    return list(seen.values())


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def compose(examples: list[Example], count: int) -> list[Example]:
    """Stories of three to nine harmless sentences, and as many sentences of two run together.

    Half of them have what a guard stops among them.
    """
    chance = random.Random(SEED)
    calm = [s for e in examples if e.label == "ok" and e.style in CALM for s in e.sentences if len(s) > 3]
    hidden = {guard: [e for e in examples if e.label == guard and len(e.sentences) == 1] for guard in GUARDS}
    composed = []
    for number in range(2 * count):
        sentences = chance.sample(calm, chance.randint(3, 9) if number < count else 1)
        label = INSIDE[number % len(INSIDE)]
        inside = chance.choice(hidden[label]).sentences if label in hidden else chance.sample(calm, 1)
        sentences.insert(chance.randint(0, len(sentences)), *inside)
        if number >= count:
            sentences = [[word for sentence in sentences for word in sentence]]
        composed.append(Example("", sentences, label, "composed"))
    return composed


def features(words: Sentence, lexicon: Lexicon) -> dict[int, float]:
    """Values of one window by slot, as the classifier sums them, in words."""
    values: dict[int, float] = collections.defaultdict(float)
    scale = 1 / (WORD * damped(len(words)))
    for word in words:
        for name, times in word_features(word, lexicon):
            values[slot(name, SLOTS)] += times * scale
    for apart in range(1, REACH + 1):
        for first, second in zip(words, words[apart:], strict=False):
            for name, times in pair_features(first, second, apart, lexicon):
                values[slot(name, SLOTS)] += times * scale
    return values


class Bags:
    """Messages as bags of windows, of which the worst counts, and the networks fitted to them."""

    def __init__(self, examples: list[Example], lexicon: Lexicon) -> None:
        bags = [[features(window, lexicon) for window in _windows(example)] for example in examples]
        kept = [(example, bag) for example, bag in zip(examples, bags, strict=True) if bag]
        self._labels = np.array([example.label for example, _ in kept])
        self._calm = np.array([WEIGHT_OF_IN_SCOPE if e.style in IN_SCOPE else 1.0 for e, _ in kept])
        rows = [row for _, bag in kept for row in bag]
        self._lengths = np.array([len(row) for row in rows])
        columns = np.fromiter((column for row in rows for column in row), np.int32)
        values = np.fromiter((value for row in rows for value in row.values()), np.float64)
        edges = np.concatenate([[0], np.cumsum(self._lengths)]).astype(np.int32)
        self._rows = csr_matrix((values, columns, edges), shape=(len(rows), SLOTS))
        self._starts = np.cumsum([0, *(len(bag) for _, bag in kept[:-1])])

    def fit(self, guard: str) -> MLPClassifier:
        """A network that tells what `guard` stops."""
        model = MLPClassifier(
            (HIDDEN,), batch_size=128, learning_rate_init=2e-3, max_iter=EPOCHS, random_state=SEED
        )
        hits = self._labels == guard
        costs = np.where(hits, WEIGHT_OF_HIT[guard], self._calm)
        scores = self._lengths.astype(float)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _ in range(ROUNDS):
                model.fit(self._rows[self._worst(scores)], hits, sample_weight=costs)
                scores = model.predict_proba(self._rows)[:, 1]
        return model

    def _worst(self, scores: np.ndarray) -> np.ndarray:
        """For each message, the window with the highest score."""
        ends = [*self._starts[1:], len(scores)]
        return np.array([a + scores[a:b].argmax() for a, b in zip(self._starts, ends, strict=True)])


def _windows(example: Example) -> list[Sentence]:
    running = [word for sentence in example.sentences for word in sentence]
    return [running[start:end] for start, end in windows(example.sentences)]


def fit(examples: list[Example], lexicon: Lexicon) -> tuple[list[Head], bytes]:
    """A network for each guard, and the weights of all in bytes as they are shipped."""
    bags = Bags(examples + compose(examples, STORIES), lexicon)
    heads, weights = [], []
    for guard in GUARDS:
        model = bags.fit(guard)
        steps = np.abs(model.coefs_[0]).max(axis=0) / (ZERO - 1)
        weights.append((ZERO + np.rint(model.coefs_[0] / steps)).astype(np.uint8))
        units = zip(steps / WORD, model.intercepts_[0], model.coefs_[1][:, 0], strict=True)
        held = tuple(Unit(*(float(f"{value:.5g}") for value in unit)) for unit in units)
        heads.append(Head(round(float(model.intercepts_[1][0]), 4), held))
    return heads, np.hstack(weights).tobytes()


def cross_validate(examples: list[Example], guards: Guards, folds: int) -> dict[tuple[str, str], list[str]]:
    """For every label and style, what an unseen classifier (with the patterns) said to each message."""
    shuffled = examples[:]
    random.Random(SEED).shuffle(shuffled)
    said: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
    for fold in range(folds):
        rest = [e for n, e in enumerate(shuffled) if n % folds != fold]
        lexicon = guards.classifier.lexicon
        trained = guards.with_classifier(Classifier(Network(*fit(rest, lexicon)), lexicon))
        for example in shuffled[fold::folds]:
            said[example.label, example.style].append(trained.check(example.text).guard or "ok")
        print(f"fold {fold + 1} of {folds}", file=sys.stderr)
    return said


def report(said: dict[tuple[str, str], list[str]]) -> None:
    """Recall and false alarms, by label and style, to standard output."""
    for guard in GUARDS:
        hits = [answer == guard for (label, _), row in said.items() if label == guard for answer in row]
        rest = [answer == guard for (label, _), row in said.items() if label != guard for answer in row]
        print(f"{guard}: recall {sum(hits) / len(hits):.3f}, false alarms {sum(rest) / len(rest):.4f}")
    for (label, style), row in sorted(said.items()):
        wrong = collections.Counter(answer for answer in row if answer != label)
        print(f"  {label:9}{style:26}{1 - wrong.total() / len(row):.3f} of {len(row):4}  {dict(wrong) or ''}")


def write(heads: list[Head], weights: bytes, examples: list[Example], today: date) -> None:
    """Put the networks and how they came about into core/guards.json, their weights beside it."""
    counts = collections.Counter(example.label for example in examples)
    made = {
        "made_by": "python -m tests.bench.fit_guards",
        "made_from": ["tests/data/guards_train.jsonl", "tests/data/questions_train.jsonl", "content.yaml"],
        "made_on": today.isoformat(),
        "messages": dict(sorted(counts.items())),
        "guards": GUARDS,
    }
    parts = {
        "made": made,
        "heads": [asdict(head) for head in heads],
    }
    HEADS.write_text(json.dumps(parts, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    # Not written into the old one, which a running bot may have mapped.
    WEIGHTS.unlink(missing_ok=True)
    WEIGHTS.write_bytes(weights)


def main() -> None:
    """Cross-validate, report, then fit on everything and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--content", type=Path, default=Path("content.yaml"))
    parser.add_argument("--folds", type=int, default=5, help="0: only fit and write")
    parser.add_argument("--date", type=date.fromisoformat, required=True, help="written to the file")
    args = parser.parse_args()
    guards = load_guards()
    examples = read_examples(guards, args.content)
    if args.folds:
        report(cross_validate(examples, guards, args.folds))
    write(*fit(examples, guards.classifier.lexicon), examples, args.date)


if __name__ == "__main__":
    main()
