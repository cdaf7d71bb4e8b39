"""Notes are found in the figures, keep their codes, and end in advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from corewise._report.words.annotate import annotate
from report import samples
from report.samples import around, case, machine, row

if TYPE_CHECKING:
    from corewise._types.comparison import Case, Machine, Row

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


def foretold(made: Row, predicted_s: float) -> Row:
    """Return a row with a prediction."""
    return {**made, "predicted_s": predicted_s, "predicted_low_s": predicted_s / 2, "predicted_high_s": predicted_s * 2}


def advising(made: Case, approach: str, workers: int) -> Case:
    """Return a case with what a sample had advised."""
    return {
        **made,
        "advice": {
            "approach": approach,
            "workers": workers,
            "code": "computes",
            "why": "computing that holds the GIL",
            "items": 3,
            "costs": ["One item is long."],
        },
    }


def test_a_prediction_that_was_right_needs_no_note() -> None:
    """Within a quarter, or within what nobody would notice."""
    rows = [foretold(QUIET_CASE[0], 2.4), foretold(QUIET_CASE[1], 0.8)]
    assert notes_of(advising(case("right", rows), "threads", 2)) == {}
    short = [foretold(row("sync", around(0.0010)), 0.0025)]
    assert "prediction-off" not in notes_of(case("short", short))


@pytest.mark.parametrize("predicted_s", [1.4, 2.6])
def test_a_prediction_that_was_off_is_told(predicted_s: float) -> None:
    """By more than a quarter of what it took, either way."""
    text = notes_of(case("off", [foretold(QUIET_CASE[0], predicted_s), QUIET_CASE[1]]))["prediction-off"]
    assert f"sync took 2.00 s (predicted {predicted_s:.2f} s)" in text


def test_an_advice_that_was_not_the_best_is_told() -> None:
    """With both times; not where the one advised is as fast."""
    text = notes_of(advising(case("other", QUIET_CASE), "sync", 1))["choice-differs"]
    assert "sync was advised, which took 2.00 s against 1.00 s by threads" in text
    assert "approach='threads'" in text
    close = [row("sync", around(1.02)), row("threads", around(1.0), 1.9, workers=2)]
    assert "choice-differs" not in notes_of(advising(case("close", close), "sync", 1))
    assert "choice-differs" not in notes_of(advising(case("gone", QUIET_CASE), "processes", 2))


def test_an_async_twin_is_what_a_program_should_run() -> None:
    """By its name: the approach alone would run the plain function."""
    rows = [row("sync", around(2.0), 0.02), row("asyncio", around(1.0), 0.02, runs="async function")]
    made = advising(case("twins", rows, async_function="works.later"), "sync", 1)
    assert notes_of(made)["choice-differs"].endswith(
        "by asyncio; go by what was measured, and give works.later to `map` in your program."
    )
