"""Counts the calls of one executor, from whatever thread they come."""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any


class Tally:
    """How many calls were submitted, run, and with what outcome. It holds neither calls nor the executor."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._submitted = 0
        self._running = 0
        self._finished = 0
        self._failed = 0
        self._timed_out = 0
        self._cancelled = 0
        self._just_cancelled: list[None] = []

    def submitted(self) -> None:
        """Count a call that was taken."""
        with self._lock:
            self._submitted += 1

    def started(self) -> None:
        """Count a call that is about to run."""
        with self._lock:
            self._running += 1

    def ended(self, error: BaseException | None, *, timed_out: bool = False) -> None:
        """Count a call that was started and has ended, before its future says so.

        Args:
            error: what it raised.
            timed_out: whether `error` says that it went over its time limit.
        """
        with self._lock:
            self._running -= 1
            self._count(error, timed_out=timed_out)

    def never_started(self, future: Future[Any]) -> None:
        """Count a call whose future was decided without it: cancelled, or the executor is broken."""
        if future.cancelled():
            # No lock: the garbage collector may run at any instruction, those inside `with self._lock` among them, and
            # an iterator of results that it finds cancels its futures, in this very thread.
            self._just_cancelled.append(None)
        else:
            with self._lock:
                self._failed += 1

    def withdrawn(self, *, started: bool) -> None:
        """Count a call that was cancelled, perhaps while it was running."""
        with self._lock:
            self._running -= started
            self._cancelled += 1

    def figures(self) -> dict[str, int]:
        """Return the fields of `ExecutorStatistics` that are about calls."""
        with self._lock:
            self._take_in_cancelled()
            over = self._finished + self._failed + self._cancelled
            return {
                # A worker may take a call before the thread that submits it has counted it.
                "queued": max(0, self._submitted - self._running - over),
                "running": self._running,
                "finished": self._finished,
                "failed": self._failed,
                "timed_out": self._timed_out,
                "cancelled": self._cancelled,
            }

    def _count(self, error: BaseException | None, *, timed_out: bool) -> None:
        self._finished += error is None
        self._failed += error is not None
        self._timed_out += timed_out
        if self._just_cancelled:
            self._take_in_cancelled()

    def _take_in_cancelled(self) -> None:
        count = len(self._just_cancelled)
        del self._just_cancelled[:count]  # what is appended meanwhile stays
        self._cancelled += count
