"""Who gets which chunk, by example: how many ahead, who first, what comes back where."""

from __future__ import annotations

import pytest

from corewise._engine.schedule import AHEAD, AHEAD_BELOW_S, LARGE_BYTES, ONE_AHEAD, ONE_AHEAD_BELOW_S, Schedule
from corewise._transport.ledger import Reached
from corewise._work.chunk import Chunk


def chunk(start: int, size: int = 1) -> Chunk:
    """Return a chunk whose items are their own indexes."""
    return Chunk(start, list(range(start, start + size)), star=False)


@pytest.mark.parametrize(
    ("seconds", "held"),
    [
        (AHEAD_BELOW_S / 2, AHEAD),
        (AHEAD_BELOW_S, ONE_AHEAD),
        (ONE_AHEAD_BELOW_S / 2, ONE_AHEAD),
        (ONE_AHEAD_BELOW_S, 1),
        (100 * ONE_AHEAD_BELOW_S, 1),
    ],
)
def test_the_shorter_chunks_are_the_more_are_sent_ahead(seconds: float, held: int) -> None:
    """Of long ones none: one that waits behind a long one may have to be taken back."""
    schedule = Schedule(1)
    schedule.joined(1)
    assert [send.held.chunk.start for send in schedule.submit(chunk(0))] == [0]
    for start in range(1, AHEAD + 2):
        assert schedule.submit(chunk(start)) == []
    sent = schedule.done(1, 1, seconds, dropped=False)
    assert [send.held.chunk.start for send in sent] == list(range(1, held + 1))


def test_a_large_chunk_behind_a_small_one_is_known_to_take_longer() -> None:
    """Chunks grow by a factor: as many of the large ones ahead as of the small ones would be far too much."""
    schedule = Schedule(1)
    schedule.joined(1)
    schedule.submit(chunk(0))
    schedule.done(1, 1, AHEAD_BELOW_S / 10, dropped=False)
    assert schedule.room == AHEAD
    schedule.submit(chunk(1, 10))
    assert schedule.room == ONE_AHEAD - 1
    schedule.done(1, 10, AHEAD_BELOW_S / 10, dropped=False)  # they were quicker
    assert schedule.room == AHEAD


def test_nothing_is_sent_ahead_before_a_chunk_has_told_how_long_it_takes() -> None:
    """The first chunks may be long."""
    schedule = Schedule(2)
    schedule.joined(1)
    assert [send.worker for number in range(3) for send in schedule.submit(chunk(number))] == [1]
    assert schedule.room == 0
    assert schedule.wanted == 1


@pytest.mark.parametrize(("laid_bytes", "room"), [(LARGE_BYTES, 1), (LARGE_BYTES - 1, AHEAD)])
def test_nothing_is_sent_ahead_that_fills_much_shared_memory(laid_bytes: int, room: int) -> None:
    """However short chunks are; the last one that was sent tells."""
    schedule = Schedule(1)
    schedule.joined(1)
    for start in range(2):
        schedule.submit(Chunk(start, [start], star=False))
        schedule.sent(laid_bytes=0 if start == 0 else laid_bytes)
        schedule.done(1, 1, AHEAD_BELOW_S / 2, dropped=False)
    assert schedule.room == room


def test_a_worker_that_can_be_started_comes_before_a_second_chunk_for_a_busy_one() -> None:
    """Also where chunks are sent ahead; once all are there each holds one more."""
    schedule = Schedule(2, ahead=True)
    schedule.submit(Chunk(0, [0], star=False))
    schedule.joined(1)
    assert schedule.submit(Chunk(1, [1], star=False)) == []
    assert schedule.wanted == 1
    schedule.joined(2)
    schedule.submit(Chunk(2, [2], star=False))
    schedule.submit(Chunk(3, [3], star=False))
    assert [[held.chunk.start for held in schedule.held_by(worker)] for worker in (1, 2)] == [[0, 2], [1, 3]]


def test_an_idle_worker_comes_before_a_second_chunk_for_a_busy_one() -> None:
    """Whoever joined first."""
    schedule = Schedule(2)
    schedule.joined(1)
    schedule.joined(2)
    schedule.submit(chunk(0))
    schedule.submit(chunk(1))
    schedule.submit(chunk(2))
    schedule.submit(chunk(3))
    assert [send.held.chunk.start for send in schedule.done(1, 1, 1.0, dropped=False)] == [2]
    sends = schedule.done(2, 1, AHEAD_BELOW_S / 2, dropped=False)
    assert [(send.worker, send.held.chunk.start) for send in sends] == [(2, 3)]


