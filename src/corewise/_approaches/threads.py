"""Threads: many waits at once, and computing that releases the GIL."""

from __future__ import annotations

import threading
from _contextvars import copy_context
from _queue import Empty, SimpleQueue  # what `queue` hands on, without the three modules that it loads for others
from time import monotonic

from corewise._approaches.base import PlainRunner
from corewise._machine import cpus
from corewise._machine.native_limits import lowered
from corewise._machine.queueing import queued_s
from corewise._types.interrupts import start_thread
from corewise._types.light import Scope, deque
from corewise._work.coroutines import plain_calls
from corewise._work.run import run_chunk, run_seeded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._approaches.base import Terms
    from corewise._work.chunk import Chunk, Done


# Short items are over before many threads are started: so a few begin, and the others follow once an item proves long.
_FIRST = 4  # guess: chunks handed out before anything is known of the items
_LONG_S = 0.001  # a thread costs 0.1 to 0.5 ms to start beside busy others, so items below this do not repay it
# To ask the system for its time in line takes a thread longer than to start: 0.1 ms with a hundred of them. These first
# ones stand for all (benchmarks/choice.py, "sleep_5ms").
_WATCHED = 16
# To hold native libraries to a share of the cores, what can do so has to be loaded, which takes 5 ms. As long as items
# are not seen to need it, only a run that lasts is looked after (benchmarks/choice.py, "arrays_listed").
_LASTS_S = 0.05
_MOMENT_S = 0.05  # guess: threads with short items are gone by then, and nobody notices the wait


