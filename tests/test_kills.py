"""SIGKILL, again and again, while posts are sent; `make kill` does it ten times as often."""

from collections.abc import Callable
from pathlib import Path

from tests.kills import Verdict, suffer
from tests.postgres import Server

KILLS = 20
TAKEOVER_SECONDS = 30.0
"""Five are promised on a machine of one's own; this one may be busy with other tests."""


def check(verdict: Verdict, show: Callable[[str], None]) -> None:
    show(verdict.line())
    assert verdict.kills >= KILLS
    assert verdict.died_at, "no life came to the place where it was to end"
    assert verdict.suspended
    assert verdict.broken() == []
    assert verdict.exit_code == 0


async def test_kills_lose_no_post_and_repeat_only_what_was_in_flight(
    tmp_path: Path, show: Callable[[str], None]
) -> None:
    database = f"sqlite:///{tmp_path}/kills.db"
    check(await suffer(KILLS, database, tmp_path, seed=1, standby=False), show)


async def test_nor_do_they_where_another_process_stands_by(
    tmp_path: Path, postgres: Server, show: Callable[[str], None]
) -> None:
    verdict = await suffer(KILLS, postgres.database(), tmp_path, seed=2, standby=True)
    check(verdict, show)
    assert verdict.takeover < TAKEOVER_SECONDS
