"""Queues between processes beside their peers: small messages, many writers, batches, arrays.

One process reads and others write; time is taken at the reader, from the moment when all writers are let go to the
last item. Every queue runs once a round, in turn, so a busy minute falls on all alike, and medians are compared. A peer
that is not installed is left out and named (`make bench` makes an environment that has it).
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import mmap
import multiprocessing
import multiprocessing.queues
import os
import statistics
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

import _results
import numpy as np

import corewise
from corewise._transport import memory
from corewise._transport.queues import locks

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[[int], Any]

ARRAY_BYTES = 8_000_000
ROOM_FOR_ARRAYS = 4
BATCH = 500
PEERS = ("multiprocessing.Queue", "multiprocessing.SimpleQueue", "faster_fifo.Queue")
# What is sent, by how many writers, how many items, and how many times the best peer is to be reached.
Row = tuple[str, int, int, float]
ROWS: dict[str, Row] = {
    "one writer, one reader, small messages": ("small", 1, 40_000, 1.5),
    "eight writers, one reader, small messages": ("small", 8, 40_000, 1.5),
    "batches of 500": ("batch", 1, 100_000, 10.0),
    "8 MB arrays, room for four": ("array", 1, 60, 4.0),
    "8 MB arrays, any number": ("any arrays", 1, 20, 0.0),
    "there and back, one at a time": ("echo", 1, 3_000, 0.0),
}


def _queues() -> tuple[dict[str, Callable[[str], Any]], list[str]]:
    """Return how each queue is made for a kind of items, and which are not installed."""
    array = {"array", "any arrays"}
    kinds: dict[str, Callable[[str], Any]] = {
        "corewise.Queue": lambda kind: corewise.Queue(ROOM_FOR_ARRAYS if kind == "array" else 0),
        PEERS[0]: lambda kind: multiprocessing.Queue(ROOM_FOR_ARRAYS if kind == "array" else 0),
        PEERS[1]: lambda _: multiprocessing.SimpleQueue(),  # has no bound but the pipe's
    }
    try:
        faster_fifo = importlib.import_module("faster_fifo")
    except ImportError:
        return kinds, [PEERS[2]]
    kinds[PEERS[2]] = lambda kind: faster_fifo.Queue(
        (ROOM_FOR_ARRAYS + 1) * ARRAY_BYTES if kind in array else 1_000_000
    )
    return kinds, []


def _write(queue: Any, back: Any, kind: str, count: int) -> None:
    if kind == "small":
        for number in range(count):
            queue.put((number, "abc"))
    elif kind == "batch":
        put_many = getattr(queue, "put_many", None) or (lambda items: [queue.put(item) for item in items])
        for begin in range(0, count, BATCH):
            put_many([(number, "abc") for number in range(begin, begin + BATCH)])
    elif kind == "echo":
        for _ in range(count):
            queue.put(back.get())
    else:
        array = np.ones(ARRAY_BYTES // 8)
        for number in range(count):
            array[-1] = number
            queue.put(array)
    if isinstance(queue, multiprocessing.queues.Queue):
        queue.close()
        queue.join_thread()


def _read(queue: Any, there: Any, kind: str, count: int) -> None:
    get_many = getattr(queue, "get_many", None) if kind == "batch" else None
    if get_many is not None:
        got = 0
        while got < count:
            got += len(get_many(BATCH) if isinstance(queue, corewise.Queue) else get_many(max_messages_to_get=BATCH))
    elif kind == "echo":
        for number in range(count):
            there.put(number)
            queue.get()
    else:
        for _ in range(count):
            item = queue.get()
        assert kind == "small" or item[0] in (1, (count - 1))  # noqa: S101 - so that it was looked at


def _round(make: Callable[[str], Any], kind: str, writers: int, count: int) -> float:
    """Return how many seconds the reader took."""
    queue, there = make(kind), make(kind) if kind == "echo" else None
    start, go = os.pipe()
    each = count // writers
    pids = []
    for _ in range(writers):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.read(start, 1)
                _write(queue, there, kind, each)
                code = 0
            finally:
                os._exit(code)
        pids.append(pid)
    begun = perf_counter()
    os.write(go, b"!" * writers)
    _read(queue, there, kind, each * writers)
    took_s = perf_counter() - begun
    for pid in pids:
        _, status = os.waitpid(pid, 0)
        if status:
            raise SystemExit(f"a writer ended with status {status}")
    os.close(start)
    os.close(go)
    return took_s


def _figure(kind: str, count: int, took_s: float) -> float:
    """Microseconds an item; for arrays, GB/s."""
    return count * ARRAY_BYTES / took_s / 1e9 if "array" in kind else took_s / count * 1e6


def _measure(name: str, row: Row, rounds: int) -> dict[str, Any]:
    kind, writers, count, goal = row
    makers, _ = _queues()
    figures: dict[str, list[float]] = {library: [] for library in makers}
    if "array" in kind:
        rounds = -(-rounds // 2)  # each takes seconds
    for number in range(rounds + 1):  # the first one warms up
        order = list(makers)[number % len(makers) :] + list(makers)[: number % len(makers)]
        for library in order:
            figure = _figure(kind, count, _round(makers[library], kind, writers, count))
            if number:
                figures[library].append(figure)
    unit = "GB/s" if "array" in kind else "us an item"
    medians = {library: statistics.median(of_one) for library, of_one in figures.items()}
    ours = medians.pop("corewise.Queue")
    best = (max if "array" in kind else min)(medians, key=medians.__getitem__)
    ratio = ours / medians[best] if "array" in kind else medians[best] / ours
    print(f"{name} ({unit})")
    for library, of_one in figures.items():
        print(f"  {library:28} {statistics.median(of_one):7.2f}   {min(of_one):.2f} to {max(of_one):.2f}")
    print(f"  {ratio:.1f} times the best peer ({best}){f'; to reach: {goal:g}' if goal else ''}")
    told = {
        library: {"median": statistics.median(of_one), "low": min(of_one), "high": max(of_one), "rounds": of_one}
        for library, of_one in figures.items()
    }
    return {"unit": unit, "items": count, "writers": writers, "goal": goal or None, "times_the_best": ratio, **told}


def _lock_figures() -> dict[str, float]:
    """Microseconds to take and release each kind of lock, the best of several tries."""
    fd = os.memfd_create("locks")
    os.ftruncate(fd, mmap.PAGESIZE)
    own = os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
    mapping = memory.Mapping(fd, mmap.PAGESIZE)
    address = memory.address_of(mapping.view())
    locks.make(address)
    library, pointer = locks._library(), locks._library().pointer(address)  # noqa: SLF001 - the bare calls are compared
    pairs: dict[str, Callable[[], object]] = {
        "robust mutex": lambda: (library.trylock(pointer), library.unlock(pointer)),
        "flock": lambda: (fcntl.flock(own, fcntl.LOCK_EX), fcntl.flock(own, fcntl.LOCK_UN)),
        "lockf": lambda: (fcntl.lockf(own, fcntl.LOCK_EX), fcntl.lockf(own, fcntl.LOCK_UN)),
    }
    times = 20_000
    figures = {}
    for name, pair in pairs.items():
        best_s = 1.0
        for _ in range(5):
            begun = perf_counter()
            for _ in range(times):
                pair()
            best_s = min(best_s, perf_counter() - begun)
        figures[name] = best_s / times * 1e6
    os.close(fd)
    os.close(own)
    print("locks, taken and released (us):", ", ".join(f"{name} {figure:.2f}" for name, figure in figures.items()))
    return figures


def main() -> None:
    """Measure, show and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--row", action="append", help="only rows whose name contains this; nothing is stored")
    arguments = parser.parse_args()
    if sys.platform != "linux":
        raise SystemExit("this benchmark forks, and counts on Linux")
    _, missing = _queues()
    for name in missing:
        print(f"{name} is not installed, so it is left out")
    asked = arguments.row or [""]
    chosen = {name: row for name, row in ROWS.items() if any(part in name for part in asked)}
    rows = {name: _measure(name, row, arguments.rounds) for name, row in chosen.items()}
    if not arguments.row:
        figures = {"rounds": arguments.rounds, "locks_us": _lock_figures(), "missing": missing, "rows": rows}
        print(_results.write("queues", figures))


if __name__ == "__main__":
    main()
