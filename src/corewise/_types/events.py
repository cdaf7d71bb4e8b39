"""What a run tells while it goes on: one frozen record per kind of news."""

from __future__ import annotations

from corewise._types.record import Record


class Progress(Record):
    """How far a run has come; what `progress=` hands to a callable.

    Attributes:
        kind: ``"started"`` (once, before the first item), ``"advanced"`` (at most ten a second) or ``"finished"``
            (once, also after a failure).
        approach: the approach that runs the items now.
        workers: number of workers.
        done: items finished, failures included.
        failed: items that raised or lost their worker.
        total: number of items; None while the input's length is unknown.
        elapsed_s: seconds since the run began.
        rate_per_s: items finished per second so far; None before the first item is done.
        remaining_s: estimated seconds to the end; None when the total or the rate is unknown.
    """

    kind: str
    approach: str
    workers: int
    done: int
    failed: int
    total: int | None
    elapsed_s: float
    rate_per_s: float | None
    remaining_s: float | None


class Trial(Record):
    """News of a comparison; what `compare(progress=...)` hands to a callable.

    Attributes:
        kind: ``"case"`` (a case begins: nothing but `case` is meaningful), ``"warm-up"`` (the first item is about to
            run untimed), ``"started"`` (an approach is about to run), ``"finished"`` (it has run), ``"waiting"``
            (still running; sent about five times a second, so that a clock can tick) or ``"end"`` (the case is
            complete).
        case: name of the case.
        approach: label of the approach, such as ``"processes"`` or ``"processes:4"``; empty when none is running.
        round: number of the round, from 1; 0 during the warm-up.
        rounds: rounds planned; it may fall when the budget runs short, None while unknown.
        wall_s: seconds the trial took; None unless `kind` is ``"finished"`` and it did not fail.
        elapsed_s: seconds since the case began.
        budget_s: seconds the case may take.
    """

    kind: str
    case: str
    approach: str = ""
    round: int = 0
    rounds: int | None = None
    wall_s: float | None = None
    elapsed_s: float = 0.0
    budget_s: float = 0.0
