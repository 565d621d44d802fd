"""Who leads on a database, what a lost connection does, and who may work beside."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import text

from core.database import Use
from core.errors import StoreAway, StoreError, StoreHeld, StoreTrouble
from core.pick import draw_from
from core.sqlstore import SqlStore
from core.store import Outcome, Post, PostState
from tests.postgres import Server, cut_off, named
from tests.stage import wanted

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONE = draw_from(["a", "b", "c"], Random(1))

SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = %s"


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.database()


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    opened = SqlStore(url)
    yield opened
    await opened.close()


async def test_one_leads_and_another_takes_over_when_it_ends(url: str) -> None:
    first, second = SqlStore(url), SqlStore(url, Use.STAND_BY)
    with pytest.raises(StoreHeld):
        await second.lead()
    await first.draw("chat", "myth", ONE, NOON)
    await first.close()
    await second.lead()
    assert await second.is_leading()
    assert (await second.forget("chat")).seen == 1
    await second.close()


async def test_who_stands_by_can_write_nothing(store: SqlStore, url: str) -> None:
    other = SqlStore(url, Use.STAND_BY)
    with pytest.raises(StoreHeld):
        await other.lead()
    with pytest.raises(StoreTrouble):
        await other.draw("chat", "myth", ONE, NOON)
    assert not await other.is_leading()
    await other.close()


async def test_two_that_start_at_once_make_the_tables_once(url: str) -> None:
    both = threading.Barrier(8)

    def start() -> SqlStore | None:
        both.wait()
        try:
            return SqlStore(url)
        except StoreHeld:
            return None

    with ThreadPoolExecutor(8) as threads:
        started = [future.result() for future in [threads.submit(start) for _ in range(8)]]
    (leader,) = [store for store in started if store]
    assert (await leader.forget("chat")).seen == 0
    await leader.close()


async def test_bots_in_different_schemas_of_a_database_lead_each_for_itself(
    store: SqlStore, url: str, postgres: Server
) -> None:
    postgres.run("CREATE SCHEMA other", database=named(url))
    other = SqlStore(f"{url}&options=-csearch_path%3Dother")
    await other.draw("chat", "myth", ONE, NOON)
    assert (await store.forget("chat")).seen == 0
    await other.close()


async def test_a_lost_connection_is_the_end_of_the_lead(store: SqlStore, url: str, postgres: Server) -> None:
    """What is written after that is written by who leads then."""
    held = await store.subscribe(wanted(), NOON)
    revision = store.revision
    cut_off(postgres, url)
    post = Post(held.id, NOON.date(), "a", PostState.SENT, NOON)
    sent = Outcome(held, 1, post, NOON.date(), NOON + timedelta(days=1))
    for _ in range(2):
        with pytest.raises(StoreTrouble):
            await store.record([sent])
    assert not await store.is_leading()
    assert store.revision > revision
    other = SqlStore(url)
    with pytest.raises(StoreHeld):
        await store.lead()
    with pytest.raises(StoreTrouble):
        await store.record([sent])
    assert await other.posts(held.id, 5) == []
    await other.close()
    await store.lead()
    await store.record([sent])
    assert await store.posts(held.id, 5) == [post]


async def test_whatever_waits_when_the_connection_goes_is_told(
    store: SqlStore, url: str, postgres: Server
) -> None:
    """None of it may be done over a connection that comes by itself, without the lock."""
    cut_off(postgres, url)
    draws = (store.draw(str(number), "myth", ONE, NOON) for number in range(9))
    ends = await asyncio.gather(*draws, return_exceptions=True)
    assert [type(end) for end in ends] == [StoreTrouble] * 9
    await store.lead()
    assert await store.forget_idle("", NOON + timedelta(days=1)) == 0


async def test_a_connection_that_breaks_at_the_start_is_tried_again(url: str, postgres: Server) -> None:
    store = SqlStore(url, Use.STAND_BY)
    leader = SqlStore(url)
    with pytest.raises(StoreHeld):
        await store.lead()
    cut_off(postgres, url)
    with pytest.raises(StoreAway):
        await store.lead()
    await leader.close()
    await store.lead()
    assert await store.is_leading()
    await store.close()


async def test_a_connection_lost_meanwhile_undoes_it(store: SqlStore, url: str, postgres: Server) -> None:
    def draw(_seen: object) -> object:
        cut_off(postgres, url)
        return ONE([])

    with pytest.raises(StoreTrouble):
        await store.draw("chat", "myth", draw, NOON)  # type: ignore[arg-type]
    await store.lead()
    assert (await store.forget("chat")).seen == 0


async def test_closing_waits_for_no_server_that_says_nothing(url: str, postgres: Server) -> None:
    store = SqlStore(url)
    ((session,),) = postgres.run(SESSIONS, named(url))
    os.kill(session, signal.SIGSTOP)
    waiting = asyncio.create_task(store.forget("chat"))
    try:
        async with asyncio.timeout(30):
            await store.close()
            with pytest.raises(StoreTrouble):
                await waiting
    finally:
        os.kill(session, signal.SIGCONT)


async def test_a_server_that_says_nothing_is_as_good_as_away(
    store: SqlStore, url: str, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.database.SILENCE_SECONDS", 0.1)
    ((session,),) = postgres.run(SESSIONS, named(url))
    os.kill(session, signal.SIGSTOP)
    try:
        async with asyncio.timeout(30):
            assert not await store.is_leading()
    finally:
        os.kill(session, signal.SIGCONT)


async def test_a_newer_database_is_refused_also_while_another_leads(store: SqlStore, url: str) -> None:
    await store.run(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(StoreError, match="was written by a newer version; update the program"):
        SqlStore(url)


async def test_an_older_database_is_left_alone_while_another_leads(store: SqlStore, url: str) -> None:
    """Tables must not change under a running bot, even if it is an older one."""
    await store.run(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '0003'")))
    with pytest.raises(StoreHeld):
        SqlStore(url)
    for use in (Use.BESIDE, Use.LOOK):
        with pytest.raises(StoreError, match="is not of this version"):
            SqlStore(url, use)


@pytest.mark.parametrize("use", [Use.BESIDE, Use.LOOK])
async def test_others_work_beside_the_one_that_leads(database: str, use: Use) -> None:
    leader = SqlStore(database)
    await leader.subscribe(wanted(), NOON)
    beside = SqlStore(database, use)
    assert len(await beside.agenda(5)) == 1
    await beside.close()
    await leader.subscribe(wanted("-2"), NOON)
    await leader.close()


async def test_who_works_beside_makes_the_tables_of_a_new_database_and_holds_up_nobody(database: str) -> None:
    beside = SqlStore(database, Use.BESIDE)
    await beside.draw("console", "myth", ONE, NOON)
    leader = SqlStore(database)
    await beside.draw("console", "myth", ONE, NOON)
    assert (await leader.forget("console")).seen == 2
    await leader.close()
    await beside.close()
