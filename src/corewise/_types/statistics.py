"""What an executor is doing, and has done."""

from __future__ import annotations

from corewise._types.record import Record


class ExecutorStatistics(Record):
    """One moment of an executor, as its `statistics()` returns it.

    Attributes:
        max_workers: the most workers that it uses at once.
        workers: workers that it has now: threads or processes; 1 for `SyncExecutor`; places for coroutines in
            `AsyncioExecutor`.
        idle_workers: those of them that have nothing to do.
        queued: calls that wait for a worker.
        running: calls that are being run, and whose futures are undecided.
        finished: calls that returned.
        failed: calls that raised, went over their time limit or lost their worker.
        timed_out: the part of `failed` that went over the time limit.
        cancelled: calls that were cancelled, before they began or (coroutines only) later.
        worker_deaths: worker processes that ended before their time; 0 without processes.
        worker_restarts: workers that were started in the place of one that died or had done its share; 0 without
            processes.
    """

    max_workers: int
    workers: int
    idle_workers: int
    queued: int
    running: int
    finished: int
    failed: int
    timed_out: int
    cancelled: int
    worker_deaths: int = 0
    worker_restarts: int = 0

    @property
    def submitted(self) -> int:
        """Calls that the executor was ever given."""
        return self.queued + self.running + self.finished + self.failed + self.cancelled
