"""Results of a job that streams them, one by one."""

from __future__ import annotations

import threading
from collections import deque
from time import monotonic

from corewise._types.dropped import WhenDropped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn, Self

    from corewise._api.executors.job_driver import JobDriver
    from corewise._api.executors.jobs import StreamJob
    from corewise._work.chunk import Done


class _Left:
    """What is to be done when results are dropped before their end.

    Attributes:
        driver: what reads the answers of the workers.
        job: what they are results of.
        drops: whether no more items are to be handed out then.
        at_end: what is to be called; None for nothing.
    """

    __slots__ = ("at_end", "driver", "drops", "job")

    def __init__(self, driver: JobDriver, job: StreamJob) -> None:
        self.driver = driver
        self.job = job
        self.drops = True
        self.at_end: Callable[[], object] | None = None


class JobResults:
    """Results, as they are asked for: an iterator that any number of threads may read.

    What the function raises for an item comes out of `next` in the place of its result, and does not end the
    iterator. Closed or dropped, it hands out no more items.

    Args:
        driver: what reads the answers of the workers.
        job: what they are results of.
    """

    def __init__(self, driver: JobDriver, job: StreamJob) -> None:
        self._driver = driver
        self._job = job
        self._values: list[Any] = []  # of what is being taken, in reverse
        self._pieces: deque[list[Any] | BaseException] = deque()  # what is to be taken next: values, or a failure
        self._size = (0, 0)  # of all that is being taken, or is next: items, bytes
        self._lock = threading.Lock()
        self._closed = False
        self._left = _Left(driver, job)
        self._dropped = WhenDropped(self, _end_dropped, self._left)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            return self._values.pop()
        except IndexError:
            return self.next()

    def next(self, timeout: float | None = None) -> Any:
        """Return the next result.

        Args:
            timeout: seconds to wait at most; None, the default, waits as long as it takes.

        Raises:
            StopIteration: when there are no more.
            TimeoutError: when the time is up. Nothing is lost by it.
            BaseException: what the function raised for this item, or in the end what the input raised.
        """
        deadline = None if timeout is None else monotonic() + timeout
        if not self._lock.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            raise self._late(timeout)
        try:
            while True:
                try:
                    return self._values.pop()
                except IndexError:
                    self._go_on()
                if not self._values and not self._pieces:
                    left_s = None if deadline is None else max(0.0, deadline - monotonic())
                    self._driver.wait_for(self._job, left_s)
                    if not self._job.decided:
                        raise self._late(timeout)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Hand out no more items, and let go of the input. Items that are being run are run to their ends."""
        self._closed = True
        self._values = []
        self._pieces.clear()
        self._driver.change(self._job.drop)
        self._job.parts.clear()
        self._end()

    def _end(self) -> None:
        """There is nothing to be dropped any more."""
        self._dropped.forget()

    def _late(self, timeout_s: float | None) -> BaseException:  # noqa: ARG002 - for those who say it
        """Return what is raised when a result is not there in time."""
        return TimeoutError()

    def _shown(self, error: BaseException) -> BaseException:
        """Return what is raised for what the workers or the input have raised."""
        return error

    def _go_on(self) -> None:
        """Make the next values, if any are there, those that are taken.

        Raises:
            StopIteration: when there will be no more.
            BaseException: when an item that failed is the next.
        """
        job = self._job
        over = job.over  # before parts are looked for: what comes in between is seen
        if not self._pieces and any(self._size):
            # Before anything is waited for: as long as these count as waiting, there may be no room for others.
            size, self._size = self._size, (0, 0)
            self._driver.taken(job, *size)
        if not self._pieces and job.parts and not self._closed:
            items = size_bytes = 0
            while job.parts:
                part = job.parts.popleft()
                items, size_bytes = items + len(part.values), size_bytes + part.size_bytes
                self._pieces.extend(_pieces(part))
            self._size = items, size_bytes
        if self._pieces:
            piece = self._pieces.popleft()
            if isinstance(piece, list):
                self._values = piece
                return
            try:
                _raise(self._shown(piece))
            finally:
                del piece  # as there
        if self._closed or over:
            error, job.error = job.error, None
            if error is None or self._closed:
                self._end()
                raise StopIteration
            try:
                _raise(self._shown(error))
            finally:
                del error  # as there


class MapResults(JobResults):
    """Results of an executor's `map`: the first failure ends them, and so does the time.

    Ended before its time (by `close()`, by a failure, by being dropped after its first result) it cancels the calls
    that remain. One that is dropped without ever being asked leaves them running, as `concurrent.futures` does.

    Args:
        driver: what reads the answers of the workers.
        job: what they are results of.
        timeout_s: seconds from now within which the last result must be there; None without a limit.
        at_end: called once there are no further results to come; it must need no lock, as it may be called from the
            garbage collector.
    """

    def __init__(
        self, driver: JobDriver, job: StreamJob, timeout_s: float | None, at_end: Callable[[], object] | None
    ) -> None:
        super().__init__(driver, job)
        self._left.at_end, self._left.drops = at_end, False
        self._end_s = None if timeout_s is None else monotonic() + timeout_s

    def __next__(self) -> Any:
        try:
            return self._values.pop()
        except IndexError:
            self._left.drops = True
        try:
            return self.next(None if self._end_s is None else self._end_s - monotonic())
        except StopIteration:
            self._say_end()
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Cancel the calls that remain; there are no further results."""
        super().close()
        self._say_end()

    def _say_end(self) -> None:
        at_end, self._left.at_end = self._left.at_end, None
        if at_end is not None:
            at_end()


def _end_dropped(left: _Left) -> None:
    """Results were dropped before they had come to their end."""
    if left.drops:
        left.job.drop()
        left.driver.ring()
    if left.at_end is not None:
        left.at_end()


def _raise(error: BaseException) -> NoReturn:
    try:
        if isinstance(error, StopIteration):  # it would say that there are no further results
            raise RuntimeError("the function raised StopIteration") from error  # noqa: TRY004 - it is no argument
        raise error
    finally:
        del error  # the traceback holds this frame: together they would be garbage in a circle


def _pieces(part: Done) -> list[list[Any] | BaseException]:
    """Return the values of a part, in reverse, broken off where an item failed."""
    if not part.failed:
        part.values.reverse()
        return [part.values]
    pieces: list[list[Any] | BaseException] = []
    begin = 0
    for at in [*sorted(index - part.start for index in part.failed), len(part.values)]:
        if at > begin:
            pieces.append(part.values[begin:at][::-1])
        if at < len(part.values):
            pieces.append(part.values[at])
        begin = at + 1
    return pieces
