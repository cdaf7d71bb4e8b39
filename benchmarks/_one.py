"""One figure: one library at one row, measured in this fresh process. `peers.py` starts it; it prints JSON.

    _one.py ROW LIBRARY ROUNDS_PER_S

ROUNDS_PER_S says how often `works.turn` turns in a second, so that skewed work is the same for everybody.
"""

from __future__ import annotations

import gc
import json
import sys
from contextlib import closing
from statistics import median
from time import perf_counter, sleep

import _works as works
from _bare import BarePair
from _libraries import CLUSTERS, LIBRARIES, LIMITS, WORKERS, CorewiseStream, Library, NotOffered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUND_TRIPS, WARM_UP = 2000, 300
# Where each item is a message of its own, 300,000 of them take half a minute and say no more than 30,000; and a task of
# a cluster takes milliseconds.
FUTURES, FUTURES_OF_CLUSTERS = 20_000, 2000
TINY, TINY_ONE_BY_ONE, TINY_OF_CLUSTERS = 300_000, 30_000, 3000
WARM = "_warm"
ONE_BY_ONE = ("ProcessPoolExecutor", "loky")
ARRAYS, TASKS, SMALL_ARRAYS, PASSES = 8, 16, 1000, 3
STREAMED, STREAMED_FIRST = 1_000_000, 50_000
NAP_EVERY, NAP_S = 1000, 0.003  # a consumer that takes 3 µs an item: slower than workers that add one to a number


def _seconds(call: Callable[[], object]) -> float:
    begin = perf_counter()
    call()
    return perf_counter() - begin


def _opened(library: str) -> Library:
    return (LIBRARIES | LIMITS)[library]()


def round_trip(library: str, _: float) -> dict[str, object]:
    """Median seconds of one call, handed over and waited for."""
    if library == "raw pipe":
        with closing(BarePair()) as pair:
            pair.round_trips(WARM_UP)
            return {"figure": median(pair.round_trips(ROUND_TRIPS))}
    with closing(_opened(library)) as opened:
        seconds = []
        for number in range(WARM_UP + ROUND_TRIPS):
            begin = perf_counter()
            result = opened.call(works.add_one, number)
            seconds.append(perf_counter() - begin)
            _check(result == number + 1)
    return {"figure": median(seconds[WARM_UP:])}


