"""Calls of any functions in one pool: each gets what it was given, and a bad one fails by itself."""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from operator import add
from typing import TYPE_CHECKING, Any

import pytest

from corewise._engine.calls import KEPT, Calls, Functions
from corewise._engine.pool_of_calls import PoolOfCalls
from corewise._transport import codec
from corewise.errors import CannotTravel, WorkerDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corewise._engine.handle import Worker

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")

Call = tuple[Any, ...]


class Caller:
    """A pool for any calls."""

    def __init__(self, workers: int, start_method: str) -> None:
        self.pool = PoolOfCalls(None, workers, start_method=start_method)
        self.functions = Functions(main_by_value=self.pool.main_by_value)
        self._next = 0

    def submit(self, *calls: Call) -> None:
        """Submit calls as one chunk: each a function and its arguments; a dictionary at the end holds named ones."""
        items = []
        for fn, *args in calls:
            named = args.pop() if args and isinstance(args[-1], dict) else {}
            items.append((self.functions.known(fn), tuple(args), named))
        self.pool.submit(Calls(self._next, items, None, None))
        self._next += len(calls)

    def results(self) -> list[Any]:
        """Collect everything."""
        came: dict[int, Any] = {}
        while self.pool.unfinished:
            for done in self.pool.collect(None):
                came |= dict(enumerate(done.values, done.start))
        return [came[index] for index in sorted(came)]

    def call(self, *calls: Call) -> list[Any]:
        """Submit calls as one chunk, and return what came of it."""
        self.submit(*calls)
        return self.results()


@pytest.fixture
def opened() -> Iterator[Callable[..., Caller]]:
    """Open pools that the test need not close."""
    callers: list[Caller] = []

    def open_caller(workers: int = 1, start_method: str = "fork") -> Caller:
        callers.append(Caller(workers, start_method))
        return callers[-1]

    yield open_caller
    for caller in callers:
        caller.pool.close(kill=True)


