"""The lesson finds out from the figures which case shows what, and says nothing that they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corewise._report.words.lesson import lesson
from report import made_up, samples
from report.samples import around, case, machine, row

if TYPE_CHECKING:
    from corewise._types.comparison import Case, LessonRow, Machine


def lesson_of(*cases: Case, here: Machine | None = None) -> dict[str, LessonRow]:
    """Return the lesson's rows by approach."""
    return {one["approach"]: one for one in lesson(cases, here or machine())}


def test_the_practical_cases_teach_the_whole_lesson() -> None:
    """Every cell quotes figures of the case that shows it."""
    taught = lesson_of(*samples.practical_cases())
    assert list(taught) == ["sync", "threads", "asyncio", "processes"]
    assert taught["threads"] == {
        "approach": "threads",
        "what_for": "calls that wait (14.4× with 16 at once)",
        "speeds_up_computing": "no where the GIL is held, as by pure Python (0.99×, 1.0 core busy); "
        "yes where C code releases the GIL (1.94×, 1.9 cores busy)",
        "when": "your libraries block while they wait (3.02 s became 210 ms in “calls that wait”); "
        "C code does the computing (1.40 s became 720 ms in “hashing”)",
    }
    assert taught["sync"]["what_for"] == "work that is over quickly (2.1 ms in “a little work”)"
    assert taught["asyncio"]["what_for"] == "very many calls that wait, in async code (15.1× with 16 at once)"
    assert taught["asyncio"]["speeds_up_computing"].startswith("no, nothing awaits")
    assert taught["processes"]["speeds_up_computing"].startswith("yes in “sum of squares” (1.97×")
    assert "not for “a little work” (19 ms against 2.1 ms plainly)" in taught["processes"]["when"]


def test_names_and_order_of_the_cases_do_not_matter() -> None:
    """With the names exchanged and the order turned round, only the quoted names change."""
    cases = samples.practical_cases()
    renamed = [{**one, "name": f"case {number}"} for number, one in enumerate(cases)]
    back = [{**one, "name": f"case {number}"} for number, one in reversed(list(enumerate(cases)))]
    texts = [lesson_of(*renamed)[name]["speeds_up_computing"] for name in ("sync", "threads", "asyncio")]  # type: ignore[arg-type]
    assert "no where the GIL is held" in texts[1]
    assert lesson_of(*back)["threads"] == lesson_of(*renamed)["threads"]  # type: ignore[arg-type]


@pytest.mark.parametrize("missing", range(4))
def test_a_missing_case_leaves_the_others_true(missing: int) -> None:
    """A cell whose case is missing says so, or speaks of another one, and never invents a figure."""
    cases = samples.practical_cases()
    gone = cases.pop(missing)
    taught = lesson_of(*cases)
    for one in taught.values():
        assert all(one.values())
        assert f"“{gone['name']}”" not in "".join(one.values())  # type: ignore[arg-type]


def test_without_a_waiting_case_the_cell_says_so() -> None:
    """Threads are still for calls that wait, but no figure is claimed for it."""
    taught = lesson_of(samples.holding_the_gil(), samples.too_small())
    assert "not measured here" in taught["threads"]["what_for"]
    assert "not measured here" in taught["asyncio"]["what_for"]


def test_without_a_gil_the_lesson_is_another() -> None:
    """Threads that compute on both cores are not said to need C code for it."""
    free = case("squares", [row("sync", around(2.0)), row("threads", around(1.02), 1.95, workers=2)])
    taught = lesson_of(free, samples.waiting(), here=machine(gil=False))
    assert taught["threads"]["speeds_up_computing"] == "yes, there is no GIL (1.96×, 1.9 cores busy)"


def test_processes_that_gained_nothing_are_not_praised() -> None:
    """The answer follows the figures, not the approach's name."""
    poor = case("squares", [row("sync", around(2.0)), row("processes", around(2.4), 1.4, workers=2)])
    taught = lesson_of(poor, samples.waiting())
    assert taught["processes"]["speeds_up_computing"] == "no in “squares” (0.83×, 1.4 cores busy)"
    assert "computing in Python" not in taught["processes"]["what_for"]


def test_a_busy_machine_makes_the_answer_unclear() -> None:
    """What other programs took is neither a yes nor a no of the approach."""
    rows = [
        row("sync", around(2.0), 0.5, queued_s=1.0),
        row("threads", around(2.1), 0.5, workers=2, queued_s=3.0),
        row("processes", around(1.5), 0.7, workers=2, queued_s=1.9),
    ]
    taught = lesson_of(case("busy", rows), samples.waiting())
    assert taught["threads"]["speeds_up_computing"].startswith("unclear, on a busy machine, in “busy” (0.95×")
    assert taught["processes"]["speeds_up_computing"].startswith("unclear, on a busy machine, in “busy” (1.33×")


def test_an_approach_that_failed_everywhere_says_why() -> None:
    """The problem stands where the figures would."""
    rows = [row("sync", around(2.0)), samples.failed_row("processes", "the function cannot travel.")]
    taught = lesson_of(case("one", rows), case("two", rows))
    assert taught["processes"]["what_for"] == "did not run here: the function cannot travel"
    assert taught["processes"]["when"] == "not measured here"


def test_no_cases_teach_nothing() -> None:
    """An empty comparison has an empty lesson."""
    assert lesson([], machine()) == []


@given(made=st.lists(made_up.cases(), max_size=4), here=made_up.MACHINES)
def test_yes_is_only_said_of_a_gain(made: list[Case], here: Machine) -> None:
    """Whatever the figures: an approach that was never faster in every round is not said to speed up computing."""
    for taught in lesson([{**one, "name": "a case"} for one in made], here):
        if "yes" not in taught["speeds_up_computing"]:
            continue
        gains = [
            one["speedup"]
            for case_ in made
            for one in case_["rows"]
            if one["approach"] == taught["approach"] and one["speedup"] is not None
        ]
        assert max(gains) > 1.05