def test_the_part_of_a_chunk_that_is_still_run_stays_with_its_worker() -> None:
    """Outcomes that come in parts do not make room for another chunk."""
    schedule = Schedule(1)
    schedule.joined(1)
    schedule.submit(chunk(0, 10))
    schedule.submit(chunk(10))
    assert schedule.done(1, 9, 0.001, dropped=False) == []
    assert [send.held.chunk.start for send in schedule.done(1, 1, 1.0, dropped=False)] == [10]


def test_a_failure_that_ends_its_chunk_makes_room() -> None:
    """The rest of a dropped chunk is not waited for."""
    schedule = Schedule(1)
    schedule.joined(1)
    schedule.submit(chunk(0, 10))
    assert schedule.done(1, 3, 1.0, dropped=True) == []
    assert not schedule.unfinished
    assert schedule.room == 1


def test_what_a_dead_worker_had_not_begun_is_next() -> None:
    """All its chunks go before what came later, in the order of the input; the item it was at is lost."""
    schedule = Schedule(1)
    schedule.joined(1)
    schedule.submit(chunk(0))
    schedule.done(1, 1, 0.001, dropped=False)
    starts = range(1, 1 + 4 * (AHEAD + 1), 4)
    for start in starts:
        schedule.submit(chunk(start, 4))
    loss = schedule.died(1, Reached(3, 1, [(False, b"")] * 2))
    assert (loss.recovered, loss.skip, loss.base, loss.item) == (2, 0, 1, 3)
    sends = schedule.joined(2)
    assert [send.held.chunk.start for send in sends] == [4, *starts[1:AHEAD]]
    assert sends[0].held.chunk.items == [4]
    assert [waiting.start for waiting in schedule._queue] == [starts[AHEAD]]


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
    schedule.submit(chunk(0, 4))
    schedule.done(1, 4, 1.0, dropped=False)
    schedule.submit(chunk(4, 3))
    stale = Reached(3, 0, [(False, b"")] * 4)
    loss = schedule.died(1, stale)
    assert (loss.recovered, loss.item) == (0, None)
    assert [waiting.items for waiting in schedule._queue] == [[4, 5, 6]]


def test_of_two_chunks_sent_at_once_the_first_may_be_refused() -> None:
    """Chunks 1 and 3 go out together; item 1 cannot travel, and its chunk is taken back, not the one sent last."""
    schedule = Schedule(1)
    schedule.joined(1)
    for start, size in ((0, 1), (1, 2), (3, 2)):
        schedule.submit(chunk(start, size))
    first, second = schedule.done(1, 1, 0.001, dropped=False)
    assert [send.held.chunk.items for send in (first, second)] == [[1, 2], [3, 4]]
    (again,) = schedule.refused(first, 1)
    assert again.held.chunk.items == [2]
    assert [(held.position, held.chunk.items) for held in schedule.held_by(1)] == [(3, [3, 4]), (5, [2])]


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


def sent(schedule: Schedule, *sizes: int) -> None:
    """Have worker 1 hold chunks of these sizes, all at once."""
    schedule.joined(1)
    schedule.submit(chunk(0))
    schedule.done(1, 1, 0.001, dropped=False)
    start = 1
    for size in sizes:
        schedule.submit(chunk(start, size))
        start += size


def held(schedule: Schedule, worker: int = 1) -> list[tuple[int, list[int]]]:
    """Return what a worker holds: the position of each chunk and its items."""
    return [(one.position, one.chunk.items) for one in schedule.held_by(worker)]


def test_what_is_taken_back_goes_in_halves_to_those_that_are_idle() -> None:
    """And the rest stays where it is."""
    schedule = Schedule(3)
    sent(schedule, 8)
    for number in (2, 3):
        schedule.joined(number)
    sends = schedule.taken_back(1, 4, 9)
    assert [(send.worker, send.held.chunk.items) for send in sends] == [(2, [4, 5, 6]), (3, [7, 8])]
    assert held(schedule) == [(1, [1, 2, 3])]


def test_what_was_taken_back_may_be_taken_back_again() -> None:
    """The worker says that it has skipped what is long with another; or somewhat more."""
    schedule = Schedule(2)
    sent(schedule, 8)
    schedule.joined(2)
    schedule.taken_back(1, 4, 9)
    before = held(schedule), held(schedule, 2)
    assert schedule.taken_back(1, 4, 9) == []
    assert (held(schedule), held(schedule, 2)) == before
    schedule.taken_back(1, 3, 9)
    schedule.done(1, 2, 0.001, dropped=False)
    schedule.done(2, 3, 0.001, dropped=False)
    everything = [index for worker in (1, 2) for _, items in held(schedule, worker) for index in items]
    assert sorted(everything) == [3, 7, 8]


def test_two_chunks_are_taken_back_at_once() -> None:
    """One in part, the other whole."""
    schedule = Schedule(2)
    sent(schedule, 4, 3)
    assert schedule.to_take_back(1) == (2, 8)
    schedule.taken_back(1, 3, 8)
    assert held(schedule)[0] == (1, [1, 2])
    waiting = [one.start for one in schedule._queue]
    assert waiting == sorted(waiting)


