"""`corewise.map`: one call, any approach."""

from __future__ import annotations

from corewise._api.call import Call
from corewise._api.request import make_request
from corewise._api.results import Results
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Unpack

    from corewise._api.quick import Quick
    from corewise._api.request import Request
    from corewise._types.events import Progress
    from corewise._types.options import OptionArgs


def map(  # noqa: A001 - the name says what it does, and nobody imports it bare
    fn: Callable[..., Any],
    *iterables: Iterable[Any],
    approach: str = "auto",
    workers: int | None = None,
    progress: bool | Callable[[Progress], None] = False,
    **options: Unpack[OptionArgs],
) -> Results:
    """Run a function over many inputs and return all results, in the order of the inputs.

    Whatever the approach, the outcome is that of the plain loop ``[fn(item) for item in items]``: the same results
    in the same order, and where an item fails the exception that the loop would have raised, with a note that names
    the item.

    Args:
        fn: the function; a coroutine function runs by any approach too (elsewhere than in asyncio each call is run
            to its end).
        *iterables: the inputs; with several, `fn` gets one argument from each and the shortest ends the input, as
            with the built-in `map`. They are read lazily, a few chunks ahead of the workers.
        approach: ``"sync"`` (plainly), ``"threads"``, ``"asyncio"`` (coroutine functions only), ``"processes"``, or
            ``"auto"``, the default: the first items are run in the caller and tell what to do with the rest.
        workers: how many threads, processes, or coroutines at once; at least 1. By default one process per usable
            core, 32 threads, 100 coroutines, and never more than there are items. Where no number is given, coroutines
            become up to 1,024 at once, and threads that wait up to 512, as long as that helps, and fewer where calls
            get slow or are refused (`retry_on`).
        progress: True shows a bar (lines when the output is no terminal) on standard error; a callable gets each
            `Progress`.
        **options: see `corewise.Options`: `approaches`, `backoff`, `chunksize`, `initializer` and `initargs`, `limit`,
            `max_failures`, `max_tasks_per_worker`, `name`, `on_error`, `ordered`, `rate`, `retries`, `retry_on`,
            `seed`, `start_method`, `timeout`.

    Returns:
        The results: a list with `choice`, `stats` and `failures`.

    Raises:
        OptionError: when an argument is out of range, or the approach does not fit the function or an option.
        TypeError: when an option is unknown or `fn` is not callable.
        CannotTravel: when the function, an item or a result cannot be sent to another process.
        WorkerDied: when a worker process ended under an item; the note names the item.
        TimeoutError: when an item took longer than `timeout`.
        TooManyFailures: when more items failed than `max_failures` allows.
        Exception: whatever `fn` raised for the first item that failed, with the worker's traceback as its cause.

    Example:
        >>> import corewise
        >>> corewise.map(pow, [2, 3], [3, 2], approach="threads")
        [8, 9]
    """
    if "buffer" in options:
        raise OptionError("buffer bounds how far a stream is ahead of its consumer; map returns all results at once")
    named = {"approach": approach, "workers": workers, "progress": progress}
    return _run(make_request("map", fn, iterables, named, options))


def _run(request: Request) -> Results:
    first = _begun(request)
    try:
        if isinstance(first, Results):
            return first
        with Call(request) as call:
            return call.gather(first)
    finally:
        del first  # frames of a call that failed may link back to this one, and must not meet their exception


def _begun(request: Request) -> Results | Quick | None:
    """Run the call as the plain loop that it is, if it is known to be over at once."""
    if request.choice is not None:
        return None
    from corewise._measure import recalled

    item_s = recalled.item_s(request.fn)
    if item_s is None:
        return None
    from corewise._api.quick import begun

    return begun(request, item_s)
