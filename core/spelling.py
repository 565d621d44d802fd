"""Text as sentences of plain words, with typing slips, letter swaps and emoji undone."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from core.words import LONGEST, fold

_TOKEN = re.compile(r"\d+[.,]\d+|[^\W_]+|[?.!;\n]")
_SWAPPED = re.compile(r"[a-z][!*@$|0-9]+[a-z]|[!@$][a-z]")
_CHUNK = re.compile(r"[a-z0-9!*@$|]+")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_NUMBER = re.compile(r"\d[\d.,]*")
_SWAPS = str.maketrans("!1|0@$345", "iiioaseas")
_VOWELS = "aeiou"
_SPACED_LETTERS = 4
"""Single letters in a row that are read as one word: "d i e d" is; "plan b i c" is not."""

REMEMBERED = 20_000
"""Words whose corrected form is kept: about 3 MB."""

Sentence = list[str]


def _deletions(word: str) -> set[str]:
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


class Spelling:
    """Reads text the way it was meant.

    Args:
        emoji: emoji to the word that stands for it.
        fixes: misspelt word to what it means, one or more words.
        keywords: words recognised with one letter wrong, missing, added or swapped.
        distinct: real words that only look like a misspelt keyword.
        lexicon: words looked for behind digits and signs (`k1ll`).
    """

    def __init__(
        self,
        emoji: Mapping[str, str],
        fixes: Mapping[str, str],
        keywords: Iterable[str],
        distinct: Iterable[str],
        lexicon: Iterable[str],
    ) -> None:
        self._emoji = str.maketrans({sign: f" {word} " for sign, word in emoji.items()})
        self._fixes = {word: tuple(meant.split()) for word, meant in fixes.items()}
        self._keywords = frozenset(keywords)
        self._kept = self._keywords | frozenset(distinct)
        self._near = {short: word for word in self._keywords for short in _deletions(word)}
        self._lexicon = frozenset(lexicon) | self._keywords | self._fixes.keys()
        self._fixed = lru_cache(REMEMBERED)(self._fix)

    def sentences(self, text: str) -> list[Sentence]:
        """The sentences of `text` as words; a question ends in the word `?`, a number is `0`."""
        plain = _STRETCHED.sub(r"\1", fold(text[:LONGEST].translate(self._emoji)))
        if _SWAPPED.search(plain):
            plain = _CHUNK.sub(self._unswap, plain)
        found: list[Sentence] = []
        sentence: Sentence = []
        for piece in _TOKEN.findall(plain):
            if piece in "?.!;\n":
                if sentence:
                    found.append([*sentence, "?"] if piece == "?" else sentence)
                    sentence = []
            else:
                sentence += self._fixed(piece)
        if sentence:
            found.append(sentence)
        return [self._join_letters(sentence) for sentence in found]

    def _unswap(self, chunk: re.Match[str]) -> str:
        written = chunk.group()
        if written.isalpha() or written.isdigit():
            return written
        plain = written.translate(_SWAPS)
        for vowel in _VOWELS if "*" in plain else "*":
            if (meant := plain.replace("*", vowel)) in self._lexicon:
                return meant
        return written

    def _fix(self, word: str) -> tuple[str, ...]:
        if word in self._fixes:
            return self._fixes[word]
        if word[0].isdigit():
            return (_NUMBER.sub("0", word),)
        if len(word) < 5 or len(word) > 16 or word in self._kept:
            return (word,)
        for short in _deletions(word):
            meant = self._near.get(short)
            if meant and abs(len(meant) - len(word)) < 2 and meant[0] == word[0]:
                return (meant,)
        return (word,)

    def _join_letters(self, sentence: Sentence) -> Sentence:
        if sum(len(word) == 1 for word in sentence) < _SPACED_LETTERS:
            return sentence
        joined: Sentence = []
        run: Sentence = []
        for word in [*sentence, ""]:
            if len(word) == 1 and word.isalpha():
                run.append(word)
                continue
            joined += self._fixed("".join(run)) if len(run) >= _SPACED_LETTERS else run
            run = []
            if word:
                joined.append(word)
        return joined
