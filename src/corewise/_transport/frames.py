"""Messages to bytes and back, without any socket: what is read or written where is the caller's business.

```
 ┌─────────────┬─────────────┬──────────────────────┬─────────────────┬──────────┬──────────┐
 │ body bytes  │ table bytes │ table: size of each  │ body: a pickled │ buffer 0 │ buffer 1 │ …
 │ 8           │ 8           │ buffer, 8 bytes each │ message         │          │          │
 └─────────────┴─────────────┴──────────────────────┴─────────────────┴──────────┴──────────┘
```

Large buffers (arrays, for the most part) travel beside the pickle (PEP 574): they are written from where they lie, and
read into the memory that the receiver's object will use.
"""

from __future__ import annotations

import pickle
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEADER = Struct("!QQ")
_SIZE_BYTES = 8
SCRATCH_BYTES = 1 << 18  # guess: one read takes in what many short messages need
_JOIN_BELOW_BYTES = 1 << 16  # guess: below this a copy costs less than a second system call


def encode(message: object) -> list[memoryview]:
    """Return a message as pieces to be written one after the other.

    The pieces are views of the message's own buffers, which must stay as they are until they are written.
    """
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(message, 5, buffer_callback=buffers.append)
    raw = [buffer.raw() for buffer in buffers]
    table = b"".join(len(view).to_bytes(_SIZE_BYTES, "big") for view in raw)
    head = _HEADER.pack(len(body), len(table)) + table
    if len(body) < _JOIN_BELOW_BYTES:
        return [memoryview(head + body), *raw]
    return [memoryview(head), memoryview(body), *raw]


class FrameReader:
    """Puts messages together from whatever pieces the bytes come in.

    The caller reads into `space` and says how much that was; messages come out when they are whole.
    """

    def __init__(self) -> None:
        self._scratch = memoryview(bytearray(SCRATCH_BYTES))
        self._begin = self._end = 0  # what of the scratch has been read into and not yet taken
        self._target: memoryview | None = None  # the part of a frame that is being filled
        self._filled = 0
        self._table_bytes = 0
        self._body: memoryview | None = None
        self._buffers: list[bytearray] = []
        self._buffers_filled = 0

    def space(self) -> memoryview:
        """Return where the next bytes are to be read into; never empty."""
        if self._target is not None:
            return self._target[self._filled :]
        return self._scratch[self._end :]

    def received(self, count: int) -> list[Any]:
        """Take note of `count` bytes read into `space`, and return the messages that are whole now."""
        if self._target is not None:
            self._filled += count
        else:
            self._end += count
        messages: list[Any] = []
        while self._part_is_whole():
            if self._next_part():
                messages.append(self._message())
        return messages

    def _part_is_whole(self) -> bool:
        if self._target is None and not self._open_frame():
            return False
        target = self._target
        assert target is not None  # noqa: S101 - set by `_open_frame`
        take = min(self._end - self._begin, len(target) - self._filled)
        if take:
            target[self._filled : self._filled + take] = self._scratch[self._begin : self._begin + take]
            self._filled += take
            self._begin += take
        return self._filled == len(target)

    def _open_frame(self) -> bool:
        """Read a header, if a whole one has come."""
        have = self._end - self._begin
        if have < _HEADER.size:
            self._scratch[:have] = bytes(self._scratch[self._begin : self._end])
            self._begin, self._end = 0, have
            return False
        body_bytes, self._table_bytes = _HEADER.unpack_from(self._scratch, self._begin)
        self._begin += _HEADER.size
        self._fill(bytearray(self._table_bytes + body_bytes))
        return True

    def _fill(self, part: bytearray) -> None:
        self._target, self._filled = memoryview(part), 0

    def _next_part(self) -> bool:
        """Turn to the next part of the frame. Return whether there is none."""
        if self._body is None:
            whole = self._target
            assert whole is not None  # noqa: S101 - it was just filled
            table, self._body = whole[: self._table_bytes], whole[self._table_bytes :]
            sizes = range(0, self._table_bytes, _SIZE_BYTES)
            self._buffers = [bytearray(int.from_bytes(table[at : at + _SIZE_BYTES], "big")) for at in sizes]
            self._buffers_filled = 0
        else:
            self._buffers_filled += 1
        if self._buffers_filled == len(self._buffers):
            return True
        self._fill(self._buffers[self._buffers_filled])
        return False

    def _message(self) -> Any:
        body, buffers = self._body, self._buffers
        self._target = self._body = None
        self._buffers = []
        return pickle.loads(body or b"", buffers=buffers)
