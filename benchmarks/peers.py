"""The process engine beside its peers: one map over the same items, by every library's defaults.

Each figure is a run in a fresh interpreter, from the call to its last result, start and end of the workers included:
all libraries start them for each call here. The rounds are interleaved, so that a busy minute falls on all alike, and
the median is given. Peers that are not installed are left out: ``pip install joblib mpire``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import _results
import works

WORKERS = 2
Mapper = Callable[[Callable[..., Any], list[Any]], Any]


def _corewise(fn: Callable[..., Any], items: list[Any]) -> object:
    import corewise

    return corewise.map(fn, items, approach="processes", workers=WORKERS)


def _pool(fn: Callable[..., Any], items: list[Any]) -> object:
    from multiprocessing import Pool

    with Pool(WORKERS) as pool:
        return pool.map(fn, items)


def _executor(fn: Callable[..., Any], items: list[Any]) -> object:
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(WORKERS) as executor:
        return list(executor.map(fn, items))


def _joblib(fn: Callable[..., Any], items: list[Any]) -> object:
    from joblib import Parallel, delayed

    return Parallel(n_jobs=WORKERS)(delayed(fn)(item) for item in items)


def _mpire(fn: Callable[..., Any], items: list[Any]) -> object:
    from mpire import WorkerPool

    with WorkerPool(WORKERS) as pool:
        return pool.map(fn, [(item,) for item in items])


PEERS: dict[str, tuple[str, Mapper]] = {
    "corewise": ("corewise", _corewise),
    "Pool": ("multiprocessing", _pool),
    "ProcessPoolExecutor": ("concurrent.futures", _executor),
    "joblib": ("joblib", _joblib),
    "mpire": ("mpire", _mpire),
}

MB = 1 << 20
# What is run, over what, how the seconds are shown, and who is too slow to be asked.
WORKS: dict[str, tuple[Callable[..., Any], Callable[[], list[Any]], set[str]]] = {
    "8 tiny calls, whole program": (works.add_one, lambda: list(range(8)), set()),
    "300,000 tiny calls": (works.add_one, lambda: list(range(300_000)), {"ProcessPoolExecutor"}),
    "heavy tail": (works.spin, works.heavy_tail, set()),
    "sorted": (works.spin, works.sorted_up, set()),
    "one giant": (works.spin, works.one_giant, set()),
    "8 arrays of 64 MB in": (works.total, lambda: works.arrays(8, 64 * MB), set()),
    "8 arrays of 64 MB in and out": (works.echo, lambda: works.arrays(8, 64 * MB), set()),
    "one array of 64 MB to 16 tasks": (works.total, lambda: works.arrays(1, 64 * MB) * 16, set()),
    "1,000 arrays of 80 kB in and out": (works.echo, lambda: works.arrays(1000, 80_000), set()),
}


def _run_one(work: str, peer: str) -> None:
    fn, make, _ = WORKS[work]
    mapper = PEERS[peer][1]
    items = make()
    print(json.dumps(works.timed(lambda: mapper(fn, items))))


def _measured(work: str, peer: str) -> float:
    whole = "whole program" in work
    command = [sys.executable, __file__, "--one", work, peer]
    seconds = works.timed(lambda: subprocess.run(command, check=True, capture_output=True)) if whole else 0.0
    if whole:
        return seconds
    return float(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


def _show(medians: dict[str, dict[str, float]]) -> None:
    width = max(map(len, WORKS))
    print(" " * width, *(f"{peer:>20}" for peer in PEERS))
    for work, figures in medians.items():
        bound = None
        if WORKS[work][0] is works.spin:
            bound = works.lower_bound_s(WORKS[work][1](), WORKERS)
        cells = []
        for peer in PEERS:
            seconds = figures.get(peer)
            text = "–" if seconds is None else f"{seconds:.3f} s"
            if seconds is not None and bound:
                text += f" ({seconds / bound:.2f} ×)"
            cells.append(f"{text:>20}")
        print(f"{work:{width}}", *cells)


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", nargs=2, metavar=("WORK", "PEER"), help=argparse.SUPPRESS)
    parser.add_argument("--work", choices=WORKS, action="append", help="only this one; may be given more than once")
    arguments = parser.parse_args()
    if arguments.one:
        _run_one(*arguments.one)
        return
    present = [peer for peer, (module, _) in PEERS.items() if importlib.util.find_spec(module)]
    medians: dict[str, dict[str, float]] = {}
    all_seconds: dict[str, dict[str, list[float]]] = {}
    for work in arguments.work or WORKS:
        asked = [peer for peer in present if peer not in WORKS[work][2]]
        seconds: dict[str, list[float]] = {peer: [] for peer in asked}
        for _ in range(arguments.rounds):
            for peer in asked:
                seconds[peer].append(_measured(work, peer))
        all_seconds[work] = seconds
        medians[work] = {peer: statistics.median(values) for peer, values in seconds.items()}
    _show(medians)
    print(_results.write("peers", {"workers": WORKERS, "rounds": arguments.rounds, "seconds": all_seconds}))


if __name__ == "__main__":
    main()
