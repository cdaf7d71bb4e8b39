"""Items that cannot travel, and how they and their neighbours come through a real pool in any company."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from corewise._engine.pool import ProcessPool
from corewise._work.chunk import Chunk
from corewise.errors import CannotTravel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corewise._work.chunk import Done

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="functions are inherited by fork")


class Pool:
    """A real pool that is closed in the end, and what came out of it by index."""

    def __init__(self, fn: Callable[..., Any], workers: int) -> None:
        self.pool = ProcessPool(fn, workers, start_method="fork", keep_going=True)
        self.came: dict[int, object] = {}

    def submit(self, start: int, items: list[Any]) -> None:
        """Submit, whether there is room or not."""
        self.pool.submit(Chunk(start, items, star=False))

    def collect_all(self) -> None:
        """Collect until nothing is under way."""
        while done := self.pool.collect(None):
            for one in done:
                self._take(one)

    def _take(self, done: Done) -> None:
        for index, value in enumerate(done.values, done.start):
            assert index not in self.came, f"item {index} came out twice"
            self.came[index] = value


@pytest.fixture
def opened() -> Iterator[list[Pool]]:
    """Collect pools to close."""
    pools: list[Pool] = []
    yield pools
    for pool in pools:
        pool.pool.close(kill=True)


def open_pool(opened: list[Pool], fn: Callable[..., Any], workers: int) -> Pool:
    """Open a pool that the test need not close."""
    pool = Pool(fn, workers)
    opened.append(pool)
    return pool


def test_the_first_of_two_chunks_sent_at_once_is_refused(opened: list[Pool]) -> None:
    """When chunk 0 is done, its worker is given chunks 1 and 3 in one go, and item 1 cannot travel."""
    pool = open_pool(opened, kind, 1)
    pool.submit(0, [0])
    pool.submit(1, [threading.Lock(), 2.0])
    pool.submit(3, ["three", b"four"])
    pool.collect_all()
    refused = pool.came.pop(1)
    assert isinstance(refused, CannotTravel)
    assert pool.came == {0: "int", 2: "float", 3: "str", 4: "bytes"}


def test_after_deaths_refused_items_and_their_neighbours_all_come_out(opened: list[Pool]) -> None:
    """Many chunks wait, workers die, and what comes back holds more items that cannot travel."""
    pool = open_pool(opened, kind, 2)
    items: list[Any] = [b"ends the worker" if index % 7 == 3 else index for index in range(60)]
    for index in range(0, 60, 5):
        items[index] = threading.Lock()
    for start in range(0, 60, 6):
        pool.submit(start, items[start : start + 6])
    pool.collect_all()
    assert sorted(pool.came) == list(range(60))
    names = {index: type(value).__name__ for index, value in pool.came.items()}
    expected = {
        index: "CannotTravel" if index % 5 == 0 else "WorkerDied" if index % 7 == 3 else "str" for index in range(60)
    }
    assert names == expected


def test_a_chunk_of_many_items_that_cannot_travel_is_no_deep_recursion(opened: list[Pool]) -> None:
    """Each is refused by itself, and the stack stays as it is."""
    pool = open_pool(opened, kind, 1)
    lock = threading.Lock()
    pool.submit(0, [*[lock] * 1500, "the last"])
    pool.collect_all()
    assert pool.came.pop(1500) == "str"
    assert len(pool.came) == 1500
    assert all(isinstance(value, CannotTravel) for value in pool.came.values())


def kind(item: object) -> str:
    """Say what came, or end the worker."""
    if item == b"ends the worker":
        os._exit(7)
    return type(item).__name__
