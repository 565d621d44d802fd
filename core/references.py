"""What only several parts of a content file together can get wrong: ids and what points to them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.document import Finding


def cross_findings(data: dict[str, Any], verdicts: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """Where parts of `data` contradict each other; it may have other faults.

    `verdicts` are those that fit each kind.
    """
    entries = data["entries"] if isinstance(data.get("entries"), list) else []
    named = [(i, e) for i, e in enumerate(entries) if isinstance(e, dict)]
    ids = _first_index(named)
    headings = _headings(data.get("categories"))
    for n, heading in enumerate(headings):
        if isinstance(heading, str) and heading in headings[:n]:
            yield ("categories", n, "id"), f"{heading!r} stands for two categories; rename one"
    for index, entry in named:
        entry_id, category = entry.get("id"), entry.get("category")
        if isinstance(entry_id, str) and ids[entry_id] != index:
            yield ("entries", index, "id"), f"{entry_id!r} is used twice; give this one another id"
        if isinstance(category, str) and headings and category not in headings:
            message = f"{category!r} is not in categories; add it there or use another"
            yield ("entries", index, "category"), message
        yield from _verdict_findings(index, entry, verdicts)
        if isinstance(entry_id, str):
            yield from _related_findings(index, entry, entries, ids)
    yield from _offer_findings(data.get("safety"), ids)


def _headings(categories: Any) -> list[Any]:
    listed = categories if isinstance(categories, list) else []
    return [category.get("id") for category in listed if isinstance(category, dict)]


def _verdict_findings(
    index: int, entry: dict[str, Any], verdicts: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    kind, verdict = entry.get("kind"), entry.get("verdict")
    fitting = verdicts.get(str(kind), ())
    others = {v for listed in verdicts.values() for v in listed} - set(fitting)
    if fitting and isinstance(verdict, str) and verdict in others:
        message = f"{verdict!r} doesn't fit a {kind}; use one of: {', '.join(fitting)}"
        yield ("entries", index, "verdict"), message


def _offer_findings(safety: Any, ids: dict[str, int]) -> Iterator[Finding]:
    for name in ("dosing", "sourcing"):
        part = safety.get(name) if isinstance(safety, dict) else None
        offered = part.get("entry") if isinstance(part, dict) else None
        if isinstance(offered, str) and ids and offered not in ids:
            yield ("safety", name, "entry"), f"{offered!r} is not an entry; name one that exists"


def _first_index(named: list[tuple[int, dict[str, Any]]]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for index, entry in named:
        if isinstance(entry.get("id"), str):
            ids.setdefault(entry["id"], index)
    return ids


def _related_findings(
    index: int, entry: dict[str, Any], entries: list[Any], ids: dict[str, int]
) -> Iterator[Finding]:
    related = entry.get("related")
    for n, other in enumerate(related if isinstance(related, list) else []):
        path = ("entries", index, "related", n)
        if not isinstance(other, str):
            continue
        if other == entry.get("id"):
            yield path, "is the entry itself; remove it"
        elif other not in ids:
            yield path, f"{other!r} is not an entry; mend the id or remove it"
        else:
            back = entries[ids[other]].get("related")
            if not isinstance(back, list) or entry.get("id") not in back:
                yield path, f"{other!r} doesn't list {entry.get('id')!r} in its own related; add it there"
