"""A bell that wakes whoever waits: it is heard from the first ring on until somebody silences it.

A ring is not used up by the first that hears it. So one who is killed between hearing it and doing what it was rung
for takes it from nobody. On Linux it is a pipe, elsewhere a pair of sockets, which every system can wait for.
"""

from __future__ import annotations

import os
import select
import sys
from time import monotonic

from corewise._transport import sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol

    class Bell(Protocol):
        """A bell."""

        def ring(self) -> None:
            """Let all who wait wake up, and nobody sleep until it is silenced."""

        def silence(self) -> None:
            """Let those who wait sleep."""

        def fileno(self) -> int:
            """Return the descriptor that is readable while it rings."""

        def close(self) -> None:
            """Let go of it. Twice is no error."""


_MUCH = 1 << 16
# Else the garbage collector could come to the sockets of a queue before it comes to the queue, and complain.
_open: set[sockets.Theirs] = set()


def wait(bell: Bell, deadline_s: float | None, others: Iterable[int] = ()) -> None:
    """Sleep until a bell rings.

    Args:
        bell: the bell.
        deadline_s: until when at the latest, as `time.monotonic` tells time; None: as long as it takes.
        others: descriptors that end the sleep as well when they are readable.
    """
    wait_s = None if deadline_s is None else max(0.0, deadline_s - monotonic())
    if sys.platform == "win32":
        select.select([bell.fileno(), *others], [], [], wait_s)
        return
    poll: Any = select.poll()  # one for each wait, as threads may wait at once
    for fd in (bell.fileno(), *others):
        poll.register(fd, select.POLLIN)
    # Rounded up: a wait that ends too early would be begun again and again.
    poll.poll(None if wait_s is None else int(wait_s * 1000) + 1)


class PipeBell:
    """A pipe, which another process can open by way of ``/proc`` (Linux).

    Args:
        fds: a descriptor of both its ends; or one of the reading end and one of the writing end. This object's from
            now on.
    """

    __slots__ = ("fds",)

    def __init__(self, fds: list[int]) -> None:
        self.fds = fds
        if sys.platform != "win32":
            for fd in fds:
                os.set_blocking(fd, False)

    def ring(self) -> None:
        """Let all who wait wake up, and nobody sleep until it is silenced."""
        try:
            os.write(self.fds[-1], b"!")
        except BlockingIOError:  # it rings already, loudly
            pass

    def silence(self) -> None:
        """Let those who wait sleep."""
        try:
            os.read(self.fds[0], _MUCH)
        except BlockingIOError:  # it did not ring
            pass

    def fileno(self) -> int:
        """Return the descriptor that is readable while it rings."""
        return self.fds[0]

    def close(self) -> None:
        """Let go of the descriptors. Twice is no error."""
        while self.fds:
            os.close(self.fds.pop())


class SocketBell:
    """Two connected sockets.

    Args:
        ends: the sockets, each of which travels to processes that are being started.
    """

    __slots__ = ("ends",)

    def __init__(self, ends: tuple[sockets.Theirs, sockets.Theirs]) -> None:
        self.ends = ends
        for end in ends:
            end.settimeout(0)
            _open.add(end)

    def ring(self) -> None:
        """Let all who wait wake up, and nobody sleep until it is silenced."""
        try:
            self.ends[1].send(b"!")
        except BlockingIOError:  # it rings already, loudly
            pass

    def silence(self) -> None:
        """Let those who wait sleep."""
        try:
            self.ends[0].recv(_MUCH)
        except BlockingIOError:  # it did not ring
            pass

    def fileno(self) -> int:
        """Return the descriptor that is readable while it rings."""
        return self.ends[0].fileno()

    def close(self) -> None:
        """Let go of the sockets. Twice is no error."""
        for end in self.ends:
            end.close()
            _open.discard(end)


def new(*, portable: bool) -> PipeBell | SocketBell:
    """Return a new one.

    Args:
        portable: whether to make it of sockets.

    Raises:
        OSError: when no descriptors are left.
    """
    if portable or sys.platform != "linux":
        one, other = sockets.pair(portable=True)
        return SocketBell((sockets.Theirs(one.family, one.type, one.proto, one.detach(), portable=True), other))
    reader, writer = os.pipe()
    try:
        both = os.open(f"/proc/self/fd/{reader}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # no /proc, or no descriptor left for it
        return PipeBell([reader, writer])
    os.close(reader)
    os.close(writer)
    return PipeBell([both])
