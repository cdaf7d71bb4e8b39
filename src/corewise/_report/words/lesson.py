"""The lesson of several cases: what each approach is for, whether it speeds up computing, and when to use it.

Which case shows what is found in its figures, never in its name: whether the plain run computed or waited, whether
threads gained, whether starting workers took longer than the work.
"""

from __future__ import annotations

from corewise._report.words.figures import DENIED_SHARE, SEVERAL_CORES, TOO_SHORT_S, Facts, facts_of, wanted_cores
from corewise._report.words.verdicts import STARTUP_OF_WORK_SHARE, busy_words
from corewise._types import numbers
from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal

    from corewise._types.comparison import Case, LessonRow, Machine

    Kind = Literal["waiting", "held", "released", "computing", "mixed", "small", "unknown"]

ORDER = ("sync", "threads", "asyncio", "processes")  # as they are taught; others come after
COMPUTING_KINDS = ("held", "released", "computing")
NOT_MEASURED = "not measured here"


class Seen(Record):
    """What one approach showed in one case.

    Attributes:
        case: name of the case.
        kind: what the figures show the case to be an example of.
        facts: the approach's best row in it.
        failed: whether it did not run to its end.
    """

    case: str
    kind: Kind
    facts: Facts
    failed: bool


def lesson(cases: Sequence[Case], machine: Machine) -> list[LessonRow]:
    """Return the closing table over several cases, one row per approach that any of them asked for.

    Args:
        cases: measured cases, in any order and of any number; a missing or failed one only leaves its cells poorer.
        machine: facts of the machine that they were measured on.

    Returns:
        The rows, in a fixed order; every cell quotes figures of the cases or says that there are none.
    """
    seen: dict[str, list[Seen]] = {}
    for case in cases:
        for one in _seen_in(case, machine):
            seen.setdefault(one.facts.row["approach"], []).append(one)
    known = [name for name in ORDER if name in seen]
    return [_row(name, seen[name]) for name in [*known, *(name for name in seen if name not in known)]]


def kind_of(rows: Sequence[Facts]) -> Kind:
    """Return what the figures of a case show it to be an example of."""
    base = next((facts for facts in rows if facts.outcome == "baseline"), None)
    if base is None:
        return "unknown"
    started = max((facts.startup_s for facts in rows), default=0.0)
    if not any(facts.outcome == "gain" for facts in rows) and (
        base.wall_s < TOO_SHORT_S or started >= STARTUP_OF_WORK_SHARE * base.wall_s
    ):
        return "small"
    if base.work in ("waiting", "mixed", "unknown"):
        return base.work
    threads = [facts for facts in rows if facts.row["approach"] == "threads"]
    if any(facts.outcome == "gain" and (facts.busy or 0.0) >= SEVERAL_CORES for facts in threads):
        return "released"
    took_turns = any(
        facts.outcome in ("same", "loss") and (wanted_cores(facts.row) or SEVERAL_CORES) < SEVERAL_CORES
        for facts in threads
    )
    return "held" if took_turns else "computing"


def _seen_in(case: Case, machine: Machine) -> list[Seen]:
    rows = facts_of(case, machine)
    kind = kind_of(rows)
    best: dict[str, Facts] = {}
    for facts in rows:
        known = best.get(facts.row["approach"])
        if known is None or _rank(facts) > _rank(known):
            best[facts.row["approach"]] = facts
    return [
        Seen(case=case["name"], kind=kind, facts=facts, failed=facts.outcome in ("failed", "skipped"))
        for facts in best.values()
    ]


def _rank(facts: Facts) -> tuple[bool, float]:
    return facts.outcome not in ("failed", "skipped"), facts.gain


def _row(approach: str, seen: Sequence[Seen]) -> LessonRow:
    ran = [one for one in seen if not one.failed]
    if not ran:
        problem = seen[0].facts.row["problem"] or "no reason was recorded"
        gone = f"did not run here: {problem.rstrip('.')}"
        return {"approach": approach, "what_for": gone, "speeds_up_computing": NOT_MEASURED, "when": NOT_MEASURED}
    cells = _CELLS.get(approach, _other)
    what_for, computing, when = cells(ran)
    return {"approach": approach, "what_for": what_for, "speeds_up_computing": computing, "when": when}


# ---- one function per approach: what it is for, does it speed up computing, when to use it


def _sync(seen: Sequence[Seen]) -> tuple[str, str, str]:
    small, computing = _first(seen, "small"), _first(seen, *COMPUTING_KINDS)
    some = seen[0].facts
    yardstick = (
        f"the yardstick: {numbers.count(some.items, 'item')} one after another in {numbers.seconds(some.wall_s)}"
    )
    what_for = f"work that is over quickly ({_took(small)})" if small else yardstick
    if computing is None:
        answer = NOT_MEASURED
    elif computing.facts.work == "several cores":
        answer = f"only where native code does it by itself ({_busy(computing)})"
    else:
        wall = numbers.seconds(computing.facts.wall_s)
        answer = f"no, it is what the others are compared with ({_busy(computing)}, {wall})"
    if small:
        when = f"the whole work is too short to share out ({_took(small)})"
    else:
        when = (
            f"nothing else gains enough; every gain here is over its {numbers.seconds(some.wall_s)} in {_case(seen[0])}"
        )
    return what_for, answer, when


