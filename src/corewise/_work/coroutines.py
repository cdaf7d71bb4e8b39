"""Coroutine functions: telling them apart without importing asyncio, and running them where plain calls are made."""

from __future__ import annotations

from contextlib import closing, contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE; importing inspect costs as much as half an interpreter start


def is_coroutine_function(fn: object) -> bool:
    """Return whether calling `fn` gives a coroutine, as `inspect.iscoroutinefunction` would say.

    Partials, bound methods, objects with an ``async def __call__`` and functions marked by
    `inspect.markcoroutinefunction` are recognised.
    """
    while hasattr(fn, "func") and hasattr(fn, "keywords"):  # functools.partial and its kin
        fn = fn.func
    if hasattr(fn, "_is_coroutine_mark"):  # inspect.markcoroutinefunction, Python 3.12 and later
        return True
    inner = getattr(fn, "__func__", fn)
    code = getattr(inner, "__code__", None)
    if code is None and not isinstance(fn, type):
        code = (
            getattr(getattr(type(fn).__call__, "__func__", type(fn).__call__), "__code__", None)
            if callable(fn)
            else None
        )
    return bool(code is not None and code.co_flags & _CO_COROUTINE)


@contextmanager
def plain_calls(fn: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Give a callable that behaves like `fn` but never returns a coroutine.

    Each coroutine is run to its end, one after the other. One event loop serves all calls made inside the ``with``
    block, so connections and locks kept between calls stay usable. For a plain function it is the function itself.
    """
    if not is_coroutine_function(fn):
        yield fn
        return
    from corewise._work.loops import PlainLoop  # imports asyncio, which is dear

    with closing(PlainLoop()) as loop:
        yield lambda *args: loop.run(fn(*args))


class AsCoroutine:
    """A plain function dressed up as a coroutine function, to show that this alone gains nothing.

    Example:
        >>> import asyncio
        >>> asyncio.run(AsCoroutine(abs)(-2))
        2
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn

    async def __call__(self, *args: Any) -> Any:
        """Call the function, without ever giving way to others."""
        return self.fn(*args)
