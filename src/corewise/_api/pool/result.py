"""What the calls of a pool hand out at once: the result, as soon as there is one."""

from __future__ import annotations

import threading

from corewise._api.executors.future import log
from corewise._api.executors.process_future import ProcessFuture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._api.executors.driver import Driver


def time_is_up(timeout_s: float | None) -> BaseException:
    """Return what is raised when a result is not there in time: the TimeoutError of multiprocessing, and Python's."""
    from corewise._api.pool.refusals import ResultTimeout

    return ResultTimeout(timeout_s)


def as_users_catch_it(error: BaseException) -> BaseException:
    """Return what a call raised, such that handlers written for multiprocessing catch what is ours."""
    if type(error).__name__ != "CannotTravel":  # to know it exactly its module must be loaded, which is dear
        return error
    from corewise._api.pool.refusals import translated

    return translated(error)


class AsyncResult(ProcessFuture):
    """The result of a call of a `Pool`, perhaps still to come.

    It is a `concurrent.futures.Future` as well, so ``concurrent.futures.wait``, ``as_completed`` and
    ``asyncio.wrap_future`` work with it.

    Args:
        driver: what reads the answers of the workers.
        callback: called with the result before anybody else learns of it.
        error_callback: called with what was raised instead.
    """

    def __init__(
        self,
        driver: Driver,
        callback: Callable[[Any], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> None:
        super().__init__(driver)
        self._callback = callback
        self._error_callback = error_callback
        self.watched = callback is not None or error_callback is not None
        self._telling: int | None = None  # the thread that is in a callback

    def get(self, timeout: float | None = None) -> Any:
        """Return the result.

        Args:
            timeout: seconds to wait at most; None, the default, waits as long as it takes.

        Raises:
            multiprocessing.TimeoutError: when the time is up; it is a `TimeoutError` as well.
            PoolTerminated: when the pool was terminated before.
            BaseException: what the call raised, with the worker's traceback as its cause.
        """
        if not self.decided:
            self.wait(timeout)
            if not self.decided:
                raise time_is_up(timeout)
        if self._exception is not None:
            self._exception = as_users_catch_it(self._exception)
        return self.result(0)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is there.

        Args:
            timeout: seconds to wait at most; None, the default, waits as long as it takes.

        Raises:
            RuntimeError: in its own callback, which runs before it is there.
        """
        if self._telling == threading.get_ident():
            raise RuntimeError("a callback runs before its result is there for others, so it cannot wait for that")
        if not self.decided:
            self._corewise_driver.wait_for(self, timeout)

    def ready(self) -> bool:
        """Return whether it is there."""
        return self.done()

    def successful(self) -> bool:
        """Return whether the call returned, rather than raised.

        Raises:
            ValueError: when it is not there yet.
        """
        if not self.done():
            raise ValueError(f"{self!r} not ready")
        return not self.cancelled() and self._exception is None

    def set_result(self, result: Any) -> None:
        """Call the callback, then say that the result is there."""
        self._tell(self._callback, result)
        super().set_result(result)

    def set_exception(self, exception: BaseException | None) -> None:
        """Call the callback for errors, then say that the call has raised."""
        if exception is not None:
            exception = as_users_catch_it(exception)
            self._tell(self._error_callback, exception)
        super().set_exception(exception)

    def _tell(self, callback: Callable[[Any], object] | None, value: Any) -> None:
        self._callback = self._error_callback = None  # they may hold much
        if callback is None:
            return
        self._telling = threading.get_ident()
        try:
            callback(value)
        except BaseException:  # noqa: BLE001 - whatever it raises must not keep the result from anybody
            log().exception("exception calling callback for %r", self)
        finally:
            self._telling = None