@pytest.mark.parametrize("whole", [True, False])
def test_what_runs_without_looking_up_is_not_to_be_taken_back(*, whole: bool) -> None:
    """Only what stands behind it."""
    schedule = Schedule(1)
    sent(schedule, 4, 3)
    schedule.held_by(1)[0].whole = whole
    assert schedule.to_take_back(1) == (5 if whole else 2, 8)
    schedule.done(1, 4, 0.001, dropped=False)
    schedule.held_by(1)[0].whole = whole
    assert schedule.to_take_back(1) == (None if whole else (6, 8))


def test_nothing_is_to_be_taken_from_one_item() -> None:
    """Nor from nobody."""
    schedule = Schedule(1)
    schedule.joined(1)
    assert schedule.to_take_back(1) is None
    schedule.submit(chunk(0))
    assert schedule.to_take_back(1) is None


def test_outcomes_that_were_fetched_are_not_recovered_again() -> None:
    """The ledger of a dead worker begins before the first item that it still held."""
    schedule = Schedule(1)
    sent(schedule, 6)
    schedule.done(1, 2, 0.0, dropped=False)
    loss = schedule.died(1, Reached(5, 1, [(False, b"")] * 4))
    assert (loss.recovered, loss.skip, loss.base, loss.item) == (2, 2, 3, 5)
    assert [one.items for one in schedule._queue] == [[6]]


def test_all_that_the_ledger_holds_may_have_been_fetched() -> None:
    """Then the item that ran is lost, and nothing else."""
    schedule = Schedule(1)
    sent(schedule, 6)
    schedule.done(1, 4, 0.0, dropped=False)
    loss = schedule.died(1, Reached(5, 1, [(False, b"")] * 4))
    assert (loss.recovered, loss.item) == (0, 5)


def test_a_worker_gets_no_more_items_than_its_quota() -> None:
    """A chunk that is too large is cut, and the rest waits for the next worker."""
    schedule = Schedule(1, quota=5)
    schedule.joined(1)
    (send,) = schedule.submit(chunk(0, 8))
    assert send.held.chunk.items == [0, 1, 2, 3, 4]
    assert schedule.done(1, 5, 0.001, dropped=False) == []
    assert schedule.used_up(1)
    schedule.left(1)
    assert schedule.wanted == 1
    assert [send.held.chunk.items for send in schedule.joined(2)] == [[5, 6, 7]]
    assert not schedule.used_up(2)


def test_what_was_taken_back_or_refused_does_not_count_against_the_quota() -> None:
    """It was not run."""
    schedule = Schedule(2, quota=5)
    schedule.joined(1)
    schedule.submit(chunk(0, 5))
    schedule.joined(2)
    schedule.taken_back(1, 2, 5)
    assert held(schedule, 2) == [(0, [2, 3])]
    schedule.done(1, 2, 1.0, dropped=False)
    assert not schedule.used_up(1)
    assert held(schedule) == [(5, [4])]
    (send,) = schedule.submit(chunk(5, 4)) or schedule.done(1, 1, 1.0, dropped=False)
    assert send.held.chunk.items == [5, 6]
    assert [item for other in schedule.refused(send, 5) if other.worker == 1 for item in other.held.chunk.items] == [6]


def test_late_news_of_a_worker_that_was_told_to_end_are_no_news() -> None:
    """What it held was fetched from its ledger, so its own message finds nobody waiting."""
    schedule = Schedule(1, quota=2)
    schedule.joined(1)
    schedule.submit(chunk(0, 2))
    schedule.done(1, 2, 0.0, dropped=False)
    schedule.left(1)
    assert not schedule.held_by(1)
    assert schedule.taken_back(1, 0, 2) == []
    assert schedule.died(1, Reached(1, 0, [(False, b"")] * 2)).recovered == 0


def test_how_long_a_chunk_took_is_not_taken_from_a_ledger() -> None:
    """Nobody knows it there; to take it for short would send chunks ahead behind long ones."""
    schedule = Schedule(1)
    schedule.joined(1)
    schedule.submit(chunk(0, 2))
    for start in (2, 4, 6):
        schedule.submit(chunk(start, 2))
    assert len(schedule.done(1, 2, 0.0, dropped=False)) == 1


def test_an_item_before_which_workers_die_again_and_again_is_given_up() -> None:
    """It may be its message that their memory does not hold; without an end to it the call would not end."""
    schedule = Schedule(1)
    schedule.submit(chunk(7, 3))
    lost = []
    for number in range(5):
        schedule.joined(number)
        lost.append(schedule.died(number, Reached(None, 0, [])).item)
    assert 7 in lost
