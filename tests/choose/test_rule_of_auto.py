"""The chooser behind approach="auto": each reason by example, and what holds whatever was measured and asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given
from measured import ANY_COSTS, ANY_MEASUREMENT, COSTS, WRITES, measured

from corewise._choose import model, rule, undecided
from corewise._choose.vetoes import Wishes, cannot_travel, caution, vetoes
from corewise._types.choice import APPROACHES
from corewise.errors import OptionError

if TYPE_CHECKING:
    from corewise._types.measurement import Costs, Measurement

WAITS = measured(computes=0.0)
ANYTHING = Wishes()
LOCK = cannot_travel("captured variable 'lock' is a lock")


@dataclass(frozen=True)
class Case:
    """What is measured and asked for, and what is to be chosen."""

    measurement: Measurement
    expected: tuple[str, int, str]
    wishes: Wishes = ANYTHING
    costs: Costs = COSTS
    travels: bool = True


ONE_CORE = COSTS.replace(cores=1)
NO_GIL = COSTS.replace(has_gil=False)
SLOW_START = COSTS.replace(worker_start_s=0.03)
DEAR_START = COSTS.replace(worker_start_s=2.0)

CASES = {
    "computing that holds the GIL": Case(measured(), ("processes", 4, "computes")),
    "computing of which nothing is known": Case(measured(held=None), ("processes", 4, "computes")),
    "computing that lets go of the GIL": Case(measured(held=0.02), ("threads", 4, "releases")),
    "computing without a GIL": Case(measured(), ("threads", 4, "no-gil"), costs=NO_GIL),
    "computing, fewer items than cores": Case(measured(item_s=1, remaining=3), ("processes", 3, "computes")),
    "computing, workers asked for": Case(measured(), ("processes", 7, "computes"), Wishes(workers=7)),
    "computing, an endless input": Case(measured(remaining=None, item_s=0.05), ("processes", 4, "computes")),
    "computing on one core": Case(measured(), ("sync", 1, "one-core"), costs=ONE_CORE),
    "computing, one worker asked for": Case(measured(), ("sync", 1, "one-worker"), Wishes(workers=1)),
    "computing by native threads": Case(measured(held=0.0, native_cpu_s=0.14), ("sync", 1, "native-threads")),
    "computing that cannot travel": Case(measured(), ("sync", 1, "veto"), travels=False),
    "computing that writes to a global": Case(measured(), ("sync", 1, "veto"), Wishes(effects=(WRITES,))),
    "computing in a daemon": Case(measured(), ("sync", 1, "veto"), Wishes(daemon=True)),
    "computing with processes not allowed": Case(measured(), ("sync", 1, "no-gain"), Wishes(approaches=("sync",))),
    "computing and waiting": Case(measured(computes=0.4), ("processes", 4, "computes-and-waits")),
    "computing, and waiting so much that processes run several calls each": Case(
        measured(computes=0.55), ("processes", 4, "computes-and-waits")
    ),
    "mixed, and cannot travel": Case(measured(computes=0.4), ("threads", 5, "veto"), travels=False),
    "waiting": Case(WAITS, ("threads", 100, "waits")),
    "waiting, few items": Case(measured(computes=0.1, remaining=5), ("threads", 5, "waits")),
    "waiting, workers asked for": Case(WAITS, ("threads", 200, "waits"), Wishes(workers=200)),
    "waiting on one core": Case(WAITS, ("threads", 100, "waits"), costs=ONE_CORE),
    "waiting that writes to a global": Case(WAITS, ("threads", 100, "waits"), Wishes(effects=(WRITES,))),
    "waiting, with a seed": Case(WAITS, ("processes", 16, "veto"), Wishes(seed=True)),
    "waiting, with a seed, that cannot travel": Case(WAITS, ("sync", 1, "veto"), Wishes(seed=True), travels=False),
    "waiting, with a limit of time": Case(WAITS, ("processes", 16, "veto"), Wishes(timeout=True)),
    "waiting, in a coroutine": Case(WAITS, ("asyncio", 100, "coroutine"), Wishes(coroutine=True)),
    "computing, in a coroutine": Case(measured(), ("processes", 4, "computes"), Wishes(coroutine=True)),
    "computing, in a coroutine with a client": Case(
        measured(), ("sync", 1, "veto"), Wishes(coroutine=True, live="client")
    ),
    "nothing left": Case(measured(remaining=0), ("sync", 1, "nothing-left")),
    "too little left to look at": Case(measured(item_s=1e-5), ("sync", 1, "too-short")),
    "too little left to repay the start": Case(measured(), ("sync", 1, "too-short"), costs=DEAR_START),
    "one item left": Case(measured(remaining=1, item_s=5.0), ("sync", 1, "one-item")),
    "much data, little work": Case(measured(item_s=0.001, result_bytes=1e6, pickle_s=0.001), ("sync", 1, "travel")),
    "processes slower before": Case(measured(), ("sync", 1, "proved-slower"), Wishes(proved_slower=("processes",))),
    "threads slower before, which are no loss": Case(
        measured(remaining=1, item_s=5.0), ("sync", 1, "one-item"), Wishes(proved_slower=("threads",))
    ),
    "processes may be slower as well": Case(
        measured(item_s=0.0015, deviation_s=0.0015, remaining=60), ("sync", 1, "unsure"), costs=SLOW_START
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_choice_follows_from_the_figures(case: Case) -> None:
    """Approach, workers and the name of the reason."""
    choice = rule.choose(case.measurement, case.costs, case.wishes, travel=None if case.travels else LOCK)
    assert (choice.approach, choice.workers, choice.code) == case.expected
    assert choice.asked == "auto"
    assert choice.measurement is case.measurement


def test_the_predictions_stand_by_time_behind_the_chosen_one() -> None:
    """All approaches, those that cannot be used last and with the reason."""
    choice = rule.choose(measured(), COSTS)
    assert [one.approach for one in choice.estimates] == ["processes", "sync", "threads", "asyncio"]
    assert [one.veto for one in choice.estimates] == ["", "", "", "plain-function"]
    assert choice.estimates[-1].why


@pytest.mark.parametrize(("remaining", "expected"), [(100, "threads"), (None, "sync")])
def test_an_unknown_number_of_items_wants_a_larger_gain(remaining: int | None, expected: str) -> None:
    """What is foretold to take a fifth less by threads is worth these only if it is known to be there."""
    measurement = measured(held=0.0, read_s=0.015, remaining=remaining, items=50)
    wishes = Wishes(approaches=("sync", "threads"))
    assert rule.choose(measurement, COSTS.replace(cores=2), wishes).approach == expected


@pytest.mark.parametrize(("remaining", "expected"), [(2, "sync"), (12, "processes")])
def test_a_small_gain_is_not_worth_workers(remaining: int, expected: str) -> None:
    """Here of items of 5 ms, beside a start of 8 ms."""
    assert rule.choose(measured(item_s=0.005, remaining=remaining), COSTS).approach == expected


@pytest.mark.parametrize(
    ("one_s", "than_s", "expected"),
    [(0.89, 1.0, True), (0.91, 1.0, False), (0.0005, 0.0041, False), (0.0005, 0.0049, True), (1.0, 1.0, False)],
)
def test_a_gain_counts_from_a_tenth_and_four_milliseconds_on(*, one_s: float, than_s: float, expected: bool) -> None:
    """Both of them."""
    assert model.clearly_less(one_s, than_s) == expected


def test_one_item_alone_must_leave_room_for_having_been_a_slow_one() -> None:
    """The same prediction moves with five items known, and waits for a second one with the first alone."""
    slow = {"item_s": 0.003, "remaining": 10}
    assert rule.choose(measured(items=5, **slow), COSTS).approach == "processes"
    assert rule.choose(measured(items=1, **slow), COSTS).approach == "sync"
    assert rule.choose(measured(items=1, item_s=1.0, remaining=20), COSTS).approach == "processes"


def test_a_first_call_that_imports_is_left_out() -> None:
    """Half a second of imports, and then items of 10 µs."""
    first = measured(items=101, wall_s=0.501, cpu_s=0.501, held_s=0.5, first_s=0.5, longest_s=1e-5)
    assert rule.choose(first, COSTS).code == "too-short"


def test_where_nothing_can_be_used_the_error_says_why_not() -> None:
    """Every approach with its reason."""
    with pytest.raises(OptionError, match=r"sync: .*stopped.*threads: .*asyncio: .*plain.*processes: .*'lock'"):
        rule.choose(measured(), COSTS, Wishes(timeout=True), travel=LOCK)


@given(
    ANY_MEASUREMENT,
    ANY_COSTS,
    st.builds(
        Wishes,
        approaches=st.sets(st.sampled_from(APPROACHES)),
        workers=st.integers(1, 1000) | st.none(),
        coroutine=st.booleans(),
        seed=st.booleans(),
        timeout=st.booleans(),
        daemon=st.booleans(),
        effects=st.sampled_from([(), (WRITES,), (WRITES.replace(certain=False),)]),
        proved_slower=st.sets(st.sampled_from(["threads", "processes"])),
    ),
    st.sampled_from([None, LOCK]),
)
def test_no_choice_is_one_that_is_forbidden(
    measurement: Measurement, costs: Costs, wishes: Wishes, travel: object
) -> None:
    """However odd the figures; and it is never clearly slower than another that could be used but for the band."""
    against = {**vetoes(wishes), **({} if travel is None else {"processes": LOCK})}
    if len(against) == len(APPROACHES):
        with pytest.raises(OptionError):
            rule.choose(measurement, costs, wishes, travel=LOCK if travel else None)
        return
    choice = rule.choose(measurement, costs, wishes, travel=LOCK if travel else None)
    assert choice.approach not in against
    assert choice.workers >= 1
    if choice.approach != "sync" and wishes.workers is not None:
        assert choice.workers == wishes.workers
    if not choice.estimates:
        return
    assert choice.estimates[0].approach == choice.approach
    able = {one.approach: one for one in choice.estimates if not one.veto}
    own = able[choice.approach]
    for name, one in able.items():
        simpler = APPROACHES.index(name) < APPROACHES.index(choice.approach)
        if simpler:
            assert model.clearly_less(own.seconds, one.seconds), "a simpler one is as fast"
        elif choice.approach != "sync":
            assert not model.clearly_less(one.seconds, own.seconds), "another one is clearly faster"


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        (Wishes(), {"asyncio": "plain-function"}),
        (Wishes(coroutine=True), {"threads": "coroutine"}),
        (Wishes(seed=True), {"threads": "seed", "asyncio": "plain-function"}),
        (Wishes(seed=True, workers=1), {"asyncio": "plain-function"}),
        (Wishes(seed=True, coroutine=True), {"threads": "coroutine", "asyncio": "seed"}),
        (Wishes(timeout=True), {"sync": "time-limit", "threads": "time-limit", "asyncio": "plain-function"}),
        (Wishes(timeout=True, coroutine=True), {"sync": "time-limit", "threads": "time-limit"}),
        (Wishes(daemon=True), {"processes": "daemon", "asyncio": "plain-function"}),
        (Wishes(effects=(WRITES,)), {"processes": "effect", "asyncio": "plain-function"}),
        (Wishes(effects=(WRITES.replace(certain=False),)), {"asyncio": "plain-function"}),
        (
            Wishes(approaches=("sync", "processes")),
            {"threads": "not-allowed", "asyncio": "not-allowed"},
        ),
        (Wishes(proved_slower=("processes",)), {"processes": "proved-slower", "asyncio": "plain-function"}),
    ],
)
def test_vetoes_by_example(wishes: Wishes, expected: dict[str, str]) -> None:
    """What speaks against which approach."""
    assert {name: veto.code for name, veto in vetoes(wishes).items()} == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("global", "it appends to the global 'seen' (work.py, line 3)"),
        ("closure", "it appends to the captured variable 'seen' (work.py, line 3)"),
        ("argument", "it appends to its argument 'seen' (work.py, line 3)"),
        ("attribute", "it appends to the attribute 'seen' (work.py, line 3)"),
        ("returns-argument", "it returns the very object 'seen' that it was given (work.py, line 3)"),
    ],
)
def test_an_effect_is_named_with_its_place(kind: str, expected: str) -> None:
    """As a veto where it is certain, as a caution where it is not."""
    effect = WRITES.replace(kind=kind)
    assert vetoes(Wishes(effects=(effect,)))["processes"].why.startswith(f"{expected}, and another process")
    assert caution([effect]) == ""
    assert caution([effect.replace(certain=False)]).startswith(f"it may be that {expected}, which")


@pytest.mark.parametrize(
    ("wall_s", "cpu_s", "queued_s", "share", "item_s"),
    [
        (1.0, 1.0, 0.0, 1.0, 1.0),
        (1.0, 0.0, 0.0, 0.0, 1.0),
        (1.0, 0.5, 0.5, 1.0, 0.5),  # half the time in line, half of it computing
        (1.0, 0.2, 0.6, 0.5, 0.4),
        (0.0, 0.0, 0.0, 0.0, 0.0),
        (1.0, 0.9, 0.3, 1.0, 0.9),  # the two clocks differ a little
        (1.0, 0.4, 1.1, 1.0, 0.4),  # in line since before the item began
    ],
)
def test_time_in_line_for_a_core_is_neither_computing_nor_waiting(
    wall_s: float, cpu_s: float, queued_s: float, share: float, item_s: float
) -> None:
    """A busy machine makes no computation look like waiting, nor an item longer or shorter than it is."""
    one = measured(items=1, remaining=1, wall_s=wall_s, first_s=wall_s, cpu_s=cpu_s, queued_s=queued_s)
    assert one.cpu_share == pytest.approx(share)
    assert one.item_s == pytest.approx(item_s)


@pytest.mark.parametrize(
    ("items", "threads", "processes", "coroutines"),
    [
        (None, undecided.THREADS, 8, 100),
        (0, 1, 1, 1),
        (1, 1, 1, 1),
        (20, 20, 8, 20),
        (1000, undecided.THREADS, 8, 100),
    ],
)
def test_workers_by_default_are_no_more_than_items(
    items: int | None, threads: int, processes: int, coroutines: int
) -> None:
    """And at least one; where nothing was measured."""
    assert undecided.threads_by_default(items) == threads
    assert undecided.processes_by_default(8, items) == processes
    assert undecided.coroutines_by_default(items) == coroutines
