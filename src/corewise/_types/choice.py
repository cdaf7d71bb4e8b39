"""What was chosen and why, and what the run then cost."""

from __future__ import annotations

from corewise._types.record import Record

APPROACHES = ("sync", "threads", "asyncio", "processes")


class Sample(Record):
    """What the first items, run in the caller as real work, told.

    Attributes:
        items: number of items run.
        wall_s: seconds they took.
        cpu_s: CPU seconds of the calling thread meanwhile. Other threads, of native libraries for instance, may go on
            with what was before.
        queued_s: seconds for which it stood in line for a core that other programs had; 0 where the system cannot tell.
        remaining: items left; None while the input's length is unknown.
    """

    items: int
    wall_s: float
    cpu_s: float
    remaining: int | None
    queued_s: float = 0.0

    @property
    def cpu_share(self) -> float:
        """Share of the time that was computing: about 1 for computing, about 0 for waiting.

        Time in line for a core counts as neither: on a busy machine a computation would seem to wait.
        """
        own_s = max(self.wall_s - self.queued_s, self.cpu_s)
        return self.cpu_s / own_s if own_s > 0 else 0.0

    @property
    def item_s(self) -> float:
        """Mean seconds an item took."""
        return self.wall_s / self.items if self.items else 0.0


class Choice(Record):
    """Which approach runs the items, and why.

    Attributes:
        approach: ``"sync"``, ``"threads"``, ``"asyncio"`` or ``"processes"``.
        workers: number of workers: threads, processes, or coroutines at once.
        asked: what the caller asked for: ``"auto"`` or the approach's name.
        code: short stable name of the reason, such as ``"computes"``; the sentence is `why`.
        why: the reason as a sentence.
        sample: the measurement behind an automatic choice; None when nothing was measured.
    """

    approach: str
    workers: int
    asked: str
    code: str
    why: str
    sample: Sample | None = None

    def __str__(self) -> str:
        return f"{self.approach}, {self.workers} worker{'s' * (self.workers != 1)}: {self.why}"


class Stats(Record):
    """What a run cost.

    Attributes:
        wall_s: seconds from the call to its end, start and end of the workers included.
        cpu_s: CPU seconds of this process and of all workers during the call. Other threads of this process count too.
        workers_cpu_s: the part of `cpu_s` that was spent in worker processes.
        queued_s: seconds for which workers were ready to run while other programs had the cores, all workers together;
            None where the system does not tell.
        cores_busy: `cpu_s` / `wall_s`: how many cores the run kept busy on average.
        items: items finished, failures included.
        failures: items that raised or lost their worker.
        workers: workers that were started (1 for ``"sync"``; coroutines at once for ``"asyncio"``).
        worker_deaths: worker processes that ended before their time.
        startup_s: seconds until every worker that was started was ready; 0 where there is nothing to start.
        peak_memory_bytes: memory that the worker processes held at their peaks, without what they share with the
            caller; 0 without worker processes, None where the system cannot tell.
        retries: how often items were run again after they had failed.
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
