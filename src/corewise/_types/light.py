"""Two things of the standard library whose public modules take longer to import than a worker takes to start.

`collections` builds the machinery of named tuples (2 ms), `contextlib` imports that and more (6 ms); every program that
maps a function over its first few items would wait for them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from types import TracebackType
    from typing import Protocol, Self, TypeVar

    class Closable(Protocol):
        """Whatever is to be closed."""

        def close(self) -> None:
            """Close it."""

    C = TypeVar("C", bound=Closable)
else:
    try:
        from _collections import deque
    except ImportError:  # an interpreter without the C module
        from collections import deque

__all__ = ["Scope", "deque"]


class Scope:
    """A ``with`` block at whose end is closed what was opened inside, the last one first: a small `ExitStack`."""

    def __init__(self) -> None:
        self._open: list[Closable] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def closing(self, one: C) -> C:
        """Note what is to be closed, and return it."""
        self._open.append(one)
        return one

    def keep_open(self) -> None:
        """Close nothing of what was noted so far."""
        self._open.clear()

    def close(self) -> None:
        """Close what was noted; all of it, whatever one of them raises."""
        while self._open:
            try:
                self._open.pop().close()
            except BaseException:
                self.close()
                raise
