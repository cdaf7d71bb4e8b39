"""What goes through a pipe comes out of it: objects and bytes of all sizes, one way and both, in threads and tasks."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import threading
from array import array
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import corewise
from corewise import errors
from corewise._transport import memory
from corewise._transport.pipes import packets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corewise import Connection

EDGES = [size + by for size in (1 << 13, 1 << 16, packets.INLINE_BYTES) for by in (-1, 0, 1)]
SIZES = [0, 1, *EDGES, (1 << 20) + 3, packets.PIECE_BYTES + 1, 3 * packets.PIECE_BYTES + 5]


@pytest.fixture(params=["", "portable"])
def ends(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Connection, Connection]]:
    """Both ends of a pipe, of either transport."""
    monkeypatch.setenv("COREWISE_TRANSPORT", request.param)
    one, other = corewise.Pipe()
    with one, other:
        yield one, other


def in_thread(call: Callable[..., object], *arguments: object) -> threading.Thread:
    """Call something beside the test, as what is larger than the pipe waits for its reader."""
    thread = threading.Thread(target=call, args=arguments)
    thread.start()
    return thread


@pytest.mark.parametrize("size", SIZES)
def test_bytes_of_any_size_arrive(ends: tuple[Connection, Connection], size: int) -> None:
    """Also none, and those at the edges between the ways that they go."""
    one, other = ends
    content = os.urandom(min(size, 4096)) * (size // 4096 + 1)
    sender = in_thread(one.send_bytes, content[:size])
    assert other.recv_bytes() == content[:size]
    sender.join()


@pytest.mark.parametrize("size", SIZES[1:])
def test_arrays_of_any_size_arrive_and_are_the_receivers_own(ends: tuple[Connection, Connection], size: int) -> None:
    """What is written to one that came is seen by nobody, and what is sent next changes none that came."""
    one, other = ends
    for turn in range(3):
        array_of_turn = np.full(size, turn, dtype=np.uint8)
        sender = in_thread(one.send, {"turn": turn, "array": array_of_turn})
        came = other.recv()
        sender.join()
        assert came["turn"] == turn
        assert (came["array"] == turn).all()
        came["array"][:] = 9
        assert (array_of_turn == turn).all()


def test_results_that_are_kept_stay_as_they_are(ends: tuple[Connection, Connection]) -> None:
    """However many come behind them."""
    one, other = ends
    sender = in_thread(lambda: [one.send(np.full(1_000_000, number)) for number in range(30)])
    kept = [other.recv() for _ in range(30)]
    sender.join()
    assert [int(came.min()) for came in kept] == list(range(30)) == [int(came.max()) for came in kept]


def test_many_messages_keep_their_order_whatever_their_size(ends: tuple[Connection, Connection]) -> None:
    """Small ones between large ones among them."""
    one, other = ends
    sizes = [3, 200_000, 5, 70_000, 0, 1_000_000] * 20
    sender = in_thread(lambda: [one.send((number, bytes(size))) for number, size in enumerate(sizes)])
    assert [(number, len(data)) for number, data in (other.recv() for _ in sizes)] == list(enumerate(sizes))
    sender.join()


def test_hundreds_of_arrays_in_one_message_arrive(ends: tuple[Connection, Connection]) -> None:
    """Small and large ones, more than can be told apart."""
    one, other = ends
    for size in (100, 1000, 20_000):
        sender = in_thread(one.send, [np.full(size, number) for number in range(600)])
        came = other.recv()
        sender.join()
        assert [int(array[-1]) for array in came] == list(range(600)) == [int(array[0]) for array in came]


def test_both_ends_send_and_receive_at_the_same_time(ends: tuple[Connection, Connection]) -> None:
    """Each with a thread for either."""
    one, other = ends
    senders = [in_thread(lambda end=end: [end.send((n, np.full(100_000, n))) for n in range(20)]) for end in ends]
    for end in (other, one):
        assert [int(end.recv()[1][0]) for _ in range(20)] == list(range(20))
    for sender in senders:
        sender.join()


def test_lambdas_and_closures_travel(ends: tuple[Connection, Connection]) -> None:
    """As functions do that are handed to a process."""
    one, other = ends
    number = 40
    one.send([lambda more: number + more])
    assert other.recv()[0](2) == 42


def test_what_cannot_be_pickled_fails_in_the_sender_and_sends_nothing(ends: tuple[Connection, Connection]) -> None:
    """The error names the part."""
    one, other = ends
    with pytest.raises(errors.CannotTravel, match=r"key 'lock'.* is a _thread\.lock") as caught:
        one.send({"lock": threading.Lock(), "array": np.ones(1_000_000)})
    assert isinstance(caught.value, TypeError | pickle.PicklingError)
    one.send("next")
    assert other.recv() == "next"


def test_what_cannot_be_unpickled_fails_in_the_receiver_and_spoils_nothing(ends: tuple[Connection, Connection]) -> None:
    """The next message comes."""
    one, other = ends
    one.send_bytes(b"\x80no pickle")
    with pytest.raises(ValueError, match="protocol"):
        other.recv()
    one.send((1, 2))
    assert other.recv() == (1, 2)


def test_objects_and_bytes_are_the_same_to_the_pipe(ends: tuple[Connection, Connection]) -> None:
    """As with the standard library: an object may be received as its pickle, and a pickle as an object."""
    one, other = ends
    one.send({"a": 1})
    assert pickle.loads(other.recv_bytes()) == {"a": 1}
    one.send_bytes(pickle.dumps(["b"], 2))
    assert other.recv() == ["b"]
    big = np.arange(100_000)
    sender = in_thread(one.send, big)
    assert (pickle.loads(other.recv_bytes()) == big).all()
    sender.join()


def test_bytes_are_laid_into_a_buffer(ends: tuple[Connection, Connection]) -> None:
    """Or refused as too long, with what came; empty buffers and arrays of zero length are no exception."""
    one, other = ends
    one.send_bytes(array("i", [1, 2]))
    room = array("i", [0, 0, 0])
    assert other.recv_bytes_into(room, 4) == 8
    assert list(room) == [0, 1, 2]
    one.send_bytes(b"12345")
    with pytest.raises(multiprocessing.BufferTooShort) as caught:
        other.recv_bytes_into(bytearray(3))
    assert caught.value.args == (b"12345",)
    one.send_bytes(array("d"))
    assert other.recv_bytes_into(bytearray()) == 0


def test_more_than_was_allowed_ends_receiving(ends: tuple[Connection, Connection]) -> None:
    """As with the standard library: sending goes on."""
    one, other = ends
    one.send_bytes(b"12345")
    with pytest.raises(OSError, match="bad message length"):
        other.recv_bytes(4)
    assert (other.readable, other.writable) == (False, True)


def test_one_way_is_one_way() -> None:
    """The first end receives, the second one sends."""
    receiving, sending = corewise.Pipe(duplex=False)
    with receiving, sending:
        assert (receiving.readable, receiving.writable, sending.readable, sending.writable) == (
            True,
            False,
            False,
            True,
        )
        with pytest.raises(OSError, match="read-only"):
            receiving.send(1)
        with pytest.raises(OSError, match="write-only"):
            sending.recv()
        for number in range(20):
            sending.send(np.full(100_000, number))
            assert receiving.recv()[0] == number


def test_a_closed_end_says_so(ends: tuple[Connection, Connection]) -> None:
    """To those who use it, and to the other end: what was sent before is still received."""
    one, other = ends
    one.send(1)
    one.close()
    one.close()
    for use in (one.recv, one.fileno, one.poll, lambda: one.send(1)):
        with pytest.raises(OSError, match="closed"):
            use()
    assert other.poll()
    assert other.recv() == 1
    assert other.poll()
    for _ in range(2):
        with pytest.raises(EOFError):
            other.recv()
    with pytest.raises(BrokenPipeError):
        other.send(1)


def test_unread_messages_of_a_closed_end_hide_nothing(ends: tuple[Connection, Connection]) -> None:
    """What the other end has sent before it was closed with messages unread is received, then the end."""
    one, other = ends
    other.send("unread")
    one.send("sent")
    one.close()
    assert other.recv() == "sent"
    with pytest.raises(EOFError):
        other.recv()
    with pytest.raises(BrokenPipeError):
        other.send(1)


def test_wait_of_the_standard_library_takes_our_ends(ends: tuple[Connection, Connection]) -> None:
    """Beside its own."""
    one, other = ends
    standard, its_other = multiprocessing.Pipe()
    with standard, its_other:
        assert wait([other, standard], 0) == []
        one.send(1)
        assert wait([other, standard], 5) == [other]
        its_other.send(1)
        assert set(wait([other, standard], 5)) == {other, standard}


def test_connections_sockets_and_our_own_ends_travel_through_a_pipe(ends: tuple[Connection, Connection]) -> None:
    """As through the standard library's."""
    one, other = ends
    for make in (multiprocessing.Pipe, corewise.Pipe):
        left, right = make()
        one.send(right)
        right.close()
        with left, other.recv() as came:
            came.send("through it")
            assert left.recv() == "through it"
    multiprocessing.resource_sharer.stop(5)  # type: ignore[attr-defined]


