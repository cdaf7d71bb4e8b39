"""What to make of workers that end: an error that says why, and the end of the pool if none ever gets ready."""

from __future__ import annotations

from corewise._machine import memory
from corewise.errors import WorkerStartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._engine.handle import Worker
    from corewise.errors import WorkerDied

_STARTS_THAT_MAY_FAIL = 3  # guess: one lost start may be an accident, three in a row are the program's doing


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

    def death(self, worker: Worker, *, line_closed: bool) -> WorkerDied:
        """Return the error for the item that a worker was at.

        Args:
            worker: its process has ended.
            line_closed: whether it lived on with its line closed and had to be killed.
        """
        from corewise._engine.deaths import death  # its base class is dear to import

        killed_for_memory = memory.out_of_memory_kills() > self._memory_kills
        return death(worker.pid, worker.exitcode, out_of_memory=killed_for_memory, line_closed=line_closed)
