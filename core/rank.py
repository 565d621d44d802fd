"""How well one entry fits a question: its wording held so that scores are a few dictionary reads."""

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from zlib import crc32

from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

from core.words import words

GRAM = 4
"""Bytes of a gram: 3, 4 and 5 together find no more and take three times the memory."""
MAX_WORDS = 160
"""Words of a question that are looked at; the longest in the training questions has 150."""

_SMOOTHING = 0.3
_GRAM_KINDS = 20_000
_STEM_KINDS = 3_000
"""Rough sizes of the two vocabularies; within a factor of three they change no ranking."""

_ROOM = 8
"""Places for each gram of a profile: up to one in eight unseen grams is taken for a seen one. A dict of
grams would tell them apart, and take 6 MB more for 46 entries."""

_STOP_TEXT = """
a about am an and any anyone are as at be been but by can could did do does for from get got had has
have he her him his i id if im in is it its ive just like me my no not of on one or our she so some
such than that the their them then there these they this to too u us was we were what when where
which who why will with would you your
"""
_STOP = frozenset(_STOP_TEXT.split())
_ANALYZER = TextAnalyzerBuilder(Tokenizer.whitespace()).filter(Filter.stemmer("english")).build()

Idf = Callable[[str], float]
"""How telling a stem is: 0 upwards."""


def stem(word: str) -> str:
    """The English stem of one folded word."""
    found = _ANALYZER.analyze(word)
    return found[0] if found else word


def is_function_word(word: str) -> bool:
    """Whether a word only joins others."""
    return word in _STOP


def telling(text_words: Iterable[str], topic: frozenset[str]) -> list[str]:
    """`text_words` without function words and without names of the topic."""
    return [word for word in text_words if word not in _STOP and word not in topic]


def grams(text_words: Sequence[str]) -> tuple[int, ...]:
    """Hashes of the distinct runs of four bytes, with spaces: they outlive typos and carry word order."""
    text = f" {' '.join(text_words)} ".encode()
    # A dict keeps their order, and so the last digit of every sum, the same in each process.
    runs = dict.fromkeys([text[i : i + GRAM] for i in range(len(text) - GRAM + 1)])
    return tuple(map(crc32, runs))


@dataclass(frozen=True, slots=True)
class Query:
    """A question, ready to be compared."""

    words: tuple[str, ...]
    weights: dict[str, float]
    """Stem to idf; function words included, with their small weight."""
    norm: float
    grams: tuple[int, ...]
    """Hashes."""
    runs: frozenset[tuple[str, ...]]
    """Up to four stems in a row, to meet keywords."""


def make_query(text_words: Sequence[str], idf: Idf) -> Query:
    """The query of corrected, folded words."""
    kept = tuple(text_words[:MAX_WORDS])
    stems = [stem(word) for word in kept]
    weights = {s: idf(s) for s in stems}
    norm = math.sqrt(sum(w * w for w in weights.values())) or 1.0
    runs = frozenset(tuple(stems[i : i + n]) for n in (1, 2, 3, 4) for i in range(len(stems) - n + 1))
    return Query(kept, weights, norm, grams(kept), runs)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near a profile is: cosines of its nearest lines, naive Bayes log-probabilities per item."""

    nearest: float
    nearest8: float
    stem_odds: float
    gram_odds: float
    keyword: float
    """Share of the question's weight that the longest keyword in it carries."""
    covered: float
    """Share of the question's weight that occurs in the entry at all."""
    keywords: frozenset[tuple[str, ...]]
    """The entry's keywords that the question contains, as stems."""


