"""A pool of worker processes, driven by the thread that calls it.

There are no helper threads, so Ctrl-C lands where it belongs.
"""

from __future__ import annotations

from collections import deque
from time import monotonic, perf_counter

from corewise._engine import parcels, start
from corewise._engine.crew import READ, WRITE, Crew, Recipe
from corewise._engine.schedule import Schedule
from corewise._machine import cpus, memory
from corewise._machine.interrupts import InterruptsHeld
from corewise._transport import codec, failures
from corewise._work.chunk import Done
from corewise.errors import WorkerStartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from corewise._engine.handle import Worker
    from corewise._engine.schedule import Send
    from corewise._transport.ledger import Reached
    from corewise._work.chunk import Chunk

# Items shorter than this are not written down one by one: that would cost as much as they do.
QUICK_ITEM_S = 5e-6
_STARTS_THAT_MAY_FAIL = 3  # guess: one lost start may be an accident, three in a row are the program's doing
_GOODBYE_S = 5.0  # guess: a worker that is done ends within milliseconds; one that hangs in its exit is killed


class ProcessPool:
    """Runs chunks in worker processes, replaces workers that die, and knows what each one holds.

    Args:
        fn: the function.
        workers: most worker processes at a time; each is started when there is a chunk for it.
        start_method: ``"auto"``, ``"fork"``, ``"forkserver"`` or ``"spawn"``.
        keep_going: whether to go on behind an item that fails.
        share_cores: whether calls made inside a worker may use only its share of the cores.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        workers: int,
        *,
        start_method: str = "auto",
        keep_going: bool,
        share_cores: bool = True,
    ) -> None:
        method = start.pick_start_method(start_method)
        self._main_by_value = method != "fork" and not codec.main_can_be_imported()
        self._crew = Crew(
            Recipe(
                start_method=method,
                fn=fn,
                fn_bytes=b""
                if method == "fork"
                else codec.dumps(fn, "the function", main_by_value=self._main_by_value),
                keep_going=keep_going,
                cores=max(1, cpus.cpu_count() // workers) if share_cores else cpus.cpu_count(),
            )
        )
        self._method = method
        self._schedule = Schedule(workers)
        self._finished: list[Done] = []
        self._item_s: float | None = None
        self._failed_starts = 0
        self._memory_kills = memory.out_of_memory_kills()
        self._opened = perf_counter()
        self._ended_cpu_s = 0.0
        self._ended_queued_s: list[float | None] = []
        self.deaths = 0
        self.startup_s = 0.0
        self.peak_memory_bytes: int | None = 0
        start.preload(method, fn)

    @property
    def workers_started(self) -> int:
        """Worker processes started, replacements included."""
        return self._crew.started

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the workers so far, as far as they have told."""
        return self._ended_cpu_s + sum(worker.cpu_s for worker in self._crew.members.values())

    @property
    def queued_s(self) -> float | None:
        """Seconds for which the workers stood in line for a core, all together, as far as they have told."""
        known = [*self._ended_queued_s, *(worker.queued_s for worker in self._crew.members.values())]
        told = [seconds for seconds in known if seconds is not None]
        return sum(told) if len(told) == len(known) else None

    @property
    def room(self) -> int:
        """How many more chunks to submit now."""
        return self._schedule.room

    def submit(self, chunk: Chunk) -> None:
        """Take a chunk to be run.

        Raises:
            WorkerStartError: when no worker can be started.
        """
        self._carry_out(self._schedule.submit(chunk))
        self._start_wanted()

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Wait until at least one chunk, or part of one, is done, and return what is.

        Args:
            timeout_s: seconds to wait at most; None waits as long as it takes.

        Returns:
            What was finished; empty when the time was up or nothing is under way.

        Raises:
            WorkerStartError: when workers die before they are ready, again and again.
        """
        deadline = None if timeout_s is None else monotonic() + timeout_s
        while not self._finished and self._schedule.unfinished:
            left = None if deadline is None else deadline - monotonic()
            if left is not None and left < 0:
                break
            self._look(left)
        finished, self._finished = self._finished, []
        return finished

    def close(self, *, kill: bool, wait: bool = True) -> None:  # noqa: ARG002 - killed processes are gone at once
        """End all workers and wait for them.

        Args:
            kill: True to kill them at once; False to let them end by themselves, after their last chunk.
            wait: of no matter here: nothing goes on that could not be killed.
        """
        try:
            if not kill:
                self._say_goodbye()
        finally:
            self._ended_cpu_s = self.cpu_s
            self._crew.close()

    # -- the loop ------------------------------------------------------------------------------------------------------

    def _look(self, timeout_s: float | None) -> None:
        """Wait for news and take it in: messages first, then deaths, since the dead may have sent messages before."""
        suspects: dict[Worker, None] = {}
        for news in self._crew.wait(timeout_s):
            worker = news.worker
            if news.events & WRITE:
                self._flush(worker)
            if news.ended or (news.events & READ and not self._read(worker)):
                suspects[worker] = None
        for worker in suspects:
            self._bury(worker)

    def _read(self, worker: Worker) -> bool:
        """Take in what a worker has sent. Return whether its line is still open."""
        messages, is_open = worker.line.receive()
        for message in messages:
            self._take(worker, *message)
        return is_open

    def _take(self, worker: Worker, kind: str, *details: Any) -> None:
        if kind == "ready":
            self._failed_starts = 0
            worker.ready = True
            if worker.early:
                self.startup_s = perf_counter() - self._opened
        elif kind == "broken":
            raise failures.unpack(details[0])
        elif kind == "bye":
            spent, peak = details
            worker.spent(*spent)
            self.peak_memory_bytes = (
                None if peak is None or self.peak_memory_bytes is None else self.peak_memory_bytes + peak
            )
        else:
            first, outcome, dropped, wall_s, spent = details
            worker.spent(*spent)
            values, failed = parcels.unpack_plain(outcome) if kind == "bulk" else parcels.unpack_each(first, outcome)
            self._item_s = wall_s / max(1, len(values))
            self._finished.append(Done(first, values, failed, wall_s, dropped=dropped))
            self._carry_out(self._schedule.done(worker.number, len(values), wall_s, dropped=dropped))

    def _bury(self, worker: Worker) -> None:
        """Take in what a lost worker has left; name the item it was at, and give the rest to others."""
        line_closed, reached = self._reap(worker)
        loss = self._schedule.died(worker.number, reached)
        self.deaths += 1
        if loss.recovered:
            values, failed = parcels.unpack_each(loss.base, reached.records)
            self._finished.append(Done(loss.base, values, failed, 0.0))
        if loss.item is not None:
            from corewise._engine.deaths import death

            error = death(
                worker.pid,
                worker.exitcode,
                out_of_memory=memory.out_of_memory_kills() > self._memory_kills,
                line_closed=line_closed,
            )
            self._finished.append(Done(loss.item, [error], [loss.item], 0.0))
        if not worker.ready:
            self._count_failed_start(worker)
        self._carry_out(self._schedule.hand_out())
        self._start_wanted()

    def _count_failed_start(self, worker: Worker) -> None:
        self._failed_starts += 1
        if self._failed_starts >= _STARTS_THAT_MAY_FAIL:
            raise WorkerStartError(
                f"{self._failed_starts} worker processes in a row ended before they were ready (start method "
                f"{self._method!r}, exit code {worker.exitcode}); what they printed says why. If this program is "
                "imported by its workers, its work must start under `if __name__ == '__main__':`."
            )

    # -- workers -------------------------------------------------------------------------------------------------------

    def _start_wanted(self) -> None:
        for _ in range(self._schedule.wanted):
            try:
                worker = self._crew.start(early=self._item_s is None)
            except WorkerStartError:
                if not self._crew.members:
                    raise
                # The system grants no more: go on with those that are there.
                self._schedule.limit = len(self._crew.members)
                return
            self._carry_out(self._schedule.joined(worker.number))

    def _say_goodbye(self) -> None:
        """Let the workers end by themselves; what does not end in time is killed by `close`."""
        deadline = monotonic() + _GOODBYE_S
        members = self._crew.members
        for worker in members.values():
            self._post(worker, ("stop",))
        while members and (left := deadline - monotonic()) > 0:
            for news in self._crew.wait(left):
                worker = news.worker
                if worker.number not in members:
                    continue
                if news.events & WRITE:
                    self._flush(worker)
                if not self._read(worker) or news.ended:
                    self._reap(worker)

    def _reap(self, worker: Worker) -> tuple[bool, Reached]:
        """Wait for the end of a worker, take in what it had sent, and forget it.

        Returns:
            Whether it had to be killed for it, and where it had come to.
        """
        with InterruptsHeld():
            killed = worker.wait_for_end()
            self._read(worker)
            reached = worker.ledger.read()
            self._ended_cpu_s += worker.cpu_s
            self._ended_queued_s.append(worker.queued_s)
            self._crew.release(worker)
        return killed, reached

    # -- sending -------------------------------------------------------------------------------------------------------

    def _carry_out(self, sends: Iterable[Send]) -> None:
        waiting = deque(sends)
        while waiting:
            send = waiting.popleft()
            chunk = send.chunk
            try:
                data = parcels.pack_items(chunk, main_by_value=self._main_by_value)
            except parcels.ItemRefused as refused:
                self._finished.append(Done(refused.index, [refused.error], [refused.index], 0.0))
                # Behind what waits: a worker must get its chunks in the order in which the schedule notes them.
                waiting += self._schedule.refused(send, refused.index)
                continue
            quick = isinstance(data, bytes) and self._item_s is not None and self._item_s < QUICK_ITEM_S
            self._post(self._crew.members[send.worker], ("chunk", chunk.start, chunk.star, quick, data))

    def _post(self, worker: Worker, message: object) -> None:
        try:
            worker.line.send(message)
        except OSError:
            return  # it is gone; its sentinel says so, and what it holds is given to others then
        self._crew.watch(worker)

    def _flush(self, worker: Worker) -> None:
        try:
            worker.line.flush()
        except OSError:
            return  # as above
        self._crew.watch(worker)