def test_tasks_send_and_receive(ends: tuple[Connection, Connection]) -> None:
    """Both ends in one event loop, more than the pipe holds."""
    one, other = ends

    async def send() -> None:
        for number in range(30):
            await one.asend((number, np.full(300_000, number)))

    async def both() -> list[int]:
        sending = asyncio.create_task(send())
        came = [int((await other.arecv())[1][5]) for _ in range(30)]
        await sending
        one.close()
        with pytest.raises(EOFError):
            await other.arecv()
        return came

    assert asyncio.run(both()) == list(range(30))


def test_a_task_that_is_cancelled_loses_no_message(ends: tuple[Connection, Connection]) -> None:
    """Whoever asks next gets it."""
    one, other = ends

    async def cancelled() -> Any:
        waiting = asyncio.create_task(other.arecv())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        one.send("kept")
        return await asyncio.wait_for(other.arecv(), 5)

    assert asyncio.run(cancelled()) == "kept"


def test_a_fast_sender_waits_for_a_slow_reader() -> None:
    """No more memory is under way than a few blocks, however much is sent."""
    one, other = corewise.Pipe()
    with one, other:
        assert isinstance(one, packets.PacketConnection)
        sender = in_thread(lambda: [one.send(np.ones(125_000)) for _ in range(200)])
        for _ in range(200):
            other.recv()
        sender.join()
        assert one._lender is not None
        assert one._lender.made <= 16


