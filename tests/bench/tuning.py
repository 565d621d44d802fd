"""Thresholds chosen on labelled questions: the guards' limits and the search's three probabilities.

`python -m tests.bench.dev --thresholds` prints what the development questions choose. Within the
false alarms (wrong answers) that are allowed, it is what catches the most danger (answers the most
questions), and of what does equally well, the middle.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.accept import Model
from core.edition import Edition
from core.safety import GUARDS, Limits, rule
from core.search import Found, settle

Item = Mapping[str, object]

STEPS = tuple(n / 20 for n in range(2, 20))
MISSED = 3.0
"""A danger that is missed costs this many false alarms."""

ALLOWED = {"crisis": 0.01, "dosing": 0.01, "sourcing": 0.01}
"""Share of false alarms from which on each costs ten: a crisis over all other questions, the others
over the questions that an entry answers (2% together)."""

MOST_WRONG = 0.05
LEAST_REJECTED = 0.95
"""Stricter than the goals of 8% and 92%: what is chosen on few questions does worse on others."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the bot makes of one question before any threshold."""

    item: Item
    scores: Mapping[str, float]
    fired: Mapping[str, str]
    found: Found


def read(edition: Edition, items: Sequence[Item]) -> list[Reading]:
    """Each item with its scores."""
    return [
        Reading(item, *edition.guards.weigh(str(item["q"])), edition.index.find(str(item["q"])))
        for item in items
    ]


def choose(readings: Sequence[Reading], limits: Limits, model: Model) -> tuple[Limits, Model]:
    """`limits` (but for those with a plain rule) and `model` with what does best on `readings`."""
    for guard in GUARDS:
        pairs = [(alone, with_rule) for alone in STEPS for with_rule in STEPS if with_rule <= alone]
        limits = _limited(limits, guard, _middle(pairs, _guard_worth(readings, limits, guard)))
    passed = [r for r in readings if rule(r.scores, r.fired, limits).guard is None]
    sure = _middle(list(itertools.product(STEPS, STEPS)), _search_worth(passed, model))
    return limits, replace(model, sure_inside=sure[0], sure_right=sure[1])


def _limited(limits: Limits, guard: str, pair: tuple[float, ...]) -> Limits:
    alone, with_rule = pair
    return replace(
        limits, alone={**limits.alone, guard: alone}, with_rule={**limits.with_rule, guard: with_rule}
    )


def _guard_worth(
    readings: Sequence[Reading], limits: Limits, guard: str
) -> Callable[[tuple[float, ...]], float]:
    due = [r for r in readings if r.item["type"] == guard]
    rest = [r for r in readings if r.item["type"] not in (GUARDS if guard != "crisis" else ("crisis",))]
    counted = rest if guard == "crisis" else [r for r in rest if r.item["type"] == "in"]

    def worth(pair: tuple[float, ...]) -> float:
        tried = _limited(limits, guard, pair)
        met = [sum(r.scores[guard] >= tried.of(guard, r.fired) for r in row) for row in (due, rest, counted)]
        beyond = max(0.0, met[2] - ALLOWED[guard] * len(counted))
        return MISSED * met[0] - met[1] - 10 * beyond

    return worth


def _search_worth(readings: Sequence[Reading], model: Model) -> Callable[[tuple[float, ...]], float]:
    inside = [r for r in readings if r.item["type"] == "in"]
    outside = [r for r in readings if r.item["type"] == "out"]

    def worth(sure: tuple[float, ...]) -> float:
        tried = replace(model, sure_inside=sure[0], sure_right=sure[1])
        right = wrong = loud = 0
        for reading in inside:
            said = _answer(reading.found, tried)
            right += said in reading.item["gold"]  # type: ignore[operator]  # a list in the file
            wrong += said not in (None, *reading.item["gold"])  # type: ignore[misc]  # a list in the file
        loud = sum(_answer(reading.found, tried) is not None for reading in outside)
        beyond = max(0.0, wrong - MOST_WRONG * len(inside)) + max(
            0.0, loud - (1 - LEAST_REJECTED) * len(outside)
        )
        return right - wrong - loud - 10 * beyond

    return worth


def _answer(found: Found, model: Model) -> str | None:
    if found.how != "ranked":
        return found.entry_id
    return settle(found.candidates, found.right, found.inside, model)[0]


def _middle(
    tried: Sequence[tuple[float, ...]], worth: Callable[[tuple[float, ...]], float]
) -> tuple[float, ...]:
    """Of the best of `tried`, the one nearest to the mean of them all."""
    worths = [worth(one) for one in tried]
    best = [one for one, value in zip(tried, worths, strict=True) if value == max(worths)]
    mean = [sum(column) / len(best) for column in zip(*best, strict=True)]
    return min(best, key=lambda one: sum((a - b) ** 2 for a, b in zip(one, mean, strict=True)))


def folds(items: Sequence[Item], count: int) -> Iterator[list[int]]:
    """Places of the items of each fold; every type is spread evenly."""
    order = sorted(range(len(items)), key=lambda place: (str(items[place]["type"]), place))
    for fold in range(count):
        yield order[fold::count]


def tuned(edition: Edition, limits: Limits, model: Model) -> Edition:
    """The same content, answered with other thresholds."""
    return replace(edition, guards=edition.guards.with_limits(limits), index=edition.index.with_model(model))
