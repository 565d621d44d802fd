"""Word patterns: what an editor writes in guards.yaml, and how it is found in a sentence.

A pattern is a row of elements, parted by spaces:

    kill            this word
    kill/end/top    any of these words
    suicid*         any word that starts so
    @self           any word of the list `self`
    [to]            this element, or nothing
    <3>             up to three words, whatever they are
    ^  $            the sentence starts, or ends, here
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from sys import intern

_GAP = re.compile(r"<(\d)>")
_FEW = 12
MOST_STEPS = 400
"""Comparisons spent on one pattern at one place; a text made to be slow runs into it."""


@dataclass(frozen=True, slots=True)
class Element:
    """One place in a pattern; without words and stems it fits any word."""

    words: Collection[str] = ()
    stems: tuple[str, ...] = ()
    optional: bool = False
    gap: int = 0
    edge: str = ""

    def fits(self, word: str) -> bool:
        """Whether `word` can stand here."""
        return word in self.words or (bool(self.stems) and word.startswith(self.stems))


Pattern = tuple[Element, ...]


def _element(written: str, lists: Mapping[str, Sequence[str]]) -> Element:
    if written in ("^", "$"):
        return Element(edge=written)
    if gap := _GAP.fullmatch(written):
        return Element(gap=int(gap.group(1)))
    optional = written.startswith("[") and written.endswith("]")
    names: list[str] = []
    for name in written.strip("[]").split("/"):
        names += lists[name[1:]] if name.startswith("@") else [intern(name)]
    return Element(
        _held([name for name in names if not name.endswith("*")]),
        tuple(name[:-1] for name in names if name.endswith("*")),
        optional,
    )


def _held(words: Sequence[str]) -> Collection[str]:
    """Words to be asked for; a set of a few takes five times the memory of a tuple and tells no faster."""
    return frozenset(words) if len(words) > _FEW else tuple(words)


def read_pattern(
    written: str, lists: Mapping[str, Sequence[str]], known: dict[str, Element] | None = None
) -> Pattern:
    """The pattern behind its written form.

    `known` holds what elements were read before, with the same lists, and takes the new ones:
    most stand in many patterns.

    Raises:
        ValueError: it does not start with a word (after an optional `^`).
        KeyError: it names a list that is not there.
    """
    known = {} if known is None else known
    parts = written.split()
    for part in parts:
        if part not in known:
            known[part] = _element(part, lists)
    pattern = tuple(known[part] for part in parts)
    first = pattern[1] if pattern[0].edge and len(pattern) > 1 else pattern[0]
    if first.optional or first.gap or first.edge:
        raise ValueError(f"pattern {written!r} must start with a word")
    return pattern


def _end(pattern: Pattern, sentence: Sequence[str], start: int) -> int:
    """Where `pattern`, laid at `start`, ends in `sentence`; -1 if it does not fit."""
    waiting = [(0, start)]
    for _ in range(MOST_STEPS):
        if not waiting:
            return -1
        step, place = waiting.pop()
        if step == len(pattern):
            return place
        element = pattern[step]
        if element.edge:
            last = len(sentence) - (sentence[-1] == "?")
            if place == 0 if element.edge == "^" else place >= last:
                waiting.append((step + 1, place))
        elif element.gap:
            furthest = min(place + element.gap, len(sentence))
            waiting += [(step + 1, next_place) for next_place in range(furthest, place - 1, -1)]
        else:
            if element.optional:
                waiting.append((step + 1, place))
            if place < len(sentence) and element.fits(sentence[place]):
                waiting.append((step + 1, place + 1))
    return -1


@dataclass(frozen=True, slots=True)
class Entry:
    """A pattern in a matcher: `needs` are word sets that a sentence must meet for it to fit at all."""

    number: int
    name: str
    pattern: Pattern
    needs: tuple[Collection[str], ...]


def _needs(pattern: Pattern) -> tuple[Collection[str], ...]:
    return tuple(
        element.words for element in pattern if element.words and not (element.stems or element.optional)
    )


class Matcher:
    """Named pattern groups, found together in one pass over a sentence."""

    def __init__(self, groups: Mapping[str, Sequence[Pattern]]) -> None:
        self._by_word: dict[str, list[Entry]] = {}
        self._by_stem: dict[str, list[Entry]] = {}
        rows = [(name, pattern) for name, patterns in groups.items() for pattern in patterns]
        for number, (name, pattern) in enumerate(rows):
            entry = Entry(number, name, pattern, _needs(pattern))
            first = pattern[1] if pattern[0].edge else pattern[0]
            for word in first.words:
                self._by_word.setdefault(word, []).append(entry)
            for stem in first.stems:
                self._by_stem.setdefault(stem, []).append(entry)
        self._stem_lengths = sorted({len(stem) for stem in self._by_stem})

    def found(self, sentence: Sequence[str]) -> Iterator[tuple[str, int, int]]:
        """Group name, first word and end of every pattern that fits, from left to right."""
        words = frozenset(sentence)
        hopeless: set[int] = set()
        for place, word in enumerate(sentence):
            for entry in self._starting(word):
                if entry.number in hopeless:
                    continue
                for need in entry.needs:
                    if words.isdisjoint(need):
                        hopeless.add(entry.number)
                        break
                else:
                    if (end := _end(entry.pattern, sentence, place)) >= 0:
                        yield entry.name, place, end

    def _starting(self, word: str) -> Iterator[Entry]:
        yield from self._by_word.get(word, ())
        for length in self._stem_lengths:
            yield from self._by_stem.get(word[:length], ())
