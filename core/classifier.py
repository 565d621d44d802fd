"""A classifier over words, their meanings, word pairs and letter runs: one probability per guard."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp, log, sqrt
from mmap import ACCESS_READ, mmap
from pathlib import Path

from core.network import Head, Network, Unit

HEADS = Path(__file__).with_name("guards.json")
WEIGHTS = HEADS.with_suffix(".bin")
"""Both written by tests/bench/fit_guards.py."""

WORD = 10
"""What a feature counts in a sum."""

LETTER_RUN = 2
"""What a letter run counts beside a word, chosen by cross-validation (fit_guards.py)."""

MARK = 15
"""What the mark of a rule counts beside a word (fit_guards.py)."""

PAIR = 5
"""What a pair of meanings counts beside a word (fit_guards.py)."""

DAMPING = 4.0
"""Words added to a window's length, so that very short ones don't shout (fit_guards.py)."""

WINDOW = 26
"""Longest window in words: a long sentence is read in pieces of this length, half overlapping."""

TOLL = 1.0
"""Times the logarithm of the number of windows, taken from every score: a
long harmless story has many chances to sound alarming once (fit_guards.py)."""

REACH = 4
"""Words from one to the next in a pair of meanings."""

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


def word_features(word: str, lexicon: Lexicon) -> list[tuple[str, int]]:
    """Feature names of one word and what each counts; a mark (`=rule`) has no letters to look at."""
    if word.startswith("="):
        return [(word, MARK)]
    whole = [word, *lexicon.fields(word)]
    if word in lexicon.concepts:
        whole.append(lexicon.concepts[word])
    return [(name, WORD) for name in whole] + [(run, LETTER_RUN) for run in letter_runs(word)]


def pair_features(first: str, second: str, apart: int, lexicon: Lexicon) -> Iterator[tuple[str, int]]:
    """Feature names of two words `apart` places from each other (1: neighbours), and what each counts."""
    if apart == 1:
        yield f"{lexicon.concept(first)} {lexicon.concept(second)}", WORD
    elif apart == 2:
        yield f"{lexicon.concept(first)} _ {lexicon.concept(second)}", WORD
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
    """A network whose outputs are the three guards', and the lexicon it was fitted with.

    A feature is a word (`die`), a pair of neighbours (`to die`) or of next neighbours (`want _ die`),
    a letter run (`~ die`), or what `lexicon` makes of words: a concept (`@kin`), which also stands
    for the word in pairs, a meaning (`#death`), or two meanings in this order (`#wish>#death`).
    """

    def __init__(self, network: Network, lexicon: Lexicon) -> None:
        self._network = network
        self.lexicon = lexicon

    def scores(self, sentences: Sequence[Sequence[str]]) -> list[tuple[Span, Sums]]:
        """Every window with its probabilities, in the order of the network's heads."""
        running = [word for sentence in sentences for word in sentence]
        add = self._network.sum
        # A long text says much twice.
        of_words = {word: add(word_features(word, self.lexicon)) for word in set(running)}
        rows = [[of_words[word] for word in running]]
        for apart in range(1, min(REACH, len(running) - 1) + 1):
            pairs = list(zip(running, running[apart:], strict=False))
            of_pairs = {pair: add(pair_features(*pair, apart, self.lexicon)) for pair in set(pairs)}
            rows.append([of_pairs[pair] for pair in pairs])
        totals = [list(accumulate(row, initial=0)) for row in rows]
        spans = windows(sentences)
        toll = window_toll(len(spans))
        return [(span, self._probabilities(span, totals, toll)) for span in spans]

    def _probabilities(self, span: Span, totals: Sequence[Sequence[int]], toll: float) -> Sums:
        start, end = span
        # A window of n words has n - 1 pairs of neighbours, n - 2 of next neighbours, and so on.
        total = sum(row[end - apart] - row[start] for apart, row in enumerate(totals) if end - apart > start)
        outputs = self._network.outputs(total, 1 / damped(end - start))
        first, second, third = (_squash(output - toll) for output in outputs)
        return first, second, third


def _squash(value: float) -> float:
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, value))))


def load_classifier(lexicon: Lexicon) -> Classifier:
    """The shipped classifier, with the lexicon it was fitted with."""
    made = json.loads(HEADS.read_text(encoding="utf-8"))
    heads = [Head(head["bias"], tuple(Unit(**unit) for unit in head["units"])) for head in made["heads"]]
    with WEIGHTS.open("rb") as file:
        # Read where it is used, and kept once for all processes that run.
        weights = mmap(file.fileno(), 0, access=ACCESS_READ)
    return Classifier(Network(heads, weights), lexicon)
