"""Starts the real program many times over, in a fifth of the time: forked off one that has loaded everything.

`python -m tests.nursery` loads what the program and its platforms load, runs
nothing of it, and reads lines of JSON: where to run, with which environment. For each it forks a
process that runs the program's own entry point, and tells on its standard
output the process's id and later how it ended.
"""

import asyncio
import json
import os
import select
import signal
import sys
import traceback
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


class Child:
    """A process of the program, as `asyncio.subprocess.Process` has it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def send_signal(self, number: signal.Signals) -> None:
        """Signal it, if it is there still."""
        if self.returncode is None:
            # Its end may not have been told yet.
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Without a chance to clean up."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """As a service manager does."""
        self.send_signal(signal.SIGTERM)

    async def wait(self) -> int:
        """Its exit code, or the negative number of the signal that ended it."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def end(self, code: int) -> None:
        """It ended."""
        self.returncode = code
        self._ended.set()


class Nursery:
    """Where processes of the program come from; see `open_nursery`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._born: asyncio.Queue[Child] = asyncio.Queue()
        self._children: dict[int, Child] = {}

    async def bear(self, folder: Path, log: Path, environment: dict[str, str]) -> Child:
        """A process that runs in a folder with an environment of its own, and logs to a file."""
        # There from now on, whoever looks into it.
        log.touch()
        order = {"folder": str(folder), "log": str(log), "environment": environment}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await self._born.get()

    async def listen(self) -> None:
        """Hear of births and deaths."""
        assert self._process.stdout
        async for line in self._process.stdout:
            pid, code = json.loads(line)
            if code is None:
                self._children[pid] = Child(pid)
                self._born.put_nowait(self._children[pid])
            else:
                self._children.pop(pid).end(code)


@asynccontextmanager
async def open_nursery() -> AsyncIterator[Nursery]:
    """Its processes end with the block, whatever happens in it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.nursery"), stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    nursery = Nursery(process)
    listening = asyncio.create_task(nursery.listen())
    try:
        yield nursery
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()
        await listening


def main() -> None:
    """Fork as told until there is no more to come; then end what is left."""
    _load()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake)
    children: set[int] = set()
    orders = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _bury(children)
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                break
            *whole, orders = (orders + read).split(b"\n")
            for order in whole:
                children.add(_fork(json.loads(order)))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _load() -> None:
    """What a run imports, most of it only when it needs it."""
    import psycopg  # noqa: F401
    import sqlalchemy.dialects.postgresql.psycopg
    import sqlalchemy.dialects.sqlite  # noqa: F401

    from bots import cli, discord, telegram  # noqa: F401
    from tests import mortal  # noqa: F401


def _bury(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        children.remove(pid)
        _tell(pid, os.waitstatus_to_exitcode(status))


def _tell(pid: int, code: int | None) -> None:
    os.write(1, json.dumps([pid, code]).encode() + b"\n")


def _fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        _tell(pid, None)
        return pid
    code = 1
    try:
        code = _live(order)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _live(order: dict[str, Any]) -> int:
    """In the new process: become what a shell would have started."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, end in enumerate((nothing, nothing, log)):
        os.dup2(end, number)
    os.closerange(3, 256)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    from bots import cli
    from tests import mortal

    return mortal.main() if "MORTAL_TRACE" in os.environ else cli.main(["run"])


if __name__ == "__main__":
    main()
