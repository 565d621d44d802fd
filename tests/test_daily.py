import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from random import Random

import pytest
from sqlalchemy import Connection, update

from core import daily as module
from core.database import ms
from core.delivery import Limits, Pacer
from core.errors import (
    ChatGone,
    RetryLater,
    StoreError,
    StoreTrouble,
    Unconnected,
    Undeliverable,
    Unsure,
)
from core.post import Attempt, attempt
from core.reply import Reply, plain_text
from core.schedule import Plan
from core.sqldaily import SUBSCRIPTION
from core.sqlstore import SqlStore
from core.store import Outcome, Post, PostState, Standing, Subscription
from tests.room import CONTENT, PHRASES
from tests.stage import MONDAY, Stage, wanted

TODAY = date(2026, 11, 23)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
async def store(memory: str) -> AsyncIterator[SqlStore]:
    opened = SqlStore(memory)
    yield opened
    await opened.close()


async def go(stage: Stage, store: SqlStore, hours: float, *, every: timedelta = timedelta(minutes=1)) -> None:
    """Let the sender look around for so long."""
    daily, end = stage.daily(store), stage.now + timedelta(hours=hours)
    while stage.now < end:
        await daily.step()
        stage.now += every
        stage.slept += every.total_seconds()


async def held_by(store: SqlStore, chat_key: str = "-1") -> Subscription:
    held = await store.subscription("telegram", chat_key)
    assert held is not None
    return held


async def test_a_chat_gets_its_post_at_its_minute_with_the_way_out(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(thread="5"), stage.now)
    await go(stage, store, 3)
    (sent,) = stage.sent
    assert sent.at == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    assert (sent.thread, sent.reply.thread) == ("5", "5")
    assert "/stop" in plain_text(sent.reply)
    (post,) = await store.posts((await held_by(store)).id, 5)
    assert (post.state, post.day, post.message_key) == (PostState.SENT, TODAY, "1")
    assert post.entry_id == sent.reply.entry_id


async def test_every_entry_comes_once_a_round(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(kind="myth"), stage.now)
    myths = [entry.id for entry in CONTENT.entries if entry.kind == "myth"]
    await go(stage, store, 24 * 2 * len(myths), every=timedelta(hours=1))
    given = [sent.reply.entry_id for sent in stage.sent]
    assert len(given) == 2 * len(myths)
    assert sorted(map(str, given[: len(myths)])) == sorted(myths)
    assert sorted(map(str, given[len(myths) :])) == sorted(myths)


