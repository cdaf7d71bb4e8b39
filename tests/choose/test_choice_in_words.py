"""The sentence behind a choice quotes what was measured and predicted; there is one for every reason there is."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING

import pytest
from measured import COSTS, WRITES, measured

from corewise._choose import explain, rule, undecided
from corewise._choose.advice import advice, by_cores, costs_of, largest_cost
from corewise._choose.put_right import re_estimated
from corewise._choose.vetoes import Wishes, cannot_travel
from corewise._types.choice import Choice

if TYPE_CHECKING:
    from corewise._types.measurement import Costs, Measurement

WAITS = measured(computes=0.0)
HOLDS = measured(held=0.92, pickle_s=0.0)


def said(measurement: Measurement, wishes: Wishes = Wishes(), costs: Costs = COSTS) -> str:  # noqa: B008 - a record
    """Return the sentence on the choice that follows from a measurement."""
    return explain.explain(rule.choose(measurement, costs, wishes))


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            said(HOLDS, costs=COSTS.replace(cores=2)),
            (
                "computing that holds the GIL 92 % of the time; predicted 507 ms against 1.00 s plainly: each "
                "process has a GIL of its own, so they use several cores; threads would take 965 ms, since what "
                "holds the GIL takes turns"
            ),
        ),
        (
            said(measured(held=None)),
            (
                "computing that may hold the GIL (that could not be told); predicted roughly 258 ms against 1.00 s "
                "plainly: each process has a GIL of its own, so they use several cores; threads would take 1.00 s, "
                "since what holds the GIL takes turns, as this may"
            ),
        ),
        (
            said(measured(held=0.0)),
            (
                "computing that does not hold the GIL; predicted 250 ms against 1.00 s plainly: computing that lets"
                " go of the GIL uses several cores in threads; processes would take 258 ms"
            ),
        ),
        (
            said(WAITS),
            (
                "waiting 100 % of the time; predicted 18 ms against 1.00 s plainly: waits overlap in threads; "
                "processes would take 90 ms with 16 items at once"
            ),
        ),
        (
            said(HOLDS, Wishes(effects=(WRITES,))),
            (
                "computing that holds the GIL 92 % of the time; predicted 1.00 s plainly: the best of the "
                "approaches that can be used; processes would take 258 ms but cannot be used: it appends to the global "
                "'seen' (work.py, line 3), and another process would do that to its own copy; threads would take "
                "945 ms, hardly less, since what holds the GIL takes turns"
            ),
        ),
        (said(measured(remaining=0)), "nothing remains: all 5 items took 50 ms in the caller"),
        (
            said(measured(items=1, remaining=0, item_s=0.01)),
            "nothing remains: its one item took 10 ms in the caller",
        ),
        (
            said(measured(item_s=1e-6)),
            "100 items of 1.0 µs each take 100 µs: too little for workers to gain anything that one would notice",
        ),
    ],
)
def test_a_choice_in_words(sentence: str, expected: str) -> None:
    """Nature, prediction, reason, and what the others would take."""
    assert sentence == expected


@pytest.mark.parametrize(
    ("measurement", "costs", "expected"),
    [
        (measured(), COSTS.replace(worker_start_s=2.0), "processes would take 2.25 s, 2.00 s of it to start 4 workers"),
        (
            measured(item_s=0.001, pickle_s=0.002),
            COSTS,
            "since the caller would spend 200 ms on sending items and reading results",
        ),
        (
            measured(held=0.0, native_cpu_s=0.14),
            COSTS,
            "computing that does not hold the GIL, beside native threads that keep 2.8 more cores busy; ",
        ),
        (measured(computes=0.4, held=0.5), COSTS, "waiting 60 % of the time and computing in between, which holds the"),
        (measured(items=1), COSTS, "predicted roughly "),
        (measured(items=1), COSTS, "against 1.00 s plainly, going by one item: each process"),
        (measured(held=0.001), COSTS, "computing that does not hold the GIL; "),
        (
            measured(item_s=0.0015, deviation_s=0.0015, remaining=60),
            COSTS.replace(worker_start_s=0.03),
            "plainly: the figures are too rough to be sure that anything else would gain; processes would take ",
        ),
        (
            measured(item_s=5e-8, items=300_000, remaining=300_000, read_s=4e-8),
            COSTS,
            "since what holds the GIL takes turns",
        ),
        (
            measured(item_s=0.001, remaining=60, read_s=0.002),
            COSTS,
            "threads would take 180 ms, 120 ms of it to read the input, which the caller has to do by itself",
        ),
        (
            measured(item_s=0.0015, remaining=60),
            COSTS.replace(cores=2, worker_start_s=0.04),
            "processes would take 86 ms, hardly less, 41 ms of it to start 2 workers; threads",
        ),
    ],
)
def test_what_costs_most_is_named(measurement: Measurement, costs: Costs, expected: str) -> None:
    """Start, travel, native threads, a mixture, little that is known."""
    assert expected in said(measurement, costs=costs)


@pytest.mark.parametrize(
    ("sentence", "unexpected"),
    [
        (said(measured(held=0.0, native_cpu_s=0.14)), "since native threads"),  # which is the reason itself
        (said(measured(held=0.0, native_cpu_s=0.03), costs=COSTS.replace(cores=2)), "since"),
        (said(HOLDS, Wishes(proved_slower=("processes",))), "cannot be used: in this run"),  # they were used
        (said(HOLDS, Wishes(proved_slower=("processes",))), "clearly faster"),  # that is what was predicted of them
    ],
)
def test_nothing_is_said_twice_nor_against_itself(sentence: str, unexpected: str) -> None:
    """Nor is a reason why something is slow given for what is as fast."""
    assert unexpected not in sentence


def test_what_was_tried_and_left_is_named() -> None:
    """With what had been expected of it."""
    assert (
        "plainly: what else was tried in this run proved no faster; processes were predicted to take 258 ms, and in "
        "this run proved no faster than the plain loop"
    ) in said(HOLDS, Wishes(proved_slower=("processes",)))


def test_figures_that_are_newer_than_the_choice_are_said_to_be() -> None:
    """What was chosen beside the first item may not be what would be chosen now."""
    early = rule.choose(WAITS, COSTS)
    assert "which was not known yet when this was chosen" in explain.explain(re_estimated(early, HOLDS, COSTS))


@pytest.mark.parametrize("remaining", [1, None])
def test_how_little_there_is_to_do_where_that_is_one_item_or_unknown(remaining: int | None) -> None:
    """An item is all there is to quote."""
    assert said(measured(item_s=1e-6, remaining=remaining)).startswith("one item takes 1.0 µs: too little")


def test_every_reason_that_the_chooser_can_give_has_its_words() -> None:
    """Read off the chooser itself, so that a new reason without words fails here."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(rule) + inspect.getsource(undecided.nothing_left))):
        if isinstance(node, ast.Return) and node.value is not None:
            found |= {
                str(part.value)
                for part in ast.walk(node.value)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            }
    assert found - {"sync", "auto", ""} == set(explain.REASONS)


