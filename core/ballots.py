"""Who voted on what: kept in memory only, so that what is stored are counts and nothing else."""

import asyncio
from datetime import UTC, date, datetime
from typing import NamedTuple

from core.recent import Recent
from core.store import Feedback, Tally

Ballot = tuple[str | None, ...]
"""Names one person and one message; nothing of it is ever stored."""


class _Cast(NamedTuple):
    day: date
    is_up: bool


class Ballots:
    """Lets each person count once on a message, and change their mind.

    Only the latest votes are known, and none after a restart: a second press
    then counts again at worst.
    """

    def __init__(self) -> None:
        self._cast: Recent[Ballot, _Cast] = Recent()
        self._door = asyncio.Lock()

    async def cast(
        self, store: Feedback, ballot: Ballot, entry_id: str, *, is_up: bool, at: datetime
    ) -> None:
        """Count a vote; a changed one moves to the other side on the day it was first given."""
        # One at a time, so that what is remembered is what was counted.
        async with self._door:
            before = self._cast.get(ballot)
            if before and before.is_up == is_up:
                return
            day = before.day if before else at.astimezone(UTC).date()
            gone = -1 if before else 0
            up, down = (1, gone) if is_up else (gone, 1)
            await store.count_votes(day, Tally(entry_id, up, down))
            self._cast.set(ballot, _Cast(day, is_up))
