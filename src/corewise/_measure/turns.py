"""How often threads take turns at the GIL, which is more often than usual while a thread of ours is to come by it.

A thread that wants the GIL waits for a switch interval before it demands it, and begins anew each time that the holder
lets go of it. A holder that does so for a microsecond every millisecond or two, to look for a file, say, has it back
before anybody is awake, and leaves it to nobody for many seconds on end: unless they wait for less than those
milliseconds.

With 5 ms, a thread that slept for 10 ms at a time came by the GIL once in two seconds instead of 200 times, beside one
that looked for a file every 2 ms; with 0.2 ms, 180 times.
"""

from __future__ import annotations

import _thread
from sys import getswitchinterval, setswitchinterval

_lock = _thread.allocate_lock()
_wishes: list[Turns] = []
_usual_s = 0.0  # what it was when the first of them came
_ours_s = 0.0  # what it was last set to here
_shorter_s: set[float] = set()  # what it was ever set to for any of them
_hooked = False


class Turns:
    """A wish that threads take turns at least so often. Several may overlap, in any threads.

    An item may set the interval as well: what it sets stays set, whatever is wished for.

    Args:
        seconds: the switch interval. To be an odd number, by which it is known again: an item may put back what it met.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._over = False

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *_: object) -> None:
        self.end()

    def begin(self) -> None:
        """Wish it, unless that is over for good. More than once is no error."""
        global _usual_s  # noqa: PLW0603 - there is one interval
        if self in _wishes:
            return
        _prepare_for_forks()
        with _lock:
            if self._over:
                return
            if not _is_ours():
                _usual_s = getswitchinterval()
            _wishes.append(self)
            _apply()

    def pause(self) -> None:
        """Wish it no longer, for the time being. More than once is no error."""
        if self in _wishes:
            with _lock:
                self._leave()

    def end(self) -> None:
        """Wish it no longer, whoever calls `begin` from now on. More than once is no error."""
        with _lock:  # or `begin` could be half through in another thread
            self._over = True
            self._leave()

    def _leave(self) -> None:
        if self in _wishes:
            _wishes.remove(self)
            if _is_ours():
                _apply()


def _is_ours() -> bool:
    """Return whether the interval is one that was set here, and not by an item; or by one that put back what it met."""
    return getswitchinterval() == _ours_s or getswitchinterval() in _shorter_s


def _apply() -> None:
    global _ours_s  # noqa: PLW0603 - there is one interval
    seconds = min([_usual_s, *(wish.seconds for wish in _wishes)])
    setswitchinterval(seconds)
    _ours_s = getswitchinterval()  # in whole microseconds
    if seconds != _usual_s:
        _shorter_s.add(_ours_s)


def _prepare_for_forks() -> None:
    global _hooked  # noqa: PLW0603 - prepared once
    if not _hooked:
        _hooked = True
        from corewise._transport import forks

        forks.around_forks(lambda: None, _forget_all)


def _forget_all() -> None:
    """In a forked child there are no such threads; and one of them may have been at the lock."""
    global _lock, _hooked
    _lock, _hooked = _thread.allocate_lock(), False
    if _wishes:
        _wishes.clear()
        if _is_ours():
            _apply()
