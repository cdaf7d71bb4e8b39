"""Runs the trials of a comparison in a process of their own.

So a trial that hangs, exits or crashes ends nothing but itself.
"""

from __future__ import annotations

import pickle
from time import perf_counter, process_time

from corewise._api.learning import learn
from corewise._api.map import map as run_map
from corewise._api.request import make_request
from corewise._approaches import load_approach, open_approach
from corewise._approaches.base import Terms
from corewise._dispatch.failures import short
from corewise._machine import memory
from corewise._types.record import Record
from corewise._work.chunk import Chunk
from corewise._work.coroutines import AsCoroutine, is_coroutine_function
from corewise.errors import BudgetExceeded, CannotTravel, WorkerStartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._api.decision import Known
    from corewise._approaches.base import Approach
    from corewise._types.comparison import Difference
    from corewise._types.measurement import Measurement

_LOOK_S = 0.2  # how often a clock on the screen ticks while a trial runs


class Subject(Record):
    """What is compared.

    Attributes:
        fn: the function.
        async_fn: its coroutine twin, for asyncio; None when there is none.
        items: all items; with `star`, tuples of arguments.
        star: whether each item is a tuple of arguments.
    """

    fn: Callable[..., Any]
    async_fn: Callable[..., Any] | None
    items: list[Any]
    star: bool

    def function_for(self, approach: str) -> tuple[Callable[..., Any], str]:
        """Return the function that an approach runs, and what to call that in the report."""
        if approach != "asyncio":
            return self.fn, "coroutine run to its end" if is_coroutine_function(self.fn) else "function"
        if self.async_fn is not None:
            return self.async_fn, "async function"
        if is_coroutine_function(self.fn):
            return self.fn, "async function"
        return AsCoroutine(self.fn), "function wrapped in a coroutine"


class Order(Record):
    """One trial: the first `count` items by an approach.

    A warm-up loads the code of the approaches to come, and runs items as a sample: the first one, and others until
    `sample_s` are over. One by asyncio runs the first items of the twin, and tells nothing else.
    """

    label: str
    approach: str
    workers: int | None
    count: int
    warm_up: bool = False
    prepare: tuple[str, ...] = ()
    sample_s: float = 0.0
    calibrates: bool = False


class Learnt(Record):
    """What a sample has told, for predictions."""

    measurement: Measurement
    known: Known


class Figures(Record):
    """What one trial cost, and whether its results were those of the first; of a warm-up, what it has told."""

    wall_s: float
    cpu_s: float
    startup_s: float
    workers: int
    queued_s: float | None
    peak_memory_bytes: int | None
    difference: Difference | None
    learnt: Learnt | None = None


