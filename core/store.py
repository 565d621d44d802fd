"""What core asks of a database, and nothing more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Drawn:
    """The next entry of a round; `restarts` says that the round before it was complete."""

    entry_id: str
    restarts: bool = False


Draw = Callable[[Sequence[str]], Drawn]
"""Chooses, given the ids a chat has had in this round, oldest first."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted for a chat: how many remembered entries."""

    seen: int


class Store(Protocol):
    """Keeps rounds; every call is one transaction."""

    async def draw(self, chat_key: str, kind: str, draw: Draw, at: datetime) -> str:
        """Choose the chat's next entry of `kind` with `draw` and remember it as seen `at`."""
        ...

    async def forget(self, chat_key: str) -> Forgotten:
        """Delete everything kept about the chat."""
        ...

    async def move(self, chat_key: str, new_key: str) -> None:
        """Keep what is kept about the chat under another key from now on, along with what is there."""
        ...

    async def forget_idle(self, prefix: str, before: datetime) -> int:
        """Delete the chats whose key starts with `prefix` and that drew nothing since `before`.

        Returns how many chats that was.
        """
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of the database."""
        ...
