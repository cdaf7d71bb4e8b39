"""Lanes of an event loop share chunks: what they begin, what comes back together, and what is left when one fails."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import corewise
from corewise._approaches.asyncio import Asyncio
from corewise._approaches.base import Terms
from corewise._work.chunk import Chunk, Done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def lanes(fn: Callable[..., Any], workers: int, *, keep_going: bool = True) -> Iterator[Asyncio]:
    """Give a loop of so many lanes."""
    loop = Asyncio(Terms(fn=fn, workers=workers, keep_going=keep_going))
    try:
        yield loop
    finally:
        loop.close(kill=True)


def outcomes(loop: Asyncio, items: int) -> list[Done]:
    """Collect until so many items have come back."""
    found: list[Done] = []
    while sum(len(done.values) + done.dropped for done in found) < items:
        found += loop.collect(None)
    assert loop.outstanding == items - sum(len(done.values) + done.dropped for done in found)
    return found


class Crowd:
    """Calls that go on when so many are there; it counts them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.there = self.most = 0
        self.full = asyncio.Event()

    async def __call__(self, item: int) -> int:
        """Wait for the others."""
        self.there += 1
        self.most = max(self.most, self.there)
        if self.there == self.size:
            self.full.set()
            self.full = asyncio.Event()
            await asyncio.sleep(0)
        else:
            await self.full.wait()
        self.there -= 1
        return -item


def test_all_lanes_work_at_one_chunk() -> None:
    """As many calls at once as there are lanes, of one chunk; and more of the next when that has run out."""
    crowd = Crowd(4)

    async def call(item: int) -> int:
        return await crowd(item)

    with lanes(call, 4) as loop:
        loop.submit(Chunk(0, range(6), star=False))
        loop.submit(Chunk(6, range(6, 12), star=False))
        values = {done.start + at: value for done in outcomes(loop, 12) for at, value in enumerate(done.values)}
    assert crowd.most == 4
    assert values == {item: -item for item in range(12)}


def test_calls_that_end_one_after_the_other_come_back_together() -> None:
    """Those of one chunk; each failure by itself, and the seconds are those of all calls."""

    async def call(item: int) -> int:
        await asyncio.sleep(0)
        if item == 5:
            raise ValueError(item)
        return item

    with lanes(call, 3) as loop:
        loop.submit(Chunk(0, range(10), star=False))
        loop.submit(Chunk(10, range(10, 12), star=False))
        found = outcomes(loop, 12)
    assert all(done.failed in ([], [done.start]) for done in found)
    assert [done.start for done in found if done.failed] == [5]
    for done in found:
        assert done.failed or done.values == list(range(done.start, done.stop))
        assert done.wall_s > 0
        assert done.stop <= 10 or done.start >= 10
    assert len(found) < 12


def test_behind_a_failure_of_the_only_lane_nothing_is_begun() -> None:
    """What is left of its chunk comes back as dropped."""
    begun = []

    async def call(item: int) -> None:
        begun.append(item)
        await asyncio.sleep(0)
        raise ValueError(item)

    with lanes(call, 1, keep_going=False) as loop:
        loop.submit(Chunk(0, range(5), star=False))
        (done,) = outcomes(loop, 5)
    assert begun == [0]
    assert (done.failed, done.dropped, loop.outstanding) == ([0], 4, 0)


def test_what_no_lane_has_begun_can_be_had_back() -> None:
    """The rest of a chunk, too."""
    begun = []

    async def call(item: int) -> None:
        begun.append(item)
        await asyncio.Event().wait()

    with lanes(call, 2) as loop:
        loop.submit(Chunk(0, range(5), star=False))
        loop.submit(Chunk(5, range(5, 7), star=False))
        loop.collect(0.01)
        assert loop.waiting == 5
        assert [(chunk.start, chunk.stop) for chunk in loop.not_begun()] == [(2, 5), (5, 7)]
        assert (begun, loop.waiting, loop.outstanding) == ([0, 1], 0, 2)


@pytest.mark.parametrize("chunksize", [None, 1])
@pytest.mark.parametrize("workers", [1, 7])
def test_short_calls_are_run_once_each_and_keep_their_order(workers: int, chunksize: int | None) -> None:
    """However they are tried again, and however few come together."""
    begun: list[int] = []

    async def call(item: int) -> int:
        begun.append(item)
        await asyncio.sleep(0)
        if item % 50 == 20 and begun.count(item) < 3:
            raise ConnectionError(item)
        return item

    results = corewise.map(call, range(500), workers=workers, retries=2, backoff=0, chunksize=chunksize)
    assert results == list(range(500))
    assert sorted(begun) == sorted([*range(500), *[item for item in range(500) if item % 50 == 20] * 2])
    assert workers > 1 or begun == [item for item in range(500) for _ in range(3 if item % 50 == 20 else 1)]
