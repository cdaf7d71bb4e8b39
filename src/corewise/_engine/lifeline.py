"""No worker outlives its parent, whatever the parent dies of and whatever the worker is doing.

Every worker holds the reading end of a pipe whose only writing end is the parent's. The kernel is asked to send SIGKILL
to the worker when that end is gone (`F_SETOWN`, `F_SETSIG`, `O_ASYNC`): no thread, no GIL, no polling, so it works
inside C code as well. `PR_SET_PDEATHSIG` would not do: it fires when the *thread* that started the worker ends.
Where the kernel has no `F_SETSIG`, a thread of the worker waits for end-of-file instead.

A pipe for each worker, because the process to be signalled is a property of the open pipe, not of the descriptor:
workers that shared one by inheritance would each take it from the one before.
"""

from __future__ import annotations

import os
import select
import sys

from corewise._transport import forks, portable

if sys.platform == "linux":
    import fcntl  # by the parent, so that its forked workers have it

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SIGKILL = 9
if sys.platform == "linux":
    _F_SETSIG, _F_SETFL, _O_ASYNC = fcntl.F_SETSIG, fcntl.F_SETFL, os.O_ASYNC


if sys.platform == "linux":
    # What is looked up in a forked process costs it a page fault or two.
    _settle, _own_number, _parents_number = fcntl.fcntl, os.getpid, os.getppid
    _F_SETOWN_EX = 15  # as the system's headers have it on every architecture
    _A_PROCESS = (1).to_bytes(4, sys.byteorder)

    def make_deadly(fd: int) -> None:
        """In the parent: have the kernel kill whoever will hang on a pipe or socket, when its other end is gone.

        Here rather than by the child: what is done first in a forked process costs it a page fault or two. Nobody is
        signalled until somebody has said that it is the one.
        """
        _settle(fd, _F_SETSIG, _SIGKILL)
        _settle(fd, _F_SETFL, _O_ASYNC)

    def arm(fd: int, parent: int) -> None:
        """In the child of this parent, which has forked it: say that it is the one."""
        # By bytes, as `fcntl` first takes a number for such, and fails in words that take more pages than the rest.
        _settle(fd, _F_SETOWN_EX, _A_PROCESS + _own_number().to_bytes(4, sys.byteorder))
        if _parents_number() != parent:  # it may have died before, when nobody was signalled
            os._exit(1)


class Lifeline:
    """The line on which the life of one worker hangs.

    On Windows the parent's process handle does the same service, and nothing is handed over.

    Args:
        handle: the worker's end, in the worker; None in the parent.
        by_kernel: whether to use what only Linux has. Default: unless the portable transport is asked for.

    Raises:
        OSError: when no descriptors are left.
    """

    def __init__(self, handle: Any = None, *, by_kernel: bool | None = None) -> None:
        self._writer: forks.OwnDescriptor | None = None
        self._fd = -1
        if by_kernel is None:
            by_kernel = not portable.in_use()
        self._by_kernel = sys.platform == "linux" and by_kernel
        if handle is not None:
            self._fd = handle.detach()
        elif sys.platform != "win32":
            self._fd, writing = os.pipe()
            self._writer = forks.OwnDescriptor(writing)
            if sys.platform == "linux" and self._by_kernel:
                make_deadly(self._fd)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to a process that is being started."""
        if sys.platform != "win32":
            from multiprocessing.reduction import DupFd

            return Lifeline, (DupFd(self._fd),)
        return Lifeline, ()

    @property
    def reading(self) -> int:
        """The end that a worker holds: readable when its parent is gone; -1 on Windows, and once it is handed over."""
        return self._fd

    def handed_over(self) -> None:
        """In the parent, once the worker is started: let go of its end."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def close(self) -> None:
        """In the parent: end the worker, should it still live, and let go of the line."""
        self.handed_over()
        if self._writer is not None:
            self._writer.close()

    def arm(self, parent: int | None = None) -> None:
        """In the worker: die when the parent does.

        Args:
            parent: the process id of the parent, if it has forked this one itself. Default: it may not have.
        """
        if sys.platform == "linux" and self._by_kernel:
            if parent is not None:
                arm(self._fd, parent)
                return
            fcntl.fcntl(self._fd, fcntl.F_SETOWN, os.getpid())
            poll = select.poll()  # not `select`, which takes no descriptor from 1024 on
            poll.register(self._fd, select.POLLIN)
            if poll.poll(0):  # the parent may have died before, when nobody was signalled
                os._exit(1)
        else:
            import threading

            threading.Thread(target=self._watch, name="corewise-lifeline", daemon=True).start()

    def _watch(self) -> None:
        if sys.platform == "win32":
            import multiprocessing
            from multiprocessing.connection import wait

            parent = multiprocessing.parent_process()
            wait([parent.sentinel] if parent is not None else [])
        else:
            os.read(self._fd, 1)
        os._exit(1)
