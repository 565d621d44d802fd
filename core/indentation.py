"""Which line to look at where a YAML parser stumbles over the indentation of some line."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import yaml

_NOTICED = (
    "mapping values are not allowed",
    "did not find expected key",
    "did not find expected '-' indicator",
    "did not find expected <document start>",
)
"""What libyaml says of a line that doesn't fit those above it."""

SHIFTS = (-1, 1, -2, 2, -3, 3, -4, 4, 6, 8)
"""Columns by which a line may have slipped."""

_OPENS = re.compile(r" *(- |[^ ]+:( |$))")
"""How an item or a key begins."""

ABOVE, BELOW = 200, 100
"""Lines that are read anew around the one that was noticed: room for an entry."""

MOST_LETTERS = 100_000
"""In those lines; with more, reading them some thirty times would take seconds."""


def slipped(rows: Sequence[str], noticed: int, problem: str) -> int:
    """The line, from 0, that has slipped; `noticed`, where the parser stumbled, unless another is likelier.

    Likeliest is the one that the parser gets furthest with once it is moved.
    """
    if not problem.startswith(_NOTICED) or _column(rows[noticed]) is None:
        return noticed
    kept = list(_around(rows, noticed))
    shown = [rows[line] for line in kept]
    if sum(map(len, shown)) > MOST_LETTERS:
        return noticed
    reached = {line: max(_reaches(shown, kept.index(line))) for line in _suspects(rows, noticed, kept)}
    if max(reached.values()) <= kept.index(noticed):
        return noticed
    furthest = [line for line, reach in reached.items() if reach == max(reached.values())]
    # Of several, one in a column of its own in the whole file.
    columns = Counter(_column(row) for row in rows)
    alone = [line for line in furthest if columns[_column(rows[line])] == 1]
    return (alone or furthest)[0]


def _column(row: str) -> int | None:
    """Where a line begins; None for what says nothing."""
    said = row.lstrip(" ")
    return None if not said or said.startswith("#") else len(row) - len(said)


def _around(rows: Sequence[str], noticed: int) -> Iterator[int]:
    """The lines around one, and of those further above only what they belong to."""
    first = max(0, noticed - ABOVE)
    held: list[int] = []
    least = next(c for row in rows[first:] if (c := _column(row)) is not None)
    for line in range(first - 1, -1, -1):
        column = _column(rows[line])
        if column is not None and column < least:
            held.append(line)
            least = column
    yield from reversed(held)
    yield from range(first, min(len(rows), noticed + BELOW))


def _reaches(rows: Sequence[str], at: int) -> Iterator[int]:
    """How far the parser gets in `rows` with the line `at` moved, for every way that is tried."""
    said = rows[at].lstrip(" ")
    for shift in SHIFTS:
        column = len(rows[at]) - len(said) + shift
        if column >= 0:
            yield _reach([*rows[:at], " " * column + said, *rows[at + 1 :]])


def _reach(rows: Sequence[str]) -> int:
    """The line, from 0, at which the parser stumbles; the number of lines if it doesn't."""
    try:
        for _ in yaml.parse("\n".join(rows), Loader=yaml.CSafeLoader):
            pass
    except yaml.YAMLError as error:
        # Of a forbidden character the reader tells no line.
        mark: yaml.Mark | None = getattr(error, "problem_mark", None)
        return mark.line if mark else 0
    return len(rows)


def _suspects(rows: Sequence[str], noticed: int, kept: Sequence[int]) -> list[int]:
    """The noticed line, the one that opened what is deeper above it, and the one it stands under or beside.

    The likeliest first, should moving each be as good.
    """
    column = _column(rows[noticed]) or 0
    opened: list[int] = []
    least: int | None = None
    for line in reversed(kept[: kept.index(noticed)]):
        here = _column(rows[line])
        if here is None:
            continue
        if here <= column:
            # Text that goes on opens nothing: moved, it may swallow what follows.
            is_text = opened and not _OPENS.match(rows[opened[0]])
            return [noticed, line, *opened] if is_text else [noticed, *opened, line]
        if least is None or here <= least:
            opened, least = [line], here
    return [noticed, *opened]
