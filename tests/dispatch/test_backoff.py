"""Items wait before they are run again: by a clock that is moved by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from shuffled import Shuffled

from corewise._dispatch.meter import Meter
from corewise._dispatch.retries import LONGEST_BACKOFF_S, USUAL_BACKOFF_S, Retries
from corewise._dispatch.run import Run
from corewise._dispatch.source import Source
from corewise._types.options import RETRIES, Options, make_options
from corewise._work.chunk import Chunk, Done

if TYPE_CHECKING:
    from collections.abc import Iterable


class Busy(Exception):
    """A server is busy."""


class Clock:
    """A clock that goes on when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.waits_s: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s

    def wait(self, seconds: float) -> None:
        """Let so much time go by."""
        self.waits_s.append(seconds)
        self.now_s += seconds


class Timed(Shuffled):
    """An approach whose chunks take time; it notes when each item was run."""

    def __init__(self, clock: Clock, bad: dict[int, int], *, item_s: float = 0.0, workers: int = 4) -> None:
        super().__init__(0, most=workers)
        self.limit = workers
        self.at: list[tuple[float, int]] = []
        self._clock = clock
        self._refusals = dict(bad)
        self._item_s = item_s

    def collect(self, timeout_s: float | None) -> list[Done]:  # noqa: ARG002 - nobody watches
        """Run the first chunk, whatever time is left."""
        if not self._chunks:
            return []
        chunk = self._chunks.pop(0)
        self._clock.now_s += self._item_s
        values: list[Any] = []
        failed: list[int] = []
        for index, item in enumerate(chunk.items, chunk.start):
            self.at.append((self._clock.now_s, item))
            fails = self._refusals.get(item, 0) > 0
            self._refusals[item] = self._refusals.get(item, 0) - 1
            values.append(Busy(item) if fails else item)
            if fails:
                failed.append(index)
                break
        return [Done(chunk.start, values, failed, self._item_s, dropped=len(chunk.items) - len(values))]


def driven(approach: Timed, clock: Clock, items: Iterable[int], workers: int = 4, **given: Any) -> list[Any]:
    """Run items as `map` does; return the results."""
    run = Run(Source((items,)), make_options(given), Meter(None, clock), clock=clock, idle=clock.wait)
    run.use(approach, workers)
    values: list[Any] = []
    while run.feed():
        for part in run.take():
            values += part.values
    run.finish()
    assert run.retried == len(approach.at) - len(values)
    return values


def test_others_are_run_while_an_item_waits() -> None:
    """It is run again when its time has come, and its result stands in its place."""
    clock = Clock()
    approach = Timed(clock, {2: 1}, item_s=0.01)
    assert driven(approach, clock, range(100), retries=1, backoff=0.2) == list(range(100))
    first, second = (at for at, (_, item) in enumerate(approach.at) if item == 2)
    assert approach.at[second][0] - approach.at[first][0] <= 0.2 + 4 * 0.01
    assert second - first <= 24
    assert clock.waits_s == []


def test_where_nothing_else_is_left_it_is_waited_for() -> None:
    """No longer than until it is due."""
    clock = Clock()
    approach = Timed(clock, {0: 3})
    assert driven(approach, clock, [0], retry_on=lambda _: 2.5, backoff=0) == [0]
    assert clock.waits_s == [2.5] * 3


def test_one_worker_waits_as_the_plain_loop_would() -> None:
    """Nothing is run before an item whose turn it was."""
    clock = Clock()
    approach = Timed(clock, {2: 2, 3: 1}, workers=1)
    assert driven(approach, clock, range(6), workers=1, retry_on=Busy, backoff=1) == list(range(6))
    assert [item for _, item in approach.at] == [0, 1, 2, 2, 2, 3, 3, 4, 5]
    assert len(clock.waits_s) == 3


def test_an_endless_input_does_not_starve_what_waits() -> None:
    """It is run when it is due, before new items."""
    clock = Clock()
    approach = Timed(clock, {1: 2}, item_s=0.1)
    given = make_options({"retry_on": Busy, "backoff": 0.5, "ordered": False})
    run = Run(Source((iter(int, 1),)), given, Meter(None, clock), clock=clock, idle=clock.wait)
    run.use(approach, 4, chunksize=1)
    run.source._items = iter(range(10**9))
    while run.feed():
        if any(value == 1 for part in run.take() for value in part.values):
            break
    assert len(approach.at) < 40


