"""Socket pairs without the standard library's `socket` module, which takes 3 ms to load: it makes enums of its tables.

`_socket` is the C module that does its work; where an interpreter has none, the public one serves.
"""

from __future__ import annotations

import sys

try:
    import _socket as raw
except ImportError:  # every CPython has it
    import socket as raw  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self

Socket = raw.socket
PEEK = raw.MSG_PEEK
_FD_BYTES = 4


class Theirs(Socket):
    """The end of a line that is handed to a worker process: inherited by a fork, or pickled for one that is started.

    Args:
        family: as for `socket.socket`.
        kind: its ``type``.
        protocol: its ``proto``.
        fileno: the descriptor, which is this object's from now on.
        portable: whether the line carries bytes only. Both ends have to agree, so it travels with the socket.
    """

    def __init__(self, family: int, kind: int, protocol: int, fileno: int, *, portable: bool) -> None:
        super().__init__(family, kind, protocol, fileno)
        self.portable = portable

    def __enter__(self) -> Self:
        """Close the socket at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to a process that is being started."""
        if sys.platform == "win32":
            from multiprocessing.reduction import DupSocket  # type: ignore[attr-defined]
            from socket import socket

            whole = socket(self.family, self.type, self.proto, self.fileno())
            try:
                return _arrived, (DupSocket(whole), self.portable, self.family, self.type, self.proto)
            finally:
                whole.detach()
        else:
            from multiprocessing.reduction import DupFd

            return _arrived, (DupFd(self.fileno()), self.portable, self.family, self.type, self.proto)


def _arrived(handle: Any, portable: bool, family: int, kind: int, protocol: int) -> Theirs:  # noqa: FBT001 - from a pickle
    held = handle.detach()  # a descriptor; on Windows a socket
    return Theirs(family, kind, protocol, held if isinstance(held, int) else held.detach(), portable=portable)


def pair(*, portable: bool) -> tuple[Socket, Theirs]:
    """Return two connected stream sockets: ours, and the one for the worker.

    Raises:
        OSError: when no descriptors are left.
    """
    if sys.platform == "win32":
        from socket import socketpair

        ours, theirs = socketpair()  # which makes one of a local listener; the C module has none there
        family, kind = int(ours.family), int(ours.type)
        mine = Socket(family, kind, 0, ours.detach())
        return mine, Theirs(family, kind, 0, theirs.detach(), portable=portable)
    one, other = raw.socketpair()
    return one, Theirs(other.family, other.type, other.proto, other.detach(), portable=portable)


def sender_that_keeps_gil() -> Callable[[int, bytes], int] | None:
    """Return what sends bytes through a descriptor without waiting, and without letting go of the GIL; None without it.

    It returns how many bytes went, below 0 for none. To load `ctypes` takes some 3 ms.
    """
    if sys.platform == "win32":
        return None
    try:
        from ctypes import PyDLL, c_char_p, c_int, c_size_t, c_ssize_t

        send = PyDLL(None).send
    except (ImportError, OSError, TypeError, AttributeError):  # an interpreter without it
        return None
    send.argtypes, send.restype = (c_int, c_char_p, c_size_t, c_int), c_ssize_t
    flags = raw.MSG_DONTWAIT
    return lambda fd, data: int(send(fd, data, len(data), flags))


if sys.platform == "linux":
    _ROOM_FOR_ONE = raw.CMSG_SPACE(_FD_BYTES)

    def receive(sock: Socket, space: memoryview, *, wait: bool = True) -> tuple[int, int | None]:
        """Read what has come, and the descriptor that came with it.

        Of one read comes one descriptor at most: the kernel ends a read behind the bytes that a descriptor was sent
        with.

        Args:
            sock: where from.
            space: where to.
            wait: whether to wait for the first byte, where the socket is one that waits.

        Returns:
            How many bytes (0 at the end of the line); and the descriptor, -1 for one that this process has no room
            for, None when none was sent.

        Raises:
            BlockingIOError: when nothing has come and none is to be waited for.
            OSError: when the line is broken.
        """
        flags = raw.MSG_CMSG_CLOEXEC if wait else raw.MSG_CMSG_CLOEXEC | raw.MSG_DONTWAIT
        count, beside, told, _ = sock.recvmsg_into((space,), _ROOM_FOR_ONE, flags)
        for level, kind, data in beside:
            if level == raw.SOL_SOCKET and kind == raw.SCM_RIGHTS and len(data) >= _FD_BYTES:
                return count, int.from_bytes(data[:_FD_BYTES], sys.byteorder)
        return count, -1 if told & raw.MSG_CTRUNC else None

    def send_with(sock: Socket, piece: memoryview, fd: int) -> int:
        """Send a piece, or part of it, and a descriptor with its first byte. Return how many bytes went.

        Raises:
            BlockingIOError: when the socket takes nothing now.
            OSError: when the line is broken, or no descriptor can be sent.
        """
        rights = (raw.SOL_SOCKET, raw.SCM_RIGHTS, fd.to_bytes(_FD_BYTES, sys.byteorder))
        return sock.sendmsg((piece,), (rights,))
