"""The iterator that `Executor.map` returns."""

from __future__ import annotations

from collections import deque
from itertools import islice
from time import monotonic

from corewise._types.dropped import WhenDropped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from typing import Any, Self


class ResultIterator:
    """Results in the order of the inputs, each waited for when it is asked for.

    Ended before its time (by `close()`, by a failure, by being dropped after its first result) it cancels the calls
    that remain. One that is dropped without ever being asked leaves them running, as `concurrent.futures` does.

    Args:
        submit: takes the arguments of one call and returns its future.
        calls: the arguments of each call.
        ahead: how many calls may be submitted beyond the results that were taken; None for all at once.
        timeout_s: seconds from now within which the last result must be there; None without a limit.

    Raises:
        BaseException: whatever reading the inputs or submitting raises; the calls submitted by then are cancelled.
    """

    def __init__(
        self,
        submit: Callable[[tuple[Any, ...]], Future[Any]],
        calls: Iterator[tuple[Any, ...]],
        ahead: int | None,
        timeout_s: float | None,
    ) -> None:
        self._end_s = None if timeout_s is None else monotonic() + timeout_s
        self._dropped: WhenDropped | None = None
        self._futures: deque[Future[Any]] = deque()
        # Kept only while there is something left to submit, as they hold the executor and the inputs.
        self._submit: Callable[[tuple[Any, ...]], Future[Any]] | None = None
        self._calls: Iterator[tuple[Any, ...]] | None = None
        try:
            self._futures.extend(map(submit, islice(calls, ahead)))
        except BaseException:
            self.close()
            raise
        if ahead is not None:
            self._submit, self._calls = submit, calls

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if self._dropped is None:
            self._dropped = WhenDropped(self, _cancel, self._futures)
        try:
            self._read_on()
            if self._futures:
                return self._result(self._futures.popleft())
        except BaseException:
            self.close()
            raise
        raise StopIteration

    def close(self) -> None:
        """Cancel the calls that remain; there are no further results."""
        self._submit = self._calls = None
        _cancel(self._futures)

    def _read_on(self) -> None:
        """Submit one call more, if there is one."""
        if self._submit is not None and self._calls is not None:
            for arguments in self._calls:
                self._futures.append(self._submit(arguments))
                return
            self._submit = self._calls = None

    def _result(self, future: Future[Any]) -> Any:
        try:
            return future.result(None if self._end_s is None else self._end_s - monotonic())
        except StopIteration as error:  # here it would say that there are no further results
            raise RuntimeError("the function raised StopIteration") from error
        except BaseException:
            future.cancel()
            raise
        finally:
            del future  # the traceback of what it raised holds this frame: together they would be garbage in a circle


def _cancel(futures: deque[Future[Any]]) -> None:
    while futures:
        futures.pop().cancel()
