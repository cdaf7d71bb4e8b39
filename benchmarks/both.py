"""Calls that wait and compute: one event loop and pools of threads beside processes that run several calls each.

Two cases: 300 calls of a plain function that wait 20 ms and compute 5 ms, holding the GIL; and 600 calls of a coroutine
function that wait 5 ms and compute 2 ms. One process takes 1.5 and 1.2 s to compute all of it, two cores half of that.
Rounds are interleaved. It runs in `.venv-bench`, which has aiomultiprocess.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import statistics
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, sleep, thread_time
from typing import TYPE_CHECKING, Any

import _results

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN, COROUTINES = 300, 600
POOLS = (None, 32, 128)  # None: the default of the standard library
EACH = (8, 16, 32)


def burn(seconds: float) -> None:
    """Compute so long, by the clock of this thread."""
    end = thread_time() + seconds
    while thread_time() < end:
        pass


def call(number: int) -> int:
    """Wait 20 ms, compute 5 ms."""
    sleep(0.02)
    burn(0.005)
    return number


async def call_later(number: int) -> int:
    """Wait 5 ms, compute 2 ms."""
    await asyncio.sleep(0.005)
    burn(0.002)
    return number


def _by_pool(threads: int | None) -> list[int]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(call, range(PLAIN)))


async def _by_tasks() -> list[int]:
    return list(await asyncio.gather(*map(call_later, range(COROUTINES))))


async def _by_aiomultiprocess() -> list[int]:
    import aiomultiprocess

    async with aiomultiprocess.Pool() as pool:
        return list(await pool.map(call_later, range(COROUTINES)))


def _by_corewise(fn: Callable[..., Any], items: int, **options: Any) -> list[int]:
    return list(corewise.map(fn, range(items), **options))


def plain() -> dict[str, Callable[[], list[int]]]:
    """Return the ways to run the plain function."""
    ways: dict[str, Callable[[], list[int]]] = {
        f"ThreadPoolExecutor({threads or ''})": lambda threads=threads: _by_pool(threads) for threads in POOLS
    }
    for each in EACH:
        ways[f"processes, per_worker={each}"] = lambda each=each: _by_corewise(
            call, PLAIN, approach="processes", per_worker=each
        )
    ways["no hint"] = lambda: _by_corewise(call, PLAIN)
    return ways


def coroutines() -> dict[str, Callable[[], list[int]]]:
    """Return the ways to run the coroutine function."""
    ways: dict[str, Callable[[], list[int]]] = {
        "asyncio.gather": lambda: asyncio.run(_by_tasks()),
        "asyncio": lambda: _by_corewise(call_later, COROUTINES, approach="asyncio"),
    }
    if importlib.util.find_spec("aiomultiprocess") is not None:
        ways["aiomultiprocess"] = lambda: asyncio.run(_by_aiomultiprocess())
    for each in EACH:
        ways[f"processes, per_worker={each}"] = lambda each=each: _by_corewise(
            call_later, COROUTINES, approach="processes", per_worker=each
        )
    ways["no hint"] = lambda: _by_corewise(call_later, COROUTINES)
    return ways


def _time(ways: dict[str, Callable[[], list[int]]], items: int, rounds: int) -> dict[str, dict[str, float]]:
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            begin = perf_counter()
            results = run()
            taken[name].append(perf_counter() - begin)
            if results != list(range(items)):
                raise AssertionError(name)
    figures = {}
    for name, seconds in taken.items():
        low, median, high = statistics.quantiles(seconds, n=4)
        figures[name] = {"median_s": median, "low_s": low, "high_s": high}
    return figures


def main(arguments: list[str] | None = None) -> int:
    """Measure, write benchmarks/results/both.json and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds, 2 at least (default: 5)")
    parser.add_argument("--case", choices=("plain", "coroutines"), help="one of the two, and nothing is written")
    given = parser.parse_args(arguments)

    cases = {"plain": (plain(), PLAIN), "coroutines": (coroutines(), COROUTINES)}
    figures: dict[str, object] = {}
    for case in [given.case] if given.case else list(cases):
        ways, items = cases[case]
        rows = _time(ways, items, given.rounds)
        figures[case] = {"items": items, "ways": rows}
        print(f"{case}: {items} calls")
        for name, row in rows.items():
            print(f"  {name:<28} {row['median_s']:6.3f} s  ({row['low_s']:.3f} to {row['high_s']:.3f})")
    if not given.case:
        print(_results.write("both", {"rounds": given.rounds, "cases": figures}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
