"""The full-text index: which entries share words with a question, and which words it knows."""

import math
from collections.abc import Iterable, Sequence

import tantivy
from tantivy import Document, Occur, SchemaBuilder

from core.rank import is_function_word, stem, telling

SHORTEST = 4
"""Below this many letters a neighbour is more often another word than a slip."""

LONG = 8
"""From this many letters on, two slips are read as one word meant."""

_HEAP_BYTES = 15_000_000
"""The least tantivy takes."""

_QUERY_TERMS = 40
_FUZZY_BOOST = 6.0
_SMALL = 2_000
"""Documents up to which every word with the same first letter is tried as a correction."""


class Recall:
    """Documents by their stems, and their words by spelling."""

    def __init__(self, documents: Iterable[Sequence[str]], others: frozenset[str]) -> None:
        """Index `documents`, each its folded words.

        `others` are words that no document needs to hold to be well spelt.
        """
        self._others = others
        self._searcher, self._schema = _build(documents)
        self._size = self._searcher.num_docs
        # Only stems of documents are kept here: what a person typed is not.
        self._idfs: dict[str, float] = {}

    def knows(self, stemmed: str) -> bool:
        """Whether any document has that stem."""
        return self._searcher.doc_freq("stem", stemmed) > 0

    def has(self, word: str) -> bool:
        """Whether any document has just that word."""
        return self._searcher.doc_freq("word", word) > 0

    def nearest(self, meant: Sequence[str], limit: int) -> list[tuple[int, float]]:
        """Up to `limit` documents that share the most telling words, by number, with their BM25."""
        chosen = telling(meant, frozenset()) or list(meant)
        chosen = sorted(dict.fromkeys(chosen), key=lambda word: -self.idf(stem(word)))[:_QUERY_TERMS]
        parts = [(Occur.Should, self._term(s)) for s in dict.fromkeys(map(stem, chosen)) if self.knows(s)]
        parts += [(Occur.Should, self._fuzzy(word)) for word in chosen if self._is_odd(word)]
        if not parts:
            return []
        hits = self._searcher.search(tantivy.Query.boolean_query(parts), limit, count=False).hits
        numbers = self._searcher.fast_field_values("number", [address for _, address in hits])
        return [
            (int(number or 0), float(score or 0)) for number, (score, _) in zip(numbers, hits, strict=True)
        ]

    def idf(self, stemmed: str) -> float:
        """How telling a stem is, from about 0.7 (in every document) upwards."""
        known = self._idfs.get(stemmed)
        if known is not None:
            return known
        documents = self._searcher.doc_freq("stem", stemmed)
        idf = math.log(1 + self._size / (documents + 0.5))
        if documents:
            self._idfs[stemmed] = idf
        return idf

    def _is_odd(self, word: str) -> bool:
        """Whether a word may be a slip: long enough, and known to nobody."""
        return not (
            len(word) < SHORTEST
            or word in self._others
            or is_function_word(word)
            or word.isdigit()
            or self.knows(stem(word))
        )

    def meant(self, word: str) -> str:
        """`word`, or the known word it begins or nearly is."""
        if not self._is_odd(word):
            return word
        find = self._searcher.terms_with_prefix
        longer = find("word", word, limit=50)
        if longer:
            return min(longer, key=lambda item: (-item[1], len(item[0]), item[0]))[0]
        starts = {word[:1]} if self._size <= _SMALL else {word[:2], word[0] + word[2]}
        return _nearest(word, (item for start in sorted(starts) for item in find("word", start)))

    def _term(self, stemmed: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, "stem", stemmed, index_option="freq")

    def _fuzzy(self, word: str) -> tantivy.Query:
        near = tantivy.Query.fuzzy_term_query(self._schema, "word", word, distance=1)
        return tantivy.Query.boost_query(near, _FUZZY_BOOST)


def _nearest(word: str, known: Iterable[tuple[str, int]]) -> str:
    """The known word fewest slips away, the commoner one first; `word` itself if all are far.

    `known` are words with how often each occurs.
    """
    # Here, as only typing slips need it: 3 MB and a hundredth of a second of each start.
    from rapidfuzz.distance import OSA

    most = 2 if len(word) >= LONG else 1
    slips = (
        (OSA.distance(word, other, score_cutoff=most), -count, other)
        for other, count in known
        if len(other) >= SHORTEST
    )
    best = min(slips, default=(most + 1, 0, word))
    return best[2] if best[0] <= most else word


def _build(documents: Iterable[Sequence[str]]) -> tuple[tantivy.Searcher, tantivy.Schema]:
    """An in-memory index: stems to rank by, whole words to mend slips by."""
    builder = SchemaBuilder()
    builder.add_integer_field("number", fast=True)
    builder.add_text_field("stem", tokenizer_name="stems", index_option="freq")
    builder.add_text_field("word", tokenizer_name="plain", index_option="basic")
    schema = builder.build()
    index = tantivy.Index(schema)
    plain = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    index.register_tokenizer("plain", plain.build())
    stems = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).filter(
        tantivy.Filter.stemmer("english")
    )
    index.register_tokenizer("stems", stems.build())
    writer = index.writer(_HEAP_BYTES, num_threads=1)
    for number, document in enumerate(documents):
        text = " ".join(document)
        writer.add_document(Document(number=number, stem=text, word=text))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return index.searcher(), schema
