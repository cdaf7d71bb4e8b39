"""One side's blocks of shared memory: filled with what a message carries, lent to the other side, and used again.

Filling a block that was used before is a plain copy; in a new one every page has to be found and cleared first, which
takes five to ten times as long. So blocks that come back are kept: a few, and not for ever.
"""

from __future__ import annotations

import os
from itertools import count

from corewise._transport.memory import Mapping, filled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ALIGNED_BYTES = 64  # a cache line; what vector instructions like best
_READ_AROUND_BYTES = 1 << 16  # what Linux maps around a page that is read, unless it was told otherwise
_SMALLEST_BYTES = 1 << 18  # guess: a few small arrays; a new block of this size takes 0.1 ms
_KEPT_BLOCKS = 3  # guess: one that is filled, one that is read, one to spare
_IDLE_MESSAGES = 256  # guess: a block that so many messages had no use for is given up


class Block:
    """A block that this side made.

    Attributes:
        number: its number on this line.
        mapping: its memory.
        view: its bytes.
        used: how many bytes of it the last message took.
        last_used: at which message that was.
    """

    __slots__ = ("_touched", "last_used", "mapping", "number", "used", "view")

    def __init__(self, number: int, mapping: Mapping) -> None:
        self.number = number
        self.mapping = mapping
        self.used = 0
        self.last_used = 0
        self._touched = False
        self.view = mapping.view()

    def lay(self, parts: Sequence[memoryview], begins: Sequence[int]) -> None:
        """Lay parts into it, each from its byte on."""
        lay(self.view, parts, begins, touched=self._touched)
        self._touched = True

    def content(self) -> bytes:
        """Return what the last message laid into it."""
        return bytes(self.view[: self.used])

    def close(self) -> None:
        """Let go of it."""
        self.view.release()
        self.mapping.close()


def lay(view: memoryview, parts: Sequence[memoryview], begins: Sequence[int], *, touched: bool) -> None:
    """Lay parts into a block, each from its byte on.

    Args:
        view: the block.
        parts: what to lay there.
        begins: where.
        touched: whether all of it was laid into or looked at before, through this mapping.
    """
    if not touched:
        # Writing to a page for the first time is a page fault each; reading finds the pages around it as well.
        # 64 MiB take 13 instead of 50 ms that way (benchmarks/results/transport.json, "a new block").
        view[::_READ_AROUND_BYTES].tobytes()
    for part, begin in zip(parts, begins, strict=True):
        view[begin : begin + len(part)] = part


def offsets(sizes: Sequence[int]) -> tuple[list[int], int]:
    """Return where in a block parts of these sizes begin, and how many bytes they take together."""
    begins, end = [], 0
    for size in sizes:
        begin = -(-end // ALIGNED_BYTES) * ALIGNED_BYTES
        begins.append(begin)
        end = begin + size
    return begins, end


def block_bytes(used: int) -> int:
    """Return the size of a new block for so many bytes: a little more, so that similar messages fit in it later."""
    step = max(4096, 1 << max(0, used.bit_length() - 5))
    return max(_SMALLEST_BYTES, -(-used // step) * step)


class Lender:
    """The blocks that one side of a line made.

    Attributes:
        made: how many were made.
        reused: how often one was used again.
        dropped: the numbers of those that were given up since this was last emptied; the other side has to be told.
    """

    def __init__(self) -> None:
        self.made = 0
        self.reused = 0
        self.dropped: list[int] = []
        self._blocks: dict[int, Block] = {}
        self._free: list[Block] = []
        self._numbers = count(1)
        self._messages = 0

    def reuse(self, parts: Sequence[memoryview], begins: Sequence[int], used: int) -> Block | None:
        """Lay parts into a block that has come back; None when there is none that is large enough."""
        block = None
        for one in self._free:
            if one.mapping.size >= used and (block is None or one.mapping.size < block.mapping.size):
                block = one
        if block is None:
            return None
        self._free.remove(block)
        block.lay(parts, begins)
        self.reused += 1
        return self._lent(block, used)

    def make(self, parts: Sequence[memoryview], begins: Sequence[int], used: int) -> tuple[Block, int] | None:
        """Lay parts into a new block.

        Returns:
            The block, and its descriptor, which the caller closes; None when the system grants no more.
        """
        while len(self._free) >= _KEPT_BLOCKS:
            self._drop(min(self._free, key=lambda block: block.last_used))
        size = block_bytes(used)
        try:
            fd = filled(size, zip(begins, parts, strict=True))
        except OSError:
            return None
        try:
            mapping = Mapping(fd, size)
        except BaseException as error:
            os.close(fd)
            if isinstance(error, OSError):
                return None
            raise
        self.made += 1
        block = Block(next(self._numbers), mapping)
        self._blocks[block.number] = block
        return self._lent(block, used), fd

    def _lent(self, block: Block, used: int) -> Block:
        block.used = used
        block.last_used = self._messages
        return block

    def passed(self) -> None:
        """Count a message, whatever it carried; give up what has long been idle."""
        self._messages += 1
        if self._messages % _IDLE_MESSAGES == 0:
            for block in self._free.copy():
                if self._messages - block.last_used > _IDLE_MESSAGES:
                    self._drop(block)

    def given_back(self, number: int) -> None:
        """Note that the other side has no use for a block any more."""
        self._free.append(self._blocks[number])

    @property
    def is_lending(self) -> bool:
        """Whether the other side has any block."""
        return len(self._blocks) > len(self._free)

    def look(self, number: int) -> memoryview:
        """Return what lies in a block that is lent: the other side may have laid something into it."""
        return self._blocks[number].view

    def find(self, number: int) -> Block | None:
        """Return the block of that number, if it was not given up."""
        return self._blocks.get(number)

    def forget(self, number: int) -> None:
        """Let go of a block that does not come back."""
        block = self._blocks.pop(number, None)
        if block is not None:
            block.close()

    def _drop(self, block: Block) -> None:
        self._free.remove(block)
        self.forget(block.number)
        self.dropped.append(block.number)

    def close(self) -> None:
        """Let go of all blocks."""
        self._free.clear()
        for number in tuple(self._blocks):
            self.forget(number)
