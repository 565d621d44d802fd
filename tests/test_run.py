"""How the program keeps its platforms going, and when it ends."""

import asyncio
import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bots import compose
from bots import serve as module
from bots.compose import Program, run_bots
from bots.settings import Settings
from core.errors import StoreError, TokenRefused, Unreachable
from core.schedule import Plan
from core.sqlstore import SEEN, SqlStore
from core.store import Subscription
from tests.loopback import TOKEN, open_telegram
from tests.postgres import Server, cut_off, named

CONTENT = Path(__file__).parent.parent / "content.yaml"


class FakePlatform:
    """Fails as told, then serves until stopped."""

    def __init__(self, name: str, *failures: Exception, late: bool = False) -> None:
        self.name, self.failures, self.late = name, list(failures), late
        self.served = False
        self.runs = 0

    async def run(self, stop: asyncio.Event) -> None:
        self.runs += 1
        if self.failures:
            raise self.failures.pop(0)
        self.served = True
        await stop.wait()
        if self.late:
            await asyncio.sleep(60)


Run = Callable[..., "asyncio.Task[int]"]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Run:
    def begin(
        *platforms: FakePlatform, database: str = "sqlite://", content: Path = CONTENT
    ) -> "asyncio.Task[int]":
        monkeypatch.setattr(compose, "_platforms", lambda *_: list(platforms))
        monkeypatch.setattr(module, "LONGEST_PAUSE_SECONDS", 0.01)
        monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.01)
        monkeypatch.setattr(compose, "RELOAD_SECONDS", 0.01)
        monkeypatch.setattr(module, "GRACE_SECONDS", 0.1)
        monkeypatch.setattr(module, "WATCH_SECONDS", 0.01)
        monkeypatch.setattr(module, "STANDBY_SECONDS", 0.01)
        settings = Settings(content_path=content, database_url=database)
        return asyncio.create_task(run_bots(settings))

    return begin


async def served(*platforms: FakePlatform) -> None:
    async with asyncio.timeout(10):
        while not all(platform.served for platform in platforms):  # noqa: ASYNC110 - it is not ours to set
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
async def test_signal_ends_every_platform(start: Run, name: signal.Signals) -> None:
    one, two = FakePlatform("one"), FakePlatform("two")
    running = start(one, two)
    await served(one, two)
    os.kill(os.getpid(), name)
    assert await running == 2


async def test_unreachable_platform_is_tried_again(start: Run, caplog: pytest.LogCaptureFixture) -> None:
    platform = FakePlatform("one", Unreachable("502"), Unreachable("502"))
    running = start(platform)
    await served(platform)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 1
    assert caplog.text.count("one unreachable (502)") == 2


async def test_a_mistake_in_one_platform_is_told_without_its_words_and_ends_no_other(
    start: Run, caplog: pytest.LogCaptureFixture
) -> None:
    odd, good = FakePlatform("odd", ValueError("chromodynamics")), FakePlatform("good")
    running = start(odd, good)
    await served(odd, good)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 2
    assert good.runs == 1
    assert "odd failed error=ValueError" in caplog.text
    assert "chromodynamics" not in caplog.text


async def test_a_lost_database_ends_the_program(start: Run) -> None:
    with pytest.raises(StoreError):
        await start(FakePlatform("one", StoreError("lost")), FakePlatform("two"))


async def test_a_signal_ends_the_program_while_a_platform_is_out_of_reach(
    start: Run, caplog: pytest.LogCaptureFixture
) -> None:
    running = start(FakePlatform("one", *[Unreachable("502")] * 10_000))
    await logged(caplog, "one unreachable (502)", times=3)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 1


async def test_housekeeping_that_fails_is_one_line_and_stops_nothing(
    start: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compose, "HOUSEKEEPING_SECONDS", 0.01)
    platform = FakePlatform("one")
    running = start(platform, database=f"sqlite:///{tmp_path / 'bot.db'}")
    await served(platform)
    with closing(sqlite3.connect(tmp_path / "bot.db")) as other:
        other.execute(f"DROP TABLE {SEEN.name}")
    await logged(caplog, "housekeeping failed error=", times=2)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 1


async def test_changed_content_is_picked_up_while_the_platforms_serve(
    start: Run, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO)
    content, platform = tmp_path / "content.yaml", FakePlatform("one")
    shipped = CONTENT.read_text(encoding="utf-8")
    content.write_text(shipped, encoding="utf-8")
    running = start(platform, content=content)
    await served(platform)
    content.write_text(shipped.replace("name: KetaFacts", "name: Mended", 1), encoding="utf-8")
    await logged(caplog, "content reloaded entries=")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 1


async def test_the_program_posts_what_is_due_and_ends_in_time(tmp_path: Path) -> None:
    database, now = f"sqlite:///{tmp_path / 'bot.db'}", datetime.now(UTC)
    store = SqlStore(database)
    due = now - timedelta(minutes=5)
    plan = Plan(due.time().replace(second=0, microsecond=0), "UTC")
    wanted = Subscription("telegram", "-100", plan, private=False)
    await store.subscribe(replace(wanted, done_day=due.date() - timedelta(days=1)), now)
    await store.close()
    async with open_telegram() as telegram:
        settings = Settings(
            telegram_token=TOKEN,
            telegram_api_url=f"{telegram.address}/1",
            content_path=CONTENT,
            database_url=database,
        )
        running = asyncio.create_task(run_bots(settings))
        async with asyncio.timeout(20):
            while not telegram.arrivals:  # noqa: ASYNC110 - the program makes it hold
                await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(running, 6) == 1
    assert [arrival.chat for arrival in telegram.arrivals] == ["-100"]


