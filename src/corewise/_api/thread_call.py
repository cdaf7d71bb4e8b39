"""A call that goes through the steps of `map` in a thread, for an event loop; and other things that are done aside."""

from __future__ import annotations

import asyncio
import threading
from contextvars import copy_context
from queue import SimpleQueue

from corewise._api.call import Call
from corewise._dispatch.async_source import InputCancelled, to_its_end
from corewise._types.interrupts import start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._api.request import Request
    from corewise._dispatch.async_source import FromLoop
    from corewise._dispatch.window import Window
    from corewise._types.choice import Choice, Failed, Stats
    from corewise._work.chunk import Done

_TICK_S = 0.05  # guess: after so long the thread looks whether it is to go on
_MOMENT_S = 0.2  # guess: processes are gone by then; an item that runs in the thread may take any time


async def in_thread(act: Callable[[], Any]) -> Any:
    """Do what takes longer than the loop may stand still in a thread of its own, which is over when this returns.

    Cancellation is raised when it is done.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    jobs: SimpleQueue[Any] = SimpleQueue()
    jobs.put((act, future))
    jobs.put(None)
    thread = threading.Thread(target=copy_context().run, args=(_serve, loop, jobs), name="corewise-aside", daemon=True)
    start_thread(thread)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    thread.join()  # while a thread is about, workers could not be forked
    if cancelled is None:
        try:
            return future.result()
        finally:
            del future  # it keeps what it raises, and what is raised keeps this frame
    future.exception()  # nobody is to be told that it was not looked at
    try:
        raise cancelled
    finally:
        del cancelled


class ThreadCall:
    """A call that goes through the steps of `map` in a thread of its own, for a loop.

    Args:
        request: what was asked for.
        window: as for `Call`.
        bridges: inputs that the thread reads through the loop.
    """

    def __init__(self, request: Request, window: Window | None, bridges: list[FromLoop]) -> None:
        self._call = Call(request, window, tick_s=_TICK_S)
        self._bridges = bridges
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = SimpleQueue()
        self._name = request.options.name
        self._thread: threading.Thread | None = None
        self._over = False

    @property
    def choice(self) -> Choice | None:
        """Which approach runs the items; None until that is known."""
        return self._call.choice

    @property
    def failures(self) -> list[Failed]:
        """What failed so far, in input order."""
        return self._call.failures

    @property
    def goes_on(self) -> bool:
        """Whether anything goes on between two steps."""
        return self._call.goes_on

    def stats(self) -> Stats:
        """Return what it has cost so far, or in all."""
        return self._call.stats()

    def taken(self, items: int, size_bytes: int) -> None:
        """The caller has taken so many results of those that `advance` gave."""
        self._call.taken(items, size_bytes)

    async def advance(self) -> list[Done] | None:
        """Go on until there is something new; None when there is nothing more, or another task has ended it."""
        if self._over:  # the thread takes no more jobs
            return None
        parts: list[Done] | None = await self._do(self._call.step)
        if parts is None:
            self._over = True  # and closed, by its last step
            self._jobs.put(None)
            self._join()
            await self._inputs_ended()
        return parts

    async def aclose(self, *, wait: bool = False) -> None:
        """End what is under way; an item that runs in the helper thread ends by itself.

        Args:
            wait: whether to wait for that as long as it takes.
        """
        if self._over:
            return
        done = self.close()
        try:
            if done is not None:
                await asyncio.wait([done], timeout=None if wait else _MOMENT_S)
                if done.done():
                    self._join()
        finally:
            await self._inputs_ended()

    async def _inputs_ended(self) -> None:
        """End streams that were read."""

        async def end_all() -> None:
            for bridge in self._bridges:
                await bridge.ended()

        if self._bridges:
            await to_its_end(asyncio.ensure_future(end_all()))

    def _join(self) -> None:
        """Wait for the thread, which has nothing left to do: while one is about, workers could not be forked."""
        if self._thread is not None:
            self._thread.join()

    def close(self, *, wait: bool = False) -> asyncio.Future[Any] | None:  # noqa: ARG002 - as `Call.close`
        """Have it end as soon as the step that is under way does; what is returned is done then."""
        if self._over:
            return None
        self._over = True
        for bridge in self._bridges:
            bridge.end()
        if self._thread is None:
            self._call.close()
            return None
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put((self._call.close, future))
        self._jobs.put(None)
        return future

    async def _do(self, job: Callable[[], Any]) -> Any:
        if self._thread is None:
            self._thread = threading.Thread(
                target=copy_context().run,
                args=(_serve, self._loop, self._jobs, self._call.close),
                name=f"{self._name}-call",
                daemon=True,
            )
            start_thread(self._thread)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put((job, future))
        try:
            return await future
        finally:
            del future  # it keeps what it raises, and what is raised keeps this frame


def _serve(
    loop: asyncio.AbstractEventLoop,
    jobs: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None],
    abandoned: Callable[[], Any] | None = None,
) -> None:
    """Do jobs and tell the loop what came of them, until there is a None."""
    while (job := jobs.get()) is not None:
        act, future = job
        result, error = None, None
        try:
            result = act()
        except BaseException as raised:  # noqa: BLE001 - it is the caller's
            error = raised
        try:
            loop.call_soon_threadsafe(_settle, future, result, error)
        except RuntimeError:  # the loop is closed, so nobody will ever say that it is over
            if abandoned is not None:
                abandoned()
            return
        del job, act, future, result, error


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    elif isinstance(error, StopIteration):  # a future refuses it
        stopped = RuntimeError("the function raised StopIteration")
        stopped.__cause__ = error
        future.set_exception(stopped)
    elif isinstance(error, InputCancelled):
        future.set_exception(asyncio.CancelledError(*error.args))
    else:
        future.set_exception(error)
