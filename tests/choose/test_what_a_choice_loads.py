"""What the first choice of a program costs before it is made."""

from __future__ import annotations

import pytest

from corewise._choose.undecided import loading_s, look_from_s, may_gain, to_choose_s

CHOSEN, THREADS, PROCESSES = "corewise._choose.model", "corewise._approaches.threads", "corewise._approaches.processes"


def test_the_first_choice_has_to_repay_what_it_loads() -> None:
    """Itself, and what runs the items: processes where they hold the GIL, which are dearer."""
    threads_s, processes_s = to_choose_s((), holds=False), to_choose_s((), holds=True)
    assert 0 < threads_s < processes_s
    assert to_choose_s((THREADS,), holds=False) == to_choose_s((PROCESSES,), holds=True) < threads_s
    assert to_choose_s((THREADS,), holds=True) == processes_s


def test_the_next_one_loads_nothing_for_itself() -> None:
    """What runs the items is then part of what is predicted for it."""
    assert to_choose_s((CHOSEN,), holds=True) == 0
    assert loading_s("processes", (CHOSEN,)) > 0
    assert loading_s("processes", (CHOSEN, PROCESSES)) == 0


@pytest.mark.parametrize(
    ("cpu_s", "read_s", "known", "gains"),
    [
        (1.0, 0.0, False, True),
        (1.0, 1.1, False, False),  # half of less than half
        (1.0, 3.9, True, True),
        (1.0, 4.1, True, False),
        (0.0, 2.9, False, True),
        (0.0, 9.1, True, False),
    ],
)
def test_what_mostly_reads_its_input_gains_little(cpu_s: float, read_s: float, known: bool, gains: bool) -> None:  # noqa: FBT001 - parameters
    """On two cores, of items of a second: nobody else can read the input, so nothing is loaded to choose for them."""
    assert may_gain(1.0, cpu_s, read_s, 2, known=known) == gains


@pytest.mark.parametrize(
    ("items", "remaining", "longer"),
    [(1, None, True), (1, 50, True), (1, 199, True), (2, 50, False), (2, 5000, False)],
)
def test_one_item_alone_has_to_tell_more(items: int, remaining: int | None, longer: bool) -> None:  # noqa: FBT001 - parameters
    """It may have loaded what no later one will."""
    assert (look_from_s(items, remaining, 2) > look_from_s(2, None, 2)) is longer


def test_where_many_remain_the_second_item_is_heard_as_well() -> None:
    """It costs a hundredth of the time at most, however many cores could have shared it."""
    assert look_from_s(1, 200, 2) == float("inf")
    assert look_from_s(1, 200, 4) < 1
