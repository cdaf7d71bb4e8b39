"""What both ends of a line do alike: cut messages into parts, read frames and the descriptors that come with them."""

from __future__ import annotations

import os
import sys

from corewise._transport import frames, sockets
from corewise._transport.lender import Lender, offsets
from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from corewise._transport.frames import Frame, Notice, Place
    from corewise._transport.traffic import Traffic

# What a message carries in large buffers goes through a block from this size on
# (benchmarks/results/transport.json, "threshold").
BLOCK_FROM_BYTES = 1 << 16
# The pickle itself goes through a block only from this size on: short results of many items are no arrays, and the
# first block costs a process some 5 ms, as it loads what maps it (benchmarks/results/peers.json, "map of 300,000 tiny
# calls").
BODY_IN_BLOCK_FROM_BYTES = 1 << 20


class Parts:
    """A message as what is to be written.

    Args:
        body: its pickle.
        buffers: what was left out of the pickle.
        shared: the places of those buffers that lie in a block already, by their numbers.
        blocks: whether this line has blocks.

    Attributes:
        large: what would go into a block.
        begins: from which byte on each of them would lie there.
        used: how many bytes of a block that takes; 0 when it is not worth one.
    """

    __slots__ = ("_body", "_body_too", "_shared", "_sizes", "begins", "large", "used")

    def __init__(self, body: bytes, buffers: list[memoryview], shared: Mapping[int, Place], *, blocks: bool) -> None:
        self._body = body
        self._shared = [shared.get(number) for number in range(len(buffers))] if shared else None
        self._body_too = blocks and len(body) >= BODY_IN_BLOCK_FROM_BYTES
        if shared:
            buffers = [view for number, view in enumerate(buffers) if number not in shared]
        self.large = [memoryview(body), *buffers] if self._body_too else buffers
        self._sizes = list(map(len, self.large))
        self.begins: list[int] = []
        self.used = 0
        if blocks and sum(self._sizes) >= BLOCK_FROM_BYTES:
            self.begins, self.used = offsets(self._sizes)

    def in_stream(self, notices: list[Notice]) -> list[memoryview]:
        """Return the frame, with all that has no place yet in the stream."""
        begin = 1 if self._body_too else 0
        places = [(frames.IN_STREAM, 0, size) for size in self._sizes[begin:]]
        return frames.encode(self._body, self._among_shared(places), self.large[begin:], notices)

    def in_block(self, number: int, notices: list[Notice]) -> list[memoryview]:
        """Return the frame, with all that has no place yet in a block."""
        places = [(number, begin, size) for begin, size in zip(self.begins, self._sizes, strict=True)]
        if self._body_too:
            return frames.encode(b"", self._among_shared(places[1:]), (), notices, places[0])
        return frames.encode(self._body, self._among_shared(places), (), notices)

    def _among_shared(self, places: list[Place]) -> list[Place]:
        if self._shared is None:
            return places
        others = iter(places)
        return [place or next(others) for place in self._shared]


class Line:
    """One end of a line.

    Args:
        sock: the socket.
        portable: whether to do without blocks.
    """

    def __init__(self, sock: sockets.Socket, *, portable: bool) -> None:
        self._sock = sock
        self._reader = frames.FrameReader()
        self._fds: deque[int] = deque()  # that came with frames not read yet; -1 for one that was lost
        # Linux reads on from message to message as far as there is room, so less than that was all. Elsewhere another
        # look is needed.
        self._drained = False
        self._lender = None if portable else Lender()
        self._sent_bytes = self._received_bytes = self._laid_bytes = self._fetched_bytes = 0

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self._sock.fileno()

    @property
    def received_bytes(self) -> int:
        """Bytes of all that has come so far, in the stream and in blocks."""
        return self._received_bytes + self._fetched_bytes

    def statistics(self) -> Traffic:
        """Return what has gone over this end so far."""
        from corewise._transport.traffic import Traffic  # for tests and for a look at a slow run

        return Traffic(
            stream_sent_bytes=self._sent_bytes,
            stream_received_bytes=self._received_bytes,
            block_sent_bytes=self._laid_bytes,
            block_received_bytes=self._fetched_bytes,
            blocks_made=self._lender.made if self._lender else 0,
            blocks_reused=self._lender.reused if self._lender else 0,
        )

    def _read(self, *, wait: bool = True) -> list[Frame] | None:
        """Read once; return the frames that are whole now, None at the end of the line.

        Afterwards `_drained` says whether that was all there was.

        Raises:
            BlockingIOError: when nothing has come and none is to be waited for.
            OSError: when the line is broken.
        """
        space = self._reader.space()
        if sys.platform != "linux":
            count = self._sock.recv_into(space)
        elif self._lender is None:
            count = self._sock.recv_into(space)
            self._drained = count < len(space)
        else:
            count, fd = sockets.receive(self._sock, space, wait=wait)
            self._drained = count < len(space)
            if fd is not None:
                self._fds.append(fd)
                self._drained = False  # the kernel ends a read behind a descriptor
        if not count:
            return None
        self._received_bytes += count
        return self._reader.received(count)

    def _drops(self) -> list[Notice]:
        """Return what to tell the other side of blocks that were given up."""
        lender = self._lender
        if lender is None or not lender.dropped:
            return []
        notices: list[Notice] = [(frames.DROP, number, 0) for number in lender.dropped]
        lender.dropped.clear()
        return notices

    def close(self) -> None:
        """Close this end; the other side reads end-of-file. Twice is no error."""
        self._sock.close()
        while self._fds:
            fd = self._fds.popleft()
            if fd >= 0:
                os.close(fd)
        if self._lender is not None:
            self._lender.close()
