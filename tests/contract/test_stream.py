"""A stream gives what the plain loop gives, as it is asked for, and is never further ahead than it may be."""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

import option_works
import pytest
import works
from ways import AWAITED, EVERY, OF_COROUTINES, WAYS, Turned, as_coroutine_function

import corewise
from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BY_PROCESSES = [name for name in WAYS if name.startswith("processes")]
ONE_AT_A_TIME = [name for name in BY_PROCESSES if "per_worker" not in WAYS[name]]
GO_ON = ["threads", "asyncio", *BY_PROCESSES]
LATER: dict[Callable[..., Any], Callable[..., Any]] = {
    works.fail_for_3_and_7: works.fail_for_3_and_7_later,
    option_works.answer: option_works.answer_later,
}


@pytest.fixture(params=[name for name in EVERY if not name.endswith("amap")])
def way(request: pytest.FixtureRequest) -> str:
    """Name a way to run."""
    return str(request.param)


def stream(way: str, fn: Callable[..., Any], *iterables: Any, **options: Any) -> corewise.Stream:
    """Stream a plain function by a way; asyncio gets its twin, or wraps it."""
    if way in OF_COROUTINES:
        fn = LATER.get(fn) or as_coroutine_function(fn)
    make: Any = Turned if way in AWAITED else corewise.stream
    results: corewise.Stream = make(fn, *iterables, **{**EVERY[way], **options})
    return results


class Read:
    """An endless input that notes how far it was read."""

    def __init__(self, stop: int | None = None) -> None:
        self.count = 0
        self.closed = False
        self._stop = stop

    def numbers(self) -> Iterator[int]:
        """Give 0, 1, 2, ..."""
        try:
            while self._stop is None or self.count < self._stop:
                self.count += 1
                yield self.count - 1
        finally:
            self.closed = True


# -- the same outcome --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"buffer": 1}, {"buffer": 10}, {"chunksize": 7}, {"buffer": "1 kB"}])
def test_results_are_those_of_the_plain_loop(way: str, options: dict[str, Any]) -> None:
    """In the order of the input, whatever the buffer."""
    assert list(stream(way, works.square, range(300), **options)) == [number * number for number in range(300)]


def test_as_finished_they_are_the_same_ones(way: str) -> None:
    """Only their order is free."""
    results = list(stream(way, works.square, iter(range(300)), ordered=False))
    assert sorted(results) == [number * number for number in range(300)]


def test_two_iterables_give_two_arguments_and_the_shortest_ends(way: str) -> None:
    """Even if the other one is endless."""
    assert list(stream(way, works.add, itertools.count(), [10, 20, 30])) == [10, 21, 32]


def test_no_items_give_no_results(way: str) -> None:
    """And nothing is wrong with that."""
    results = stream(way, works.square, [])
    assert list(results) == []
    assert results.stats.items == 0


def test_an_endless_input_gives_results_at_once(way: str) -> None:
    """As many as are asked for."""
    with stream(way, works.square, itertools.count()) as results:
        assert list(itertools.islice(results, 1000)) == [number * number for number in range(1000)]


@pytest.mark.parametrize("way", WAYS)
def test_a_map_may_be_streamed_inside_a_stream(way: str) -> None:
    """Streams are chained as generators are."""
    inner = stream(way, works.square, range(40))
    assert list(stream(way, works.add, inner, itertools.repeat(1))) == [number * number + 1 for number in range(40)]


@pytest.mark.parametrize("retries", [0, 2])
def test_options_mean_what_they_mean_for_map(way: str, tmp_path: Path, retries: int) -> None:
    """Retries and returned failures, for one."""
    times = [2 if number in (0, 11) else 0 for number in range(30)]
    inputs = [str(tmp_path)] * 30, range(30), times, ["raises"] * 30
    results = stream(way, option_works.flaky, *inputs, retries=retries, on_error="return")
    values = list(results)
    if retries:
        assert values == list(range(30))
        assert results.stats.retries == 4
    else:
        assert [failed.index for failed in results.failures] == [0, 11]
        assert values[0] is results.failures[0].error
        assert [value for value in values if isinstance(value, int)] == [n for n in range(30) if n not in (0, 11)]


def test_it_tells_what_was_chosen_and_what_it_cost(way: str) -> None:
    """During the stream and after it."""
    results = stream(way, works.square, itertools.count(), buffer=50)
    assert results.stats.items == 0
    next(results)
    assert results.choice is None or results.choice.why
    assert 1 <= results.stats.items <= 50
    list(itertools.islice(results, 99))
    results.close()
    assert results.stats.items >= 100
    assert results.stats.wall_s > 0
    assert results.stats.workers >= 1
    assert results.stats == results.stats