class Bench:
    """Carries out orders, in whichever process it stands, and keeps the first results to compare all others with."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._reference: tuple[str, list[Any]] | None = None

    def __call__(self, order: Order) -> Figures:
        """Run one trial.

        Raises:
            Exception: whatever the function raises, with the item named.
        """
        fn, _ = self._subject.function_for(order.approach)
        items = self._subject.items[: order.count]
        iterables = zip(*items, strict=True) if self._subject.star else (items,)
        if order.warm_up and order.approach == "asyncio":
            return self._twin_warmed_up(fn, iterables)
        if order.warm_up:
            return self._warmed_up(order, fn, iterables)
        can_reset = memory.reset_peak()
        begin, cpu = perf_counter(), process_time()
        results = run_map(fn, *iterables, approach=order.approach, workers=order.workers)
        wall = perf_counter() - begin
        cpu_s = process_time() - cpu + results.stats.workers_cpu_s
        peak = memory.peak_bytes() if can_reset else None
        stats = results.stats
        return Figures(
            wall_s=wall,
            cpu_s=cpu_s,
            startup_s=stats.startup_s,
            workers=stats.workers,
            queued_s=stats.queued_s,
            peak_memory_bytes=None
            if peak is None or stats.peak_memory_bytes is None
            else peak + stats.peak_memory_bytes,
            difference=self._compare(order.label, results),
        )

    def _warmed_up(self, order: Order, fn: Callable[..., Any], iterables: Any) -> Figures:
        for approach in order.prepare:
            load_approach(approach)
        named = {"approach": "sync", "workers": None, "progress": None}
        request = make_request("compare", fn, tuple(iterables), named, {})
        measured, _, known = learn(request, most_s=order.sample_s, calibrates=order.calibrates)
        return Figures(
            wall_s=measured.wall_s / measured.items,
            cpu_s=measured.cpu_s,
            startup_s=0.0,
            workers=1,
            queued_s=measured.queued_s,
            peak_memory_bytes=None,
            difference=None,
            learnt=Learnt(measurement=measured, known=known),
        )

    def _twin_warmed_up(self, fn: Callable[..., Any], iterables: Any) -> Figures:
        """Let the twin import and open what it needs; a sample is taken of the plain function alone."""
        begin, cpu = perf_counter(), process_time()
        run_map(fn, *iterables, approach="asyncio")
        return Figures(
            wall_s=perf_counter() - begin,
            cpu_s=process_time() - cpu,
            startup_s=0.0,
            workers=1,
            queued_s=None,
            peak_memory_bytes=None,
            difference=None,
        )

    def _compare(self, label: str, results: list[Any]) -> Difference | None:
        if self._reference is None:
            self._reference = (label, list(results))
            return None
        against, expected = self._reference
        for index, (one, other) in enumerate(zip(expected, results, strict=True)):
            if not same(one, other):
                return {
                    "approach": label,
                    "against": against,
                    "item": index,
                    "item_repr": short(self._subject.items[index]),
                    "expected": short(one),
                    "got": short(other),
                }
        return None


class Stage:
    """Where trials run: a worker process of their own where that is possible, else here.

    Args:
        subject: what is compared.

    Attributes:
        isolated: whether trials run in a process of their own, and so can be ended.
    """

    def __init__(self, subject: Subject) -> None:
        self._bench = Bench(subject)
        self._begun = 0
        self._first: Order | None = None  # the trial whose results all others are compared with
        self._forgotten = False  # whether the process that had them was lost
        try:
            self._approach: Approach = _open("processes", self._bench)
            self.isolated = True
        except (CannotTravel, WorkerStartError):
            self._approach = _open("sync", self._bench)
            self.isolated = False

    def run(self, order: Order, *, limit_s: float, tick: Callable[[], None]) -> Figures | BaseException:
        """Run one trial.

        Args:
            order: the trial.
            limit_s: seconds after which it is ended, if it is isolated.
            tick: called a few times a second meanwhile.

        Returns:
            The figures, or what went wrong: the function's exception, a `WorkerDied`, or `BudgetExceeded`.
        """
        if self._forgotten and self._first is not None and self._first.label != order.label:
            self._carry_out(self._first, limit_s, tick)
        outcome = self._carry_out(order, limit_s, tick)
        if self._first is None and isinstance(outcome, Figures) and not order.warm_up:
            self._first = order
        return outcome

    def _carry_out(self, order: Order, limit_s: float, tick: Callable[[], None]) -> Figures | BaseException:
        deaths = self._approach.deaths
        self._approach.submit(Chunk(self._begun, [order], star=False))
        self._begun += 1
        deadline = perf_counter() + limit_s
        while not (done := self._approach.collect(_LOOK_S)):
            tick()
            if perf_counter() > deadline:
                self.close()
                self._approach = _open("processes", self._bench)
                self._forgotten = True
                return BudgetExceeded(f"it did not return within {limit_s:.3g} s and was stopped")
        outcome: Figures | BaseException = done[0].values[0]
        if self._approach.deaths > deaths:
            self._forgotten = True
        elif isinstance(outcome, Figures):
            self._forgotten = False
        return outcome

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._approach.close(kill=True)


def same(one: Any, other: Any) -> bool:
    """Return whether two results are equal: arrays and containers by what they hold, objects that do not say by bytes.

    NaN equals NaN here: the question is whether the function gave the same.
    """
    try:
        if _equal(one, other):
            return True
    except Exception:  # noqa: BLE001, S110 - results may raise anything when compared; then their bytes decide
        pass
    try:
        return bool(pickle.dumps(one, 5) == pickle.dumps(other, 5))
    except Exception:  # noqa: BLE001 - or when pickled; then they count as different
        return False


def _equal(one: Any, other: Any) -> bool:
    if type(one) is type(other):
        if isinstance(one, (list, tuple)):
            return len(one) == len(other) and all(map(same, one, other))
        if isinstance(one, dict):
            return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    equal = one == other
    if not hasattr(equal, "all"):
        return bool(equal)
    if getattr(one, "shape", None) != getattr(other, "shape", None):  # one would be stretched to fit the other
        return False
    return bool((equal | ((one != one) & (other != other))).all())  # noqa: PLR0124 - only NaN differs from itself


def _open(name: str, bench: Bench) -> Approach:
    return open_approach(name, Terms(fn=bench, workers=1, keep_going=True, share_cores=False))
