"""Reading a ledger through another mapping, at every moment at which its worker might die."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from corewise._transport import ledger as ledgers
from corewise._transport.ledger import Ledger
from corewise._work import run as loops

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class Same:
    """Stands for a descriptor that travelled: a second one of the same file."""

    def __init__(self, ledger: Ledger) -> None:
        self._fd = ledger._fd

    def detach(self) -> int:
        """Hand it over."""
        return os.dup(self._fd)


def state(ledger: Ledger) -> tuple[int | None, int, list[tuple[bool, bytes]]]:
    """Read a ledger."""
    reached = ledger.read()
    return reached.running, reached.base, reached.records


def at_every_step(ledger: Ledger, work: Callable[[], Any], read: Callable[[Ledger], Any] = state) -> list[Any]:
    """Do some work on a ledger; read it through another mapping between any two instructions of it or of a loop."""
    seen: list[Any] = []
    with closing(Ledger(Same(ledger), 1, ledger._page_bytes)) as other:

        def look(frame: FrameType, event: str, _: Any) -> Any:
            if frame.f_code.co_filename not in (ledgers.__file__, loops.__file__):
                return None
            frame.f_trace_opcodes = True
            if event == "opcode":
                sys.settrace(None)
                now = read(other)
                if not seen or seen[-1] != now:
                    seen.append(now)
                sys.settrace(look)
            return look

        before = sys.gettrace()
        sys.settrace(look)
        try:
            work()
        finally:
            sys.settrace(before)
        if seen[-1] != read(other):
            seen.append(read(other))
    return seen
