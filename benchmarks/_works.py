"""What the benchmarks run: importable by workers of every library."""

from __future__ import annotations

import random
from itertools import repeat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    import numpy as np

    Array = np.ndarray[Any, Any]

ARRAY_BYTES = 64_000_000
SMALL_ARRAY_BYTES = 80_000
_EXPONENT, _MODULUS = 1 << 16, (1 << 521) - 1
_TOTAL_S = 2.0  # one second on two cores: beside it 4 % are 40 ms, several times the start of two forked workers


def add_one(number: int) -> int:
    """Take some 30 ns."""
    return number + 1


def turn(rounds: int) -> int:
    """Turn a loop so many times: the same amount of work however busy the machine is, unlike so many seconds of it.

    Each turn computes for some 10 µs. An empty loop would be no measure of work: its speed may double from one second
    to the next (docs/explanation/benchmarks.md).
    """
    for _ in repeat(None, rounds):
        pow(3, _EXPONENT, _MODULUS)
    return rounds


def heavy_tail() -> list[float]:
    """Two seconds of work in 200 items, most short, few long."""
    draw = random.Random(21)  # noqa: S311 - the same work every time; of this seed the bound can be reached in order
    raw = [draw.lognormvariate(0, 1.5) for _ in range(200)]
    return [_TOTAL_S * one / sum(raw) for one in raw]


def sorted_up() -> list[float]:
    """Two seconds of work, each item longer than the one before: the worst order for a fixed chunk size."""
    raw = [number**2 for number in range(1, 601)]
    return [_TOTAL_S * one / sum(raw) for one in raw]


def sorted_down() -> list[float]:
    """The same items, the longest ones first: bad for chunks that begin large."""
    return sorted_up()[::-1]


def one_giant() -> list[float]:
    """One item as long as all that come behind it, after some short ones that say nothing of it."""
    return [0.01] * 30 + [0.85] + [0.01] * 85


def in_order_s(items: Iterable[float], workers: int) -> float:
    """Return what a schedule takes that gives each free worker the next item and loses no time doing so."""
    ends = [0.0] * workers
    for item in items:
        ends.sort()
        ends[0] += item
    return max(ends)


def lower_bound_s(items: list[float], workers: int) -> float:
    """Return the seconds below which no schedule can get."""
    return max(sum(items) / workers, *items)


def total(array: Array) -> float:
    """Take a large array, look at each of its pages and return a number."""
    return float(array[::512].sum())


def plus_one(array: Array) -> Array:
    """Take an array and return another as large."""
    return array + 1


def arrays(count: int, size_bytes: int) -> list[Array]:
    """Make distinct arrays of 8-byte floats: filled with 0, with 1, and so on."""
    import numpy as np

    return [np.full(size_bytes // 8, number, dtype=np.float64) for number in range(count)]
