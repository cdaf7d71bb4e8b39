"""Threads on the interface of `concurrent.futures`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from corewise._api.executors.base import Executor, number_of_workers
from corewise._api.executors.condition import Condition
from corewise._api.executors.future import CallFuture
from corewise._api.executors.tally import Tally
from corewise._types.interrupts import InterruptsHeld
from corewise._types.statistics import ExecutorStatistics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Any


class ThreadExecutor(Executor, ThreadPoolExecutor):
    """A pool of threads: `concurrent.futures.ThreadPoolExecutor`, whose queue and threads it uses, and more.

    Calls see the context variables of the code that submits them. A callback that raises SystemExit costs no thread.
    `map` can read its inputs lazily on every Python. `statistics()` tells what goes on.

    Args:
        max_workers: the most threads at once; by default the standard library's number, at most 32. A thread is
            started when a call comes and all others are busy.
        thread_name_prefix: what the names of the threads begin with.
        initializer: called in each thread before its first call. If it fails, the executor is broken: all its futures
            raise `concurrent.futures.BrokenExecutor`.
        initargs: its arguments.
        timeout: None; a thread cannot be ended from outside.

    Raises:
        OptionError: when `max_workers` is no whole number above 0, or `timeout` is not None.
        TypeError: when `initializer` cannot be called.

    Example:
        >>> import corewise
        >>> with corewise.ThreadExecutor(4) as executor:
        ...     list(executor.map(pow, [2, 3], [3, 2]))
        [8, 9]
    """

    _no_time_limit_because = (
        "a thread cannot be ended from outside. Use ProcessExecutor, whose workers can be killed, AsyncioExecutor for "
        "coroutine functions, or give the function itself a limit (most network calls take one)"
    )

    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        timeout: float | None = None,
    ) -> None:
        if max_workers is not None:
            max_workers = number_of_workers(max_workers, 1)
        ThreadPoolExecutor.__init__(self, max_workers, thread_name_prefix, initializer, initargs)
        self._open(timeout)
        self._tally = Tally()

    def _submit(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout_s: float | None,  # noqa: ARG002 - always None here
    ) -> Future[Any]:
        call = _Call(self._tally)
        with InterruptsHeld():  # what the standard pool does here, such as to start a thread, is not to be broken off
            future = ThreadPoolExecutor.submit(self, copy_context().run, call.run, fn, *args, **kwargs)
            self._tally.submitted()
            future.add_done_callback(call.decided)
            # The standard pool makes its futures itself. Nobody else has this one yet, so no callback but ours could be
            # called unguarded; and the classes differ in methods only.
            future.__class__ = CallFuture
            future._condition.__class__ = Condition  # noqa: SLF001 - of the class above
            if future.cancelled():  # by `shutdown` in another thread, before it was one of ours
                future.set_running_or_notify_cancel()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard signature
        """Take no more calls.

        Args:
            wait: whether to return only after the last call has ended and the threads are gone.
            cancel_futures: whether to cancel the calls that have not begun.
        """
        ThreadPoolExecutor.shutdown(self, wait, cancel_futures=cancel_futures)

    def statistics(self) -> ExecutorStatistics:
        """Return what the executor is doing now, and has done so far."""
        figures = self._tally.figures()
        threads = sum(thread.is_alive() for thread in tuple(self._threads))
        return ExecutorStatistics(
            max_workers=self._max_workers, workers=threads, idle_workers=max(0, threads - figures["running"]), **figures
        )


class _Call:
    """One call, as far as it is counted. It does not hold the function: a future must not keep that alive."""

    __slots__ = ("_started", "_tally")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._started = False

    def run(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self._started = True
        self._tally.started()
        try:
            result = fn(*args, **kwargs)
        except BaseException as error:
            self._tally.ended(error)
            raise
        self._tally.ended(None)
        return result

    def decided(self, future: Future[Any]) -> None:
        if not self._started:
            self._tally.never_started(future)