def _threads(seen: Sequence[Seen]) -> tuple[str, str, str]:
    waits, released, held = _first(seen, "waiting", "mixed"), _first(seen, "released"), _first(seen, "held")
    gil = seen[0].facts.gil
    answers = []
    if held:
        why = "no where the GIL is held, as by pure Python" if gil else f"no in {_case(held)}, though there is no GIL"
        answers.append(f"{why} ({_figures(held)})")
    if released:
        why = "yes where C code releases the GIL" if gil else "yes, there is no GIL"
        answers.append(f"{why} ({_figures(released)})")
    answers += [f"{_yes_or_no(one)} in {_case(one)} ({_figures(one)})" for one in seen if one.kind == "computing"]
    uses = [f"your libraries block while they wait ({_saved(waits)})"] if _gained(waits) else []
    if released:
        uses.append(f"{'C code does the computing' if gil else 'the work computes'} ({_saved(released)})")
    return (
        _for_waiting("calls that wait", waits, seen),
        "; ".join(answers) or NOT_MEASURED,
        "; ".join(uses) or _no_use(seen),
    )


def _asyncio(seen: Sequence[Seen]) -> tuple[str, str, str]:
    waits, computes = _first(seen, "waiting", "mixed"), _first(seen, *COMPUTING_KINDS)
    if computes is None:
        answer = NOT_MEASURED
    elif computes.facts.wrapped:
        answer = f"no, nothing awaits and all of it stays on one core ({_figures(computes)})"
    else:
        answer = f"{_yes_or_no(computes)} ({_figures(computes)})"
    when = f"an async library makes the calls ({_saved(waits)})" if _gained(waits) else _no_use(seen)
    return _for_waiting("very many calls that wait, in async code", waits, seen), answer, when


def _processes(seen: Sequence[Seen]) -> tuple[str, str, str]:
    computing = [one for one in seen if one.kind in COMPUTING_KINDS]
    held, small = _first(seen, "held", "computing", "released"), _first(seen, "small")
    what_for = _best_shown(seen)
    if held is not None and _gained(held):
        what_for = f"computing in Python on several cores ({_figures(held)})"
    answers = [f"{_yes_or_no(one)} in {_case(one)} ({_figures(one)})" for one in computing]
    uses = []
    if held is not None and _gained(held):
        startup = numbers.seconds(held.facts.startup_s)
        uses.append(f"the work computes and lasts longer than start-up, {startup} here ({_saved(held)})")
    if small:
        plain = small.facts.base["wall_median_s"] if small.facts.base else None
        uses.append(
            f"not for {_case(small)} ({numbers.seconds(small.facts.wall_s)} against {numbers.seconds(plain)} plainly)"
        )
    return what_for, "; ".join(answers) or NOT_MEASURED, "; ".join(uses) or _no_use(seen)


def _other(seen: Sequence[Seen]) -> tuple[str, str, str]:
    answers = [f"{_yes_or_no(one)} in {_case(one)} ({_figures(one)})" for one in seen if one.kind in COMPUTING_KINDS]
    return _best_shown(seen), "; ".join(answers) or NOT_MEASURED, _no_use(seen)


_CELLS: dict[str, Callable[[Sequence[Seen]], tuple[str, str, str]]] = {
    "sync": _sync,
    "threads": _threads,
    "asyncio": _asyncio,
    "processes": _processes,
}


# ---- the pieces that cells are made of


def _first(seen: Sequence[Seen], *kinds: str) -> Seen | None:
    """Return the example of the first of these kinds that there is one of."""
    return next((one for kind in kinds for one in seen if one.kind == kind), None)


def _gained(one: Seen | None) -> bool:
    return one is not None and one.facts.outcome == "gain"


def _yes_or_no(one: Seen) -> str:
    """Return whether an approach sped up the computing of a case; a gain on one core was none of its own."""
    if one.facts.outcome == "gain" and (one.facts.busy or SEVERAL_CORES) >= SEVERAL_CORES:
        return "yes"
    if one.facts.disturbed or one.facts.plain_denied >= DENIED_SHARE:
        return "unclear, on a busy machine,"
    return "unclear" if one.facts.outcome in ("gain", "unclear") else "no"


def _case(one: Seen) -> str:
    return f"“{one.case}”"


def _busy(one: Seen) -> str:
    return "busy cores unknown" if one.facts.busy is None else f"{busy_words(one.facts.busy)} busy"


def _figures(one: Seen) -> str:
    busy = "" if one.facts.busy is None else f", {_busy(one)}"
    return f"{numbers.times(one.facts.gain)}{busy}"


def _took(one: Seen) -> str:
    return f"{numbers.seconds(one.facts.wall_s)} in {_case(one)}"


def _saved(one: Seen | None) -> str:
    if one is None or one.facts.base is None:
        return NOT_MEASURED
    return (
        f"{numbers.seconds(one.facts.base['wall_median_s'])} became {numbers.seconds(one.facts.wall_s)} in {_case(one)}"
    )


def _for_waiting(what: str, waits: Seen | None, seen: Sequence[Seen]) -> str:
    if waits is None:
        return f"{what} ({NOT_MEASURED}; {_best_shown(seen)})"
    figures = f"{numbers.times(waits.facts.gain)} with {waits.facts.at_once} at once"
    return (
        f"{what} ({figures})" if _gained(waits) else f"{what}, though it gained nothing in {_case(waits)} ({figures})"
    )


def _best_shown(seen: Sequence[Seen]) -> str:
    best = max(seen, key=lambda one: one.facts.gain)
    if best.facts.base is None:
        return f"no plain run to compare with; {_took(best)}"
    return f"at best {numbers.times(best.facts.gain)} here, in {_case(best)}"


def _no_use(seen: Sequence[Seen]) -> str:
    gains = [one for one in seen if _gained(one)]
    if gains:
        return f"the work is like {_case(gains[0])} ({_saved(gains[0])})"
    return f"not for any of these cases ({_best_shown(seen)})"
