"""Facts of the machine, a case and a row that stand above or beside the figures, as short texts that every drawing shares."""

from __future__ import annotations

from corewise._report import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.comparison import Case, Machine, Row


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
        case["function"],
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
