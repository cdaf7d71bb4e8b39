"""Messages to bytes and back, without any socket: what is read or written where is the caller's business.

```
 ┌─────────────┬────────────┬──────────────┬────────────────────┬─────────────────┬──────────┬──────────┐
 │ extra bytes │ body bytes │ buffer bytes │ extra: notices,    │ body: a pickled │ buffer 0 │ buffer 1 │ …
 │ 8           │ 8          │ 8            │ where each part is │ message         │          │          │
 └─────────────┴────────────┴──────────────┴────────────────────┴─────────────────┴──────────┴──────────┘
```

Large buffers (arrays, for the most part) are left out of the pickle (PEP 574). A place says where each of them is: in
the stream behind the body, written from where it lies and read into the memory that the receiver's object will use; or
in a block of shared memory (`lender`), the sender's own as a rule. A body that is large itself may be in a block too.
A frame without a body carries notices only: what the two sides tell each other of blocks.
"""

from __future__ import annotations

import marshal
from struct import Struct

from corewise._transport.pickling import loads, unpickled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    # The number of a block (0: the stream), where in it, how many bytes.
    Place: TypeAlias = tuple[int, int, int]
    # What is said, of which block, and a figure.
    Notice: TypeAlias = tuple[int, int, int]

HEADER = Struct("!QQQ")
IN_STREAM = 0
# Added to the number of a block in a place of a worker's message: it is one of the parent's, which goes back full.
OF_RECEIVER = 1 << 32
SCRATCH_BYTES = 1 << 18  # guess: one read takes in what many short messages need
_JOIN_BELOW_BYTES = 1 << 16  # guess: below this a copy costs less than a second system call

# Notices. The side that made a block says:
BLOCK = 1  # here comes a block of so many bytes, its descriptor with the first byte of this frame
BLOCK_WITHOUT = 2  # the same, but no descriptor could be sent
DROP = 3  # it is used no more: unmap it
FILL = 4  # the body of this frame is what the block held that you could not take
# The side that was given it says:
BACK = 5  # nothing refers to it any more: use it again
GONE = 6  # it does not come back: forget it
HAVE = 7  # it was taken
LOST = 8  # it could not be taken


def encode(
    body: bytes | memoryview,
    places: list[Place] | tuple[()] = (),
    streamed: Sequence[memoryview] = (),
    notices: list[Notice] | tuple[()] = (),
    body_place: Place | None = None,
) -> list[memoryview]:
    """Return a frame as pieces to be written one after the other.

    The pieces are views of the message's own buffers, which must stay as they are until they are written.

    Args:
        body: the pickled message; empty when it lies in a block, or for a frame of notices.
        places: where each of its buffers is, in their order.
        streamed: the buffers that are in the stream.
        notices: what to tell the other side of blocks.
        body_place: the block in which the body is.
    """
    extra = marshal.dumps((notices, places, body_place)) if notices or places or body_place else b""
    sizes = sum(map(len, streamed))
    head = HEADER.pack(len(extra), len(body), sizes) + extra
    if len(body) + sizes < _JOIN_BELOW_BYTES:
        return [memoryview(b"".join((head, body, *streamed)))]
    return [memoryview(part) for part in (head, body, *streamed) if len(part)]


class Frame:
    """What was written for one message, or a few notices.

    Attributes:
        body: the pickled message, if it came in the stream.
        notices: what the other side says of blocks.
        places: where each buffer is.
        body_place: the block in which the body is, if it is in one.
        streamed: the buffers that came in the stream.
    """

    # Most frames are a body and nothing else, and made in a hurry.
    body: bytes | memoryview = b""
    notices: Sequence[Notice] = ()
    places: Sequence[Place] = ()
    body_place: Place | None = None
    streamed: Sequence[bytearray] = ()

    def take_extra(self, extra: memoryview) -> list[int]:
        """Read what stands before the body. Return how long the buffers are that come in the stream."""
        self.notices, self.places, self.body_place = marshal.loads(extra)  # noqa: S302 - as with pickle: both ends are the same user's
        return [size for number, _, size in self.places if number == IN_STREAM]

    @property
    def has_message(self) -> bool:
        """Whether there is more in it than notices."""
        return bool(self.body_place) or len(self.body) > 0

    def message(self, fetch: Callable[[Place], Any], look: Callable[[Place], Any]) -> Any:
        """Return the message.

        Args:
            fetch: returns what lies in a place of a block, to be part of the message.
            look: returns what lies there, to be read at once.
        """
        if not self.places and self.body_place is None:
            return loads(self.body)
        streamed = iter(self.streamed)
        buffers = [fetch(place) if place[0] else next(streamed) for place in self.places]
        body = look(self.body_place) if self.body_place else self.body
        return unpickled(body, buffers) if buffers else loads(body)

    @property
    def block(self) -> int:
        """The number of the line's own block that it refers to; 0 for none. It is one at most."""
        if self.body_place is not None:
            return self.body_place[0]
        return max((number for number, _, _ in self.places if number > 0), default=0)


