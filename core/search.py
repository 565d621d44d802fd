"""The entry that answers a few words or a question: found, offered with others, or not there."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache

from core.accept import (
    ACCEPT_FEATURES,
    RANK_FEATURES,
    Asked,
    Model,
    accept_features,
    load_model,
    logistic,
    rank_features,
    share,
    weigh,
)
from core.content import Entry
from core.rank import (
    MAX_WORDS,
    Likeness,
    Profile,
    Query,
    is_function_word,
    make_query,
    stem,
    telling,
)
from core.recall import Recall
from core.words import words

CANDIDATES = 12
"""Entries compared closely: 97.8% of the training questions have theirs among them."""

CHOICES = 3

_BARE_WORDS = 2
"""So few function words alone ask for nothing."""

_SHORTEST_NAME = 3
"""Letters that stems need to stand for a name."""

_LEAST_READ = 1 / 3
"""Share of known words below which text is noise: no question of the development set that an entry answers
has less than half, random keys and signs hardly ever a third."""

_LEAST_SAID = 2
"""Words of its own, the topic being one, that a question needs where nobody asked the bot: the "it" of "Is it
addictive?" is then anybody's guess."""

_KEPT_PROFILES = 2_000
_KEPT_LOOK_UPS = 100
"""What is found for words of the content: about 2 KB each."""

_SHORT = 4
_FEW = 6
"""Candidates of a look-up of up to four words where profiles may have to be made: 0.5 ms each."""

_ALSO_AT = 0.03
_CLEAR = 0.5
_SWAP_AT = 0.5
"""An entry of the preferred kind goes first from this share of the best one's probability on."""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that competes, and why."""

    entry_id: str
    kind: str
    probability: float
    scores: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome: an entry, or up to three to choose from, or nothing."""

    entry_id: str | None = None
    choices: tuple[str, ...] = ()
    candidates: tuple[Match, ...] = ()
    inside: float = 0.0
    """Probability that some entry answers."""
    right: float = 0.0
    """Probability that it is the first candidate, if some entry answers."""
    features: tuple[tuple[str, float], ...] = ()
    how: str = "nothing"
    """`name` (a keyword, title or claim), `ranked`, `not covered` (listed as such) or `nothing`."""

    @property
    def also(self) -> tuple[str, ...]:
        """Up to two runners-up of a ranked answer, to stand below it as "not what you meant?"."""
        rest = self.candidates[1:CHOICES] if self.entry_id else ()
        return tuple(match.entry_id for match in rest if match.probability >= _ALSO_AT)

    @property
    def nearest(self) -> str | None:
        """The entry, or the first choice where that is likelier right than all others together."""
        return self.entry_id or (self.choices[0] if self.choices and self.right > _CLEAR else None)


