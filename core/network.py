"""Small neural networks over named features: a byte for each weight, and no library."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from mmap import mmap
from struct import Struct
from zlib import crc32

ZERO = 128
"""The byte of no weight; every one above or below is a step of the unit."""

LANE = 4
"""Bytes that each unit has in a sum: enough for a million features."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A hidden unit, a rectified linear one.

    Attributes:
        step: what one step of its weights is worth.
        bias: what it holds without any feature.
        output: what its value counts in the output.
    """

    step: float
    bias: float
    output: float


@dataclass(frozen=True, slots=True)
class Head:
    """One output: `bias` and what `units` hold."""

    bias: float
    units: tuple[Unit, ...]


def slot(name: str, slots: int) -> int:
    """Which of so many slots (a power of two) a feature shares with all of the same hash."""
    return crc32(name.encode()) & (slots - 1)


class Network:
    """One hidden layer and an output for each head; all read the same features, by their slots.

    A sum of features is one integer with a lane for every unit, so that sums are added, taken away
    and multiplied as numbers.

    Args:
        heads: what is put out, in order.
        weights: for each slot, a byte for every unit of every head, in order (`ZERO`).
    """

    def __init__(self, heads: Sequence[Head], weights: bytes | mmap) -> None:
        self._heads = tuple(heads)
        self._weights = weights
        self._width = sum(len(head.units) for head in heads)
        self._slots = len(weights) // self._width if self._width else 1
        self._lanes = Struct(f"<{self._width + 1}I")
        self._one = 1 << (8 * LANE * self._width)
        """The last lane of a feature: it counts them."""

    def sum(self, features: Iterable[tuple[str, int]]) -> int:
        """Features together, each counted so many times."""
        total = 0
        width = self._width
        for name, times in features:
            start = slot(name, self._slots) * width
            spread = bytearray(LANE * width)
            spread[::LANE] = self._weights[start : start + width]
            total += times * (int.from_bytes(spread, "little") + self._one)
        return total

    def outputs(self, total: int, share: float) -> list[float]:
        """What each head puts out for a sum of features that count `share` each."""
        *values, count = self._lanes.unpack(total.to_bytes(self._lanes.size, "little"))
        zero = ZERO * count
        found: list[float] = []
        lanes = iter(values)
        for head in self._heads:
            output = head.bias
            for unit, value in zip(head.units, lanes, strict=False):
                held = unit.bias + share * unit.step * (value - zero)
                if held > 0:
                    output += unit.output * held
            found.append(output)
        return found