def test_what_is_raised_in_the_end_is_not_held_up_by_items_behind_it() -> None:
    """Item 1 fails for good while 3 waits: nobody needs that any more."""
    clock = Clock()
    approach = Timed(clock, {1: 9, 3: 9})
    error = lambda error: 0.001 if error.args == (1,) else 600  # noqa: E731 - short
    with pytest.raises(Busy, match=r"^1\b"):
        driven(approach, clock, range(8), retry_on=error, retries=2, backoff=0)
    assert sum(clock.waits_s) < 1


def test_the_bound_doubles_and_the_wait_is_any_part_of_it() -> None:
    """Full jitter: chance takes it from 0 to the bound."""
    for share in (0.0, 0.25, 1.0):
        retries = Retries(Options(retries=12, backoff=0.5), lambda share=share: share)  # type: ignore[misc]
        waits_s = [retries.wait_s(7, 0.0) for _ in range(12)]
        assert waits_s == [share * min(LONGEST_BACKOFF_S, 0.5 * 2**number) for number in range(12)]
        assert retries.wait_s(7, 0.0) is None
        assert retries.count == 12


def test_a_backoff_of_more_than_a_minute_is_kept_to() -> None:
    """Who asks for it wants it."""
    retries = Retries(Options(retries=3, backoff=300.0), lambda: 1.0)
    assert [retries.wait_s(0, 0.0) for _ in range(3)] == [300.0] * 3


def test_a_thousand_attempts_do_not_overflow() -> None:
    """Nor does the wait grow beyond its bound."""
    retries = Retries(Options(retries=2000, backoff=0.5), lambda: 1.0)
    assert [retries.wait_s(0, 0.0) for _ in range(2000)][-1] == LONGEST_BACKOFF_S


def test_the_defaults_depend_on_what_is_asked_for() -> None:
    """With `retries` alone it is at once; with `retry_on` there are five, after a wait."""
    assert Retries(make_options({"retries": 1}), lambda: 1.0).wait_s(0, 0.0) == 0.0
    options = make_options({"retry_on": Busy})
    assert options.retries == RETRIES == 5
    assert Retries(options, lambda: 1.0).wait_s(0, 0.0) == USUAL_BACKOFF_S
    assert make_options({"retry_on": Busy, "retries": 2}).retries == 2


@pytest.mark.parametrize(
    ("said", "wanted_s"),
    [(True, 0.0), (False, None), (None, None), (0, 0.0), (3, 3.0), (0.5, 0.5), (-1.5, 0.0)],
)
def test_a_function_says_whether_and_after_how_many_seconds(said: Any, wanted_s: float | None) -> None:
    """0 is no No: a server may say that it wants no wait."""
    assert Retries(make_options({"retry_on": lambda _: said})).wanted_s(Busy()) == wanted_s


@pytest.mark.parametrize("said", ["soon", float("inf"), float("nan"), [1]])
def test_what_a_function_must_not_say_is_refused(said: Any) -> None:
    """With the value."""
    with pytest.raises(TypeError, match="retry_on must return"):
        Retries(make_options({"retry_on": lambda _: said})).wanted_s(Busy())


def test_a_function_that_fails_is_named() -> None:
    """It is no item that is to blame."""
    with pytest.raises(KeyError) as caught:
        Retries(make_options({"retry_on": lambda error: {}[error]})).wanted_s(Busy())
    assert caught.value.__notes__ == ["raised by retry_on"]


def test_a_server_that_names_the_seconds_is_not_called_sooner() -> None:
    """Nor later than the usual wait, if that is longer."""
    retries = Retries(Options(retries=5, backoff=1.0), lambda: 1.0)
    assert [retries.wait_s(0, 3.0) for _ in range(4)] == [3.0, 3.0, 4.0, 8.0]


@given(st.dictionaries(st.integers(0, 50), st.floats(0, 100)), st.floats(0, 100))
def test_what_waits_comes_out_when_it_is_due(waiting: dict[int, float], now_s: float) -> None:
    """All of it, in the order of the input, and nothing that nobody needs any more."""
    retries = Retries(Options(retries=1))
    for index, due_s in waiting.items():
        retries.put(Chunk(index, [index], star=False), due_s)
    due = [chunk.start for chunk in retries.take(now_s)]
    assert due == sorted(index for index, due_s in waiting.items() if due_s <= now_s)
    assert len(retries) == len(waiting) - len(due)
    retries.stop_before(20)
    rest = [chunk.start for chunk in retries.take(200.0)]
    assert rest == sorted(index for index, due_s in waiting.items() if due_s > now_s and index < 20)
    assert not retries