class Index:
    """Searches entries; built once per content file, safe to read from several threads.

    Most of it is made when it is first needed: a random entry needs none.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        topic_words: Sequence[str],
        not_covered: Sequence[str] = (),
        other_names: Sequence[str] = (),
        model: Model | None = None,
    ) -> None:
        """Index `entries`.

        `topic_words` name the topic itself. `not_covered` are questions no entry answers.
        `other_names` are medicines, treatments and conditions of which entries may say nothing:
        a hint for silence, not a ban.
        """
        self._entries = tuple(entries)
        self.model = model or load_model()
        self._topic = frozenset(word for name in topic_words for word in words(name))
        self._other_names = frozenset(" ".join(words(name)) for name in other_names) - {""}
        self._longest_name = max((name.count(" ") + 1 for name in self._other_names), default=0)
        self._not_covered = tuple(not_covered)
        self._declined = frozenset(" ".join(words(line)) for line in not_covered)
        self._profile = lru_cache(_KEPT_PROFILES)(self._profile_of)
        self._out = lru_cache(1)(self._out_of)
        self._stems: dict[str, str] = {}

    @cached_property
    def _recall(self) -> Recall:
        others = {w for line in (*self._not_covered, *self._other_names) for w in words(line)} | self._topic
        # One by one: all at once they are 3 MB, and what a program took once it never quite gives back.
        return Recall(map(_said_of, self._entries), frozenset(others))

    @cached_property
    def _names(self) -> dict[str, tuple[int, ...]]:
        """Names as written and as stems, each with the entries that bear it."""
        table: defaultdict[str, dict[int, None]] = defaultdict(dict)
        for number, entry in enumerate(self._entries):
            for name in (entry.id.partition("-")[2], entry.title, entry.claim, *entry.keywords):
                said = words(name)
                # One stem of "more lanterns" is too little to be its name.
                is_cut = len(telling(said, self._topic)) == 1 and any(word in self._topic for word in said)
                for key in [" ".join(said)] if is_cut else self._keys(said):
                    table[key][number] = None
        return {key: tuple(numbers) for key, numbers in table.items()}

    @cached_property
    def _kept(self) -> Callable[[str, str | None], Found]:
        return lru_cache(_KEPT_LOOK_UPS)(self._find)

    def find(self, text: str, prefer_kind: str | None = None) -> Found:
        """What answers `text`; of near-equal entries one of `prefer_kind` goes first."""
        own = self.own_words(text)
        return self._find(text, prefer_kind) if own is None else self._kept(own, prefer_kind)

    def _find(self, text: str, prefer_kind: str | None) -> Found:
        said = words(text)[:MAX_WORDS]
        meant = [self._recall.meant(word) for word in said]
        if all(word in self._topic for word in meant):
            return Found()
        named = self._by_name(said, prefer_kind) or self._by_name(meant, prefer_kind)
        if len(named) == 1:
            return self._sure(named[0])
        if 1 < len(named) <= CHOICES:
            return self._tied(named)
        if " ".join(said) in self._declined or " ".join(meant) in self._declined:
            return Found(how="not covered")
        if len(said) <= _BARE_WORDS and not telling(said, self._topic):
            return Found()
        if self._is_noise(meant):
            return Found()
        return self._ranked(meant, prefer_kind)

    def unasked(self, text: str) -> str | None:
        """The entry that surely answers a question which nobody put to the bot."""
        said = frozenset(words(text)[:MAX_WORDS])
        if len(telling(said, self._topic)) + bool(said & self._topic) < _LEAST_SAID:
            return None
        found = self.find(text)
        # The name of an entry, once said, is no question: only scores tell.
        judged = self.rank(text) if found.how == "name" else found
        best = judged.candidates[0].entry_id if judged.candidates else None
        if best != found.entry_id:
            return None
        is_sure = judged.inside >= self.model.unasked_inside and judged.right >= self.model.unasked_right
        return best if is_sure else None

    def with_model(self, model: Model) -> "Index":
        """The same index, weighing and deciding with another model."""
        # Made before, it is not made again by each that has another model.
        self._make()
        other = copy(self)
        other.model = model
        vars(other).pop("_kept", None)
        return other

    def _is_noise(self, meant: Sequence[str]) -> bool:
        """Whether too few of the words can be read to tell what was asked."""
        used = [self._is_used(word) for word in meant]
        read = sum(is_used or self._is_joint(word) for is_used, word in zip(used, meant, strict=True))
        return not any(used) or read < _LEAST_READ * len(meant)

    def _is_used(self, word: str) -> bool:
        """Whether entries use it; letters and digits by themselves turn up in any noise."""
        return len(word) >= _SHORTEST_NAME and not word.isdigit() and self._recall.knows(stem(word))

    def _is_joint(self, word: str) -> bool:
        return word in self._topic or (len(word) > 1 and is_function_word(word))

    def is_name(self, text: str) -> bool:
        """Whether `text` is, word for word, a keyword, title or claim of some entry."""
        return " ".join(words(text)) in self._names

    def own_words(self, text: str) -> str | None:
        """`text` in lower case, if it is just that: a name of some entry, or a word that entries use.

        Whatever is found or ruled of it may be kept: it says nothing that the content doesn't.
        """
        # Nothing typed, as for a random entry, needs no index.
        if not text or not text.isascii():
            return None
        plain = text.lower()
        is_word = plain.isalpha() and self._recall.has(plain)
        return plain if is_word or plain in self._names else None

    def rank(self, text: str) -> Found:
        """Like `find`, but a name isn't taken for an answer: every score is worked out."""
        return self._ranked([self._recall.meant(word) for word in words(text)[:MAX_WORDS]], None)

    def warm(self) -> None:
        """Prepare what the first question would otherwise wait for."""
        self._make()
        self._out()
        for number in range(min(len(self._entries), _KEPT_PROFILES)):
            self._profile(number)
        self._stems = {}

    def _make(self) -> tuple[object, ...]:
        return self._names, self._recall

    def _sure(self, number: int) -> Found:
        entry = self._entries[number]
        return Found(entry.id, (), (Match(entry.id, entry.kind, 1.0, ()),), 1.0, 1.0, (), "name")

    def _tied(self, numbers: Sequence[int]) -> Found:
        tied = [self._entries[number] for number in numbers]
        matches = tuple(Match(entry.id, entry.kind, 1 / len(tied), ()) for entry in tied)
        return Found(None, tuple(entry.id for entry in tied), matches, 1.0, 1 / len(tied), (), "name")

    def _keys(self, said: Sequence[str]) -> Iterable[str]:
        """The two forms under which words are looked up; the second begins with a blank."""
        yield " ".join(said)
        stems = [stem(word) for word in telling(said, self._topic)]
        if len("".join(stems)) >= _SHORTEST_NAME and len(stems) * 2 >= sum(
            w not in self._topic for w in said
        ):
            yield " " + " ".join(stems)

    def _by_name(self, said: Sequence[str], kind: str | None) -> tuple[int, ...]:
        """The entries with that name; only the one of `kind` if just one is of it."""
        for key in self._keys(said):
            if key in self._names:
                named = self._names[key]
                fitting = tuple(number for number in named if self._entries[number].kind == kind)
                return fitting if len(fitting) == 1 else named
        return ()

    def _profile_of(self, number: int) -> Profile:
        entry = self._entries[number]
        return Profile(
            (entry.title, *entry.keywords),
            (entry.claim, entry.answer, *entry.phrasings),
            self._recall.idf,
            self._stems,
        )

    def _out_of(self) -> Profile:
        return Profile((), self._not_covered, self._recall.idf, self._stems)

    def _asked(self, query: Query) -> Asked:
        said = query.words
        other = {
            part
            for size in range(1, self._longest_name + 1)
            for i in range(len(said) - size + 1)
            if " ".join(said[i : i + size]) in self._other_names
            for part in said[i : i + size]
        }
        total = sum(query.weights.values()) or 1.0
        return Asked(
            any(word in self._topic for word in said),
            [stem(word) for word in sorted(other - self._topic)],
            {stem(word): query.weights[stem(word)] for word in telling(said, self._topic)},
            sum(weight for s, weight in query.weights.items() if not self._recall.knows(s)) / total,
        )

    def _is_about_another(self, asked: Asked) -> bool:
        """Whether it asks about a medicine or body topic that no entry speaks of: offers would mislead."""
        return bool(asked.named) and not asked.topic and not any(map(self._recall.knows, asked.named))

    def _ranked(self, meant: Sequence[str], prefer_kind: str | None) -> Found:
        short = len(meant) <= _SHORT and len(self._entries) > _KEPT_PROFILES
        hits = self._recall.nearest(meant, _FEW if short else CANDIDATES)
        if not hits:
            return Found()
        query = make_query(meant, self._recall.idf)
        known = sum(weight for s, weight in query.weights.items() if self._recall.knows(s)) or 1.0
        near = [self._profile(number).compare(query) for number, _ in hits]
        rows = [rank_features(score / known, like) for (_, score), like in zip(hits, near, strict=True)]
        fits = [weigh(self.model.rank, row) for row in rows]
        order = sorted(range(len(hits)), key=lambda i: (-fits[i], hits[i][0]))
        chances = share(fits)
        asked = self._asked(query)
        features = self._accept_features(query, asked, hits[order[0]][0], near[order[0]], fits, chances)
        right = logistic(weigh(self.model.right, features))
        inside = logistic(weigh(self.model.inside, features))
        order = self._prefer(order, hits, chances, prefer_kind)
        matches = tuple(self._match(hits[i][0], chances[i], rows[i]) for i in order)
        model = self.model.for_look_up() if prefer_kind else self.model
        entry_id, choices = settle(matches, right, inside, model)
        if choices and self._is_about_another(asked):
            choices = ()
        shown = tuple(zip(ACCEPT_FEATURES, features, strict=True))
        return Found(entry_id, choices, matches, inside, right, shown, "ranked")

    def _accept_features(
        self,
        query: Query,
        asked: Asked,
        best: int,
        near: Likeness,
        fits: Sequence[float],
        chances: Sequence[float],
    ) -> tuple[float, ...]:
        out = self._out().compare(query)
        stems = self._profile(best).stems
        return accept_features(query, asked, near, stems, max(fits), max(chances), out)

    def _prefer(
        self, order: list[int], hits: Sequence[tuple[int, float]], chances: Sequence[float], kind: str | None
    ) -> list[int]:
        for i in order if kind else ():
            if self._entries[hits[i][0]].kind == kind and chances[i] >= _SWAP_AT * chances[order[0]]:
                return [i, *(other for other in order if other != i)]
        return order

    def _match(self, number: int, chance: float, row: Sequence[float]) -> Match:
        entry = self._entries[number]
        return Match(entry.id, entry.kind, chance, tuple(zip(RANK_FEATURES, row, strict=True)))


def settle(
    matches: Sequence[Match], right: float, inside: float, model: Model
) -> tuple[str | None, tuple[str, ...]]:
    """The entry to answer with, or the entries to offer, of `matches` from best to worst."""
    if inside >= model.sure_inside and right >= model.sure_right:
        return matches[0].entry_id, ()
    if inside >= model.offer_inside:
        return None, tuple(match.entry_id for match in matches[:CHOICES])
    return None, ()


def _said_of(entry: Entry) -> list[str]:
    """The words of everything an entry is found by."""
    lines = (entry.title, entry.claim, entry.answer, *entry.keywords, *entry.phrasings)
    return [word for line in lines for word in words(line)]
