"""SIGKILL, again and again, while posts are sent; `make kill` does it ten times as often."""

from pathlib import Path

import pytest

from tests.kills import against_doubles

KILLS = 20


async def test_kills_lose_no_post_and_repeat_only_what_was_in_flight(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = f"sqlite:///{tmp_path}/kills.db"
    verdict = await against_doubles(KILLS, database, tmp_path, seed=1, standby=False)
    with capsys.disabled():
        print(f"\n{verdict.line()}")
    assert verdict.kills >= KILLS
    assert verdict.died_at, "no life came to the place where it was to end"
    assert verdict.suspended
    assert verdict.broken() == []
    assert verdict.exit_code == 0
