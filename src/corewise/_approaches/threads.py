"""Threads: many waits at once, and computing that releases the GIL."""

from __future__ import annotations

import threading
from contextvars import copy_context
from queue import Empty, SimpleQueue

from corewise._machine.queueing import QueueWatch
from corewise._work.coroutines import plain_calls
from corewise._work.run import run_chunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._approaches.base import Terms
    from corewise._work.chunk import Chunk, Done


# Short items are over before many threads are started: so a few begin, and the others follow once an item proves long.
_FIRST = 4  # guess: chunks handed out before anything is known of the items
_LONG_S = 0.001  # a thread costs 0.1 to 0.5 ms to start beside busy others, so items below this do not repay it


class Threads:
    """Threads that take chunks from one queue; each is started when there is a chunk for it.

    They are daemon threads: a thread cannot be killed, so after a Ctrl-C each one ends with the item it is at, and
    the program need not wait for it. They see the caller's context variables.
    """

    deaths = 0
    startup_s = 0.0
    workers_cpu_s = 0.0
    peak_memory_bytes = 0

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._inbox: SimpleQueue[Chunk | None] = SimpleQueue()
        self._outbox: SimpleQueue[Done | BaseException] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._outstanding = 0
        self._abandoned = False
        self._items_are_long = False
        self._queued: list[float | None] = []

    @property
    def workers_started(self) -> int:
        """Threads started."""
        return len(self._threads)

    @property
    def queued_s(self) -> float | None:
        """Seconds for which threads that have ended stood in line for a core, all together."""
        known = [seconds for seconds in self._queued if seconds is not None]
        return sum(known) if len(known) == len(self._queued) else None

    @property
    def room(self) -> int:
        """One chunk running and one waiting for each thread, since any idle thread takes the waiting one."""
        most = 2 * self._terms.workers
        return max(0, (most if self._items_are_long else min(most, _FIRST)) - self._outstanding)

    def submit(self, chunk: Chunk) -> None:
        """Queue the chunk; start a thread if all are busy and there may be more."""
        self._outstanding += 1
        self._inbox.put(chunk)
        if len(self._threads) < min(self._terms.workers, self._outstanding):
            context = copy_context()
            thread = threading.Thread(
                target=context.run, args=(self._serve,), name=f"corewise-{len(self._threads) + 1}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Wait for one outcome and take all that are there; none when the items have just proved long."""
        finished: list[Done] = []
        try:
            while self._outstanding:
                self._take(finished, self._outbox.get(timeout=self._patience_s(timeout_s, finished)))
        except Empty:
            self._items_are_long = self._items_are_long or not finished
        return finished

    def _patience_s(self, timeout_s: float | None, finished: list[Done]) -> float | None:
        if finished:
            return 0.0
        return timeout_s if self._items_are_long else _LONG_S

    def _take(self, finished: list[Done], outcome: Done | BaseException) -> None:
        if isinstance(outcome, BaseException):
            raise outcome
        self._outstanding -= 1
        self._items_are_long = self._items_are_long or outcome.wall_s > _LONG_S * len(outcome.values)
        finished.append(outcome)

    def close(self, *, kill: bool, wait: bool = True) -> None:  # noqa: ARG002 - a thread cannot be killed
        """End each thread with the item it is at, and wait for that unless told not to."""
        self._abandoned = True
        for _ in self._threads:
            self._inbox.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _serve(self) -> None:
        queue = QueueWatch()
        try:
            with plain_calls(self._terms.fn) as call:
                while (chunk := self._inbox.get()) is not None and not self._abandoned:
                    self._outbox.put(run_chunk(call, chunk, keep_going=self._terms.keep_going, interruptible=False))
        except BaseException as error:  # noqa: BLE001 - nothing may die unseen while the caller waits
            self._outbox.put(error)
        finally:
            self._queued.append(queue.seconds())