@pytest.mark.parametrize("code", undecided.REASONS)
def test_a_choice_without_measurement_says_where_it_comes_from(code: str) -> None:
    """Nothing is quoted that was not measured."""
    choice = Choice(approach="processes", workers=2, asked="auto", code=code, why="")
    assert explain.explain(choice) == undecided.REASONS[code]


def test_a_choice_prints_as_a_sentence() -> None:
    """With its number of workers, in the right number."""
    one = Choice(approach="sync", workers=1, asked="sync", code="asked", why="as asked for")
    assert str(one) == "sync, 1 worker: as asked for"
    assert str(one.replace(approach="threads", workers=8)) == "threads, 8 workers: as asked for"


@pytest.mark.parametrize(
    ("measurement", "costs", "wishes", "code", "words"),
    [
        (
            measured(),
            COSTS,
            Wishes(effects=(WRITES,)),
            "gil",
            "Processes would take 258 ms, if the function returned what",
        ),
        (measured(), COSTS.replace(worker_start_s=2.0), Wishes(), "start", "Starting 4 workers takes 2.00 s. An exec"),
        (
            measured(item_s=0.001, result_bytes=1e7, argument_bytes=10.0, pickle_s=0.001),
            COSTS,
            Wishes(),
            "travel",
            "a result is 10 MB. Return only",
        ),
        (
            measured(item_s=0.001, result_bytes=10.0, argument_bytes=1e7, pickle_s=0.001),
            COSTS,
            Wishes(),
            "travel",
            "an item is 10 MB. Pass something small",
        ),
        (measured(items=101, longest_s=0.9), COSTS, Wishes(), "giant", "One item took 900 ms, and no run"),
        (measured(remaining=2, item_s=1.0), COSTS.replace(cores=8), Wishes(), "few-items", "2 items for 8 cores"),
        (measured(held=0.0, native_cpu_s=0.14), COSTS, Wishes(), "native-threads", "3.8 cores are busy already"),
        (measured(read_s=0.01), COSTS, Wishes(), "reading", "To read an item from the input takes 10 ms, and only"),
        (measured(item_s=2e-7, remaining=10**6), COSTS, Wishes(), "short-items", "An item takes 200 ns, too little"),
    ],
)
def test_the_largest_cost_and_what_would_help(
    measurement: Measurement, costs: Costs, wishes: Wishes, code: str, words: str
) -> None:
    """By name and in a sentence; it comes first."""
    choice = rule.choose(measurement, costs, wishes)
    largest = largest_cost(choice, costs)
    assert largest is not None
    assert largest.code == code
    assert words in largest.advice
    assert advice(choice, costs)[0] == largest.advice
    assert all(0 < one.share <= 1 for one in costs_of(choice, costs))


