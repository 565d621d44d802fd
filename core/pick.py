"""Which entry comes next in a chat's round: each once, in random order, then again."""

from collections.abc import Sequence
from random import Random

from core.store import Draw, Drawn


def draw_from(ids: Sequence[str], rng: Random) -> Draw:
    """A draw over `ids`, the entries there are now, at least one.

    Entries added during a round join it; withdrawn ones are skipped. A new
    round never opens with the entry that closed the last one, unless there is
    no other.
    """

    def draw(seen: Sequence[str]) -> Drawn:
        had = set(seen)
        left = [entry_id for entry_id in ids if entry_id not in had]
        if left:
            return Drawn(rng.choice(left))
        fresh = [entry_id for entry_id in ids if entry_id != seen[-1]]
        return Drawn(rng.choice(fresh or list(ids)), restarts=True)

    return draw
