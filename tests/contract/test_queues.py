"""`corewise.Queue` and its kin do what they promise, over either transport, to processes of every start method."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import pickle
import queue as standard
import sys
import threading
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pytest
import queue_works

import corewise
from corewise.errors import CannotTravel, ItemsLost, OptionError, QueueClosed

if TYPE_CHECKING:
    from collections.abc import Callable

LONG_S = 10.0  # nothing takes so long unless it hangs (guess)
KINDS = [corewise.Queue, corewise.JoinableQueue]
START_METHODS = multiprocessing.get_all_start_methods()


@pytest.fixture(params=["", "portable"], ids=["own", "portable"], autouse=True)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have queues made of what only Linux offers, or of what every system does."""
    monkeypatch.setenv("COREWISE_TRANSPORT", request.param)
    return str(request.param)


class Started:
    """A process that runs a function and is waited for."""

    def __init__(self, method: str, target: Callable[..., None], *arguments: Any) -> None:
        self.process = multiprocessing.get_context(method).Process(target=target, args=arguments)

    def __enter__(self) -> Self:
        self.process.start()  # type: ignore[attr-defined]
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.process.kill()  # type: ignore[attr-defined]
        self.process.join(LONG_S)  # type: ignore[attr-defined]
        exitcode = self.process.exitcode  # type: ignore[attr-defined]
        self.process.close()  # type: ignore[attr-defined]
        assert exitcode == 0 or kind is not None


