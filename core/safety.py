"""What must not be answered from entries: a person in danger, doses, and where to get a drug."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import yaml

from core.classifier import Classifier, load_classifier
from core.patterns import Matcher, read_pattern
from core.spelling import Sentence, Spelling

GUARDS = ("crisis", "dosing", "sourcing")
"""In order of rank: a crisis is met as one, whatever else the message asks."""

PATTERNS = Path(__file__).with_name("guards.yaml")

NEGATION_REACH = 3
"""Words before a pattern in which a negation undoes it: "I'm not at all suicidal"."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the guards say to one message.

    Attributes:
        guard: the guard that stops the message, if one does.
        rule: the pattern class that decided, or `classifier`, or nothing.
        scores: the classifier's highest probability for every guard.
    """

    guard: str | None
    rule: str
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """A class of meaning that one guard stops.

    Attributes:
        guard: who stops it.
        negatable: a negation just before it undoes it.
        unless: calm groups that undo it when found in the same sentence.
    """

    guard: str
    negatable: bool
    unless: frozenset[str]


@dataclass(frozen=True, slots=True)
class Limits:
    """Probabilities from which a guard stops a message: without any rule of its own, and with one."""

    alone: Mapping[str, float]
    with_rule: Mapping[str, float]


class Guards:
    """Patterns name what they see; the classifier weighs it; crisis comes before the others."""

    def __init__(
        self,
        spelling: Spelling,
        rules: Mapping[str, Rule],
        matcher: Matcher,
        negations: frozenset[str],
        limits: Limits,
        classifier: Classifier,
    ) -> None:
        self.spelling = spelling
        self._rules = rules
        self._matcher = matcher
        self._negations = negations
        self._limits = limits
        self._classifier = classifier
        self.concepts = classifier.concepts

    def with_classifier(self, classifier: Classifier) -> "Guards":
        """The same patterns beside another classifier."""
        return Guards(self.spelling, self._rules, self._matcher, self._negations, self._limits, classifier)

    def check(self, text: str) -> Ruling:
        """Which guard stops `text`, if any."""
        sentences, fired = self.read(text)
        judged = [sums for _, sums in self._classifier.scores(sentences)]
        scores = {
            guard: max((sums[head] for sums in judged), default=0.0) for head, guard in enumerate(GUARDS)
        }
        stops = [guard for guard in GUARDS if scores[guard] >= self._limit(guard, fired)]
        if not stops:
            return Ruling(None, "", MappingProxyType(scores))
        guard = stops[0] if stops[0] == GUARDS[0] else max(stops, key=scores.__getitem__)
        return Ruling(guard, fired.get(guard, "classifier"), MappingProxyType(scores))

    def _limit(self, guard: str, fired: Mapping[str, str]) -> float:
        return (self._limits.with_rule if guard in fired else self._limits.alone)[guard]

    def read(self, text: str) -> tuple[list[Sentence], dict[str, str]]:
        """The sentences of `text`, with a mark (`=burden`) after every meaning found in them.

        The second part is the first rule that fired, by guard.
        """
        fired: dict[str, str] = {}
        return [self._mark(sentence, fired) for sentence in self.spelling.sentences(text)], fired

    def _mark(self, sentence: Sentence, fired: dict[str, str]) -> Sentence:
        hits: dict[str, int] = {}
        for name, start, end in self._matcher.found(sentence):
            if name not in hits and not self._negated(name, sentence, start):
                hits[name] = end
        for name in [name for name in hits if name in self._rules and self._rules[name].unless & hits.keys()]:
            del hits[name]
        marked = sentence[:]
        for name, end in sorted(hits.items(), key=lambda hit: -hit[1]):
            marked.insert(end, f"={name}")
            if name in self._rules:
                fired.setdefault(self._rules[name].guard, name)
        return marked

    def _negated(self, name: str, sentence: Sentence, start: int) -> bool:
        rule = self._rules.get(name)
        if not rule or not rule.negatable:
            return False
        return bool(self._negations.intersection(sentence[max(0, start - NEGATION_REACH) : start]))


def load_guards(path: Path = PATTERNS) -> Guards:
    """The shipped guards."""
    with path.open(encoding="utf-8") as file:
        written = yaml.load(file, yaml.CBaseLoader)  # noqa: S506 - builds plain text, lists and dicts only
    lists = written["lists"]
    classes = {name: (guard, row) for guard in GUARDS for name, row in written[guard].items()}
    rules = {
        name: Rule(guard, row.get("negatable") == "true", frozenset(row.get("unless", ())))
        for name, (guard, row) in classes.items()
    }
    groups = {name: row["say"] for name, (_, row) in classes.items()} | written["calm"]
    for name, rule in rules.items():
        if unknown := rule.unless - written["calm"].keys():
            raise ValueError(f"{name}: no calm group {sorted(unknown)}")
    matcher = Matcher({n: [read_pattern(str(p), lists) for p in rows] for n, rows in groups.items()})
    slips = written["spelling"]
    spelling = Spelling(
        slips["emoji"], slips["fixes"], slips["keywords"], slips["distinct"], slips["lexicon"]
    )
    limits = Limits(
        *({g: float(written["limits"][kind][g]) for g in GUARDS} for kind in ("alone", "with_rule"))
    )
    concepts = {word: f"@{name}" for name, row in reversed(lists.items()) for word in row}
    classifier = load_classifier(concepts)
    return Guards(spelling, rules, matcher, frozenset(written["negations"]), limits, classifier)
