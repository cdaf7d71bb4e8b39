"""What goes wrong around awaited calls is told and leaves nothing behind: closed loops, servers that refuse."""

from __future__ import annotations

import asyncio
import gc
import itertools
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import works
from awaited import OF_COROUTINES, VERBS, WAYS, as_coroutine_function, collect, numbers_later

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(params=[name for name in WAYS if name != "processes-forkserver"])
def way(request: pytest.FixtureRequest) -> str:
    """Name a way to run."""
    return str(request.param)


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    """Fail a test after which a thread goes on."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 10
    for thread in set(threading.enumerate()) - before:
        while thread.is_alive() and time.monotonic() < deadline:
            gc.collect()  # what a loop was closed under is garbage, but a thread may hold some of it for a moment
            thread.join(0.05)
        assert not thread.is_alive(), thread


def for_way(way: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a plain function as the way takes it."""
    return as_coroutine_function(fn) if way in OF_COROUTINES else fn


@pytest.mark.parametrize("verb", [corewise.map, corewise.stream, corewise.advise, corewise.compare])
def test_a_plain_verb_says_what_reads_an_async_input(verb: Any) -> None:
    """By the names of those that do."""
    with pytest.raises(TypeError, match=r"reads plain iterables, and async_generator is an async one.*amap.*astream"):
        verb(works.square, numbers_later(3))


# Python itself tells of tasks that are destroyed, and of what they raise then.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("verb", VERBS)
def test_a_loop_that_is_closed_under_a_call_ends_it(way: str, verb: str) -> None:
    """Stopped in its midst and never turned again: nothing can be awaited any more."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)

    def numbers() -> Iterator[int]:
        for number in itertools.count():
            if number == 30:
                loop.call_soon_threadsafe(loop.stop)
            yield number

    task: Any = loop.create_task(collect(verb, way, works.square, numbers(), chunksize=1))
    loop.run_forever()
    loop.close()
    del task
    gc.collect()


def test_a_stream_is_read_in_its_own_loop(way: str) -> None:
    """Another one cannot turn what it has begun."""
    kept: list[corewise.AsyncStream] = []

    async def begin() -> None:
        kept.append(corewise.astream(for_way(way, works.square), itertools.count(), **WAYS[way]))
        assert await anext(kept[0]) == 0

    async def go_on() -> None:
        for _ in range(2000):
            await anext(kept[0])

    asyncio.run(begin())
    with pytest.raises(RuntimeError, match="belongs to another event loop"):
        asyncio.run(go_on())
    kept.clear()


def test_cancelling_twice_is_as_cancelling_once(way: str) -> None:
    """The second time while it cleans up."""

    async def main() -> None:
        task = asyncio.create_task(collect("astream", way, works.square, itertools.count(), chunksize=1))
        await asyncio.sleep(0.05)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def connect(port: int) -> None:
    """Connect, as a blocking client does."""
    socket.create_connection(("127.0.0.1", port)).close()


async def connect_later(port: int) -> None:
    """Connect, as an async client does."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await writer.wait_closed()


@pytest.fixture
def refused() -> int:
    """Give a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fn", [connect, connect_later])
@pytest.mark.parametrize("approach", ["threads", "processes", "auto"])
def test_a_server_that_refuses_connections_fails_the_first_item(
    verb: str, fn: Callable[[int], Any], approach: str, refused: int
) -> None:
    """Named, after as many tries as were asked for; or all of them, where failures are returned."""

    async def run(**options: Any) -> list[Any]:
        options = {"approach": approach, "retries": 1, **options}
        if verb == "amap":
            return await corewise.amap(fn, [refused] * 6, **options)
        return [result async for result in corewise.astream(fn, [refused] * 6, **options)]

    with pytest.raises(ConnectionRefusedError) as caught:
        asyncio.run(run())
    assert caught.value.__notes__ == [f"item 0: {refused}", "attempt 2 of 2"]
    assert [type(one) for one in asyncio.run(run(on_error="return"))] == [ConnectionRefusedError] * 6


def test_a_stage_whose_server_refuses_connections_ends_the_pipeline(refused: int) -> None:
    """Though the stage before it would go on for ever."""

    async def main() -> None:
        ports = corewise.astream(lambda _: refused, itertools.count(), approach="threads", workers=2)
        with pytest.raises(ConnectionRefusedError):
            await corewise.amap(connect_later, ports)

    asyncio.run(main())
