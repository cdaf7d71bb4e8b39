"""`corewise.Pool`: the interface of `multiprocessing.Pool` on the engine of this library."""

from __future__ import annotations

import os
from functools import partial

from corewise._api.executors.base import checked_initializer
from corewise._api.executors.driver import captured
from corewise._api.executors.job_driver import JobDriver
from corewise._api.executors.jobs import FedJob, MapJob, SlicedJob
from corewise._api.executors.process_future import begin
from corewise._api.pool.feeder import read_in_background
from corewise._api.pool.iterator import PoolIterator
from corewise._api.pool.result import AsyncResult
from corewise._dispatch.window import Window
from corewise._engine.pool_of_calls import PoolOfCalls
from corewise._machine.cpus import cpu_count
from corewise._transport.blocks import Once, repeated_in
from corewise._types.checks import one_of, seconds
from corewise._types.options import whole_number
from corewise._types.statistics import ExecutorStatistics
from corewise.errors import PoolTerminated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from multiprocessing.context import BaseContext
    from types import TracebackType
    from typing import Any, Literal, NoReturn, Self, TypeVar

    from corewise._api.executors.jobs import JobTerms, ManagedJob, StreamJob

    T = TypeVar("T")
    Callback = Callable[[Any], object] | None
    ErrorCallback = Callable[[BaseException], object] | None

_START_METHODS = ("auto", "fork", "forkserver", "spawn")
_UNCHANGING = (tuple, range)  # what nobody can change until it is sent
_SLICED = (list, tuple, range)  # what can be read a part at a time, and keeps nobody waiting


