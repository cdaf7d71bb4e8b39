"""Short texts about the machine, a case and a row that every drawing shares, and what of a case's notes goes where."""

from __future__ import annotations

from corewise._report.words import figures
from corewise._types import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.comparison import Case, Machine, Note, Row

LESSON_HEADS = ("what it is for", "does it speed up computing", "use it when")
DIFFERENT = "different-results"  # the code of the note on differing results


def machine_facts(machine: Machine) -> list[str]:
    """Return what a reader wants to know of the machine, one fact each."""
    few = machine["cores"] != machine["logical_cores"]
    cores = f"{machine['cores']} of {numbers.count(machine['logical_cores'], 'core')}"
    memory = machine["memory_bytes"]
    facts = [
        f"{machine['implementation']} {machine['python']}{'' if machine['gil'] else ' without a GIL'}",
        f"{machine['system']} {machine['release']}".strip(),
        cores if few else numbers.count(machine["cores"], "core"),
        f"{numbers.bytes_(memory)} of memory" if memory is not None else "",
        machine["cpu"],
    ]
    return [fact for fact in facts if fact]


def case_facts(case: Case) -> list[str]:
    """Return what was run in a case and how long it was tried, one fact each."""
    part = "" if case["items_run"] == case["items"] else f"{case['items_run']:,} of "
    facts = [
        case["function"] if case["function"] != case["name"] else "",
        f"async: {case['async_function']}" if case["async_function"] else "",
        f"{part}{numbers.count(case['items'], 'item')}",
        f"first item {case['first_item']}",
        numbers.count(case["rounds"], "round"),
        f"{numbers.seconds(case['spent_s'])} of {numbers.limit(case['budget_s'])} spent",
    ]
    return [fact for fact in facts if fact]


def what_was_run(row: Row) -> str:
    """Return what an approach ran, where that was not simply the function."""
    return "" if row["runs"] == "function" else row["runs"]


def wall_and_spread(row: Row) -> tuple[str, str]:
    """Return a row's median time, and between which times its rounds lie where there are several."""
    if not figures.ran(row):
        return numbers.NOTHING, ""
    spread = numbers.around(row["wall_median_s"], row["wall_low_s"], row["wall_high_s"])
    return numbers.seconds(row["wall_median_s"]), spread if len(row["wall_s"]) > 1 else ""


def advised(case: Case) -> tuple[str, str] | None:
    """Return what the sample alone had advised, as a few words and a sentence; None where there was none."""
    advice = case.get("advice")
    if advice is None:
        return None
    workers = "" if advice["approach"] == "sync" else f" with {advice['workers']:,}"
    why = advice["why"]
    sentences = [f"{why[:1].upper()}{why[1:]}.", *advice["costs"]]
    return f"Predicted from {numbers.count(advice['items'], 'item')}: {advice['approach']}{workers}.", " ".join(
        sentences
    )


def difference_note(case: Case) -> str:
    """Return the note on differing results, which is shown apart from the others and loudly."""
    return next((note["text"] for note in case["notes"] if note["code"] == DIFFERENT), "The results differ.")


def other_notes(case: Case) -> list[Note]:
    """Return the notes that are not shown elsewhere."""
    return [note for note in case["notes"] if note["code"] != DIFFERENT or case["difference"] is None]
