"""Which ends of pipes this process holds, and who else holds them.

An end is open as long as any process holds it, and a forked child holds whatever its parent did. With the pipes of the
standard library that is the usual way to wait for ever: for a process that is long dead, whose end of the pipe is still
open in its parent, or in a brother that was forked later. Two things are done about it:

* A process that `corewise.Process` forks keeps the ends that it was passed, and lets go of all others, as if it had
  been spawned (`keep_only`).
* Whoever waits for a message, and is found to be the only one that could send it, is told that there is none
  (`nobody_else_holds`).
"""

from __future__ import annotations

import gc
import os
import sys
from _weakref import ref  # the public module is dear to import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType, FunctionType
    from typing import Any, Protocol

    class End(Protocol):
        """An end of a pipe."""

        def close_in_child(self) -> None:
            """Let go of it, in a forked child that was not passed it."""

        def fileno(self) -> int:
            """Return its descriptor."""
            ...


_MOST_OBJECTS = 20_000  # guess: some 10 ms of looking; a process that is passed more keeps all ends

# By `id`, and by weak references without callbacks: a callback runs Python code at any moment.
_open: dict[int, ref[Any]] = {}
_let_go: dict[int, ref[Any]] = {}
_forks = 0  # how often this process has forked


def _count_fork() -> None:
    global _forks  # noqa: PLW0603 - of the process
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_count_fork)


def forks() -> int:
    """Return how often this process has forked so far."""
    return _forks


def note(end: End) -> None:
    """Note an end that was opened in this process."""
    _open[id(end)] = ref(end)


def forget(end: End) -> None:
    """Forget an end, which is about to be closed."""
    _open.pop(id(end), None)


def are_open() -> bool:
    """Whether any end is open in this process."""
    return bool(_open)


def why_closed(end: End) -> str:
    """Say why an end is closed."""
    known = _let_go.get(id(end))
    if known is not None and known() is end:
        return "this end of the pipe was not passed to this process: hand it over as an argument of the Process"
    return "handle is closed"


def keep_only(roots: Iterable[object]) -> None:
    """In a forked child: close all ends but those that these objects lead to.

    Nothing is closed where that cannot be said.
    """
    close_in_child(all_but(roots))


def all_but(roots: Iterable[object]) -> list[End]:
    """Return all ends but those that these objects lead to; none where that cannot be said."""
    kept = _reached(roots) if _open else None
    if kept is None:
        return []
    return [one for known in list(_open.values()) if (one := known()) is not None and id(one) not in kept]


def close_in_child(unwanted: Iterable[End]) -> None:
    """In a forked child: close ends that it was not passed."""
    for end in unwanted:
        end.close_in_child()
        _let_go[id(end)] = ref(end)


def _reached(roots: Iterable[object]) -> set[int] | None:
    """Return the `id` of each end that these objects lead to; None if there is too much to look through."""
    found: set[int] = set()
    seen: dict[int, object] = {}
    waiting = list(roots)
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        if len(seen) >= _MOST_OBJECTS:
            return None
        seen[id(one)] = one
        if id(one) in _open:
            found.add(id(one))
        else:
            waiting += _parts(one)
    return found


_FUNCTION: Any
_FUNCTION, _MODULE, _CODE = type(forks), type(os), type(forks.__code__)
_OF_PYTHON = frozenset({*sys.stdlib_module_names, "corewise"})


def _parts(one: Any) -> Iterable[object]:
    if type(one) is _FUNCTION:
        return _parts_of_function(one)
    if isinstance(one, type) and one.__module__.partition(".")[0] in _OF_PYTHON - {"__main__"}:
        return ()
    if isinstance(one, _MODULE):
        return [part for part in vars(one).values() if id(part) in _open]
    return gc.get_referents(one)


def _parts_of_function(function: FunctionType) -> Iterator[object]:
    yield from (function.__closure__, function.__defaults__, function.__kwdefaults__)
    known = function.__globals__
    if known.get("__name__", "").partition(".")[0] in _OF_PYTHON - {"__main__"}:
        return
    yield from (known[name] for name in _names(function.__code__) if name in known)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, _CODE):
            yield from _names(constant)


def nobody_else_holds(fd: int) -> bool:
    """Whether this process alone holds what a descriptor stands for, and has one thread. False where nobody can say."""
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        return False
    try:
        wanted, own = os.fstat(fd).st_ino, str(os.getpid())
        others = [pid for pid in os.listdir("/proc") if pid.isdigit() and pid != own]
    except OSError:
        return False
    return bool(others or own == "1") and not any(_holds(pid, wanted) for pid in others)


def _holds(pid: str, inode: int) -> bool:
    name = f"socket:[{inode}]"
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                if os.readlink(f"/proc/{pid}/fd/{fd}") == name:
                    return True
            except OSError:  # closed meanwhile
                continue
    except OSError:  # gone, or another user's, who was never given it
        pass
    return False
