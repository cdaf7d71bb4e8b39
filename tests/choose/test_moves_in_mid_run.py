"""Moves in the middle of a run, told by figures alone: out of the plain loop, and back to it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given
from measured import COSTS, measured

from corewise._choose import rule
from corewise._choose.adapt import BackToPlain, Drift, Plainly, TakingTurns, item_s_there
from corewise._choose.put_right import after_its_first, behind_the_first, re_estimated, without_loading
from corewise._choose.vetoes import Wishes

if TYPE_CHECKING:
    from corewise._types.choice import Choice
    from corewise._types.measurement import Measurement


class Counting:
    """The chooser, and how often it was asked."""

    def __init__(self, wishes: Wishes | None = None) -> None:
        self.asked: list[Measurement] = []
        self._wishes = wishes or Wishes()

    def __call__(self, measurement: Measurement) -> Choice:
        """Choose."""
        self.asked.append(measurement)
        return rule.choose(measurement, COSTS, self._wishes)


def run(
    item_seconds: list[float],
    *,
    known: bool = True,
    computes: float = 1.0,
    chunk_s: float = 0.004,
    choose: Counting | None = None,
) -> tuple[Choice | None, float, Counting]:
    """Run items plainly in chunks of some milliseconds, the first 5 of them measured.

    Args:
        item_seconds: what each item takes.
        known: whether the length of the input is known.
        computes: share of computing behind the first items.
        chunk_s: a chunk ends when it has lasted so long.
        choose: the chooser.

    Returns:
        What it moved to, the seconds until then, and the chooser.
    """
    choose = choose or Counting()
    first, rest = item_seconds[:5], item_seconds[5:]
    begun = measured(items=5, item_s=sum(first) / 5, remaining=len(rest) if known else None)
    plainly = Plainly(begun, COSTS, choose)
    now_s, place = sum(first), 0
    while place < len(rest):
        begin, took_s = place, 0.0
        while place < len(rest) and took_s < chunk_s:
            took_s += rest[place]
            place += 1
        now_s += took_s
        left = len(rest) - place if known else None
        choice = plainly.observe(place - begin, took_s, took_s * computes, left)
        if choice is not None:
            return choice, now_s, choose
    return None, now_s, choose


def test_trivial_items_never_start_workers() -> None:
    """Nor is the chooser asked for items of which too little is left to be worth a thought."""
    moved, _, choose = run([1e-6] * 1500)
    assert moved is None
    assert choose.asked == []


def test_heavy_items_behind_trivial_ones_move_it_at_once() -> None:
    """After three of 20 ms, the first of which came in a chunk with trivial ones; 99 % of the work is ahead."""
    moved, seconds, _ = run([1e-6] * 1000 + [0.02] * 300)
    assert moved is not None
    assert moved.approach == "processes"
    assert seconds <= 0.065
    assert moved.measurement is not None
    assert moved.measurement.item_s == pytest.approx(0.02, rel=0.2)


def test_waits_behind_trivial_items_move_it_to_threads() -> None:
    """What the items are like is taken from those that were seen last."""
    moved, _, _ = run([1e-6] * 1000 + [0.02] * 300, computes=0.0)
    assert moved is not None
    assert moved.approach == "threads"


@pytest.mark.parametrize("giant_s", [0.02, 0.05])
def test_one_odd_item_among_trivial_ones_moves_nothing(giant_s: float) -> None:
    """Unless it took so long that a needless start would not count beside it."""
    assert run([1e-6] * 500 + [giant_s] + [1e-6] * 1500)[0] is None


def test_a_heavy_item_and_heavy_ones_behind_it_are_not_waited_for_twice() -> None:
    """After a single item of half a second no second one is run plainly."""
    moved, seconds, _ = run([1e-5] * 20 + [0.5] * 20)
    assert moved is not None
    assert seconds < 0.6


def test_an_unknown_length_is_taken_to_go_on_as_long_as_it_went() -> None:
    """Items of 1 ms: they move when the time spent would repay the start, and not before."""
    moved, seconds, _ = run([0.001] * 5000, known=False)
    assert moved is not None
    assert moved.approach == "processes"
    assert 0.01 <= seconds <= 0.1
    assert run([1e-6] * 5000, known=False)[0] is None


def test_a_short_input_of_unknown_length_stays() -> None:
    """It is over before."""
    assert run([0.001] * 10, known=False)[0] is None


def test_vetoes_hold_in_mid_run() -> None:
    """The chooser that is handed in knows them."""
    assert run([1e-6] * 1000 + [0.02] * 30, choose=Counting(Wishes(daemon=True)))[0] is None


def test_the_chooser_is_asked_a_few_dozen_times_at_most() -> None:
    """However long a run that may not move: here two minutes of items of 1 ms in 30,000 chunks."""
    moved, _, choose = run([0.001] * 120_000, choose=Counting(Wishes(daemon=True)))
    assert moved is None
    assert 5 <= len(choose.asked) <= 60


def test_a_chunk_costs_next_to_nothing() -> None:
    """Under 20 µs of CPU time on average, the chooser included, in the quickest of five runs."""
    took_s = []
    for _ in range(5):
        plainly = Plainly(measured(item_s=1e-4), COSTS, Counting(Wishes(daemon=True)))
        begin = time.thread_time()
        for chunk in range(5000):
            plainly.observe(40, 0.004, 0.004, 1_000_000 - chunk)
        took_s.append((time.thread_time() - begin) / 5000)
    assert min(took_s) < 20e-6


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.floats(0, 10), st.floats(0, 1)), max_size=50),
    st.integers(0, 10**6) | st.none(),
)
def test_any_chunks_are_taken(chunks: list[tuple[int, float, float]], remaining: int | None) -> None:
    """And a move is to something else than the plain loop."""
    plainly = Plainly(measured(), COSTS, Counting())
    for items, wall_s, computes in chunks:
        choice = plainly.observe(items, wall_s, wall_s * computes, remaining)
        assert choice is None or choice.approach != "sync"


def back(
    *, item_s: float, worker_item_s: float, seen_item_s: float, items: int = 100_000, known: bool = True
) -> float | None:
    """Return the seconds after which a run by processes goes back to the plain loop; None where it never does.

    Args:
        item_s: seconds of an item in the plain loop, as far as that has shown.
        worker_item_s: seconds of an item in a worker.
        seen_item_s: seconds after which one more item has come, all workers together.
        items: items in all.
        known: whether their number is known.
    """
    watch = BackToPlain(item_s)
    now_s, left = 0.5, items  # the start of the workers does not count
    while left > 0:
        done = min(left, 50)
        left -= done
        now_s += done * seen_item_s
        if watch.observe(now_s, done, done * worker_item_s, left if known else None):
            return now_s - 0.5
    return None


@pytest.mark.parametrize("giant", [True, False])
def test_a_worker_at_a_giant_is_busy_though_nothing_comes_of_it(*, giant: bool) -> None:
    """One of two workers gives items that take twice what they took plainly; if the other is idle, that is no gain."""
    watch = BackToPlain(0.005)
    back = [
        watch.observe(0.5 + 0.011 * step, 1, 0.01, 40, passed=50 if giant else None if step % 2 else 50 + 2 * step)
        for step in range(30)
    ]
    assert any(back) is not giant


@pytest.mark.parametrize("known", [True, False])
def test_a_run_slower_than_the_plain_loop_goes_back(*, known: bool) -> None:
    """Items of 10 µs that come every 40 µs, since their results are large."""
    seconds = back(item_s=1e-5, worker_item_s=1e-5, seen_item_s=4e-5, known=known)
    assert seconds is not None
    assert seconds < 0.1


def test_a_run_that_is_a_little_slower_goes_back_when_that_has_been_seen_for_long() -> None:
    """A third slower than plain, for as long as it is looked at."""
    seconds = back(item_s=3e-5, worker_item_s=3e-5, seen_item_s=4e-5)
    assert seconds is not None
    assert 0.5 < seconds < 0.8


def test_a_run_whose_cores_others_take_for_a_while_stays() -> None:
    """Two workers have less than a core between them for 0.2 s of every half second: no reason to leave both."""
    watch = BackToPlain(0.001)
    now_s = 0.0
    for step in range(400):
        taken = 0.2 <= now_s % 0.5 < 0.4
        now_s += 10 * (0.0016 if taken else 0.0005)
        assert not watch.observe(now_s, 10, 10 * (0.0026 if taken else 0.001), 4000 - 10 * step)


@pytest.mark.parametrize(
    ("item_s", "worker_item_s", "seen_item_s"),
    [
        (0.001, 0.001, 0.0005),  # twice as fast
        (0.001, 0.0018, 0.0009),  # two workers that share a core's caches, and still a little faster
        (0.001, 0.001, 0.0011),  # hardly slower
        (1e-6, 0.001, 0.0005),  # trivial first ones in the caller, heavy ones now
    ],
)
def test_a_run_that_is_as_fast_stays(item_s: float, worker_item_s: float, seen_item_s: float) -> None:
    """What the items take in the workers says what they would take plainly."""
    assert back(item_s=item_s, worker_item_s=worker_item_s, seen_item_s=seen_item_s) is None


def test_workers_that_slow_each_other_down_explain_half_of_it() -> None:
    """Items of 1 ms that take 2.5 ms in workers and come every 1.5 ms are faster plainly."""
    assert back(item_s=0.001, worker_item_s=0.0025, seen_item_s=0.0015) is not None


def test_the_end_of_a_run_is_not_worth_a_change() -> None:
    """Slower by far, but nearly over."""
    assert back(item_s=1e-5, worker_item_s=1e-5, seen_item_s=4e-5, items=1500) is None


def test_figures_that_changed_change_the_prediction_and_not_the_choice() -> None:
    """Items became three times as long, and half of them are left."""
    choice = rule.choose(measured(), COSTS)
    later = re_estimated(choice, measured(item_s=0.03, remaining=50), COSTS)
    assert (later.approach, later.workers, later.code) == (choice.approach, choice.workers, choice.code)
    assert later.measurement == measured(item_s=0.03, remaining=50)
    assert [one.approach for one in later.estimates] == [one.approach for one in choice.estimates]
    assert [one.veto for one in later.estimates] == [one.veto for one in choice.estimates]
    assert later.estimates[0].seconds == pytest.approx(50 * 0.03 / 4, rel=0.1)


@pytest.mark.parametrize(
    ("busy", "blocked", "turns"),
    [
        (1.0, 1_000, True),  # the GIL is held all the time
        (1.28, 40_000, True),  # and here it is handed over all the time
        (1.28, 1_000, False),
        (1.9, 1_000, False),
        (1.9, 40_000, False),  # a lot of handing over, and yet both cores are kept busy
        (0.3, 1_000, False),  # they wait
    ],
)
def test_threads_that_take_turns_are_told_by_what_keeps_cores_busy(busy: float, blocked: int, turns: bool) -> None:  # noqa: FBT001 - as listed
    """Over two windows in a row, whatever happens between two outcomes."""
    watch = TakingTurns(0.0, 0.0, 0)
    told = [watch.observe(0.01 * step, 0.01 * step * busy, int(0.01 * step * blocked), 3) for step in range(1, 9)]
    assert any(told) is turns
    assert not any(told[:5])


@pytest.mark.parametrize(("items", "turns"), [(1, True), (100, False)])
def test_threads_that_cost_more_than_their_items_do_not_take_turns(items: int, turns: bool) -> None:  # noqa: FBT001 - as listed
    """Where calls wait, a core may be busy with nothing but starting and waking threads."""
    watch = TakingTurns(0.0, 0.0, 0, least_s=0.0005)
    assert any(watch.observe(0.01 * step, 0.01 * step, 0, items) for step in range(1, 9)) is turns


@pytest.mark.parametrize(
    ("alone_s", "soon"),
    [(0.005, True), (0.003, True), (0.015, False), (0.002, False), (0.0, False)],
)
def test_threads_that_compute_what_the_first_item_did_are_believed_at_once(alone_s: float, soon: bool) -> None:  # noqa: FBT001 - as listed
    """Where it took anything else, that may have been its first imports, or this the start of the threads."""
    watch = TakingTurns(0.0, 0.0, 0, least_s=0.0005, item_cpu_s=alone_s)
    told = [watch.observe(0.01 * step, 0.01 * step, 0, 2) for step in range(1, 9)]
    assert any(told)
    assert any(told[:4]) is soon


@pytest.mark.parametrize(
    ("at_once", "alone_s", "soon"),
    [
        (10, 0.005, True),  # one has ended, nine are in the midst of it
        (10, 0.001, False),  # even ten of them do not compute that much
        (100, 0.005, False),  # to start so many threads may have taken as long
    ],
)
def test_items_that_threads_are_in_the_midst_of_count_as_well(at_once: int, alone_s: float, soon: bool) -> None:  # noqa: FBT001 - as listed
    """Threads that take turns come to the end of their items late, and all about the same time."""
    watch = TakingTurns(0.0, 0.0, 0, least_s=0.0005, item_cpu_s=alone_s, at_once=at_once)
    assert watch.observe(0.035, 0.034, 0, 1) is soon


@pytest.mark.parametrize(("busy", "turns"), [(0.95, True), (0.3, False), (1.6, False)])
def test_one_busy_core_without_any_outcome_tells_of_turns(busy: float, turns: bool) -> None:  # noqa: FBT001 - as listed
    """Forty threads that take turns are all at their items for long; the clocks say so before the first one ends."""
    watch = TakingTurns(0.0, 0.0, 0, least_s=0.0005)
    assert watch.observe(watch.look_s, busy * watch.look_s, 0, 0) is turns


def test_a_choice_beside_the_first_item_is_put_right_when_that_has_ended() -> None:
    """Threads for waits that compute behind them are fewer, for long ones more; within what was begun and allowed."""
    waiting = measured(items=0, item_s=0.0, wall_s=0.003, computes=0.0, remaining=150)
    choice = rule.choose(waiting, COSTS, nearby=True)
    assert (choice.approach, choice.workers) == ("threads", 75)
    ended = measured(items=1, item_s=0.025, computes=0.2, remaining=150)
    fewer = after_its_first(choice, ended, COSTS, 4, 512)
    assert 4 < fewer.workers < 20
    assert fewer.estimates[0].workers == fewer.workers
    assert fewer.estimates[0].seconds >= 150 * 0.005
    assert after_its_first(choice, ended, COSTS, 50, 512).workers == 50
    longer = measured(items=1, item_s=0.025, computes=0.0, remaining=95)
    assert after_its_first(choice, longer, COSTS, 4, 512).workers == 95
    assert after_its_first(choice, longer, COSTS, 4, 80).workers == 80
    assert after_its_first(choice, longer, COSTS, 75, 75).workers == 75


def test_what_an_item_has_loaded_is_taken_off() -> None:
    """Of its seconds, its computing and what held the GIL; unless there would be nothing left of it."""
    item = measured(items=1, item_s=0.02, computes=0.3, remaining=50)
    rest = without_loading(item, 0.006)
    assert (rest.wall_s, rest.cpu_s, rest.held_s) == pytest.approx((0.014, 0.0, 0.0))
    assert rest.longest_s == rest.first_s == pytest.approx(0.014)
    assert without_loading(item, 0.0) == without_loading(item, 0.05) == item


def test_a_first_item_that_tells_nothing_of_the_others_is_left_out() -> None:
    """The rest is measured as if it had been alone, its time in line for a core bounded by what it did not compute."""
    both = measured(items=3, wall_s=0.06, first_s=0.04, cpu_s=0.034, held_s=0.034, remaining=50)
    rest = behind_the_first(both, 2, 0.02, 0.002, 0.5, -0.001, 0.001, 0.0005)
    assert (rest.items, rest.item_s, rest.cpu_s) == (2, pytest.approx(0.001), 0.002)
    assert (rest.held_s, rest.native_cpu_s, rest.queued_s) == pytest.approx((0.001, 0.0, 0.018))
    assert behind_the_first(both, 2, 0.02, 0.002, 0.0, 0.0, 0.0, 0.0).held_s is None


def test_a_prediction_stands_while_items_stay_what_they_were() -> None:
    """One that takes long among a few says little."""
    drift = Drift(0.001, 1000)
    assert drift.observe(4, 0.02, 900) is None, "too little was seen"
    assert drift.observe(400, 0.4, 800) is None, "of all together they are the same"
    assert drift.observe(40, 0.0452, 700) is None, "little more than predicted"


def test_threads_that_share_cores_are_foretold_to_take_longer_for_an_item() -> None:
    """Each stands in line for the GIL meanwhile; that has been reckoned with, and is no reason to foretell more."""
    half_held = measured(items=20, item_s=0.01, held=0.5, remaining=200)
    by = {one.approach: one for one in rule.choose(half_held, COSTS).estimates}
    choice = rule.choose(half_held, COSTS, Wishes(approaches=("threads",)))
    foretold_s = by["threads"].seconds - by["threads"].start_s
    assert item_s_there(choice) * 200 / choice.workers == pytest.approx(foretold_s)
    assert item_s_there(choice) > 1.2 * half_held.item_s
    plain = rule.choose(half_held, COSTS, Wishes(approaches=("sync",)))
    assert item_s_there(plain) == half_held.item_s
    assert item_s_there(choice.replace(measurement=None)) == 0


def test_items_that_became_others_call_for_another_prediction_as_long_as_half_remain() -> None:
    """It is told beside the first, however often it was made anew."""
    drift = Drift(0.001, 1000)
    assert drift.observe(20, 0.04, 900) == pytest.approx(2.0)
    assert drift.observe(20, 0.041, 800) is None, "that is known by now"
    assert drift.observe(20, 0.08, 700) == pytest.approx(4.0)
    assert drift.observe(100_000, 0.01, 600) == pytest.approx(0.0001)
    assert drift.observe(20, 0.08, 499) is None, "too late"
    assert Drift(0.001, None).observe(100, 100.0, None) is None
