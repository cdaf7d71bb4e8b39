"""Context variables on their way to a worker.

A forked worker inherits the context of the thread that forks. For all others, and for calls that are handed to a worker
which runs already, the caller's variables are sent: those that stand as attributes of a module, by which the worker
finds them, and whose values pickle. The rest stays behind. The context of `decimal` stands in no module and travels
nevertheless, since results depend on it.
"""

from __future__ import annotations

import sys
from _contextvars import Context, ContextVar, copy_context  # as `corewise._machine.cpus` does

from corewise._transport import pickling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_DECIMAL = "decimal_context"  # the variable that decimal keeps to itself
_OURS = "corewise."  # what a worker is told otherwise

# The module and the attribute of each variable seen; None for one that no module had when there were so many modules.
_homes: dict[ContextVar[Any], tuple[str, str] | int] = {}
_latest: tuple[bytes, Context] | None = None  # what came with the last call, and the context made of it


def capture() -> bytes | None:
    """Return the current context's variables as bytes for `run_in` and `adopt`; None when there is nothing to send."""
    context = copy_context()
    if not context:
        return None
    found: list[tuple[str, str, bytes]] = []
    for variable, value in context.items():
        home = _home_of(variable)
        data = None if home is None else _packed(value)
        if home is not None and data is not None:
            found.append((*home, data))
    return pickling.pickled(found) if found else None


def adopt(data: bytes) -> None:
    """Set the variables in the current context, for all that this worker runs.

    A module that the worker has not loaded is imported for its variable. What cannot be found or rebuilt stays unset.
    """
    for module, name, value in pickling.unpickled(data):
        _set(module, name, value)


def run_in(data: bytes | None, call: Callable[..., Any], *args: Any) -> Any:
    """Run one call in a context of its own that has the variables; what the call sets does not outlast it.

    Args:
        data: what `capture` returned; None runs the call in a copy of the worker's context.
        call: the function.
        *args: its arguments.
    """
    global _latest  # noqa: PLW0603 - calls come in rows that were submitted in the same context
    if data is None:
        return copy_context().run(call, *args)
    if _latest is None or _latest[0] != data or not _frozen(_latest[1]):
        context = copy_context()
        context.run(adopt, data)
        _latest = (data, context)
    return _latest[1].copy().run(call, *args)


def _home_of(variable: ContextVar[Any]) -> tuple[str, str] | None:
    home = _homes.get(variable)
    if isinstance(home, tuple):
        return home
    if variable.name == _DECIMAL and "decimal" in sys.modules:
        return "decimal", ""
    if home != len(sys.modules):
        _search(variable)
    home = _homes.get(variable)
    return home if isinstance(home, tuple) else None


def _search(wanted: ContextVar[Any]) -> None:
    """Look through the modules once for every context variable that they have (some 5 ms for a thousand modules)."""
    modules = list(sys.modules.items())
    for module, loaded in modules:
        try:
            names = list(vars(loaded).items())
        except TypeError:  # stands in for a module, and has no dictionary
            continue
        for name, value in names:
            # The module that defines it is mostly the one with the longest name, beside packages that hand it on.
            if type(value) is ContextVar and not module.startswith(_OURS):
                known = _homes.get(value)
                if not isinstance(known, tuple) or len(known[0]) < len(module):
                    _homes[value] = (module, name)
    _homes.setdefault(wanted, len(modules))
    if isinstance(_homes[wanted], int):
        _homes[wanted] = len(modules)


def _packed(value: Any) -> bytes | None:
    try:
        return pickling.pickled(value)
    except Exception:  # noqa: BLE001 - a value may be anything, and raise anything while it is pickled
        return None


def _set(module: str, name: str, data: bytes) -> None:
    try:
        if module not in sys.modules:
            __import__(module)
        value = pickling.unpickled(data)
        if module == "decimal" and not name:
            sys.modules[module].setcontext(value)
            return
        variable = getattr(sys.modules[module], name)
        if type(variable) is ContextVar:
            variable.set(value)
    except Exception:  # noqa: BLE001 - importing a module and rebuilding a value run the user's code
        return


def _frozen(context: Context) -> bool:
    """Whether no call can have changed a value in place."""
    return all(type(value) in _IMMUTABLE for value in context.values())


_IMMUTABLE = frozenset({int, float, complex, str, bytes, bool, type(None)})
