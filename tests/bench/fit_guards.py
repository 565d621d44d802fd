"""Fit core/guards.json, and say what it is worth by five-fold cross-validation.

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
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import yaml
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from core.classifier import (
    REACH,
    WEIGHTS,
    Classifier,
    Lexicon,
    damped,
    pair_features,
    windows,
    word_features,
)
from core.safety import GUARDS, Guards, load_guards
from core.spelling import Sentence

DATA = Path(__file__).parents[1] / "data"
SEED = 20_26
STORIES = 1_500
"""Messages put together from others."""
INSIDE = ("crisis", "ok", "dosing", "ok", "crisis", "ok", "sourcing", "ok")
"""What such messages have inside, in turn."""
ROUNDS = 2
"""Fits, each on the windows that the one before finds worst."""
FREEDOM = 2.0
"""How far weights may go (the inverse of the ridge): from 1 to 12 it makes little difference where whole
styles are left out; harmless development questions come out lowest from 1 to 2."""
FEATURES = 8_000
"""Features kept for each guard: a file of about 400 kB, read in 30 ms."""
CALM = ("plain", "long-story-lookalike", "question-in", "question-out", "phrasing", "lookalike-support")
"""Styles whose sentences stories are put together from."""
LEAST_SEEN = 2
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
    """Stories of three to nine harmless sentences, half of them with what a guard stops among them."""
    chance = random.Random(SEED)
    calm = [s for e in examples if e.label == "ok" and e.style in CALM for s in e.sentences if len(s) > 3]
    hidden = {guard: [e for e in examples if e.label == guard and len(e.sentences) == 1] for guard in GUARDS}
    stories = []
    for number in range(count):
        sentences = chance.sample(calm, chance.randint(3, 9))
        label = INSIDE[number % len(INSIDE)]
        if label in hidden:
            sentences.insert(chance.randint(0, len(sentences)), *chance.choice(hidden[label]).sentences)
        stories.append(Example("", sentences, label, "composed"))
    return stories


def features(words: Sentence, lexicon: Lexicon) -> dict[str, float]:
    """Feature values of one window, as the classifier sums them."""
    values: dict[str, float] = collections.defaultdict(float)
    scale = 1 / damped(len(words))
    for word in words:
        for name, value in word_features(word, lexicon):
            values[name] += value * scale
    for apart in range(1, REACH + 1):
        for first, second in zip(words, words[apart:], strict=False):
            for name, value in pair_features(first, second, apart, lexicon):
                values[name] += value * scale
    return values


class Bags:
    """Messages as bags of windows, of which the worst counts, and the logistic regressions over them."""

    def __init__(self, examples: list[Example], lexicon: Lexicon) -> None:
        bags = [[features(window, lexicon) for window in _windows(example)] for example in examples]
        kept = [(example, bag) for example, bag in zip(examples, bags, strict=True) if bag]
        self._labels = np.array([example.label for example, _ in kept])
        self._calm = np.array([WEIGHT_OF_IN_SCOPE if e.style in IN_SCOPE else 1.0 for e, _ in kept])
        seen = collections.Counter(name for _, bag in kept for name in set().union(*bag))
        self.names = sorted(name for name, count in seen.items() if count >= LEAST_SEEN)
        self._seen = np.array([seen[name] for name in self.names])
        vectorizer = DictVectorizer().fit([dict.fromkeys(self.names, 1.0)])
        self._rows = vectorizer.transform([window for _, bag in kept for window in bag]).tocsr()
        sizes = [len(bag) for _, bag in kept]
        self._starts = np.cumsum([0, *sizes[:-1]])
        self._lengths = np.diff(self._rows.indptr)

    def fit(self, guard: str) -> tuple[dict[str, float], float]:
        """The weights of the FEATURES that move the guard's scores most, and its bias."""
        broad = self._regress(guard, np.arange(len(self.names)))
        moved = np.abs(broad.coef_[0]) * self._seen**0.25
        columns = np.sort(np.argsort(-moved, kind="stable")[:FEATURES])
        narrow = self._regress(guard, columns)
        weights = zip((self.names[column] for column in columns), narrow.coef_[0], strict=True)
        return {name: float(weight) for name, weight in weights}, float(narrow.intercept_[0])

    def _regress(self, guard: str, columns: np.ndarray) -> LogisticRegression:
        """Fitted on one window of each message: first the fullest, then in each round the worst."""
        rows, hits = self._rows[:, columns], self._labels == guard
        costs = np.where(hits, WEIGHT_OF_HIT[guard], self._calm)
        scores = self._lengths.astype(float)
        model = LogisticRegression(C=FREEDOM, solver="liblinear", tol=1e-3, random_state=SEED)
        for _ in range(ROUNDS):
            model.fit(rows[self._worst(scores)], hits, sample_weight=costs)
            scores = rows @ model.coef_[0]
        return model

    def _worst(self, scores: np.ndarray) -> np.ndarray:
        """For each message, the window with the highest score."""
        ends = [*self._starts[1:], len(scores)]
        return np.array([a + scores[a:b].argmax() for a, b in zip(self._starts, ends, strict=True)])


def _windows(example: Example) -> list[Sentence]:
    running = [word for sentence in example.sentences for word in sentence]
    return [running[start:end] for start, end in windows(example.sentences)]


def fit(examples: list[Example], lexicon: Lexicon) -> Classifier:
    """A classifier of FEATURES features for each guard, its weights rounded as they are shipped."""
    bags = Bags(examples + compose(examples, STORIES), lexicon)
    weights, biases = zip(*(bags.fit(guard) for guard in GUARDS), strict=True)
    table = {
        name: [round(row.get(name, 0.0), 2) or 0 for row in weights] for name in sorted(set().union(*weights))
    }
    return Classifier(GUARDS, [round(bias, 3) for bias in biases], table, lexicon)


def cross_validate(examples: list[Example], guards: Guards, folds: int) -> dict[tuple[str, str], list[str]]:
    """For every label and style, what an unseen classifier (with the patterns) said to each message."""
    shuffled = examples[:]
    random.Random(SEED).shuffle(shuffled)
    said: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
    for fold in range(folds):
        rest = [e for n, e in enumerate(shuffled) if n % folds != fold]
        trained = guards.with_classifier(fit(rest, guards.classifier.lexicon))
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


def write(classifier: Classifier, examples: list[Example], today: date) -> None:
    """Put the weights and how they came about into core/guards.json."""
    counts = collections.Counter(example.label for example in examples)
    made = {
        "made_by": "python -m tests.bench.fit_guards",
        "made_from": ["tests/data/guards_train.jsonl", "tests/data/questions_train.jsonl", "content.yaml"],
        "made_on": today.isoformat(),
        "messages": dict(sorted(counts.items())),
        "features": len(classifier.weights),
    }
    lines = [
        f"{json.dumps(n, ensure_ascii=False)}:{json.dumps(w, separators=(',', ':'))}"
        for n, w in sorted(classifier.weights.items())
    ]
    head = json.dumps({"made": made, "names": GUARDS, "bias": classifier.bias}, indent=1)
    WEIGHTS.write_text(f'{head[:-2]},\n "weights": {{\n' + ",\n".join(lines) + "\n}}\n", encoding="utf-8")


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
    write(fit(examples, guards.classifier.lexicon), examples, args.date)


if __name__ == "__main__":
    main()
