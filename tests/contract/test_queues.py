"""What is put into `corewise.Queue` comes out of it, over either transport, in processes of every start method."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import queue as standard
import sys
import threading
from time import monotonic
from typing import Any

import numpy as np
import pytest
import queue_works
from queue_helpers import KINDS, LONG_S, START_METHODS, Started, Waiting

import corewise
from corewise._transport.queues.words import PUTTERS_ASLEEP
from corewise.errors import CannotTravel, OptionError


@pytest.fixture(params=["", "portable"], ids=["own", "portable"], autouse=True)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have queues made of what only Linux offers, or of what every system does."""
    monkeypatch.setenv("COREWISE_TRANSPORT", request.param)
    return str(request.param)


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


def _filled_ring(queue: corewise.Queue[Any]) -> tuple[Any, int]:
    """Put arrays until one more would make the ring larger, one of them taken; return an array and the ring's size."""
    array = np.ones(1 << 18)
    queue.put(array)
    assert queue.get(timeout=LONG_S)[0] == 1  # so somebody takes items
    size = queue.statistics().memory_bytes
    while queue.statistics().waiting_bytes + array.nbytes + 1000 <= size:
        queue.put(array)
    return array, size


def test_a_large_item_waits_for_memory_that_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where items are being taken there is room soon, and that costs less than new memory."""
    monkeypatch.setattr("corewise._transport.queues.exchange._NEW_MEMORY_S", 1.0)
    queue: corewise.Queue[Any] = corewise.Queue()
    array, size = _filled_ring(queue)
    put = Waiting(queue.put, array)
    while not queue._core.words[PUTTERS_ASLEEP]:
        assert put.is_alive()
    queue.get(timeout=LONG_S)
    put.result()
    assert queue.statistics().memory_bytes == size


@pytest.mark.parametrize("way", ["nobody takes any", "put_nowait", "timeout"])
def test_a_large_item_does_not_wait_for_memory_in_vain(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor for longer than the caller is ready to wait: the queue has no bound, and there is new memory."""
    if way != "nobody takes any":
        monkeypatch.setattr("corewise._transport.queues.exchange._NEW_MEMORY_S", 1.0)
    queue: corewise.Queue[Any] = corewise.Queue()
    array, size = _filled_ring(queue)
    options = {"put_nowait": {"block": False}, "timeout": {"timeout": 0.01}}.get(way, {})
    for _ in range(3):
        queue.put(array, **options)  # type: ignore[arg-type]
    assert queue.statistics().memory_bytes > size


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