def notices_in(data: bytes | memoryview) -> list[Notice]:
    """Return the notices of the frames that begin in some bytes of a stream, as far as they are there.

    Args:
        data: what comes next in the stream, from the beginning of a frame on.
    """
    notices: list[Notice] = []
    at = 0
    while at + HEADER.size <= len(data):
        extra_bytes, body_bytes, buffer_bytes = HEADER.unpack_from(data, at)
        at += HEADER.size
        if extra_bytes and at + extra_bytes <= len(data):
            notices += marshal.loads(data[at : at + extra_bytes])[0]  # noqa: S302 - as in `take_extra`
        at += extra_bytes + body_bytes + buffer_bytes
    return notices


class FrameReader:
    """Puts frames together from whatever pieces the bytes come in.

    The caller reads into `space` and says how much that was; frames come out when they are whole.
    """

    def __init__(self) -> None:
        self._scratch = memoryview(bytearray(SCRATCH_BYTES))
        self._begin = self._end = 0  # what of the scratch has been read into and not yet taken
        self._target: memoryview | None = None  # the part of a frame that is being filled
        self._filled = 0
        self._extra_bytes = 0
        self._frame: Frame | None = None
        self._parts = 0  # buffers of that frame that are whole

    @property
    def between_frames(self) -> bool:
        """Whether the next byte is the first of a frame."""
        return self._target is None and self._begin == self._end

    def space(self) -> memoryview:
        """Return where the next bytes are to be read into; never empty."""
        if self._target is not None:
            return self._target[self._filled :]
        return self._scratch[self._end :]

    def received(self, count: int) -> list[Frame]:
        """Take note of `count` bytes read into `space`, and return the frames that are whole now."""
        if self._target is not None:
            self._filled += count
        else:
            self._end += count
        frames: list[Frame] = []
        while True:
            if self._target is None:
                frame = self._open_frame()
                if frame is not None:
                    frames.append(frame)
                    continue
            if self._target is None or not self._part_is_whole():
                return frames
            frame = self._next_part()
            if frame is not None:
                frames.append(frame)

    def _open_frame(self) -> Frame | None:
        """Take a frame that lies in the scratch as a whole; or begin one that does not, if its header has come."""
        scratch, at, have = self._scratch, self._begin, self._end - self._begin
        if have < HEADER.size:
            scratch[:have] = bytes(scratch[at : self._end])
            self._begin, self._end = 0, have
            return None
        extra_bytes, body_bytes, buffer_bytes = HEADER.unpack_from(scratch, at)
        at += HEADER.size
        if have - HEADER.size < extra_bytes + body_bytes + buffer_bytes:
            self._begin, self._extra_bytes = at, extra_bytes
            self._fill(bytearray(extra_bytes + body_bytes))
            return None
        frame = Frame()
        sizes = frame.take_extra(scratch[at : at + extra_bytes]) if extra_bytes else ()
        at += extra_bytes
        frame.body = bytes(scratch[at : at + body_bytes])
        at += body_bytes
        if sizes:
            frame.streamed = streamed = []
            for size in sizes:
                streamed.append(bytearray(scratch[at : at + size]))
                at += size
        self._begin = at
        if at == self._end:
            self._begin = self._end = 0
        return frame

    def _part_is_whole(self) -> bool:
        target = self._target
        assert target is not None  # noqa: S101 - the caller has looked
        take = min(self._end - self._begin, len(target) - self._filled)
        if take:
            target[self._filled : self._filled + take] = self._scratch[self._begin : self._begin + take]
            self._filled += take
            self._begin += take
        return self._filled == len(target)

    def _fill(self, part: bytearray) -> None:
        self._target, self._filled = memoryview(part), 0

    def _next_part(self) -> Frame | None:
        """Turn to the next part of the frame. Return the frame when there is none."""
        frame = self._frame
        if frame is None:
            whole = self._target
            assert whole is not None  # noqa: S101 - it was just filled
            frame = self._frame = Frame()
            sizes = frame.take_extra(whole[: self._extra_bytes]) if self._extra_bytes else ()
            frame.body = whole[self._extra_bytes :]
            frame.streamed = [bytearray(size) for size in sizes]
            self._parts = 0
        else:
            self._parts += 1
        if self._parts == len(frame.streamed):
            self._target = self._frame = None
            return frame
        self._fill(frame.streamed[self._parts])
        return None
