"""The calls of one executor or pool: which wait, which run, and what became of them. Its driver locks.

A call comes by itself, with a future, or it is one of the many items of a job, which sees to what comes of them.
"""

from __future__ import annotations

from collections import deque

from corewise._api.executors.process_future import begin, start
from corewise._dispatch.ranges import Outstanding
from corewise._dispatch.sizes import ChunkSizes
from corewise._engine.calls import Calls
from corewise._engine.jobs import Batch
from corewise._work.chunk import Done

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._api.executors.condition import Condition
    from corewise._api.executors.jobs import ManagedJob
    from corewise._api.executors.process_future import Decision, ProcessFuture
    from corewise._engine.calls import Function
    from corewise._transport.blocks import Once

    # What calls must have in common to be sent together: a time limit in seconds, a scope of buffers, a context.
    Terms = tuple[float | None, Once | None, bytes | None]
    # A call: its future, its function and arguments, and its terms.
    Call = tuple[ProcessFuture, Function, tuple[Any, ...], dict[str, Any], Terms]


class Register:
    """Calls that wait or run, by the order in which they came.

    Args:
        workers: most worker processes at a time.
        condition: that of all the futures.

    Attributes:
        waiting: calls that no worker has been sent.
        failed: calls that raised, went over their time limit or lost their worker.
        streamed: whether something has come that is waited for and is no future.
    """

    def __init__(self, workers: int, condition: Condition) -> None:
        self.waiting: deque[Call] = deque()
        self.failed = 0
        self.streamed = False
        self._condition = condition
        self._running: dict[int, ProcessFuture] = {}
        self._next = 0
        self._sizes = ChunkSizes(workers=workers, fixed=None)
        self._finished = self._timed_out = self._cancelled = 0
        self._batches = Outstanding()
        # Who is next to hand out something: the jobs, and None for the calls.
        self._turns: deque[ManagedJob | None] = deque([None])

    @property
    def under_way(self) -> bool:
        """Whether any call runs, or waits for nothing but a worker."""
        return bool(self._running or self.waiting or self._batches)

    @property
    def chunks(self) -> int:
        """How many calls, or batches of items, workers have been handed and not brought back."""
        return len(self._running) + len(self._batches)

    @property
    def unfinished(self) -> bool:
        """Whether any call runs or waits, if only for its input to come or its results to be taken."""
        return self.under_way or len(self._turns) > 1

    @property
    def waits(self) -> bool:
        """Whether there may be anything to cut."""
        return bool(self.waiting) or len(self._turns) > 1

    def add(self, job: ManagedJob) -> None:
        """Take a job, whose items are cut in turn with whatever else waits."""
        self._turns.append(job)

    def jobs(self) -> list[ManagedJob]:
        """Return the jobs that have not handed out all of their items; forget those that nobody wants any more."""
        for job in [one for one in self._turns if one is not None and one.exhausted]:
            self._turns.remove(job)
            self._cancelled += job.cancelled
        return [job for job in self._turns if job is not None]

    def begin(self, call: Call) -> Calls:
        """Return a call that nobody else knows yet, as a chunk for a worker."""
        future, function, args, kwargs, terms = call
        begin(future)
        index = self._next
        self._next += 1
        self._running[index] = future
        return Calls(index, [(function, args, kwargs)], *terms)

    def cut(self) -> Calls | Batch | None:
        """Return calls for one worker, from each job in turn; None when nothing is at hand."""
        turns = self._turns
        for _ in range(len(turns)):
            turn = turns[0]
            chunk = self._cut_calls() if turn is None else self._cut_job(turn)
            if turn is not None and turn.exhausted:
                turns.popleft()
                self._cancelled += turn.cancelled
                self.streamed = self.streamed or chunk is None  # its end has come without any results
            else:
                turns.rotate(-1)
            if chunk is not None:
                return chunk
        return None

    def _cut_job(self, job: ManagedJob) -> Batch | None:
        part = job.cut()
        if part is None:
            return None
        first, items = part
        batch = Batch(self._next, items, job, first)
        self._next = batch.stop
        self._batches.add(batch)
        return batch

    def _cut_calls(self) -> Calls | None:
        """Return calls that came one by one, fewer the fewer there are; None when those at hand were cancelled."""
        waiting, running = self.waiting, self._running
        size = self._sizes.next(len(waiting))
        items: list[tuple[Function, tuple[Any, ...], dict[str, Any]]] = []
        terms: Terms = (None, None, None)
        index = self._next
        with self._condition:
            while waiting and len(items) < size:
                future, function, args, kwargs, its_terms = waiting[0]
                if items and its_terms != terms:
                    break
                waiting.popleft()
                if not start(future):
                    self._cancelled += 1
                    continue
                terms = its_terms
                running[index] = future
                index += 1
                items.append((function, args, kwargs))
        first, self._next = self._next, index
        return Calls(first, items, *terms) if items else None

    def take(self, done: Done, decisions: list[Decision]) -> None:
        """Outcomes have come: add what is to be decided."""
        self.failed += len(done.failed)
        self._finished += len(done.values) - len(done.failed)
        if done.failed:
            self._timed_out += sum(_is_ours(done.values[index - done.start]) for index in done.failed)
        if done.start not in self._running:
            self._take_of_job(done, decisions)
            return
        if done.wall_s:
            self._sizes.observe(len(done.values), done.wall_s)
        take = self._running.pop
        if not done.failed:
            decisions += [(take(index), False, value) for index, value in enumerate(done.values, done.start)]
        else:
            for index, value in enumerate(done.values, done.start):
                decisions.append((take(index), index in done.failed, value))

    def _take_of_job(self, done: Done, decisions: list[Decision]) -> None:
        batch: Any = self._batches.around(done.start)
        self._batches.remove(done.start, len(done.values), dropped=0)
        for index in done.failed:
            _name(done.values[index - done.start], batch, index)
        shift = batch.first - batch.start
        failed = [index + shift for index in done.failed]
        own = Done(done.start + shift, done.values, failed, done.wall_s, size_bytes=done.size_bytes)
        batch.job.take(own, decisions)
        self.streamed = True

    def fail_all(self, error: BaseException, decisions: list[Decision]) -> None:
        """No call can be run any more: add what is to be decided."""
        decisions += [(future, True, error) for future in self._running.values()]
        self._running.clear()
        while self.waiting:
            future, *_ = self.waiting.popleft()
            if future.set_running_or_notify_cancel():
                decisions.append((future, True, error))
        jobs = {id(job): job for job in (*self.jobs(), *(batch.job for batch in self._batches))}  # type: ignore[attr-defined]
        for job in jobs.values():
            job.fail(error, decisions)
        self._turns = deque([None])
        self._batches = Outstanding()
        self.streamed = True

    def figures(self) -> dict[str, int]:
        """Return the fields of `ExecutorStatistics` that are about calls."""
        self.jobs()  # counts what was cancelled of those that nobody wants any more
        cancelled = sum(future.cancelled() for future, *_ in self.waiting)
        return {
            "queued": len(self.waiting) - cancelled + sum(job.left for job in self._turns if job is not None),
            "running": len(self._running) + sum(len(batch.items) for batch in self._batches),
            "finished": self._finished,
            "failed": self.failed,
            "timed_out": self._timed_out,
            "cancelled": self._cancelled + cancelled,
        }


def _name(error: BaseException, batch: Batch, index: int) -> None:
    """Say in an exception which item of its job it belongs to."""
    from corewise._dispatch.failures import short  # only once something has failed
    from corewise._work.raised import add_note

    add_note(error, f"item {index - batch.start + batch.first}: {short(batch.items[index - batch.start])}")


def _is_ours(error: BaseException) -> bool:
    """Whether this is our time limit; what a function raises has the worker's traceback for its cause."""
    return isinstance(error, TimeoutError) and error.__cause__ is None
