"""The ways to run a work: fixed ones with nothing but the standard library, and corewise without a hint.

Each loads what it needs itself, as that is part of what it costs. So this file loads nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Any

    Way = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]

AUTO = "auto"
PLAIN = "plain loop"
AT_ONCE = 100  # coroutines that a semaphore lets through, as common clients allow connections


class NotOffered(Exception):
    """This way is none for this work; the text says why."""


class AsPlain:
    """A coroutine function as a plain one: each call runs an event loop of its own."""

    def __init__(self, fn: Callable[[Any], Coroutine[Any, Any, Any]]) -> None:
        self.fn = fn

    def __call__(self, item: Any) -> Any:
        """Run one call to its end."""
        import asyncio

        return asyncio.run(self.fn(item))


def is_coroutine_function(fn: Callable[..., Any]) -> bool:
    """Return whether `fn` was written with ``async def``; `inspect` would be dear to load."""
    return bool(getattr(getattr(fn, "__code__", None), "co_flags", 0) & 0x80)  # CO_COROUTINE


def cores() -> int:
    """Return how many cores this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def plain(fn: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Run one item after the other; coroutines in one event loop."""
    if not is_coroutine_function(fn):
        return list(map(fn, items))
    import asyncio

    async def one_by_one() -> list[Any]:
        return [await fn(item) for item in items]

    return asyncio.run(one_by_one())


def _plainly(fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return AsPlain(fn) if is_coroutine_function(fn) else fn


def threads(size: int) -> Way:
    """Return the way through a thread pool of that size."""

    def run(fn: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(size) as pool:
            return list(pool.map(_plainly(fn), items))

    return run


def _quarters(items: Iterable[Any]) -> tuple[list[Any], int]:
    """Return the items as a list, and a chunk size that gives each worker four chunks."""
    listed = list(items)
    size = len(listed) // (4 * cores())
    if size < 2:  # noqa: PLR2004 - a chunk of one
        raise NotOffered("its chunks would be of one item")
    return listed, size


def executor(fn: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Run by a process pool executor, item by item, which is its default."""
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(cores()) as pool:
        return list(pool.map(_plainly(fn), items))


def executor_in_chunks(fn: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Run by a process pool executor, four chunks for each worker."""
    from concurrent.futures import ProcessPoolExecutor

    listed, size = _quarters(items)
    with ProcessPoolExecutor(cores()) as pool:
        return list(pool.map(_plainly(fn), listed, chunksize=size))


def pool_one_by_one(fn: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Run by a pool, item by item."""
    from multiprocessing import Pool

    with Pool(cores()) as pool:
        return pool.map(_plainly(fn), items, 1)


def pool_in_chunks(fn: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Run by a pool, four chunks for each worker, which is its default."""
    from multiprocessing import Pool

    listed, size = _quarters(items)
    with Pool(cores()) as pool:
        return pool.map(_plainly(fn), listed, size)


def gather(fn: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Run all coroutines at once in one event loop."""
    import asyncio

    _coroutines_only(fn)

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*map(fn, items))

    return asyncio.run(all_of_them())


def gather_some(fn: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Run coroutines in one event loop, a hundred at once."""
    import asyncio

    _coroutines_only(fn)

    async def all_of_them() -> list[Any]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(item: Any) -> Any:
            async with gate:
                return await fn(item)

        return await asyncio.gather(*map(one, items))

    return asyncio.run(all_of_them())


def _coroutines_only(fn: Callable[..., Any]) -> None:
    if not is_coroutine_function(fn):
        raise NotOffered("it is no coroutine function")


def auto(fn: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Have corewise choose, without a hint."""
    import corewise

    return corewise.map(fn, items)


FIXED: dict[str, Way] = {
    PLAIN: plain,
    "2 threads": threads(2),
    "8 threads": threads(8),
    "32 threads": threads(32),
    "128 threads": threads(128),
    "ProcessPoolExecutor": executor,
    "ProcessPoolExecutor, chunks": executor_in_chunks,
    "Pool, chunksize 1": pool_one_by_one,
    "Pool, chunks": pool_in_chunks,
    "asyncio": gather,
    f"asyncio, {AT_ONCE} at once": gather_some,
}
WAYS: dict[str, Way] = {**FIXED, AUTO: auto}