async def test_refused_token_is_one_line_and_the_other_goes_on(
    start: Run, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = FakePlatform("bad", TokenRefused("no such bot")), FakePlatform("good")
    running = start(bad, good)
    await served(good)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 1
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert errors == ["bad: no such bot"]


async def test_nobody_left_ends_the_program(start: Run) -> None:
    assert await start(FakePlatform("bad", TokenRefused("no such bot"))) == 0


async def test_platform_that_does_not_stop_is_cancelled(start: Run, caplog: pytest.LogCaptureFixture) -> None:
    platform = FakePlatform("one", late=True)
    running = start(platform)
    await served(platform)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 1
    assert "one did not stop in time" in caplog.text


async def logged(caplog: pytest.LogCaptureFixture, words: str, times: int = 1) -> None:
    async with asyncio.timeout(10):
        while caplog.text.count(words) < times:  # noqa: ASYNC110 - it is not ours to set
            await asyncio.sleep(0.005)


async def test_platforms_serve_only_while_no_other_process_leads(
    start: Run, postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    url, platform = postgres.database(), FakePlatform("one")
    other = SqlStore(url)
    running = start(platform, database=url)
    await logged(caplog, "another process leads on this database; standing by")
    assert not platform.served
    await other.close()
    await served(platform)
    platform.served = False
    cut_off(postgres, url)
    # Opened without a break, so that the program can't come before it.
    other = SqlStore(url)
    await logged(caplog, "another process has taken the lead")
    await logged(caplog, "standing by", times=2)
    assert not platform.served
    await other.close()
    await served(platform)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 1


async def test_a_second_process_on_a_file_ends_at_once(start: Run, tmp_path: Path) -> None:
    url, platform = f"sqlite:///{tmp_path / 'bot.db'}", FakePlatform("one")
    first = SqlStore(url)
    with pytest.raises(StoreError, match="in use by another running bot; stop it first"):
        await start(platform, database=url)
    assert platform.runs == 0
    await first.close()


async def test_who_stands_by_ends_on_a_signal(
    start: Run, postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    url = postgres.database()
    other = SqlStore(url)
    running = start(FakePlatform("one"), database=url)
    await logged(caplog, "standing by")
    await asyncio.sleep(0.1)
    assert caplog.text.count("standing by") == 1
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 1
    await other.close()


async def test_platforms_serve_on_while_the_database_is_away(
    start: Run, postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    url, platform = postgres.database(), FakePlatform("one")
    running = start(platform, database=url)
    await served(platform)
    postgres.run(f"ALTER DATABASE {named(url)} ALLOW_CONNECTIONS false")
    cut_off(postgres, url)
    await logged(caplog, "can't be reached, next try in")
    postgres.run(f"ALTER DATABASE {named(url)} ALLOW_CONNECTIONS true")
    await logged(caplog, "connected to the database again")
    assert platform.runs == 1
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 1


async def test_a_login_that_is_refused_later_on_ends_the_program(start: Run, postgres: Server) -> None:
    postgres.role("guest LOGIN PASSWORD 'x'")
    url, platform = postgres.database(), FakePlatform("one")
    postgres.run("GRANT ALL ON SCHEMA public TO guest", database=named(url))
    running = start(platform, database=postgres.url(named(url), "guest:x"))
    await served(platform)
    postgres.run("ALTER ROLE guest PASSWORD 'y'")
    cut_off(postgres, url)
    try:
        with pytest.raises(StoreError, match="refuses the login"):
            await running
    finally:
        postgres.run("ALTER ROLE guest PASSWORD 'x'")


@pytest.mark.parametrize(
    ("chosen", "library", "other"),
    [
        ("telegram_token='123456:' + 'a' * 35", "telegram", "discord"),
        ("discord_token='a' * 30", "discord", "telegram"),
    ],
)
def test_neither_the_library_of_a_platform_without_a_token_nor_those_for_fitting_are_imported(
    chosen: str, library: str, other: str
) -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from bots.compose import Program, _platforms
from bots.settings import Settings
settings = Settings({chosen}, content_path=Path({str(CONTENT)!r}), database_url="sqlite://")
_platforms(settings, Program(settings))
loaded = sys.modules.keys()
print({library!r} in loaded, {other!r} in loaded, not {{"numpy", "sklearn"}}.isdisjoint(loaded))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.split() == ["True", "False", "False"]


async def test_only_configured_platforms_are_built() -> None:
    program = Program(Settings(content_path=CONTENT, database_url="sqlite://"))
    assert compose._platforms(Settings(), program) == []
    token = "123456:" + "a" * 35
    for transport in ("aiohttp", "httpx"):
        chosen = Settings(telegram_token=token, telegram_transport=transport)
        (platform,) = compose._platforms(chosen, program)
        assert platform.name == "telegram"
    (platform,) = compose._platforms(Settings(discord_token="a" * 30), program)
    assert platform.name == "discord"
    await program.store.close()
