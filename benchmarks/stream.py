"""How far a stream should be ahead: what a buffer of so many items, or bytes, gives in speed and takes in memory.

Speed: tiny items through two processes, beside `map` over the same, and results of 1 MB under several byte bounds.
Rounds are interleaved. Memory: how much the parent grows while a consumer takes a million tiny results, slower than
they come; each figure from a fresh interpreter, whose peak is its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from itertools import repeat
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import _results

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable

BUFFERS = (1024, 4096, 16_384, 65_536, 262_144)
SIZES = ("4 MB", "16 MB", "64 MB", "256 MB")
TINY = 300_000
LARGE = 300
LARGE_BYTES = 1_000_000
STREAMED = 1_000_000
PAUSE_EVERY = 500  # items; with a pause of a millisecond the consumer takes some 2 µs an item, workers less than one
PROCESSES: dict[str, Any] = {"approach": "processes", "workers": 2}


def blob(_: object) -> bytes:
    """Return a megabyte."""
    return b"x" * LARGE_BYTES


def _drain(results: corewise.Stream) -> None:
    for _ in results:
        pass


def _tiny() -> dict[str, Callable[[], object]]:
    # A generator, as `map` over a range would let the workers inherit it and send nothing.
    ways: dict[str, Callable[[], object]] = {"map": lambda: corewise.map(abs, iter(range(TINY)), **PROCESSES)}
    for items in BUFFERS:
        ways[f"stream, {items} items"] = lambda items=items: _drain(
            corewise.stream(abs, iter(range(TINY)), buffer=items, **PROCESSES)
        )
    ways["stream, default"] = lambda: _drain(corewise.stream(abs, iter(range(TINY)), **PROCESSES))
    return ways


def _large() -> dict[str, Callable[[], object]]:
    ways: dict[str, Callable[[], object]] = {}
    for size in SIZES:
        ways[f"stream, {size}"] = lambda size=size: _drain(
            corewise.stream(blob, repeat(None, LARGE), buffer=size, **PROCESSES)
        )
    ways["stream, default"] = lambda: _drain(corewise.stream(blob, repeat(None, LARGE), **PROCESSES))
    return ways


def _time(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            begin = perf_counter()
            run()
            taken[name].append(perf_counter() - begin)
    return taken


def _spread(values: list[float]) -> dict[str, float]:
    low, median, high = statistics.quantiles(values, n=4)
    return {"median": median, "low": low, "high": high}


def grow(items: int | None) -> dict[str, float]:
    """Stream a million tiny items to a slow consumer in this process; return by how many bytes it grew."""
    from corewise._machine import memory

    options = {} if items is None else {"buffer": items}
    _drain(corewise.stream(abs, iter(range(1000)), **PROCESSES))  # imports are no part of it
    before = memory.resident_bytes() or 0
    memory.reset_peak()
    begin = perf_counter()
    for number, _ in enumerate(corewise.stream(abs, iter(range(STREAMED)), **PROCESSES, **options)):
        if number % PAUSE_EVERY == 0:
            sleep(0.001)
    return {"grown_bytes": (memory.peak_bytes() or 0) - before, "wall_s": perf_counter() - begin}


def _grown(items: int | None) -> dict[str, float]:
    command = [sys.executable, __file__, "--grow", "default" if items is None else str(items)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(finished.stdout)
    return figures


def main(arguments: list[str] | None = None) -> int:
    """Measure, write benchmarks/results/stream.json and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="rounds (default: 9)")
    parser.add_argument("--grow", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.grow:
        print(json.dumps(grow(None if given.grow == "default" else int(given.grow))))
        return 0

    tiny = {
        name: _spread([seconds / TINY * 1e6 for seconds in taken])
        for name, taken in _time(_tiny(), given.rounds).items()
    }
    large = {
        name: _spread([LARGE * LARGE_BYTES / seconds / 1e9 for seconds in taken])
        for name, taken in _time(_large(), given.rounds).items()
    }
    grown = {f"stream, {items} items": _grown(items) for items in BUFFERS}
    grown["stream, default"] = _grown(None)

    print(f"{'tiny items':24}{'µs an item':>12}{'quartiles':>18}{'parent grows by':>18}")
    for name, figures in tiny.items():
        size = f"{grown[name]['grown_bytes'] / 1e6:.1f} MB" if name in grown else ""
        spread = f"{figures['low']:.3f} to {figures['high']:.3f}"
        print(f"{name:24}{figures['median']:>12.3f}{spread:>18}{size:>18}")
    print(f"{'results of 1 MB':24}{'GB/s':>12}{'quartiles':>18}")
    for name, figures in large.items():
        print(f"{name:24}{figures['median']:>12.2f}{figures['low']:>10.2f} to {figures['high']:.2f}")
    figures = {
        "rounds": given.rounds,
        "tiny_us_per_item": tiny,
        "large_gb_per_s": large,
        "million_items_slow_consumer": grown,
    }
    print("written to", _results.write("stream", figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
