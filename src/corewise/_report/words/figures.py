"""What the figures of a row amount to: the pure decisions that the words, the table and the page all share."""

from __future__ import annotations

from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from corewise._types.comparison import Case, Machine, Row

    Outcome = Literal["baseline", "gain", "same", "loss", "unclear", "alone", "failed", "skipped"]
    Work = Literal["computing", "waiting", "mixed", "several cores", "unknown"]

# The limits below are guesses, chosen on both sides of figures that are far apart: computing measures 0.95 and more,
# waiting 0.05 and less.
COMPUTING_SHARE = 0.8  # CPU seconds per second of the plain run, from which the work counts as computing
WAITING_SHARE = 0.2  # and up to which it counts as waiting
SEVERAL_CORES = 1.25  # cores busy from which more than one core did the work
FULL_SHARE = 0.85  # part of the possible gain that counts as all of it

EQUAL = 1.05  # two times within this factor are called equal: nobody should change a program for less
EQUAL_ONE_ROUND = 1.10  # the same where one round leaves no spread to judge by
EQUAL_IN_NOISE = 1.10  # and where the rounds of both overlap
NOISY_SHARE = 0.10  # spread of the rounds as a part of the median, from which it is called noisy
SEVERAL_ROUNDS = 2  # the fewest that have a spread
LEAST_CPU_SHARE = 0.01  # CPU seconds per second of the plain run, below which a growth says nothing
DENIED_SHARE = 0.1  # part of the usable cores that other programs had, from which it explains something
TOO_SHORT_S = 1e-3  # a run below this measures the clock and the hand-over rather than the work

WRAPPED = "function wrapped in a coroutine"  # how a row says that its coroutine never awaits


class Facts(Record):
    """One row beside the plain run of its case, with what follows from the two.

    Attributes:
        row: the row.
        base: the plain (sync) row that it is compared with; None where there is none that ran.
        outcome: what became of the time.
        work: what the plain run shows the work to be.
        rounds: rounds that the row was timed.
        items: items that were run.
        cores: cores that this process may use.
        gil: whether the interpreter has a GIL.
        twin: name of the async function that the row ran in the place of the plain one; empty where it did not.
    """

    row: Row
    base: Row | None
    outcome: Outcome
    work: Work
    rounds: int
    items: int
    cores: int
    gil: bool
    twin: str = ""

    @property
    def wall_s(self) -> float:
        """Median seconds of the row, 0 where it did not run."""
        return self.row["wall_median_s"] or 0.0

    @property
    def busy(self) -> float | None:
        """Cores that were busy, None where the system cannot tell."""
        return busy_cores(self.row)

    @property
    def gain(self) -> float:
        """How many times faster than the plain run; 1 where there is nothing to compare."""
        return speedup(self.row, self.base) or 1.0

    @property
    def at_once(self) -> int:
        """Items that could be under way at once."""
        return max(1, min(self.row["workers"], self.items))

    @property
    def usable_cores(self) -> int:
        """Cores that this approach could compute on."""
        return max(1, min(self.at_once, self.cores))

    @property
    def wrapped(self) -> bool:
        """Whether an event loop ran a plain function, which never lets go of it."""
        return self.row["runs"] == WRAPPED

    @property
    def denied(self) -> float:
        """How many of the cores that its workers could have used other programs had.

        Workers that outnumber the cores stand in line for one another, so no more than all usable cores count.
        """
        got = self.busy
        if got is None:
            return 0.0
        return max(0.0, min(wanted_cores(self.row) or got, self.usable_cores) - got)

    @property
    def disturbed(self) -> bool:
        """Whether other programs had enough of the cores to matter."""
        return self.denied >= DENIED_SHARE * self.usable_cores

    @property
    def plain_denied(self) -> float:
        """The part of the plain run's time that it stood in line for a core that other programs had."""
        busy = None if self.base is None else busy_cores(self.base)
        if self.base is None or busy is None:
            return 0.0
        return max(0.0, min(wanted_cores(self.base) or busy, 1.0) - busy)

    @property
    def startup_s(self) -> float:
        """Seconds until the workers were ready, 0 where there is nothing to start."""
        return self.row["startup_s"] or 0.0

    @property
    def cpu_growth(self) -> float | None:
        """CPU seconds as a multiple of the plain run's; None where either is unknown or too little to divide by."""
        plain_s = self.base["cpu_s"] if self.base else None
        if self.base is None or plain_s is None or self.row["cpu_s"] is None:
            return None
        enough = plain_s > LEAST_CPU_SHARE * (self.base["wall_median_s"] or 0.0)
        return self.row["cpu_s"] / plain_s if enough else None


def facts_of(case: Case, machine: Machine) -> list[Facts]:
    """Return the facts of every row of a case, in the order of its rows."""
    base = baseline(case)
    return [
        Facts(
            row=row,
            base=base,
            outcome=outcome(row, base),
            work=work_of(base),
            rounds=len(row["wall_s"]),
            items=case["items_run"],
            cores=max(1, machine["cores"]),
            gil=machine["gil"],
            twin=twin_of(row, case),
        )
        for row in case["rows"]
    ]


