"""Everything a reader must know to trust or doubt the figures: named, found in the figures, each ending in advice."""

from __future__ import annotations

from corewise._report.words.advice import as_fast
from corewise._report.words.figures import (
    COMPUTING_SHARE,
    NOISY_SHARE,
    TOO_SHORT_S,
    baseline,
    facts_of,
    high,
    label_with_twin,
    low,
    ran,
    spread_share,
    twin_of,
)
from corewise._types import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._types.comparison import Case, Machine, Note, Row

OFF_SHARE = 0.25  # of the measured time: what a prediction may be off by; what the automatic choice aims at
OFF_S = 0.002  # guess: less than that decides nothing
BUSY_LOAD_PER_CORE = 0.5  # load average per core of the machine, from which other programs are worth a note; a guess


def notes_for(case: Case, machine: Machine) -> list[Note]:
    """Return the notes that follow from a case's figures, after those that it already has from its measuring.

    Args:
        case: a case; notes of the kinds found here are found anew, so that a case can be annotated twice.
        machine: facts of the machine.

    Returns:
        The notes, the gravest first.
    """
    kept = [note for note in case["notes"] if note["code"] not in _FINDERS]
    texts = {code: find(case, machine) for code, find in _FINDERS.items()}
    found: list[Note] = [{"code": code, "text": text} for code, text in texts.items() if text]
    return (
        [note for note in found if note["code"] in _GRAVE]
        + kept
        + [note for note in found if note["code"] not in _GRAVE]
    )


def _different_results(case: Case, _: Machine) -> str:
    gap = case["difference"]
    if gap is None:
        return ""
    named = label_with_twin(gap["approach"], case)
    twin = named != gap["approach"]
    return (
        f"{named} and {gap['against']} gave different results, first at item "
        f"{gap['item']}; let {'both functions' if twin else 'the function'} depend on nothing but "
        f"{'their' if twin else 'its'} argument (no random numbers, clock, shared variables), and compare again."
    )


def _share(case: Case, _: Machine) -> str:
    if case["items_run"] >= case["items"]:
        return ""
    return (
        f"Only {case['items_run']:,} of {numbers.count(case['items'], 'item')} were run, so that every approach fits "
        f"into the budget of {numbers.limit(case['budget_s'])}; raise the budget to run them all."
    )


def _one_round(case: Case, _: Machine) -> str:
    timed = [len(row["wall_s"]) for row in case["rows"] if ran(row)]
    if not timed or max(timed) > 1:
        return ""
    return (
        "Every approach was timed once, so nothing tells a small gain from chance; ask for more rounds or raise the "
        "budget before relying on small differences."
    )


def _noisy(case: Case, _: Machine) -> str:
    noisy = [row for row in case["rows"] if spread_share(row) > NOISY_SHARE]
    if not noisy:
        return ""
    worst = max(noisy, key=spread_share)
    others = f", and {numbers.count(len(noisy) - 1, 'other')} by more than 10 %" if len(noisy) > 1 else ""
    return (
        f"The rounds of {worst['label']} differ by {numbers.share(spread_share(worst))} "
        f"({numbers.span(low(worst), high(worst))}){others}; close other programs and compare again."
    )


def _busy_machine(case: Case, machine: Machine) -> str:
    able = [facts for facts in facts_of(case, machine) if facts.outcome not in ("failed", "skipped")]
    # A row that waits for something on this machine shares the cores with what it waits for: that is no disturbance.
    computing = [facts for facts in able if (facts.busy or 0.0) + facts.denied >= COMPUTING_SHARE * facts.usable_cores]
    worst = max((facts for facts in computing if facts.disturbed), key=lambda facts: facts.denied, default=None)
    if worst is not None and worst.outcome == "baseline":
        return (
            f"The machine was busy: the plain run stood in line for a core for {numbers.share(worst.denied)} of its "
            "time, while other programs had them; compare again when it is quiet."
        )
    if worst is not None:
        return (
            f"The machine was busy: other programs had {numbers.cores(worst.denied)} of the cores that "
            f"{worst.row['label']} could have used; compare again when it is quiet."
        )
    load, all_cores = machine["load_average"], max(1, machine["logical_cores"])
    told = any(facts.row["queued_s"] is not None for facts in able)
    # The load of the last minute may be that of an earlier case, so it speaks only where nothing better is known.
    if told or load is None or load <= BUSY_LOAD_PER_CORE * all_cores:
        return ""
    return (
        f"The machine was busy when this began (load average {load:.1f} on {numbers.count(all_cores, 'core')}), so "
        "other programs took part of the cores; compare again when it is quiet."
    )


def _too_short(case: Case, _: Machine) -> str:
    base = baseline(case)
    plain_s = base["wall_median_s"] if base else None
    if plain_s is None or plain_s >= TOO_SHORT_S:
        return ""
    return (
        f"The whole plain run takes {numbers.seconds(plain_s)}, so the figures show the hand-over more than the work; "
        "compare more or larger items if that is what you will run."
    )


def _choice_differs(case: Case, _: Machine) -> str:
    advised, recommended = case.get("advice"), case["recommendation"]
    if advised is None or recommended is None:
        return ""
    best = next((row for row in case["rows"] if row["label"] == recommended["approach"] and ran(row)), None)
    of_choice = [row for row in case["rows"] if row["approach"] == advised["approach"] and ran(row)]
    if best is None or not of_choice or advised["approach"] == best["approach"]:
        return ""
    chosen = min(of_choice, key=lambda row: abs(row["workers"] - advised["workers"]))
    if as_fast(chosen, best):
        return ""
    twin = twin_of(best, case)
    do = f"give {twin} to `map`" if twin else f"give approach={best['approach']!r}"
    return (
        f"From a sample of {numbers.count(advised['items'], 'item')}, {chosen['approach']} was advised, which took "
        f"{numbers.seconds(chosen['wall_median_s'])} against {numbers.seconds(best['wall_median_s'])} by "
        f"{best['label']}; go by what was measured, and {do} in your program."
    )


def _prediction_off(case: Case, _: Machine) -> str:
    off = [row for row in case["rows"] if ran(row) and _is_off(row)]
    if not off:
        return ""
    told = ", ".join(_beside_prediction(row) for row in off)
    return (
        f"What was predicted from a sample was off by more than a quarter: {told}; go by what was measured, as the "
        "items differ from the sample, or other programs had part of the cores."
    )


def _beside_prediction(row: Row) -> str:
    took, predicted = numbers.seconds(row["wall_median_s"]), numbers.seconds(row.get("predicted_s"))
    return f"{row['label']} took {took} (predicted {predicted})"


def _is_off(row: Row) -> bool:
    """Return whether a prediction was off by more than a quarter, and by more than anybody would notice."""
    predicted_s, measured_s = row.get("predicted_s"), row["wall_median_s"]
    if predicted_s is None or measured_s is None:
        return False
    return abs(predicted_s - measured_s) > max(OFF_SHARE * measured_s, OFF_S)


# By the note's code, in the order of showing. A code never changes its meaning: scripts read it.
_FINDERS: dict[str, Callable[[Case, Machine], str]] = {
    "different-results": _different_results,
    "share": _share,
    "too-short": _too_short,
    "one-round": _one_round,
    "noisy": _noisy,
    "busy-machine": _busy_machine,
    "choice-differs": _choice_differs,
    "prediction-off": _prediction_off,
}
_GRAVE = ("different-results",)
