"""What was chosen and why, and what the run then cost."""

from __future__ import annotations

from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.measurement import Estimate, Measurement

APPROACHES = ("sync", "threads", "asyncio", "processes")


class Choice(Record):
    """Which approach runs the items, and why.

    Attributes:
        approach: ``"sync"``, ``"threads"``, ``"asyncio"`` or ``"processes"``.
        workers: number of workers: threads, processes, or coroutines at once.
        asked: what the caller asked for: ``"auto"`` or the approach's name.
        code: short stable name of the reason, such as ``"computes"``; the sentence is `why`.
        why: the reason as a sentence.
        measurement: what the first items told; None when nothing was measured.
        estimates: what each approach was predicted to take for the items that remained: the chosen one first, then by
            time, those that could not be used last. Empty when nothing was predicted, since nothing, or next to
            nothing, remained.
        per_worker: calls that each worker runs at once: 1, but for processes that have several threads or coroutines.
    """

    approach: str
    workers: int
    asked: str
    code: str
    why: str
    measurement: Measurement | None = None
    estimates: tuple[Estimate, ...] = ()
    per_worker: int = 1

    def __str__(self) -> str:
        each = f" with {self.per_worker} calls at once each" if self.per_worker > 1 else ""
        return f"{self.approach}, {self.workers} worker{'s' * (self.workers != 1)}{each}: {self.why}"


class Stats(Record):
    """What a run cost.

    Attributes:
        wall_s: seconds from the call to its end, start and end of the workers included.
        cpu_s: CPU seconds of this process and of all workers during the call. Other threads of this process count too.
        workers_cpu_s: the part of `cpu_s` that was spent in worker processes.
        queued_s: seconds for which workers were ready to run while other programs had the cores, all workers together;
            None where the system does not tell. Of the caller's first millisecond in an automatic run it is not known,
            nor of a run that was known to be over at once.
        cores_busy: `cpu_s` / `wall_s`: how many cores the run kept busy on average.
        items: items finished, failures included.
        failures: items that raised or lost their worker.
        workers: workers that were started (1 for ``"sync"``; coroutines at once for ``"asyncio"``).
        worker_deaths: worker processes that ended before their time.
        startup_s: seconds until every worker that was started was ready; 0 where there is nothing to start.
        peak_memory_bytes: memory that the worker processes held at their peaks, without what they share with the
            caller; 0 without worker processes, None where the system cannot tell.
        retries: how often items were run again after they had failed.
        predicted_s: seconds that what remained was predicted to take when an automatic choice was made, or anew when
            items had become others, with at least half of them left; None where nothing was predicted, or 4 ms at
            most.
        chosen_s: seconds that this then took, from the prediction to the end; 0 where nothing was predicted.
    """

    wall_s: float
    cpu_s: float
    workers_cpu_s: float
    queued_s: float | None
    cores_busy: float
    items: int
    failures: int
    workers: int
    worker_deaths: int = 0
    startup_s: float = 0.0
    peak_memory_bytes: int | None = 0
    retries: int = 0
    predicted_s: float | None = None
    chosen_s: float = 0.0


class Failed(Record):
    """An item that failed, as listed in `Results.failures`.

    Attributes:
        index: position of the item in the input, from 0.
        item: repr of the item, shortened.
        error: the exception, with the worker's traceback as its cause where it came from another process.
    """

    index: int
    item: str
    error: BaseException
