"""Reports of workers, log records and warnings, on their way to the caller's handlers; dear only if there are any."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def hand_on(reports: list[tuple[str, Any]]) -> None:
    """Give reports to this process's handlers, in their order. These may run anything, so no lock may be held."""
    if reports:
        from corewise._engine import forwarding

        for kind, data in reports:
            forwarding.handle(kind, data)
