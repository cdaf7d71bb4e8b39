"""An event loop for calls that are made from plain code, also where a loop runs already."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any


class PlainLoop:
    """Runs coroutines to their end, one call after the other, in one event loop.

    The loop turns in the calling thread. Where a loop turns there already (in a notebook, in a coroutine that calls
    plain code), it turns in a thread of its own instead, and the caller's loop stands still meanwhile, as with any
    blocking call.

    Attributes:
        elsewhere: whether the loop turns in a thread of its own.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="corewise-loop") if _a_loop_runs() else None
        self.elsewhere = self._thread is not None

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end and return its result."""
        if self._thread is None:
            return self._runner.run(coroutine)
        return self._thread.submit(self._runner.run, coroutine).result()

    def close(self) -> None:
        """Cancel what still runs, let it clean up, and close the loop."""
        if self._thread is None:
            self._runner.close()
        else:
            self._thread.submit(self._runner.close).result()
            self._thread.shutdown()


def _a_loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
