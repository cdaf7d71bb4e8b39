"""Coroutine functions on the interface of `concurrent.futures`: an event loop in a thread of its own."""

from __future__ import annotations

import weakref
from contextvars import copy_context

from corewise._api.executors.base import Executor, number_of_workers
from corewise._api.executors.lanes import Call, Lanes
from corewise._types.statistics import ExecutorStatistics
from corewise._work.coroutines import is_coroutine_function
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future
    from typing import Any, ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

_COROUTINES = 100  # as many as `corewise.map` runs at once with approach="asyncio"


class AsyncioExecutor(Executor):
    """Runs coroutine functions in an event loop of its own, in a background thread, for callers that are plain code.

    One loop serves all calls, so an async client that is made in one call can be used in the next. Calls see the
    context variables of the code that submits them. ``future.cancel()`` works while the call is running too: the future
    is cancelled at once, and in the coroutine CancelledError is raised at its ``await``.

    Args:
        max_workers: the most coroutines that run at once; by default 100.
        thread_name_prefix: what the name of the thread begins with.
        timeout: seconds that each call may take once it runs; None, the default, sets no limit. A call that takes
            longer is cancelled, and its future raises TimeoutError.

    Raises:
        OptionError: when `max_workers` is no whole number above 0, or `timeout` no positive number.

    Example:
        >>> import asyncio, corewise
        >>> with corewise.AsyncioExecutor(timeout=60) as executor:
        ...     executor.submit(asyncio.sleep, 0.001, "done").result()
        'done'
    """

    def __init__(
        self, max_workers: int | None = None, thread_name_prefix: str = "", *, timeout: float | None = None
    ) -> None:
        self._open(timeout)
        self._max_workers = number_of_workers(max_workers, _COROUTINES)
        self._lanes = Lanes(self._max_workers, thread_name_prefix or "corewise-asyncio")
        # The thread knows the lanes and not the executor, so an executor that is dropped ends it (after its last call).
        weakref.finalize(self, self._lanes.abandon).atexit = False

    if TYPE_CHECKING:  # what differs is what type checkers know of the function

        def submit(  # type: ignore[override]
            self, fn: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
        ) -> Future[T]: ...

    def _submit(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], timeout_s: float | None
    ) -> Future[Any]:
        if not is_coroutine_function(fn):
            raise OptionError(_plain_function(fn))
        call = Call(fn, args, kwargs, copy_context(), timeout_s)
        self._lanes.submit(call)
        return call.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard signature
        """Take no more calls.

        Args:
            wait: whether to return only after the last call has ended and the loop is closed.
            cancel_futures: whether to cancel the calls that have not begun. (Cancel the futures of running ones
                yourself.)
        """
        self._lanes.close(cancel=cancel_futures)
        if wait:
            self._lanes.join()

    def statistics(self) -> ExecutorStatistics:
        """Return what the executor is doing now, and has done so far."""
        figures = self._lanes.tally.figures()
        # A cancelled coroutine keeps its place until it has cleaned up.
        return ExecutorStatistics(
            max_workers=self._max_workers,
            workers=self._max_workers,
            idle_workers=self._max_workers - self._lanes.taken,
            **figures,
        )


def _plain_function(fn: object) -> str:
    name = getattr(fn, "__name__", "fn")
    return (
        f"AsyncioExecutor runs coroutine functions, and {name} is a plain one: inside the event loop it would block "
        f"all other calls. Use ThreadExecutor, which overlaps the waits of plain functions, or write "
        f"`async def {name}(...)` with an async client inside. If {name} returns a coroutine, wrap it: "
        f"`async def call(*args): return await {name}(*args)`."
    )
