"""The real program, told to die: `python -m tests.mortal` is `python -m bots run`, watched at its awaits.

Run by tests/kills.py. It writes every place at which the sending of daily posts
was suspended or resumed to the file MORTAL_TRACE, once. MORTAL_AIM is empty, or a
number and the place at which to kill itself when it comes there for that number of
times.
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Coroutine, Generator
from pathlib import Path
from types import CoroutineType, FrameType, GeneratorType
from typing import Any

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bots import cli

PATH = {"daily.py", "delivery.py", "sqldaily.py", "database.py", "telegram_post.py", "discord_post.py"}
"""The files that post."""

ROOT = Path(__file__).parent.parent
LIBRARIES = ("telegram", "aiohttp", "discord")


class Watch:
    """Sees every suspension, and knows which is the last."""

    def __init__(self, trace: str, aim: str, times: int) -> None:
        self._file = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._aim, self._times = aim, times
        self._seen: Counter[str] = Counter()

    def at(self, coroutine: object, side: str) -> None:
        """The coroutine is suspended now, or about to go on."""
        place = where(coroutine)
        if place is None:
            return
        point = f"{place} {side}"
        self._seen[point] += 1
        if self._seen[point] == 1:
            os.write(self._file, f"{point}\n".encode())
        if point == self._aim and self._seen[point] == self._times:
            os.kill(os.getpid(), signal.SIGKILL)


def where(coroutine: object) -> str | None:
    """`daily._write:334 database.run:98 | streams.read:716`: our awaits from outside in, and a library's."""
    ours: list[str] = []
    theirs = ""
    for frame in frames(coroutine):
        path = Path(frame.f_code.co_filename)
        place = f"{path.stem}.{frame.f_code.co_name}:{frame.f_lineno}"
        if path.parent.parent == ROOT and path.name in PATH:
            ours.append(place)
        elif any(name in path.parts for name in LIBRARIES):
            theirs = place
    return " ".join([*ours, *(["|", theirs] if theirs else [])]) if ours else None


def frames(awaited: object) -> Generator[FrameType, None, None]:
    """From a task's own coroutine down to what it waits for."""
    while True:
        if isinstance(awaited, CoroutineType):
            frame, awaited = awaited.cr_frame, awaited.cr_await
        elif isinstance(awaited, GeneratorType):
            frame, awaited = awaited.gi_frame, awaited.gi_yieldfrom
        else:
            return
        if frame is not None:
            yield frame


class Watched(Coroutine[Any, Any, Any]):
    """A task's coroutine, seen from outside."""

    def __init__(self, inner: Coroutine[Any, Any, Any], watch: Watch) -> None:
        self._inner, self._watch = inner, watch

    def send(self, value: Any) -> Any:
        """Go on; what it yields means that it is suspended again."""
        self._watch.at(self._inner, "resumed")
        yielded = self._inner.send(value)
        self._watch.at(self._inner, "suspended")
        return yielded

    def throw(self, *error: Any) -> Any:
        """Go on with an error."""
        self._watch.at(self._inner, "resumed")
        yielded = self._inner.throw(*error)
        self._watch.at(self._inner, "suspended")
        return yielded

    def close(self) -> None:
        """End it."""
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()


class Policy(asyncio.DefaultEventLoopPolicy):
    """Event loops whose tasks are watched."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A loop that wraps what its tasks run."""
        loop = super().new_event_loop()
        loop.set_task_factory(
            lambda loop, inner, **more: asyncio.Task(Watched(inner, self._watch), loop=loop, **more)  # type: ignore[arg-type]
        )
        return loop


def main() -> int:
    """Run the program as its own command does."""
    if api := os.environ.get("MORTAL_DISCORD_API"):
        Route.BASE = api
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["MORTAL_DISCORD_GATEWAY"])
    times, _, aim = os.environ["MORTAL_AIM"].partition(" ")
    watch = Watch(os.environ["MORTAL_TRACE"], aim, int(times or 0))
    asyncio.set_event_loop_policy(Policy(watch))
    return cli.main(["run"])


if __name__ == "__main__":
    sys.exit(main())
