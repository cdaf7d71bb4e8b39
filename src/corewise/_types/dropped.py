"""What is to be done when nobody holds an object any more that has not been closed.

Not by `__del__`: Python calls that of closed objects too, and swallows a Ctrl-C that comes while it is called, also
where there is nothing to do. Of an object that was closed, nothing is called here. But what is to be called must not
lead back to the object, or nobody would ever drop it: so a stream, whose function may be a method of what holds the
stream, has a `__del__`.
"""

from __future__ import annotations

from _weakref import ref  # the public module is dear to import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_calls: dict[ref[Any], tuple[Callable[..., object], tuple[Any, ...]]] = {}


class WhenDropped:
    """Has something called once nobody holds an object any more.

    Args:
        owner: the object.
        call: is called then, once, in whatever thread has dropped it or collects the garbage.
        *args: its arguments.

    Example:
        >>> class Held: ...
        >>> held = Held()
        >>> when = WhenDropped(held, print, "gone")
        >>> del held
        gone
    """

    __slots__ = ("_ref",)

    def __init__(self, owner: object, call: Callable[..., object], *args: Any) -> None:
        self._ref: ref[Any] | None = (own := ref(owner, _dropped))
        _calls[own] = call, args

    def forget(self) -> None:
        """Have nothing called, as the object was closed. Once is enough, more is no error."""
        own, self._ref = self._ref, None  # as long as there is one, it is told of the end
        if own is not None:
            _calls.pop(own, None)


def _dropped(which: ref[Any]) -> None:
    known = _calls.pop(which, None)
    if known is not None:
        call, args = known
        call(*args)
