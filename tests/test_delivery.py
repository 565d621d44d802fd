"""Pace, priorities, retries and drops, in virtual time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from core.delivery import Bucket, Grant, Limits, Outbox, Pacer, Priority, finish, priority_of
from core.errors import ChatGone, RetryLater, Undeliverable, Unsure
from core.reply import Reply
from tests.virtual import VirtualTime

LIMITS = Limits(per_second=25, burst=5, chat_per_second=1, chat_burst=3, group_per_minute=20)


class Wire:
    """A platform that notes what it took and when, and fails as told."""

    def __init__(self, time: VirtualTime) -> None:
        self.time = time
        self.took: list[tuple[float, str]] = []
        self.faults: list[Exception] = []
        self.tries = 0

    def sends(self, text: str, lasting: float = 0.0) -> Callable[[], Awaitable[str]]:
        async def attempt() -> str:
            self.tries += 1
            if lasting:
                await self.time.sleep(lasting)
            if self.faults:
                raise self.faults.pop(0)
            self.took.append((round(self.time.now - 1000, 3), text))
            return text

        return attempt

    def texts(self) -> list[str]:
        return [text for _at, text in self.took]


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def wire(time: VirtualTime) -> Wire:
    return Wire(time)


def opened(time: VirtualTime, limits: Limits = LIMITS) -> tuple[Outbox, Pacer]:
    pacer = Pacer(limits, time.clock, time.sleep)
    return Outbox(pacer, time.clock), pacer


async def test_chat_gets_three_at_once_then_one_a_second(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    await time.run(_all(outbox.deliver("a", wire.sends(str(n))) for n in range(6)))
    assert wire.took == [(0, "0"), (0, "1"), (0, "2"), (1, "3"), (2, "4"), (3, "5")]


async def test_turn_counts_from_its_end(time: VirtualTime, wire: Wire) -> None:
    """The platform may see a slow message as late as its answer."""
    outbox, _ = opened(time)
    await time.run(_all(outbox.deliver("a", wire.sends(str(n), lasting=10)) for n in range(4)))
    assert [at for at, _ in wire.took] == [10, 20, 30, 40]


async def test_group_gets_twenty_in_any_minute(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    await time.run(_all(outbox.deliver("g", wire.sends("x"), is_group=True) for _ in range(20)))
    later = outbox.deliver("g", wire.sends("21st"), is_group=True)
    await time.run(later)
    assert wire.took[-1] == (60, "21st")


async def test_refused_try_does_not_use_up_the_groups_minute(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    wire.faults = [RetryLater(1)]
    await time.run(_all(outbox.deliver("g", wire.sends("x"), is_group=True) for _ in range(20)))
    assert wire.took[-1][0] < 60


async def test_all_chats_together_get_twenty_five_a_second(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    await time.run(_all(outbox.deliver(str(n), wire.sends("x")) for n in range(105)))
    assert wire.took[-1][0] == 4.0
    assert sum(1 for at, _ in wire.took if 1 < at <= 2) == 25


async def test_crisis_goes_first_in_a_chat_and_over_all(time: VirtualTime, wire: Wire) -> None:
    outbox, pacer = opened(time)
    pacer.hold(None, 1)
    jobs = [
        outbox.deliver("a", wire.sends("broadcast"), priority=Priority.BROADCAST),
        outbox.deliver("a", wire.sends("setting"), priority=Priority.SETTING),
        outbox.deliver("b", wire.sends("answer")),
        outbox.deliver("a", wire.sends("crisis"), priority=Priority.CRISIS),
    ]
    await time.run(_all(jobs))
    assert wire.texts() == ["crisis", "answer", "setting", "broadcast"]


async def test_flood_wait_holds_the_chat_it_names_alone(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    wire.faults = [RetryLater(7)]
    await time.run(_all([outbox.deliver("a", wire.sends("a")), outbox.deliver("b", wire.sends("b"))]))
    assert wire.took == [(0, "b"), (7, "a")]


async def test_wait_everywhere_holds_every_chat(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    wire.faults = [RetryLater(7, everywhere=True)]
    await time.run(_all([outbox.deliver("a", wire.sends("a")), outbox.deliver("b", wire.sends("b"))]))
    assert wire.took == [(7, "a"), (7, "b")]


async def test_retried_answer_keeps_its_place(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    wire.faults = [RetryLater(1)]
    await time.run(_all(outbox.deliver("a", wire.sends(str(n))) for n in range(3)))
    assert wire.texts() == ["0", "1", "2"]


async def test_sure_failure_is_retried_until_a_minute_old(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    wire.faults = [RetryLater(0) for _ in range(100)]
    assert await time.run(outbox.deliver("a", wire.sends("late"))) is None
    assert outbox.counts.dropped == 1
    assert wire.tries == 11  # after 0.5, 1, 2, 4, then every 8 seconds


async def test_answer_that_would_come_too_late_is_dropped_at_once(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    wire.faults = [RetryLater(3600)]
    await time.run(outbox.deliver("a", wire.sends("late")))
    assert time.now == 1000
    assert outbox.counts.dropped == 1


async def test_crisis_reply_outlives_the_minute(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    wire.faults = [RetryLater(3600)]
    await time.run(outbox.deliver("a", wire.sends("help"), priority=Priority.CRISIS))
    assert wire.took == [(3600, "help")]


async def test_ambiguous_failure_is_retried_once(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    wire.faults = [Unsure(), Unsure()]
    assert await time.run(outbox.deliver("a", wire.sends("x"))) is None
    assert wire.tries == 2
    assert (outbox.counts.unsure, outbox.counts.retried, outbox.counts.dropped) == (2, 1, 0)


async def test_ambiguous_failure_then_success_is_sent(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    wire.faults = [Unsure()]
    assert await time.run(outbox.deliver("a", wire.sends("x"))) == "x"
    assert outbox.counts.sent == 1


async def test_more_than_twenty_waiting_are_dropped_with_one_notice(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    notice = wire.sends("some were dropped")
    await time.run(_all(outbox.deliver("a", wire.sends("x"), notice=notice) for _ in range(30)))
    await time.pass_by(5)
    assert wire.texts().count("x") == 3 + 20
    assert wire.texts().count("some were dropped") == 1
    assert outbox.counts.dropped == 7


async def test_crisis_reply_is_taken_into_a_full_chat(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    jobs = [outbox.deliver("a", wire.sends("x")) for _ in range(25)]
    jobs.append(outbox.deliver("a", wire.sends("help"), priority=Priority.CRISIS))
    await time.run(_all(jobs))
    assert wire.texts().index("help") <= 3


async def test_full_chat_does_not_stall_another(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    jobs = [outbox.deliver("a", wire.sends("slow", lasting=8)) for _ in range(5)]
    await time.run(_all([*jobs, outbox.deliver("b", wire.sends("quick"))]))
    assert wire.took[0] == (0, "quick")


@pytest.mark.parametrize("error", [ChatGone("kicked"), Undeliverable("topic closed")])
async def test_final_failure_ends_quietly(
    time: VirtualTime, wire: Wire, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    caplog.set_level(logging.INFO)
    outbox, _ = opened(time)
    wire.faults = [error]
    assert await time.run(outbox.deliver("a", wire.sends("x"))) is None
    assert wire.tries == 1
    assert len(caplog.records) == 1


async def test_gone_chat_is_logged_once_until_it_is_back(
    time: VirtualTime, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    outbox, _ = opened(time)
    for fault in (ChatGone("kicked"), ChatGone("kicked"), None, ChatGone("kicked")):
        wire.faults = [fault] if fault else []
        await time.run(outbox.deliver("a", wire.sends("x")))
    assert [record.getMessage() for record in caplog.records] == ["chat gone reason=kicked"] * 2


async def test_unexpected_error_reaches_the_caller_and_frees_the_chat(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    wire.faults = [ValueError("a bug")]
    with pytest.raises(ValueError, match="a bug"):
        await time.run(outbox.deliver("a", wire.sends("x")))
    assert await time.run(outbox.deliver("a", wire.sends("y"))) == "y"


async def test_cancelled_answer_gives_its_turn_back(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    first = asyncio.ensure_future(outbox.deliver("a", wire.sends("x", lasting=30)))
    second = asyncio.ensure_future(outbox.deliver("a", wire.sends("y")))
    third = asyncio.ensure_future(outbox.deliver("a", wire.sends("z")))
    await time.settle()
    second.cancel()
    first.cancel()
    await time.run(_all([third]))
    assert wire.texts() == ["z"]


async def test_an_answer_cancelled_as_its_turn_comes_gives_it_back(time: VirtualTime) -> None:
    _, pacer = opened(time)
    assert await pacer.turn("a", False, Priority.ANSWER)
    second = asyncio.ensure_future(pacer.turn("a", False, Priority.ANSWER))
    await time.settle()
    pacer.done("a")
    second.cancel()
    assert await time.run(pacer.turn("a", False, Priority.ANSWER))
    assert second.cancelled()


async def test_answers_cancelled_in_line_let_the_next_go(time: VirtualTime, wire: Wire) -> None:
    outbox, pacer = opened(time)
    pacer.hold(None, 5)
    line = [asyncio.ensure_future(outbox.deliver("a", wire.sends(str(n)))) for n in range(3)]
    await time.settle()
    line[0].cancel()
    await time.run(_all(line[1:]))
    assert wire.took == [(5, "1"), (5, "2")]


async def test_a_chat_held_while_it_stands_in_line_waits_alone(time: VirtualTime, wire: Wire) -> None:
    outbox, pacer = opened(time)
    pacer.hold(None, 5)
    line = [asyncio.ensure_future(outbox.deliver(chat, wire.sends(chat))) for chat in ("a", "b")]
    await time.settle()
    pacer.hold("a", 9)
    await time.run(_all(line))
    assert wire.took == [(5, "b"), (9, "a")]


async def test_a_chat_that_is_free_sooner_goes_sooner(time: VirtualTime, wire: Wire) -> None:
    outbox, pacer = opened(time)
    pacer.hold("a", 10)
    pacer.hold("b", 2)
    await time.run(_all(outbox.deliver(chat, wire.sends(chat)) for chat in ("a", "b")))
    assert wire.took == [(2, "b"), (10, "a")]


async def test_nothing_is_sent_once_closed(time: VirtualTime, wire: Wire) -> None:
    outbox, pacer = opened(time)
    pacer.hold("a", 10)
    late = asyncio.ensure_future(outbox.deliver("a", wire.sends("x")))
    await time.settle()
    await outbox.close()
    await time.pass_by(60)
    assert wire.took == []
    assert not late.done()
    late.cancel()


async def test_a_notice_that_waits_ends_with_the_program(time: VirtualTime, wire: Wire) -> None:
    outbox, pacer = opened(time)
    pacer.hold("a", 30)
    waiting = [asyncio.ensure_future(outbox.deliver("a", wire.sends("x"))) for _ in range(20)]
    await time.settle()
    assert await outbox.deliver("a", wire.sends("x"), notice=wire.sends("some were dropped")) is None
    for task in waiting:
        task.cancel()
    await time.settle()
    await outbox.close()
    await time.pass_by(60)
    assert wire.took == []


async def test_stopping_cancels_what_is_late_and_counts_it(time: VirtualTime, wire: Wire) -> None:
    outbox, _ = opened(time)
    task: asyncio.Task[object] = asyncio.ensure_future(outbox.deliver("a", wire.sends("x", lasting=99)))
    await time.settle()
    assert await finish({task}, 0.01) == 1
    assert await finish(set(), 0.01) == 0
    await outbox.close()


def test_bucket_tells_once_that_it_is_empty(time: VirtualTime) -> None:
    bucket = Bucket(time.clock, per_second=1, burst=2)
    assert [bucket.take("p") for _ in range(4)] == [Grant.YES, Grant.YES, Grant.NOW_EMPTY, Grant.EMPTY]
    time.now += 1
    assert [bucket.take("p") for _ in range(2)] == [Grant.YES, Grant.EMPTY]
    time.now += 2
    assert [bucket.take("p") for _ in range(3)] == [Grant.YES, Grant.YES, Grant.NOW_EMPTY]


def test_bucket_of_one_person_leaves_others_theirs(time: VirtualTime) -> None:
    bucket = Bucket(time.clock, per_second=1, burst=1)
    assert bucket.take("p") is Grant.YES
    assert bucket.take("q") is Grant.YES


def test_only_a_crisis_card_has_the_highest_priority() -> None:
    assert priority_of(Reply(tone="crisis")) is Priority.CRISIS
    assert priority_of(Reply(tone="false")) is Priority.ANSWER


ROOMY = Limits(1e6, 100_000, 1, 3)
"""No limit that counts, for thousands of chats."""


async def test_a_held_chat_is_remembered_among_idle_ones(time: VirtualTime, wire: Wire) -> None:
    outbox, pacer = opened(time, ROOMY)
    pacer.hold("held", 20_000)
    for n in range(10_010):
        await outbox.deliver(str(n), wire.sends("x"))
        time.now += 1
    await time.run(outbox.deliver("held", wire.sends("held"), priority=Priority.CRISIS))
    assert wire.took[-1] == (20_000, "held")


async def test_ten_thousand_gone_chats_are_known_and_no_more(
    time: VirtualTime, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    outbox, _ = opened(time, ROOMY)
    for chat in (*range(10_000), 0, 10_000, 0):
        wire.faults = [ChatGone("kicked")]
        await outbox.deliver(str(chat), wire.sends("x"))
    assert len(caplog.records) == 10_000 + 2


async def test_ten_thousand_chats_have_had_their_notice_and_no_more(
    time: VirtualTime, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    outbox, _ = opened(time, ROOMY)
    for chat in (*range(10_000), 0, 10_000, 0):
        wire.faults = [RetryLater(3600)]
        await outbox.deliver(str(chat), wire.sends("x"))
    assert len(caplog.records) == 10_000 + 2


def test_ten_thousand_people_have_a_bucket_and_the_rest_a_new_one(time: VirtualTime) -> None:
    bucket = Bucket(time.clock, per_second=1, burst=1)
    assert [bucket.take("p") for _ in range(2)] == [Grant.YES, Grant.NOW_EMPTY]
    for n in range(10_000):
        bucket.take(str(n))
    assert bucket.take("p") is Grant.YES


async def test_idle_chats_are_forgotten(time: VirtualTime, wire: Wire) -> None:
    outbox, pacer = opened(time, ROOMY)
    for n in range(50):
        await outbox.deliver(str(n), wire.sends("x"))
        time.now += 1
    assert len(pacer._lanes) <= 2


def test_people_who_may_ask_as_much_as_ever_are_forgotten(time: VirtualTime) -> None:
    bucket = Bucket(time.clock, per_second=1, burst=20)
    for n in range(50):
        bucket.take(str(n))
        time.now += 1
    assert len(bucket._people) <= 2


async def _all(jobs: object) -> None:
    await asyncio.gather(*jobs)  # type: ignore[call-overload]
