"""The words of one case: figures in, sentences out. Nothing here draws, measures or asks the machine.

What is said is stored in the document, so that the terminal, the page and a script read the same sentences.
"""

from __future__ import annotations

from corewise._report.words.advice import differs, recommend
from corewise._report.words.figures import Facts, facts_of
from corewise._report.words.notes import notes_for
from corewise._report.words.verdicts import verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.comparison import Case, Difference, Machine, Row


def annotate(case: Case, machine: Machine) -> Case:
    """Return a case with its words filled in: uses, verdicts, notes and the recommendation.

    Args:
        case: a measured case; it is not changed. Words that it already has are replaced, notes from its measuring are
            kept.
        machine: facts of the machine that it was measured on.

    Returns:
        The case with `use_for` and `verdict` in every row, with `notes` and `recommendation`.
    """
    rows = facts_of(case, machine)
    recommended: Case = {**case, "recommendation": recommend(rows, case["difference"])}
    return {
        **recommended,
        "rows": [_spoken(facts, case["difference"]) for facts in rows],
        "notes": notes_for(recommended, machine),
    }


def _spoken(facts: Facts, difference: Difference | None) -> Row:
    words = verdict(facts)
    if difference is not None and differs(facts, difference):
        words += f" Its results differ from those of {difference['against']}, so its time counts for nothing."
    if facts.twin:
        words += f" It ran {facts.twin}."
    return {**facts.row, "use_for": use_for(facts), "verdict": words}


def use_for(facts: Facts) -> str:
    """Return what an approach is used for in general: the one text here that no figure of the case decides."""
    return {
        "sync": "work that is over quickly; the yardstick for the rest",
        "threads": (
            "calls that wait, and C code that releases the GIL"
            if facts.gil
            else "calls that wait, and computing: this interpreter runs without a GIL"
        ),
        "asyncio": "very many calls that wait, through an async library",
        "processes": "computing in Python on several cores"
        if facts.gil
        else "computing that may crash, or that must share nothing",
    }.get(facts.row["approach"], "")
