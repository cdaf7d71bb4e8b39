"""What happens in a worker before its items: initializers that work, raise or end the process, and seeds."""

from __future__ import annotations

import os
import random
import sys
from typing import TYPE_CHECKING, Any

import pytest
from witness import watched

from corewise._engine import outbox
from corewise._engine.pool import ProcessPool
from corewise._work.chunk import Chunk
from corewise._work.seeds import seed_item
from corewise.errors import WorkerStartError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="functions are inherited by fork")

state: list[Any] = []


def results(pool: ProcessPool) -> dict[int, Any]:
    """Collect everything, and close the pool."""
    came: dict[int, Any] = {}
    try:
        while pool.unfinished:
            for done in pool.collect(None):
                came |= dict(enumerate(done.values, done.start))
    finally:
        pool.close(kill=True)
    return came


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_an_initializer_is_called_once_in_each_worker(start_method: str) -> None:
    """With its arguments, and before the first item."""
    pool = ProcessPool(_look, 2, start_method=start_method, initializer=_prepare, initargs=(1, "two"))
    for number in range(6):
        pool.submit(Chunk(number, [None], star=False))
    assert list(results(pool).values()) == [[(1, "two")]] * 6
    assert state == []


def _prepare(*args: Any) -> None:
    state.append(args)


def _look(_: object) -> list[Any]:
    return state


@pytest.mark.parametrize("error", [ValueError("no such table"), SystemExit(3), KeyboardInterrupt()])
def test_what_an_initializer_raises_is_raised_to_the_caller(error: BaseException) -> None:
    """Whatever it is, with a note that says where it comes from; no item is blamed."""

    def fail() -> None:
        raise error

    pool = ProcessPool(abs, 2, start_method="fork", initializer=fail)
    pool.submit(Chunk(0, [1], star=False))
    with pytest.raises(type(error)) as caught:
        results(pool)
    assert caught.value.args == error.args
    assert caught.value.__notes__ == ["raised by the initializer"]
    assert caught.value is not error


def test_an_initializer_that_ends_its_process_ends_the_call() -> None:
    """After a few tries, with what the process said in the end."""
    pool = ProcessPool(abs, 1, start_method="fork", initializer=os._exit, initargs=(7,))
    pool.submit(Chunk(0, [1], star=False))
    with pytest.raises(WorkerStartError, match="exit code 7"):
        results(pool)
    assert pool.workers_started == 3


def test_an_initializer_that_fails_now_and_then_fails_no_item(tmp_path: Path) -> None:
    """Two starts in a row may be lost."""
    marks = tmp_path / "starts"

    def prepare() -> None:
        with marks.open("a", encoding="ascii") as file:
            file.write("!")
        if len(marks.read_text(encoding="ascii")) % 3:
            os._exit(1)

    pool = ProcessPool(abs, 1, start_method="fork", initializer=prepare)
    pool.submit(Chunk(0, [-1, -2, -3], star=False))
    assert results(pool) == {0: 1, 1: 2, 2: 3}
    assert pool.accounts.deaths == 2


def _draw(_: object) -> float:
    return random.random()


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("sizes", [(40,), (1,) * 40, (3, 17, 9, 11)])
def test_random_numbers_depend_on_the_item_alone(workers: int, sizes: tuple[int, ...], tmp_path: Path) -> None:
    """Not on the worker, nor on the chunk, nor on how much of it was taken back."""
    expected = {}
    for index in range(40):
        seed_item(42, index)
        expected[index] = random.random()
    with watched(tmp_path, _draw, workers, seed=42) as witness:
        start = 0
        for size in sizes:
            witness.submit(start, range(start, start + size))
            start += size
        witness.take_all()
        assert witness.came == expected


def test_quick_items_are_seeded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by itself, however many of them go in one."""
    monkeypatch.setattr(outbox, "QUICK_ITEM_S", 1.0)
    expected = {}
    for index in range(60):
        seed_item(1, index)
        expected[index] = random.random()
    pool = ProcessPool(_draw, 1, start_method="fork", seed=1)
    for start in range(0, 60, 20):
        pool.submit(Chunk(start, list(range(20)), star=False))
    assert results(pool) == expected


def test_without_a_seed_workers_draw_different_numbers(tmp_path: Path) -> None:
    """They are forked from one process, and yet each has a generator of its own."""
    with watched(tmp_path, lambda _: (os.getpid(), random.random()), 2) as witness:
        for number in range(20):
            witness.submit(number, [number])
        witness.take_all()
        drawn = [value for _, value in witness.came.values()]
        assert len(set(drawn)) == len(drawn)


@pytest.mark.skipif(sys.platform != "linux", reason="items are inherited where descriptors are handed on by fork")
def test_items_that_cannot_travel_are_inherited_again_after_a_death() -> None:
    """And whenever they are handed out anew: only an object that stands at two places has to be sent."""
    import threading

    items = [threading.Lock() for _ in range(10)]

    def work(lock: object) -> int:
        if lock is items[4]:
            os._exit(3)
        return next(index for index, one in enumerate(items) if one is lock)

    pool = ProcessPool(work, 1, start_method="fork", inherit=(items,))
    pool.submit(Chunk(0, list(items), star=False))
    came = results(pool)
    assert type(came.pop(4)).__name__ == "WorkerDied"
    assert came == {index: index for index in range(10) if index != 4}
