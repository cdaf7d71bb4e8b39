"""Floor 3: the ways to run chunks. Each opens, takes chunks, hands back outcomes, closes; no more."""

from __future__ import annotations

from corewise.errors import CorewiseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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
    opener: Callable[[Terms], Approach] = getattr(__import__(module, fromlist=[maker]), maker)
    return opener


def why_not_processes(terms: Terms) -> str | None:
    """Say why worker processes cannot run on these terms; None when they can."""
    try:
        open_approach("processes", terms).close(kill=True)
    except CorewiseError as error:
        return str(error)
    return None
