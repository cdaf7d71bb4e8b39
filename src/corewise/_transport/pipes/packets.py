"""Pipes on Linux: one packet for each message, kept whole by the kernel.

A socket of the kind `SOCK_SEQPACKET` takes a packet whole or not at all. So a process that is killed while it sends has
sent nothing, several processes may send by the same end, and nothing is ever read ahead. What a packet begins with says
what it is:

    0x80    the pickle of an object: all pickles begin so
    RAW     bytes
    WHOLE   where a message lies in a block, whose descriptor comes with the packet (`lent`)
    FIRST   that a message comes in pieces, and how long each of its parts is
    PARTS   how long the parts of a message are, and these themselves
    BLOCK   where a piece lies in a block
    INLINE  a piece

In pieces come messages of more than `PIECE_BYTES`, so that one piece is copied in while another is copied out; and
those for which there is no block.
"""

from __future__ import annotations

import _socket as raw_socket
import marshal
import os
import select
import sys
from itertools import count
from time import perf_counter

from corewise._transport import recycled
from corewise._transport.patience import AWAKE_S, Patience
from corewise._transport.pipes import ends
from corewise._transport.pipes.connection import Connection, Message
from corewise._transport.pipes.lent import HEAD_BYTES, Borrower, Lender
from corewise._transport.pipes.parts import Coming, copied_out, cut, places_for, told_by

assert sys.platform == "linux"  # noqa: S101 - says so to type checkers as well

from corewise._transport.sockets import receive  # noqa: E402 - there is none elsewhere

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any, TypeAlias

    from corewise._transport.pipes.lent import Block

    # What is to be sent at once, and the descriptor that goes with it; -1 for none.
    Packet: TypeAlias = tuple[tuple[bytes | memoryview, ...], int]

RAW, WHOLE, FIRST, BLOCK, INLINE, PARTS = 1, 2, 3, 4, 5, 6
_PICKLE = 0x80
PIECE_BYTES = 1 << 24  # guess: large enough that a packet for each is nothing, small enough for three under way
# What is smaller goes in the packet itself (benchmarks/results/processes.json, "array of 64 KiB" and "of 200 kB": about
# where both ways take equally long). A packet must find room in the socket's buffer, of 208 KiB as a rule.
INLINE_BYTES = 1 << 17
_HEADER_BYTES = 1 << 12
_MOST_PARTS = 64  # guess: the system takes some hundred pieces at a time, and a copy of so many small ones is cheap
_PADDING = memoryview(bytes(1 << 18))
_UNDER_WAY = 3  # guess: one piece that is filled, one that is copied out, one to spare
# guess: how long to wait before it is asked for the first time who else could send; each time it is twice as long
_FIRST_DOUBT_S, _LONGEST_DOUBT_S = 0.1, 3.0

_numbers = count()


