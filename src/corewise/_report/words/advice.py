"""Which approach to recommend, and why: the fastest, unless a simpler one is as fast."""

from __future__ import annotations

from corewise._report.words.figures import (
    COMPUTING_SHARE,
    DENIED_SHARE,
    EQUAL,
    EQUAL_IN_NOISE,
    EQUAL_ONE_ROUND,
    SEVERAL_CORES,
    SEVERAL_ROUNDS,
    Facts,
    overlap,
)
from corewise._report.words.verdicts import busy_words
from corewise._types import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from corewise._types.comparison import Difference, Recommendation, Row

# From the simplest to the one that asks most of a program; an approach that is not listed comes last.
SIMPLEST_FIRST = ("sync", "asyncio", "threads", "processes")
ASIDES = 3  # other approaches that a reason mentions; more would bury the point


def recommend(rows: Sequence[Facts], difference: Difference | None) -> Recommendation | None:
    """Return what to use, with a reason that quotes the figures.

    Args:
        rows: the facts of a case's rows.
        difference: the first differing result. An approach that differs is not recommended, however fast it is.

    Returns:
        The simplest of the rows that are as fast as the fastest (within 5 %, or 10 % if rounds overlap or are single).
        An event loop around a plain function is no way to write a program, so it is left out. None where no approach
        ran to its end.
    """
    able = [facts for facts in rows if facts.outcome not in ("failed", "skipped")]
    trusted = [facts for facts in able if not differs(facts, difference)]
    candidates = [facts for facts in trusted if not facts.wrapped] or trusted
    if not candidates:
        return None
    fastest = min(candidates, key=lambda facts: facts.wall_s)
    tied = [facts for facts in candidates if as_fast(facts.row, fastest.row)]
    best = min(tied, key=_simplicity)
    left_out = [facts for facts in able if facts not in trusted]
    others = [facts for facts in rows if facts not in [*tied, *left_out]]
    parts = [_main_reason(best, candidates, tied), *_asides(best, others)]
    parts += [f"{facts.row['label']} left out, since its results differ" for facts in left_out]
    return {"approach": best.row["label"], "reason": "; ".join(parts) + "."}


def as_fast(row: Row, fastest: Row) -> bool:
    """Return whether a row is as fast as the fastest: within 5 %, or 10 % if rounds overlap or there is only one."""
    ratio = (row["wall_median_s"] or 0.0) / (fastest["wall_median_s"] or 1.0)
    once = min(len(row["wall_s"]), len(fastest["wall_s"])) < SEVERAL_ROUNDS
    return ratio <= (EQUAL_ONE_ROUND if once else EQUAL) or (ratio <= EQUAL_IN_NOISE and overlap(row, fastest))


def differs(facts: Facts, difference: Difference | None) -> bool:
    """Return whether an approach gave other results than the plain run."""
    named = difference is not None and difference["approach"] == facts.row["label"]
    return facts.row.get("differs", named)


def _simplicity(facts: Facts) -> tuple[int, int, float]:
    name = facts.row["approach"]
    rank = SIMPLEST_FIRST.index(name) if name in SIMPLEST_FIRST else len(SIMPLEST_FIRST)
    return rank, facts.row["workers"], facts.wall_s


def _main_reason(best: Facts, candidates: Sequence[Facts], tied: Sequence[Facts]) -> str:
    wall = numbers.seconds(best.wall_s)
    if best.outcome == "baseline":
        return _plainly(best, [facts for facts in candidates if facts is not best])
    if best.base is None:
        return f"{wall}, the fastest of what ran to its end; without a plain run its gain is not known"
    plain = numbers.seconds(best.base["wall_median_s"])
    if best.outcome == "loss" or (best.outcome == "same" and best.gain <= 1):
        return f"{wall} against {plain} plainly, the fastest of what can be trusted"
    one_round = " in its one round" if best.rounds == 1 else ""
    by = f", by {best.twin}" if best.twin else ""
    gained = f"{wall} against {plain} plainly, {numbers.factor(best.gain)} times faster{one_round}{_where(best)}{by}"
    if best.outcome == "unclear":
        gained += ", though the rounds overlap, so repeat it before relying on it"
    elif best.work != "waiting" and best.plain_denied >= DENIED_SHARE and (best.busy or 0.0) < SEVERAL_CORES:
        gained += ", though on a busy machine, so repeat it before relying on it"
    rivals = [facts.row["label"] for facts in tied if facts is not best]
    if rivals:
        gained += f"; {_listed(rivals)} just as fast but no simpler"
    return gained


def _where(best: Facts) -> str:
    if best.busy is not None and best.busy >= SEVERAL_CORES:
        return f" on {best.usable_cores} cores"
    if best.work == "waiting":
        return f" with {best.at_once} at once"
    return ""


def _plainly(best: Facts, rivals: Sequence[Facts]) -> str:
    wall = numbers.seconds(best.wall_s)
    if not rivals:
        return f"Run it plainly: {wall}, and nothing else ran to its end with results to be trusted"
    closest = min(rivals, key=lambda facts: facts.wall_s)
    if closest.wall_s < best.wall_s:
        return (
            f"Run it plainly: {wall}; {closest.row['label']} took {numbers.seconds(closest.wall_s)}, "
            "too small a difference to be worth a change"
        )
    return f"Run it plainly: {wall}, and nothing was faster"


def _asides(best: Facts, others: Sequence[Facts]) -> list[str]:
    """Return a short remark on the best row of every other approach."""
    best_of: dict[str, Facts] = {}
    for facts in others:
        name = facts.row["approach"]
        known = best_of.get(name)
        if name not in ("sync", best.row["approach"]) and (known is None or 0 < facts.wall_s < known.wall_s):
            best_of[name] = facts
    return [_aside(facts) for facts in list(best_of.values())[:ASIDES]]


def _aside(facts: Facts) -> str:
    label = facts.row["label"]
    if facts.outcome in ("failed", "skipped"):
        return f"{label} {'failed' if facts.outcome == 'failed' else 'was skipped'}"
    if facts.outcome == "alone":
        return f"{label} took {numbers.seconds(facts.wall_s)}"
    if facts.startup_s >= 0.5 * facts.wall_s:
        return f"{label} took {numbers.seconds(facts.wall_s)}, {numbers.seconds(facts.startup_s)} of it start-up"
    if facts.wrapped:
        return f"{label} {numbers.times(facts.gain)}, {'since' if facts.gain < EQUAL else 'though'} nothing awaits"
    busy = facts.busy
    if facts.outcome in ("same", "loss") and facts.work == "computing" and busy is not None and busy >= COMPUTING_SHARE:
        return f"{label} kept {busy_words(busy)} busy ({numbers.times(facts.gain)})"
    return f"{label} {numbers.times(facts.gain)}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
