"""Whether to answer, offer a choice or stay silent: two small logistic models over the ranking."""

import json
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from core.rank import Likeness, Query, log_odds

COEFFICIENTS = Path(__file__).with_name("search.json")

RANK_FEATURES = ("terms", "nearest", "nearest8", "stem_odds", "gram_odds", "keyword", "covered")
ACCEPT_FEATURES = (
    "bias",
    "lead",
    "probability",
    "fit",
    "nearest",
    "nearest8",
    "keyword",
    "covered",
    "out_nearest",
    "out_covered",
    "gram_odds_over_out",
    "stem_odds_over_out",
    "length",
    "unknown",
    "topic",
    "named",
    "named_elsewhere",
    "named_without_topic",
    "named_with_topic",
    "telling_keyword",
    "telling_covered",
    "rarest_missing",
    "topic_and_keyword",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question itself says, whichever entry fits."""

    topic: bool
    """Names the bot's topic."""
    named: Sequence[str]
    """Stems of other medicines and topics it names."""
    telling: Mapping[str, float]
    """Stems that are neither function words nor topic words, with their idf."""
    unknown: float
    """Share of its weight in words no entry has."""


@dataclass(frozen=True, slots=True)
class Model:
    """Fitted coefficients; core/search.json tells how they were made."""

    rank: tuple[float, ...]
    inside: tuple[float, ...]
    """Whether some entry answers."""
    right: tuple[float, ...]
    """Whether it is the first one, if some entry does."""
    sure_inside: float
    """An answer needs at least this probability that some entry answers."""
    sure_right: float
    """And this one that it is the first."""
    offer_inside: float
    """A choice needs at least this probability that some entry answers."""
    clear_inside: float
    """The same three where a few words are looked up (/myth, /fact): an answer has to be clearer there,"""
    clear_right: float
    offer_near: float
    """and a choice is offered sooner."""
    unasked_inside: float
    """The first two where nobody asked the bot (/listen): far stricter, and nothing is offered."""
    unasked_right: float

    def for_look_up(self) -> "Model":
        """The model that decides on words looked up, not on a question."""
        return replace(
            self, sure_inside=self.clear_inside, sure_right=self.clear_right, offer_inside=self.offer_near
        )


def load_model(path: Path = COEFFICIENTS) -> Model:
    """The coefficients in a file written by tests/bench/fit_search.py."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return Model(
        tuple(data["rank"][name] for name in RANK_FEATURES),
        tuple(data["inside"][name] for name in ACCEPT_FEATURES),
        tuple(data["right"][name] for name in ACCEPT_FEATURES),
        data["sure_inside"],
        data["sure_right"],
        data["offer_inside"],
        data["clear_inside"],
        data["clear_right"],
        data["offer_near"],
        data["unasked_inside"],
        data["unasked_right"],
    )


def rank_features(terms: float, likeness: Likeness) -> tuple[float, ...]:
    """One candidate's values, in the order of RANK_FEATURES."""
    return (
        terms,
        likeness.nearest,
        likeness.nearest8,
        likeness.stem_odds,
        likeness.gram_odds,
        likeness.keyword,
        likeness.covered,
    )


def weigh(weights: Sequence[float], values: Sequence[float]) -> float:
    """The weighted sum."""
    return sum(w * v for w, v in zip(weights, values, strict=True))


def share(scores: Sequence[float]) -> list[float]:
    """Scores as probabilities that add up to 1."""
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def accept_features(
    query: Query,
    asked: Asked,
    best: Likeness,
    best_stems: AbstractSet[str],
    fit: float,
    probability: float,
    out: Likeness,
) -> tuple[float, ...]:
    """The values in the order of ACCEPT_FEATURES.

    `best` is how near the best entry is, `best_stems` its vocabulary, `out` how near the
    questions are that no entry answers.
    """
    whole = sum(asked.telling.values()) or 1.0
    run = max((s for s in query.runs & best.keywords), key=lambda r: _weight(asked, r), default=())
    telling_keyword = _weight(asked, run) / whole
    missing = [weight for s, weight in asked.telling.items() if s not in best_stems]
    named = 1.0 if asked.named else 0.0
    topic = 1.0 if asked.topic else 0.0
    return (
        1.0,
        log_odds(probability),
        probability,
        fit,
        best.nearest,
        best.nearest8,
        best.keyword,
        best.covered,
        out.nearest,
        out.covered,
        best.gram_odds - out.gram_odds,
        best.stem_odds - out.stem_odds,
        math.log(1 + len(query.weights)),
        asked.unknown,
        topic,
        named,
        1.0 if any(s not in best_stems for s in asked.named) else 0.0,
        named * (1 - topic),
        named * topic,
        telling_keyword,
        1 - sum(missing) / whole,
        max(missing, default=0.0),
        topic * telling_keyword,
    )


def _weight(asked: Asked, run: Sequence[str]) -> float:
    return sum(asked.telling.get(s, 0.0) for s in set(run))


def logistic(value: float) -> float:
    """1 / (1 + e^-value)."""
    return 0.5 * (1 + math.tanh(value / 2))
