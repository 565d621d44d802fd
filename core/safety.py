"""What must not be answered from entries: a person in danger, doses, and where to get a drug."""

import re
from collections import defaultdict
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from types import MappingProxyType
from typing import Any

import yaml

from core.classifier import Classifier, Lexicon, load_classifier
from core.patterns import Element, Matcher, read_pattern
from core.spelling import Sentence, Spelling
from core.words import LONGEST

GUARDS = ("crisis", "dosing", "sourcing")
"""In order of rank: a crisis is met as one, whatever else the message asks."""

CLASSIFIER = "classifier"
"""The rule of a ruling that no pattern made."""

PATTERNS = Path(__file__).with_name("guards.yaml")

LIMITS = ("alone", "with_rule", "with_plain_rule", "unanswered")

_SILENCE = MappingProxyType(dict.fromkeys(GUARDS, 0.0))

CRISIS = GUARDS[0]

DOUBT = "doubt"
"""Among the rules that fired: what was found is a doubt in itself, whatever the classifier says."""

_CLAUSE_ENDS = re.compile(r",|\b(?:and|but|so|then|because|plus)\b", re.IGNORECASE)
_LONG = 12
"""Words from which on a text may drown what one clause of it says."""

CERTAIN = 0.9
"""Probability of a crisis in a clause by itself, where a plain rule fires in it, that counts for the whole.
On the blind set it stops one look-alike more; at 0.7 they were five (174 in all)."""

NEGATION_REACH = 3
"""Words before a pattern in which a negation undoes it: "I'm not at all suicidal"."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the guards say to one message.

    Attributes:
        guard: the guard that stops the message, if one does.
        rule: the pattern class that decided, or `classifier`, or nothing.
        scores: the classifier's highest probability for every guard.
        in_doubt: the crisis guard doesn't stop it, yet it may come from somebody in danger.
    """

    guard: str | None
    rule: str
    scores: Mapping[str, float]
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A class of meaning that one guard stops.

    Attributes:
        guard: who stops it.
        negatable: a negation just before it undoes it.
        unless: calm groups that undo it when found in the same sentence.
        plain: what it finds is rarely meant in another way.
    """

    guard: str
    negatable: bool
    unless: frozenset[str]
    plain: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Probabilities from which a guard stops a message, by what rule of it fired: none, any, a plain one.

    `unanswered` are the highest that hold where no entry is likely to answer; `doubt` is that of a crisis
    from which on no entry is shown; `plain` names the plain rules.
    """

    alone: Mapping[str, float]
    with_rule: Mapping[str, float]
    with_plain_rule: Mapping[str, float]
    unanswered: Mapping[str, float]
    doubt: float
    plain: frozenset[str]

    def where_unanswered(self) -> "Limits":
        """The limits that hold where no entry is likely to answer."""
        highest = self.unanswered
        alone, with_rule, with_plain_rule = (
            {guard: min(limit, highest[guard]) for guard, limit in kind.items()}
            for kind in (self.alone, self.with_rule, self.with_plain_rule)
        )
        return Limits(alone, with_rule, with_plain_rule, highest, self.doubt, self.plain)

    def of(self, guard: str, fired: Mapping[str, str]) -> float:
        """The limit of `guard` where these rules fired."""
        if guard not in fired:
            return self.alone[guard]
        return (self.with_plain_rule if fired[guard] in self.plain else self.with_rule)[guard]


def rule(scores: Mapping[str, float], fired: Mapping[str, str], limits: Limits) -> Ruling:
    """What follows from the classifier's `scores` and the rules that `fired`, both by guard."""
    in_doubt = scores[CRISIS] >= limits.doubt or DOUBT in fired
    reached = [guard for guard in GUARDS if scores[guard] >= limits.of(guard, fired)]
    if not reached:
        return Ruling(None, "", scores, in_doubt)
    # Who asks for a dose and says plainly what for is in danger: there a doubt is enough.
    if CRISIS in reached or (in_doubt and fired.get(CRISIS) in limits.plain):
        return Ruling(CRISIS, fired.get(CRISIS, CLASSIFIER), scores)
    guard = max(reached, key=scores.__getitem__)
    return Ruling(guard, fired.get(guard, CLASSIFIER), scores, in_doubt)


