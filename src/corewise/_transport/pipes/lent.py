"""Blocks of memory through which large messages go: the sender lays them there, the receiver copies them out (Linux).

A block begins with two words of its own: whether a message lies in it that nobody has copied out yet, and a number by
which the receiver knows it again. So nothing has to be said about blocks over the pipe: the receiver clears the first
word, and the sender, who looks for a block, sees that. It works one way, between any number of processes, and when any
of them dies: the descriptor travels with each message, and the kernel frees what nobody holds.
"""

from __future__ import annotations

import os

from corewise._transport import memory
from corewise._transport.lender import block_bytes, lay
from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD_BYTES = 64  # what lies behind it begins at a cache line
_BUSY, _NUMBER = 0, 1
_BLOCKS = 8  # guess: what may lie in the pipe unread, one that is filled, one that is read, some to spare
_KEPT_BYTES = 1 << 26  # guess: what one end keeps mapped for the messages to come


class Block:
    """A block of this end's."""

    __slots__ = ("_mapping", "_touched", "_view", "_words", "fd", "number", "size")

    def __init__(self, size: int, parts: Sequence[memoryview], begins: Sequence[int]) -> None:
        self.size = size
        self.number = int.from_bytes(os.urandom(8), "little")
        head = memoryview(b"".join(((1).to_bytes(8, "little"), self.number.to_bytes(8, "little"))))
        self.fd = memory.filled(size, [(0, head), *zip(begins, parts, strict=True)])
        try:
            self._mapping = memory.Mapping(self.fd, size)
        except BaseException:
            os.close(self.fd)
            raise
        self._touched = False
        self._view = self._mapping.view()
        self._words = self._view[:16].cast("Q")

    @property
    def busy(self) -> bool:
        """Whether what lies in it was not copied out yet."""
        return bool(self._words[_BUSY])

    def lay(self, parts: Sequence[memoryview], begins: Sequence[int]) -> None:
        """Lay parts into it; it is busy from now on."""
        self._words[_BUSY] = 1
        lay(self._view, parts, begins, touched=self._touched)
        self._touched = True

    def take_back(self) -> None:
        """Note that what lies in it was not sent after all."""
        self._words[_BUSY] = 0

    def close(self) -> None:
        """Let go of it. What was sent in it stays with the message."""
        self._words.release()
        self._view.release()
        self._mapping.close()
        self.close_descriptor()

    def close_descriptor(self) -> None:
        """Let go of its descriptor; it stays where it is mapped."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


class Lender:
    """The blocks of a sending end, in one process.

    Attributes:
        made: how many were made.
    """

    def __init__(self) -> None:
        self.made = 0
        self._blocks: list[Block] = []
        self._pid = os.getpid()

    def lay(self, parts: Sequence[memoryview], begins: Sequence[int], used: int) -> Block | None:
        """Lay parts into a block, each from its byte on; None when the system has neither memory nor a descriptor.

        Args:
            parts: what to lay there.
            begins: where; from `HEAD_BYTES` on.
            used: up to which byte that goes.
        """
        if self._pid != os.getpid():  # inherited by a fork: the parent goes on using them
            self.close()
            self._pid = os.getpid()
        fitting = [block for block in self._blocks if block.size >= used and not block.busy]
        if fitting:
            block = min(fitting, key=lambda one: one.size)
            try:
                block.lay(parts, begins)
            except BaseException:
                block.take_back()
                raise
            return block
        try:
            block = Block(block_bytes(used), parts, begins)
        except OSError:
            return None
        self.made += 1
        self._make_room(block.size)
        self._blocks.append(block)
        return block

    def _make_room(self, size: int) -> None:
        """Give up blocks beyond what is kept: idle ones first, then those that were sent longest ago."""
        blocks = sorted(self._blocks, key=lambda block: block.busy)
        while blocks and (len(blocks) >= _BLOCKS or sum(block.size for block in blocks) + size > _KEPT_BYTES):
            given_up = blocks.pop(0)
            self._blocks.remove(given_up)
            given_up.close()

    def close_descriptors(self) -> None:
        """Let go of all their descriptors."""
        for block in self._blocks:
            block.close_descriptor()

    def close(self) -> None:
        """Let go of all of them."""
        while self._blocks:
            self._blocks.pop().close()


class _Seen:
    """A block of the other end's, mapped here."""

    __slots__ = ("mapping", "view", "words")

    def __init__(self, fd: int, size: int) -> None:
        self.mapping = memory.Mapping(fd, size)
        self.view = self.mapping.view()
        self.words = self.view[:16].cast("Q")

    def close(self) -> None:
        self.words.release()
        self.view.release()
        self.mapping.close()


class Received:
    """A message's place in a block, until it was copied out.

    Attributes:
        view: the whole block.
    """

    __slots__ = ("_words", "view")

    def __init__(self, seen: _Seen) -> None:
        self.view = seen.view
        self._words = seen.words

    def done(self) -> None:
        """Say that the sender may use the block again."""
        self._words[_BUSY] = 0


class Borrower:
    """The blocks that a receiving end has seen: mapping one costs far more than copying out of it."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}
        self._latest: deque[int] = deque()  # numbers, the one that was used last at the end

    def find(self, number: int, size: int, fd: int) -> Received:
        """Return where a message lies.

        Args:
            number: the block's own.
            size: how many bytes it has.
            fd: its descriptor, which is this object's to close; -1 if there was no room for it.

        Raises:
            OSError: when it was not seen before, and cannot be mapped.
        """
        try:
            seen = self._seen.get(number)
            if seen is None:
                if fd < 0:
                    raise OSError("no descriptor was left in this process for a large message, which is lost")
                self._make_room(size)
                seen = self._seen[number] = _Seen(fd, size)
            else:
                self._latest.remove(number)
            self._latest.append(number)
            return Received(seen)
        finally:
            if fd >= 0:
                os.close(fd)

    def _make_room(self, size: int) -> None:
        kept = sum(seen.mapping.size for seen in self._seen.values())
        while self._latest and (len(self._latest) >= _BLOCKS or kept + size > _KEPT_BYTES):
            number = self._latest.popleft()
            seen = self._seen.pop(number)
            kept -= seen.mapping.size
            seen.close()

    def close(self) -> None:
        """Let go of all of them."""
        self._latest.clear()
        while self._seen:
            self._seen.popitem()[1].close()
