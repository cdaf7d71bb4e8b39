"""Who gets which chunk where worker processes run several items at once: each of their lanes is a worker."""

from __future__ import annotations

import pytest

from corewise._engine.losses import losses_of_lanes
from corewise._engine.schedule import OF_A_LANE, Schedule
from corewise._transport.ledger import LANE_POSITIONS, Reached
from corewise._work.chunk import Chunk

LANES = 3


def chunk(start: int, size: int = 1) -> Chunk:
    """Return a chunk whose items are their own indexes."""
    return Chunk(start, list(range(start, start + size)), star=False)


def several(workers: int, **options: int) -> Schedule:
    """Return a schedule of processes with lanes 3, 4, 5 and 6, 7, 8 and so on."""
    schedule = Schedule(workers * LANES, lanes=LANES, **options)
    for number in range(1, workers + 1):
        schedule.joined(*range(number * LANES, (number + 1) * LANES))
    return schedule


def test_all_processes_are_wanted_for_the_first_chunk_where_each_runs_several() -> None:
    """What few items wait for together, one process should not compute alone."""
    schedule = Schedule(2 * LANES, lanes=LANES)
    assert schedule.submit(chunk(0)) == []
    assert schedule.wanted == 2
    schedule.joined(3, 4, 5)
    assert schedule.wanted == 0


def test_few_chunks_are_shared_by_all_processes() -> None:
    """The first lane of each comes before the second of any; a waiting chunk comes last."""
    schedule = several(2)
    workers = [send.worker for number in range(8) for send in schedule.submit(chunk(number))]
    assert workers == [3, 6, 4, 7, 5, 8, 3, 6]
    assert schedule.room == OF_A_LANE * 2 * LANES - 8


def test_lanes_count_positions_apart() -> None:
    """So a position tells the lane."""
    schedule = several(1)
    sends = [send for number in range(4) for send in schedule.submit(chunk(number, 2))]
    assert [send.held.position for send in sends] == [0, LANE_POSITIONS, 2 * LANE_POSITIONS, 2]


@pytest.mark.parametrize("quota", [1, 3, 7])
def test_the_lanes_of_a_process_share_its_quota(quota: int) -> None:
    """Together they get as many items as it may run, and then no more."""
    schedule = several(1, quota=quota)
    sends = [send for number in range(20) for send in schedule.submit(chunk(number))]
    for _ in range(20):
        for lane in range(3, 6):
            if schedule.held_by(lane):
                sends += schedule.done(lane, 1, 0.001, dropped=False)
    assert sum(len(send.held.chunk.items) for send in sends) == quota
    assert all(schedule.used_up(lane) for lane in range(3, 6))
    assert schedule.attention() == (False, False)
    assert schedule.idle == 0


def test_a_process_that_dies_gives_back_what_its_lanes_have_not_begun() -> None:
    """What runs is lost, what is finished kept, what waits queued again."""
    schedule = several(1)
    for number in range(5):
        schedule.submit(chunk(number))
    reached = [
        (3, Reached(0, 0, [])),
        (4, Reached(LANE_POSITIONS, LANE_POSITIONS, [(False, b"")])),
        (5, Reached(None, 2 * LANE_POSITIONS, [])),
    ]
    losses = [loss for loss, _ in losses_of_lanes(schedule, reached, was_ready=True)]
    assert [(loss.recovered, loss.item) for loss in losses] == [(0, 0), (1, None), (0, None)]
    assert [send.held.chunk.start for send in schedule.joined(6, 7, 8)] == [2, 3, 4]


def test_what_waits_beside_items_that_end_the_process_is_not_given_up() -> None:
    """However often: it has not been begun, and something else was."""
    schedule = Schedule(LANES, lanes=LANES)
    schedule.submit(chunk(50))
    for number in range(6):
        schedule.submit(chunk(number))
        lanes = range(LANES * number, LANES * (number + 1))
        assert [send.held.chunk.start for send in schedule.joined(*lanes)] == [50, number]
        reached = [Reached(None, 0, []), Reached(LANE_POSITIONS, LANE_POSITIONS, []), Reached(None, 0, [])]
        losses = losses_of_lanes(schedule, list(zip(lanes, reached, strict=True)), was_ready=True)
        assert [loss.item for loss, _ in losses] == [None, number, None]