class Guards:
    """Patterns name what they see; the classifier weighs it; crisis comes before the others.

    Attributes:
        limits: where they stop a message.
        lower: where they do if no entry is likely to answer it.
    """

    def __init__(
        self,
        spelling: Spelling,
        rules: Mapping[str, Rule],
        figures: Matcher,
        matcher: Matcher,
        negations: frozenset[str],
        doubtful: frozenset[str],
        limits: Limits,
        classifier: Classifier,
    ) -> None:
        self.spelling = spelling
        self._rules = rules
        self._figures = figures
        self._matcher = matcher
        self._negations = negations
        self._doubtful = doubtful
        self.limits, self.lower = limits, limits.where_unanswered()
        self.classifier = classifier

    def with_classifier(self, classifier: Classifier) -> "Guards":
        """The same patterns beside another classifier."""
        other = copy(self)
        other.classifier = classifier
        return other

    def with_limits(self, limits: Limits) -> "Guards":
        """The same guards, stopping from other probabilities."""
        other = copy(self)
        other.limits, other.lower = limits, limits.where_unanswered()
        return other

    def check(self, text: str) -> Ruling:
        """Which guard stops `text`, if any."""
        return rule(*self.weigh(text), self.limits)

    def weigh(self, text: str) -> tuple[Mapping[str, float], Mapping[str, str]]:
        """The classifier's highest probability for every guard, and the rule that fired, by guard.

        In a long text that runs on, a clause which says it plainly counts by itself.
        """
        sentences, fired = self.read(text)
        scores = self._scores(sentences)
        clauses = _CLAUSE_ENDS.split(text[:LONGEST]) if scores[CRISIS] < CERTAIN else []
        if len(clauses) < 2 or len(text.split()) < _LONG:
            return scores, fired
        for clause in clauses:
            sentences, plainly = self.read(clause)
            if plainly.get(CRISIS) in self.limits.plain:
                alone = self._scores(sentences)[CRISIS]
                if alone >= CERTAIN:
                    return {**scores, CRISIS: alone}, {**fired, CRISIS: plainly[CRISIS]}
        return scores, fired

    def _scores(self, sentences: list[Sentence]) -> Mapping[str, float]:
        if not sentences:
            return _SILENCE
        judged = [sums for _, sums in self.classifier.scores(sentences)]
        highest = [max(column) for column in zip(*judged, strict=True)]
        return MappingProxyType(dict(zip(GUARDS, highest, strict=True)))

    def read(self, text: str) -> tuple[list[Sentence], dict[str, str]]:
        """The sentences of `text`, with a mark (`=burden`) after every meaning found in them.

        The second part is the first rule that fired, by guard; a plain one before others. A meaning that is
        a doubt in itself stands there under `DOUBT`.
        """
        fired: dict[str, str] = {}
        return [self._mark(sentence, fired) for sentence in self.spelling.sentences(text)], fired

    def _absorb(self, sentence: Sentence) -> tuple[Sentence, set[str]]:
        """`sentence` with a mark in place of every figure of speech, and the groups these are of."""
        plain: Sentence = []
        groups: set[str] = set()
        place = 0
        for name, start, end in self._figures.found(sentence):
            if start >= place:
                plain += [*sentence[place:start], f"={name}"]
                groups.add(name)
                place = end
        return plain + sentence[place:], groups

    def _mark(self, sentence: Sentence, fired: dict[str, str]) -> Sentence:
        sentence, figures = self._absorb(sentence)
        hits: dict[str, int] = {}
        for name, start, end in self._matcher.found(sentence):
            if name not in hits and not self._negated(name, sentence, start):
                hits[name] = end
        calm = figures | hits.keys()
        for name in [name for name in hits if name in self._rules and self._rules[name].unless & calm]:
            del hits[name]
        for name in self._doubtful & (figures | hits.keys()):
            fired.setdefault(DOUBT, name)
        marked = sentence[:]
        for name, end in sorted(hits.items(), key=lambda hit: -hit[1]):
            marked.insert(end, f"={name}")
            if name in self._rules:
                guard = self._rules[name].guard
                if guard not in fired or (self._rules[name].plain and not self._rules[fired[guard]].plain):
                    fired[guard] = name
        return marked

    def _negated(self, name: str, sentence: Sentence, start: int) -> bool:
        rule = self._rules.get(name)
        if not rule or not rule.negatable:
            return False
        return bool(self._negations.intersection(sentence[max(0, start - NEGATION_REACH) : start]))


def load_guards(path: Path = PATTERNS) -> Guards:
    """The shipped guards."""
    with path.open(encoding="utf-8") as file:
        written = yaml.load(file, yaml.CBaseLoader)  # noqa: S506 - builds only strings, lists and dicts
    lists = {name: [*map(intern, row.split())] for name, row in written["lists"].items()}
    classes = {name: (guard, row) for guard in GUARDS for name, row in written[guard].items()}
    rules = {
        name: Rule(
            guard,
            row.get("negatable") == "true",
            frozenset(row.get("unless", ())),
            row.get("plain") == "true",
        )
        for name, (guard, row) in classes.items()
    }
    groups = {name: row["say"] for name, (_, row) in classes.items()} | written["calm"]
    if strange := set(written["doubtful"].split()) - rules.keys() - written["figures"].keys():
        raise ValueError(f"doubtful: no class {sorted(strange)}")
    for name, rule in rules.items():
        if unknown := rule.unless - written["calm"].keys() - written["figures"].keys():
            raise ValueError(f"{name}: no calm group {sorted(unknown)}")
    plain = frozenset(name for name, rule in rules.items() if rule.plain)
    alone, with_rule, with_plain_rule, unanswered = (
        {guard: float(written["limits"][kind][guard]) for guard in GUARDS} for kind in LIMITS
    )
    limits = Limits(alone, with_rule, with_plain_rule, unanswered, float(written["limits"]["doubt"]), plain)
    named = [(f"@{name}", row) for name, row in reversed(lists.items())]
    concepts = {word: concept for concept, row in named for word in row}
    elements: dict[str, Element] = {}
    return Guards(
        _spelling(written["spelling"]),
        rules,
        _matcher(written["figures"], lists, elements),
        _matcher(groups, lists, elements),
        frozenset(written["negations"].split()),
        frozenset(written["doubtful"].split()),
        limits,
        load_classifier(Lexicon(concepts, _meanings(written["meanings"]))),
    )


def _spelling(written: Mapping[str, Any]) -> Spelling:
    keywords, distinct, lexicon = (written[name].split() for name in ("keywords", "distinct", "lexicon"))
    return Spelling(written["emoji"], written["fixes"], keywords, distinct, lexicon)


def _meanings(written: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The meanings of each word, in the order of the file; words that mean the same share them."""
    fields: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    for name, row in written.items():
        meaning = f"#{name}"
        for word in map(intern, row.split()):
            meant = (*fields[word], meaning)
            fields[word] = shared.setdefault(meant, meant)
    return dict(fields)


def _matcher(
    groups: Mapping[str, list[str]], lists: Mapping[str, list[str]], known: dict[str, Element]
) -> Matcher:
    return Matcher({name: [read_pattern(row, lists, known) for row in rows] for name, rows in groups.items()})
