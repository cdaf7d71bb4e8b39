"""Processes and pipes beside those of `multiprocessing`: from start to result, five that wait, small messages, arrays.

Every round runs each variant once, so a busy moment falls on all alike. The processes of both are forked. Arrays go
from a process that sends the same one again and again to one that drops each when the next has come.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import time
from time import perf_counter
from typing import TYPE_CHECKING, Any

import _results
import numpy as np

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable

WAITS, WAIT_S = 5, 2.0
STARTS = 10  # a round
ROUND_TRIPS, ONE_WAY = 300, 2000
SIZES = {
    "array of 64 KiB": (1 << 16, 300),
    "array of 200 kB": (200_000, 200),
    "array of 1 MB": (1_000_000, 60),
    "array of 8 MB": (8_000_000, 15),
}
FORK: Any = multiprocessing.get_context("fork")
PIPES: dict[str, Callable[[], tuple[Any, Any]]] = {"multiprocessing": FORK.Pipe, "corewise": corewise.Pipe}


def _answer(end: Any) -> None:
    end.send(42)


def _by_multiprocessing() -> None:
    for _ in range(STARTS):
        mine, its_own = FORK.Pipe(duplex=False)
        process = FORK.Process(target=_answer, args=(its_own,))
        process.start()
        its_own.close()
        mine.recv()
        process.join()
        mine.close()
        process.close()


def _by_corewise() -> None:
    for _ in range(STARTS):
        process = corewise.Process(target=int, args=(42,), start_method="fork")
        process.start()
        process.result()
        process.join()
        process.close()


def _waits(make: Callable[..., Any]) -> float:
    begin = perf_counter()
    processes = [make(target=time.sleep, args=(WAIT_S,)) for _ in range(WAITS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return perf_counter() - begin


def _serve(end: Any) -> None:
    """Answer what asks for an answer, and drop the rest."""
    message = None
    try:
        while True:
            message = end.recv()
            if type(message) is tuple and message[1]:
                end.send(message)
    except EOFError:
        os._exit(0)


def _server(pipe: Callable[[], tuple[Any, Any]]) -> Any:
    mine, its_own = pipe()
    if os.fork() == 0:
        mine.close()
        _serve(its_own)
    its_own.close()
    return mine


def _round_trips(end: Any) -> float:
    begin = perf_counter()
    for _ in range(ROUND_TRIPS):
        end.send(("x", True))
        end.recv()
    return (perf_counter() - begin) / ROUND_TRIPS


def _one_way(end: Any, message: Any, count: int) -> float:
    begin = perf_counter()
    for _ in range(count):
        end.send(message)
    end.send(("x", True))
    end.recv()
    return (perf_counter() - begin) / count


def _timed(work: Callable[[], None], times: int) -> float:
    begin = perf_counter()
    work()
    return (perf_counter() - begin) / times


def _figures(values: list[float], size: int = 0) -> dict[str, float]:
    low, median, high = statistics.quantiles(values, n=4)
    if size:
        return {"median_gb_per_s": size / median / 1e9, "low": size / high / 1e9, "high": size / low / 1e9}
    return {"median_s": median, "low_s": low, "high_s": high}


def measure(rounds: int, waits: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return for each row and each library its figures."""
    seconds: dict[str, dict[str, list[float]]] = {}

    def note(row: str, library: str, value: float) -> None:
        seconds.setdefault(row, {}).setdefault(library, []).append(value)

    servers = {library: _server(pipe) for library, pipe in PIPES.items()}
    arrays = {row: np.ones(size // 8) for row, (size, _) in SIZES.items()}
    starts = {"multiprocessing": _by_multiprocessing, "corewise": _by_corewise}
    for number in range(rounds + 1):
        # One behind the other, and each first every other time: what a start takes depends on what lies before it.
        for library in [*starts][:: 1 if number % 2 else -1]:
            value = _timed(starts[library], STARTS)
            if number:  # the first round is untimed
                note("start to result", library, value)
        for library, end in servers.items():
            measured = {
                "small message there and back": _round_trips(end),
                "small message one way": _one_way(end, ("x", False), ONE_WAY),
                **{row: _one_way(end, arrays[row], count) for row, (_, count) in SIZES.items()},
            }
            for row, value in measured.items() if number else ():
                note(row, library, value)
    for _ in range(waits):
        note(f"{WAITS} processes that wait {WAIT_S:g} s", "multiprocessing", _waits(FORK.Process))
        note(f"{WAITS} processes that wait {WAIT_S:g} s", "corewise", _waits(corewise.Process))
    for end in servers.values():
        end.close()
    return {
        row: {library: _figures(values, SIZES.get(row, (0,))[0]) for library, values in told.items()}
        for row, told in seconds.items()
    }


def main() -> None:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--waits", type=int, default=2, help="rounds of the processes that wait")
    options = parser.parse_args()
    rows = measure(options.rounds, options.waits)
    for row, told in rows.items():
        print(row)
        for library, figures in told.items():
            print(f"    {library:16}", "  ".join(f"{name} {value:.4g}" for name, value in figures.items()))
    print(_results.write("processes", {"rounds": options.rounds, "rows": rows}))


if __name__ == "__main__":
    main()
