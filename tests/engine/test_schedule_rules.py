"""Who gets which chunk, by example: how many ahead, who first, what comes back where."""

from __future__ import annotations

import pool_model
import pytest

from corewise._engine.schedule import AHEAD_BELOW_S, Schedule
from corewise._transport.ledger import Reached
from corewise._work.chunk import Chunk


def chunk(start: int, size: int = 1) -> Chunk:
    """Return a chunk whose items are their own indexes."""
    return Chunk(start, list(range(start, start + size)), star=False)


@pytest.mark.parametrize(
    ("seconds", "ahead"), [(AHEAD_BELOW_S / 2, True), (AHEAD_BELOW_S, False), (100 * AHEAD_BELOW_S, False)]
)
def test_only_short_chunks_are_sent_ahead(seconds: float, *, ahead: bool) -> None:
    """A chunk that waits behind a long one could not go to a worker that is idle."""
    schedule = Schedule(1)
    schedule.joined(1)
    assert [send.chunk.start for send in schedule.submit(chunk(0))] == [0]
    assert schedule.submit(chunk(1)) == []
    assert schedule.submit(chunk(2)) == []
    sent = schedule.done(1, 1, seconds, dropped=False)
    assert [send.chunk.start for send in sent] == ([1, 2] if ahead else [1])


def test_nothing_is_sent_ahead_before_a_chunk_has_told_how_long_it_takes() -> None:
    """The first chunks may be long."""
    schedule = Schedule(2)
    schedule.joined(1)
    assert [send.worker for number in range(3) for send in schedule.submit(chunk(number))] == [1]
    assert schedule.room == 0
    assert schedule.wanted == 1


def test_an_idle_worker_comes_before_a_second_chunk_for_a_busy_one() -> None:
    """Whoever joined first."""
    schedule = Schedule(2)
    schedule.joined(1)
    schedule.joined(2)
    schedule.submit(chunk(0))
    schedule.submit(chunk(1))
    schedule.submit(chunk(2))
    schedule.submit(chunk(3))
    assert [send.chunk.start for send in schedule.done(1, 1, 1.0, dropped=False)] == [2]
    sends = schedule.done(2, 1, AHEAD_BELOW_S / 2, dropped=False)
    assert [(send.worker, send.chunk.start) for send in sends] == [(2, 3)]


def test_the_part_of_a_chunk_that_is_still_run_stays_with_its_worker() -> None:
    """Outcomes that come in parts do not make room for another chunk."""
    schedule = Schedule(1)
    schedule.joined(1)
    schedule.submit(chunk(0, 10))
    schedule.submit(chunk(10))
    assert schedule.done(1, 9, 0.001, dropped=False) == []
    assert [send.chunk.start for send in schedule.done(1, 1, 1.0, dropped=False)] == [10]


def test_a_failure_that_ends_its_chunk_makes_room() -> None:
    """The rest of a dropped chunk is not waited for."""
    schedule = Schedule(1)
    schedule.joined(1)
    schedule.submit(chunk(0, 10))
    assert schedule.done(1, 3, 1.0, dropped=True) == []
    assert not schedule.unfinished
    assert schedule.room == 1


def test_what_a_dead_worker_had_not_begun_is_next() -> None:
    """Both its chunks go before all that came later, in the order of the input; the item it was at is lost."""
    schedule = Schedule(1)
    schedule.joined(1)
    schedule.submit(chunk(0))
    schedule.done(1, 1, 0.001, dropped=False)
    for start in (1, 5, 9, 13):
        schedule.submit(chunk(start, 4))
    loss = schedule.died(1, Reached(3, 1, [(False, b"")] * 2))
    assert (loss.recovered, loss.base, loss.item) == (2, 1, 3)
    sends = schedule.joined(2)
    assert [send.chunk.items for send in sends] == [[4], [5, 6, 7, 8]]
    assert [waiting.start for waiting in schedule._queue] == [9, 13]


def test_two_deaths_give_back_in_the_order_of_the_input() -> None:
    """Also when the worker with the earlier items dies first."""
    schedule = Schedule(2)
    schedule.joined(1)
    schedule.joined(2)
    schedule.submit(chunk(0))
    schedule.submit(chunk(1))
    schedule.died(1, Reached(None, 0, []))
    schedule.died(2, Reached(None, 0, []))
    assert [waiting.start for waiting in schedule._queue] == [0, 1]


def test_a_worker_that_dies_before_its_first_item_costs_nothing() -> None:
    """Its chunk is not begun, whatever an earlier one left in the ledger."""
    schedule = Schedule(1)
    schedule.joined(1)
    schedule.submit(chunk(4, 3))
    stale = Reached(3, 0, [(False, b"")] * 4)
    loss = schedule.died(1, stale)
    assert (loss.recovered, loss.item) == (0, None)
    assert [waiting.items for waiting in schedule._queue] == [[4, 5, 6]]


def test_of_two_chunks_sent_at_once_the_first_may_be_refused() -> None:
    """Chunks 1 and 3 go out together; item 1 cannot travel, and its chunk is taken back, not the one sent last."""
    pool = pool_model.Pool(1, lambda index: index != 1)
    pool.submit(1)
    pool.join()
    pool.submit(2)
    pool.submit(2)
    pool.finish(1, 1, 0.001, dropped=False)
    assert pool.how == {0: "done", 1: "refused"}
    assert [part.items for part in pool.workers[1].wire] == [[3, 4], [2]]
    assert [part.items for part in pool.schedule._held[1]] == [[3, 4], [2]]


def test_a_worker_that_holds_nothing_is_forgotten_without_loss() -> None:
    """It may have died in its idleness."""
    schedule = Schedule(1)
    schedule.joined(1)
    loss = schedule.died(1, Reached(7, 5, [(False, b"")] * 2))
    assert (loss.recovered, loss.item) == (0, None)
    assert schedule.died(2, Reached(None, 0, [])).item is None
    assert not schedule.unfinished


def test_fewer_workers_are_wanted_once_the_limit_is_lowered() -> None:
    """And none is taken away from those that are there."""
    schedule = Schedule(4)
    for number in range(3):
        schedule.joined(number)
    for number in range(8):
        schedule.submit(chunk(number))
    assert schedule.wanted == 1
    schedule.limit = 1
    assert schedule.wanted == 0
    assert schedule.room == 0
