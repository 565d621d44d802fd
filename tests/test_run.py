"""How the program keeps its platforms going, and when it ends."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from bots import compose
from bots.compose import Program, run_bots
from bots.settings import Settings
from core.errors import TokenRefused, Unreachable

CONTENT = Path(__file__).parent.parent / "content.yaml"


class FakePlatform:
    """Fails as told, then serves until stopped."""

    def __init__(self, name: str, *failures: Exception, late: bool = False) -> None:
        self.name, self.failures, self.late = name, list(failures), late
        self.served = False

    async def run(self, stop: asyncio.Event) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.served = True
        await stop.wait()
        if self.late:
            await asyncio.sleep(60)


Run = Callable[..., "asyncio.Task[int]"]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Run:
    def begin(*platforms: FakePlatform) -> "asyncio.Task[int]":
        monkeypatch.setattr(compose, "_platforms", lambda *_: list(platforms))
        monkeypatch.setattr(compose, "LONGEST_PAUSE_SECONDS", 0.01)
        monkeypatch.setattr(compose, "FIRST_PAUSE_SECONDS", 0.01)
        monkeypatch.setattr(compose, "RELOAD_SECONDS", 0.01)
        monkeypatch.setattr(compose, "GRACE_SECONDS", 0.1)
        settings = Settings(content_path=CONTENT, database_url="sqlite://")
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


async def test_only_configured_platforms_are_built() -> None:
    program = Program(Settings(content_path=CONTENT, database_url="sqlite://"))
    assert compose._platforms(Settings(), program) == []
    token = "123456:" + "a" * 35
    for transport in ("aiohttp", "httpx"):
        chosen = Settings(telegram_token=token, telegram_transport=transport)
        (platform,) = compose._platforms(chosen, program)
        assert platform.name == "telegram"
    await program.store.close()
