"""What the first choice of a program costs before it is made."""

from __future__ import annotations

from corewise._choose.undecided import loading_s, to_choose_s

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
