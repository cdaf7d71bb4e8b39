"""The queue as one process has it: memory, two locks, two bells.

Putting and getting have a lock each, so that they do not wait for each other. Each commits by one store (`words`), so a
holder that dies leaves nothing half done. Whoever finds the queue empty, and is going to sleep, takes the *other* lock
to look once more, silence the bell and leave a note: nobody can put while he does so. Whoever puts and finds the note
rings *before* he commits: killed in between, he has woken somebody in vain, and nobody sleeps beside an item.
"""

from __future__ import annotations

from corewise._transport.queues.getting import EMPTY, Getting
from corewise._transport.queues.putting import Putting

__all__ = ["EMPTY", "NO_LIMIT", "Core"]

NO_LIMIT = 1 << 62


class Core(Putting, Getting):
    """A queue of messages."""