class Pool:
    """Worker processes that share calls: the interface of `multiprocessing.Pool`, without its traps.

    A worker that dies costs the one item that it was at, which fails with `WorkerDied`; nothing hangs. Functions may
    be lambdas and closures. Items travel in chunks whose size adapts; large arrays through shared memory. Any number of
    calls may be under way, from any threads, and workers take them in turn. Workers are started at once, may have
    children of their own, and never outlive this process. Used as a context manager, it is terminated at the end.

    Args:
        processes: worker processes; by default one for each core that this process may use.
        initializer: called in each worker before its first call. If it fails, all calls raise `BrokenProcessPool`.
        initargs: its arguments.
        maxtasksperchild: calls, or items, after which a worker is replaced by a fresh one; None, the default: never.
        context: a context of `multiprocessing`, whose start method is used.
        start_method: ``"auto"`` (fork where that is safe), ``"fork"``, ``"forkserver"`` or ``"spawn"``.
        timeout: seconds that each call, or item, may take before its worker is killed and it fails with TimeoutError;
            None, the default, for no limit.

    Raises:
        OptionError: when an argument is out of range (it is a ValueError).
        TypeError: when `initializer` cannot be called.
        WorkerStartError: when no worker can be started.

    Example:
        >>> import corewise
        >>> with corewise.Pool(2) as pool:
        ...     pool.map(abs, [-1, -2]), pool.apply_async(pow, (2, 3)).get()
        ([1, 2], 8)
    """

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: BaseContext | None = None,
        *,
        start_method: Literal["auto", "fork", "forkserver", "spawn"] = "auto",
        timeout: float | None = None,
    ) -> None:
        self._processes = cpu_count() if processes is None else whole_number("processes", processes)
        checked_initializer(initializer)
        if maxtasksperchild is not None:
            whole_number("maxtasksperchild", maxtasksperchild)
        method = one_of("start_method", start_method, _START_METHODS)
        if context is not None and method == "auto":
            method = context.get_start_method()
        self._timeout_s = None if timeout is None else seconds("timeout", timeout)
        self._made_in = os.getpid()
        self._state = "running"
        self._driver = JobDriver(
            partial(
                PoolOfCalls,
                None,
                self._processes,
                start_method=str(method),
                initializer=initializer,
                initargs=tuple(initargs),
                max_tasks_per_worker=maxtasksperchild,
            ),
            self._processes,
            kill_at_end=True,
        )
        self._driver.belong_to(self)
        self._driver.open()

    # -- one call ------------------------------------------------------------------------------------------------------

    def apply(self, func: Callable[..., T], args: Iterable[Any] = (), kwds: Mapping[str, Any] | None = None) -> T:
        """Run ``func(*args, **kwds)`` in a worker and return its result.

        Raises:
            ValueError: when the pool is closed.
            WorkerDied: when the worker ended under it.
            BaseException: what the function raised, with the worker's traceback as its cause.
        """
        result: T = self.apply_async(func, args, kwds).get()
        return result

    def apply_async(
        self,
        func: Callable[..., Any],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] | None = None,
        callback: Callback = None,
        error_callback: ErrorCallback = None,
    ) -> AsyncResult:
        """Run ``func(*args, **kwds)`` in a worker.

        Args:
            func: the function.
            args: its positional arguments.
            kwds: its keyword arguments.
            callback: called with the result, in a thread of this process, before `AsyncResult.get` returns it.
            error_callback: called with the exception, if it raises instead. What a callback raises is logged.

        Returns:
            The result to come.

        Raises:
            ValueError: when the pool is closed.
        """
        self._check_running()
        result = AsyncResult(self._driver, callback, error_callback)
        self._driver.submit(func, tuple(args), dict(kwds) if kwds else {}, self._timeout_s, None, result)
        return result

    # -- many items ----------------------------------------------------------------------------------------------------

    def map(self, func: Callable[[Any], T], iterable: Iterable[Any], chunksize: int | None = None) -> list[T]:
        """Run a function over all items and return the results, in the order of the input.

        Args:
            func: the function; it gets one item.
            iterable: the items; read to the end at once.
            chunksize: items that are sent together, at least 1. None, the default, adapts it to how long they take.

        Raises:
            ValueError: when the pool is closed, or `chunksize` is out of range.
            WorkerDied: when a worker ended under an item.
            BaseException: what the function raised for the first item that failed, with the worker's traceback as its
                cause and a note that names the item. All other items have been run then.
        """
        return self._map(func, iterable, chunksize, star=False)

    def starmap(
        self, func: Callable[..., T], iterable: Iterable[Iterable[Any]], chunksize: int | None = None
    ) -> list[T]:
        """Run a function over all items as `map` does; each item is a sequence of arguments."""
        return self._map(func, iterable, chunksize, star=True)

    def map_async(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Callback = None,
        error_callback: ErrorCallback = None,
    ) -> AsyncResult:
        """Begin what `map` does, and return its result to come. Callbacks are those of `apply_async`."""
        return self._begin_map(func, iterable, chunksize, star=False, callbacks=(callback, error_callback))[0]

    def starmap_async(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callback = None,
        error_callback: ErrorCallback = None,
    ) -> AsyncResult:
        """Begin what `starmap` does, and return its result to come. Callbacks are those of `apply_async`."""
        return self._begin_map(func, iterable, chunksize, star=True, callbacks=(callback, error_callback))[0]

    def imap(self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int | None = None) -> PoolIterator:
        """Run a function over items of an input of any length; the results come one by one, in its order.

        The input is read by a thread of its own, a little ahead of the workers, and they work a little ahead of whoever
        takes the results: at most 16,384 items and 32 MB of results, so an endless input takes bounded memory. `join`
        lifts that bound.

        Args:
            func: the function; it gets one item.
            iterable: the items. One that was read must not be changed before its result is there.
            chunksize: items that are sent together, at least 1. None, the default, adapts it to how long they take.

        Returns:
            An iterator whose ``next(timeout)`` waits so many seconds at most. An item that failed raises there in its
            turn, and the iterator goes on behind it.

        Raises:
            ValueError: when the pool is closed, or `chunksize` is out of range.
        """
        return self._stream(func, iterable, chunksize, ordered=True)

    def imap_unordered(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int | None = None
    ) -> PoolIterator:
        """Run a function over items as `imap` does; the results come as they are finished."""
        return self._stream(func, iterable, chunksize, ordered=False)

    # -- the end -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Take no more calls; the workers end after the last one."""
        if self._state == "running":
            self._state = "closed"
            self._driver.close(wait=False)

    def terminate(self) -> None:
        """End the workers now (SIGTERM, and SIGKILL for those that do not heed it), and wait until they are gone.

        Calls that are not finished raise `PoolTerminated`.
        """
        self._terminate("terminate")

    def _terminate(self, how: str) -> None:
        self._state = "terminated"
        because = PoolTerminated("the pool was terminated before this was finished")
        self._driver.close(wait=True, kill=how, because=because)

    def join(self) -> None:
        """Wait until all calls are finished and the workers are gone.

        Raises:
            ValueError: when neither `close` nor `terminate` was called before.
        """
        if self._state == "running":
            raise ValueError("the pool is still running: call close() or terminate() before join()")
        self._driver.lift()
        self._driver.close(wait=True)

    def __enter__(self) -> Self:
        """Return the pool itself.

        Raises:
            ValueError: when it is closed.
        """
        self._check_running()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Terminate it; after Ctrl-C kill the workers, so that none can make the user wait."""
        self._terminate("kill" if kind is not None and issubclass(kind, KeyboardInterrupt) else "terminate")

    def __reduce__(self) -> NoReturn:
        raise NotImplementedError("a pool belongs to its process, and cannot be sent to another: make one there")

    def __repr__(self) -> str:
        return f"<corewise.Pool {self._state}, processes={self._processes}>"

    def statistics(self) -> ExecutorStatistics:
        """Return what the pool is doing now, and has done so far; items count as calls."""
        return ExecutorStatistics(max_workers=self._processes, **self._driver.figures())

    # -- inside --------------------------------------------------------------------------------------------------------

    def _check_running(self) -> None:
        if self._made_in != os.getpid():
            raise RuntimeError(
                f"this pool belongs to process {self._made_in}, and its workers stayed there when process "
                f"{os.getpid()} was forked off: make a pool in the child"
            )
        if self._state != "running":
            raise ValueError(f"the pool is {self._state}, and takes no more calls")

    def _terms(self, chunksize: int | None, once: Once | None, *, star: bool) -> JobTerms:
        return {
            "workers": self._processes,
            "chunksize": None if chunksize is None else whole_number("chunksize", chunksize),
            "star": star,
            "timeout_s": self._timeout_s,
            "once": once,
            "context": captured(),
        }

    def _map(
        self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: int | None, *, star: bool
    ) -> list[Any]:
        """Carry out `map` or `starmap`."""
        # As its caller waits, no array in a list changes meanwhile, and one that stands there twice is sent once.
        once = Once(repeated_in([iterable]) if type(iterable) in (list, tuple) and not star else ())
        job: ManagedJob | None = None
        try:
            result, job = self._begin_map(func, iterable, chunksize, star=star, once=once)
            results: list[Any] = result.get()
            return results
        finally:
            if job is not None and not job.exhausted:  # Ctrl-C: nobody will ask for the rest
                self._driver.change(job.drop)
            self._driver.scopes_over.append(once)

    def _begin_map(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Any],
        chunksize: int | None,
        *,
        star: bool,
        once: Once | None = None,
        callbacks: tuple[Callback, ErrorCallback] = (None, None),
    ) -> tuple[AsyncResult, ManagedJob | None]:
        """Begin a map; return its result to come, and the job unless there was nothing to do."""
        self._check_running()
        terms = self._terms(chunksize, once, star=star)
        items = iterable if type(iterable) in _UNCHANGING else list(iterable)
        result = AsyncResult(self._driver, *callbacks)
        begin(result)
        if not items:
            result.set_result([])
            return result, None
        job = MapJob(result, items, **terms)  # type: ignore[arg-type]  # a list, a tuple or a range
        self._driver.begin(job, func)
        return result, job

    def _stream(
        self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: int | None, *, ordered: bool
    ) -> PoolIterator:
        """Carry out `imap` or `imap_unordered`."""
        self._check_running()
        terms = self._terms(chunksize, None, star=False)
        window = Window.usual(self._processes, chunksize)
        if isinstance(iterable, _SLICED) and type(iterable) in _SLICED:
            job: StreamJob = SlicedJob(iterable, window, ordered=ordered, **terms)
            self._driver.begin(job, func)
        else:
            items = iter(iterable)
            job = fed = FedJob(window, ordered=ordered, **terms)
            self._driver.begin(job, func)
            read_in_background(self._driver, fed, items)
        return PoolIterator(self._driver, job)
