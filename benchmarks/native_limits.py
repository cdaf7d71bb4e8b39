"""Native threads: what a limit costs a worker, and what the lack of one costs threads that call BLAS.

Prints its figures, and writes them to benchmarks/results/native_limits.json.
"""

from __future__ import annotations

import os
import statistics
from time import perf_counter, process_time, sleep

import numpy as np
import threadpoolctl
from _results import write

import corewise
from corewise._machine import native_limits

ROUNDS = 5
WORKERS = (2, 8)
ITEMS = 40
SIDE = 400  # of the matrices: some 5 ms for each product


def main() -> None:
    """Measure, print, write."""
    multiply(0)
    figures = {
        "find_libraries_first_s": _once(native_limits._loaded, set()),  # noqa: SLF001 - the part that takes time
        "lower_and_restore_s": statistics.median(_lower_and_restore() for _ in range(50)),
        "cpu_s_of_a_fork_that_does_nothing": _of_forks("nothing"),
        "cpu_s_of_a_fork_limited_in_the_child": _of_forks("in the child"),
        "cpu_s_of_a_fork_made_under_the_limit": _of_forks("around the fork"),
        "threads_that_multiply": _threads(),
    }
    for name, value in figures.items():
        print(name, value)
    write("native_limits", {"rounds": ROUNDS, **figures})


def multiply(seed: int) -> float:
    """Call BLAS a few times."""
    matrix = np.random.default_rng(seed).random((SIDE, SIDE))
    for _ in range(4):
        matrix = matrix @ matrix
        matrix /= matrix.max()
    return float(matrix[0, 0])


def _once(call: object, *args: object) -> float:
    begin = perf_counter()
    call(*args)  # type: ignore[operator]  # a function
    return perf_counter() - begin


def _lower_and_restore() -> float:
    begin = perf_counter()
    with native_limits.lowered(1):
        pass
    return perf_counter() - begin


def _of_forks(how: str) -> float:
    """CPU seconds that a forked child spends in its first 0.3 s, in which it only sleeps."""
    return statistics.median(_of_a_fork(how) for _ in range(ROUNDS))


def _of_a_fork(how: str) -> float:
    reading, writing = os.pipe()
    with native_limits.lowered(1 if how == "around the fork" else 1 << 20):
        pid = os.fork()
    if not pid:
        begin = process_time()
        if how == "in the child":
            for library in threadpoolctl.ThreadpoolController().lib_controllers:
                library.set_num_threads(1)
        sleep(0.3)
        os.write(writing, str(process_time() - begin).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    spent = float(os.read(reading, 100))
    os.close(reading)
    os.close(writing)
    return spent


def _threads() -> dict[str, dict[str, float]]:
    """Seconds for the same products: plainly, by threads, and by threads with BLAS held to their share."""
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        times.setdefault("sync", []).append(_run("sync", 1))
        for workers in WORKERS:
            times.setdefault(f"{workers} threads", []).append(_run("threads", workers))
            with threadpoolctl.threadpool_limits(1):
                times.setdefault(f"{workers} threads, limited", []).append(_run("threads", workers))
    return {
        name: {"median_s": statistics.median(some), "low_s": min(some), "high_s": max(some)}
        for name, some in times.items()
    }


def _run(approach: str, workers: int) -> float:
    return _once(lambda: corewise.map(multiply, range(ITEMS), approach=approach, workers=workers))


if __name__ == "__main__":
    main()
