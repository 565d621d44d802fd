"""How long the search takes, beside other search libraries on the same entries and queries.

    python -m tests.bench.lookup --content content.yaml [--size 100000]

Libraries that are not installed are left out. Half of the queries have a typo. Times are per
query, of three rounds after the first; the first asking, with nothing kept yet, stands by itself.
"""

import argparse
import importlib
import random
import resource
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from core.content import Entry
from core.search import Index
from core.words import words
from tests.bench.material import ROOT, load_entries, load_lines, load_questions, load_topic_words
from tests.samples import entry_with

Search = Callable[[str], str | None]
"""Takes a query, gives the id of the first hit."""

ROUNDS = 3


def synthetic(size: int, seed: int = 5) -> list[Entry]:
    """`size` entries of made-up words, rare ones rarer by Zipf's law, with five phrasings each."""
    rng = random.Random(seed)
    sounds = [a + b for a in "bcdfglmnprstv" for b in "aeiou"]
    vocabulary = ["".join(rng.choices(sounds, k=rng.randint(2, 4))) for _ in range(max(4_000, size // 3))]
    odds = [1 / (rank + 20) for rank in range(len(vocabulary))]
    pool = rng.choices(vocabulary, odds, k=size * 40)
    entries = []
    for number in range(size):
        own = pool[number * 40 : number * 40 + 40]
        entries.append(
            entry_with(
                id=f"f-{number}",
                kind="fact" if number % 2 else "myth",
                title=" ".join(own[:3]),
                claim=" ".join(own[:6]),
                answer=" ".join(own[6:14]),
                keywords=[" ".join(own[14:16]), " ".join(own[16:18])],
                phrasings=[" ".join(own[i : i + 5]) for i in range(15, 40, 5)],
            )
        )
    return entries


def queries(entries: Sequence[Entry], count: int = 200, seed: int = 9) -> list[tuple[str, str]]:
    """Queries with the entry they come from: a keyword, or four words of it; every second has a typo."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        entry = rng.choice(entries)
        if number % 4 < 2:
            query = rng.choice(entry.keywords)
        else:
            said = words(rng.choice(entry.phrasings))
            query = " ".join(rng.sample(said, min(4, len(said))))
        made.append((_slip(query, rng) if number % 2 else query, entry.id))
    return made


def _slip(query: str, rng: random.Random) -> str:
    """`query` with one letter dropped, doubled or swapped, after the second."""
    if len(query) < 5:
        return query
    at = rng.randrange(2, len(query) - 1)
    swapped = query[:at] + query[at + 1] + query[at] + query[at + 2 :]
    return rng.choice((query[:at] + query[at + 1 :], query[:at] + query[at] + query[at:], swapped))


def documents(entries: Sequence[Entry]) -> list[str]:
    """One plain text an entry."""
    return [
        " ".join(words(" ".join((e.title, e.claim, e.answer, *e.keywords, *e.phrasings)))) for e in entries
    ]


def ours(entries: Sequence[Entry], topic_words: Sequence[str], not_covered: Sequence[str]) -> Search:
    """This program's search; an offered choice counts by its first entry."""
    index = Index(entries, topic_words, not_covered)

    def search(query: str) -> str | None:
        found = index.find(query)
        return found.entry_id or (found.candidates[0].entry_id if found.candidates else None)

    return search


def fts5(entries: Sequence[Entry]) -> Search:
    """SQLite's full-text index with its stemmer."""
    base = sqlite3.connect(":memory:")
    base.execute("create virtual table t using fts5(body, tokenize='porter')")
    base.executemany("insert into t values (?)", ((text,) for text in documents(entries)))

    def search(query: str) -> str | None:
        terms = " OR ".join(f'"{word}"' for word in words(query))
        sql = "select rowid from t where t match ? order by rank limit 12"
        row = base.execute(sql, (terms,)).fetchone()
        return entries[row[0] - 1].id if row else None

    return search


def bm25s(entries: Sequence[Entry]) -> Search:
    """bm25s on numpy."""
    library = importlib.import_module("bm25s")
    retriever = library.BM25()
    retriever.index([text.split() for text in documents(entries)], show_progress=False)

    def search(query: str) -> str | None:
        hits, scores = retriever.retrieve([words(query)], k=12, show_progress=False)
        return entries[int(hits[0][0])].id if scores[0][0] > 0 else None

    return search


def rapidfuzz(entries: Sequence[Entry]) -> Search:
    """rapidfuzz's token-set ratio over every entry."""
    process, fuzz = importlib.import_module("rapidfuzz.process"), importlib.import_module("rapidfuzz.fuzz")
    texts = documents(entries)

    def search(query: str) -> str | None:
        hit = process.extractOne(" ".join(words(query)), texts, scorer=fuzz.token_set_ratio)
        return entries[hit[2]].id if hit else None

    return search


def whoosh(entries: Sequence[Entry]) -> Search:
    """whoosh-reloaded with its stemming analyzer, in memory."""
    fields, query_module = importlib.import_module("whoosh.fields"), importlib.import_module("whoosh.query")
    analysis, storage = (
        importlib.import_module("whoosh.analysis"),
        importlib.import_module("whoosh.filedb.filestore"),
    )
    analyzer = analysis.StemmingAnalyzer()
    schema = fields.Schema(number=fields.STORED, body=fields.TEXT(analyzer=analyzer))
    index = storage.RamStorage().create_index(schema)
    writer = index.writer()
    for number, text in enumerate(documents(entries)):
        writer.add_document(number=number, body=text)
    writer.commit()
    searcher = index.searcher()

    def search(query: str) -> str | None:
        terms = [query_module.Term("body", token.text) for token in analyzer(query)]
        hits = searcher.search(query_module.Or(terms), limit=12)
        return entries[hits[0]["number"]].id if hits else None

    return search


def measure(name: str, build: Callable[[], Search], asked: Sequence[tuple[str, str]], base: float) -> float:
    """Print one row; the median in milliseconds is returned for the ratios."""
    started = time.perf_counter()
    try:
        search = build()
    except ModuleNotFoundError:
        print(f"| {name} | not installed |")
        return base
    built = time.perf_counter() - started
    fresh = []
    for query, _ in asked:
        started = time.perf_counter()
        search(query)
        fresh.append(1000 * (time.perf_counter() - started))
    times, hits = [], 0
    for _ in range(ROUNDS):
        for query, wanted in asked:
            started = time.perf_counter()
            got = search(query)
            times.append(1000 * (time.perf_counter() - started))
            hits += got == wanted
    times.sort()
    median = statistics.median(times)
    ratio = median / base if base else 1.0
    print(
        f"| {name} | {built:.2f} | {median:.3f} | {times[int(len(times) * 0.99)]:.3f} | {ratio:.1f} "
        f"| {statistics.median(fresh):.3f} | {max(fresh):.3f} | {hits / len(times):.2f} |",
        flush=True,
    )
    return base or median


def table(title: str, entries: Sequence[Entry], own: Callable[[], Search], slow: bool) -> None:
    """All libraries on one set of entries."""
    asked = queries(entries)
    print(f"\n{title}: {len(entries)} entries, {len(asked)} queries, half with a typo\n")
    print("| library | build s | median ms | p99 ms | times ours | first asked, median | worst | right |")
    print("|---|---|---|---|---|---|---|---|")
    base = measure("ours", own, asked, 0.0)
    measure("SQLite FTS5", lambda: fts5(entries), asked, base)
    measure("bm25s", lambda: bm25s(entries), asked, base)
    measure("rapidfuzz scan", lambda: rapidfuzz(entries), asked if slow else asked[:8], base)
    measure("whoosh-reloaded", lambda: whoosh(entries), asked if slow else asked[:40], base)


def questions_row(search: Search, texts: Sequence[str]) -> None:
    """The time of whole questions, most of which need the full ranking."""
    times = []
    for text in texts:
        started = time.perf_counter()
        search(text)
        times.append(1000 * (time.perf_counter() - started))
    times.sort()
    median, late = statistics.median(times), times[-len(times) // 100]
    print(f"\nquestions: {len(times)}, median {median:.3f} ms, p99 {late:.3f} ms")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--content", type=Path, nargs="+", default=[ROOT / "content.yaml"])
    parser.add_argument("--topic-words", nargs="+", help="default: those of the content file")
    parser.add_argument("--not-covered", type=Path)
    parser.add_argument("--questions", type=Path, default=ROOT / "tests/data/questions_train.jsonl")
    parser.add_argument("--size", type=int, default=100_000)
    args = parser.parse_args()
    entries = load_entries(args.content)
    topic_words = args.topic_words or load_topic_words(args.content[0])
    lines = load_lines(args.not_covered) if args.not_covered else []
    table("content", entries, lambda: ours(entries, topic_words, lines), slow=True)
    search = ours(entries, topic_words, lines)
    for entry in entries:
        search(entry.claim + " then")
    questions_row(search, [question.text for question in load_questions(args.questions)])
    many = synthetic(args.size)
    table("synthetic", many, lambda: ours(many, (), ()), slow=False)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
