"""Says whether processes talk by what every system has."""

from __future__ import annotations

import os
import sys

VARIABLE = "COREWISE_TRANSPORT"
_PORTABLE = "portable"


def in_use() -> bool:
    """Whether to do without what only Linux has: unnamed memory blocks, and descriptors sent over a line.

    True on every other system. On Linux the environment variable ``COREWISE_TRANSPORT=portable`` asks for it, so that
    what other systems run can be tested there. Large buffers then travel through the socket, beside the pickle.

    Raises:
        ValueError: when the variable says anything else.
    """
    asked = os.environ.get(VARIABLE)
    if asked and asked != _PORTABLE:
        raise ValueError(f"{VARIABLE} is {asked!r}; the one value that it knows is {_PORTABLE!r}")
    return asked == _PORTABLE or sys.platform != "linux"
