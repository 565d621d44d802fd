"""Fit core/guards.json, and say what it is worth by five-fold cross-validation.

    python -m tests.bench.fit_guards --date 2026-11-23 [--content content.yaml] [--folds 5]

Run it from the root of the repository. Labelled messages come from tests/data/guards_train.jsonl;
questions people ask (tests/data/questions_train.jsonl) and the phrasings of every entry join as "ok";
STORIES put together from them teach it what a long harmless message looks like.
The same input gives the same file, to the last digit.
"""

import argparse
import collections
import json
import math
import random
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from core.classifier import (
    REACH,
    WEIGHTS,
    Classifier,
    Lexicon,
    damped,
    pair_features,
    window_toll,
    windows,
    word_features,
)
from core.safety import GUARDS, Guards, load_guards
from core.spelling import Sentence

DATA = Path(__file__).parents[1] / "data"
SEED = 20_26
STORIES = 1_500
"""Messages put together from others, a third of them with a crisis inside."""
EPOCHS = 18
BROAD_EPOCHS = 6
"""Rounds before the strongest features are picked."""
REST = 2
"""Rounds that a message sits out once it is judged right without doubt."""
RATE = 0.8
SHRINK = 2e-5
"""Pull towards zero at each step: chosen with EPOCHS and RATE by cross-validation."""
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

Window = list[tuple[int, float]]


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
    """Stories of three to nine harmless sentences, every third with a crisis among them."""
    chance = random.Random(SEED)
    calm = [s for e in examples if e.label == "ok" and e.style in CALM for s in e.sentences if len(s) > 3]
    crises = [e for e in examples if e.label == "crisis" and len(e.sentences) == 1]
    stories = []
    for number in range(count):
        sentences = chance.sample(calm, chance.randint(3, 9))
        if inside := number % 3 == 0:
            sentences.insert(chance.randint(0, len(sentences)), *chance.choice(crises).sentences)
        stories.append(Example("", sentences, "crisis" if inside else "ok", "composed"))
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


class Fit:
    """Logistic regression by adaptive gradient steps; a message counts by its worst window.

    `only` names the features that each guard may use.
    """

    def __init__(
        self, examples: list[Example], lexicon: Lexicon, only: list[frozenset[str]] | None = None
    ) -> None:
        rows = [[features(window, lexicon) for window in _windows(example)] for example in examples]
        self.seen = collections.Counter(name for row in rows for name in set().union(*row))
        frequent = frozenset(name for name, count in self.seen.items() if count >= LEAST_SEEN)
        allowed = only or [frequent] * len(GUARDS)
        kept = sorted(frozenset().union(*allowed))
        self._lexicon = lexicon
        self.names = {name: place for place, name in enumerate(kept)}
        by_choice = {names: [[self._window(w, names) for w in row] for row in rows] for names in allowed}
        self._rows = [by_choice[names] for names in allowed]
        self._labels = [example.label for example in examples]
        self._calm = [WEIGHT_OF_IN_SCOPE if example.style in IN_SCOPE else 1.0 for example in examples]
        self.weights = [[0.0] * len(kept) for _ in GUARDS]
        self.bias = [-2.0] * len(GUARDS)
        self._resting = [[0] * len(examples) for _ in GUARDS]
        self._squares = [[1e-3] * len(kept) for _ in GUARDS]

    def _window(self, window: dict[str, float], names: frozenset[str]) -> Window:
        return [(self.names[name], value) for name, value in window.items() if name in names]

    def run(self, epochs: int = EPOCHS) -> None:
        """All `epochs`, in an order that depends on SEED only."""
        chance = random.Random(SEED)
        order = [place for place, row in enumerate(self._rows[0]) if row]
        for epoch in range(epochs):
            chance.shuffle(order)
            for place in order:
                for head in range(len(GUARDS)):
                    self._step(head, place, RATE / math.sqrt(1 + epoch / 4))

    def _step(self, head: int, place: int, rate: float) -> None:
        if self._resting[head][place]:
            self._resting[head][place] -= 1
            return
        weights, squares = self.weights[head], self._squares[head]
        rows = self._rows[head][place]
        best, window = -math.inf, rows[0]
        for candidate in rows:
            score = sum(weights[name] * value for name, value in candidate)
            if score > best:
                best, window = score, candidate
        hit = self._labels[place] == GUARDS[head]
        score = best + self.bias[head] - window_toll(len(rows))
        probability = 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))
        slope = (probability - hit) * (WEIGHT_OF_HIT[GUARDS[head]] if hit else self._calm[place])
        if abs(slope) < 0.01:
            self._resting[head][place] = REST
            return
        self.bias[head] -= 0.1 * rate * slope
        for name, value in window:
            step = slope * value + SHRINK * weights[name]
            squares[name] += step * step
            weights[name] -= rate * 0.3 * step / math.sqrt(squares[name])

    def strongest(self) -> list[frozenset[str]]:
        """For each guard, the FEATURES names that move its scores most over the training messages."""
        return [self._strongest(weights) for weights in self.weights]

    def _strongest(self, weights: list[float]) -> frozenset[str]:
        moved = {name: abs(weights[place]) * self.seen[name] ** 0.25 for name, place in self.names.items()}
        return frozenset(sorted(moved, key=lambda name: (-moved[name], name))[:FEATURES])

    def classifier(self) -> Classifier:
        """The fitted weights, rounded as they are shipped."""
        table = {
            name: [round(row[place], 2) or 0 for row in self.weights] for name, place in self.names.items()
        }
        return Classifier(GUARDS, [round(b, 3) for b in self.bias], table, self._lexicon)


def _windows(example: Example) -> list[Sentence]:
    running = [word for sentence in example.sentences for word in sentence]
    return [running[start:end] for start, end in windows(example.sentences)]


def fit(examples: list[Example], lexicon: Lexicon) -> Classifier:
    """A classifier of FEATURES features: fitted on all of them, then again on the strongest."""
    examples = examples + compose(examples, STORIES)
    broad = Fit(examples, lexicon)
    broad.run(BROAD_EPOCHS)
    narrow = Fit(examples, lexicon, broad.strongest())
    narrow.run()
    return narrow.classifier()


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
