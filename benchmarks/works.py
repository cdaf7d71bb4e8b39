"""What the benchmarks run: importable by workers of every library."""

from __future__ import annotations

import random
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def add_one(number: int) -> int:
    """Take some 30 ns."""
    return number + 1


def spin(seconds: float) -> float:
    """Compute in Python for so many seconds of CPU time."""
    end = process_time() + seconds
    while process_time() < end:
        pass
    return seconds


def heavy_tail() -> list[float]:
    """Two seconds of work in 200 items, most short, few long."""
    draw = random.Random(1)  # noqa: S311 - the same work every time, not a secret
    raw = [draw.lognormvariate(0, 1.5) for _ in range(200)]
    return [2.0 * one / sum(raw) for one in raw]


def sorted_up() -> list[float]:
    """The same items, the longest ones last: the worst order for a fixed chunk size."""
    return sorted(heavy_tail())


def one_giant() -> list[float]:
    """One item as long as half of all work, after many short ones."""
    return [0.01] * 60 + [0.6] + [0.01] * 39


def lower_bound_s(items: list[float], workers: int) -> float:
    """Return the seconds below which no schedule can get."""
    return max(sum(items) / workers, *items)


def total(array: np.ndarray[Any, Any]) -> float:
    """Take a large array and return a number."""
    return float(array[::4096].sum())


def echo(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Take an array and return one as large."""
    return array + 1


def arrays(count: int, size_bytes: int) -> list[np.ndarray[Any, Any]]:
    """Make distinct arrays of 8-byte floats."""
    import numpy as np

    return [np.full(size_bytes // 8, number, dtype=np.float64) for number in range(count)]


def timed(call: Any) -> float:
    """Return the seconds that a call takes."""
    begin = perf_counter()
    call()
    return perf_counter() - begin
