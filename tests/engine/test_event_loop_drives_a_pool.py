"""A pool driven by an event loop, which watches one descriptor and a timer: there is no thread, and no polling."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from corewise._engine.pool import ProcessPool
from corewise._work.chunk import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a loop can watch a pool where it has a descriptor")


class Driver:
    """What an event loop has to do for a pool."""

    def __init__(self, pool: ProcessPool) -> None:
        self.came: dict[int, Any] = {}
        self.turns = 0
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._all = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._loop.add_reader(pool.fileno(), self._turn)

    async def run(self, items: Sequence[Any], size: int) -> dict[int, Any]:
        """Run items in chunks, as there is room for them."""
        self._waiting = [
            Chunk(start, list(items[start : start + size]), star=False) for start in range(0, len(items), size)
        ]
        self._turn()
        try:
            await self._all
        finally:
            self._loop.remove_reader(self._pool.fileno())
            if self._timer is not None:
                self._timer.cancel()
        return self.came

    def _turn(self) -> None:
        self.turns += 1
        pool = self._pool
        while self._waiting and pool.room:
            pool.submit(self._waiting.pop(0))
        for done in pool.collect(0.0):
            for index, value in enumerate(done.values, done.start):
                assert index not in self.came
                self.came[index] = value
        while self._waiting and pool.room:
            pool.submit(self._waiting.pop(0))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if pool.unfinished:
            self._timer = self._loop.call_later(pool.due_s(), self._turn)
        elif not self._all.done():
            self._all.set_result(None)


def drive(
    fn: Callable[[Any], Any], items: Sequence[Any], workers: int, size: int = 1, **terms: Any
) -> tuple[dict[int, Any], Driver]:
    """Run a whole map in an event loop, beside something else that goes on in it."""

    async def main() -> tuple[dict[int, Any], Driver]:
        threads = threading.active_count()
        pool = ProcessPool(fn, workers, start_method="fork", **terms)
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0)

        beating = asyncio.create_task(beat())
        try:
            driver = Driver(pool)
            came = await driver.run(items, size)
            assert threading.active_count() == threads
            # What ends within its first turn leaves the loop no moment for anything else, and holds nothing up.
            assert driver.turns == 1 or beats > 1, "the loop was held up"
            return came, driver
        finally:
            beating.cancel()
            pool.close(kill=True)

    return asyncio.run(main())


@pytest.mark.parametrize("size", [1, 7, 200])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_whole_map_without_a_thread(workers: int, size: int) -> None:
    """Chunks go out as there is room for them, and come back by the loop's own news."""
    came, _ = drive(lambda number: -number, range(500), workers, size)
    assert came == {number: -number for number in range(500)}


def test_results_larger_than_any_line() -> None:
    """And inputs: the loop is never held up by either, though what is sent does not fit."""
    came, _ = drive(lambda data: data[::-1], [bytes([number]) * (3 << 20) for number in range(6)], 2)
    assert [(len(came[number]), came[number][0]) for number in range(6)] == [(3 << 20, number) for number in range(6)]


def test_a_death_is_news_too() -> None:
    """The loop learns of it by the same descriptor."""

    def work(number: int) -> int:
        if number % 5 == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    came, _ = drive(work, range(20), 2, 4)
    assert [number for number in range(20) if came[number] != number] == [2, 7, 12, 17]


def test_limits_of_time_are_kept_by_the_loop_s_timer() -> None:
    """Nothing else is heard of an item that sleeps for ever."""

    def work(number: int) -> int:
        if number == 3:
            signal.pause()
        return number

    came, driver = drive(work, range(8), 2, 4, timeout_s=0.1)
    assert type(came.pop(3)) is TimeoutError
    assert came == {number: number for number in range(8) if number != 3}
    assert driver.turns < 1000


def test_what_a_busy_worker_has_not_begun_goes_to_an_idle_one() -> None:
    """Which is seen in silence only; so the timer is what moves it."""
    reading, writing = os.pipe()

    def work(number: int) -> int:
        if number == 0:
            os.read(reading, 1)
        if number == 5:
            os.write(writing, b"!")
        return number

    # The second chunk has a worker started for it, which is idle soon.
    came, _ = drive(work, range(12), 2, 6)
    os.close(reading)
    os.close(writing)
    assert came == {number: number for number in range(12)}
