"""Floor 3: the ways to run chunks. Each opens, takes chunks, hands back outcomes, closes; no more."""

from __future__ import annotations

from importlib import import_module

from corewise.errors import CorewiseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._approaches.base import Approach, Terms

# Loaded when it is asked for: the module of one approach must not cost those who use another.
_MAKERS = {
    "sync": ("corewise._approaches.sync", "Sync"),
    "threads": ("corewise._approaches.threads", "Threads"),
    "asyncio": ("corewise._approaches.asyncio", "Asyncio"),
    "processes": ("corewise._approaches.processes", "Processes"),
}


def open_approach(name: str, terms: Terms) -> Approach:
    """Open an approach by its name.

    Args:
        name: ``"sync"``, ``"threads"``, ``"asyncio"`` or ``"processes"``.
        terms: what to run, and how.

    Returns:
        The approach, to be closed by the caller.
    """
    return load_approach(name)(terms)


def load_approach(name: str) -> Callable[[Terms], Approach]:
    """Load the code of an approach and return what opens it."""
    module, maker = _MAKERS[name]
    opener: Callable[[Terms], Approach] = getattr(import_module(module), maker)
    return opener


def why_not_processes(fn: Callable[..., Any], start_method: str) -> str | None:
    """Say why worker processes cannot run a function; None when they can."""
    from corewise._engine.pool import ProcessPool

    try:
        ProcessPool(fn, 1, start_method=start_method, keep_going=False).close(kill=True)
    except CorewiseError as error:
        return str(error)
    return None
