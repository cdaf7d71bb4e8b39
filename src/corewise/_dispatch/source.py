"""The input: pulled lazily, cut into chunks, counted."""

from __future__ import annotations

from itertools import islice
from sys import getsizeof
from time import perf_counter

from corewise._work.chunk import Chunk, Stretch
from corewise._work.raised import without_our_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any


# What is slow to come is handed on after this time, so that nobody waits for a chunk to fill: a guess.
READ_S = 0.01
# Where whoever reads runs the items as well, nobody works meanwhile, so there is no need to read ahead. A chunk for so
# much reading costs 5 % of it; and large items are better run while they are in the caches, one at a time, in the
# memory that the one before has just left (benchmarks/choice.py, "arrays_generated": 35 ms instead of 75).
READ_ALONE_S = 0.0002
_LARGE_BYTES = 1 << 18
# Items read between two looks at the clock, which cost 0.6 µs: little beside what reading them costs. More where they
# come so quickly, and nobody is idle meanwhile, that this is not so.
_PIECE, _QUICK_PIECE, _QUICK_S = 64, 512, 1e-5
_AT_HAND = (list, tuple, range)


class Source:
    """Items for a function, from one iterable or several in step.

    Args:
        iterables: one or more; with several, each item is a tuple of arguments and the shortest ends the input.

    Attributes:
        star: whether each item is a tuple of arguments.
        sequences: the iterables, if all of them are sequences that can be read at any index; else None.
        taken: items read so far.
        exhausted: whether nothing is left.
        slow: whether the last chunk was cut short because its items were slow to come.
        read_s: seconds that reading has taken so far, but for sequences.
        inherited: whether whoever runs the items has them already, so that those of a list need not be taken out.
        error: what an iterable raised, which ends the input as well; the items before it come first.
    """

    def __init__(self, iterables: tuple[Iterable[Any], ...]) -> None:
        self.star = len(iterables) > 1
        self.sequences: tuple[Any, ...] | None = iterables if all(type(one) in _AT_HAND for one in iterables) else None
        # Not strict: the built-in map stops with the shortest as well.
        self._items = iter(zip(*iterables, strict=False)) if self.star else iter(iterables[0])
        known = [length for length in map(_length, iterables) if length is not None]
        self.total: int | None = min(known) if len(known) == len(iterables) else None
        self.taken = 0
        self.exhausted = False
        self.slow = False
        self.read_s = 0.0
        self.error: BaseException | None = None
        self.inherited = False
        self._fed_by: list[Any] = [one for one in iterables if hasattr(one, "let_go")]
        self._feeder: Any = self._fed_by[0] if self._fed_by and not self.star else None

    @property
    def remaining(self) -> int | None:
        """Items left; None while unknown."""
        if self.exhausted:
            return 0
        return None if self.total is None else max(0, self.total - self.taken)

    @property
    def read_item_s(self) -> float:
        """Seconds that it took to read an item, on average."""
        return self.read_s / self.taken if self.taken else 0.0

    def cut(self, size: int, ahead_s: float = READ_S, patience_s: float | None = None) -> Chunk | None:
        """Take the next chunk, of `size` items or fewer; None when nothing is left, or nothing came in time.

        Args:
            size: most items.
            ahead_s: seconds of reading after which it ends early.
            patience_s: seconds to wait at most for the first of them, where the input is a stream, which can be asked;
                None waits as long as it takes.
        """
        self.slow = False
        if self.exhausted:
            return None
        if self.sequences is not None and not self.star:
            items = self._stretch(self.sequences[0], size)
            self.exhausted = len(items) < size
        else:
            items = self._read(size, ahead_s, patience_s)
        if not items:
            return None
        chunk = Chunk(self.taken, items, star=self.star)
        self.taken += len(items)
        if self.taken == self.total:
            self.exhausted = True
        return chunk

    def _stretch(self, inputs: Any, size: int) -> Sequence[Any]:
        """Return the next items of an input that can be read anywhere."""
        begin, stop = self.taken, self.taken + size
        items: Any
        if self.inherited and type(inputs) is list:
            items = Stretch(inputs, begin, max(begin, min(stop, len(inputs))))
        else:
            items = inputs[begin:stop]  # of a range it is one: its numbers are made where they are used
        return items  # type: ignore[no-any-return]  # a stretch does all that is asked of a sequence here

    def drop(self, *, wait: bool = True) -> None:
        """Let go of the iterables: nothing more will be read. A generator that nobody else holds is closed by this.

        Streams end with it, whoever holds them: what was read ahead of them is lost, so nobody could go on. They have
        a method `let_go`, by which they are told.

        Args:
            wait: whether they are to wait for what cannot be stopped.
        """
        self._items = iter(())
        self._feeder = None
        self.sequences = None
        self.exhausted = True
        if self._fed_by:
            try:
                self._fed_by.pop().let_go(wait=wait)
            finally:
                self.drop(wait=wait)

    def _read(self, size: int, ahead_s: float, patience_s: float | None) -> list[Any]:
        items: list[Any] = []
        try:
            if self._feeder is None:
                self._read_into(items, size, ahead_s)
            else:
                self._take_ready(items, size, patience_s)
        except Exception as error:  # noqa: BLE001 - kept until its turn has come
            self.error = error
            without_our_frame(without_our_frame(error))
            self.exhausted = True
        return items

    def _take_ready(self, items: list[Any], size: int, patience_s: float | None) -> None:
        """Take what a stream has: results of this run are not to wait for what goes on before it."""
        while len(items) < size:
            found = self._feeder.some(size - len(items), 0.0 if items else patience_s)
            if not found:
                self.exhausted, self.slow = found is None, found is not None
                return
            items += found

    def _read_into(self, items: list[Any], size: int, ahead_s: float) -> None:
        # `extend` keeps what has been read so far when the iterable raises.
        if self.sequences is not None:
            items.extend(islice(self._items, size))
            self.exhausted = len(items) < size
            return
        begin = now = perf_counter()
        piece = 1
        try:
            while len(items) < size:
                wanted = min(len(items) + piece, size)
                items.extend(islice(self._items, wanted - len(items)))
                before, now = now, perf_counter()
                if len(items) < wanted:
                    self.exhausted = True
                    return
                if now - begin > ahead_s or (ahead_s < READ_S and piece == 1 and _is_large(items[0])):
                    self.slow = True
                    return
                quick = ahead_s < READ_S and now - before < _QUICK_S
                piece = min(2 * piece, _QUICK_PIECE if quick else _PIECE)
        finally:
            self.read_s += now - begin


def _is_large(item: Any) -> bool:
    try:
        return getsizeof(item, 0) > _LARGE_BYTES
    except Exception:  # noqa: BLE001 - a broken `__sizeof__` is no reason to fail
        return False


def _length(one: Iterable[Any]) -> int | None:
    """Return the length of an input; None where it has none, cannot tell it, or has too many items to count."""
    try:
        return len(one)  # type: ignore[arg-type]  # that is the question
    except (TypeError, OverflowError):
        return None
