"""A buffer that many items of one call refer to, sent once: it lies in a block that all workers of the call map.

The rest of what is known of blocks stands in `lender` (the side that fills them) and `borrower` (the worker's side).
"""

from __future__ import annotations

from _weakref import ref  # the public module is dear to import, and this is all of it that is needed
from itertools import count

from corewise._transport import memory
from corewise._transport.forks import OwnDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator
    from typing import Any, Protocol, Self

    class Line(Protocol):
        """A line to a worker."""

        def forget(self, number: int) -> None:
            """Tell the worker to let go of a shared block."""


# Below this, copying the buffer for each item costs less than mapping a block for each
# (benchmarks/results/transport.json, "one buffer to many").
ONCE_FROM_BYTES = 1 << 20
_HELD = 8  # guess: owners that cannot be referred to weakly are rare, and must be held to be known again

_VIEWS_OF_VIEWS = 8  # guess: a view of an array refers to the owner of the memory itself, as a rule

_numbers = count(-1, -1)  # of this process: negative, to be told from the numbers of a line's own blocks


class Shared:
    """A block that holds one buffer for as long as its scope is open.

    Attributes:
        number: its number, the same on every line.
        size: how many bytes.
        descriptor: its descriptor.
        lines: the lines over which it was sent.
    """

    __slots__ = ("descriptor", "lines", "number", "size")

    def __init__(self, view: memoryview) -> None:
        self.size = len(view)
        self.descriptor = OwnDescriptor(memory.filled(self.size, [(0, view)]))
        self.number = next(_numbers)
        self.lines: set[Line] = set()

    def content(self) -> bytes:
        """Return what is in it; nothing when it cannot be had any more."""
        try:
            return bytes(memory.read(self.descriptor.fd, self.size))
        except OSError:
            return b""

    def close(self) -> None:
        """Let go of it, here and in the workers."""
        self.descriptor.close()
        for line in self.lines:
            line.forget(self.number)
        self.lines.clear()


class _Seen:
    """A buffer that was sent under a scope."""

    __slots__ = ("owner", "shared")

    def __init__(self, owner: Callable[[], Any]) -> None:
        self.owner = owner
        self.shared: Shared | None = None


class Once:
    """The scope of one call in which nothing that is sent changes, so that a buffer need not be sent twice.

    A buffer is known again by where it is in memory, as long as the object that owns that memory is alive. When it is
    sent for the second time, to whatever worker, it is put into a block of its own, and from then on only the number
    of the block travels.

    Args:
        repeated: the `id` of each object of which the caller knows that it is sent more than once, such as an array
            that stands in the list of inputs twice. A buffer of one of them is put into a block of its own at once.
            Default: none known.
    """

    def __init__(self, repeated: Container[int] = ()) -> None:
        self._repeated = repeated
        self._seen: dict[tuple[int, int], _Seen] = {}
        self._held: list[tuple[int, int]] = []

    def __enter__(self) -> Self:
        """Close it at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def share(self, view: memoryview) -> Shared | None:
        """Return the block in which a buffer lies; None when it is better sent like any other.

        Args:
            view: the buffer, in one piece.
        """
        if len(view) < ONCE_FROM_BYTES:
            return None
        try:
            key = memory.address_of(view), len(view)
        except OSError:
            return None
        seen = self._seen.get(key)
        if seen is not None and seen.owner() is None:  # the memory was freed, and is another buffer's by now
            self._forget(key)
            seen = None
        if seen is None:
            seen = self._note(key, view)
            if not self._is_repeated(view.obj):
                return None
        if seen.shared is None:
            try:
                seen.shared = Shared(view)
            except OSError:  # neither memory nor a descriptor for it
                return None
        return seen.shared

    def _note(self, key: tuple[int, int], view: memoryview) -> _Seen:
        *_, owner = _line_of_views(view.obj)
        try:
            seen = _Seen(ref(owner))
        except TypeError:
            seen = _Seen(lambda: owner)
            self._held.append(key)
            if len(self._held) > _HELD:
                self._forget(self._held.pop(0))
        self._seen[key] = seen
        return seen

    def _is_repeated(self, exporter: Any) -> bool:
        return any(id(one) in self._repeated for one in _line_of_views(exporter))

    def _forget(self, key: tuple[int, int]) -> None:
        seen = self._seen.pop(key, None)
        if seen is not None and seen.shared is not None:
            seen.shared.close()

    def close(self) -> None:
        """Let go of all blocks, here and in the workers. Twice is no error."""
        for key in tuple(self._seen):
            self._forget(key)


def repeated_in(iterables: Iterable[Iterable[Any]]) -> set[int]:
    """Return the `id` of each object with large memory of its own that stands in these lists more than once."""
    seen: set[int] = set()
    repeated: set[int] = set()
    for one in iterables:
        # Asked of the types first: most lists hold thousands of items that have no such thing.
        for item in one if any(hasattr(kind, "nbytes") for kind in _types_in(one)) else ():
            if getattr(item, "nbytes", 0) >= ONCE_FROM_BYTES:
                (repeated if id(item) in seen else seen).add(id(item))
    return repeated


def _types_in(items: Iterable[Any]) -> Iterable[type]:
    try:
        return set(map(type, items))
    except TypeError:  # a class whose own class compares as it likes, and cannot be looked up
        return {id(kind): kind for kind in map(type, items)}.values()


def _line_of_views(exporter: Any) -> Iterator[Any]:
    """Give an object, the array that it is a view of, and so on; the last is the one that owns the memory."""
    for _ in range(_VIEWS_OF_VIEWS):
        yield exporter
        exporter = getattr(exporter, "base", None)
        if exporter is None:
            return
