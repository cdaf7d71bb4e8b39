"""`corewise.stream`: results one by one, as they are asked for."""

from __future__ import annotations

import os
from time import monotonic
from weakref import WeakSet

from corewise._api.call import Call
from corewise._api.request import make_request
from corewise._dispatch.window import Window
from corewise._types.amounts import bytes_in
from corewise._types.choice import Stats
from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Any, Self, Unpack

    from corewise._api.request import Request
    from corewise._types.choice import Choice, Failed
    from corewise._types.events import Progress
    from corewise._types.options import StreamOptionArgs
    from corewise._work.chunk import Done

_STOPPED = "the function raised StopIteration"
_WORKERS = 4  # guess: workers that a chunk size which was asked for must do for, where their number is yet unknown


def stream(
    fn: Callable[..., Any],
    *iterables: Iterable[Any],
    approach: str = "auto",
    workers: int | None = None,
    progress: bool | Callable[[Progress], None] = False,
    **options: Unpack[StreamOptionArgs],
) -> Stream:
    """Run a function over inputs of any length and give the results one by one, as they are asked for.

    Inputs are read a little ahead of the workers, and workers work a little ahead of the consumer: no further than
    `buffer` says, so memory stays bounded even if the input is endless or the consumer slow. Nothing starts before
    the first result is asked for. The outcome is that of the plain loop ``(fn(item) for item in items)``.

    Args:
        fn: the function; a coroutine function runs by any approach too.
        *iterables: the inputs; with several, `fn` gets one argument from each and the shortest ends the input. A stream
            among them ends with this one.
        approach: as for `map`. With ``"sync"`` each item is run at the moment it is asked for; coroutines run in an
            event loop in a thread of its own, so that they go on while the consumer is busy.
        workers: as for `map`.
        progress: as for `map`; told while results are asked for.
        **options: those of `map`, and `buffer`; see `corewise.Options`.

    Returns:
        An iterator, to be read by one thread at a time. When it is read to the end, closed or dropped, all workers
        are ended and the input is let go.

    Raises:
        OptionError: when an argument is out of range, or the approach does not fit the function or an option.
        TypeError: when an option is unknown or `fn` is not callable.

    Example:
        >>> import corewise, itertools
        >>> for square in corewise.stream(pow, itertools.count(), itertools.repeat(2), approach="threads"):
        ...     if square > 50:
        ...         break
        >>> square
        64
    """
    named = {"approach": approach, "workers": workers, "progress": progress}
    return Stream(make_request("stream", fn, iterables, named, options))


