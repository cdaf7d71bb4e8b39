"""Notes are found in the figures, keep their codes, and end in advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from corewise._report.words.annotate import annotate
from report import samples
from report.samples import around, case, machine, row

if TYPE_CHECKING:
    from corewise._types.comparison import Case, Machine

QUIET_CASE = [row("sync", around(2.0)), row("threads", around(1.0), 1.9, workers=2)]


def notes_of(made: Case, here: Machine | None = None) -> dict[str, str]:
    """Return a case's notes by their codes."""
    return {note["code"]: note["text"] for note in annotate(made, here or machine())["notes"]}


def test_good_figures_need_no_note() -> None:
    """Several close rounds on a quiet machine say enough by themselves."""
    assert notes_of(case("quiet", QUIET_CASE)) == {}


@pytest.mark.parametrize(
    ("made", "here", "code", "quoted", "advice"),
    [
        (case("c", QUIET_CASE, items=400, items_run=120), None, "share", "120 of 400 items", "raise the budget"),
        (case("c", [row("sync", 2.0)]), None, "one-round", "timed once", "ask for more rounds"),
        (
            case("c", [row("sync", [2.0, 2.1, 2.5])]),
            None,
            "noisy",
            "differ by 24 % (2.00–2.50 s)",
            "close other programs",
        ),
        (
            case("c", [row("sync", around(2.0), 0.7, queued_s=0.6)]),
            None,
            "busy-machine",
            "stood in line for a core for 30 % of its time",
            "when it is quiet",
        ),
        (case("c", QUIET_CASE), machine(load=1.2), "busy-machine", "load average 1.2 on 2 cores", "when it is quiet"),
        (case("c", [row("sync", around(0.0004))]), None, "too-short", "takes 400 µs", "compare more or larger items"),
        (samples.differing(), None, "different-results", "first at item 7", "depend on nothing but its argument"),
    ],
)
def test_each_doubt_has_its_note(made: Case, here: Machine | None, code: str, quoted: str, advice: str) -> None:
    """The note quotes the figure that gave rise to it and says what to do."""
    text = notes_of(made, here)[code]
    assert quoted in text
    assert advice in text
    assert text.endswith(".")


def test_notes_from_the_measuring_are_kept() -> None:
    """What was noted before stays, after a differing result and before everything else."""
    kept = {"code": "in-process", "text": "Ran in this process; keep its memory in mind."}
    made = {**samples.differing(), "notes": [kept]}
    codes = [note["code"] for note in annotate(made, machine())["notes"]]  # type: ignore[arg-type]
    assert codes == ["different-results", "in-process", "share", "noisy"]


def test_the_load_is_judged_by_all_cores_of_the_machine() -> None:
    """A program that may use 2 of 64 cores is not disturbed by a load of 4."""
    here = {**machine(load=4.0), "logical_cores": 64}
    assert "busy-machine" not in notes_of(case("c", QUIET_CASE), here)  # type: ignore[arg-type]
