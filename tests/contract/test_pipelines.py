"""Streams of streams: bounded from end to end, and whatever ends one of them ends them all."""

from __future__ import annotations

import asyncio
import functools
import gc
import itertools
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import programs
import pytest
import works

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KINDS: dict[str, dict[str, Any]] = {
    "sync": {"approach": "sync"},
    "threads": {"approach": "threads", "workers": 3},
    "asyncio": {"approach": "asyncio", "workers": 3},
    "processes": {"approach": "processes", "workers": 2},
    "auto": {"approach": "auto"},
}
pytestmark = pytest.mark.usefixtures("threads_end")
ORDERS = [
    ("threads", "processes", "asyncio"),
    ("asyncio", "threads", "processes"),
    ("processes", "asyncio", "sync"),
    ("auto", "auto", "auto"),
]
BUFFER = 4


@pytest.fixture(params=ORDERS, ids="-".join)
def order(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Name the approaches of three stages."""
    found: tuple[str, ...] = request.param
    return found


class Numbers:
    """An endless input that notes how far it was read."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.count = 0
        self.closed = False
        self._fails_at = fails_at

    def __iter__(self) -> Iterator[int]:
        try:
            for number in itertools.count():
                if number == self._fails_at:
                    raise KeyError("no more")
                self.count += 1
                yield number
        finally:
            self.closed = True


def later(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same function as a coroutine function."""

    async def call(*args: Any) -> Any:
        await asyncio.sleep(0)
        return fn(*args)

    return call


def increase(number: int, bad: int | None = None) -> int:
    """Be one stage."""
    return works.fail_at(number, *([] if bad is None else [bad])) + 1


def pipeline(order: tuple[str, ...], numbers: Any, fails: int | None = None, **options: Any) -> list[corewise.Stream]:
    """Put streams together, each of which adds one; return all of them, the last one last.

    Args:
        order: their approaches.
        numbers: the input of the first.
        fails: the stage that fails for the item with index 20.
        options: of all streams.
    """
    stages: list[corewise.Stream] = []
    for place, kind in enumerate(order):
        fn: Callable[..., Any] = functools.partial(increase, bad=20 + place) if place == fails else increase
        source = stages[-1] if stages else numbers
        stages.append(corewise.stream(later(fn) if kind == "asyncio" else fn, source, **KINDS[kind], **options))
    return stages


def test_stages_give_what_one_after_the_other_would_give(order: tuple[str, ...]) -> None:
    """In order, each item once."""
    assert list(pipeline(order, range(200))[-1]) == list(range(3, 203))


def test_a_slow_consumer_holds_up_all_stages(order: tuple[str, ...]) -> None:
    """The source is read ahead by no more than all buffers together."""
    numbers = Numbers()
    stages = pipeline(order, numbers, buffer=BUFFER)
    with stages[-1] as results:
        for taken, result in enumerate(itertools.islice(results, 100)):
            assert result == taken + 3
            assert numbers.count - taken <= BUFFER * len(order)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_the_first_failure_of_any_stage_ends_them_all(order: tuple[str, ...], stage: int) -> None:
    """After the results before it; streams that somebody holds end too, and the source is let go of."""
    numbers = Numbers()
    stages = pipeline(order, numbers, fails=stage, buffer=BUFFER)
    taken: list[int] = []
    with pytest.raises(ValueError, match=f"no {20 + stage}s here") as caught:
        taken.extend(stages[-1])
    assert len(taken) == 20
    assert caught.value.__notes__ == [f"item 20: {20 + stage}"]
    assert numbers.closed
    assert [list(one) for one in stages] == [[], [], []]


def test_a_source_that_raises_ends_all_stages(order: tuple[str, ...]) -> None:
    """After the results of what it gave."""
    numbers = Numbers(fails_at=20)
    stages = pipeline(order, numbers)
    taken: list[int] = []
    with pytest.raises(KeyError, match="no more"):
        taken.extend(stages[-1])
    assert taken == list(range(3, 23))
    assert [list(one) for one in stages] == [[], [], []]


@pytest.mark.parametrize("end", ["break", "garbage"])
def test_whoever_stops_early_stops_all_stages(order: tuple[str, ...], end: str) -> None:
    """By closing the last one, though all are held, or by dropping it."""
    numbers = Numbers()
    stages = pipeline(order, numbers, buffer=BUFFER)
    if end == "break":
        with stages[-1] as results:
            for result in results:
                if result == 10:
                    break
    else:
        assert next(stages[-1]) == 3
    if end == "garbage":
        held = stages[:-1]
        del stages
        gc.collect()
        stages = held
    assert numbers.closed
    assert [list(one) for one in stages] == [[]] * len(stages)


@pytest.mark.parametrize("kind", ["threads", "asyncio", "processes"])
def test_results_do_not_wait_for_what_a_stage_before_is_long_at(kind: str) -> None:
    """They are handed on meanwhile, and so is a failure."""
    go_on = threading.Event()

    def hold_up(number: int) -> int:
        assert number < 20 or go_on.wait(15)
        return number

    with corewise.stream(hold_up, range(30), approach="threads", workers=2, chunksize=1) as first:
        fn = later(increase) if kind == "asyncio" else increase
        second = corewise.stream(fn, first, **KINDS[kind])
        third = corewise.stream(functools.partial(increase, bad=10), second, **KINDS["threads"], on_error="return")
        results = list(itertools.islice(third, 20))
        assert not go_on.is_set()
        go_on.set()
        results += list(third)
    assert [type(one) for one in results] == [int] * 9 + [ValueError] + [int] * 20


@pytest.mark.parametrize("kind", ["threads", "processes", "asyncio", "sync"])
def test_a_map_that_fails_ends_the_stream_that_it_reads(kind: str) -> None:
    """As the last stage of a pipeline, whose results are wanted at once."""
    stages = pipeline((kind, "threads"), Numbers())
    with pytest.raises(ValueError, match="no 22s here"):
        corewise.map(functools.partial(increase, bad=22), stages[-1], approach="threads")
    assert [list(one) for one in stages] == [[], []]


def test_a_longer_stream_beside_a_shorter_input_is_ended() -> None:
    """The shortest input ends the call, and nobody can know how far the others were read."""
    numbers = Numbers()
    (longer,) = pipeline(("threads",), numbers)
    assert list(corewise.stream(works.add, longer, [10, 20], approach="threads")) == [11, 22]
    assert numbers.closed
    assert list(longer) == []


CONSUMER = """
import itertools, os, sys, time
import corewise

def work(number):
    if number < 2:
        os.write(1, f"{{os.getpid()}}\\n".encode())  # in one piece, as two workers write to one pipe
        time.sleep(0.1)
    return number

def slow(number):
    return time.sleep(600) if number > 60 and {slow!r} else number

async def later(number):
    return number

if __name__ == "__main__":
    first = corewise.stream(work, itertools.count(), approach="processes", workers=2, buffer=4, chunksize=1)
    second = corewise.stream(slow, first, approach="threads", workers=2, buffer=4, chunksize=1)
    third = corewise.stream(later, second, approach="asyncio", workers=2, buffer=4, chunksize=1)
    for result in third:
        if result == 30:
            print("here", flush=True)
            if not {slow!r}:
                time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are watched by pidfd")
@pytest.mark.parametrize("where", ["in the consumer", "in a stage"])
def test_ctrl_c_ends_all_stages(tmp_path: Path, where: str) -> None:
    """With one traceback, and no worker left."""
    process = programs.start_in(tmp_path, CONSUMER.format(slow=where == "in a stage"))
    try:
        lines = programs.wait_for_lines(process, 3)
        assert "here" in lines
        os.killpg(process.pid, signal.SIGINT)
        _, problems = process.communicate(timeout=15)
        assert process.returncode in (130, -signal.SIGINT), problems
        assert problems.count("Traceback") == 1, problems
        assert programs.gone_within([int(line) for line in lines if line != "here"], 5) == []
    finally:
        programs.kill_group(process)
