"""The future of a call in a worker process."""

from __future__ import annotations

from concurrent.futures._base import CANCELLED, CANCELLED_AND_NOTIFIED, FINISHED, PENDING, RUNNING

from corewise._api.executors.future import CallFuture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable
    from typing import Any, Protocol, TypeAlias

    from corewise._api.executors.condition import Condition

    # A future, whether its call failed, and what that returned or raised.
    Decision: TypeAlias = "tuple[ProcessFuture, bool, Any]"

    class Driver(Protocol):
        """What reads the answers of workers."""

        condition: Condition

        def wait_for(self, one: ProcessFuture, timeout_s: float | None) -> None:
            """Read them, or wait while another thread does, until `one` is decided or the time is up."""


_DECIDED = (FINISHED, CANCELLED, CANCELLED_AND_NOTIFIED)


class ProcessFuture(CallFuture):
    """A future whose waiter reads the workers' answers itself, when nobody else does.

    All futures of an executor share one condition, so that those that are decided together are decided under one
    lock; making a condition for each costs as much as all the rest of it.

    Args:
        driver: what reads the answers.

    Attributes:
        watched: whether more than a change of state is to be done when it is decided.
    """

    watched = False

    def __init__(self, driver: Driver) -> None:
        # As the standard constructor, but for the condition.
        self._condition = driver.condition
        self._state = PENDING
        self._result = None
        self._exception = None
        self._waiters: list[Any] = []
        self._done_callbacks: list[Any] = []
        self._corewise_driver = driver

    def result(self, timeout: float | None = None) -> Any:
        """Return what the call returned.

        Args:
            timeout: seconds to wait at most; None, the default, waits for ever.

        Raises:
            TimeoutError: when the time is up.
            CancelledError: when the call was cancelled.
            BaseException: what the call raised.
        """
        if self._state != FINISHED:
            self._corewise_driver.wait_for(self, timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what the call raised; None when it returned.

        Args:
            timeout: seconds to wait at most; None, the default, waits for ever.

        Raises:
            TimeoutError: when the time is up.
            CancelledError: when the call was cancelled.
        """
        if self._state != FINISHED:
            self._corewise_driver.wait_for(self, timeout)
        return super().exception(0)

    @property
    def decided(self) -> bool:
        """Whether it is done, as of now: without a lock, for whoever looks again."""
        return self._state in _DECIDED


def begin(future: ProcessFuture) -> None:
    """Say that a future's call is about to run, before anybody else has that future."""
    future._state = RUNNING  # noqa: SLF001 - the class is of this file


def start(future: ProcessFuture) -> bool:
    """Say that a future's call is about to run, holding its condition. Return False if it was cancelled."""
    if future._state == PENDING:  # noqa: SLF001 - the class is of this file
        future._state = RUNNING  # noqa: SLF001
        return True
    return future.set_running_or_notify_cancel()


def decide(condition: Condition, decisions: Iterable[Decision], watched: deque[Decision]) -> None:
    """Decide futures, and run their callbacks; so no lock may be held.

    Args:
        condition: that of all of them.
        decisions: for each its future, whether its call failed, and what it returned or raised.
        watched: where those wait whose callbacks are to be run; all of them are in the end.
    """
    with condition:
        for decision in decisions:
            future, failed, value = decision
            if future._waiters or future._done_callbacks or future.watched:  # noqa: SLF001
                watched.append(decision)
            elif failed:
                future._exception = value  # noqa: SLF001
                future._state = FINISHED  # noqa: SLF001
            else:
                future._result = value  # noqa: SLF001
                future._state = FINISHED  # noqa: SLF001
        condition.notify_all()
    decide_watched(watched)


def decide_watched(watched: deque[Decision]) -> None:
    """Decide futures one by one, and run their callbacks. In a callback that waits for one behind it, too."""
    while watched:
        future, failed, value = watched.popleft()
        if failed:
            future.set_exception(value)
        else:
            future.set_result(value)
        del future, value
