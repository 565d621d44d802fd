import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from core.ballots import Ballots
from core.errors import StoreTrouble
from core.sqlstore import SqlStore
from core.store import Tally

LATE = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
TODAY = LATE.date()
MINE, YOURS = ("me", "message"), ("you", "message")


class LostStore:
    """A database that can't be reached."""

    async def count_votes(self, day: date, tally: Tally) -> None:
        raise StoreTrouble("lost")

    async def votes(self, since: date) -> list[Tally]:
        raise StoreTrouble("lost")


@pytest.fixture
async def store() -> AsyncIterator[SqlStore]:
    opened = SqlStore("sqlite://")
    yield opened
    await opened.close()


async def test_one_person_counts_once_on_a_message(store: SqlStore) -> None:
    ballots = Ballots()
    votes = (ballots.cast(store, MINE, "m-one", is_up=True, at=LATE) for _ in range(5))
    await asyncio.gather(*votes)
    assert await store.votes(TODAY) == [Tally("m-one", up=1)]


async def test_others_and_other_messages_count_too(store: SqlStore) -> None:
    ballots = Ballots()
    for ballot in (MINE, YOURS, ("me", "another message")):
        await ballots.cast(store, ballot, "m-one", is_up=True, at=LATE)
    assert await store.votes(TODAY) == [Tally("m-one", up=3)]


async def test_a_changed_vote_moves_on_the_day_it_was_given(store: SqlStore) -> None:
    ballots = Ballots()
    await ballots.cast(store, MINE, "m-one", is_up=True, at=LATE)
    await ballots.cast(store, MINE, "m-one", is_up=False, at=LATE + timedelta(minutes=2))
    assert await store.votes(TODAY) == [Tally("m-one", down=1)]
    assert await store.votes(TODAY + timedelta(days=1)) == []


async def test_the_day_is_that_of_utc(store: SqlStore) -> None:
    in_tokyo = LATE.astimezone(timezone(timedelta(hours=9))) + timedelta(minutes=2)
    await Ballots().cast(store, MINE, "m-one", is_up=True, at=in_tokyo)
    assert await store.votes(TODAY + timedelta(days=1)) == [Tally("m-one", up=1)]


async def test_after_a_restart_a_press_counts_again_at_worst(store: SqlStore) -> None:
    for _ in range(2):
        await Ballots().cast(store, MINE, "m-one", is_up=True, at=LATE)
    assert await store.votes(TODAY) == [Tally("m-one", up=2)]


async def test_a_vote_that_was_not_stored_can_be_given_again(store: SqlStore) -> None:
    ballots = Ballots()
    with pytest.raises(StoreTrouble):
        await ballots.cast(LostStore(), MINE, "m-one", is_up=True, at=LATE)
    await ballots.cast(store, MINE, "m-one", is_up=False, at=LATE)
    assert await store.votes(TODAY) == [Tally("m-one", down=1)]
