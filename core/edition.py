"""One state of content.yaml with everything built from it, swapped as a whole."""

from dataclasses import dataclass, field
from pathlib import Path

from core.card import card_check, first_card
from core.completion import Completions
from core.content import Content, Entry
from core.draft import load_content
from core.phrases import Phrases
from core.reply import Reply
from core.safety import CLASSIFIER, Guards, Ruling, rule
from core.search import Index

OTHER_NAMES = (Path(__file__).with_name("medicines.txt"), Path(__file__).with_name("other_topics.txt"))

LIKELY_ANSWERED = 0.6
"""Probability that some entry answers: 85% of the development questions that one answers reach it,
a third of those on where to get a drug."""


@dataclass(frozen=True, slots=True)
class Edition:
    """Sound content, its search index, what to offer while somebody types, and the guards before all that."""

    content: Content
    index: Index
    guards: Guards
    completions: Completions
    _cards: dict[str, Reply] = field(default_factory=dict, init=False, compare=False, repr=False)
    _rulings: dict[str, Ruling] = field(default_factory=dict, init=False, compare=False, repr=False)

    def card(self, entry: Entry, phrases: Phrases) -> Reply:
        """What a person reads first of an entry; the same object each time."""
        card = self._cards.get(entry.id)
        if card is None:
            card = self._cards[entry.id] = first_card(self.content, entry, phrases)
        return card

    def check(self, text: str) -> Ruling:
        """The guard that stops `text`, if one does; less is enough where no entry is likely to answer."""
        own = self.index.own_words(text)
        if own is None:
            return self._judged(text)
        # Most commands name an entry. Kept are words of the content alone, not what else a person typed.
        ruling = self._rulings.get(own)
        if ruling is None:
            ruling = self._rulings[own] = self._judged(own)
        return ruling

    def _judged(self, text: str) -> Ruling:
        ruling = self._weighed(text)
        # The classifier guesses, editors know: what it says of an entry's very name doesn't count.
        if (ruling.in_doubt or ruling.rule == CLASSIFIER) and self.index.is_name(text):
            return Ruling(None, "", ruling.scores)
        return ruling

    def _weighed(self, text: str) -> Ruling:
        scores, fired = self.guards.weigh(text)
        ruling, lower = rule(scores, fired, self.guards.limits), self.guards.lower
        if ruling.guard or not rule(scores, fired, lower).guard:
            return ruling
        found = self.index.find(text)
        is_answered = found.how == "name" or found.inside >= LIKELY_ANSWERED
        return ruling if is_answered else rule(scores, fired, lower)


def open_edition(path: Path, phrases: Phrases, guards: Guards) -> Edition:
    """Read content.yaml and build its index.

    Raises:
        ContentError: the file has faults; carries all of them.
    """
    return build_edition(load_content(path, [card_check(phrases)]), guards)


def build_edition(content: Content, guards: Guards) -> Edition:
    """An edition of content that is already checked; its index is not warm yet."""
    index = Index(content.entries, content.bot.topic_words, content.not_covered, _other_names())
    return Edition(content, index, guards, Completions(content.entries))


def _other_names() -> tuple[str, ...]:
    """Medicines, treatments and conditions: a question that names one may be on another topic."""
    lines = [line for name in OTHER_NAMES for line in name.read_text(encoding="utf-8").splitlines()]
    return tuple(line for line in lines if line and not line.startswith("#"))
