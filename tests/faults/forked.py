"""Forked processes that do one thing, and what is left in a queue after them."""

from __future__ import annotations

import os
import queue as standard
import select
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import corewise

LONG_S = 10.0  # nothing takes so long unless it hangs (guess)


class Child:
    """A forked process that runs something, and exits with 0 if that returns."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                act()
                code = 0
            finally:
                os._exit(code)

    def wait(self) -> int:
        """Wait for its end; return its exit code, negative for a signal."""
        notice = os.pidfd_open(self.pid)
        try:
            if not select.select([notice], [], [], LONG_S)[0]:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                pytest.fail("it hangs")
        finally:
            os.close(notice)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def drained(queue: corewise.Queue[Any]) -> list[Any]:
    """Take all that is there, without waiting."""
    items: list[Any] = []
    with suppress(standard.Empty):
        while True:
            items.append(queue.get_nowait())
    return items