# -- lazy, and bounded -------------------------------------------------------------------------------------------------


def test_nothing_begins_before_the_first_result_is_asked_for(way: str) -> None:
    """No item is read, no worker started."""
    read = Read()
    events: list[corewise.Progress] = []
    before = threading.active_count()
    results = stream(way, works.square, read.numbers(), progress=events.append)
    assert (read.count, events, threading.active_count()) == (0, [], before)
    results.close()
    assert read.count == 0
    assert list(results) == []


@pytest.mark.parametrize("buffer", [1, 3, 64])
@pytest.mark.parametrize("ordered", [True, False])
def test_no_more_items_are_read_than_the_buffer_holds(way: str, buffer: int, ordered: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Those under way and those that wait to be taken, together."""
    read = Read()
    with stream(way, works.square, read.numbers(), buffer=buffer, ordered=ordered) as results:
        for taken, _ in enumerate(itertools.islice(results, 200)):
            # The one in hand has been taken from the moment on that the next one is asked for.
            assert read.count - taken <= buffer


def test_an_item_that_depends_on_the_result_before_needs_a_buffer_of_one(way: str) -> None:
    """Then nothing is read ahead, and the input may wait for what the consumer does."""
    done: list[int] = []

    def steps() -> Iterator[int]:
        for number in range(20):
            assert len(done) == number
            yield number

    done.extend(stream(way, works.square, steps(), buffer=1))
    assert len(done) == 20


@pytest.mark.parametrize("way", ONE_AT_A_TIME)  # more are under way at once than a few before their size is known
def test_a_buffer_in_bytes_holds_few_large_results(way: str) -> None:
    """Each is 8 MB, and two of them fit."""
    read = Read(12)
    with stream(way, works.megabytes, read.numbers(), buffer="20 MB") as results:
        for taken, result in enumerate(results):
            assert len(result) == 8 << 20
            if taken > 4:  # by then their size is known
                assert read.count - taken <= 3
    assert read.count == 12


@pytest.mark.parametrize("way", ["threads", "asyncio"])
def test_large_results_are_bounded_where_nothing_travels_too(way: str) -> None:
    """By the default buffer: nobody thinks of it before memory is short."""
    read = Read(200)
    with stream(way, works.megabytes, read.numbers(), workers=2) as results:
        for taken, _ in enumerate(itertools.islice(results, 40)):
            if taken > 10:
                assert read.count - taken <= 20


def test_by_a_plain_loop_each_item_is_run_when_it_is_asked_for() -> None:
    """Not one ahead."""
    ran: list[int] = []
    for taken, _ in enumerate(corewise.stream(ran.append, range(50), approach="sync")):
        assert len(ran) == taken + 1


@pytest.mark.parametrize("way", GO_ON)
def test_workers_go_on_while_the_consumer_is_busy(way: str, tmp_path: Path) -> None:
    """One is asked and answers while nobody asks the stream for anything."""
    for name in ("question", "answer"):
        os.mkfifo(tmp_path / name)
    with stream(way, option_works.answer, [str(tmp_path)] * 2, range(2), chunksize=1) as results:
        assert next(results) == 0
        (tmp_path / "question").write_bytes(b"well?")
        assert (tmp_path / "answer").read_bytes() == b"well?"
        assert list(results) == [1]


class Thing:
    """Something that weak references can follow."""


@pytest.mark.parametrize("way", ["sync", "threads", "asyncio", "auto"])
def test_neither_items_nor_results_are_kept(way: str) -> None:
    """What the consumer has dropped is gone while the stream goes on."""
    items: list[weakref.ref[Thing]] = []
    results: list[weakref.ref[Thing]] = []

    def things() -> Iterator[Thing]:
        while True:
            thing = Thing()
            items.append(weakref.ref(thing))
            yield thing

    def fn(_: Thing) -> Thing:
        thing = Thing()
        results.append(weakref.ref(thing))
        return thing

    with stream(way, fn, things(), buffer=10) as stream_of_things:
        for _ in range(100):
            next(stream_of_things)
        assert sum(one() is not None for one in items) <= 11 + 4  # a thread may have one in hand
        assert sum(one() is not None for one in results) <= 11


# -- failures ----------------------------------------------------------------------------------------------------------


def test_results_before_a_failure_come_first(way: str) -> None:
    """Then it is raised, and that is the end."""
    results = stream(way, works.fail_for_3_and_7, range(10))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="no 3s here") as caught:
        next(results)
    assert caught.value.__notes__ == ["item 3: 3"]
    assert list(results) == []


def test_as_finished_a_failure_is_raised_too(way: str) -> None:
    """The first in the order of the input, after what had to be waited for anyway."""
    results = stream(way, works.fail_for_3_and_7, itertools.count(), ordered=False)
    taken: list[int] = []
    with pytest.raises(ValueError, match="no 3s here"):
        taken.extend(results)
    assert {0, 1, 2} <= set(taken)
    assert len(taken) == len(set(taken))
    assert list(results) == []


def test_an_input_that_raises_does_so_after_the_results_of_what_it_gave(way: str) -> None:
    """As in the plain loop."""

    def numbers() -> Iterator[int]:
        yield from range(5)
        raise KeyError("no more")

    results = stream(way, works.square, numbers())
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    with pytest.raises(KeyError, match="no more"):
        next(results)
    assert list(results) == []


def test_stop_iteration_does_not_end_the_loop_in_silence(way: str) -> None:
    """As in a generator it becomes a RuntimeError."""
    results = stream(way, works.raise_stop_iteration, range(5))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        next(results)
    # A coroutine function does that by itself, so there the item's own error is one already.
    named = caught.value if way in OF_COROUTINES else caught.value.__cause__
    assert named is not None
    assert named.__notes__ == ["item 2: 2"]


def test_too_many_failures_end_it(way: str) -> None:
    """Also of an endless input."""
    results = stream(way, works.raise_two_args, itertools.count(), on_error="return", max_failures=5, chunksize=1)
    taken: list[BaseException] = []
    with pytest.raises(errors.TooManyFailures) as caught:
        taken.extend(results)
    assert caught.value.failed >= 6
    assert caught.value.__cause__ is caught.value.failures[0].error
    assert len(taken) <= caught.value.finished
    assert list(results) == []


@pytest.mark.parametrize("way", [*ONE_AT_A_TIME, "asyncio", "processes-of-tasks"])
def test_a_time_limit_holds_while_it_is_read(way: str) -> None:
    """One item hangs, the others come."""
    fn = option_works.sleep_at_3_later if way in OF_COROUTINES else option_works.sleep_at_3
    results = list(corewise.stream(fn, range(8), timeout=0.3, on_error="return", **WAYS[way]))
    assert [type(result) for result in results].count(TimeoutError) == 1
    assert type(results[3]) is TimeoutError


def test_coroutines_that_wait_lose_no_time_to_a_busy_consumer() -> None:
    """The loop turns while the consumer is busy, so what is ready in time is not cancelled afterwards."""
    ready = threading.Event()

    async def fn(number: int) -> int:
        if number == 5:
            ready.set()
        return number

    with corewise.stream(fn, range(8), approach="asyncio", timeout=5, buffer=8, workers=8, chunksize=1) as results:
        assert next(results) == 0
        assert ready.wait(15)
        assert list(results) == [1, 2, 3, 4, 5, 6, 7]


# -- what it refuses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "many", "64", "0 MB", "-1 MB", "MB", "1 furlong", b"1 MB"])
def test_a_buffer_that_means_nothing_is_refused(wrong: Any) -> None:
    """At the call, not at the first result."""
    with pytest.raises(errors.OptionError, match="buffer must be a whole number"):
        corewise.stream(works.square, [1], buffer=wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"approach": "magic"}, "'sync'"),
        ({"workers": 0}, "workers"),
        ({"progress": "yes"}, "progress"),
        ({"buffer": 5, "chunksize": 6}, "a chunk of 6 items does not fit into a buffer of 5"),
        ({"approach": "threads", "timeout": 1}, "cannot be stopped"),
    ],
)
def test_wrong_arguments_are_refused_at_the_call(wrong: dict[str, Any], message: str) -> None:
    """Where the mistake stands."""
    with pytest.raises(errors.OptionError, match=message):
        corewise.stream(works.square, [1], **wrong)


def test_what_is_no_input_is_refused_at_the_call() -> None:
    """As by the built-in map."""
    with pytest.raises(TypeError, match="not iterable"):
        corewise.stream(works.square, 5)  # type: ignore[arg-type]  # the mistake that is tested
    with pytest.raises(TypeError, match=r"stream\(\) needs at least one iterable"):
        corewise.stream(works.square)
    with pytest.raises(TypeError, match="unknown option 'bufer'"):
        corewise.stream(works.square, [1], bufer=3)  # type: ignore[call-arg]  # the mistake that is tested


@pytest.mark.parametrize("size", ["1kB", "1 KB", "1KiB", "2.5 MB", "1 GiB", "1_000 b", "1T"])
def test_amounts_may_be_written_as_people_write_them(size: str) -> None:
    """With or without a space, in either kind of unit."""
    assert list(corewise.stream(works.square, range(5), buffer=size, approach="threads")) == [0, 1, 4, 9, 16]