class Profile:
    """Everything said for one entry (or for all questions that have none)."""

    __slots__ = (
        "_gram_base",
        "_gram_counts",
        "_lines",
        "_names",
        "_norms",
        "_postings",
        "_stem_base",
    )

    def __init__(
        self, names: Sequence[str], lines: Sequence[str], idf: Idf, known: dict[str, str] | None = None
    ) -> None:
        """`names` are keywords, `lines` whole sentences; all are lines to be near to.

        `known` are stems that other profiles hold, to hold the same ones; it takes the new ones.
        """
        known = {} if known is None else known
        split = [words(line)[:MAX_WORDS] for line in (*names, *lines)]
        # A line at a time is a tenth of the calls.
        stemmed = [[known.setdefault(s, s) for s in _ANALYZER.analyze(" ".join(line))] for line in split]
        self._lines = len(split)
        self._names = frozenset(map(tuple, filter(None, stemmed[: len(names)])))
        gram_counts: Counter[int] = Counter()
        postings: defaultdict[str, list[int]] = defaultdict(list)
        norms: list[float] = []
        for number, (line, said) in enumerate(zip(split, stemmed, strict=True)):
            stems = tuple(dict.fromkeys(said))
            gram_counts.update(grams(line))
            norms.append(math.sqrt(sum(idf(s) ** 2 for s in stems)) or 1.0)
            for s in stems:
                postings[s].append(number)
        # Thousands of these are kept: bytes take half of what tuples do, a tenth of pairs with weights.
        pack = bytes if len(split) <= 256 else tuple
        self._postings = {s: pack(numbers) for s, numbers in postings.items()}
        self._norms = array("d", norms)
        self._stem_base = _unseen(sum(map(len, postings.values())), _STEM_KINDS)
        self._gram_counts = _hashed(gram_counts)
        self._gram_base = _unseen(gram_counts.total(), _GRAM_KINDS)

    @property
    def stems(self) -> AbstractSet[str]:
        """The entry's vocabulary."""
        return self._postings.keys()

    def cosines(self, query: Query) -> list[float]:
        """The cosines of the eight nearest lines, best first."""
        sums: defaultdict[int, float] = defaultdict(float)
        norms = self._norms
        for s, weight in query.weights.items():
            square = weight**2
            for number in self._postings.get(s, ()):
                sums[number] += square / norms[number]
        return [value / query.norm for value in sorted(sums.values(), reverse=True)[:8]]

    def compare(self, query: Query) -> Likeness:
        """How near `query` is to this profile."""
        near = self.cosines(query)
        weights = query.weights
        total = sum(weights.values()) or 1.0
        keywords = query.runs & self._names
        named = max((sum(weights[s] for s in set(run)) for run in keywords), default=0.0)
        stem_gain = sum(_gain(len(self._postings[s])) for s in weights if s in self._postings)
        counts = self._gram_counts
        size = len(counts)
        gram_gain = sum([_GAINS[counts[gram % size]] for gram in query.grams])
        return Likeness(
            near[0] if near else 0.0,
            sum(near) / min(8, self._lines or 1),
            self._stem_base + stem_gain / (len(weights) or 1),
            self._gram_base + gram_gain / (len(query.grams) or 1),
            named / total,
            sum(w for s, w in weights.items() if s in self._postings) / total,
            keywords,
        )


def log_odds(probability: float) -> float:
    """The logit, cut off at about +-9."""
    return math.log((probability + 1e-4) / (1 - probability + 1e-4))


@cache
def _gain(count: int) -> float:
    """The log-odds of an item seen so often over an unseen one."""
    return math.log((count + _SMOOTHING) / _SMOOTHING)


_GAINS = tuple(map(_gain, range(256)))


def _hashed(counts: Counter[int]) -> bytes:
    """How often each hash was counted, up to 255, at its remainder."""
    table = bytearray(_ROOM * len(counts) + 1)
    for gram, count in counts.items():
        place = gram % len(table)
        table[place] = min(255, table[place] + count)
    return bytes(table)


def _unseen(total: int, kinds: int) -> float:
    """The log-probability of an unseen item."""
    return math.log(_SMOOTHING / (total + _SMOOTHING * kinds))
