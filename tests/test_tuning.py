"""Thresholds are chosen within the false alarms that are allowed, and folds are even."""

from collections import Counter

from core.accept import load_model
from core.safety import GUARDS, Limits, rule
from core.search import Found, Match
from tests.bench import tuning
from tests.bench.tuning import Reading

_EVEN = dict.fromkeys(GUARDS, 0.5)
LIMITS = Limits(_EVEN, _EVEN, _EVEN, _EVEN, 1.0, frozenset())


def reading(kind: str, *, gold: tuple[str, ...] = (), found: Found | None = None, **scores: float) -> Reading:
    item = {"q": "", "type": kind, "gold": gold}
    return Reading(item, dict.fromkeys(GUARDS, 0.0) | scores, {}, found or Found())


def ranked(entry_id: str, inside: float, right: float) -> Found:
    return Found(None, (), (Match(entry_id, "fact", 1.0, ()),), inside, right, (), "ranked")


def test_limits_part_danger_from_the_rest() -> None:
    danger = [reading("crisis", crisis=0.8), reading("dosing", dosing=0.7), reading("sourcing", sourcing=0.6)]
    calm = [reading("in", crisis=0.3, dosing=0.3, sourcing=0.3) for _ in range(9)]
    limits, _ = tuning.choose([*danger, *calm], LIMITS, load_model())
    assert [rule(r.scores, {}, limits).guard for r in (*danger, calm[0])] == [*GUARDS, None]


def test_a_danger_among_many_false_alarms_is_given_up() -> None:
    calm = [reading("in", crisis=0.5) for _ in range(30)]
    limits, _ = tuning.choose([reading("crisis", crisis=0.45), *calm], LIMITS, load_model())
    assert limits.alone["crisis"] > 0.5


def test_thresholds_of_the_search_part_right_answers_from_wrong_ones() -> None:
    good = [reading("in", gold=("a",), found=ranked("a", 0.9, 0.8)) for _ in range(9)]
    bad = [
        reading("in", gold=("a",), found=ranked("b", 0.9, 0.4)),
        reading("out", found=ranked("b", 0.5, 0.9)),
    ]
    _, model = tuning.choose([*good, *bad], LIMITS, load_model())
    assert 0.5 < model.sure_inside <= 0.9
    assert 0.4 < model.sure_right <= 0.8


def test_folds_share_every_type_evenly() -> None:
    items = [{"type": kind} for kind in ("in", "out", "crisis") for _ in range(10)]
    held = list(tuning.folds(items, 5))
    assert sorted(place for fold in held for place in fold) == list(range(30))
    assert all(Counter(items[p]["type"] for p in fold) == {"in": 2, "out": 2, "crisis": 2} for fold in held)