class Threads(PlainRunner):
    """Threads that take chunks from one queue; each is started when there is a chunk for it.

    `limit` says how many of them there may be, and may change at any time. Threads beyond that are idle.

    They are daemon threads: a thread cannot be killed, so after a Ctrl-C each one ends with the item it is at, and
    the program need not wait for it. They see the caller's context variables.

    Attributes:
        tell: called in a thread that has got done with something; None where the caller waits in `collect`.
    """

    goes_on = True
    deaths = 0
    startup_s = 0.0
    workers_cpu_s = 0.0
    peak_memory_bytes = 0

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._limit = terms.workers
        self._parked: deque[Chunk] = deque()  # while there are more threads than there may be, which would take them
        self._inbox: SimpleQueue[Any] = SimpleQueue()  # chunks, and in the end a None that goes from thread to thread
        self._outbox: SimpleQueue[Done | BaseException] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._outstanding = 0
        self._abandoned = self._ending = False
        self._items_are_long = False
        self._queued: list[float | None] = []
        self._begun_s = 0.0
        self.tell: Callable[[], None] | None = None
        self._lowered: lowered | None = None  # once the items are long, and it is time

    @property
    def limit(self) -> int:
        """How many threads there may be; to be lowered or raised at any time."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        is_less, self._limit = limit < self._limit, limit
        if is_less and len(self._threads) > limit:
            self._parked.extendleft(reversed(self._not_begun()))
        self._let_in()

    def hand_back(self) -> list[Chunk]:
        """Return the chunks that no thread has begun; they are no matter of this approach any more."""
        chunks = [*self._not_begun(), *self._parked]
        self._parked.clear()
        self._outstanding -= len(chunks)
        return chunks

    def _not_begun(self) -> list[Chunk]:
        back: list[Chunk] = []
        while not self._inbox.empty():
            try:
                chunk = self._inbox.get_nowait()
            except Empty:  # a thread was quicker
                break
            if chunk is not None:
                back.append(chunk)
        self._ending = False
        return back

    def _let_in(self) -> None:
        """Let threads have what is parked, but for what would make them too many at once."""
        if len(self._threads) <= self._limit:
            at_once = len(self._parked)
        else:
            at_once = self._limit - (self._outstanding - len(self._parked))
        while at_once > 0 and self._parked:
            self._inbox.put(self._parked.popleft())
            at_once -= 1

    @property
    def workers_started(self) -> int:
        """Threads started."""
        return len(self._threads)

    @property
    def queued_s(self) -> float | None:
        """Seconds for which threads that have ended stood in line for a core, all together: as many as were watched."""
        known = [seconds for seconds in self._queued if seconds is not None]
        if len(known) < len(self._queued):
            return None
        return sum(known) * max(1.0, len(self._threads) / _WATCHED)

    @property
    def room(self) -> int:
        """One chunk running and one waiting for each thread, since any idle thread takes the waiting one."""
        most = 2 * self._limit
        return max(0, (most if self._items_are_long else min(most, _FIRST)) - self._outstanding)

    def submit(self, chunk: Chunk) -> None:
        """Queue the chunk; start a thread if all are busy and there may be more."""
        self._outstanding += 1
        if len(self._threads) > self._limit:
            self._parked.append(chunk)
            self._let_in()
            return
        self._inbox.put(chunk)
        if len(self._threads) < min(self._limit, self._outstanding):
            context = copy_context()
            thread = threading.Thread(
                target=context.run,
                args=(self._serve, len(self._threads) < _WATCHED),
                name=f"{self._terms.name}-{len(self._threads) + 1}",
                daemon=True,
            )
            self._threads.append(thread)
            self._begun_s = self._begun_s or monotonic()
            start_thread(thread)

    def no_more(self) -> None:
        """Let threads end as they find nothing to do: no chunk will follow those that were submitted.

        Hundreds of threads take their time to end, which is there while the last of them wait.
        """
        if not (self._ending or self._parked):
            self._ending = True
            self._inbox.put(None)

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Wait for one outcome and take all that are there; none when the items have just proved long."""
        finished: list[Done] = []
        try:
            while self._outstanding:
                self._take(finished, self._outbox.get(timeout=self._patience_s(timeout_s, finished)))
        except Empty:
            # Where nobody waits here, it is seen by the clock.
            if not finished and (timeout_s != 0 or monotonic() - self._begun_s > _LONG_S):
                self._note_long_items()
        if self._items_are_long and self._lowered is None:
            self._lower()
        return finished

    def due_s(self) -> float | None:
        """Return for how many seconds at most to wait without `collect`; None: until `tell` is called."""
        return None if self._items_are_long or not self._outstanding else 2 * _LONG_S

    def _patience_s(self, timeout_s: float | None, finished: list[Done]) -> float | None:
        if finished or timeout_s == 0:
            return 0.0
        return timeout_s if self._items_are_long else _LONG_S

    def _take(self, finished: list[Done], outcome: Done | BaseException) -> None:
        if isinstance(outcome, BaseException):
            raise outcome
        self._outstanding -= 1
        if self._parked:
            self._let_in()
        if outcome.wall_s > _LONG_S * len(outcome.values):
            self._note_long_items()
        finished.append(outcome)

    def _note_long_items(self) -> None:
        """From now on there may be a thread for each item."""
        self._items_are_long = True

    def _lower(self) -> None:
        """Give native libraries a share of the cores in each thread, if it is time for that."""
        terms = self._terms
        # Not in a worker: it is held to its share already, and in a forked process OpenBLAS answers to being told so by
        # starting all of its threads, which spin for 0.1 s.
        needed = terms.share_cores and not cpus.inside_worker()
        if needed and terms.by_itself and monotonic() - self._begun_s < _LASTS_S:
            return
        self._lowered = lowered(max(1, cpus.cpu_count() // terms.workers) if needed else None)
        self._lowered.__enter__()

    def close(self, *, kill: bool, wait: bool = True) -> None:  # noqa: ARG002 - a thread cannot be killed
        """End each thread with the chunk it is at, and wait for that; only for a moment if told not to."""
        self._abandoned = True
        self._inbox.put(None)
        deadline = monotonic() + _MOMENT_S
        for thread in reversed(self._threads):  # the last to end, more or less: to be woken by each takes longer
            if thread.is_alive():  # one whose start a Ctrl-C or the system broke off cannot be waited for; it ends, too
                thread.join(None if wait else max(0.0, deadline - monotonic()))
        if self._lowered is not None:
            self._lowered.close()

    def _serve(self, watched: bool) -> None:  # noqa: FBT001 - what starts a thread gives no names
        terms = self._terms
        if terms.share_cores:
            cpus.share_among(terms.workers)
        keep_going, seed = terms.keep_going, terms.seed
        try:
            with Scope() as scope:
                call = plain_calls(terms.fn, scope, terms.initializer, terms.initargs)
                while (chunk := self._inbox.get()) is not None and not self._abandoned:
                    if seed is None:
                        done = run_chunk(call, chunk, keep_going=keep_going, interruptible=False)
                    else:
                        done = run_seeded(call, chunk, seed, keep_going=keep_going, interruptible=False)
                    self._outbox.put(done)
                    if self.tell is not None:
                        self.tell()
                    del chunk, done  # results and items must not stay while this thread waits for the next chunk
        except BaseException as error:  # noqa: BLE001 - nothing may die unseen while the caller waits
            self._outbox.put(error)
            if self.tell is not None:
                self.tell()
        finally:
            # One tells the next: told all at once, they would stand in line for the GIL. What failed tells them, too.
            self._inbox.put(None)
            if watched:
                self._queued.append(queued_s())
