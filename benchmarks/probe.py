"""The probe: whether it finds out what works of known nature are like, whether the choice is right, and what it costs.

Each work is measured as a call of ``approach="auto"`` measures it, for 20 ms of its items, many times; on an otherwise
idle machine, and beside a process that keeps one core busy. By each measurement a choice is made for items enough for
two seconds. The cost is the difference to the same chunks run without
the probe, in turns.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any, TypeVar

import _natures
from _results import write

from corewise._api.decision import Decision
from corewise._api.request import make_request
from corewise._dispatch.sizes import ChunkSizes
from corewise._measure.gauge import Gauge
from corewise._types.choice import Choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._types.measurement import Measurement

T = TypeVar("T")

SAMPLE_S = 0.02
_TINY_ITEMS, _TINY_S = 20, 15e-6
_COSTS_S = 0.03, 0.1  # samples whose cost is measured
_REMAINS_S = 2.0
_REST_S = 0.2  # threads of BLAS spin for 0.1 s behind their last call, and that is none of the next work


def measure(fn: Callable[[int], Any], sample_s: float = SAMPLE_S) -> Measurement:
    """Measure a work as the probe does, in chunks of the sizes that it runs."""
    return _sample(fn, sample_s)[0]


def _sample(fn: Callable[[int], Any], sample_s: float = SAMPLE_S) -> tuple[Measurement, list[Any]]:
    """Return what was measured, and the results of the last chunk."""
    gauge, sizes = Gauge(), ChunkSizes(workers=1, fixed=None)
    try:
        while True:
            results, seconds = _chunk(fn, range(sizes.next(None)), gauge)
            sizes.observe(len(results), seconds)
            if gauge.so_far(None).wall_s >= sample_s:
                return gauge.measurement(None), results
    finally:
        gauge.close()


def _chunk(fn: Callable[[int], Any], chunk: range, gauge: Gauge | None) -> tuple[list[Any], float]:
    """Run a chunk, with or without a gauge. Return the results, and the seconds."""
    begin = perf_counter()
    results = list(map(fn, iter(chunk) if gauge is None else gauge.begin(chunk)))
    if gauge is not None:
        gauge.end(len(results))
    return results, perf_counter() - begin


def right(nature: _natures.Nature, measured: Measurement) -> bool:
    """Return whether both shares are on the right side of a half."""
    held = measured.held_share
    return (nature.computes is None or (measured.cpu_share > 0.5) == nature.computes) and (  # noqa: PLR2004
        nature.holds is None or (held is not None and (held > 0.5) == nature.holds)  # noqa: PLR2004
    )


def chosen(fn: Callable[[int], Any], measured: Measurement, results: list[Any]) -> str:
    """Return the approach that is chosen for items that would take some seconds plainly."""
    items = range(max(2, int(_REMAINS_S / measured.item_s)))
    request = make_request("map", fn, (items,), {"approach": "auto", "workers": None, "progress": False}, {})
    processes = Choice(approach="processes", workers=1, asked="auto", code="", why="")
    decision = Decision(fn, None, request.options, lambda: request.terms(processes, streams=False))
    return decision.choose(measured.replace(remaining=len(items)), lambda: (items[: len(results)], results)).approach


def accuracy(runs: int) -> dict[str, Any]:
    """Return for each work how often it was right, and the shares that were found."""
    table = {}
    for name, nature in _natures.NATURES.items():
        nature.fn(0)
        sleep(_REST_S)
        found, approaches = [], []
        for _ in range(runs):
            measured, results = _sample(nature.fn)
            found.append(measured)
            approaches.append(chosen(nature.fn, measured, results))
        held = [one.held_share for one in found if one.held_share is not None]
        table[name] = {
            "chosen_right": sum(one in nature.approaches for one in approaches),
            "chosen": {one: approaches.count(one) for one in sorted(set(approaches))},
            "right": sum(right(nature, one) for one in found),
            "runs": runs,
            "cpu_share": _spread([one.cpu_share for one in found]),
            "held_share": _spread(held),
            "held_not_told": runs - len(held),
            "native_cores": _spread([one.native_cores for one in found]),
        }
        row = table[name]
        print(f"{name:34}", row["chosen_right"], row["right"], "of", runs, row["chosen"], row["held_share"])
    return table


def _spread(some: list[float]) -> list[float]:
    return [round(one, 3) for one in (min(some), statistics.median(some), max(some))] if some else []


def beside_a_busy_core(call: Callable[[], T]) -> T:
    """Call something while another process keeps one core busy."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        return call()
    finally:
        busy.kill()
        busy.wait()


def _chunks(fn: Callable[[int], Any], items: int, gauge: Gauge | None) -> float:
    """Run items in chunks of the sizes that the probe runs, with or without a gauge. Return the seconds."""
    begin = perf_counter()
    done, sizes = 0, ChunkSizes(workers=1, fixed=None)
    while done < items:
        results, seconds = _chunk(fn, range(done, min(items, done + sizes.next(items - done))), gauge)
        sizes.observe(len(results), seconds)
        done += len(results)
    if gauge is not None:
        gauge.measurement(0)
        gauge.close()
    return perf_counter() - begin


def cost(fn: Callable[[int], Any], items: int, rounds: int) -> dict[str, float]:
    """Return what the probe costs: medians of seconds without and with it, and of the differences of each round."""
    without: list[float] = []
    with_it: list[float] = []
    for turn in range(rounds):
        for probed in (turn % 2 == 0, turn % 2 == 1):
            (with_it if probed else without).append(_chunks(fn, items, Gauge() if probed else None))
    difference = statistics.median(b - a for a, b in zip(without, with_it, strict=True))
    return {
        "items": items,
        "without_s": statistics.median(without),
        "with_s": statistics.median(with_it),
        "difference_s": difference,
        "share": difference / statistics.median(without),
    }


def costs(rounds: int) -> dict[str, Any]:
    """Return the costs of the probe for works of several kinds, a tiny one among them."""
    table = {"20 items of 15 µs": cost(lambda _: _natures.busy(_TINY_S), _TINY_ITEMS, rounds * 5)}
    for name in ("pure Python", "json", "sha256 of 6 MB", "sleep", "reads of cached files"):
        fn = _natures.NATURES[name].fn
        fn(0)  # a first call takes longer, and would make the samples too short
        begin = perf_counter()
        fn(0)
        item_s = perf_counter() - begin
        for sample_s in _COSTS_S:
            table[f"{name}, {sample_s * 1e3:.0f} ms"] = cost(fn, max(4, round(sample_s / item_s)), rounds)
    for name, figures in table.items():
        print(f"{name:34} {figures['difference_s'] * 1e6:8.0f} µs more, {figures['share']:.1%}")
    return table


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="times that each work is measured (default: 50)")
    parser.add_argument("--rounds", type=int, default=40, help="rounds for what it costs (default: 40)")
    asked = parser.parse_args()
    _natures.make_file()
    try:
        figures = {
            "sample_s": SAMPLE_S,
            "idle": accuracy(asked.runs),
            "beside_a_busy_core": beside_a_busy_core(lambda: accuracy(asked.runs)),
            "costs": costs(asked.rounds),
        }
    finally:
        _natures.remove_file()
    print(write("probe", figures))


if __name__ == "__main__":
    main()
