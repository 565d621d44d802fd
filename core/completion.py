"""Entries to pick from while somebody is still typing: by title, claim or keyword."""

from collections.abc import Sequence
from functools import cached_property

from core.content import Entry
from core.reply import Choice
from core.words import words

OFFERED = 25
"""Discord's limit for autocomplete (docs, Autocomplete)."""


class Completions:
    """Offers entries for the first letters of words; reads them only once it is asked."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = tuple(entries)

    def find(self, typed: str, kind: str | None = None) -> tuple[Choice, ...]:
        """At most `OFFERED` entries, of one `kind` if given, in which every typed word begins a word.

        Matches in the title go first, then those in the claim, then those in
        the keywords; within each, entries keep the order of the file.
        """
        wanted = [f" {word}" for word in words(typed)]
        found: list[list[Choice]] = [[], [], []]
        for of_kind, choice, depths in self._readings:
            if kind in (None, of_kind):
                depth = next((n for n, text in enumerate(depths) if all(w in text for w in wanted)), None)
                if depth is not None:
                    found[depth].append(choice)
        return tuple(choice for choices in found for choice in choices)[:OFFERED]

    @cached_property
    def _readings(self) -> list[tuple[str, Choice, tuple[str, str, str]]]:
        """Each entry with what may be typed for it, ever more of it."""
        readings: list[tuple[str, Choice, tuple[str, str, str]]] = []
        for entry in self._entries:
            title, claim = f" {' '.join(words(entry.title))}", f" {' '.join(words(entry.claim))}"
            keywords = "".join(f" {' '.join(words(keyword))}" for keyword in entry.keywords)
            depths = (title, title + claim, title + claim + keywords)
            readings.append((entry.kind, Choice(entry.id, entry.title, entry.claim), depths))
        return readings