def futures(library: str, _: float) -> dict[str, object]:
    """Seconds per task of many futures, all handed over before the first result is asked for."""
    with closing(_opened(library)) as opened:
        count = FUTURES_OF_CLUSTERS if library in CLUSTERS else FUTURES
        opened.futures(works.add_one, list(range(count // 10)))
        items = list(range(count))
        begin = perf_counter()
        results = opened.futures(works.add_one, items)
        seconds = perf_counter() - begin
    _check(results == list(range(1, count + 1)))
    return {"figure": seconds / count, "items": count}


def tiny_map(library: str, _: float) -> dict[str, object]:
    """Seconds per item of one map, its workers' start and end included."""
    if library in CLUSTERS:
        return tiny_map_warm(library, 0.0)
    items = list(range(_tiny_items(library)))
    once = (LIBRARIES | LIMITS)[library].once
    _import(library)
    begin = perf_counter()
    results = once(works.add_one, items)
    seconds = perf_counter() - begin
    _check(results == [item + 1 for item in items])
    return {"figure": seconds / len(items), "items": len(items)}


def tiny_map_warm(library: str, _: float) -> dict[str, object]:
    """Seconds per item of a map whose workers run already."""
    items = list(range(_tiny_items(library)))
    with closing(_opened(library)) as opened:
        opened.map(works.add_one, items[: len(items) // 10])
        begin = perf_counter()
        results = opened.map(works.add_one, items)
        seconds = perf_counter() - begin
    _check(results == [item + 1 for item in items])
    return {"figure": seconds / len(items), "items": len(items)}


def _tiny_items(library: str) -> int:
    return TINY_OF_CLUSTERS if library in CLUSTERS else TINY_ONE_BY_ONE if library in ONE_BY_ONE else TINY


def skewed(work: str, library: str, rounds_per_s: float, *, warm: bool = False) -> dict[str, object]:
    """Seconds over the lower bound, the workers' start and end included unless they are to be warm.

    The bound is what two bare processes take that share the same work and have nothing else to do. It is measured half
    before and half behind the library, so that cores that are slower for a while are so for both.
    """
    seconds = getattr(works, work)()
    items = [round(one * rounds_per_s) for one in seconds]
    quarter = round(sum(items) / WORKERS / 2)
    with closing(BarePair()) as pair:
        pair.turn(quarter // 8)
        _import(library)
        bound = pair.turn(quarter)
        if warm or library in CLUSTERS:  # those are meant to stay
            with closing(_opened(library)) as opened:
                opened.map(works.turn, [1, 1])
                took = _seconds(lambda: opened.map(works.turn, items))
        else:
            took = _seconds(lambda: LIBRARIES[library].once(works.turn, items))
        bound += pair.turn(quarter)
    in_order = works.in_order_s(seconds, WORKERS) / works.lower_bound_s(seconds, WORKERS)
    return {"figure": took / bound, "seconds": took, "bound_s": bound, "in_order": in_order}


def arrays_in(library: str, _: float) -> dict[str, object]:
    """Bytes a second of distinct large arrays that are sent to workers."""
    with closing(_opened(library)) as opened:
        opened.map(works.total, works.arrays(ARRAYS, works.ARRAY_BYTES))  # now it is warm, and so is the memory
        taken = []
        for _pass in range(PASSES):
            items = works.arrays(ARRAYS, works.ARRAY_BYTES)
            begin = perf_counter()
            results = opened.map(works.total, items)
            taken.append(perf_counter() - begin)
            _check(results == [works.total(item) for item in items])
            del items
    return {"figure": ARRAYS * works.ARRAY_BYTES / median(taken)}


def arrays_in_out(library: str, _: float) -> dict[str, object]:
    """Bytes a second, both ways counted, of large arrays that are sent and come back changed."""
    return {"figure": 2 * works.ARRAY_BYTES / _there_and_back(library, ARRAYS, works.ARRAY_BYTES)}


def small_arrays(library: str, _: float) -> dict[str, object]:
    """Seconds per task of arrays that are sent and come back changed."""
    return {"figure": _there_and_back(library, SMALL_ARRAYS, works.SMALL_ARRAY_BYTES)}


def _there_and_back(library: str, count: int, size_bytes: int) -> float:
    with closing(_opened(library)) as opened:
        opened.map(works.plus_one, works.arrays(count, size_bytes))  # as above
        taken = []
        for _ in range(PASSES):
            items = works.arrays(count, size_bytes)
            begin = perf_counter()
            results = opened.map(works.plus_one, items)
            taken.append(perf_counter() - begin)
            _check(all(result[0] == result[-1] == number + 1 for number, result in enumerate(results)))
            del items, results
    return median(taken) / count


def array_to_all(library: str, _: float) -> dict[str, object]:
    """Bytes a second of one large array that many tasks read, as if each had been sent its own."""
    with closing(_opened(library)) as opened:
        opened.to_all(works.total, works.arrays(1, works.ARRAY_BYTES)[0], 2)
        taken = []
        for _pass in range(PASSES):
            array = works.arrays(1, works.ARRAY_BYTES)[0] + 1
            begin = perf_counter()
            results = opened.to_all(works.total, array, TASKS)
            taken.append(perf_counter() - begin)
            _check(results == [works.total(array)] * TASKS)
    return {"figure": TASKS * works.ARRAY_BYTES / median(taken)}


def stream_memory(library: str, _: float) -> dict[str, object]:
    """Bytes by which the caller's memory grows at most while it takes results more slowly than they are made."""
    from corewise._machine.memory import peak_bytes, reset_peak, resident_bytes

    opened = CorewiseStream() if library == "corewise" else _opened(library)
    with closing(opened):
        _consume(opened.stream(works.add_one, iter(range(STREAMED_FIRST))), STREAMED_FIRST)
        gc.collect()
        reset_peak()
        before = resident_bytes() or 0
        begin = perf_counter()
        _consume(opened.stream(works.add_one, iter(range(STREAMED))), STREAMED)
        seconds = perf_counter() - begin
        grown = (peak_bytes() or 0) - before
    return {"figure": max(0, grown), "seconds": seconds}


def _consume(results: Iterator[int], count: int) -> None:
    total = 0
    for number, result in enumerate(results, 1):
        total += result
        if not number % NAP_EVERY:
            sleep(NAP_S)
    _check(total == count * (count + 1) // 2)


def _import(library: str) -> None:
    """Load what a program that uses the library has loaded before its first call."""
    if library in LIBRARIES:
        __import__(LIBRARIES[library].module)


def _check(right: bool) -> None:  # noqa: FBT001 - what is checked reads best bare
    if not right:
        raise SystemExit("the results are wrong")


def main_one(row: str, library: str, rounds_per_s: float) -> dict[str, object]:
    """Return the figure of one library at one row, or why there is none."""
    try:
        work = row.removesuffix(WARM)
        if hasattr(works, work):
            return skewed(work, library, rounds_per_s, warm=work != row)
        return globals()[row](library, rounds_per_s)  # type: ignore[no-any-return]
    except NotOffered as error:
        return {"missing": str(error)}


if __name__ == "__main__":
    print(json.dumps(main_one(sys.argv[1], sys.argv[2], float(sys.argv[3]))))
