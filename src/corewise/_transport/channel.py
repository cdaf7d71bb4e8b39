"""Whole messages over one stream socket: the parent's end never blocks, the worker's end always does.

A frame is eight bytes of length and a pickled message. The parent must not block in a send: a worker that is itself
sending a large result would wait for the parent to read, and both would wait for ever. So the parent writes what the
socket takes, keeps the rest, and reads whatever comes meanwhile.
"""

from __future__ import annotations

import pickle
import socket
from collections import deque
from struct import Struct

from corewise._transport import forks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEADER = Struct("!Q")
_READ_BYTES = 1 << 20  # guess: one large read drains what workers send between two looks


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
        self._in = bytearray()
        self._large: memoryview | None = None  # a frame too large for one read, filled in place
        self._filled = 0
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
        body = pickle.dumps(message, 5)
        self._out.append(
            memoryview(_HEADER.pack(len(body)) + body if len(body) < _READ_BYTES else _HEADER.pack(len(body)))
        )
        if len(body) >= _READ_BYTES:
            self._out.append(memoryview(body))
        self.flush()

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
                count = self._read()
            except (BlockingIOError, InterruptedError):
                return messages, True
            except OSError:
                return messages, False
            if not count:
                return messages, False
            self._take(messages)

    def _read(self) -> int:
        if self._large is not None:
            count = self._sock.recv_into(self._large[self._filled :])
            self._filled += count
            return count
        data = self._sock.recv(_READ_BYTES)
        self._in += data
        return len(data)

    def _take(self, messages: list[Any]) -> None:
        if self._large is not None:
            if self._filled == len(self._large):
                whole, self._large = self._large, None
                messages.append(pickle.loads(whole))
            return
        begin, have = 0, len(self._in)
        while have - begin >= _HEADER.size:
            (size,) = _HEADER.unpack_from(self._in, begin)
            body = begin + _HEADER.size
            if have - body < size:
                if size >= _READ_BYTES:
                    self._large = memoryview(bytearray(size))
                    self._filled = have - body
                    self._large[: self._filled] = self._in[body:]
                    begin = have
                break
            messages.append(pickle.loads(memoryview(self._in)[body : body + size]))
            begin = body + size
        if begin:
            # A new buffer rather than `del self._in[:begin]`: an unpickled message may still look into the old one.
            self._in = self._in[begin:]

    def close(self) -> None:
        """Close this end; the worker reads end-of-file."""
        self._sock.close()
        forks.let_go(self)


class WorkerEnd:
    """The worker's end of its line to the parent."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(True)  # noqa: FBT003 - the standard library's signature
        self._sock = sock

    def send(self, message: object) -> None:
        """Send a message, and return when the kernel has all of it.

        So it arrives, whatever happens to this process afterwards.

        Raises:
            OSError: when the parent is gone.
        """
        body = pickle.dumps(message, 5)
        if len(body) < _READ_BYTES:
            self._sock.sendall(_HEADER.pack(len(body)) + body)
        else:
            self._sock.sendall(_HEADER.pack(len(body)))
            self._sock.sendall(body)

    def receive(self) -> Any:
        """Wait for a message and return it.

        Raises:
            EOFError: when the parent has closed its end or is gone.
        """
        (size,) = _HEADER.unpack(self._exactly(_HEADER.size))
        return pickle.loads(self._exactly(size))

    def _exactly(self, size: int) -> bytearray:
        whole = bytearray(size)
        view, filled = memoryview(whole), 0
        while filled < size:
            try:
                count = self._sock.recv_into(view[filled:])
            except ConnectionError:
                count = 0
            if not count:
                raise EOFError("the parent is gone")
            filled += count
        return whole
