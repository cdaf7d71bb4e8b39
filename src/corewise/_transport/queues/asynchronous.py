"""Waiting for a bell in an event loop, without a thread."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

    from corewise._transport.queues.bells import Bell

_AGAIN_S = 0.01  # guess


class Sleepers:
    """Who waits for a bell in the event loops of this process. A loop watches a descriptor for one only.

    Args:
        bell: the bell.
    """

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._waiting: dict[AbstractEventLoop, list[Future[None]]] = {}

    async def wait(self) -> None:
        """Return when it rings."""
        from asyncio import get_running_loop, sleep

        loop = get_running_loop()
        future = loop.create_future()
        waiting = self._waiting.get(loop)
        if waiting is None:
            try:
                loop.add_reader(self._bell.fileno(), self._wake, loop)
            except NotImplementedError:  # the loop that Windows has by default
                await sleep(_AGAIN_S)
                return
            waiting = self._waiting[loop] = []
        waiting.append(future)
        try:
            await future
        finally:
            waiting.remove(future)
            if not waiting and self._waiting.get(loop) is waiting:  # cancelled, and the only one
                self._forget(loop)

    def _wake(self, loop: AbstractEventLoop) -> None:
        for future in self._forget(loop):
            if not future.done():
                future.set_result(None)

    def _forget(self, loop: AbstractEventLoop) -> list[Future[None]]:
        loop.remove_reader(self._bell.fileno())
        return self._waiting.pop(loop, [])
