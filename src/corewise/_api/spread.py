"""Coroutines that begin in one event loop, and go on in worker processes with a loop each if they keep that one busy.

What the loop has begun ends there, beside the processes; so nothing is run twice, and no core waits for the change.
Calls that compute may keep the loop for long (a hundred that wake up together do so one after the other, in one turn of
it); so between two of them the processes are opened, and given more, as well as between two turns.
"""

from __future__ import annotations

from time import perf_counter, thread_time

from corewise._approaches import open_approach
from corewise._approaches.base import COROUTINES_CHUNK_S, PlainRunner
from corewise._choose.busy import BusyLoop
from corewise._machine.queueing import queued_s
from corewise._types.choice import Choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from corewise._api.decision import Decision
    from corewise._api.request import Request
    from corewise._approaches.asyncio import Asyncio
    from corewise._approaches.base import Approach
    from corewise._dispatch.run import Run
    from corewise._types.measurement import Measurement
    from corewise._work.chunk import Chunk, Done

    # Given what the calls are like, and some items with their results, opens what is better; None where nothing is.
    Open = Callable[[Measurement, tuple[Sequence[Any], Sequence[Any]]], Approach | None]

_LOOK_S = 0.005  # guess: to look up the time in line takes 20 µs
_TURN_S = 0.001  # guess: for so long the loop may turn before the processes are looked at, while both are at work


def spread(loop: Asyncio, request: Request, run: Run, tell: Callable[[Choice], None]) -> Any:
    """Return what begins in a loop, and goes on in processes if that is better and nothing speaks against it.

    Args:
        loop: the loop.
        request: what was asked for.
        run: the run whose items they are.
        tell: told of the choice of processes, its words left out.
    """
    options = request.options
    bounds = (request.workers, options.timeout, options.limit, options.rate, options.retry_on)
    if any(one is not None for one in bounds):
        return loop  # a limit that cancels; bounds for calls at once, and what tells that there were too many
    processes = Choice(approach="processes", workers=1, asked="auto", code="", why="")
    decisions: list[Decision] = []

    def open_processes(measured: Measurement, latest: tuple[Sequence[Any], Sequence[Any]]) -> Approach | None:
        if not decisions:
            from corewise._api.decision import Decision  # only where a choice may be worth making

            made = Decision(request.fn, None, request.options, lambda: request.terms(processes, streams=False))
            decisions.append(made)
        choice = decisions[0].choose(measured, lambda: latest)
        if choice.approach != "processes":
            return None
        tell(choice)
        return open_approach("processes", request.terms(choice, streams=False))

    return Spread(loop, run, open_processes, options.chunksize)


