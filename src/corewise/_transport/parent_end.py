"""The parent's end of a line: it never waits."""

from __future__ import annotations

import os

from corewise._transport import forks, frames, sockets
from corewise._transport.line import BLOCK_FROM_BYTES, Line, Parts
from corewise._transport.memory import Mapping
from corewise._transport.new_block import NewBlock
from corewise._transport.pickling import dumps_message, loads
from corewise._types.interrupts import InterruptsHeld
from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._transport.blocks import Once, Shared
    from corewise._transport.frames import Frame, Notice, Place
    from corewise._transport.lender import Lender
    from corewise._transport.recycled import Copies

# guess: a look at what has come takes microseconds, a new block of this size some hundred
_WORTH_A_LOOK_BYTES = 1 << 20


class ParentEnd(Line):
    """The parent's end of the line to one worker."""

    def __init__(self, sock: sockets.Socket, *, portable: bool) -> None:
        sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
        super().__init__(sock, portable=portable)
        self._out: deque[memoryview | NewBlock] = deque()
        self._notices: list[Notice] = []  # to be told with the next message
        self._taken: dict[int, tuple[Mapping, memoryview]] = {}  # the worker's blocks
        self._shared: dict[int, Shared] = {}  # blocks of scopes that the worker was sent
        self._heard: dict[int, int] = {}  # by number, how often a block was taken back by looking ahead
        self._copies: Copies | None = None  # made when the first result comes that lies in a block
        forks.close_in_children(self)

    @property
    def backlog(self) -> bool:
        """Whether part of a message still waits for the socket to take it."""
        return bool(self._out)

    def send(self, message: object, once: Once | None = None) -> int:
        """Send a message, or as much of it as the socket takes; `flush` sends the rest.

        The message arrives as it was when this returns, whatever is done to its arrays afterwards.

        Args:
            message: what pickle can send.
            once: the scope of a call in which nothing that is sent changes; a large buffer that was sent under it
                before is not sent again. Default: none.

        Returns:
            How many bytes of it were laid into a block.

        Raises:
            OSError: when the worker is gone.
            MemoryError: when there is none for it; nothing was sent then.
        """
        waiting = len(self._out)
        laid_bytes = self._laid_bytes
        try:
            self._write(message, once)
        except MemoryError:
            while len(self._out) > waiting:
                piece = self._out.pop()
                if isinstance(piece, NewBlock):
                    piece.close()
            raise
        added = len(self._out) - waiting
        self.flush()
        # What the socket did not take at once is copied: the caller may refill its arrays before the rest goes.
        for at in range(max(0, len(self._out) - added), len(self._out)):
            piece = self._out[at]
            if isinstance(piece, memoryview) and not isinstance(piece.obj, bytes):
                self._out[at] = memoryview(bytes(piece))
        return self._laid_bytes - laid_bytes

    def _write(self, message: object, once: Once | None) -> None:
        """Put what is to be written for a message behind what waits."""
        buffers: list[Any] = []
        body = dumps_message(message, buffers.append)
        if self._lender is not None:
            self._lender.passed()
        if not buffers and len(body) < BLOCK_FROM_BYTES and not self._notices:
            self._out.append(memoryview(frames.HEADER.pack(0, len(body), 0) + body))
        else:
            self._lay_out(body, [buffer.raw() for buffer in buffers], once)

    def _lay_out(self, body: bytes, buffers: list[memoryview], once: Once | None) -> None:
        """Put what is to be written for a message behind what waits; what is large in it into a block."""
        lender = self._lender
        shared = {} if once is None or lender is None else self._lay_once(buffers, once)
        parts = Parts(body, buffers, shared, blocks=lender is not None)
        if parts.used and lender is not None:
            block = lender.reuse(parts.large, parts.begins, parts.used)
            if block is None and parts.used >= _WORTH_A_LOOK_BYTES and self._look_ahead(lender):
                block = lender.reuse(parts.large, parts.begins, parts.used)
            if block is None:
                with InterruptsHeld():  # else its descriptor would belong to nobody for a moment
                    if (made := lender.make(parts.large, parts.begins, parts.used)) is not None:
                        block, fd = made
                        self._out.append(NewBlock(block.number, block.mapping.size, fd))
            if block is not None:
                self._laid_bytes += parts.used
                self._out += parts.in_block(block.number, self._told())
                return
        self._out += parts.in_stream(self._told())

    def _look_ahead(self, lender: Lender) -> bool:
        """Take blocks back of which that is said in what has come and was not read yet. Return whether there were any.

        Whoever sends several messages before he reads would make a block for each. What is read here is left in the
        socket, so that whoever waits for it is told of it all the same; `_hear` meets it once more.
        """
        if not (lender.is_lending and self._reader.between_frames):
            return False
        try:
            ahead = self._sock.recv(frames.SCRATCH_BYTES, sockets.PEEK)
        except OSError:  # nothing there, or nobody any more
            return False
        told: dict[int, int] = {}
        for kind, number, _ in frames.notices_in(ahead):
            if kind == frames.BACK:
                told[number] = told.get(number, 0) + 1
        found = False
        for number, times in told.items():
            # As often as was known before it has been lent again since.
            if times > self._heard.get(number, 0):
                self._heard[number] = times
                lender.given_back(number)
                found = True
        return found

    def _lay_once(self, buffers: list[memoryview], once: Once) -> dict[int, Place]:
        """Return the places of those buffers that lie in blocks of the scope."""
        places: dict[int, Place] = {}
        for at, view in enumerate(buffers):
            shared = once.share(view)
            if shared is None:
                continue
            if shared.number not in self._shared:
                try:
                    fd = os.dup(shared.descriptor.fd)
                except OSError:
                    continue
                self._shared[shared.number] = shared
                shared.lines.add(self)
                self._out.append(NewBlock(shared.number, shared.size, fd))
            places[at] = (shared.number, 0, shared.size)
        return places

    def _told(self) -> list[Notice]:
        notices, self._notices = self._notices, []
        if self._lender is not None and self._lender.dropped:
            notices += self._drops()
        return notices

    def forget(self, number: int) -> None:
        """Have the worker let go of a block of a scope that is closed."""
        if self._shared.pop(number, None) is not None:
            self._say((frames.DROP, number, 0))

    def _say(self, notice: Notice, body: bytes | memoryview = b"") -> None:
        """Tell the worker something of a block, now."""
        if self._sock.fileno() < 0:
            return
        self._out += frames.encode(body, notices=[notice])
        try:
            self.flush()
        except OSError:
            pass  # it is gone: whoever waits for it will see

    def flush(self) -> None:
        """Send on what `send` could not.

        Raises:
            OSError: when the worker is gone.
        """
        out = self._out
        while out:
            piece = out[0]
            try:
                if isinstance(piece, memoryview):
                    sent = self._sock.send(piece)
                else:
                    sent = piece.send(self._sock)
                    piece = piece.piece
            except (BlockingIOError, InterruptedError):
                return
            self._sent_bytes += sent
            if sent < len(piece):
                out[0] = piece[sent:]
            else:
                out.popleft()

    def receive(self) -> tuple[list[Any], bool]:
        """Return the whole messages that have come, without waiting, and whether the worker's end is still open.

        All that had come is returned. That the end is closed may be told by the next call only. Something may wait to
        be sent afterwards, see `backlog`: an answer to what the worker said of its blocks.
        """
        messages: list[Any] = []
        while True:
            try:
                with InterruptsHeld():  # else a descriptor that comes would belong to nobody for a moment
                    came = self._read()
            except (BlockingIOError, InterruptedError):
                return messages, True
            except OSError:
                return messages, False
            if came is None:
                return messages, False
            for frame in came:
                if frame.notices or frame.places or not frame.body:
                    self._take_in(frame, messages)
                else:
                    messages.append(loads(frame.body))
            if self._drained:
                return messages, True

    def _take_in(self, frame: Frame, messages: list[Any]) -> None:
        """Take in a frame that has to do with blocks."""
        for notice in frame.notices:
            self._hear(*notice)
        if frame.has_message:
            messages.append(frame.message(self._fetch, self._look))
            # All of it was copied out, so results hold no block.
            if frame.block > frames.OF_RECEIVER:
                assert self._lender is not None  # noqa: S101 - it lent that block
                self._lender.given_back(frame.block - frames.OF_RECEIVER)
            elif frame.block:
                self._notices.append((frames.BACK, frame.block, 0))

    def _hear(self, kind: int, number: int, size: int) -> None:
        lender = self._lender
        assert lender is not None  # noqa: S101 - both ends have blocks, or neither
        if kind == frames.BACK:
            if (early := self._heard.pop(number, 0)) == 0:
                lender.given_back(number)
            elif early > 1:
                self._heard[number] = early - 1
        elif kind == frames.GONE:
            lender.forget(number)
        elif kind == frames.LOST:
            self._fill(number)
        elif kind == frames.DROP:
            self._give_up(number)
        elif kind == frames.BLOCK:
            with InterruptsHeld():  # as above
                has_taken = self._take(number, size, self._fds.popleft())
            self._say((frames.HAVE if has_taken else frames.LOST, number, 0))

    def _take(self, number: int, size: int, fd: int) -> bool:
        """Map a block of the worker's; return whether that was possible."""
        if fd < 0:
            return False
        try:
            mapping = Mapping(fd, size)
        except OSError:
            return False
        finally:
            os.close(fd)
        self._taken[number] = mapping, mapping.view()
        return True

    def _give_up(self, number: int) -> None:
        mapping, view = self._taken.pop(number)
        view.release()
        mapping.close()

    def _fill(self, number: int) -> None:
        """Send through the stream what was in a block that the worker could not take."""
        assert self._lender is not None  # noqa: S101 - as above
        content = b""  # makes the worker end with an error: what it needs is there no more
        block, shared = self._lender.find(number), self._shared.get(number)
        if block is not None:
            content = block.content()
            self._lender.forget(number)
        elif shared is not None:
            content = shared.content()
        self._say((frames.FILL, number, 0), content)

    def _look(self, place: Place) -> memoryview:
        number, begin, size = place
        self._fetched_bytes += size
        if number > frames.OF_RECEIVER:
            assert self._lender is not None  # noqa: S101 - as above
            return self._lender.look(number - frames.OF_RECEIVER)[begin : begin + size]
        return self._taken[number][1][begin : begin + size]

    def _fetch(self, place: Place) -> memoryview:
        if self._copies is None:
            from corewise._transport.recycled import Copies  # few lines need it

            self._copies = Copies()
        return self._copies.copy(self._look(place))

    def close(self) -> None:
        """Close this end; the worker reads end-of-file. Twice is no error."""
        super().close()
        if self._copies is not None:
            self._copies.close()
            self._copies = None
        for piece in self._out:
            if isinstance(piece, NewBlock):
                piece.close()
        self._out.clear()
        self._shared.clear()
        for number in tuple(self._taken):
            self._give_up(number)
        forks.let_go(self)
