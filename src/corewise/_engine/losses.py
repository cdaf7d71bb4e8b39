"""What to make of workers that end: an error that says why, and the end of the pool if none ever gets ready."""

from __future__ import annotations

from corewise._machine import memory
from corewise._work.chunk import Done
from corewise._work.raised import add_note
from corewise.errors import WorkerStartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from corewise._engine.handle import Worker
    from corewise._engine.schedule import Loss, Schedule
    from corewise._transport.codec import Packed
    from corewise._transport.ledger import Reached
    from corewise.errors import WorkerDied

_STARTS_THAT_MAY_FAIL = 3  # guess: one lost start may be an accident, three in a row are the program's doing


def losses_of_lanes(
    schedule: Schedule, reached: list[tuple[int, Reached]], *, was_ready: bool
) -> Iterator[tuple[Loss, list[tuple[bool, Packed]]]]:
    """Tell the schedule that a worker has ended; give what that means for each of its lanes.

    Args:
        schedule: knows what each was sent.
        reached: the number of each, and what its ledger says.
        was_ready: whether the worker was ready for its first item.

    Yields:
        The loss, and the outcomes that stand in the ledger and have not been taken in.
    """
    # What was about to begin beside items that run has not ended it, so far as can be told.
    if len(reached) > 1 and any(page.running is not None for _, page in reached):
        was_ready = False
    for number, page in reached:
        loss = schedule.died(number, page, was_ready=was_ready)
        yield loss, page.records[loss.skip : loss.skip + loss.recovered]


class Losses:
    """Judges the deaths of the workers of one pool.

    Args:
        start_method: how they are started.
    """

    def __init__(self, start_method: str) -> None:
        self._start_method = start_method
        self._failed_starts = 0
        self._memory_kills = memory.out_of_memory_kills()

    def ready(self) -> None:
        """A worker is ready."""
        self._failed_starts = 0

    def not_ready(self, worker: Worker) -> None:
        """A worker has ended before it was ready.

        Raises:
            WorkerStartError: when that was one too many.
        """
        self._failed_starts += 1
        if self._failed_starts >= _STARTS_THAT_MAY_FAIL:
            raise WorkerStartError(
                f"{self._failed_starts} worker processes in a row ended before they were ready (start method "
                f"{self._start_method!r}, exit code {worker.exitcode}); what they printed says why. If this program "
                "is imported by its workers, its work must start under `if __name__ == '__main__':`."
            )

    def of(self, worker: Worker, items: list[int], known: BaseException | None, *, line_closed: bool) -> list[Done]:
        """Return the outcomes of the items that a worker was at.

        Args:
            worker: its process has ended.
            items: their indexes. Where it ran several at once, nobody knows which of them has ended it.
            known: the error, where it is known already.
            line_closed: whether it lived on with its line closed and had to be killed.
        """
        outcomes: list[Done] = []
        for item in items:
            error, known = known or self._death(worker, line_closed=line_closed), None
            if len(items) > 1:
                others = ", ".join(str(other) for other in items if other != item)
                note = f"the worker ran other items at the same time, any of which may have ended it: {others}"
                add_note(error, note)
            outcomes.append(Done(item, [error], [item], 0.0))
        return outcomes

    def _death(self, worker: Worker, *, line_closed: bool) -> WorkerDied:
        from corewise._engine.deaths import death  # its base class is dear to import

        killed_for_memory = memory.out_of_memory_kills() > self._memory_kills
        return death(worker.pid, worker.exitcode, out_of_memory=killed_for_memory, line_closed=line_closed)
