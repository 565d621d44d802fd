"""Two processes of the program on one PostgreSQL; `python -m tests.standby` measures how fast they change."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.postgres import Server, named
from tests.standby import Scene, scene, until


@pytest.fixture
async def stage(postgres: Server, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(postgres, tmp_path) as opened:
        yield opened
        for bot in opened.bots:
            assert bot.said("Traceback") == 0, bot.log.read_text()


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
async def test_another_process_takes_over_when_the_leader_ends(stage: Scene, by: signal.Signals) -> None:
    leader = await stage.start()
    await stage.posts()
    other = await stage.start()
    await other.says("another process leads on this database; standing by")
    await leader.end(by)
    await stage.posts()
    assert (other.said("standing by"), other.said("leading now"), stage.repeats()) == (1, 1, 0)
    assert await other.end() == 0


async def test_who_stands_by_ends_at_once_and_sends_nothing(stage: Scene) -> None:
    leader = await stage.start()
    await leader.says("telegram started")
    other = await stage.start()
    await other.says("standing by")
    assert await other.end() == 0
    assert other.said("telegram") == 0
    assert await leader.end() == 0


async def test_a_leader_that_lost_its_connection_leaves_the_lead_to_another(stage: Scene) -> None:
    """It sleeps while that happens, as a laptop does, and wakes up with a post due."""
    leader = await stage.start()
    await stage.posts()
    other = await stage.start()
    await other.says("standing by")
    leader.process.send_signal(signal.SIGSTOP)
    stage.cut_off(leader=True)
    await other.says("leading now")
    leader.process.send_signal(signal.SIGCONT)
    await stage.posts()
    await leader.says("another process has taken the lead")
    await leader.says("standing by")
    await stage.posts()
    assert stage.repeats() == 0
    assert await other.end() == 0
    await leader.says("leading now")
    await stage.posts()


async def test_a_database_that_is_away_for_a_while_stops_only_what_needs_it(stage: Scene) -> None:
    """The process stays, and posts what came due meanwhile once it is back."""
    bot = await stage.start()
    await stage.posts()
    name = named(stage.url)
    stage.server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    stage.cut_off()
    await bot.says("connection to the database lost")
    await bot.says("can't be reached, next try in 2 s")
    stage.server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await bot.says("connected to the database again")
    await stage.posts()
    assert bot.said("telegram started") == 1
    assert stage.repeats() == 0
    assert await bot.end() == 0


async def test_a_database_that_is_not_there_yet_is_waited_for(stage: Scene, tmp_path: Path) -> None:
    later = tmp_path / "s"
    bot = await stage.start(f"{stage.server.url(named(stage.url), 'keeper:SECRET', later)}")
    await bot.says("can't be reached, next try in 1 s")
    later.symlink_to(stage.server.folder)
    await bot.says("telegram started")
    await stage.posts()
    assert await bot.end() == 0
    assert bot.said("SECRET") == 0


async def test_a_wrong_password_is_one_line_and_the_end(stage: Scene) -> None:
    stage.server.run(
        "DO $$ BEGIN CREATE ROLE guest LOGIN PASSWORD 'x'; EXCEPTION WHEN duplicate_object THEN END $$"
    )
    bot = await stage.start(stage.server.url(named(stage.url), "guest:SECRET"))
    await until(lambda: bot.process.returncode is not None, "its end")
    (line,) = bot.log.read_text().splitlines()
    assert line.endswith("refuses the login; check user and password in DATABASE_URL")
    assert bot.process.returncode == 2
