"""The comparison document: one versioned JSON object that feeds the table, the page and any script.

Everything that is drawn is drawn from this document alone, so a stored one shows the same later. A change of meaning
or the loss of a key raises `VERSION`; a new key does not.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

FORMAT = "corewise-comparison"
VERSION = 1


class Machine(TypedDict):
    """Facts of the machine and the interpreter that the figures belong to."""

    python: str  # "3.11.7"
    implementation: str  # "CPython"
    gil: bool  # False on a free-threaded build that runs without it
    system: str  # "Linux"
    release: str
    cpu: str  # model name, "" when unknown
    cores: int  # cores this process may use (affinity and quota counted)
    logical_cores: int  # cores the machine has
    memory_bytes: int | None
    load_average: float | None  # over one minute, when the comparison began


class Row(TypedDict):
    """One approach in one case. Times in seconds; medians over the rounds."""

    approach: str  # "sync", "threads", "asyncio", "processes"
    label: str  # as asked for: "processes" or "processes:4"
    workers: int  # threads, processes, or coroutines at once
    status: Literal["ok", "failed", "skipped"]
    problem: str | None  # a sentence when failed or skipped
    runs: (
        str  # what was run: "function", "async function", "function wrapped in a coroutine", "coroutine run to its end"
    )
    wall_s: list[float]  # one per round, start-up of workers included
    wall_median_s: float | None
    wall_low_s: float | None
    wall_high_s: float | None
    startup_s: (
        float | None
    )  # the part of the wall time until every worker was ready; None where there is nothing to start
    cpu_s: float | None  # CPU seconds of the caller and all workers
    cores_busy: float | None  # cpu_s / wall_s, both of the same round, median
    queued_s: float | None  # seconds the workers stood in line for a core, all together; None where unknown
    speedup: float | None  # median wall of sync / median wall of this one
    efficiency: float | None  # speedup / cores this approach could use: min(workers, machine cores)
    peak_memory_bytes: int | None  # of the program and its workers together; None where the system cannot tell
    differs: NotRequired[bool]  # whether any of its results was another than that of the plain run
    predicted_s: NotRequired[float | None]  # what was predicted from a sample; None where there was none
    predicted_low_s: NotRequired[float | None]  # ends of the band of that prediction
    predicted_high_s: NotRequired[float | None]
    use_for: str  # what the approach is used for
    verdict: str  # what these figures say, in words


class Difference(TypedDict):
    """The first item whose result differs between two approaches."""

    approach: str
    against: str
    item: int
    item_repr: str
    expected: str
    got: str


class Note(TypedDict):
    """Something a reader must know to trust or doubt the figures. `code` is stable, `text` ends in advice."""

    # "share", "one-round", "noisy", "busy-machine", "different-results", "in-process", "too-short", "choice-differs" or
    # "prediction-off"
    code: str
    text: str


class Recommendation(TypedDict):
    """What to use for this work, and why, in words that follow from the figures."""

    approach: str  # label of the row
    reason: str


class Advised(TypedDict):
    """What `corewise.advise` says from a sample, before anything was compared."""

    approach: str
    workers: int
    code: str  # stable name of the reason
    why: str  # the reason as a sentence
    items: int  # that were run as a sample
    costs: list[str]  # what would make it faster, sentences


class Case(TypedDict):
    """One function over one list of items, run by several approaches."""

    name: str
    about: str  # one sentence for a newcomer, "" for a user's own function
    function: str  # "module.function"
    async_function: str | None
    kind: Literal["function", "coroutine function"]
    items: int
    items_run: int  # smaller than `items` when the budget allowed only a share
    first_item: str  # repr, shortened
    rounds: int
    warm_up_s: float | None  # what the first, untimed call took
    spent_s: float
    budget_s: float
    rows: list[Row]
    difference: Difference | None
    notes: list[Note]
    recommendation: Recommendation | None
    advice: NotRequired[Advised | None]  # None where no sample could be taken


class LessonRow(TypedDict):
    """One line of the closing table over several cases; every text quotes figures of the rows above."""

    approach: str
    what_for: str
    speeds_up_computing: str
    when: str


class Document(TypedDict):
    """A whole comparison."""

    format: str
    version: int
    corewise: str  # version that measured
    created: str  # ISO 8601, UTC
    machine: Machine
    cases: list[Case]
    lesson: list[LessonRow]  # empty unless several cases were run
