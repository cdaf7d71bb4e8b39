"""What all executors share, so that one can be put in the place of another.

An executor implements `_submit`, `shutdown` and `statistics`, and calls `_open` from its constructor. Checking
arguments, `map`, time limits, views and forks are here.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor as StandardExecutor

from corewise._api.executors.results import ResultIterator
from corewise._types.options import whole_number
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from typing import Any, ParamSpec, TypeVar

    from corewise._types.statistics import ExecutorStatistics

    P = ParamSpec("P")
    T = TypeVar("T")


class Executor(StandardExecutor):
    """The interface of every executor of corewise: that of `concurrent.futures.Executor`, and some more."""

    # Why this kind cannot enforce a time limit, and what can; empty where it can.
    _no_time_limit_because = ""

    _timeout_s: float | None
    _made_in: int

    def _open(self, timeout: float | None) -> None:
        """Note what all executors have: the default time limit, and the process that it belongs to."""
        self._timeout_s = self._time_limit(timeout)
        self._made_in = os.getpid()

    def _submit(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], timeout_s: float | None
    ) -> Future[Any]:
        """Take a call with its time limit in seconds (checked already), and return its future."""
        raise NotImplementedError

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``fn(*args, **kwargs)`` as soon as a worker is free.

        Returns:
            The future of its result.

        Raises:
            RuntimeError: after `shutdown`, at the end of the interpreter, or in a forked child of the process that
                made the executor.
        """
        return self._checked_submit(fn, args, kwargs, self._timeout_s)

    def _checked_submit(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], timeout_s: float | None
    ) -> Future[Any]:
        self._check_process()
        return self._submit(fn, args, kwargs, timeout_s)

    def _check_process(self) -> None:
        if self._made_in != os.getpid():
            raise RuntimeError(
                f"this {type(self).__name__} belongs to process {self._made_in}, and its workers stayed there when "
                f"process {os.getpid()} was forked off: make an executor in the child"
            )

    # `buffersize` came to the standard executors with Python 3.14.
    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[T]:
        """Run a function over many inputs and return an iterator over the results, in the order of the inputs.

        Args:
            fn: the function; it gets one argument from each iterable.
            *iterables: the inputs; the shortest ends them.
            timeout: seconds from now within which the last result must be there; None, the default, waits for ever.
                (For a limit on each call see `options`.)
            chunksize: inputs that share one future, and so one worker process and one fate, at least 1. The default
                needs no tuning: calls that turn out short are sent together anyway. Where workers share the memory of
                the caller there is nothing to send, and it changes nothing.
            buffersize: how many calls may be submitted beyond the results that were taken, at least 1: the inputs are
                then read lazily. None, the default, reads them all before `map` returns.

        Returns:
            An iterator. Ended before its time (by its ``close()``, by a failure, by being dropped after its first
            result) it cancels the calls that remain.

        Raises:
            OptionError: when `chunksize` or `buffersize` is out of range.
            TypeError: when `buffersize` is neither an integer nor None.
            TimeoutError: (from the iterator) when a result is not there in time.
            Exception: whatever `fn` raises (from the iterator), and whatever reading the inputs raises.
        """
        whole_number("chunksize", chunksize)
        self._checked_buffersize(buffersize)
        return self._map(fn, iterables, timeout, chunksize, buffersize, self._timeout_s)

    def _map(
        self,
        fn: Callable[..., Any],
        iterables: tuple[Iterable[Any], ...],
        timeout: float | None,
        chunksize: int,  # noqa: ARG002 - for executors that send something
        buffersize: int | None,
        timeout_s: float | None,
    ) -> Iterator[Any]:
        """Carry out `map`, whose arguments are checked, with a time limit for each call in seconds."""
        calls = zip(*iterables, strict=False)
        return ResultIterator(lambda args: self._checked_submit(fn, args, {}, timeout_s), calls, buffersize, timeout)

    def options(self, *, timeout: float | None) -> Executor:
        """Return a view of this executor whose calls have another time limit; workers and queue are shared.

        Args:
            timeout: seconds that each call may take once it runs; None takes a limit away. A call that takes longer
                is ended, and its future raises TimeoutError.

        Returns:
            An executor. Shutting it down shuts this one down.

        Raises:
            OptionError: when it is no positive number, or when calls of this executor cannot be ended.
        """
        return _View(self, self._made_in, self._time_limit(timeout))

    def statistics(self) -> ExecutorStatistics:
        """Return what the executor is doing now, and has done so far."""
        raise NotImplementedError

    @classmethod
    def _time_limit(cls, timeout: object) -> float | None:
        if timeout is None:
            return None
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < float("inf"):
            raise OptionError(f"timeout must be a positive number of seconds or None, not {timeout!r}")
        if cls._no_time_limit_because:
            raise OptionError(f"{cls.__name__} cannot hold a call to timeout={timeout!r}: {cls._no_time_limit_because}")
        return float(timeout)

    @staticmethod
    def _checked_buffersize(buffersize: object) -> None:
        if buffersize is None:
            return
        if not isinstance(buffersize, int):
            raise TypeError(f"buffersize must be an integer or None, not {buffersize!r}")
        whole_number("buffersize", buffersize)


class _View(Executor):
    """An executor under another time limit."""

    def __init__(self, executor: Executor, made_in: int, timeout_s: float | None) -> None:
        self._executor = executor
        self._timeout_s = timeout_s
        self._made_in = made_in
        # An executor's own acts, under the view's time limit.
        self._submit = executor._submit  # type: ignore[method-assign]  # noqa: SLF001
        self._map = executor._map  # type: ignore[method-assign]  # noqa: SLF001

    def options(self, *, timeout: float | None) -> Executor:
        return self._executor.options(timeout=timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard signature
        self._executor.shutdown(wait, cancel_futures=cancel_futures)

    def statistics(self) -> ExecutorStatistics:
        return self._executor.statistics()


def number_of_workers(max_workers: int | None, default: int) -> int:
    """Return the number of workers asked for, or the default for None.

    Raises:
        OptionError: when it is no whole number above 0.
    """
    if max_workers is None:
        return default
    try:
        return whole_number("max_workers", max_workers)
    except OptionError:
        raise OptionError(
            f"max_workers must be greater than 0: a whole number, or None for the default; not {max_workers!r}"
        ) from None


def checked_initializer(initializer: object) -> None:
    """Check what is called once in each worker before its first call.

    Raises:
        TypeError: when it can not be called.
    """
    if initializer is not None and not callable(initializer):
        raise TypeError("initializer must be a callable")