class Spread(PlainRunner):
    """One event loop, and processes beside it as soon as they are worth it.

    Args:
        loop: the loop; it turns in the calling thread.
        run: knows how many items are left, and hands out more.
        open_processes: opens the processes, if they are worth it. Asked for each busy window until they are.
        chunksize: items that are sent to a process together; None adapts that.
    """

    def __init__(self, loop: Asyncio, run: Run, open_processes: Open, chunksize: int | None) -> None:
        self.chunk_s, self.shares_chunks = loop.chunk_s, loop.shares_chunks
        self._loop = loop
        self._run = run
        self._open = open_processes
        self._chunksize = chunksize
        self._processes: Approach | None = None
        self._looked_s = self._queued_s = 0.0
        self._busy = BusyLoop(*self._clocks())
        self._kept: list[Done] = []  # outcomes that came in the middle of a turn
        self._broken: Exception | None = None  # what went wrong then
        if loop.turns_here:
            loop.meanwhile = self._meanwhile

    @property
    def goes_on(self) -> bool:
        """Whether workers work on while the caller is not in `collect`."""
        return self._processes is not None

    @property
    def workers_started(self) -> int:
        """Processes; coroutines at once where there are none."""
        return int(self._of_both.workers_started)

    @property
    def deaths(self) -> int:
        """Workers that ended before their time."""
        return int(self._of_both.deaths)

    @property
    def startup_s(self) -> float:
        """Seconds until every worker was ready."""
        return float(self._of_both.startup_s)

    @property
    def workers_cpu_s(self) -> float:
        """CPU seconds of the processes."""
        return float(self._of_both.workers_cpu_s)

    @property
    def queued_s(self) -> float | None:
        """Seconds for which the loop and the processes stood in line for a core."""
        both = [one.queued_s for one in (self._loop, self._processes) if one is not None]
        known = [seconds for seconds in both if seconds is not None]
        return sum(known) if len(known) == len(both) else None

    @property
    def peak_memory_bytes(self) -> int | None:
        """Memory of the processes at their peaks."""
        peak: int | None = self._of_both.peak_memory_bytes
        return peak

    @property
    def room(self) -> int:
        """That of the processes, once there are any."""
        return int(self._of_both.room)

    @property
    def limit(self) -> int:
        """How many calls there may be at once in the loop, while it is alone."""
        return self._loop.limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._loop.limit = limit

    def submit(self, chunk: Chunk) -> None:
        """Take a chunk to be run."""
        self._of_both.submit(chunk)

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Wait until something is done, and return it."""
        if self._processes is None:
            done = self._loop.collect(timeout_s)
            if self._processes is None:  # still
                self._learn(done)
            return self._with_kept(done)
        end_s = None if timeout_s is None else perf_counter() + timeout_s
        while self._loop.outstanding:
            done = self._with_kept(self._loop.collect(_TURN_S) + self._processes.collect(0.0))
            if done or (end_s is not None and perf_counter() >= end_s):
                return done
        return self._processes.collect(None if end_s is None else max(0.0, end_s - perf_counter()))

    def close(self, *, kill: bool, wait: bool = True) -> None:
        """End all workers."""
        self._loop.meanwhile = None  # it leads back here
        try:
            if self._processes is not None:
                self._processes.close(kill=kill, wait=wait)
        finally:
            self._loop.close(kill=kill, wait=wait)

    @property
    def _of_both(self) -> Any:
        """What takes chunks now."""
        return self._loop if self._processes is None else self._processes

    def _clocks(self) -> tuple[float, float]:
        """Return the time without that in line for a core, which a busy machine makes long; and the CPU seconds."""
        now_s = perf_counter()
        if now_s - self._looked_s > _LOOK_S:
            self._looked_s, self._queued_s = now_s, queued_s() or 0.0
        return now_s - self._queued_s, thread_time()

    def _with_kept(self, done: list[Done]) -> list[Done]:
        kept, self._kept = self._kept, []
        if self._broken is not None:
            raise self._broken
        return kept + done

    def _meanwhile(self) -> None:
        """In the middle of a turn: see what the calls so far tell; keep the processes going, if there are any.

        This is in a task of the loop, so what goes wrong is raised later, for whoever waits for outcomes.
        """
        try:
            if self._processes is None:
                finished = self._loop.finished()
                self._kept += finished
                self._learn(finished)
            else:
                self._kept += self._processes.collect(0.0)
            if self._processes is not None:
                self._run.feed(wait=False)
        except Exception as error:  # noqa: BLE001 - raised in `collect`
            self._broken = error

    def _learn(self, finished: list[Done]) -> None:
        ended = [done for done in finished if done.values and not done.failed]
        if not ended:
            return
        items = sum(len(done.values) for done in ended)
        call_s = min(done.wall_s / len(done.values) for done in ended)
        left = self._run.remaining
        left = None if left is None else left + self._loop.waiting
        measured = self._busy.observe(*self._clocks(), items, call_s, left)
        if measured is None or measured.remaining == 0:
            return
        latest = self._run.under_way(ended[0]).items, ended[0].values
        self._processes = self._open(measured, latest)
        if self._processes is not None:
            self._hand_over(self._processes)

    def _hand_over(self, processes: Approach) -> None:
        """Give processes what the loop has not begun, in chunks that suit them: those of the loop may be long ones."""
        sizes = self._run.sizes = self._run.sizes.for_others(processes.limit, self._chunksize, COROUTINES_CHUNK_S)
        for chunk in self._loop.not_begun():
            begin = chunk.start
            while begin < chunk.stop:
                end = min(chunk.stop, begin + sizes.next(chunk.stop - begin))
                processes.submit(chunk.part(begin, end))
                begin = end
