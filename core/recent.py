"""Memory that forgets: what is newest under each key, in this process only."""

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

REMEMBERED = 10_000
"""Keys that are kept at once."""


class Recent(Generic[Key, Value]):
    """A mapping of at most `size` keys; the one that was set longest ago goes first."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._held: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """What was set last under the key, if it is still known."""
        return self._held.get(key)

    def drop(self, key: Key) -> None:
        """Know nothing of the key any more."""
        self._held.pop(key, None)

    def set(self, key: Key, value: Value) -> None:
        """Keep it in place of what the key had."""
        self._held[key] = value
        self._held.move_to_end(key)
        while len(self._held) > self._size:
            self._held.popitem(last=False)


class Seen(Generic[Key]):
    """A set of what was added last: at least `size`, at most twice as many.

    Those added longest ago go together: to keep them in order would take three times the memory.
    """

    # From 4,915 on, Python would give a set four times the room.
    def __init__(self, size: int = 4_900) -> None:
        self._size = size
        self._new: set[Key] = set()
        self._old: set[Key] = set()

    def __contains__(self, key: Key) -> bool:
        return key in self._new or key in self._old

    def add(self, key: Key) -> None:
        """Know it from now on."""
        if len(self._new) >= self._size:
            self._old, self._new = self._new, set()
        self._new.add(key)