def test_blocks_are_used_again() -> None:
    """One suffices for a reader that keeps up."""
    one, other = corewise.Pipe()
    with one, other:
        assert isinstance(one, packets.PacketConnection)
        for number in range(20):
            one.send(np.full(100_000, number))
            assert other.recv()[0] == number
        assert one._lender is not None
        assert one._lender.made == 1


def test_without_blocks_all_goes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system grants no more memory that can be sent."""

    def none(*_: object) -> int:
        raise OSError("no memory")

    monkeypatch.setattr(memory, "filled", none)
    one, other = corewise.Pipe()
    with one, other:
        sender = in_thread(one.send, ["x", np.arange(500_000)])
        text, came = other.recv()
        sender.join()
        assert text == "x"
        assert (came == np.arange(500_000)).all()


@pytest.mark.timeout(60)  # new memory, which some hosts give at 0.4 GB a second
def test_two_gibibytes_and_one_byte_arrive() -> None:
    """More than what a length of 32 bits can say; of memory that was never touched, so only the receiver's counts."""
    import mmap

    size = (1 << 31) + 1
    available = os.sysconf("SC_AVPHYS_PAGES") * mmap.PAGESIZE
    if available < 3 * size:
        pytest.skip("needs 6 GiB of memory")
    one, other = corewise.Pipe()
    with one, other, mmap.mmap(-1, size) as content:
        content[-1] = 7
        sender = in_thread(one.send_bytes, content)
        message = other._take()  # without the copy that makes it `bytes`
        sender.join()
        assert (len(message.body), message.body[-1], message.body[0]) == (size, 7, 0)
