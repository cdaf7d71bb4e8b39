"""At the end of the program, executors bring to its end what was submitted, as those of the standard library do."""

from __future__ import annotations

import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Ending(Protocol):
        """Something that has work under way."""

        kill_at_end: bool

        def close(self, *, wait: bool, cancel: bool = False, kill: str | None = None) -> None:
            """Take no more work; with `wait`, return when all is over."""


# No weak sets: they run Python code whenever one goes away, and a Ctrl-C that hits there is swallowed.
_to_finish: set[Ending] = set()
_to_kill: set[Ending] = set()
_begun: set[str] = set()


def finish_at_end(one: Ending) -> None:
    """Have `one` closed, and waited for, before the interpreter ends; until `is_finished`.

    One that is to be killed instead is killed later: threads that are no daemons may use it to their own ends.
    """
    if not one.kill_at_end:
        _to_finish.add(one)
        return
    import atexit

    if "multiprocessing" in sys.modules:
        import multiprocessing.util  # noqa: F401 - it waits for processes; what is registered later is called earlier
    atexit.unregister(_kill_all)
    atexit.register(_kill_all)
    _to_kill.add(one)


def is_finished(one: Ending) -> None:
    """Forget `one`, which is closed."""
    _to_finish.discard(one)
    _to_kill.discard(one)


def has_begun(one: Ending) -> bool:
    """Whether the program is ending, so that `one` cannot start anything any more."""
    return bool(_begun) and (not one.kill_at_end or "kill" in _begun)


def _finish_all() -> None:
    _begun.add("finish")
    interrupted = isinstance(getattr(sys, "last_value", None), KeyboardInterrupt)
    open_ones = list(_to_finish)
    for one in open_ones:
        one.close(wait=False, cancel=interrupted, kill="kill" if interrupted else None)
    for one in open_ones:
        one.close(wait=True)


def _kill_all() -> None:
    _begun.add("kill")
    open_ones = list(_to_kill)
    for one in open_ones:
        one.close(wait=False, kill="kill")
    for one in open_ones:
        one.close(wait=True)


# The one hook that runs before the interpreter waits for threads; the standard executors use it as well.
threading._register_atexit(_finish_all)  # type: ignore[attr-defined]  # noqa: SLF001
