"""At the end of the program, executors bring to its end what was submitted, as those of the standard library do."""

from __future__ import annotations

import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Ending(Protocol):
        """Something that has work under way."""

        def close(self, *, wait: bool, cancel: bool = False, kill: str | None = None) -> None:
            """Take no more work; with `wait`, return when all is over."""


# No weak set: that runs Python code whenever one goes away, and a Ctrl-C that hits there is swallowed.
_open: set[Ending] = set()
_begun = False


def finish_at_end(one: Ending) -> None:
    """Have `one` closed, and waited for, before the interpreter ends; until `is_finished`."""
    _open.add(one)


def is_finished(one: Ending) -> None:
    """Forget `one`, which is closed."""
    _open.discard(one)


def has_begun() -> bool:
    """Whether the program is ending, so that nothing can be started any more."""
    return _begun


def _finish_all() -> None:
    global _begun  # noqa: PLW0603 - there is one interpreter
    _begun = True
    interrupted = isinstance(getattr(sys, "last_value", None), KeyboardInterrupt)
    open_ones = list(_open)
    for one in open_ones:
        one.close(wait=False, cancel=interrupted, kill="kill" if interrupted else None)
    for one in open_ones:
        one.close(wait=True)


# The one hook that runs before the interpreter waits for threads; the standard executors use it as well.
threading._register_atexit(_finish_all)  # type: ignore[attr-defined]  # noqa: SLF001
