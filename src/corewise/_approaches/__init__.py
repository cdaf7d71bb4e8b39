"""Floor 3: the ways to run chunks. Each opens, takes chunks, hands back outcomes, closes; no more."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    module, maker = _MAKERS[name]
    approach: Approach = getattr(import_module(module), maker)(terms)
    return approach
