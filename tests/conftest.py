"""Fixtures that several files use."""

from collections.abc import AsyncIterator

import pytest

from tests.room import Room


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    opened = Room()
    yield opened
    await opened.store.close()