async def test_an_entry_counts_as_had_only_once_it_was_sent(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.always = lambda _held: RetryLater(1)
    await go(stage, store, 12)
    assert stage.sent == []
    due = await store.due("telegram", stage.now + timedelta(days=2), 5)
    assert due[0].seen == ()


async def test_one_that_fails_never_stops_the_next(stage: Stage, store: SqlStore) -> None:
    for number in range(40):
        await store.subscribe(wanted(str(number)), stage.now)
    errors = [ChatGone("kicked"), Unsure(), Undeliverable("bad request"), RetryLater(5), ValueError("x")]
    stage.always = lambda held: errors[int(held.chat_key) % 8] if int(held.chat_key) % 8 < 5 else None
    await go(stage, store, 8)
    assert {sent.chat_key for sent in stage.sent} == {str(n) for n in range(40) if n % 8 >= 5}


@pytest.mark.parametrize("fault", [RetryLater(1), RetryLater(7, everywhere=True), Unsure(), OSError()])
async def test_a_passing_fault_delays_the_post_and_nothing_else(
    stage: Stage, store: SqlStore, fault: Exception
) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.faults = [fault, fault]
    await go(stage, store, 6)
    await go(stage, store, 42, every=timedelta(minutes=10))
    assert [sent.at.date() for sent in stage.sent] == [TODAY, TODAY + timedelta(days=1)]
    assert stage.sent[0].at - MONDAY < timedelta(hours=1, minutes=5)


async def test_a_platform_down_for_hours_is_probed_gently_and_made_up_for(
    stage: Stage, store: SqlStore
) -> None:
    for number in range(200):
        await store.subscribe(wanted(str(number)), stage.now)
    tries: list[datetime] = []
    down_until = MONDAY + timedelta(hours=5)

    def down(_held: Subscription) -> Exception | None:
        tries.append(stage.now)
        return Unsure() if stage.now < down_until else None

    stage.always = down
    await go(stage, store, 8)
    assert {sent.chat_key for sent in stage.sent} == {str(n) for n in range(200)}
    assert len(stage.sent) == 200
    assert len([at for at in tries if at < down_until]) < 4 * 60 + 5
    assert max(sent.at for sent in stage.sent) < MONDAY + timedelta(hours=7, minutes=1)


async def test_after_a_short_outage_nobody_waits_long(stage: Stage, store: SqlStore) -> None:
    """What was only about to be sent when the platform went down does not count as tried."""
    for number in range(30):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.now += timedelta(hours=1)
    back = stage.now + timedelta(seconds=50)
    stage.always = lambda _held: Unsure() if stage.now < back else None
    await go(stage, store, 0.05, every=timedelta(seconds=1))
    assert sorted(int(sent.chat_key) for sent in stage.sent) == list(range(30))
    assert max(sent.at for sent in stage.sent) - back < timedelta(seconds=45)


async def test_limits_of_single_chats_keep_no_other_waiting(stage: Stage, store: SqlStore) -> None:
    for number in range(30):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.now += timedelta(hours=1)
    stage.always = lambda held: RetryLater(3600) if int(held.chat_key) < 10 else None
    since = stage.slept
    await stage.daily(store).step()
    assert sorted(int(sent.chat_key) for sent in stage.sent) == list(range(10, 30))
    assert stage.slept - since < 5


@pytest.mark.parametrize("fault", [RetryLater(1, everywhere=True), Unconnected(1), RetryLater(1)])
async def test_a_platform_that_takes_nothing_is_probed_however_it_says_so(
    stage: Stage, store: SqlStore, fault: Exception
) -> None:
    for number in range(100):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.now += timedelta(hours=1)
    tries: list[datetime] = []

    def refuse(_held: Subscription) -> Exception:
        tries.append(stage.now)
        return fault

    stage.always = refuse
    await go(stage, store, 0.1, every=timedelta(seconds=1))
    assert 10 < len(tries) < 50


async def test_after_the_window_there_is_none_that_day(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.now += timedelta(hours=7, minutes=1)
    await go(stage, store, 20)
    assert [sent.at.date() for sent in stage.sent] == [date(2026, 11, 24)]
    ledger = await store.posts((await held_by(store)).id, 5)
    assert [(post.day, post.state) for post in ledger][-1] == (TODAY, PostState.MISSED)
    assert ledger[-1].reason == "down"


async def test_months_away_end_in_one_post(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.now += timedelta(days=100, hours=3)
    await go(stage, store, 1)
    assert len(stage.sent) == 1


@pytest.mark.parametrize("hours", [-3, -30, 30, 24 * 400])
async def test_a_wall_clock_that_jumps_never_makes_two(stage: Stage, store: SqlStore, hours: int) -> None:
    await store.subscribe(wanted(), stage.now)
    await go(stage, store, 2)
    stage.now += timedelta(hours=hours)
    await go(stage, store, 100, every=timedelta(minutes=10))
    days = [sent.at.astimezone(UTC).date() for sent in stage.sent]
    assert len(days) == len(set(days)) or hours < 0
    nonces = [sent.nonce for sent in stage.sent]
    assert len(nonces) == len(set(nonces))


async def test_gone_suspends_keeps_the_settings_and_tells_an_admin_once(
    stage: Stage, store: SqlStore
) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.always = lambda _held: ChatGone("topic_closed")
    await go(stage, store, 2)
    await go(stage, store, 70, every=timedelta(minutes=10))
    held = await held_by(store)
    assert (held.standing, held.reason, held.plan) == (
        Standing.SUSPENDED,
        "topic_closed",
        Plan(time(9), "Europe/Berlin"),
    )
    assert held.next_due is None
    ((told, reply),) = stage.told
    assert told == "7"
    assert "The topic is closed." in plain_text(reply)


async def test_what_an_update_told_already_is_not_told_again(store: SqlStore) -> None:
    class Restricted(Stage):
        async def post(self, subscription: Subscription, reply: Reply, nonce: str) -> str:
            gone = replace(subscription, standing=Standing.SUSPENDED, reason="no_rights")
            await store.subscribe(gone, self.now)
            raise ChatGone("no_rights")

    stage = Restricted()
    await store.subscribe(wanted(), stage.now)
    await go(stage, store, 3)
    assert stage.told == []
    held = await held_by(store)
    assert (held.standing, held.reason) == (Standing.SUSPENDED, "no_rights")


async def test_who_set_several_is_told_no_faster_than_one_chat_allows(stage: Stage, store: SqlStore) -> None:
    for number in range(3):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.always = lambda _held: ChatGone("kicked")
    stage.now += timedelta(hours=1)
    at: list[float] = []
    original = stage.tell

    async def tell(held: Subscription, reply: Reply) -> None:
        at.append(stage.slept)
        await original(held, reply)

    stage.tell = tell  # type: ignore[method-assign]
    daily = stage.daily(store)
    slow = Limits(per_second=100, burst=100, chat_per_second=1, chat_burst=1)
    daily._pacer = Pacer(slow, stage.monotonic, stage.sleep)
    await daily.step()
    assert len(stage.told) == 3
    assert min(later - earlier for earlier, later in pairwise(at)) >= 1


async def test_a_private_chat_that_blocked_the_bot_is_told_nothing(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(private=True), stage.now)
    stage.always = lambda _held: ChatGone("blocked")
    await go(stage, store, 3)
    assert stage.told == []


async def test_an_admin_who_can_not_be_told_stops_nothing(
    stage: Stage, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise ChatGone("not_started")

    monkeypatch.setattr(stage, "tell", refuse)
    for number in range(5):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.always = lambda held: ChatGone("kicked") if held.chat_key == "0" else None
    await go(stage, store, 3)
    assert len(stage.sent) == 4


async def test_a_group_that_moved_gets_its_post_at_once_under_its_new_key(
    stage: Stage, store: SqlStore
) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.always = lambda held: ChatGone("moved", moved_to="-100") if held.chat_key == "-1" else None
    await go(stage, store, 26)
    assert [sent.chat_key for sent in stage.sent] == ["-100", "-100"]
    assert stage.sent[0].at == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    assert await store.subscription("telegram", "-1") is None


async def test_a_group_that_moved_in_circles_is_suspended(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.always = lambda held: ChatGone("moved", moved_to=held.chat_key + "0")
    await go(stage, store, 3)
    assert (await held_by(store, "-10")).standing is Standing.SUSPENDED


async def test_a_group_that_moved_onto_another_subscription_gets_one_post(
    stage: Stage, store: SqlStore
) -> None:
    await store.subscribe(wanted(), stage.now)
    await store.subscribe(wanted("-100"), stage.now)
    stage.always = lambda held: ChatGone("moved", moved_to="-100") if held.chat_key == "-1" else None
    await go(stage, store, 3)
    assert [sent.chat_key for sent in stage.sent] == ["-100"]


async def test_what_may_have_arrived_keeps_its_entry_and_its_nonce(stage: Stage, store: SqlStore) -> None:
    stage.arrives_all_the_same = True
    stage.faults = [Unsure()]
    await store.subscribe(wanted(), stage.now)
    await go(stage, store, 3)
    first, second = stage.sent
    assert first.reply.entry_id == second.reply.entry_id
    assert first.nonce == second.nonce
    assert len(first.nonce) <= 25


async def test_a_repeat_within_two_minutes_is_dropped_by_its_nonce(stage: Stage, store: SqlStore) -> None:
    stage.arrives_all_the_same = stage.drops_repeats = True
    stage.faults = [Unsure()]
    await store.subscribe(wanted(), stage.now)
    await go(stage, store, 3, every=timedelta(seconds=5))
    assert len(stage.sent) == 1


async def test_later_the_bot_looks_for_its_own_post_first(stage: Stage, store: SqlStore) -> None:
    stage.arrives_all_the_same = stage.shows_history = True
    stage.faults = [Unsure()]
    await store.subscribe(wanted(), stage.now)
    await go(stage, store, 3, every=timedelta(minutes=10))
    assert len(stage.sent) == 1
    (post,) = await store.posts((await held_by(store)).id, 5)
    assert post.message_key == "1"


@pytest.mark.parametrize("later", [RetryLater(1), Unsure()])
async def test_it_looks_from_the_first_try_that_may_have_arrived(
    stage: Stage, store: SqlStore, later: Exception
) -> None:
    """A second try that surely failed does not make the first one young again."""
    stage.drops_repeats = stage.shows_history = True
    await store.subscribe(wanted(), stage.now)
    stage.now += timedelta(hours=1)
    await stage.daily(store).step()
    (sent,) = await store.posts((await held_by(store)).id, 5)
    # As if the process had been killed before it could write that down.
    begun = replace(sent, state=PostState.SENDING, unsure=True, message_key=None)
    await store.begin([begun])
    again = update(SUBSCRIPTION).values(done_day="0001-01-01", next_due_ms=ms(sent.at))
    await store.run(lambda connection: connection.execute(again))
    stage.now = sent.at + timedelta(seconds=100)
    stage.faults = [later]
    await stage.daily(store).step()
    pending = SUBSCRIPTION.c.done_day == "0001-01-01"
    await store.run(lambda connection: connection.execute(again.where(pending)))
    stage.now = sent.at + timedelta(seconds=150)
    await stage.daily(store).step()
    assert len(stage.sent) == 1
    assert (await store.posts(begun.subscription_id, 5))[0].state is PostState.SENT


async def test_tries_that_die_do_not_make_the_first_one_young_again(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.now += timedelta(hours=1)
    first = stage.now
    for _ in range(3):
        (due,) = await store.due("telegram", stage.now, 1)
        begun = attempt(due, CONTENT, PHRASES, Random(1), stage.now)
        assert isinstance(begun, Attempt)
        await store.begin([begun.post])
        stage.now += timedelta(seconds=100)
    (due,) = await store.due("telegram", stage.now, 1)
    last = attempt(due, CONTENT, PHRASES, Random(1), stage.now)
    assert isinstance(last, Attempt)
    assert last.unsure_since == first


async def test_a_withdrawn_entry_is_not_sent_again(
    stage: Stage, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.now += timedelta(hours=1)
    begun = (await store.due("telegram", stage.now, 1))[0].subscription
    await store.begin(
        [Post(begun.id, TODAY, "m-withdrawn", PostState.SENDING, stage.now, tries=1, unsure=True)]
    )
    await stage.daily(store).step()
    assert stage.sent[0].reply.entry_id in {entry.id for entry in CONTENT.entries}


async def test_settings_changed_while_a_post_waits_win(stage: Stage, store: SqlStore) -> None:
    """Five are due, three in flight; the last is switched off meanwhile."""
    for number in range(5):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.now += timedelta(hours=1)
    off = [False]

    def switch(_held: Subscription) -> None:
        off[0] = True

    stage.always = switch
    daily = stage.daily(store)
    original = store.record

    async def record(outcomes: list[Outcome]) -> None:
        if off == [True]:
            off.append(True)
            await store.subscribe(replace(await held_by(store, "4"), standing=Standing.OFF), stage.now)
        await original(outcomes)

    store.record = record  # type: ignore[method-assign, assignment]
    await daily.step()
    assert sorted(sent.chat_key for sent in stage.sent) == ["0", "1", "2", "3"]


async def test_a_time_changed_during_the_send_does_not_post_twice(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(), stage.now)
    original = stage.post

    async def post(held: Subscription, *rest: object) -> str:
        await store.subscribe(replace(held, plan=Plan(time(18), "Europe/Berlin")), stage.now)
        return await original(held, *rest)  # type: ignore[arg-type]

    stage.post = post  # type: ignore[method-assign, assignment]
    await go(stage, store, 2)
    stage.post = original  # type: ignore[method-assign]
    await go(stage, store, 34)
    assert [sent.at.hour for sent in stage.sent] == [8, 17]
    assert stage.sent[1].at.date() == date(2026, 11, 24)


async def test_a_chat_deleted_during_the_send_leaves_nothing(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(), stage.now)

    async def post(held: Subscription, *_: object) -> str:
        await store.unsubscribe(held.platform, held.chat_key)
        return "1"

    stage.post = post  # type: ignore[method-assign, assignment]
    await go(stage, store, 26)
    assert await store.agenda(5) == []


async def test_a_zone_that_no_longer_exists_suspends(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(), stage.now)
    await store.run(
        lambda connection: connection.exec_driver_sql("UPDATE subscription SET zone = 'Mars/Olympus'")
    )
    daily = stage.daily(store)
    await daily.housekeep()
    stage.now += timedelta(hours=2)
    await daily.step()
    assert (await held_by(store)).reason == "zone"


async def test_a_kind_without_entries_fails_that_day_only(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(kind="poem"), stage.now)
    await go(stage, store, 2)
    (post,) = await store.posts((await held_by(store)).id, 5)
    assert (post.state, post.reason) == (PostState.FAILED, "no_entry")
    assert (await held_by(store)).standing is Standing.ACTIVE


async def test_a_chat_whose_turn_does_not_come_lets_others_go_first(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted("slow"), stage.now)
    await store.subscribe(wanted("quick"), stage.now)
    stage.now += timedelta(hours=1)
    daily = stage.daily(store)
    daily._pacer.hold("slow", 600)
    await daily.step()
    assert [sent.chat_key for sent in stage.sent] == ["quick"]
    for _ in range(30):
        await stage.sleep(30)
        await daily.step()
    assert [sent.chat_key for sent in stage.sent] == ["quick", "slow"]


async def test_a_database_that_fails_to_record_holds_the_slot_until_it_can(
    stage: Stage, store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(20):
        await store.subscribe(wanted(str(number)), stage.now)
    original, failures = store.record, [0]

    async def record(outcomes: list[Outcome]) -> None:
        failures[0] += 1
        if failures[0] <= 10:
            raise OSError("disk full")
        await original(outcomes)

    store.record = record  # type: ignore[method-assign, assignment]
    stage.now += timedelta(hours=1)
    await stage.daily(store).step()
    assert len(stage.sent) == 20
    assert "not recorded error=OSError" in caplog.text


async def test_a_database_out_of_reach_neither_loses_nor_repeats_what_is_under_way(
    stage: Stage, store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Three are with the platform when it goes, more are begun and wait for a slot."""
    for number in range(20):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.now += timedelta(hours=1)
    original, end, meanwhile = store.run, stage.now + timedelta(minutes=1), 0

    async def run(work: Callable[[Connection], object]) -> object:
        nonlocal meanwhile
        if stage.sent and stage.now < end:
            meanwhile = len(stage.sent)
            store.revision += 1
            raise StoreTrouble("out of reach")
        return await original(work)

    store.run = run  # type: ignore[method-assign, assignment]
    daily = stage.daily(store)
    while stage.now < end:
        with suppress(StoreTrouble):
            await daily.step()
    assert meanwhile == 3
    await daily.step()
    assert sorted(sent.chat_key for sent in stage.sent) == sorted(map(str, range(20)))
    assert caplog.text.count("not recorded error=StoreTrouble (out of reach)") == 1


async def test_what_is_under_way_ends_well_while_the_next_posts_can_not_be_read(
    stage: Stage, store: SqlStore
) -> None:
    """That the database is away is told once nothing is under way any more."""
    for number in range(5):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.now += timedelta(hours=1)
    due, post, refused = store.due, stage.post, asyncio.Event()

    async def look(*rest: object) -> object:
        if stage.sent:
            refused.set()
            raise StoreTrouble("out of reach")
        return await due(*rest)  # type: ignore[arg-type]

    async def take(held: Subscription, *rest: object) -> str:
        if held.chat_key == "0":
            await refused.wait()
        return await post(held, *rest)  # type: ignore[arg-type]

    store.due = look  # type: ignore[method-assign, assignment]
    stage.post = take  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreTrouble):
        await stage.daily(store).step()
    assert [sent.chat_key for sent in stage.sent][-1] == "0"
    assert sorted(sent.chat_key for sent in stage.sent) == list("01234")
    assert [(await held_by(store, chat_key)).done_day for chat_key in "01234"] == [TODAY] * 5


class Unreadable(Stage):
    """While it takes the first post, `change` happens, and from then on no settings can be read."""

    async def change(self) -> None:
        pass

    async def post(self, subscription: Subscription, reply: Reply, nonce: str) -> str:
        store = self.store
        assert store
        if not self.sent:
            await self.change()
            store.subscription = self._refuse  # type: ignore[method-assign, assignment]
        return await super().post(subscription, reply, nonce)

    async def _refuse(self, *_: object) -> None:
        raise StoreTrouble("out of reach")


async def test_nothing_is_sent_on_settings_that_changed_and_can_not_be_read(store: SqlStore) -> None:
    class Stopped(Unreadable):
        async def change(self) -> None:
            await store.subscribe(wanted("3", standing=Standing.OFF), self.now)

    stage = Stopped()
    for number in range(4):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.now += timedelta(hours=1)
    await stage.daily(store).step()
    assert sorted(sent.chat_key for sent in stage.sent) == list("012")


async def test_an_admin_is_told_where_it_can_not_be_read_whether_an_update_told_already(
    store: SqlStore,
) -> None:
    stage = Unreadable()
    await store.subscribe(wanted(), stage.now)
    stage.always = lambda _held: ChatGone("kicked")
    stage.now += timedelta(hours=1)
    await stage.daily(store).step()
    assert [told for told, _ in stage.told] == ["7"]


async def test_a_lost_database_ends_the_sender(stage: Stage, store: SqlStore) -> None:
    async def record(_outcomes: object) -> None:
        raise StoreError("another sender leads")

    await store.subscribe(wanted(), stage.now)
    stage.now += timedelta(hours=1)
    store.record = record  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreError, match="another sender"):
        await stage.daily(store).run(asyncio.Event())
    assert len(stage.sent) == 1


async def test_the_supervisor_goes_on_after_a_fault_and_leaves_a_heartbeat(
    stage: Stage, store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.now += timedelta(hours=1)
    original, calls, stop = store.due, [0], asyncio.Event()

    async def due(*rest: object) -> object:
        calls[0] += 1
        if calls[0] < 3:
            raise OSError("gone for a moment")
        if stage.sent:
            stop.set()
        return await original(*rest)  # type: ignore[arg-type]

    store.due = due  # type: ignore[method-assign, assignment]
    daily = stage.daily(store)
    await daily.run(stop)
    assert len(stage.sent) == 1
    assert caplog.text.count("daily round failed error=OSError") == 1
    assert abs(daily._beats["telegram"] - stage.now) < timedelta(minutes=1)


async def test_a_jump_of_the_wall_clock_is_logged(
    stage: Stage, store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    stop, naps = asyncio.Event(), [0]

    async def sleep(seconds: float) -> None:
        stage.slept += seconds
        naps[0] += 1
        if naps[0] == 3:
            stage.now += timedelta(hours=9)
        if naps[0] == 6:
            stop.set()

    stage.sleep = sleep  # type: ignore[method-assign]
    await stage.daily(store).run(stop)
    assert caplog.text.count("wall clock jumped") == 1


async def test_stopping_finishes_what_is_in_flight_and_starts_no_more(stage: Stage, store: SqlStore) -> None:
    for number in range(10):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.now += timedelta(hours=1)
    stop, original = asyncio.Event(), stage.post

    async def post(*rest: object) -> str:
        stop.set()
        await asyncio.sleep(0.01)
        return await original(*rest)  # type: ignore[arg-type]

    stage.post = post  # type: ignore[method-assign, assignment]
    await stage.daily(store).run(stop)
    assert len(stage.sent) == 3
    states = [(await store.posts((await held_by(store, str(n))).id, 1))[0].state for n in range(10)]
    assert states.count(PostState.SENT) == 3


async def test_a_send_that_hangs_is_cut_off_when_stopping(
    stage: Stage, store: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.now += timedelta(hours=1)
    stop = asyncio.Event()

    async def post(*_: object) -> str:
        stop.set()
        await asyncio.Event().wait()
        return ""

    monkeypatch.setattr(module, "finish", partial(module.finish, seconds=0.01))
    stage.post = post  # type: ignore[method-assign, assignment]
    await stage.daily(store).run(stop)
    assert "cut off posts=1" in caplog.text


async def test_a_new_tz_database_moves_what_is_planned(
    stage: Stage, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.subscribe(wanted(), stage.now)
    daily = stage.daily(store)
    await daily.housekeep()
    await store.run(
        lambda connection: connection.exec_driver_sql("UPDATE subscription SET next_due_ms = 5000000000000")
    )
    await daily.housekeep()
    stage.slept += 3601
    await daily.housekeep()
    assert (await held_by(store)).next_due != datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    monkeypatch.setattr(module, "tz_version", lambda: "version 2099z")
    stage.slept += 3601
    await daily.housekeep()
    assert (await held_by(store)).next_due == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def test_housekeeping_deletes_old_rows_and_what_is_off_for_long(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(), stage.now)
    await store.subscribe(wanted("7", private=True, standing=Standing.OFF), stage.now)
    await store.subscribe(wanted("-8", standing=Standing.OFF), stage.now)
    await go(stage, store, 24 * 40, every=timedelta(hours=1))
    await stage.daily(store).housekeep()
    ledger = await store.posts((await held_by(store)).id, 100)
    assert 34 <= len(ledger) <= 37
    stage.now += timedelta(days=60)
    await stage.daily(store).housekeep()
    assert await store.subscription("telegram", "7") is None
    assert await store.subscription("telegram", "-8") is not None


async def test_each_platform_has_its_own_queue(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(), stage.now)
    await store.subscribe(wanted(platform="discord"), stage.now)
    stage.now += timedelta(hours=1)
    await stage.daily(store, platform="discord").step()
    assert len(stage.sent) == 1
    assert (await held_by(store)).done_day < TODAY


async def test_a_slow_post_holds_its_own_slot_only(stage: Stage, store: SqlStore) -> None:
    for number in range(9):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.now += timedelta(hours=1)
    original, others = stage.post, asyncio.Event()

    async def post(held: Subscription, *rest: object) -> str:
        if held.chat_key == "0":
            await others.wait()
        key = await original(held, *rest)  # type: ignore[arg-type]
        if len(stage.sent) == 8:
            # While it hangs, the sender looks around again.
            asyncio.get_running_loop().call_later(0.1, others.set)
        return key

    stage.post = post  # type: ignore[method-assign, assignment]
    await stage.daily(store).step()
    assert sorted(sent.chat_key for sent in stage.sent) == [str(n) for n in range(9)]
    assert stage.sent[-1].chat_key == "0"


async def test_waking_for_a_day_that_is_done_posts_nothing(stage: Stage, store: SqlStore) -> None:
    await store.subscribe(wanted(), stage.now)
    await go(stage, store, 2)
    await store.run(
        lambda connection: connection.exec_driver_sql("UPDATE subscription SET next_due_ms = 1000")
    )
    await go(stage, store, 1)
    assert len(stage.sent) == 1
    assert (await held_by(store)).next_due == datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


async def test_a_record_under_way_when_the_sender_is_cut_off_is_still_written(
    stage: Stage, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.subscribe(wanted(), stage.now)
    stage.now += timedelta(hours=1)
    stop, go_on, original = asyncio.Event(), asyncio.Event(), store.record

    async def record(outcomes: list[Outcome]) -> None:
        stop.set()
        await go_on.wait()
        await original(outcomes)

    monkeypatch.setattr(module, "finish", partial(module.finish, seconds=0.01))
    store.record = record  # type: ignore[method-assign, assignment]
    daily = stage.daily(store)
    await daily.run(stop)
    go_on.set()
    writer = daily._records._writer
    assert writer is not None
    await writer
    assert (await held_by(store)).done_day == TODAY


class Crash(BaseException):
    pass


async def test_a_writer_that_dies_leaves_nobody_waiting(stage: Stage, store: SqlStore) -> None:
    async def record(_outcomes: object) -> None:
        raise Crash

    for number in range(3):
        await store.subscribe(wanted(str(number)), stage.now)
    stage.now += timedelta(hours=1)
    store.record = record  # type: ignore[method-assign, assignment]
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    with pytest.raises(Crash):
        await stage.daily(store).step()
