"""A bell that wakes whoever waits: a pipe, which is readable from the first ring on until somebody silences it.

A ring is not used up by the first that hears it. So one who is killed between hearing it and doing what it was rung
for takes it from nobody.
"""

from __future__ import annotations

import os
import select
import sys
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MUCH = 1 << 16


class Bell:
    """Both ends of a pipe, neither of which ever blocks.

    Args:
        reader: descriptor of the reading end, this object's from now on.
        writer: that of the writing end; on Linux one descriptor is both.
    """

    __slots__ = ("reader", "writer")

    def __init__(self, reader: int, writer: int) -> None:
        self.reader, self.writer = reader, writer
        for fd in {reader, writer}:
            os.set_blocking(fd, False)

    def ring(self) -> None:
        """Let all who wait wake up, and nobody sleep until it is silenced."""
        try:
            os.write(self.writer, b"!")
        except BlockingIOError:  # it rings already, loudly
            pass

    def silence(self) -> None:
        """Let those who wait sleep."""
        try:
            os.read(self.reader, _MUCH)
        except BlockingIOError:  # it did not ring
            pass

    def wait(self, deadline_s: float | None, others: tuple[int, ...] = ()) -> None:
        """Sleep until it rings.

        Args:
            deadline_s: until when at the latest, as `time.monotonic` tells time.
            others: descriptors that end the sleep as well when they are readable.
        """
        wait_s = None if deadline_s is None else max(0.0, deadline_s - monotonic())
        if sys.platform == "win32":
            select.select([self.reader, *others], [], [], wait_s)
            return
        poll: Any = select.poll()  # one for each wait, as threads may wait at once
        for fd in (self.reader, *others):
            poll.register(fd, select.POLLIN)
        # Rounded up: a wait that ends too early would be begun again and again.
        poll.poll(None if wait_s is None else int(wait_s * 1000) + 1)

    def close(self) -> None:
        """Let go of the descriptors. Twice is no error."""
        for fd in {self.reader, self.writer} - {-1}:
            os.close(fd)
        self.reader = self.writer = -1


def new() -> Bell:
    """Return a new one.

    Raises:
        OSError: when no descriptors are left.
    """
    reader, writer = os.pipe()
    if sys.platform != "linux":
        return Bell(reader, writer)
    try:
        both = os.open(f"/proc/self/fd/{reader}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # no /proc
        return Bell(reader, writer)
    os.close(reader)
    os.close(writer)
    return Bell(both, both)
