"""The calls of one executor: which wait, which run, and what became of them. Its driver locks."""

from __future__ import annotations

from collections import deque

from corewise._api.executors.process_future import begin, start
from corewise._dispatch.sizes import ChunkSizes
from corewise._engine.calls import Calls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Condition
    from typing import Any

    from corewise._api.executors.process_future import ProcessFuture
    from corewise._engine.calls import Function
    from corewise._transport.blocks import Once
    from corewise._work.chunk import Done

    # What calls must have in common to be sent together: a time limit in seconds, a scope of buffers, a context.
    Terms = tuple[float | None, Once | None, bytes | None]
    # A call: its future, its function and arguments, and its terms.
    Call = tuple[ProcessFuture, Function, tuple[Any, ...], dict[str, Any], Terms]
    # A future, whether its call failed, and what that returned or raised.
    Decision = tuple[ProcessFuture, bool, Any]


class Register:
    """Calls that wait or run, by the order in which they came.

    Args:
        workers: most worker processes at a time.
        condition: that of all the futures.

    Attributes:
        waiting: calls that no worker has been sent.
        failed: calls that raised, went over their time limit or lost their worker.
    """

    def __init__(self, workers: int, condition: Condition) -> None:
        self.waiting: deque[Call] = deque()
        self.failed = 0
        self._condition = condition
        self._running: dict[int, ProcessFuture] = {}
        self._next = 0
        self._sizes = ChunkSizes(workers=workers, fixed=None)
        self._finished = self._timed_out = self._cancelled = 0

    @property
    def under_way(self) -> bool:
        """Whether any call waits or runs."""
        return bool(self._running or self.waiting)

    def begin(self, call: Call) -> Calls:
        """Return a call that nobody else knows yet, as a chunk for a worker."""
        future, function, args, kwargs, terms = call
        begin(future)
        index = self._next
        self._next += 1
        self._running[index] = future
        return Calls(index, [(function, args, kwargs)], *terms)

    def cut(self) -> Calls | None:
        """Return calls for one worker, fewer the fewer there are; None when those at hand were cancelled."""
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
        if done.wall_s:
            self._sizes.observe(len(done.values), done.wall_s)
        take = self._running.pop
        if not done.failed:
            decisions += [(take(index), False, value) for index, value in enumerate(done.values, done.start)]
        else:
            for index, value in enumerate(done.values, done.start):
                decisions.append((take(index), index in done.failed, value))
            self._timed_out += sum(_is_ours(done.values[index - done.start]) for index in done.failed)
        self.failed += len(done.failed)
        self._finished += len(done.values) - len(done.failed)

    def fail_all(self, error: BaseException, decisions: list[Decision]) -> None:
        """No call can be run any more: add what is to be decided."""
        decisions += [(future, True, error) for future in self._running.values()]
        self._running.clear()
        while self.waiting:
            future, *_ = self.waiting.popleft()
            if future.set_running_or_notify_cancel():
                decisions.append((future, True, error))

    def figures(self) -> dict[str, int]:
        """Return the fields of `ExecutorStatistics` that are about calls."""
        cancelled = sum(future.cancelled() for future, *_ in self.waiting)
        return {
            "queued": len(self.waiting) - cancelled,
            "running": len(self._running),
            "finished": self._finished,
            "failed": self.failed,
            "timed_out": self._timed_out,
            "cancelled": self._cancelled + cancelled,
        }


def _is_ours(error: BaseException) -> bool:
    """Whether this is our time limit; what a function raises has the worker's traceback for its cause."""
    return isinstance(error, TimeoutError) and error.__cause__ is None
