"""Worker processes on the interface of `concurrent.futures`."""

from __future__ import annotations

from functools import partial
from itertools import chain, islice

from corewise._api.executors.base import Executor, checked_initializer, number_of_workers
from corewise._api.executors.driver import captured
from corewise._api.executors.job_driver import JobDriver
from corewise._api.executors.job_results import MapResults
from corewise._api.executors.jobs import SlicedJob
from corewise._api.executors.results import ResultIterator
from corewise._dispatch.window import Window
from corewise._engine.pool_of_calls import PoolOfCalls
from corewise._machine.cpus import cpu_count
from corewise._transport.blocks import Once, repeated_in
from corewise._types.options import whole_number
from corewise._types.statistics import ExecutorStatistics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from multiprocessing.context import BaseContext
    from types import TracebackType
    from typing import Any

_AT_HAND = (list, tuple, range)


class ProcessExecutor(Executor):
    """A pool of worker processes that heals itself, in the place of `concurrent.futures.ProcessPoolExecutor`.

    A worker that dies costs the call that it was at: its future raises `WorkerDied`, which is a `BrokenProcessPool`;
    all other calls are run, and the executor takes new ones. Functions may be lambdas and closures; each is sent to
    each worker once. Large arrays travel through shared memory. Workers are started at the first call.

    Args:
        max_workers: worker processes; by default one for each core that this process may use.
        mp_context: a context of `multiprocessing`, whose start method is used; None, the default, forks where that is
            safe and looks for the next best start method otherwise.
        initializer: called in each worker before its first call. If it fails, the executor is broken: all its futures
            raise `BrokenProcessPool`.
        initargs: its arguments.
        max_tasks_per_child: calls after which a worker is replaced by a fresh one; None, the default: never.
        timeout: seconds that each call may take before its worker is killed and its future raises TimeoutError; None,
            the default, for no limit. `options` sets it for some calls only.

    Raises:
        OptionError: when a number is out of range.
        TypeError: when `initializer` cannot be called.

    Example:
        >>> import corewise
        >>> with corewise.ProcessExecutor(2) as executor:
        ...     executor.submit(pow, 2, 3).result()
        8
    """

    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: BaseContext | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        max_tasks_per_child: int | None = None,
        timeout: float | None = None,
    ) -> None:
        self._max_workers = number_of_workers(max_workers, cpu_count())
        checked_initializer(initializer)
        if max_tasks_per_child is not None:
            whole_number("max_tasks_per_child", max_tasks_per_child)
        self._open(timeout)
        method = mp_context.get_start_method() if mp_context is not None else "auto"
        self._driver = JobDriver(
            partial(
                PoolOfCalls,
                None,
                self._max_workers,
                start_method=str(method),
                initializer=initializer,
                initargs=initargs,
                max_tasks_per_worker=max_tasks_per_child,
            ),
            self._max_workers,
        )
        self._driver.belong_to(self)

    def _submit(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout_s: float | None,
    ) -> Future[Any]:
        return self._driver.submit(fn, args, kwargs, timeout_s)

    def _map(
        self,
        fn: Callable[..., Any],
        iterables: tuple[Iterable[Any], ...],
        timeout: float | None,
        chunksize: int,
        buffersize: int | None,
        timeout_s: float | None,
    ) -> Iterator[Any]:
        if chunksize == 1 and buffersize is None and all(type(one) in _AT_HAND for one in iterables):
            return self._map_at_hand(fn, iterables, timeout, timeout_s)
        calls = zip(*iterables, strict=False)
        if chunksize > 1:
            chunks = self._map(partial(_run_all, fn), (_cut(calls, chunksize),), timeout, 1, buffersize, timeout_s)
            return chain.from_iterable(chunks)

        def submit(args: tuple[Any, ...]) -> Future[Any]:
            self._check_process()
            return self._submit(fn, args, {}, timeout_s)

        return ResultIterator(submit, calls, buffersize, timeout)

    def _map_at_hand(
        self,
        fn: Callable[..., Any],
        iterables: tuple[Iterable[Any], ...],
        timeout: float | None,
        timeout_s: float | None,
    ) -> Iterator[Any]:
        """Map over what can be read at once: not by a future for each call, which costs twenty times a tiny call."""
        self._check_process()
        # What stands in lists does not change between one call and the next, so an array that stands there twice need
        # not be sent twice.
        once = None if any(type(one) is range for one in iterables) else Once(repeated_in(iterables))
        alone = len(iterables) == 1
        items = iterables[0] if alone else zip(*iterables, strict=False)
        job = SlicedJob(
            items if type(items) is range else list(items),
            Window.usual(self._max_workers, None),
            ordered=True,
            workers=self._max_workers,
            chunksize=None,
            star=not alone,
            timeout_s=timeout_s,
            once=once,
            context=captured(),
        )
        job.lift()  # all calls are run, whether or not anybody takes their results
        at_end = None if once is None else partial(self._driver.scopes_over.append, once)
        results = MapResults(self._driver, job, timeout, at_end)
        self._driver.begin(job, fn)
        return results

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard signature
        """Take no more calls, and end the workers after the last one.

        Args:
            wait: whether to return only after the last call has ended and the workers are gone.
            cancel_futures: whether to cancel the calls that have not begun.
        """
        self._driver.close(wait=wait, cancel=cancel_futures)

    def terminate_workers(self) -> None:
        """Ask all workers to end now (SIGTERM), kill those that do not within seconds, and shut down.

        Futures of calls that were running raise `BrokenProcessPool`; the others are cancelled.
        """
        self._driver.close(wait=True, cancel=True, kill="terminate")

    def kill_workers(self) -> None:
        """Kill all workers now (SIGKILL), and shut down.

        Futures of calls that were running raise `BrokenProcessPool`; the others are cancelled.
        """
        self._driver.close(wait=True, cancel=True, kill="kill")

    @property
    def _broken(self) -> bool:
        """Whether the workers cannot work; under the name that the standard executors have for it."""
        return self._driver.broken is not None

    def statistics(self) -> ExecutorStatistics:
        """Return what the executor is doing now, and has done so far."""
        return ExecutorStatistics(max_workers=self._max_workers, **self._driver.figures())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> bool | None:
        """Shut down; at once after Ctrl-C, else when all calls have ended."""
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self.kill_workers()
        else:
            self.shutdown()
        return None


def _cut(calls: Iterator[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(islice(calls, size)):
        yield chunk


def _run_all(fn: Callable[..., Any], calls: list[tuple[Any, ...]]) -> list[Any]:
    return [fn(*args) for args in calls]
