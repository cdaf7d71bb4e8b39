"""What a worker's function frees of large memory stays with the worker, for what its next item asks for.

The C library gives large memory back to the system as soon as it is freed, and every item has its pages found and
cleared anew; on a virtual machine they may first have to be asked of the host. An array of 64 MiB plus one takes 6.4
instead of 3.5 ms for it, and in the worst case 100. glibc knows the remedy and goes by it on its own up to 32 MiB: what
was once freed is expected again. Here that goes on, for a worker whose results are larger.

Source of the rule: the dynamic threshold of glibc's malloc, mallopt(3), M_MMAP_THRESHOLD.
"""

from __future__ import annotations

import os
import sys

from corewise._transport.memory import machine_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Of what is free at its end, the heap keeps so many times the size of what comes again (guess: a result and two that it
# was made of). glibc's rule is twice, which a result and its pickle pass by a few bytes.
_TIMES = 3
_KEPT_SHARE = 32  # guess: the part of a machine's memory that its workers may keep all together
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # parameters of `mallopt`


class Heap:
    """The memory that this process's C library manages.

    Args:
        mallopt: sets one of its parameters and returns whether that was possible; None to look for it when needed.
        most_bytes: most that may be kept. Default: a worker's share of a small part of the machine.
    """

    def __init__(self, mallopt: Callable[[int, int], int] | None = None, most_bytes: int | None = None) -> None:
        self._mallopt = mallopt
        self._most_bytes = most_bytes
        self._expected_bytes = 0

    def expect(self, size: int) -> None:
        """Something of `size` bytes, more than the C library expects by itself, was made and will be again.

        Nothing happens where the C library has no such parameters, or takes no such value (glibc before 2.35).
        """
        if size <= self._expected_bytes:
            return
        if self._most_bytes is None:
            self._most_bytes = machine_bytes() // _KEPT_SHARE // (os.cpu_count() or 1)
        if _TIMES * size > self._most_bytes:
            return
        self._expected_bytes = size
        mallopt = self._mallopt = self._mallopt or _mallopt()
        page = 1 << 12
        if mallopt(_MMAP_THRESHOLD, size + page):  # its own head of some bytes is counted, too
            mallopt(_TRIM_THRESHOLD, _TIMES * (size + page))


def _mallopt() -> Callable[[int, int], int]:
    if sys.platform == "linux":
        try:
            import ctypes  # loaded already, by whatever has mapped the block in which the result lies

            return ctypes.CDLL(None).mallopt
        except (ImportError, OSError, AttributeError):  # another C library
            pass
    return lambda _parameter, _value: 0
