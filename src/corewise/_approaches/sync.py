"""Plainly, one item after the other, in the calling thread."""

from __future__ import annotations

from corewise._approaches.base import PlainRunner
from corewise._machine.queueing import QueueWatch
from corewise._types.light import Scope
from corewise._work.coroutines import plain_calls
from corewise._work.run import run_chunk, run_seeded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from corewise._approaches.base import Terms
    from corewise._work.chunk import Chunk, Done


class Sync(PlainRunner):
    """Runs a chunk when its outcome is asked for."""

    goes_on = False
    limit = 1
    workers_started = 1
    deaths = 0
    startup_s = 0.0
    workers_cpu_s = 0.0
    peak_memory_bytes: int | None = 0
    _counts_at_once = True  # the seconds in line

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._scope = Scope()
        self._call: Callable[..., Any] | None = None
        self._chunk: Chunk | None = None
        self._outcomes = self._run()
        self._queue = QueueWatch(at_once=self._counts_at_once)

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

    @property
    def initialized(self) -> bool:
        """Whether the initializer has been called."""
        return self._call is not None

    def prepare(self) -> Callable[..., Any]:
        """Call the initializer, if that has not been done; return what is called for each item."""
        if self._call is None:
            terms = self._terms
            if terms.seed is not None:
                from corewise._work import seeds

                with seeds.kept():  # what that loads takes longer than many an item, and is none of it
                    seeds.seed_item(terms.seed, 0)
            self._call = plain_calls(terms.fn, self._scope, terms.initializer, terms.initargs)
        return self._call

    def collect(self, timeout_s: float | None) -> list[Done]:  # noqa: ARG002 - nothing can interrupt a plain call
        """Run the chunk."""
        if self._chunk is None:
            return []
        return [next(self._outcomes)]

    def _run(self) -> Iterator[Done]:
        """Give the outcomes of chunks, each run when it is asked for.

        The frame of a call that failed links back to those it was called from, for as long as its exception lives. A
        generator's frame is the last of them, so that an exception that is kept does not keep the caller's objects.
        """
        call, terms = self.prepare(), self._terms
        while True:
            if terms.seed is None:
                yield run_chunk(call, self._taken(), keep_going=terms.keep_going, interruptible=True)
            else:
                yield run_seeded(call, self._taken(), terms.seed, keep_going=terms.keep_going, interruptible=True)

    def _taken(self) -> Chunk:
        chunk, self._chunk = self._chunk, None
        if chunk is None:
            raise RuntimeError("there is no chunk to run")
        return chunk

    def close(self, *, kill: bool, wait: bool = True) -> None:  # noqa: ARG002 - nothing is running
        """Close the event loop, if the function is a coroutine function."""
        self._scope.close()
