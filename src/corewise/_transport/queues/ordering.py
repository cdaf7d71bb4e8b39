"""Whether a processor may show another one two stores in the other order, and what keeps it from that."""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock

_IN_ORDER = {"x86_64", "amd64", "i386", "i686", "s390x"}


def _machine() -> str:
    if sys.platform == "win32":
        return os.environ.get("PROCESSOR_ARCHITECTURE", "")
    return os.uname().machine


# Whether `fence` is needed between what a word makes valid and that word.
REORDERS = _machine().lower() not in _IN_ORDER
_lock = allocate_lock()


def fence() -> None:
    """Have all that was read and written so far seen before what comes next.

    Twice, as one could move what stands before and what stands behind into the span in which the lock is held; but no
    release moves behind an acquisition that follows it.
    """
    with _lock:
        pass
    with _lock:
        pass
