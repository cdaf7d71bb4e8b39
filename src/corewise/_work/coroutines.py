"""Coroutine functions: telling them apart without importing asyncio, and running them where plain calls are made."""

from __future__ import annotations

from corewise._work.raised import add_note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from corewise._types.light import Scope

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


def plain_calls(
    fn: Callable[..., Any],
    scope: Scope,
    initializer: Callable[..., object] | None = None,
    initargs: tuple[Any, ...] = (),
) -> Callable[..., Any]:
    """Call the initializer, then return a callable that behaves like `fn` but never returns a coroutine.

    Each coroutine is run to its end, one after the other. One event loop serves all calls made before `scope` ends,
    so connections and locks kept between calls, or made by the initializer, stay usable. For a plain function it is
    the function itself.

    Args:
        fn: the function.
        scope: at its end the event loop is closed.
        initializer: called once, before this returns; None where there is nothing to prepare.
        initargs: its arguments.

    Raises:
        BaseException: whatever the initializer raises, with a note that says so.
    """
    run = initialized(fn, scope, initializer, initargs)
    return fn if run is None or not is_coroutine_function(fn) else _plain(fn, run)


def initialized(
    fn: Callable[..., Any], scope: Scope, initializer: Callable[..., object] | None, initargs: tuple[Any, ...]
) -> Callable[..., Any] | None:
    """Call the initializer, then return what calls a coroutine function and runs the coroutine; None where none is one.

    The arguments are those of `plain_calls`.
    """
    run: Callable[..., Any] | None = None
    if is_coroutine_function(fn) or is_coroutine_function(initializer):
        from corewise._work.loops import loop_for_plain_code  # imports asyncio, which is dear

        run = scope.closing(loop_for_plain_code()).run
    if initializer is not None:
        with initializing():
            if run is not None and is_coroutine_function(initializer):
                run(initializer, *initargs)
            else:
                initializer(*initargs)
    return run


class initializing:  # noqa: N801 - reads as a verb where it is used; a class, as contextlib is dear to import
    """Notes on what is raised inside that an initializer raised it, and not an item."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Note it."""
        if error is not None:
            add_note(error, "raised by the initializer")


def _plain(fn: Callable[..., Any], run: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: run(fn, *args, **kwargs)


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
