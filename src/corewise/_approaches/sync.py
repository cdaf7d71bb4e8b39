"""Plainly, one item after the other, in the calling thread."""

from __future__ import annotations

from contextlib import ExitStack

from corewise._machine.queueing import QueueWatch
from corewise._work.coroutines import plain_calls
from corewise._work.run import run_chunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._approaches.base import Terms
    from corewise._work.chunk import Chunk, Done


class Sync:
    """Runs a chunk when its outcome is asked for."""

    workers_started = 1
    deaths = 0
    startup_s = 0.0
    workers_cpu_s = 0.0
    peak_memory_bytes = 0

    def __init__(self, terms: Terms) -> None:
        self._keep_going = terms.keep_going
        self._scope = ExitStack()
        self._call = self._scope.enter_context(plain_calls(terms.fn))
        self._chunk: Chunk | None = None
        self._queue = QueueWatch()

    @property
    def queued_s(self) -> float | None:
        """Seconds for which the calling thread stood in line for a core."""
        return self._queue.seconds()

    @property
    def room(self) -> int:
        """One chunk at a time."""
        return int(self._chunk is None)

    def submit(self, chunk: Chunk) -> None:
        """Keep the chunk until `collect`."""
        self._chunk = chunk

    def collect(self, timeout_s: float | None) -> list[Done]:  # noqa: ARG002 - nothing can interrupt a plain call
        """Run the chunk."""
        if self._chunk is None:
            return []
        chunk, self._chunk = self._chunk, None
        return [run_chunk(self._call, chunk, keep_going=self._keep_going, interruptible=True)]

    def close(self, *, kill: bool, wait: bool = True) -> None:  # noqa: ARG002 - nothing is running
        """Close the event loop, if the function is a coroutine function."""
        self._scope.close()
