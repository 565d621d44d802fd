"""Runs platforms until told to stop, for as long as no other process leads on the database."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from core.delivery import GRACE_SECONDS
from core.errors import StoreAway, StoreError, StoreHeld, TokenRefused, Unreachable, named

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
"""Between tries to reach a platform at the start."""

LONGEST_DATABASE_PAUSE_SECONDS = 4.0
"""Between tries to reach the database: a process that stands by should take over within 5 s."""

STANDBY_SECONDS = 0.5
"""How often a process that stands by looks whether it can lead."""

WATCH_SECONDS = 1.0
"""How often the one that leads looks whether it still does."""


class Platform(Protocol):
    """One bot account on one platform."""

    name: str

    async def run(self, stop: asyncio.Event) -> None:
        """Connect and serve until `stop` is set; then finish what is in flight within GRACE_SECONDS.

        May be called again after it raised.

        Raises:
            TokenRefused: the platform does not accept the token, now or any more.
            Unreachable: the platform can't be reached at the start.
        """
        ...


class Leader(Protocol):
    """What only one process at a time can be; see `core.database.Database`."""

    async def lead(self) -> None:
        """Become it, also again.

        Raises:
            StoreHeld: another process is.
            StoreAway: nobody can tell at the moment.
            StoreError: it never will be.
        """
        ...

    async def is_leading(self) -> bool:
        """Whether it still is."""
        ...


Chore = Callable[[], Coroutine[Any, Any, None]]
"""Something to do for as long as the process leads."""


async def serve(platforms: Sequence[Platform], leader: Leader, chore: Chore, stop: asyncio.Event) -> int:
    """Run the platforms until told to stop, whenever no other process does.

    Returns how many served to the end, or would have.

    Raises:
        StoreError: the database can't be used, or not any more.
    """
    while await _before(stop, _stand_by(leader)):
        try:
            return await _serve(platforms, leader, chore, stop)
        except StoreHeld:
            log.warning("another process has taken the lead")
    return len(platforms)


async def _stand_by(leader: Leader) -> None:
    """Take the lead as soon as no other process has it."""
    is_told = False
    while True:
        try:
            await _lead(leader)
        except StoreHeld:
            if not is_told:
                log.info("another process leads on this database; standing by")
                is_told = True
            await asyncio.sleep(STANDBY_SECONDS)
        else:
            if is_told:
                log.info("leading now")
            return


async def _lead(leader: Leader) -> None:
    """Take the lead as soon as the database can be reached.

    Raises:
        StoreHeld: another process leads.
        StoreError: the database can't be used.
    """
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return await leader.lead()
        except StoreAway as error:
            log.warning("%s, next try in %.0f s", error, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_DATABASE_PAUSE_SECONDS)


async def _keep_lead(leader: Leader) -> None:
    """Take the lead again whenever the connection to the database was lost.

    Until then answers go on, as far as they need no database; daily posts rest.

    Raises:
        StoreHeld: another process was faster.
        StoreError: the database can't be used any more.
    """
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        if not await leader.is_leading():
            log.warning("connection to the database lost")
            await _lead(leader)
            log.info("connected to the database again")


async def _serve(platforms: Sequence[Platform], leader: Leader, chore: Chore, stop: asyncio.Event) -> int:
    """Run the platforms until told to stop or none is left; returns how many served to the end.

    Raises:
        StoreHeld: another process has taken the lead.
        StoreError: the database can't be used any more.
    """
    ending = asyncio.Event()
    running = [asyncio.create_task(_keep(platform, ending)) for platform in platforms]
    served = asyncio.gather(*running)
    holding, stopping = asyncio.create_task(_keep_lead(leader)), asyncio.create_task(stop.wait())
    beside = asyncio.create_task(chore())
    try:
        first: tuple[asyncio.Future[Any], ...] = (served, holding, stopping)
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        ending.set()
        await asyncio.wait(running)
        if holding.done():
            holding.result()
        return sum(await served)
    finally:
        chores = (holding, stopping, beside)
        for task in (*running, *chores):
            task.cancel()
        await asyncio.gather(*running, *chores, return_exceptions=True)


async def _keep(platform: Platform, stop: asyncio.Event) -> bool:
    """Run a platform, again and again while it can't be reached; False if it never can be."""
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            await _run(platform, stop)
        except TokenRefused as error:
            log.error("%s: %s", platform.name, error)
            return False
        except StoreError:
            raise
        except Unreachable as error:
            log.warning("%s unreachable (%s), next try in %.0f s", platform.name, error, pause)
        except Exception as error:  # noqa: BLE001 - the other platform must not end with it
            log.error("%s failed error=%s, next try in %.0f s", platform.name, named(error), pause)
        else:
            return True
        await _wait(stop, pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    return True


async def _run(platform: Platform, stop: asyncio.Event) -> None:
    """Run a platform to its end; one that does not stop in time is cancelled."""
    running, stopping = asyncio.create_task(platform.run(stop)), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({running}, timeout=GRACE_SECONDS)
        if not running.done():
            log.warning("%s did not stop in time", platform.name)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return
        running.result()
    finally:
        running.cancel()
        stopping.cancel()


async def _before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether `work` ended by itself; it is cancelled once `stop` is set."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            return False
        working.result()
        return True
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping}, timeout=seconds)
    stopping.cancel()
