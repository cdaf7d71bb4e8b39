"""The cost model: its formulas on works that one can reckon by hand, and what holds whatever was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given
from measured import ANY_COSTS, ANY_MEASUREMENT, COSTS, measured

from corewise._choose import model, put_right, rule
from corewise._choose.vetoes import Wishes
from corewise._types.choice import APPROACHES

if TYPE_CHECKING:
    from corewise._types.measurement import Costs, Measurement


def seconds(measurement: Measurement, approach: str, workers: int, costs: Costs = COSTS, **more: bool) -> float:
    """Return the predicted seconds."""
    return model.predict(measurement, costs, approach=approach, workers=workers, **more).seconds


@pytest.mark.parametrize(
    ("measurement", "approach", "workers", "expected"),
    [
        (measured(), "sync", 1, 1.0),
        (measured(), "threads", 4, 1.0),  # takes turns at the GIL
        (measured(held=None), "threads", 4, 1.0),  # unknown: as if it did
        (measured(held=0.0), "threads", 4, 0.25),
        (measured(held=0.0), "threads", 16, 0.25),  # no more cores than there are
        (measured(held=0.2), "threads", 4, 0.2 + 0.8 / 4),
        (measured(computes=0.0), "threads", 100, 0.0178),  # all at once, and the threads' start
        (measured(computes=0.0), "threads", 25, 0.042),
        (measured(computes=0.1), "threads", 100, 0.1 + 0.009 + 0.0078),  # the computing takes turns, the last one waits
        (measured(), "processes", 4, 0.25 + 0.008),
        (measured(computes=0.0), "processes", 4, 0.25 + 0.008),
        (measured(computes=0.0), "processes", 20, 0.05 + 0.024),
        (measured(remaining=5, item_s=1.0), "processes", 4, 2.008),  # whole waves of long items
        (measured(remaining=1, item_s=1.0), "processes", 4, 1.005),
        (measured(), "asyncio", 100, 1.003),
        (measured(computes=0.0, remaining=0), "threads", 8, 0.0),
    ],
)
def test_seconds_as_one_would_reckon_them(
    measurement: Measurement, approach: str, workers: int, expected: float
) -> None:
    """On four cores, within what chunks and hand-overs cost."""
    assert seconds(measurement, approach, workers) == pytest.approx(expected, rel=0.03, abs=1e-4)


def test_programs_that_items_wait_for_need_cores() -> None:
    """What they compute is shared by the cores, whatever runs the items; to wait for it is no wait of its own."""
    program = measured(computes=0.0, children_cpu_s=5 * 0.01)  # each of five items of 10 ms has one that computes
    assert seconds(program, "sync", 1) == pytest.approx(1.0)
    for workers in (4, 100):
        assert seconds(program, "threads", workers) == pytest.approx(0.25, rel=0.05)
    assert seconds(program, "processes", 4) == pytest.approx(0.258, rel=0.05)
    assert model.workers_for(program, COSTS, approach="threads") == 4
    waits = measured(computes=0.0, children_cpu_s=5 * 0.001)  # a tenth of the time
    assert seconds(waits, "threads", 100) == pytest.approx(0.025 + 0.009 + 0.008, rel=0.05)
    assert put_right.times(waits, 2.0).children_cores == pytest.approx(waits.children_cores)


def test_asyncio_overlaps_the_waits_of_coroutines_only() -> None:
    """A plain function blocks the loop; computing takes turns there."""
    waits = measured(computes=0.0)
    assert seconds(waits, "asyncio", 100, coroutine=True) == pytest.approx(0.013, rel=0.05)
    assert seconds(waits, "asyncio", 100) > 1.0
    assert seconds(measured(), "asyncio", 100, coroutine=True) > 1.0


def test_without_a_gil_threads_share_all_computing() -> None:
    """Whatever was measured of it."""
    free = COSTS.replace(has_gil=False)
    assert seconds(measured(held=None), "threads", 4, free) == pytest.approx(0.25, rel=0.01)


def test_native_threads_leave_workers_little_to_gain() -> None:
    """What uses three more cores by itself gains nothing on four."""
    busy = measured(held=0.0, native_cpu_s=0.15)
    assert seconds(busy, "processes", 4) >= 1.0
    assert seconds(busy, "threads", 4) >= 1.0
    assert seconds(measured(held=0.0, native_cpu_s=0.05), "threads", 4) == pytest.approx(0.5, rel=0.05)


def test_sending_much_data_is_the_callers_own_work() -> None:
    """However many workers there are: 10 MB each way and 2 ms of pickling for each of 100 items."""
    heavy = measured(argument_bytes=1e7, result_bytes=1e7, pickle_s=0.002)
    one = model.predict(heavy, COSTS, approach="processes", workers=4)
    assert one.travel_s == pytest.approx(100 * (0.002 + 0.02) + 100 * 50e-6, rel=0.01)
    assert one.seconds >= one.travel_s
    assert seconds(heavy, "processes", 64, COSTS.replace(cores=64)) >= one.travel_s


def test_hand_overs_cost_threads_what_they_gain_where_the_gil_is_taken_often() -> None:
    """As measured on two cores: 99 µs that hold it and 51 µs that do not gain nothing, 99 and 199 a third."""
    two = COSTS.replace(cores=2)
    short = measured(item_s=150e-6, held=0.66, remaining=10_000)
    assert 0.85 < seconds(short, "threads", 2, two) / seconds(short, "sync", 1, two) <= 1.1
    longer = measured(item_s=298e-6, held=0.33, remaining=10_000)
    assert seconds(longer, "threads", 2, two) == pytest.approx(10_000 * 201e-6, rel=0.15)


def test_nothing_is_shorter_than_its_longest_item() -> None:
    """One giant among many bounds all approaches but the plain loop, which is longer anyway."""
    giant = measured(items=101, remaining=100, longest_s=0.5)
    for approach in ("threads", "processes"):
        assert seconds(giant.replace(held_s=0.0), approach, 4) >= 0.5


def test_an_unknown_rest_is_taken_to_be_as_long_as_what_was_done() -> None:
    """But for a hundred in all at first, so that one long item can tell something."""
    assert model.left(measured(items=1, remaining=None), COSTS) == 99
    assert model.left(measured(items=60, remaining=None), COSTS) == 60
    assert model.left(measured(items=100, remaining=None), COSTS.replace(cores=64)) == 128
    assert model.left(measured(items=500, remaining=None), COSTS) == 500
    assert model.left(measured(items=500, remaining=3), COSTS) == 3


def test_an_item_still_under_way_is_taken_to_be_half_done() -> None:
    """So nothing ends before it has ended."""
    begun = measured(items=0, remaining=3).replace(wall_s=1.0, cpu_s=1.0, held_s=1.0)
    assert seconds(begun, "sync", 1) == pytest.approx(1.0 + 3 * 2.0)
    assert seconds(begun, "processes", 4) == pytest.approx(2.0, rel=0.02)
    assert seconds(begun.replace(remaining=0), "processes", 4) == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize(
    ("measurement", "least", "most"),
    [
        (measured(items=1), 4.0, 10.0),  # the first alone says little
        (measured(items=2), 1.5, 3.0),
        (measured(items=1000), 1.0, 1.2),
        (measured(items=1000, deviation_s=0.1), 2.0, 20.0),
    ],
)
def test_the_band_narrows_with_what_is_known(measurement: Measurement, least: float, most: float) -> None:
    """By the number of items and by how much they differ."""
    one = model.predict(measurement, COSTS, approach="sync", workers=1)
    assert least <= one.high_s / one.low_s <= most


def test_the_band_of_threads_is_wide_while_the_gil_is_unknown() -> None:
    """From all cores to one; the prediction itself takes the worse."""
    one = model.predict(measured(held=None, items=1000), COSTS, approach="threads", workers=4)
    assert one.low_s < 0.3
    assert one.seconds > 0.9


@pytest.mark.parametrize(
    ("measurement", "approach", "expected"),
    [
        (measured(), "sync", 1),
        (measured(), "processes", 4),
        (measured(remaining=3), "processes", 3),
        (measured(computes=0.5), "processes", 8),  # waits half of the time, so twice as many keep the cores busy
        (measured(computes=0.0), "processes", 16),
        (measured(held=0.0), "threads", 4),
        (measured(computes=0.0), "threads", 100),  # one wave
        (measured(computes=0.0, remaining=150), "threads", 75),  # a hundred in two waves would gain nothing
        (measured(computes=0.0, remaining=600, item_s=0.02), "threads", model.FIRST_THREADS),
        (measured(computes=0.0, remaining=None, items=100, item_s=0.1), "threads", model.FIRST_THREADS),
        (measured(computes=0.25, remaining=1000), "threads", 8),  # four keep the GIL busy
        (measured(computes=0.0, remaining=1000, item_s=1e-4), "threads", 36),  # more would not repay their start
        (measured(), "asyncio", 100),
        (measured(remaining=7), "asyncio", 7),
    ],
)
def test_as_many_workers_as_gain_something(measurement: Measurement, approach: str, expected: int) -> None:
    """Cores for computing, as many as repay their start for waiting, no more than items."""
    assert model.workers_for(measurement, COSTS, approach=approach) == expected
    if approach != "sync":
        assert model.workers_for(measurement, COSTS, approach=approach, asked=5) == 5


def test_fewer_processes_where_many_would_start_for_longer_than_they_work() -> None:
    """On 64 cores with a dear start."""
    dear = COSTS.replace(cores=64, worker_more_s=0.02)
    assert 1 < model.workers_for(measured(), dear, approach="processes") < 16


@pytest.mark.parametrize(
    ("cores", "items", "expected"),
    [(2, 2, 2), (2, 3, 3), (2, 4, 2), (2, 5, 3), (2, 7, 2), (2, 9, 2), (2, 100, 2), (4, 5, 5), (4, 6, 6), (4, 8, 4)],
)
def test_a_few_long_items_get_so_many_processes_that_they_come_out_even(cores: int, items: int, expected: int) -> None:
    """Unless a tenth is not to be gained by that."""
    costs = COSTS.replace(cores=cores)
    long = measured(remaining=items, item_s=0.3)
    assert model.workers_for(long, costs, approach="processes") == expected
    assert model.shares_cores(long, costs, expected) == (expected > cores)


def test_more_processes_than_cores_are_for_items_that_are_long() -> None:
    """Of short ones a worker has many, and the waves are no matter."""
    assert model.workers_for(measured(remaining=7, item_s=0.001), COSTS.replace(cores=2), approach="processes") == 2


@given(ANY_MEASUREMENT, ANY_COSTS, st.sampled_from(APPROACHES), st.booleans())
def test_every_measurement_gets_a_prediction_with_its_band(
    measurement: Measurement,
    costs: Costs,
    approach: str,
    coroutine: bool,  # noqa: FBT001 - chance decides
) -> None:
    """However odd the figures: no negative time, the prediction within its band, its parts within the prediction."""
    workers = model.workers_for(measurement, costs, approach=approach)
    assert workers >= 1
    one = model.predict(measurement, costs, approach=approach, workers=workers, coroutine=coroutine)
    assert 0 <= one.low_s <= one.seconds <= one.high_s
    assert 0 <= one.start_s <= one.seconds * 1.000001
    assert 0 <= one.travel_s <= one.seconds * 1.000001


@given(ANY_MEASUREMENT, ANY_COSTS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_items_never_take_less_time(measurement: Measurement, costs: Costs, fewer: int, more: int) -> None:
    """Plainly."""
    few, many = (measurement.replace(remaining=number) for number in sorted((fewer, more)))
    assert seconds(few, "sync", 1, costs) <= seconds(many, "sync", 1, costs)


@given(ANY_MEASUREMENT, ANY_COSTS, st.integers(1, 128))
def test_more_cores_never_take_more_time(measurement: Measurement, costs: Costs, cores: int) -> None:
    """With the same number of workers and a known number of items."""
    known = measurement.replace(remaining=measurement.remaining or 0)
    more = model.scaled(costs, costs.cores + cores)
    for approach in ("threads", "processes"):
        assert seconds(known, approach, 8, more) <= seconds(known, approach, 8, costs) * 1.000001


@pytest.mark.parametrize("approach", ["sync", "threads", "asyncio", "processes"])
def test_reading_the_input_is_shared_by_nobody(approach: str) -> None:
    """However many workers there are, the caller reads one item after the other."""
    dear = measured(read_s=0.02)
    seconds = model.predict(dear, COSTS, approach=approach, workers=4, coroutine=True).seconds
    assert seconds >= 100 * 0.02
    assert (
        seconds <= model.predict(measured(), COSTS, approach=approach, workers=4, coroutine=True).seconds + 100 * 0.02
    )


TWO_CORES = COSTS.replace(cores=2)


@pytest.mark.parametrize(
    ("wait_s", "cpu_s", "coroutine"), [(0.02, 0.005, False), (0.005, 0.002, True), (0.05, 0.05, False)]
)
def test_what_waits_and_computes_runs_in_processes_with_several_calls_each(
    wait_s: float,
    cpu_s: float,
    coroutine: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """One process with any number of threads computes on one core; processes that wait leave their cores idle."""
    item_s = wait_s + cpu_s
    work = measured(item_s=item_s, computes=cpu_s / item_s, remaining=600)
    choice = rule.choose(work, TWO_CORES, Wishes(coroutine=coroutine))
    assert (choice.approach, choice.workers) == ("processes", 2)
    assert choice.per_worker > item_s / cpu_s, "a core would be idle now and then"
    by_one = next(one for one in choice.estimates if one.approach == ("asyncio" if coroutine else "threads"))
    assert by_one.seconds >= 600 * cpu_s
    assert choice.estimates[0].seconds < 0.65 * by_one.seconds
    assert f"2 workers with {choice.per_worker} calls at once each" in str(choice)


@pytest.mark.parametrize("computes", [0.0, 0.02, 0.95])
def test_what_only_waits_or_only_computes_gains_nothing_by_several_calls_each(computes: float) -> None:
    """The one overlaps in threads, the other in as many processes as there are cores."""
    choice = rule.choose(measured(item_s=0.02, computes=computes, remaining=600), TWO_CORES)
    assert all(one.per_worker == 1 for one in choice.estimates)


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(workers=2),
        Wishes(seed=True),
        Wishes(timeout=True),
        Wishes(approaches=("sync", "processes")),
        Wishes(coroutine=True, approaches=("sync", "threads", "processes")),
    ],
)
def test_several_calls_in_a_process_are_not_chosen_where_something_speaks_against_them(wishes: Wishes) -> None:
    """A bound on calls at once, a generator that they would share, a limit of time, what is not safe beside itself."""
    choice = rule.choose(measured(item_s=0.025, computes=0.2, remaining=600), TWO_CORES, wishes)
    assert all(one.per_worker == 1 for one in choice.estimates)
