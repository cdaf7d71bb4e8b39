"""Calls of functions whose items took no time in the call before: the loop alone, and as right as any."""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import corewise
from corewise._api import quick
from corewise._measure import aside, recalled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAIT_S = 0.05


def double(item: Any) -> Any:
    """Take no time."""
    return item + item


def wait(item: int) -> int:
    """Take no time, or wait."""
    if item < 0:
        time.sleep(WAIT_S)
    return item


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each call adds how many of its items were run so."""
    numbers: list[int] = []
    finished = quick.Quick.finished

    def counted(self: quick.Quick) -> Any:
        numbers.append(len(self.results))
        return finished(self)

    monkeypatch.setattr(quick.Quick, "finished", counted)
    return numbers


def test_the_second_call_is_the_loop_alone(runs: list[int]) -> None:
    """Whatever sequence its items come in; and it says of itself all that the first has said."""
    first = corewise.map(double, range(100))
    assert runs == []
    for items in (range(100), list(range(100)), tuple(range(100))):
        second = corewise.map(double, items)
        assert second == first
        assert type(second) is type(first)
        assert second.choice.approach == first.choice.approach == "sync"
        assert second.choice.code == first.choice.code == "nothing-left"
        assert "all 100 items took" in second.choice.why
        assert second.failures == []
        stats = second.stats
        assert (stats.items, stats.failures, stats.workers, stats.retries) == (100, 0, 1, 0)
        assert 0 < stats.wall_s < 1
        measured = second.choice.measurement
        assert measured is not None
        assert (measured.items, measured.remaining) == (100, 0)
        assert 0 < measured.wall_s <= stats.wall_s
    assert runs == [100] * 3


@pytest.mark.parametrize(
    "options",
    [
        {"approach": "sync"},
        {"approach": "threads"},
        {"on_error": "return"},
        {"retries": 1},
        {"seed": 1},
        {"initializer": gc.isenabled},
        {"progress": lambda _: None},
        {"timeout": 10.0},
    ],
    ids=repr,
)
def test_whoever_asks_for_more_gets_it(options: Any, runs: list[int]) -> None:
    """What the loop alone cannot do is not left out."""
    corewise.map(double, range(3))
    assert corewise.map(double, range(3), **options) == [0, 2, 4]
    assert runs == []


@pytest.mark.parametrize("make", [iter, lambda items: (one for one in items), dict.fromkeys])
def test_other_inputs_are_read_as_ever(make: Callable[[Any], Any], runs: list[int]) -> None:
    """A generator, and whatever is no list, tuple or range."""
    corewise.map(double, range(5))
    assert corewise.map(double, make(range(5))) == [0, 2, 4, 6, 8]
    assert corewise.map(double, []) == []
    assert runs == []


def test_several_inputs_in_step(runs: list[int]) -> None:
    """The shortest of them ends the call, and an item that fails is the tuple of its arguments."""
    expected = list(map(pow, range(40), range(50)))
    for _ in range(3):
        assert corewise.map(pow, range(40), list(range(50))) == expected
    assert runs == [40, 40]
    with pytest.raises(TypeError) as caught:
        corewise.map(pow, [1, 2, "a", 4], [1, 2, 3, 4])
    assert caught.value.__notes__ == ["item 2: ('a', 3)"]
    assert runs == [40, 40, 3]


@pytest.mark.parametrize("bad", [0, 1, 7, 39])
def test_an_item_that_fails_does_so_as_ever(bad: int, runs: list[int]) -> None:
    """The same exception, with the same notes, wherever it is; and what was behind it is not run."""
    items: list[Any] = list(range(40))
    items[bad] = None
    told = []
    for _ in range(2):
        with pytest.raises(TypeError) as caught:
            corewise.map(double, items)
        told.append((str(caught.value), caught.value.__notes__))
        corewise.map(double, range(40))
    assert told[0] == told[1]
    assert told[0][1] == [f"item {bad}: None"]
    assert bad + 1 in runs


def test_an_exception_is_let_go_at_once() -> None:
    """Nothing of the call holds it: it goes without the garbage collector."""
    corewise.map(double, range(4))

    class Lost(Exception):
        pass

    def fail(item: int) -> int:
        if item == 3:
            raise Lost
        return item

    corewise.map(fail, [1, 1, 1])
    gc.disable()
    try:
        gone: list[weakref.ref[BaseException]] = []
        try:
            corewise.map(fail, [1, 2, 3])
        except Lost as error:
            gone.append(weakref.ref(error))
        assert gone[0]() is None
    finally:
        gc.enable()


def test_stop_iteration_is_an_error_of_its_item() -> None:
    """And not the end of the input."""

    def stop(item: int) -> int:
        if item == 5:
            raise StopIteration
        return item

    corewise.map(stop, range(5))
    with pytest.raises(StopIteration) as caught:
        corewise.map(stop, range(10))
    assert caught.value.__notes__ == ["item 5: 5"]


def test_a_coroutine_is_no_result() -> None:
    """As nobody would await it."""

    async def later() -> None:
        pass

    def give(item: int) -> object:
        return later() if item < 0 else item

    corewise.map(give, range(5))
    with pytest.raises(TypeError, match="returned a coroutine"):
        corewise.map(give, [-1])


def test_a_function_that_changes_its_input_sees_all_of_it() -> None:
    """The items are those that there were when the call began."""
    items = list(range(20))

    def grow(item: int) -> int:
        items.append(item)
        return item

    def shrink(item: int) -> int:
        items.clear()
        return item

    for change in (grow, shrink):
        items[:] = range(20)
        corewise.map(change, range(20))
        items[:] = range(20)
        assert corewise.map(change, items) == list(range(20))


@pytest.mark.parametrize("change", ["append", "clear", "pop"])
def test_a_function_that_changes_a_long_list_meets_what_it_meets_in_a_loop(change: str, runs: list[int]) -> None:
    """Of a long list there is no copy: what is added is run, what is gone is not, and neither is a failure."""

    def mapped(call: Callable[..., Any]) -> list[int]:
        items = list(range(50_000))

        def meddle(item: int) -> int:
            if item == 25_000:
                {"append": lambda: items.append(-1), "clear": items.clear, "pop": items.pop}[change]()
            return item

        recalled.note(meddle, 5e-8)
        return list(call(meddle, items))

    assert mapped(corewise.map) == mapped(map)
    assert len(runs) == 1


@pytest.mark.parametrize("last", [False, True])
def test_stop_iteration_in_a_long_list_is_an_error_too(last: bool, runs: list[int]) -> None:  # noqa: FBT001 - a case
    """Also where there is nothing behind it."""
    where = 49_999 if last else 25_000

    def stop(item: int) -> int:
        if item == where:
            raise StopIteration
        return item

    recalled.note(stop, 5e-8)
    with pytest.raises(StopIteration) as caught:
        corewise.map(stop, list(range(50_000)))
    assert caught.value.__notes__ == [f"item {where}: {where}"]
    assert len(runs) == 1


def test_items_that_have_become_long_go_elsewhere(runs: list[int]) -> None:
    """What the last call has told is no promise: hardly any of them is run before somebody looks."""
    corewise.map(wait, [1] * 40)
    items = [1] * 20 + [-1] * 20
    results = corewise.map(wait, items)
    assert results == items
    assert results.choice.approach == "threads"
    assert results.stats.items == 40
    assert len(runs) == 1
    assert 20 < runs[0] < 26
    assert recalled.item_s(wait) is None
    assert corewise.map(wait, [1] * 40) == [1] * 40
    assert len(runs) == 1


def test_many_tiny_items_are_one_loop(runs: list[int]) -> None:
    """They take longer than a moment, but less than anybody needs to be handed one."""
    recalled.note(abs, 5e-8)
    items = list(range(100_000))
    assert corewise.map(abs, items) == items
    assert runs == [100_000]


def test_many_items_that_become_long_are_cut_off(runs: list[int]) -> None:
    """By a thread that looks after them; the next one is not begun."""
    recalled.note(wait, 5e-8)
    items = [1] * 1000 + [-1] * 30 + [1] * 29_000
    results = corewise.map(wait, items)
    assert results == items
    assert results.stats.items == len(items)
    assert 1000 < runs[0] < 1010


def test_a_list_that_grows_while_it_is_cut_off_is_run_as_it_was() -> None:
    """What is added then stands where the loop was told that the list ends."""
    items = list(range(30_000))

    def grow(item: int) -> int:
        if 1000 < item < 1003:
            time.sleep(2 * WAIT_S)
            items.append(-item)
        return item

    recalled.note(grow, 5e-8)
    results = corewise.map(grow, items)
    assert results == list(range(30_000))
    assert items[30_000:] == [-1001, -1002]


def test_no_thread_stays(runs: list[int]) -> None:
    """Which looked after them, and is no more than asleep."""
    recalled.note(abs, 5e-8)
    before = threading.enumerate()
    corewise.map(abs, range(100_000))
    assert runs == [100_000]
    assert threading.enumerate() == before
    end = time.monotonic() + 5.0
    while aside._running and time.monotonic() < end:
        time.sleep(0.001)
    assert not aside._running


@contextlib.contextmanager
def pressed_in(seconds: float) -> Iterator[None]:
    """Press Ctrl-C in so many seconds."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    timer = signal.getitimer(signal.ITIMER_REAL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_ctrl_c_ends_it() -> None:
    """At once, as it would end the loop."""
    corewise.map(wait, range(10))
    with pytest.raises(KeyboardInterrupt), pressed_in(WAIT_S / 2):
        corewise.map(wait, [-1] * 10)
