"""Fixtures that several files use."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.postgres import NOTHING, NoPostgres, Server, serving
from tests.room import Room

SHOWN = "shown"


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    opened = Room()
    yield opened
    await opened.store.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """See `tests.postgres`."""
    try:
        with serving() as server:
            yield server
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database that outlives a store, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bot.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.schema()


@pytest.fixture(params=["sqlite", "postgresql"])
def memory(request: pytest.FixtureRequest) -> str:
    """The same, as quick as there is: SQLite's is gone with its store."""
    if request.param == "sqlite":
        return "sqlite://"
    server: Server = request.getfixturevalue("postgres")
    return server.schema()


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Has a text printed at the end of the run, whichever process the test runs in."""
    return lambda text: record_property(SHOWN, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, text in report.user_properties if report.when == "call" else ():
            if name == SHOWN:
                terminalreporter.write_line(f"\n{report.nodeid}\n{text}")
    skipped = [report for report in terminalreporter.getreports("skipped") if NOTHING in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests were skipped: {NOTHING}", yellow=True)
