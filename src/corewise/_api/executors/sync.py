"""The submitting thread itself on the interface of `concurrent.futures`: for debugging."""

from __future__ import annotations

import threading
from concurrent.futures import BrokenExecutor
from contextvars import copy_context

from corewise._api.executors.base import Executor, checked_initializer, number_of_workers
from corewise._api.executors.future import CallFuture, log
from corewise._api.executors.tally import Tally
from corewise._types.statistics import ExecutorStatistics
from corewise._work.raised import without_our_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Any


class SyncExecutor(Executor):
    """Runs each call in the thread that submits it, before `submit` returns: for debugging, and the same every time.

    Breakpoints and profilers work as in a plain program. A call sees the context variables of its caller, and changes
    to them stay in the call, as in the other executors.

    Args:
        max_workers: checked and otherwise without effect, so that this executor can stand in another's place: the
            submitting thread is the only worker.
        initializer: called once, in the thread of the first call, before it. If it fails, the executor is broken:
            `submit` raises `concurrent.futures.BrokenExecutor`.
        initargs: its arguments.
        timeout: None; a call in the submitting thread cannot be ended from outside.

    Raises:
        OptionError: when `max_workers` is no whole number above 0, or `timeout` is not None.
        TypeError: when `initializer` cannot be called.

    Example:
        >>> import corewise
        >>> with corewise.SyncExecutor() as executor:
        ...     executor.submit(pow, 2, 3).done()
        True
    """

    _no_time_limit_because = (
        "it runs in the thread that submits it, where nothing could end it. Use ProcessExecutor, whose workers can be "
        "killed, or AsyncioExecutor for coroutine functions"
    )

    def __init__(
        self,
        max_workers: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        timeout: float | None = None,
    ) -> None:
        number_of_workers(max_workers, 1)
        checked_initializer(initializer)
        self._open(timeout)
        self._tally = Tally()
        self._initializer = initializer
        self._initargs = initargs
        self._broken = False
        self._closed = False
        self._inside: list[int] = []  # the threads that are in a call now, once for each call
        self._news = threading.Condition()  # reentrant: a call may submit, and so may the initializer

    def _submit(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout_s: float | None,  # noqa: ARG002 - always None here
    ) -> Future[Any]:
        thread = threading.get_ident()
        with self._news:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._initialize()
            self._inside.append(thread)
        try:
            return self._run(fn, args, kwargs)
        finally:
            with self._news:
                self._inside.remove(thread)
                self._news.notify_all()

    def _initialize(self) -> None:
        initializer, self._initializer = self._initializer, None
        if initializer is not None:
            try:
                initializer(*self._initargs)
            except BaseException as error:
                self._broken = True
                if isinstance(error, KeyboardInterrupt):
                    raise
                log().critical("Exception in initializer:", exc_info=True)
        if self._broken:
            raise BrokenExecutor("the initializer failed, so this executor can not be used")

    def _run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any]:
        future = CallFuture()
        future.set_running_or_notify_cancel()
        self._tally.submitted()
        self._tally.started()
        try:
            result = copy_context().run(fn, *args, **kwargs)
        except BaseException as error:
            self._tally.ended(error)
            if isinstance(error, KeyboardInterrupt):  # the user's Ctrl-C: to wait in a future is not what it is for
                raise
            future.set_exception(without_our_frame(error))
        else:
            self._tally.ended(None)
            future.set_result(result)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the standard signature
        """Take no more calls.

        Args:
            wait: whether to return only after the calls that other threads are in have ended.
            cancel_futures: no call ever waits here, so there is nothing to cancel.
        """
        this = threading.get_ident()
        with self._news:
            self._closed = True
            if wait:
                self._news.wait_for(lambda: all(thread == this for thread in self._inside))

    def statistics(self) -> ExecutorStatistics:
        """Return what the executor is doing now, and has done so far."""
        figures = self._tally.figures()
        return ExecutorStatistics(max_workers=1, workers=1, idle_workers=int(not figures["running"]), **figures)