@pytest.mark.parametrize(
    "choice",
    [
        rule.choose(measured(), COSTS),
        rule.choose(WAITS, COSTS),
        rule.choose(measured(remaining=0), COSTS),
        rule.choose(measured(held=0.0), COSTS),
        Choice(approach="sync", workers=1, asked="sync", code="asked", why=""),
    ],
)
def test_where_nothing_is_large_there_is_no_advice(choice: Choice) -> None:
    """A run that is about as fast as the work allows."""
    assert advice(choice, COSTS) == []
    assert largest_cost(choice, COSTS) is None


def test_other_numbers_of_cores_are_predicted() -> None:
    """Computing gains with each of them, waiting with none; and what cannot be used is not."""
    computing = by_cores(measured(remaining=1000), COSTS)
    assert [cores for cores, _ in computing] == [2, 4, 8, 16]
    assert [one.workers for _, one in computing] == [2, 4, 8, 16]
    assert [one.seconds for _, one in computing] == pytest.approx([5.0, 2.5, 1.25, 0.65], rel=0.03)
    assert len({one.seconds for _, one in by_cores(WAITS, COSTS)}) == 1
    assert {one.approach for _, one in by_cores(measured(), COSTS, wishes=Wishes(effects=(WRITES,)))} == {"sync"}


def test_what_cannot_travel_holds_for_other_numbers_of_cores_too() -> None:
    """The veto of an attempt is handed on."""
    found = by_cores(measured(), COSTS, travel=cannot_travel("it holds a lock"))
    assert {one.approach for _, one in found} == {"sync"}


def test_more_cores_are_never_predicted_to_be_slower() -> None:
    """Nobody has to start more workers than are best."""
    few = measured(item_s=0.0004, held=0.0, remaining=60)
    times = [one.seconds for _, one in by_cores(few, COSTS.replace(thread_start_s=0.002))]
    assert times == sorted(times, reverse=True)


def test_nothing_is_said_of_other_cores_where_native_threads_compute() -> None:
    """They would take more cores for themselves."""
    assert by_cores(measured(held=0.0, native_cpu_s=0.05), COSTS) == []


def test_the_number_of_small_items_is_their_cost_and_not_their_size() -> None:
    """Nobody is told to send less than ten bytes."""
    many = measured(item_s=2e-6, remaining=10**6, argument_bytes=8.0, result_bytes=10.0, pickle_s=1e-6)
    codes = [one.code for one in costs_of(rule.choose(many, COSTS), COSTS)]
    assert "short-items" in codes
    assert "travel" not in codes


def test_an_input_that_is_read_as_fast_as_any_is_no_cost() -> None:
    """No generator gives a number in less."""
    numbers_only = measured(item_s=5e-8, items=300_000, remaining=300_000, read_s=1e-7)
    assert [one.code for one in costs_of(rule.choose(numbers_only, COSTS), COSTS)] == []


def test_what_forbids_processes_is_named_with_what_would_allow_them() -> None:
    """Effects have a cure that holds for all of them; of anything else the reason is all that is known."""
    effect, lock = (
        advice(rule.choose(measured(), COSTS, wishes, travel=travel), COSTS)[0]
        for wishes, travel in ((Wishes(effects=(WRITES,)), None), (Wishes(), cannot_travel("it holds a lock")))
    )
    assert "if the function returned what is to be kept" in effect
    assert "cannot be used" not in effect
    assert "but cannot be used: it holds a lock." in lock


def test_what_is_not_chosen_for_little_is_no_cost() -> None:
    """The fastest is what a cost is held against, also where a simpler one was chosen, being nearly as fast."""
    close = measured(item_s=0.0005, remaining=60, items=1, first_s=0.0005, held=0.0)
    assert all(one.code not in ("start", "travel") for one in costs_of(rule.choose(close, COSTS), COSTS))


def test_an_approach_that_is_the_only_one_allowed_is_not_praised() -> None:
    """It gains nothing, and that is said."""
    choice = rule.choose(measured(), COSTS, Wishes(approaches=("threads",)))
    assert choice.code == "allowed"
    assert "it gains nothing, but a plain loop is not allowed" in explain.explain(choice)


def test_a_veto_that_costs_nothing_is_no_reason() -> None:
    """Coroutines overlap in an event loop as well as anywhere."""
    waits = measured(computes=0.02, held=None)
    assert rule.choose(waits, COSTS, Wishes(coroutine=True)).code == "coroutine"