class Waiting(threading.Thread):
    """A call in a thread, whose result or error is asked for later."""

    def __init__(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        super().__init__(daemon=True)
        self._call = lambda: call(*arguments, **options)
        self._outcome: tuple[Any, BaseException | None] | None = None
        self.start()

    def run(self) -> None:
        """Call it."""
        try:
            self._outcome = self._call(), None
        except BaseException as error:  # noqa: BLE001 - raised by `result`
            self._outcome = None, error

    def result(self) -> Any:
        """Wait for its end."""
        self.join(LONG_S)
        assert self._outcome is not None, "it hangs"
        value, error = self._outcome
        if error is not None:
            raise error
        return value


@pytest.mark.parametrize("method", START_METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_queue_is_an_argument_of_a_process(kind: type[corewise.Queue[Any]], method: str) -> None:
    """Of every start method: what goes there comes back, in order, and closing travels."""
    there, back = kind(5), kind()
    with Started(method, queue_works.pass_on, there, back) as child:
        for number in range(20):
            there.put(number)
        pid = child.process.pid  # type: ignore[attr-defined]
        assert [back.get(timeout=LONG_S) for _ in range(20)] == [(pid, number) for number in range(20)]
        there.close()


def test_a_queue_is_an_argument_of_a_call(transport: str) -> None:
    """Workers run already when it is sent to them."""
    if transport and sys.platform == "linux":
        pytest.skip("it starts a thread of the standard library that stays")
    queue: corewise.Queue[Any] = corewise.Queue()
    with corewise.ProcessExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        executor.submit(queue_works.put_one, queue, "there").result(LONG_S)
        assert queue.get(timeout=LONG_S) == "there"
        asked = executor.submit(queue_works.take_one, queue)
        queue.put("back")
        assert asked.result(LONG_S) == "back"


def test_a_queue_travels_through_a_queue(transport: str) -> None:
    """The one that comes out is the one that went in."""
    if transport:
        pytest.skip("it starts a thread of the standard library that stays")
    inner: corewise.Queue[Any] = corewise.Queue()
    outer: corewise.Queue[Any] = corewise.Queue()
    outer.put(inner)
    outer.get().put("through")
    assert inner.get_nowait() == "through"


@pytest.mark.skipif(sys.platform != "linux", reason="opened by way of /proc")
def test_a_queue_that_is_gone_cannot_be_received(transport: str) -> None:
    """The error says what to do."""
    if transport:
        pytest.skip("not by way of /proc")
    sent = pickle.dumps(corewise.Queue())
    gc.collect()
    with pytest.raises(OSError, match="holds it no more"):
        pickle.loads(sent)


def test_items_of_every_size_come_whole() -> None:
    """Around the sizes at which something changes, also where the ring has its seam."""
    queue: corewise.Queue[bytes] = corewise.Queue()
    sizes = [0, 1, 100, 4095, 65_000, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 5_000_000, 3]
    for _ in range(3):
        for size in sizes:
            queue.put(os.urandom(1) * size)
        assert [len(queue.get(timeout=LONG_S)) for _ in sizes] == sizes


def test_arrays_come_whole_writable_and_apart() -> None:
    """In one piece or not, large or small, several in one item."""
    queue: corewise.Queue[Any] = corewise.Queue()
    arrays = [np.arange(size, dtype=np.float64) for size in (0, 3, 10_000, 1_000_000)]
    arrays.append(np.arange(1_000_000).reshape(1000, 1000)[:, ::7])
    for array in arrays:
        queue.put(array)
    queue.put({"all": arrays})
    came = [queue.get(timeout=LONG_S) for _ in arrays]
    for array, other in zip(arrays, came, strict=True):
        assert np.array_equal(array, other)
        np.add(other, 1, out=other)  # memory of the receiver alone
    assert all(np.array_equal(array, other) for array, other in zip(arrays, queue.get()["all"], strict=True))


def test_an_item_may_be_changed_once_it_was_put() -> None:
    """It was pickled before `put` returned, arrays as well."""
    queue: corewise.Queue[Any] = corewise.Queue()
    array, things = np.zeros(100_000), [1]
    queue.put(array)
    queue.put(things)
    array[:] = 9
    things.append(2)
    assert not queue.get().any()
    assert queue.get() == [1]


def test_what_cannot_be_pickled_fails_at_put() -> None:
    """In the caller, with the part named; the queue goes on."""
    queue: corewise.Queue[Any] = corewise.Queue(1)
    with pytest.raises(CannotTravel, match="lock"):
        queue.put({"inside": threading.Lock()})
    with pytest.raises(CannotTravel, match="lock"):
        queue.put_many([{}, threading.Lock()])
    queue.put_nowait(lambda: "a function without a name")
    assert queue.get()() == "a function without a name"


def test_what_cannot_be_unpickled_fails_at_get() -> None:
    """Alone: what came with it in `get_many` is in the error."""
    queue: corewise.Queue[Any] = corewise.Queue()
    queue.put_many([1, [2], Unwilling(), [4], 5])
    with pytest.raises(ArithmeticError) as raised:
        queue.get_many()
    assert raised.value.items == [1, [2], [4], 5]  # type: ignore[attr-defined]
    assert queue.empty()


def _refuse() -> None:
    raise ArithmeticError("not here")


class Unwilling:
    """Pickles, and raises when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _refuse, ()


def test_maxsize_is_exact() -> None:
    """As many and not one more, and again when one was taken."""
    queue: corewise.Queue[int] = corewise.Queue(3)
    for number in range(3):
        assert not queue.full()
        queue.put_nowait(number)
    assert queue.full()
    assert queue.qsize() == 3
    with pytest.raises(standard.Full):
        queue.put_nowait(3)
    with pytest.raises(standard.Full):
        queue.put(3, timeout=0.01)
    assert queue.get() == 0
    queue.put_nowait(3)
    with pytest.raises(standard.Full):
        queue.put_many([4], block=False)
    assert [queue.get() for _ in range(3)] == [1, 2, 3]


def test_max_bytes_is_a_bound() -> None:
    """Of all that waits; an item above it is refused for good."""
    queue: corewise.Queue[bytes] = corewise.Queue(max_bytes="10 kB")
    queue.put(b"x" * 6000)
    with pytest.raises(standard.Full):
        queue.put_nowait(b"x" * 6000)
    assert not queue.full()
    assert queue.statistics().waiting_bytes < 10_000
    with pytest.raises(OptionError, match="max_bytes"):
        queue.put(b"x" * 10_001)
    waiting = Waiting(queue.put, b"y" * 6000)
    assert queue.get() == b"x" * 6000
    waiting.result()
    assert queue.get() == b"y" * 6000


def test_put_many_waits_for_room_and_says_how_far_it_came() -> None:
    """Items that can be put are put."""
    queue: corewise.Queue[int] = corewise.Queue(10)
    with pytest.raises(standard.Full) as raised:
        queue.put_many(range(25), timeout=0.01)
    assert raised.value.put == 10  # type: ignore[attr-defined]
    waiting = Waiting(queue.put_many, range(10, 25))
    came: list[int] = []
    while len(came) < 25:
        came += queue.get_many(4, timeout=LONG_S)
    waiting.result()
    assert came == list(range(25))


@pytest.mark.parametrize("items", [list(range(5000)), [(n, str(n)) for n in range(5000)], [[n] for n in range(5000)]])
def test_batches_are_items_like_others(items: list[Any]) -> None:
    """Put one by one or many at once, and taken likewise."""
    queue: corewise.Queue[Any] = corewise.Queue()
    queue.put_many(items[:3000])
    for item in items[3000:3010]:
        queue.put(item)
    queue.put_many(iter(items[3010:]))
    assert queue.qsize() == 5000
    came = [queue.get() for _ in range(1500)]
    came += queue.get_many(1)
    while len(came) < 5000:
        came += queue.get_many(700)
    assert came == items
    assert queue.statistics().waiting_bytes == 0


def test_no_items_are_no_batch() -> None:
    """Nothing is put, nothing waits."""
    queue: corewise.Queue[int] = corewise.Queue(1)
    queue.put_many([])
    assert queue.empty()


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_queue_says_so_in_time(kind: type[corewise.Queue[Any]]) -> None:
    """At once, or after the time-out."""
    queue = kind()
    for call in (queue.get_nowait, lambda: queue.get(False), lambda: queue.get_many(block=False)):
        with pytest.raises(standard.Empty):
            call()
    began = monotonic()
    with pytest.raises(standard.Empty):
        queue.get(timeout=0.05)
    assert 0.05 <= monotonic() - began < LONG_S
    with pytest.raises(standard.Empty):
        queue.get(timeout=-1)


def test_closing_lets_readers_finish() -> None:
    """What is there is taken, then the error comes, or the end of the loop."""
    queue: corewise.Queue[int] = corewise.Queue()
    queue.put_many(range(3))
    queue.close()
    queue.close()
    for put in (lambda: queue.put(1), lambda: queue.put_nowait(1), lambda: queue.put_many([1, 2])):
        with pytest.raises(QueueClosed, match=f"process {os.getpid()} has closed it"):
            put()
    assert list(queue) == [0, 1, 2]
    for get in (queue.get, queue.get_nowait, queue.get_many):
        with pytest.raises(QueueClosed, match="is closed"):
            get()
    assert issubclass(QueueClosed, ValueError)
    assert issubclass(QueueClosed, EOFError)


def test_closing_wakes_all_who_wait() -> None:
    """For an item, and for room."""
    empty: corewise.Queue[int] = corewise.Queue()
    full: corewise.Queue[int] = corewise.Queue(1)
    full.put(1)
    waiting = [Waiting(empty.get), Waiting(empty.get), Waiting(full.put, 2), Waiting(full.put_many, [2, 3])]
    empty.close()
    full.close()
    for one in waiting:
        with pytest.raises(QueueClosed):
            one.result()


def test_the_end_of_a_with_block_closes() -> None:
    """As for files."""
    with corewise.Queue[int]() as queue:
        queue.put(1)
    assert list(queue) == [1]
    assert "closed" in repr(queue)


def test_threads_share_a_queue() -> None:
    """Four put, four take; nothing is lost, nothing comes twice."""
    queue: corewise.Queue[Any] = corewise.Queue(10)
    takers = [Waiting(list, queue) for _ in range(4)]
    putters = [Waiting(queue_works.put_numbers, queue, str(name), 500) for name in range(4)]
    for putter in putters:
        putter.result()
    queue.close()
    came = [taker.result() for taker in takers]
    assert sorted(item for items in came for item in items) == sorted((str(n), i) for n in range(4) for i in range(500))
    for items in came:
        for name in range(4):
            assert (of_one := [number for writer, number in items if writer == str(name)]) == sorted(of_one)


def test_statistics_count() -> None:
    """What waits and what has gone."""
    queue: corewise.Queue[int] = corewise.Queue()
    queue.put_many(range(10))
    queue.get()
    told = queue.statistics()
    assert (told.waiting, told.put, told.taken, told.unfinished, told.closed_by) == (9, 10, 1, None, None)
    queue.close()
    assert queue.statistics().closed_by == os.getpid()


def test_memory_is_given_back_when_it_is_not_needed_any_more() -> None:
    """After a burst, many small items make the queue small again."""
    queue: corewise.Queue[Any] = corewise.Queue()
    for _ in range(20):
        queue.put(bytes(1 << 20))
    large = queue.statistics().memory_bytes
    for _ in range(20):
        queue.get()
    for number in range(1100):
        queue.put(number)
        assert queue.get() == number
    assert queue.statistics().memory_bytes < 1 << 20 < 20 << 20 <= large


def test_a_simple_queue_is_simple() -> None:
    """Its interface is that of the standard library's, and closing travels."""
    queue: corewise.SimpleQueue[Any] = corewise.SimpleQueue()
    assert queue.empty()
    with Started(START_METHODS[0], queue_works.put_one, queue, "an item"):
        assert queue.get() == "an item"
    queue.close()
    with pytest.raises(QueueClosed):
        queue.get()


def test_join_waits_until_all_is_done() -> None:
    """Not before the last `task_done`."""
    queue: corewise.JoinableQueue[int] = corewise.JoinableQueue()
    queue.join()
    queue.put_many([1, 2])
    waiting = Waiting(queue.join)
    queue.get()
    queue.task_done()
    assert waiting.is_alive()
    assert queue.statistics().unfinished == 1
    queue.get()
    queue.task_done()
    waiting.result()
    with pytest.raises(ValueError, match="too many times"):
        queue.task_done()


def _takes_and_ends(queue: corewise.JoinableQueue[Any], count: int) -> None:
    queue.get_many(count)
    queue.task_done()


@pytest.mark.skipif(sys.platform == "win32", reason="there the death is not seen")
def test_join_tells_of_items_whose_holder_has_ended() -> None:
    """Once; it does not wait for them."""
    queue: corewise.JoinableQueue[int] = corewise.JoinableQueue()
    queue.put_many(range(5))
    waiting = Waiting(queue.join)
    with Started(START_METHODS[0], _takes_and_ends, queue, 3) as child:
        pid = child.process.pid  # type: ignore[attr-defined]
    for _ in range(2):
        queue.get()
        queue.task_done()
    with pytest.raises(ItemsLost, match=f"process {pid} had 2") as raised:
        waiting.result()
    assert raised.value.holders == {pid: 2}
    assert queue.statistics().lost == 2
    queue.join()


def test_an_event_loop_waits_without_a_thread() -> None:
    """For items and for room, many at once; a call that is cancelled takes nothing."""

    async def main() -> list[int]:
        queue: corewise.Queue[int] = corewise.Queue(2)
        cancelled = asyncio.create_task(queue.aget())
        takers = [asyncio.create_task(queue.aget()) for _ in range(20)]
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(*(queue.aput(number) for number in range(20)))
        assert threading.active_count() == 1
        async with asyncio.timeout(LONG_S):
            came = await asyncio.gather(*takers)
            queue.close()
            with pytest.raises(QueueClosed):
                await queue.aget()
        return sorted(came)

    assert asyncio.run(main()) == list(range(20))


def test_an_event_loop_hears_another_thread() -> None:
    """What is put elsewhere wakes it."""
    queue: corewise.Queue[int] = corewise.Queue()

    async def main() -> int:
        taker = asyncio.create_task(queue.aget())
        await asyncio.sleep(0)
        Waiting(queue.put, 7).result()
        async with asyncio.timeout(LONG_S):
            return await taker

    assert asyncio.run(main()) == 7


@pytest.mark.parametrize("arguments", [{"maxsize": "3"}, {"maxsize": 1.5}, {"max_bytes": 0}, {"max_bytes": "much"}])
def test_wrong_arguments_are_refused(arguments: dict[str, Any]) -> None:
    """With what is wrong."""
    with pytest.raises(OptionError, match="max"):
        corewise.Queue(**arguments)


def test_a_queue_is_generic() -> None:
    """Annotations can say of what."""
    assert isinstance(corewise.Queue[int](), corewise.Queue)


@pytest.mark.skipif(sys.platform != "linux", reason="counted in /proc")
def test_a_queue_takes_few_descriptors_and_gives_them_back(transport: str) -> None:
    """Three, whatever is in it; none when it is gone."""
    before = open_descriptors()
    queue: corewise.Queue[Any] = corewise.Queue()
    for _ in range(10):
        queue.put(np.ones(100_000))
    queue.get()
    assert open_descriptors() - before <= (10 if transport else 3)
    del queue
    gc.collect()
    assert open_descriptors() == before


def open_descriptors() -> int:
    """Count the descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
