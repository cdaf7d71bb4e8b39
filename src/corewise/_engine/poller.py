"""Waits for any of many descriptors: by epoll where there is one, as `selectors` costs 2 ms to import."""

from __future__ import annotations

import os
import sys
from time import perf_counter

from corewise._transport import forks, portable
from corewise._transport.patience import AWAKE_S, Patience

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Poller(Protocol):
        """What both kinds do. Descriptors may come and go while another thread waits."""

        def fileno(self) -> int:
            """Return a descriptor that is readable while `wait` has something to tell; -1 where there is none."""

        def add(self, fd: int, data: Any) -> None:
            """Watch a descriptor for reading; `data` is what `wait` tells of it."""

        def watch_writing(self, fd: int, data: Any, *, on: bool) -> None:
            """Watch it for room to write as well, or no more."""

        def remove(self, fd: int) -> None:
            """Watch it no more."""

        def wait(self, timeout_s: float | None, *, eager: bool = False) -> list[tuple[Any, bool, bool]]:
            """Wait, and return for each that has news: its data, whether to read, whether to write.

            Args:
                timeout_s: seconds to wait at most; None waits as long as it takes.
                eager: whether to stay awake at first, where that has lately been of use.
            """

        def wake(self) -> None:
            """Have `wait`, in another thread, return at once."""

        def close(self) -> None:
            """Let go of everything."""


def make_poller() -> Poller:
    """Return a poller of this process alone: forked children do not share it."""
    if sys.platform == "linux" and not portable.in_use():
        return _Epoll()
    return _Selector()


if sys.platform == "linux":
    from select import EPOLLIN, EPOLLOUT, epoll

    class _Epoll:
        def __init__(self) -> None:
            # Made at once: when it is rung there may be no descriptor left.
            self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            try:
                self._epoll = epoll()
            except BaseException:
                os.close(self._bell)
                raise
            self._epoll.register(self._bell, EPOLLIN)
            self._data: dict[int, Any] = {}
            self._patience = Patience()
            forks.close_in_children(self)

        def fileno(self) -> int:
            return self._epoll.fileno()

        def add(self, fd: int, data: Any) -> None:
            self._data[fd] = data
            self._epoll.register(fd, EPOLLIN)

        def watch_writing(self, fd: int, data: Any, *, on: bool) -> None:
            self._data[fd] = data
            self._epoll.modify(fd, EPOLLIN | EPOLLOUT if on else EPOLLIN)

        def remove(self, fd: int) -> None:
            self._epoll.unregister(fd)
            del self._data[fd]

        def wait(self, timeout_s: float | None, *, eager: bool = False) -> list[tuple[Any, bool, bool]]:
            events: list[tuple[int, int]] = []
            if eager and timeout_s != 0 and self._patience.stays_awake():
                events = self._look_for_a_moment()
                self._patience.ended(in_time=bool(events))
            if not events:
                # Epoll counts in milliseconds and would return early; too long by less than one is of no matter.
                events = self._epoll.poll(None if timeout_s is None else -(-max(0.0, timeout_s) * 1000 // 1) / 1000)
            found = []
            for fd, event in events:
                if fd == self._bell:
                    os.eventfd_read(fd)
                else:
                    found.append((self._data.get(fd), bool(event & ~EPOLLOUT), bool(event & EPOLLOUT)))
            return found

        def _look_for_a_moment(self) -> list[tuple[int, int]]:
            """Look again and again; other threads may run in between, and where they do it is over soon."""
            until = perf_counter() + AWAKE_S
            while not (events := self._epoll.poll(0)) and perf_counter() < until:
                pass
            return events

        def wake(self) -> None:
            os.eventfd_write(self._bell, 1)

        def close(self) -> None:
            self._epoll.close()
            forks.let_go(self)
            bell, self._bell = self._bell, -1
            if bell >= 0:
                os.close(bell)


class _Selector:
    def __init__(self) -> None:
        import selectors

        self._read, self._write = selectors.EVENT_READ, selectors.EVENT_WRITE
        self._selector = selectors.DefaultSelector()
        self._bell: Any = None  # made when it is first needed
        forks.close_in_children(self)

    def fileno(self) -> int:
        fileno = getattr(self._selector, "fileno", None)
        return int(fileno()) if fileno is not None else -1

    def add(self, fd: int, data: Any) -> None:
        self._selector.register(fd, self._read, data)

    def watch_writing(self, fd: int, data: Any, *, on: bool) -> None:
        self._selector.modify(fd, self._read | self._write if on else self._read, data)

    def remove(self, fd: int) -> None:
        self._selector.unregister(fd)

    def wait(self, timeout_s: float | None, *, eager: bool = False) -> list[tuple[Any, bool, bool]]:  # noqa: ARG002 - it sleeps
        found = []
        for key, mask in self._selector.select(timeout_s):
            if key.data is self._bell and self._bell is not None:
                self._bell.recv(4096)
            else:
                found.append((key.data, bool(mask & self._read), bool(mask & self._write)))
        return found

    def wake(self) -> None:
        if self._bell is None:
            from socket import socketpair

            self._bell, self._hammer = socketpair()
            self._hammer.setblocking(False)  # noqa: FBT003 - the standard library's signature
            self._selector.register(self._bell, self._read, self._bell)
        try:
            self._hammer.send(b"!")
        except BlockingIOError:
            return  # it rings already

    def close(self) -> None:
        self._selector.close()
        if self._bell is not None:
            self._bell.close()
            self._hammer.close()
            self._bell = None
        forks.let_go(self)
