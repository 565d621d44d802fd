"""A linear classifier over words, their meanings, word pairs and letter runs: one probability per guard."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from math import exp, log, sqrt
from pathlib import Path

WEIGHTS = Path(__file__).with_name("guards.json")

LETTER_RUN = 0.2
"""What a letter run counts beside a whole word, chosen by cross-validation (fit_guards.py)."""

MARK = 1.5
"""What the mark of a rule counts beside a word (fit_guards.py)."""

DAMPING = 4.0
"""Words added to a window's length, so that very short ones don't shout (fit_guards.py)."""

WINDOW = 26
"""Longest window in words: a long sentence is read in pieces of this length, half overlapping."""

TOLL = 1.0
"""Times the logarithm of the number of windows, taken from every score: a
long harmless story has many chances to sound alarming once (fit_guards.py)."""

REACH = 4
"""Words from one to the next in a pair of meanings."""

PAIR = 0.5
"""What a pair of meanings counts beside a word (fit_guards.py)."""

Sums = tuple[float, float, float]
"""One value for each guard."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What words mean.

    Attributes:
        concepts: words that are read as one (`husband` as `@kin`); a word has at most one.
        meanings: wider fields that a word belongs to (`rope`: `#weapon`), as many as fit.
    """

    concepts: Mapping[str, str]
    meanings: Mapping[str, Sequence[str]]

    def concept(self, word: str) -> str:
        """What `word` is read as in pairs: itself, if no concept has it."""
        return self.concepts.get(word, word)

    def fields(self, word: str) -> Sequence[str]:
        """The meanings of `word`; a mark (`=rule`) means itself."""
        return (word,) if word.startswith("=") else self.meanings.get(word, ())


def letter_runs(word: str) -> list[str]:
    """Runs of three to five letters in `word`, its edges marked by spaces and led by `~`."""
    if len(word) <= 2:
        return []
    edged = f" {word[:20]} "
    return [f"~{edged[start : start + size]}" for size in (3, 4, 5) for start in range(len(edged) - size + 1)]


def word_features(word: str, lexicon: Lexicon) -> list[tuple[str, float]]:
    """Feature names of one word and what each counts; a mark (`=rule`) has no letters to look at."""
    if word.startswith("="):
        return [(word, MARK)]
    whole = [word, *lexicon.fields(word)]
    if word in lexicon.concepts:
        whole.append(lexicon.concepts[word])
    return [(name, 1.0) for name in whole] + [(run, LETTER_RUN) for run in letter_runs(word)]


def pair_features(first: str, second: str, apart: int, lexicon: Lexicon) -> Iterator[tuple[str, float]]:
    """Feature names of two words `apart` places from each other (1: neighbours), and what each counts."""
    if apart == 1:
        yield f"{lexicon.concept(first)} {lexicon.concept(second)}", 1.0
    elif apart == 2:
        yield f"{lexicon.concept(first)} _ {lexicon.concept(second)}", 1.0
    for a in lexicon.fields(first):
        for b in lexicon.fields(second):
            yield f"{a}>{b}", PAIR


def windows(sentences: Sequence[Sequence[str]]) -> list[Span]:
    """Spans of the running words that are judged one by one: sentences, neighbours, the whole."""
    starts = [0, *accumulate(map(len, sentences))]
    spans: list[Span] = []
    for start, end in pairwise(starts):
        if end - start <= WINDOW:
            spans.append((start, end))
        else:
            spans += [(at, min(at + WINDOW, end)) for at in range(start, end - WINDOW // 2, WINDOW // 2)]
    spans += [(a, b) for a, b in zip(starts, starts[2:], strict=False) if b - a <= WINDOW]
    if len(sentences) > 2 and starts[-1] <= WINDOW:
        spans.append((0, starts[-1]))
    return spans


def damped(length: int) -> float:
    """What the sum over a window of `length` words is divided by."""
    return sqrt(length + DAMPING)


def window_toll(count: int) -> float:
    """What is taken from the scores of a text with `count` windows."""
    return TOLL * log(max(count, 1))


class Classifier:
    """Weights by feature, one for each of three guards, named by `names`; `bias` likewise.

    A feature is a word (`die`), a pair of neighbours (`to die`) or of next neighbours (`want _ die`),
    a letter run (`~ die`), or what `lexicon` makes of words: a concept (`@kin`), which also stands
    for the word in pairs, a meaning (`#death`), or two meanings in this order (`#wish>#death`).
    """

    def __init__(
        self,
        names: Sequence[str],
        bias: Sequence[float],
        weights: Mapping[str, Sequence[float]],
        lexicon: Lexicon,
    ) -> None:
        self.names = tuple(names)
        self.bias = tuple(bias)
        self.weights = weights
        self.lexicon = lexicon

    def _sum(self, features: Iterable[tuple[str, float]]) -> Sums:
        # Written out, this takes half of what a loop over the guards does.
        first = second = third = 0.0
        weights = self.weights
        for name, value in features:
            if name in weights:
                a, b, c = weights[name]
                first += value * a
                second += value * b
                third += value * c
        return first, second, third

    def scores(self, sentences: Sequence[Sequence[str]]) -> list[tuple[Span, Sums]]:
        """Every window with its probabilities, in the order of `names`."""
        running = [word for sentence in sentences for word in sentence]
        rows = [[self._sum(word_features(word, self.lexicon)) for word in running]]
        for apart in range(1, min(REACH, len(running) - 1) + 1):
            pairs = zip(running, running[apart:], strict=False)
            rows.append([self._sum(pair_features(a, b, apart, self.lexicon)) for a, b in pairs])
        totals = list(zip(*map(_totals, rows), strict=True))
        spans = windows(sentences)
        toll = window_toll(len(spans))
        return [(span, self._probabilities(span, totals, toll)) for span in spans]

    def _probabilities(self, span: Span, totals: Sequence[Sequence[list[float]]], toll: float) -> Sums:
        start, end = span
        share = 1 / damped(end - start)
        first, second, third = (
            # A window of n words has n - 1 pairs of neighbours, n - 2 of next neighbours, and so on.
            _squash(
                bias
                - toll
                + share
                * sum(row[end - apart] - row[start] for apart, row in enumerate(rows) if end - apart > start)
            )
            for bias, rows in zip(self.bias, totals, strict=True)
        )
        return first, second, third


def _totals(row: Sequence[Sums]) -> list[list[float]]:
    """The running totals of `row` from 0, for each guard."""
    columns = zip(*row, strict=True) if row else ((), (), ())
    return [list(accumulate(column, initial=0.0)) for column in columns]


def _squash(value: float) -> float:
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, value))))


def load_classifier(lexicon: Lexicon, path: Path = WEIGHTS) -> Classifier:
    """The shipped classifier, with the lexicon it was fitted with."""
    # Few numbers are different, and every other row is the same as an earlier one: each is held once.
    made = json.loads(path.read_text(encoding="utf-8"), parse_float=cache(float))
    rows: dict[tuple[float, ...], tuple[float, ...]] = {}
    weights = {
        name: rows.setdefault(row, row)
        for name, row in zip(made["weights"], map(tuple, made["weights"].values()), strict=True)
    }
    return Classifier(made["names"], made["bias"], weights, lexicon)