class PacketConnection(Connection):
    """One end of a pipe on Linux.

    Args:
        fd: its descriptor, which is this object's from now on.
        readable: whether it receives.
        writable: whether it sends.
    """

    def __init__(self, fd: int, *, readable: bool = True, writable: bool = True) -> None:
        super().__init__(readable=readable, writable=writable)
        self._sock: Any = raw_socket.socket(fileno=fd)
        self._fd = fd
        self._other: Any = None  # a weak reference to the other end, where this process has made both
        self._born = ends.forks()
        self._scratch: memoryview | None = None
        self._patience = Patience()
        self._poll: Any = None
        self._lender: Lender | None = None
        self._borrower: Borrower | None = None
        self._coming: dict[Any, Coming] = {}
        self._recycles = False  # whether it has memory of large arrays kept for the next
        ends.note(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process: one that is being started, or through another connection."""
        self._check_open()
        from multiprocessing.reduction import DupFd

        self._travelled = True
        if (other := self._other_end()) is not None:
            other._travelled = True  # noqa: SLF001 - of this very class
        return _arrived, (DupFd(self._fd), self._readable, self._writable)

    def _number(self) -> int:
        return self._fd

    def close_in_child(self) -> None:
        """Let go of the descriptors of this end, in a forked child that was not passed it.

        What is mapped stays so for the life of the child: an empty one is quicker gone than eight blocks are unmapped.
        """
        ends.forget(self)
        self._fd = -1
        self._sock.close()
        if self._lender is not None:
            self._lender.close_descriptors()

    def _close(self) -> None:
        self._fd = -1
        self._sock.close()
        if self._lender is not None:
            self._lender.close()
        if self._borrower is not None:
            self._borrower.close()
        self._coming.clear()
        if self._recycles:
            self._recycles = False
            recycled.closed()

    # -- sending -------------------------------------------------------------------------------------------------------

    def _give(self, body: bytes | memoryview, buffers: list[memoryview], *, raw: bool) -> None:
        if not buffers and len(body) <= INLINE_BYTES:
            self._put(_inline(body, raw=raw))
            return
        packets = self._packets(body, buffers, raw=raw)
        try:
            for packet in packets:
                self._put(packet)
        finally:
            packets.close()

    async def _agive(self, body: bytes | memoryview, buffers: list[memoryview], *, raw: bool) -> None:
        from corewise._transport.pipes import waiting

        packets = self._packets(body, buffers, raw=raw)
        try:
            for packet in packets:
                while True:
                    try:
                        self._put(packet, raw_socket.MSG_DONTWAIT)
                        break
                    except BlockingIOError:
                        await waiting.writable(self._fd)
        finally:
            packets.close()

    def give_at_once(self, body: bytes, buffers: list[memoryview]) -> bool:
        """Send a message without ever waiting, whoever reads it or not. Return False when there is no room for it.

        Only the first message through a pipe is sure to find room.

        Raises:
            OSError: when the other end is gone.
        """
        if not buffers and len(body) <= INLINE_BYTES:
            packets: Iterator[Packet] = iter([_inline(body, raw=False)])
        else:
            parts = [memoryview(body), *buffers]
            begins, used = places_for(parts)
            block = self._lend().lay(parts, begins, used)
            if block is None:
                return False
            packets = iter([self._whole(block, parts, begins, raw=False)])
        try:
            for packet in packets:
                self._put(packet, raw_socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        return True

    def _put(self, packet: Packet, flags: int = 0) -> None:
        pieces, fd = packet
        beside = () if fd < 0 else ((raw_socket.SOL_SOCKET, raw_socket.SCM_RIGHTS, fd.to_bytes(4, sys.byteorder)),)
        try:
            if len(pieces) == 1 and fd < 0:
                self._sock.send(pieces[0], flags)
            else:
                self._sock.sendmsg(pieces, beside, flags)
        except ConnectionResetError:  # the other end was closed with messages unread; told once
            raise BrokenPipeError("nobody holds the other end of the pipe any more") from None

    def _packets(
        self, body: bytes | memoryview, buffers: list[memoryview], *, raw: bool
    ) -> Generator[Packet, None, None]:
        """Give what is to be sent for a message, one packet after the other; each is laid out when it is asked for."""
        parts = [memoryview(body), *buffers]
        if not buffers and len(body) <= INLINE_BYTES:
            yield _inline(body, raw=raw)
            return
        if sum(map(len, parts)) <= INLINE_BYTES and len(parts) < _MOST_PARTS:
            yield (told_by(PARTS, list(map(len, parts))), *parts), -1
            return
        begins, used = places_for(parts)
        if used <= PIECE_BYTES and (block := self._lend().lay(parts, begins, used)) is not None:
            yield from _unless_refused(block, self._whole(block, parts, begins, raw=raw))
            return
        number = os.getpid(), next(_numbers)
        yield (told_by(FIRST, (number, raw, list(map(len, parts)))),), -1
        for at, part in enumerate(parts):
            for begin in range(0, len(part), PIECE_BYTES):
                yield from self._pieces(number, at, begin, part[begin : begin + PIECE_BYTES])

    def _whole(self, block: Block, parts: list[memoryview], begins: list[int], *, raw: bool) -> Packet:
        places = [(begin, len(part)) for begin, part in zip(begins, parts, strict=True)]
        return (told_by(WHOLE, (block.number, block.size, raw, places)), self._padding()), block.fd

    def _pieces(self, number: tuple[int, int], at: int, begin: int, piece: memoryview) -> Iterator[Packet]:
        block = self._lend().lay([piece], [HEAD_BYTES], HEAD_BYTES + len(piece))
        if block is not None:
            told = told_by(BLOCK, (block.number, block.size, number, at, begin, len(piece)))
            yield from _unless_refused(block, ((told, self._padding()), block.fd))
            return
        for shift in range(0, len(piece), INLINE_BYTES):
            some = piece[shift : shift + INLINE_BYTES]
            yield (told_by(INLINE, (number, at, begin + shift)), some), -1

    def _padding(self) -> memoryview:
        """Return what makes a packet so large that few of its kind find room in the pipe: what lies in blocks counts.

        Who sends faster than the other reads has to wait then, as in any pipe. The receiver does not read it.
        """
        room = self._sock.getsockopt(raw_socket.SOL_SOCKET, raw_socket.SO_SNDBUF)
        return _PADDING[: max(0, room // _UNDER_WAY - _HEADER_BYTES)]

    def _lend(self) -> Lender:
        if self._lender is None:
            self._lender = Lender()
        return self._lender

    # -- receiving -----------------------------------------------------------------------------------------------------

    def _take(self) -> Message:
        while True:
            message = self._look_for_a_moment() if self._patience.stays_awake() else None
            if message is None:
                if self._other is not None and self._other_end() is not None:
                    self._wait_in_doubt()
                message = self._read(wait=True)
            if message is not None:
                return message

    def _look_for_a_moment(self) -> Message | None:
        """Look again and again, where that has lately been of use; return what has come then."""
        until = perf_counter() + AWAKE_S
        while True:
            try:
                message = self._read(wait=False)
            except BlockingIOError:
                if perf_counter() < until:
                    continue
                self._patience.ended(in_time=False)
                return None
            self._patience.ended(in_time=True)
            return message

    async def _atake(self) -> Message:
        from corewise._transport.pipes import waiting

        while True:
            try:
                message = self._read(wait=False)
            except BlockingIOError:
                await waiting.readable(self._fd)
                continue
            if message is not None:
                return message

    def _read(self, *, wait: bool) -> Message | None:
        """Read one packet. Return the message when it is whole.

        Raises:
            BlockingIOError: when nothing has come and none is to be waited for.
            EOFError: when nothing can come any more.
        """
        scratch = self._scratch
        if scratch is None:
            scratch = self._scratch = memoryview(bytearray(INLINE_BYTES + _HEADER_BYTES))
        try:
            size, fd = receive(self._sock, scratch, wait=wait)
        except ConnectionResetError:  # the other end was closed with messages unread; told once, and what came is there
            return None
        if not size:
            raise EOFError
        kind = scratch[0]
        if kind == _PICKLE:
            message: Message | None = Message(scratch[:size], [], raw=False)
        elif kind == RAW:
            message = Message(scratch[1:size], [], raw=True)
        else:
            return self._unpack(kind, scratch[1:size], -1 if fd is None else fd)
        if fd is not None and fd >= 0:  # none of ours
            os.close(fd)
        return message

    def _unpack(self, kind: int, packet: memoryview, fd: int) -> Message | None:
        if not self._recycles:
            recycled.opened()
            self._recycles = True
        size = int.from_bytes(packet[:2], "little")
        told = marshal.loads(packet[2 : 2 + size])  # noqa: S302 - as with pickle: both ends are the same user's
        if kind == FIRST:
            number, raw, sizes = told
            self._coming[number] = Coming(sizes, raw=raw)
            return None
        if kind == PARTS:
            return cut(packet[2 + size :], told)
        if kind == INLINE:
            number, at, begin = told
            return self._piece(number, at, begin, packet[2 + size :])
        if self._borrower is None:
            self._borrower = Borrower()
        place = self._borrower.find(told[0], told[1], fd)
        if kind == WHOLE:
            return copied_out(place, told[3], raw=told[2])
        number, at, begin, length = told[2:]
        try:
            return self._piece(number, at, begin, place.view[HEAD_BYTES : HEAD_BYTES + length])
        finally:
            place.done()

    def _piece(self, number: Any, at: int, begin: int, piece: memoryview) -> Message | None:
        coming = self._coming.get(number)
        if coming is None:  # the rest went to another process that reads from this end
            return None
        message = coming.take(at, begin, piece)
        if message is not None:
            del self._coming[number]
        return message

    def _comes_within(self, timeout: float | None) -> bool:
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self._fd, select.POLLIN)
        return bool(self._poll.poll(None if timeout is None else max(0.0, timeout * 1000)))

    def _other_end(self) -> PacketConnection | None:
        """Return the other end, if this process holds it too."""
        other = None if self._other is None else self._other()
        if other is None or other.closed:
            self._other = None
            return None
        end: PacketConnection = other
        return end

    def _wait_in_doubt(self) -> None:
        """Wait for something to come, while this process holds the other end as well.

        Raises:
            EOFError: when the other end was handed to processes that are all gone.
        """
        patience_s = _FIRST_DOUBT_S
        while not self._comes_within(patience_s):
            other = self._other_end()
            if other is None:
                return
            handed = self._travelled or self._born != ends.forks()
            if handed and ends.nobody_else_holds(other._fd) and not self._comes_within(0.0):  # noqa: SLF001 - as above
                raise EOFError
            patience_s = min(2 * patience_s, _LONGEST_DOUBT_S)


def _inline(body: bytes | memoryview, *, raw: bool) -> Packet:
    return ((b"\x01" + body if raw else body),), -1


def _unless_refused(block: Block, packet: Packet) -> Iterator[Packet]:
    """Give a packet; if it is not sent, the block is free again."""
    sent = False
    try:
        yield packet
        sent = True
    finally:
        if not sent:
            block.take_back()


def _arrived(handle: Any, readable: bool, writable: bool) -> PacketConnection:  # noqa: FBT001 - from a pickle
    end = PacketConnection(handle.detach(), readable=readable, writable=writable)
    end._travelled = True  # noqa: SLF001 - made here
    return end
