"""Time that passes only when nothing else can happen."""

import asyncio
from collections.abc import Coroutine
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualTime:
    """A clock and the sleep that goes with it; `run` moves it on from one sleeper to the next."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (self.now + seconds, next(self._numbers), woken))
        await woken

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Drive `work` to its end."""
        task = asyncio.ensure_future(work)
        while not task.done():
            await self.settle()
            if not task.done():
                assert self._sleepers, "nothing is waiting for time, and the work is not done"
                self._wake_next()
        return task.result()

    async def settle(self) -> None:
        """Let everything happen that needs no time."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def pass_by(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._wake_next()
            await self.settle()
        self.now = end

    def _wake_next(self) -> None:
        at, _number, woken = heappop(self._sleepers)
        if not woken.done():
            self.now = max(self.now, at)
            woken.set_result(None)
