"""What an item of a function took in the last call of it, for as long as this program runs."""

from __future__ import annotations

from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MOST = 256  # guess: a program maps fewer functions in turns; then all are forgotten, and learnt again one by one
_FUNCTION: Any = type(lambda: None)  # `types` would have to be loaded

_known: dict[int, tuple[Callable[[], object | None], float]] = {}  # by the number of what stands for a function


def note(fn: Callable[..., Any], item_s: float | None) -> None:
    """Note what an item took.

    Args:
        fn: the function.
        item_s: seconds, on average; None to forget what was known.
    """
    one = _stands_for(fn)
    if item_s is None:
        _known.pop(id(one), None)
        return
    if len(_known) >= _MOST:
        _known.clear()
    try:
        _known[id(one)] = ref(one), item_s
    except TypeError:  # nothing can tell when it is gone, and its number another's
        pass


def item_s(fn: Callable[..., Any]) -> float | None:
    """Return the seconds that an item took in the last call; None where nobody knows."""
    one = _stands_for(fn)
    what, seconds = _known.get(id(one), (_nothing, 0.0))
    return seconds if what() is one else None


def forget() -> None:
    """Forget all of it."""
    _known.clear()


def _stands_for(fn: Callable[..., Any]) -> Any:
    """Return the code of a function, where that is all there is to it, as a lambda is another one at each call."""
    return fn.__code__ if type(fn) is _FUNCTION and fn.__closure__ is None else fn


def _nothing() -> object:
    return _known
