"""The frame that goes ahead of the first message in a new block, with the block's descriptor."""

from __future__ import annotations

import os
import sys
from errno import EMFILE, ENFILE, ENOBUFS, ENOMEM, ETOOMANYREFS

from corewise._transport import frames, sockets

_NO_ROOM = {EMFILE, ENFILE, ENOBUFS, ENOMEM, ETOOMANYREFS}


class NewBlock:
    """The frame that tells the worker of a new block, and its descriptor, waiting to be sent.

    Args:
        number: the block's number.
        size: how many bytes.
        fd: the descriptor; closed here once it is sent.
    """

    __slots__ = ("fd", "piece", "without")

    def __init__(self, number: int, size: int, fd: int) -> None:
        self.fd = fd
        (self.piece,) = frames.encode(b"", notices=[(frames.BLOCK, number, size)])
        (self.without,) = frames.encode(b"", notices=[(frames.BLOCK_WITHOUT, number, size)])

    def send(self, sock: sockets.Socket) -> int:
        """Send it, or part of it; return how many bytes went. `piece` is what they were part of.

        Raises:
            BlockingIOError: when the socket takes nothing now.
            OSError: when the line is broken.
        """
        if sys.platform == "linux" and self.fd >= 0:
            try:
                sent = sockets.send_with(sock, self.piece, self.fd)
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                self.piece = self.without
            else:
                self.close()
                return sent
        return sock.send(self.piece)

    def close(self) -> None:
        """Close the descriptor."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)
