"""Whole messages over one stream socket: the parent's end never blocks, the worker's end always does.

The parent must not block in a send: a worker that is itself sending a large result would wait for the parent to read,
and both would wait for ever. So the parent writes what the socket takes, keeps the rest, and reads whatever comes
meanwhile.
"""

from __future__ import annotations

import socket
from collections import deque

from corewise._transport import forks
from corewise._transport.frames import FrameReader, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def pair() -> tuple[ParentEnd, socket.socket]:
    """Return the parent's end and the socket to hand to the worker.

    Raises:
        OSError: when no descriptors are left.
    """
    ours, theirs = socket.socketpair()
    return ParentEnd(ours), theirs


class ParentEnd:
    """The parent's end of the line to one worker."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._sock = sock
        self._out: deque[memoryview] = deque()
        self._reader = FrameReader()
        forks.close_in_children(self)

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self._sock.fileno()

    @property
    def backlog(self) -> bool:
        """Whether part of a message still waits for the socket to take it."""
        return bool(self._out)

    def send(self, message: object) -> None:
        """Send a message, or as much of it as the socket takes; `flush` sends the rest.

        Raises:
            OSError: when the worker is gone.
        """
        self._out.extend(encode(message))
        self.flush()
        # What the socket did not take at once is copied: the caller may refill its arrays before the rest goes.
        self._out = deque(memoryview(bytes(piece)) for piece in self._out)

    def flush(self) -> None:
        """Send on what `send` could not.

        Raises:
            OSError: when the worker is gone.
        """
        while self._out:
            try:
                sent = self._sock.send(self._out[0])
            except (BlockingIOError, InterruptedError):
                return
            if sent < len(self._out[0]):
                self._out[0] = self._out[0][sent:]
            else:
                self._out.popleft()

    def receive(self) -> tuple[list[Any], bool]:
        """Return the whole messages that have come, without waiting, and whether the worker's end is still open."""
        messages: list[Any] = []
        while True:
            try:
                count = self._sock.recv_into(self._reader.space())
            except (BlockingIOError, InterruptedError):
                return messages, True
            except OSError:
                return messages, False
            if not count:
                return messages, False
            messages += self._reader.received(count)

    def close(self) -> None:
        """Close this end; the worker reads end-of-file."""
        self._sock.close()
        forks.let_go(self)


class WorkerEnd:
    """The worker's end of its line to the parent."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(True)  # noqa: FBT003 - the standard library's signature
        self._sock = sock
        self._reader = FrameReader()
        self._in: deque[Any] = deque()

    def send(self, message: object) -> None:
        """Send a message, and return when the kernel has all of it.

        So it arrives, whatever happens to this process afterwards.

        Raises:
            OSError: when the parent is gone.
        """
        for piece in encode(message):
            self._sock.sendall(piece)

    def receive(self) -> Any:
        """Wait for a message and return it.

        Raises:
            EOFError: when the parent has closed its end or is gone.
        """
        while not self._in:
            try:
                count = self._sock.recv_into(self._reader.space())
            except ConnectionError:
                count = 0
            if not count:
                raise EOFError("the parent is gone")
            self._in.extend(self._reader.received(count))
        return self._in.popleft()
