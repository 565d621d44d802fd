"""Text as sentences of plain words, with typing slips, letter swaps and emoji undone."""

import re
from collections.abc import Iterable, Mapping, Sequence

from core.words import LONGEST, fold

_TOKEN = re.compile(r"\d+[.,]\d+|[^\W_]+|[?.!;\n]")
_ENDS = frozenset("?.!;\n")
_SWAPPED = re.compile(r"[a-z][!*@$|0-9]+[a-z]|[!@$][a-z]")
_CHUNK = re.compile(r"[a-z0-9!*@$|]+")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_NUMBER = re.compile(r"\d[\d.,]*")
_SWAPS = str.maketrans("!1|0@$345", "iiioaseas")
_VOWELS = "aeiou"
_LONGEST_WORD = 20
_SPACED_LETTERS = 4
"""Single letters in a row that are read as one word: "d i e d" is; "plan b i c" is not."""

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

    def sentences(self, text: str) -> list[Sentence]:
        """The sentences of `text` as words; a question ends in the word `?`, a number is `0`."""
        plain = _STRETCHED.sub(r"\1", fold(text[:LONGEST].translate(self._emoji)))
        if _SWAPPED.search(plain):
            plain = _CHUNK.sub(self._unswap, plain)
        found: list[Sentence] = []
        sentence: Sentence = []
        for piece in [*_TOKEN.findall(plain), "\n"]:
            if piece not in "?.!;\n":
                sentence.append(piece)
            elif sentence:
                words = [word for joined in _join_letters(sentence) for word in self._fix(joined)]
                found.append([*words, "?"] if piece == "?" else words)
                sentence = []
        return found

    def _unswap(self, chunk: re.Match[str]) -> str:
        written = chunk.group()
        if len(written) > _LONGEST_WORD or written.isalpha() or written.isdigit():
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


def _join_letters(pieces: Sequence[str]) -> Sentence:
    """Letters typed apart as the word they spell: "d i e"."""
    if sum(len(piece) == 1 for piece in pieces) < _SPACED_LETTERS:
        return list(pieces)
    joined: Sentence = []
    run: Sentence = []
    for piece in [*pieces, ""]:
        if len(piece) == 1 and piece.isalpha():
            run.append(piece)
            continue
        joined += ["".join(run)] if len(run) >= _SPACED_LETTERS else run
        run = []
        if piece:
            joined.append(piece)
    return joined