def twin_of(row: Row, case: Case) -> str:
    """Return the name of the async function that a row ran in the place of the plain one; empty where it did not."""
    return (case["async_function"] or "") if row["approach"] == "asyncio" else ""


def label_with_twin(label: str, case: Case) -> str:
    """Return a row's label, with what it ran where that was another function: ``"asyncio (work.fetch_async)"``."""
    twin = next((twin_of(row, case) for row in case["rows"] if row["label"] == label), "")
    return f"{label} ({twin})" if twin else label


def baseline(case: Case) -> Row | None:
    """Return the row of the plain run, None if it was not asked for or did not get to its end."""
    return next((row for row in case["rows"] if row["approach"] == "sync" and ran(row)), None)


def ran(row: Row) -> bool:
    """Return whether a row has a time to speak of."""
    return row["status"] == "ok" and row["wall_median_s"] is not None and row["wall_median_s"] > 0


def speedup(row: Row, base: Row | None) -> float | None:
    """Return how many times faster a row is than the plain one; None where either has no time."""
    if row["speedup"] is not None:
        return row["speedup"]
    if base is None or not ran(row):
        return None
    return (base["wall_median_s"] or 0.0) / (row["wall_median_s"] or 1.0)


def busy_cores(row: Row) -> float | None:
    """Return how many cores a row kept busy on average."""
    if row["cores_busy"] is not None:
        return row["cores_busy"]
    if row["cpu_s"] is None or not ran(row):
        return None
    return row["cpu_s"] / (row["wall_median_s"] or 1.0)


def efficiency(row: Row, base: Row | None) -> float | None:
    """Return the gain per core; None where the work waits, which takes no cores and so says nothing about them."""
    return None if work_of(base) == "waiting" else row["efficiency"]


def wanted_cores(row: Row) -> float | None:
    """Return how many cores a row kept busy or stood in line for: what it would have used on a machine of its own."""
    busy = busy_cores(row)
    if busy is None or row["queued_s"] is None or not ran(row):
        return busy
    return busy + row["queued_s"] / (row["wall_median_s"] or 1.0)


def work_of(base: Row | None) -> Work:
    """Return what kind of work the plain run was, by the share of its time that it computed or wanted to."""
    busy = None if base is None else busy_cores(base)
    if base is None or busy is None:
        return "unknown"
    if busy >= SEVERAL_CORES:
        return "several cores"
    # Standing in line for a core is not waiting: it wanted to compute.
    wanted = wanted_cores(base) or busy
    if wanted >= COMPUTING_SHARE:
        return "computing"
    return "waiting" if wanted <= WAITING_SHARE else "mixed"


def outcome(row: Row, base: Row | None) -> Outcome:
    """Judge a row's time against the plain run's; within the spread of the rounds it is neither gain nor loss."""
    if row["status"] == "skipped":
        return "skipped"
    if not ran(row):
        return "failed"
    if base is None:
        return "alone"
    if row is base:
        return "baseline"
    gain = speedup(row, base) or 1.0
    equal = EQUAL_ONE_ROUND if min(len(row["wall_s"]), len(base["wall_s"])) < SEVERAL_ROUNDS else EQUAL
    if 1 / equal <= gain <= equal:
        return "same"
    if overlap(row, base):
        return "same" if 1 / EQUAL_IN_NOISE <= gain <= EQUAL_IN_NOISE else "unclear"
    if gain > 1:
        # What never awaits runs one call after another: whatever made it faster, the event loop did not.
        return "unclear" if row["runs"] == WRAPPED else "gain"
    return "loss"


def overlap(row: Row, other: Row) -> bool:
    """Return whether the rounds of two rows overlap, so that their order may be chance."""
    return low(row) <= high(other) and low(other) <= high(row)


def low(row: Row) -> float:
    """Return the seconds of the fastest round."""
    return (row["wall_low_s"] if row["wall_low_s"] is not None else row["wall_median_s"]) or 0.0


def high(row: Row) -> float:
    """Return the seconds of the slowest round."""
    return (row["wall_high_s"] if row["wall_high_s"] is not None else row["wall_median_s"]) or 0.0


def spread_share(row: Row) -> float:
    """Return the spread of the rounds as a part of the median; 0 with fewer than two rounds."""
    if not ran(row) or len(row["wall_s"]) < SEVERAL_ROUNDS:
        return 0.0
    return (high(row) - low(row)) / (row["wall_median_s"] or 1.0)


def slowest_s(rows: Iterable[Row]) -> float:
    """Return the longest time that a picture of these rows has to hold, whiskers included."""
    return max((max(high(row), row["wall_median_s"] or 0.0) for row in rows if ran(row)), default=0.0)
