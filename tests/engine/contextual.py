"""Context variables for the tests of how they travel, and what shows them."""

from __future__ import annotations

import contextvars
import decimal
import multiprocessing
import threading
from typing import TYPE_CHECKING, Any

from corewise._engine import contexts

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

request: contextvars.ContextVar[Any] = contextvars.ContextVar("request", default="nobody")
tenant: contextvars.ContextVar[Any] = contextvars.ContextVar("tenant", default="none")
HIDDEN = [contextvars.ContextVar("hidden", default="unset")]  # no attribute of a module


class Fragile:
    """Pickles, and cannot be rebuilt."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as something that raises."""
        return int, ("no number",)


def seen() -> tuple[Any, Any, Any, int]:
    """Tell what the variables are here."""
    return request.get(), tenant.get(), HIDDEN[0].get(), decimal.getcontext().prec


def set_and_see(value: object) -> Any:
    """Change a variable, and tell what it was."""
    before = request.get()
    request.set(value)
    return before


def append_and_see(value: object) -> list[Any]:
    """Change a variable's value in place, and tell what it is."""
    request.get().append(value)
    return list(request.get())


def a_lock() -> Any:
    """Give what cannot be pickled."""
    return threading.Lock()


def adopted_in(method: str, data: bytes | None) -> Any:
    """Tell what a new process sees that has adopted `data`."""
    context: Any = multiprocessing.get_context(method)
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_adopt_and_send, args=(theirs, data))
    process.start()
    theirs.close()
    with ours:
        try:
            return ours.recv()
        finally:
            process.join()
            process.close()


def _adopt_and_send(line: Connection, data: bytes | None) -> None:
    if data is not None:
        contexts.adopt(data)
    line.send(seen())
