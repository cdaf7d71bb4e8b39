"""The worker's end of a line: it waits until what it sends is on its way, and until something comes."""

from __future__ import annotations

import os
import sys
from time import perf_counter

from corewise._transport import forks, frames, sockets
from corewise._transport.borrower import Borrower
from corewise._transport.line import BLOCK_FROM_BYTES, Line, Parts
from corewise._transport.new_block import NewBlock
from corewise._transport.patience import AWAKE_S, Patience
from corewise._transport.pickling import dumps_message, loads
from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from corewise._transport.frames import Frame, Notice, Place
    from corewise._transport.heap import Heap

_AT_ONCE_BYTES = 1 << 16  # guess: longer ones are rare, and take as long to copy as it matters to let go of the GIL
# guess: from this size on, a block that is of no more use is given back at once, as copying into a new one costs far
# more than the message that says so; smaller ones go back with the next message
_BACK_AT_ONCE_BYTES = 1 << 20
_HEAP_FROM_BYTES = 1 << 25  # smaller memory the C library keeps by itself


class WorkerEnd(Line):
    """The worker's end of its line to the parent.

    One thread at a time may use it.

    Args:
        sock: what `pair` gave, or a socket of that kind.
    """

    def __init__(self, sock: sockets.Socket) -> None:
        sock.setblocking(True)  # noqa: FBT003 - the standard library's signature
        super().__init__(sock, portable=getattr(sock, "portable", True))
        self._in: deque[Frame] = deque()
        self._borrower: Borrower | None = None  # made when the first block comes
        self._answers: dict[int, bool] = {}  # whether the parent took a block
        self._patience = Patience()
        self._heap: Heap | None = None
        self._send_at_once: Callable[[int, bytes], int] | None = None
        forks.around_forks(self._before_fork, self.close)

    def keep_gil(self) -> None:
        """From now on send what is short without letting go of the GIL, where that can be had.

        Among threads that compute it takes 5 ms for each of them to come by it again, after every message.
        """
        self._send_at_once = sockets.sender_that_keeps_gil()

    def make_sure_it_is_open(self) -> None:
        """Look whether the descriptor is still open: what runs here may have closed all that there are.

        Raises:
            OSError: when it is not.
        """
        if sys.platform != "win32":  # there a socket is no descriptor, and nobody closes it unawares
            os.get_inheritable(self._sock.fileno())  # of what asks the kernel, and says so, one of the cheapest: 0.2 µs

    def send(self, message: object) -> None:
        """Send a message, and return when the kernel has all of it.

        So it arrives, whatever happens to this process afterwards.

        Raises:
            OSError: when the parent is gone.
        """
        buffers: list[Any] = []
        body = dumps_message(message, buffers.append)
        notices = self._borrower.given_back() if self._borrower is not None else []
        if self._lender is not None:
            self._lender.passed()
        if not buffers and len(body) < BLOCK_FROM_BYTES and not notices:
            self._send_all((memoryview(frames.HEADER.pack(0, len(body), 0) + body),))
            return
        self._send_parts(body, buffers, notices)

    def send_several(self, messages: list[object]) -> None:
        """Send messages, all short ones by one system call: around each, a thread has to come by the GIL anew.

        Raises:
            OSError: when the parent is gone.
        """
        short: list[bytes] = []
        for message in messages:
            buffers: list[Any] = []
            body = dumps_message(message, buffers.append)
            if self._lender is not None:
                self._lender.passed()
            if not buffers and len(body) < BLOCK_FROM_BYTES:
                short += (frames.HEADER.pack(0, len(body), 0), body)
                continue
            self._send_all((memoryview(b"".join(short)),))
            short.clear()
            self._send_parts(body, buffers, self._borrower.given_back() if self._borrower is not None else [])
        self._send_all((memoryview(b"".join(short)),))
        if self._borrower is not None and (notices := self._borrower.given_back()):
            self._send_all(frames.encode(b"", notices=notices))

    def _send_parts(self, body: bytes, buffers: list[Any], notices: list[Notice]) -> None:
        parts = Parts(body, [buffer.raw() for buffer in buffers], {}, blocks=self._lender is not None)
        if parts.used:
            number = self._lay_in_theirs(parts, notices) or self._lay(parts)
            if number:
                self._laid_bytes += parts.used
                if parts.used > _HEAP_FROM_BYTES:
                    self._expect(max(map(len, parts.large)))
                self._send_all(parts.in_block(number, notices + self._drops()))
                return
        self._send_all(parts.in_stream(notices + self._drops()))

    def _expect(self, size: int) -> None:
        if self._heap is None:
            from corewise._transport.heap import Heap  # few workers need it

            self._heap = Heap()
        self._heap.expect(size)

    def _send_all(self, pieces: Sequence[memoryview]) -> None:
        for piece in pieces:
            sent = 0
            if self._send_at_once is not None and len(piece) <= _AT_ONCE_BYTES:
                sent = max(0, self._send_at_once(self._sock.fileno(), bytes(piece)))  # below 0: no room, or broken
            if sent < len(piece):
                self._sock.sendall(piece[sent:])
            self._sent_bytes += len(piece)

    def _lay_in_theirs(self, parts: Parts, notices: list[Notice]) -> int:
        """Lay what is large into a block that would go back empty with this message; return its number, 0 for none.

        So results of the size of their arguments need no blocks of their own, and the parent has that memory at hand.
        """
        if self._borrower is None or parts.used < _BACK_AT_ONCE_BYTES:
            return 0
        for at, (kind, number, _) in enumerate(notices):
            if kind == frames.BACK and self._borrower.lay(number, parts.large, parts.begins, parts.used):
                del notices[at]
                return frames.OF_RECEIVER + number
        return 0

    def _lay(self, parts: Parts) -> int:
        """Lay what is large in a message into a block that the parent has; return its number, 0 for none."""
        lender = self._lender
        assert lender is not None  # noqa: S101 - the caller has looked
        block = lender.reuse(parts.large, parts.begins, parts.used)
        if block is None:
            self._look_for_news()  # one may have been given back
            block = lender.reuse(parts.large, parts.begins, parts.used)
        if block is not None:
            return block.number
        made = lender.make(parts.large, parts.begins, parts.used)
        if made is None:
            return 0
        block, fd = made
        new = NewBlock(block.number, block.mapping.size, fd)
        try:
            sent = new.send(self._sock)
            self._send_all((new.piece[sent:],))
        finally:
            new.close()
        while block.number not in self._answers:
            self._take_in(self._wait())
        if self._answers.pop(block.number):
            return block.number
        lender.forget(block.number)
        return 0

    def receive(self) -> Any:
        """Wait for a message and return it.

        Large buffers of it are views of a block that the parent gets back when no view is left. Whoever calls this
        should have let go of the message before: otherwise its block comes back one message later.

        Raises:
            EOFError: when the parent has closed its end or is gone.
            OSError: when part of the message could not be had; the line is of no use any more.
        """
        while True:
            while not self._in:
                if self._borrower is not None:
                    self._give_back(self._borrower)
                self._take_in(self._wait())
            frame = self._in.popleft()
            if not frame.notices and not frame.places and len(frame.body):
                return loads(frame.body)
            for message in self._message_of(frame):
                return message

    def wait(self) -> None:
        """Wait until something has come, and leave it where it is: another thread may send meanwhile."""
        try:
            self._sock.recv(1, sockets.PEEK)
        except ConnectionError:
            return  # reading tells

    def arrived(self, *, look: bool) -> list[Any]:
        """Return the messages that have come, without waiting for any.

        Args:
            look: whether to read what has come since; only after `wait`, as elsewhere than on Linux reading waits.
                Otherwise only what was read while something was sent.

        Raises:
            EOFError: as for `receive`.
            OSError: as for `receive`.
        """
        if look:
            try:
                came = self._read(wait=False)
            except (BlockingIOError, InterruptedError):  # it was read while something was sent
                came = []
            except ConnectionError:
                came = None
            if came is None:
                raise EOFError("the parent is gone")
            self._take_in(came)
        messages: list[Any] = []
        while self._in:
            messages += self._message_of(self._in.popleft())
        if look and self._borrower is not None:
            self._give_back(self._borrower)
        return messages

    def _message_of(self, frame: Frame) -> list[Any]:
        """Do what a frame says of blocks; return the message that it carries, if it does."""
        for kind, number, _ in frame.notices:
            if kind == frames.DROP and self._borrower is not None:
                self._borrower.drop(number)
        if not frame.has_message:
            return []
        message = frame.message(self._fetch, self._fetch)
        if self._borrower is not None:
            self._borrower.message_taken(frame.block)
        return [message]

    def _wait(self) -> list[Frame]:
        """Wait for something to come; return the frames that are whole.

        Raises:
            EOFError: when the parent is gone.
        """
        try:
            came = self._look_for_a_moment() or self._read()
        except ConnectionError:
            came = None
        if came is None:
            raise EOFError("the parent is gone")
        return came

    def _look_for_a_moment(self) -> list[Frame] | None:
        """Look again and again, where that has lately been of use; return what has come then."""
        if self._lender is None or not self._patience.stays_awake():
            return None
        until = perf_counter() + AWAKE_S
        while perf_counter() < until:
            try:
                came = self._read(wait=False)
            except (BlockingIOError, InterruptedError):
                continue
            self._patience.ended(in_time=True)
            return came
        self._patience.ended(in_time=False)
        return None

    def _look_for_news(self) -> None:
        """Take in what has come, without waiting."""
        try:
            self._take_in(self._read(wait=False) or ())
        except (BlockingIOError, InterruptedError, ConnectionError):
            pass

    def _give_back(self, borrower: Borrower) -> None:
        """Give large blocks back now: the parent may be about to make a new one."""
        notices = borrower.given_back(_BACK_AT_ONCE_BYTES)
        if notices:
            try:
                self._send_all(frames.encode(b"", notices=notices))
            except OSError:
                pass  # reading tells

    def _take_in(self, came: Sequence[Frame]) -> None:
        """Take in what was said of blocks; messages, and blocks to be dropped behind them, keep their order."""
        for frame in came:
            if not frame.notices:
                self._in.append(frame)
                continue
            waits = frame.has_message
            for kind, number, size in frame.notices:
                if kind == frames.DROP:
                    waits = True
                elif kind == frames.FILL:
                    waits = False
                    self._borrow().fill(number, frame.body)
                else:
                    self._hear(kind, number, size)
            if waits:
                self._in.append(frame)

    def _hear(self, kind: int, number: int, size: int) -> None:
        lender = self._lender
        assert lender is not None  # noqa: S101 - both ends have blocks, or neither
        if kind == frames.BACK:
            lender.given_back(number)
        elif kind in (frames.HAVE, frames.LOST):
            self._answers[number] = kind == frames.HAVE
        elif kind in (frames.BLOCK, frames.BLOCK_WITHOUT):
            fd = self._fds.popleft() if kind == frames.BLOCK else -1
            if not self._borrow().take(number, size, fd):
                self._send_all(frames.encode(b"", notices=[(frames.LOST, number, 0)]))

    def _borrow(self) -> Borrower:
        if self._borrower is None:
            self._borrower = Borrower()
        return self._borrower

    def _fetch(self, place: Place) -> memoryview:
        borrower = self._borrow()
        while place[0] in borrower.lost:
            self._take_in(self._wait())
        self._fetched_bytes += place[2]
        return borrower.fetch(place)

    def _before_fork(self) -> None:
        if self._borrower is not None:
            self._borrower.keep_what_is_lent()

    def close(self) -> None:
        """Close this end. Twice is no error."""
        super().close()
        if self._borrower is not None:
            self._borrower.close()
        forks.no_longer(self._before_fork, self.close)