def named(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """Return what one was called with."""
    return (*args, sorted(kwargs.items()))


async def later(number: int, *, more: int = 0) -> int:
    """Be a coroutine function."""
    return number + more


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_functions_of_all_kinds_are_called_with_what_they_were_given(
    opened: Callable[..., Caller], start_method: str
) -> None:
    """In one chunk: built in, of a module, a lambda, a closure, a partial, a class, a method, a coroutine function."""
    factor = 7
    came = opened(1, start_method).call(
        (abs, -1),
        (named, 1, [2], {"three": 3}),
        (lambda number: number * factor, 6),
        (partial(add, 1), 2),
        (complex, 1, {"imag": 2}),
        ("a b".split,),
        (later, 1, {"more": 2}),
    )
    assert came == [1, (1, [2], [("three", 3)]), 42, 3, 1 + 2j, ["a", "b"], 3]


def test_a_function_is_sent_to_each_worker_once(opened: Callable[..., Caller]) -> None:
    """However often it is called, and however large it is."""
    caller = opened()
    data = bytes(1 << 20)
    big = partial(_length, data)
    before = caller.call((big,))
    (worker,) = caller.pool._crew.members.values()
    before_bytes = _sent_bytes(worker)
    for _ in range(10):
        before += caller.call((big,), (big,))
    assert before == [1 << 20] * 21
    assert _sent_bytes(worker) - before_bytes < 100_000


def _sent_bytes(worker: Worker) -> int:
    traffic = worker.line.statistics()
    return traffic.stream_sent_bytes + traffic.block_sent_bytes


def _length(data: bytes) -> int:
    return len(data)


def test_a_function_whose_captured_value_has_changed_is_another_one(opened: Callable[..., Caller]) -> None:
    """Be it in a list that a lambda holds, or in the object that a built-in method belongs to."""
    caller = opened()
    values = [1]
    prices = {"a": 1}
    came = caller.call((lambda: values[0],), (prices.get, "a"))
    values[0] = prices["a"] = 2
    came += caller.call((lambda: values[0],), (prices.get, "a"))
    assert came == [1, 1, 2, 2]


def test_more_functions_than_are_remembered(opened: Callable[..., Caller]) -> None:
    """The one that is called all the time stays known, and one that was forgotten travels anew."""
    caller = opened(2)
    expected: list[int] = []
    for number in range(KEPT + 50):
        caller.submit((abs, -number), (partial(add, number), 1), (abs, -1))
        expected += [number, number + 1, 1]
    caller.submit((partial(add, 0), 1), (partial(add, 1), 1))
    assert caller.results() == [*expected, 1, 2]


def test_one_chunk_may_hold_more_functions_than_are_remembered(opened: Callable[..., Caller]) -> None:
    """All of them are needed at once."""
    caller = opened()
    caller.call((abs, -1))
    count = KEPT + 20
    assert caller.call(*[(partial(add, number), 1) for number in range(count)], (abs, -5)) == [
        *range(1, count + 1),
        5,
    ]
    assert caller.call((partial(add, 0), 1), (abs, -6)) == [1, 6]


def test_a_class_that_cannot_be_looked_up_in_a_table_costs_its_own_call(opened: Callable[..., Caller]) -> None:
    """Its kind of class compares as it likes, which pickle does not stand; the worker does, and so does the pool."""
    came = opened().call((abs, -1), (_make_unhashable,), (getattr, Unhashable(), "value"), (abs, -2))
    assert [type(value) for value in came] == [int, CannotTravel, CannotTravel, int]


def _make_unhashable() -> Unhashable:
    return Unhashable()


class _Compares(type):
    def __eq__(cls, other: object) -> bool:
        return cls is other

    __hash__ = None  # type: ignore[assignment]  # what such classes have


class Unhashable(metaclass=_Compares):
    """An instance of it is as good as any."""

    value = 4


def test_arguments_that_cannot_travel_fail_their_own_call(opened: Callable[..., Caller]) -> None:
    """The calls before and behind it are made, also by functions that nobody knew before."""
    came = opened().call(
        (abs, -1), (named, threading.Lock()), (named, 1, {"key": threading.Lock()}), (partial(add, 1), 1)
    )
    assert [type(value) for value in came] == [int, CannotTravel, CannotTravel, int]
    assert (came[0], came[3]) == (1, 2)


def test_a_function_that_cannot_travel_is_refused_at_once() -> None:
    """Before anything is submitted."""
    with pytest.raises(CannotTravel, match="the function"):
        Functions(main_by_value=False).known(partial(print, threading.Lock()))


class Explosive:
    """A function that does something where it is unpickled."""

    def __init__(self, deed: Callable[..., object], *args: object) -> None:
        self.deed, self.args = deed, args

    def __call__(self) -> None:
        """Never be called."""

    def __reduce__(self) -> tuple[Any, ...]:
        return self.deed, self.args


def test_a_function_that_raises_while_it_is_unpickled_fails_its_own_calls(opened: Callable[..., Caller]) -> None:
    """Whatever it raises."""
    caller = opened()
    came = caller.call((abs, -1), (Explosive(int, "no number"),), (Explosive(sys.exit, 3),), (abs, -2))
    assert [type(value) for value in came] == [int, ValueError, SystemExit, int]


def test_a_function_that_ends_the_worker_while_it_is_unpickled_costs_its_own_call(
    opened: Callable[..., Caller],
) -> None:
    """It is the one at fault, and workers are not started for it for ever."""
    caller = opened()
    bad = Explosive(os._exit, 7)
    came = caller.call((abs, -1), (bad,), (abs, -2))
    assert [type(value) for value in came] == [int, WorkerDied, int]
    assert caller.pool.accounts.deaths == 1


def test_calls_of_a_chunk_that_is_cut_keep_what_they_need() -> None:
    """Their limit of time, for one."""
    calls = Calls(10, [(Functions(main_by_value=False).known(abs), (-number,), {}) for number in range(5)], 2.5, None)
    part = calls.part(12, 14)
    assert (type(part), part.start, part.stop, part.timeout_s) == (Calls, 12, 14, 2.5)
    assert [args for _, args, _ in part.items] == [(-2,), (-3,)]


def test_equal_functions_are_one() -> None:
    """By their names where they have one, by their content otherwise."""
    functions = Functions(main_by_value=False)
    assert functions.known(named) is functions.known(named)
    assert functions.known(partial(add, 1)) is functions.known(partial(add, 1))
    assert functions.known(partial(add, 1)) is not functions.known(partial(add, 2))
    data = bytes(100_000)
    assert functions.known(partial(_length, data)) is functions.known(partial(_length, bytes(100_000)))
    assert codec.loads(functions.known(named).data) is named