class Stream:
    """The results of a `stream`: an iterator and a context manager.

    It reads like a generator: what the function raises comes out of `next`, after the results of all items before
    the one that failed, and ends it. ``with corewise.stream(...) as results:`` closes it in any case.

    Args:
        request: what was asked for, checked.
    """

    _closed = True  # until it is made: a Ctrl-C may come before

    def __init__(self, request: Request) -> None:
        self._request: Request | None = request
        self._choice = request.choice
        self._call: Call | None = None
        self._parts: deque[Done] = deque()
        self._values: list[Any] = []  # of the part that is being taken, in reverse
        self._size = (0, 0)  # of that part: items, bytes
        self._busy = False
        self._guarded = False
        self._pid = os.getpid()
        self._closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        return self._values.pop() if self._values else self._next_of_the_next_part()

    @property
    def choice(self) -> Choice | None:
        """Which approach runs the items, and why; None until that is known."""
        return self._choice if self._call is None else self._call.choice

    @property
    def stats(self) -> Stats:
        """What it has cost so far; counts items when their results are there, taken or not."""
        return _NOTHING_YET if self._call is None else self._call.stats()

    @property
    def failures(self) -> list[Failed]:
        """The items that failed so far, the first thousand of them, in input order; `stats` counts all.

        Empty unless ``on_error="return"`` was given.
        """
        return [] if self._call is None else self._call.failures

    def close(self) -> None:
        """End it: kill processes, cancel coroutines, wait for threads to end the items they are at.

        Raises:
            ValueError: when another thread, or something that it called itself, is just reading it.
        """
        self._refuse_others()
        try:
            self._busy = True
            self._end()
        finally:
            self._busy = False

    def some(self, most: int, limit_s: float | None) -> list[Any] | None:
        """Return the next results, as many as are there: for what reads this stream and has more to do than to wait.

        Args:
            most: results at most.
            limit_s: seconds to wait at most for the first one; None waits as long as it takes. An item that runs in
                the caller itself may take longer.

        Returns:
            Nothing when none has come in time; None when there are no more.

        Raises:
            BaseException: what `next` would raise.
        """
        if not self._values:
            self._refuse_others()
            try:
                self._busy = True
                if self._closed or not self._comes_within(self._call or self._begin(), limit_s):
                    self._end()
                    return None
            except StopIteration as error:
                self._end()
                raise RuntimeError(_STOPPED) from error  # as `next` does
            except BaseException as error:
                self._end(wait=not isinstance(error, KeyboardInterrupt))
                raise
            finally:
                self._busy = False
        found = self._values[-most:]
        del self._values[-most:]
        found.reverse()
        return found

    def let_go(self, *, wait: bool = True) -> None:
        """End it, as nobody will go on reading: called by the stream or `map` that has read it, when that ends.

        Args:
            wait: whether to wait for threads to end the items they are at.
        """
        if not self._busy:
            self._end(wait=wait)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(wait=kind is not KeyboardInterrupt)

    def __del__(self) -> None:
        # Whoever drops the last reference must not be held up: threads are left to end by themselves.
        self._end(wait=False)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _next_of_the_next_part(self) -> Any:
        self._refuse_others()
        try:
            self._busy = True
            if not self._closed and self._has_next_part(self._call or self._begin()):
                return self._values.pop()
            self._end()
        except StopIteration as error:
            self._end()
            # As generators do: whoever reads this would take it for the end.
            raise RuntimeError(_STOPPED) from error
        except BaseException as error:
            self._end(wait=not isinstance(error, KeyboardInterrupt))
            raise
        finally:
            self._busy = False
        raise StopIteration

    def _refuse_others(self) -> None:
        if self._busy:
            raise ValueError("this stream is being read already, by another thread or by something it called itself")
        if os.getpid() != self._pid:
            raise RuntimeError(f"this stream belongs to process {self._pid}, where its workers are")

    def _begin(self) -> Call:
        request, self._request = self._request, None
        if request is None:
            raise RuntimeError("a stream begins once")
        self._call = call = Call(request, window_of(request))
        return call

    def _has_next_part(self, call: Call) -> bool:
        """Go on to the next part; False when there is none."""
        call.taken(*self._size)
        self._size = (0, 0)
        if self._parts and call.goes_on:
            # Results are there, so nothing is waited for; but workers that are done get something to do.
            self._add(call.step(wait=False))
        while not self._parts:
            if not self._go_on(call):
                return False
        part = self._parts.popleft()
        self._size = len(part.values), part.size_bytes
        part.values.reverse()
        self._values = part.values
        del part  # frames of a call that failed may link back to this one, and must not meet their exception here
        return True

    def _comes_within(self, call: Call, limit_s: float | None) -> bool:
        """Go on to the next part if it comes in time; False when there is none."""
        if limit_s is None:
            return self._has_next_part(call)
        call.taken(*self._size)
        self._size = (0, 0)
        deadline = monotonic() + limit_s
        left_s = limit_s
        while not self._parts and left_s >= 0:
            if not self._go_on(call, wait=limit_s > 0, limit_s=left_s):
                return False
            left_s = deadline - monotonic()
        return not self._parts or self._has_next_part(call)

    def _go_on(self, call: Call, *, wait: bool = True, limit_s: float | None = None) -> bool:
        """Take a step; False when all is done."""
        if not self._add(call.step(wait=wait, limit_s=limit_s)):
            return False
        if call.goes_on and not self._guarded:
            self._guarded = True
            _end_at_exit(self)
        return True

    def _add(self, parts: list[Done] | None) -> bool:
        self._parts.extend(parts or ())
        return parts is not None

    def _end(self, *, wait: bool = True) -> None:
        if self._closed:
            return
        self._closed = True
        request, self._request = self._request, None
        self._values = []
        self._parts.clear()
        if os.getpid() != self._pid:  # a forked child has a copy of this object, but the workers are not its own
            return
        if self._call is not None:
            self._call.close(wait=wait)
        elif request is not None:
            request.source.drop(wait=wait)


_NOTHING_YET = Stats(
    wall_s=0.0, cpu_s=0.0, workers_cpu_s=0.0, queued_s=0.0, cores_busy=0.0, items=0, failures=0, workers=0
)
_OPEN: WeakSet[Stream] = WeakSet()


def _end_at_exit(stream: Stream) -> None:
    """Have a stream ended before the standard library waits for its processes, should the program end first."""
    import atexit
    import sys

    if "multiprocessing" in sys.modules:
        import multiprocessing.util  # noqa: F401 - it registers what waits; what is registered later is called earlier
    atexit.unregister(_end_all)
    atexit.register(_end_all)
    _OPEN.add(stream)


def _end_all() -> None:
    for stream in list(_OPEN):
        stream.__exit__(KeyboardInterrupt, None, None)


def window_of(request: Request) -> Window:
    """Return how far the run may be ahead, as `buffer` says."""
    options = request.options
    if isinstance(options.buffer, int):
        return Window(items=options.buffer)
    size_bytes = None if options.buffer is None else bytes_in("buffer", options.buffer)
    at_once = (request.workers or _WORKERS) * (options.per_worker or 1)
    return Window.usual(at_once, options.chunksize, size_bytes)
