"""Runs the practical cases one after the other, shows each as soon as it is done, and the lesson at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corewise import Comparison, __version__
from corewise._cli import streams
from corewise._cli.measuring import measured
from corewise._cli.practical.cases import CASES, DEFAULT_BUDGET_S
from corewise._machine.facts import machine_facts
from corewise._report.document import new_document
from corewise._report.terminal import show as terminal
from corewise._report.words.lesson import lesson

if TYPE_CHECKING:
    from corewise._cli.practical.cases import PracticalCase
    from corewise._types.comparison import Case


def run(*, case: str | None, budget_s: float | None, repeat: int | None, progress: bool, draws: bool) -> Comparison:
    """Run the practical cases.

    Args:
        case: the name of the only one to run; None: all of them.
        budget_s: seconds for all that is run; None: as long as it takes for the lesson to be clear.
        repeat: rounds of each case; None: as many as the budget allows.
        progress: whether to show on standard error what goes on.
        draws: whether to draw each case on standard output.

    Returns:
        One comparison that holds all cases that were run, and the lesson of them.

    Raises:
        Failure: when a case could not be run.
    """
    chosen = [one for one in CASES if case in {None, one.name}]
    whole_share = sum(one.budget_share for one in chosen)
    total_s = DEFAULT_BUDGET_S * whole_share if budget_s is None else budget_s
    machine = machine_facts()
    if draws:
        with streams.writing():
            terminal.show_opening(machine, __version__)
    done: list[Case] = []
    for one in chosen:
        compared = _one(one, total_s * one.budget_share / whole_share, repeat, progress=progress)
        done += compared.document["cases"]
        if draws:
            with streams.writing():
                terminal.show_case(done[-1])
    rows = lesson(done, machine) if len(done) > 1 else []
    if draws and rows:
        with streams.writing():
            terminal.show_lesson(rows)
    return Comparison(new_document(machine, done, rows, __version__))


def _one(case: PracticalCase, budget_s: float, repeat: int | None, *, progress: bool) -> Comparison:
    with case.items() as items:
        return measured(
            case.function,
            items,
            shown_name=case.name,
            approaches=case.approaches,
            repeat=repeat,
            budget=budget_s,
            async_fn=case.async_function,
            name=case.name,
            about=case.about,
            progress=progress,
        )
