"""The rows of the table: what is measured, in which unit, what has to be reached. Pure: figures in, verdicts out."""

from __future__ import annotations

import statistics

from _libraries import OURS

from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Target(Record):
    """What a row has to reach.

    Attributes:
        times: how many times better than the best of `whom` our figure has to be; 0.0 for a target of `at_most` alone.
        whom: the peers meant; empty for all of them.
        at_most: the figure itself must not be above this; None where it is compared with peers.
    """

    times: float = 0.0
    whom: tuple[str, ...] = ()
    at_most: float | None = None


class Row(Record):
    """One line of the table.

    Attributes:
        title: what the work is.
        unit: of the figure, as shown.
        scale: factor from the stored figure to the shown one.
        targets: all to be reached; empty for a row that only informs.
        more_is_better: whether a larger figure is the better one.
        limit: what stands beside it as the physical limit; empty for none.
        heavy: whether a round takes so long that fewer are run.
        ours_times: how many rounds of ours there are for each of the others.
        least: rounds of each library, however few were asked for: where one that is run less often than the others may
            be the best, and comes out twice as fast at one time as at another.
    """

    title: str
    unit: str
    scale: float
    targets: tuple[Target, ...] = ()
    more_is_better: bool = False
    limit: str = ""
    heavy: bool = False
    ours_times: int = 1
    least: int = 1


def _uneven(title: str) -> Row:
    """Return a row whose target is nearer to what is reached than single rounds are to each other."""
    return Row(title=title, unit="×", scale=1.0, targets=(Target(at_most=1.04),), heavy=True, ours_times=6)


ROWS: dict[str, Row] = {
    "start": Row(
        title="interpreter start to result of the first small map, whole process",
        unit="ms",
        scale=1e3,
        targets=(Target(times=1.2),),
        limit="bare interpreter",
    ),
    "round_trip": Row(
        title="submit(f, x).result() round trip, warm",
        unit="µs",
        scale=1e6,
        targets=(Target(times=2.0),),
        limit="raw pipe",
    ),
    "futures": Row(
        title="20,000 futures, then all results, per task",
        unit="µs",
        scale=1e6,
        targets=(Target(times=3.0),),
    ),
    "tiny_map": Row(
        title="map of 300,000 tiny calls, no chunk size given, per item",
        unit="µs",
        scale=1e6,
        targets=(Target(times=1.0),),
        limit="plain loop",
    ),
    "tiny_map_warm": Row(
        title="the same with workers that run already",
        unit="µs",
        scale=1e6,
        limit="plain loop",
    ),
    "heavy_tail": _uneven("heavy tail, time over the lower bound"),
    "sorted_up": _uneven("sorted, longest last"),
    "sorted_down": _uneven("sorted, longest first"),
    "one_giant": _uneven("one giant"),
    "heavy_tail_warm": _uneven("heavy tail, workers that run already"),
    "sorted_up_warm": _uneven("sorted, longest last, the same"),
    "sorted_down_warm": _uneven("sorted, longest first, the same"),
    "one_giant_warm": _uneven("one giant, the same"),
    "arrays_in": Row(
        title="64 MB NumPy arrays, distinct, in, warm",
        unit="GB/s",
        scale=1e-9,
        more_is_better=True,
        targets=(
            Target(times=3.0, whom=("joblib",)),
            Target(times=8.0, whom=("Pool", "ProcessPoolExecutor", "loky", "mpire")),
        ),
        limit="one copy",
        heavy=True,
        least=3,
    ),
    "arrays_in_out": Row(
        title="64 MB NumPy arrays, distinct, in and out, warm",
        unit="GB/s",
        scale=1e-9,
        more_is_better=True,
        targets=(Target(times=5.0),),
        limit="plain loop",
        heavy=True,
        least=3,
    ),
    "array_to_all": Row(
        title="one 64 MB array to 16 tasks",
        unit="GB/s",
        scale=1e-9,
        more_is_better=True,
        targets=(Target(times=1.0, whom=("joblib",)),),
        limit="one copy",
        heavy=True,
        least=3,
    ),
    "small_arrays": Row(
        title="80 kB arrays in and out, per task",
        unit="µs",
        scale=1e6,
        targets=(Target(times=2.5),),
        limit="plain loop",
    ),
    "stream_memory": Row(
        title="parent's memory over 1,000,000 streamed items, slow consumer",
        unit="MB",
        scale=1e-6,
        targets=(Target(at_most=5e6),),
        heavy=True,
    ),
}


class Verdict(Record):
    """How our figure stands to the others of its row.

    Attributes:
        best: the best peer's name; empty without peers.
        times: how many times better than it ours is; None when either is missing.
        met: whether all targets are reached; None when nothing is asked for or known.
        reached: for each target, how many times better than the best of whom it names (or the figure itself) ours is.
    """

    best: str
    times: float | None
    met: bool | None
    reached: tuple[float | None, ...]


def judge(row: Row, medians: dict[str, float]) -> Verdict:
    """Return how ours stands to the others.

    Args:
        row: the row.
        medians: the median figure of each library that has one, ours among them.
    """
    peers = {name: figure for name, figure in medians.items() if name != OURS}
    ours = medians.get(OURS)
    best = _best(row, peers)
    reached = tuple(_reached(row, target, ours, peers) for target in row.targets)
    known = [value for value in reached if value is not None]
    met = None
    if row.targets and len(known) == len(reached):
        met = all(_holds(target, value) for target, value in zip(row.targets, known, strict=True))
    times = None if ours is None or not best else _times(row, ours, peers[best])
    return Verdict(best=best, times=times, met=met, reached=reached)


def median(values: list[float]) -> float:
    """Return the median of some rounds."""
    return statistics.median(values)


def target_text(row: Row) -> str:
    """Return what the row asks for, in words."""
    return ", ".join(_one_target_text(row, target) for target in row.targets) or "–"


def _one_target_text(row: Row, target: Target) -> str:
    if target.at_most is not None:
        unit = "" if row.unit == "×" else f" {row.unit}"
        return f"≤ {target.at_most * row.scale:g}{unit}"
    whom = {0: "best peer", 1: "".join(target.whom)}.get(len(target.whom), "the others")
    return f"{target.times:g} × {whom}"


def _best(row: Row, peers: dict[str, float]) -> str:
    better: Callable[..., str] = max if row.more_is_better else min
    return better(peers, key=peers.__getitem__) if peers else ""


def _times(row: Row, ours: float, theirs: float) -> float:
    upper, lower = (ours, theirs) if row.more_is_better else (theirs, ours)
    return upper / lower if lower > 0 else float("inf")


def _reached(row: Row, target: Target, ours: float | None, peers: dict[str, float]) -> float | None:
    if ours is None or target.at_most is not None:
        return ours
    meant = {name: figure for name, figure in peers.items() if not target.whom or name in target.whom}
    best = _best(row, meant)
    return _times(row, ours, meant[best]) if best else None


def _holds(target: Target, value: float) -> bool:
    return value <= target.at_most if target.at_most is not None else value >= target.times
