"""`corewise.Pool` beside `multiprocessing.Pool` and mpire's, with two workers that run already.

Each round makes each pool afresh, has it run one small map, and then times every row once; so a busy minute falls on
all alike. Default chunk sizes, but where a row says otherwise. mpire is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import statistics
import sys
from functools import partial
from itertools import repeat
from time import perf_counter
from typing import TYPE_CHECKING, Any

import _results
from _libraries import WORKERS
from _works import add_one

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable

ITEMS = 300_000
STREAMED = 100_000
CALLS = 20_000
ROUND_TRIPS = 2_000
BY_HAND = 1_000  # a chunk size that suits tiny items: what a user finds who looks for it


def _rows(pool: Any) -> dict[str, tuple[int, Callable[[], object]]]:
    """Return for each row the number of items, and what runs them."""
    rows: dict[str, tuple[int, Callable[[], object]]] = {
        "map of 300,000 tiny calls": (ITEMS, partial(pool.map, add_one, range(ITEMS))),
        "starmap of 300,000 tiny calls": (ITEMS, partial(pool.starmap, pow, list(zip(range(ITEMS), repeat(2))))),
        "imap of 100,000 tiny calls": (STREAMED, lambda: list(pool.imap(add_one, range(STREAMED)))),
        "the same, chunks of 1,000": (STREAMED, lambda: list(pool.imap(add_one, range(STREAMED), BY_HAND))),
        "imap over a generator": (STREAMED, lambda: list(pool.imap(add_one, iter(range(STREAMED))))),
        "apply, round trip": (ROUND_TRIPS, lambda: [pool.apply(add_one, (number,)) for number in range(ROUND_TRIPS)]),
        "20,000 apply_async, then get": (CALLS, lambda: _get_all(pool)),
    }
    if hasattr(pool, "imap_unordered"):
        rows["imap_unordered of 100,000 tiny calls"] = (
            STREAMED,
            lambda: list(pool.imap_unordered(add_one, range(STREAMED))),
        )
    return rows


def _get_all(pool: Any) -> list[Any]:
    results = [pool.apply_async(add_one, (number,)) for number in range(CALLS)]
    return [result.get() for result in results]


def _mpire() -> Any:
    from mpire import WorkerPool

    class Pool:
        """Its own names, where it has what a row is about."""

        def __init__(self) -> None:
            pool = WorkerPool(WORKERS, keep_alive=True)
            self.map = partial(pool.map, concatenate_numpy_output=False)
            self.starmap = self.map  # it unpacks tuples
            self.imap = lambda fn, items, size=None: pool.imap(fn, items, chunk_size=size, iterable_len=STREAMED)
            # Its imap_unordered fails on workers that have run imap (mpire 2.10).
            self.apply, self.apply_async = pool.apply, pool.apply_async
            self.terminate = pool.terminate

    return Pool()


POOLS: dict[str, Callable[[], Any]] = {
    "corewise": lambda: corewise.Pool(WORKERS),
    "multiprocessing": lambda: multiprocessing.Pool(WORKERS),
    "mpire": _mpire,
}


def _round(taken: dict[str, dict[str, list[float]]]) -> None:
    for name, make in POOLS.items():
        if name == "mpire" and importlib.util.find_spec("mpire") is None:
            continue
        pool = make()
        try:
            pool.map(add_one, range(1000))
            for row, (items, run) in _rows(pool).items():
                begin = perf_counter()
                run()
                taken.setdefault(row, {}).setdefault(name, []).append((perf_counter() - begin) / items * 1e6)
        finally:
            pool.terminate()


def _spread(values: list[float]) -> dict[str, object]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "rounds": values}


def main(arguments: list[str] | None = None) -> int:
    """Measure, write benchmarks/results/pools.json and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default: 7)")
    parser.add_argument("--add", action="store_true", help="add them to the rounds of the stored figures")
    given = parser.parse_args(arguments)
    taken: dict[str, dict[str, list[float]]] = {}
    if given.add:
        stored = json.loads((_results.FOLDER / "pools.json").read_text("utf-8"))["us_per_item"]
        taken = {row: {name: one["rounds"] for name, one in of.items()} for row, of in stored.items()}
    for _ in range(given.rounds):
        _round(taken)
    figures = {row: {name: _spread(values) for name, values in of.items()} for row, of in taken.items()}
    print(f"{'µs an item (lowest to highest)':40}" + "".join(f"{name:>30}" for name in POOLS))
    for row, of in figures.items():
        cells = {name: f"{one['median']:.3f} ({one['low']:.3f} to {one['high']:.3f})" for name, one in of.items()}
        print(f"{row:40}" + "".join(f"{cells.get(name, '–'):>30}" for name in POOLS))
    print("written to", _results.write("pools", {"workers": WORKERS, "us_per_item": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
