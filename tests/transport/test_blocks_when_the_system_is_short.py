"""Where no descriptor or memory is left, messages arrive by another way, or the line ends with an error."""

from __future__ import annotations

import os
import resource
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from lines import MEBIBYTE, answering, ask, blocks_mapped, descriptors, receive, worker_process
from numpy.testing import assert_array_equal

from corewise._transport.blocks import Once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corewise._transport import channel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="blocks are Linux's")


def array(number: int, size: int = 80_000) -> np.ndarray[Any, Any]:
    """Return an array that is told from every other."""
    return np.arange(size // 8, dtype=np.float64) + number


def highest_descriptor() -> int:
    """Return the highest descriptor that is open."""
    return max(int(link.name) for link in Path("/proc/self/fd").iterdir())


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    """Take every descriptor that this process may still open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest_descriptor() + 8, hard))
    try:
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            pass
        yield
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def limited(answer: Any) -> Any:
    """Return a worker that has no descriptors left while it waits for messages that are not texts."""

    def serve(end: channel.WorkerEnd) -> None:
        end.send(answer(end.receive()))
        while True:
            with no_descriptors_left():
                item = end.receive()
            end.send(answer(item))

    return serve


def test_a_parent_without_descriptors_sends_through_the_stream() -> None:
    """And makes blocks again when it has some."""
    with worker_process(answering(lambda one: float(one.sum()))) as parent:
        with no_descriptors_left():
            assert [ask(parent, array(number)) for number in range(3)] == [array(n).sum() for n in range(3)]
            assert parent.statistics().blocks_made == 0
        assert ask(parent, array(4)) == array(4).sum()
        assert parent.statistics().blocks_made == 1


def test_a_worker_without_descriptors_gets_what_was_in_the_block() -> None:
    """In its order, also when other messages are on their way already; and again and again."""
    with worker_process(limited(lambda one: one if isinstance(one, str) else float(one.sum()))) as parent:
        assert ask(parent, "hello") == "hello"
        for turn in range(3):
            sent = [array(turn), "between", array(turn + 1, 3 * MEBIBYTE), array(turn + 2), "last"]
            for one in sent:
                parent.send(one)
            assert receive(parent, 5) == [one if isinstance(one, str) else one.sum() for one in sent]
        assert parent.statistics().stream_sent_bytes > 3 * 3 * MEBIBYTE
        assert blocks_mapped() == 0


def test_a_parent_that_cannot_take_a_block_gets_results_through_the_stream() -> None:
    """The worker waits to hear of it, so nothing is lost; later results go through blocks again."""
    with worker_process(answering(lambda one: array(*one))) as parent:
        with no_descriptors_left():
            for number in range(3):
                assert_array_equal(ask(parent, (number, 3 * MEBIBYTE)), array(number, 3 * MEBIBYTE))
            assert parent.statistics().block_received_bytes == 0
        assert_array_equal(ask(parent, (9, MEBIBYTE)), array(9, MEBIBYTE))
        assert parent.statistics().block_received_bytes == MEBIBYTE


def test_results_travel_where_the_worker_has_no_descriptors() -> None:
    """Nor any to make a block with."""

    def serve(end: channel.WorkerEnd) -> None:
        while True:
            number = end.receive()
            with no_descriptors_left():
                end.send(array(number))

    with worker_process(serve) as parent:
        for number in range(3):
            assert_array_equal(ask(parent, number), array(number))
        assert parent.statistics().block_received_bytes == 0


def test_a_buffer_that_is_sent_once_reaches_a_worker_without_descriptors() -> None:
    """It keeps what came instead, and hands each message a copy of its own."""

    def spoil(one: Any) -> Any:
        if isinstance(one, str):
            return one
        came = float(one.sum())
        one[:] = 0
        return came

    once = array(3, 2 * MEBIBYTE)
    with worker_process(limited(spoil)) as parent, Once() as scope:
        assert ask(parent, "hello") == "hello"
        assert [ask(parent, once, once=scope) for _ in range(6)] == [once.sum()] * 6
        assert parent.statistics().stream_sent_bytes < 6 * MEBIBYTE
    assert blocks_mapped() == 0


def test_what_can_be_had_no_more_ends_the_line_and_not_in_a_wait() -> None:
    """The scope was closed before the worker could say that it had no room for its block."""

    def serve(end: channel.WorkerEnd) -> None:
        end.send(end.receive())
        with no_descriptors_left(), pytest.raises(OSError, match="no descriptor was left"):
            end.receive()
        end.send("told")

    once = array(3, 2 * MEBIBYTE)
    with worker_process(serve) as parent:
        assert ask(parent, "hello") == "hello"
        with Once(repeated={id(once)}) as scope:
            parent.send(once, once=scope)
        assert receive(parent) == ["told"]


def test_a_worker_without_room_to_map_a_block_sends_through_the_stream() -> None:
    """Its item lies in a block of the parent's; there is no room for one of its own beside it."""

    def serve(end: channel.WorkerEnd) -> None:
        end.send(end.receive())
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 24 * MEBIBYTE, resource.RLIM_INFINITY))
        end.send(end.receive())

    sent = array(1, 16 * MEBIBYTE)
    with worker_process(serve) as parent:
        ask(parent, array(0))  # so that all is loaded
        before = parent.statistics()
        assert_array_equal(ask(parent, sent), sent)
        after = parent.statistics()
    assert after.block_sent_bytes - before.block_sent_bytes == sent.nbytes
    assert after.block_received_bytes == before.block_received_bytes
    assert after.stream_received_bytes - before.stream_received_bytes > sent.nbytes


@pytest.mark.parametrize("limit", [0, 4096, 100_000])
def test_a_limit_on_the_size_of_files_is_no_hindrance(limit: int) -> None:
    """Blocks are files to the kernel."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with worker_process(answering(lambda one: one + 1)) as parent:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            before = len(descriptors())
            assert_array_equal(ask(parent, array(1, MEBIBYTE)), array(2, MEBIBYTE))
            assert parent.statistics().blocks_made == 0
            assert len(descriptors()) == before
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_more_new_blocks_than_may_be_on_their_way_at_a_time() -> None:
    """A user may have as many descriptors under way as he may have open; the rest goes without."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            _send_many_new_blocks()
            code = 0
        except BaseException:  # noqa: BLE001 - shown, and told by the exit code
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _send_many_new_blocks() -> None:
    if os.getuid() == 0:
        os.setuid(65534)  # root may have any number under way
    os.closerange(64, 4096)  # whatever this process was given that makes the limit below a high one
    sent = [array(number) for number in range(100)]
    begin_reading, begin = os.pipe()

    def serve(end: channel.WorkerEnd) -> None:
        os.read(begin_reading, 1)
        while True:
            end.send(float(end.receive().sum()))

    with worker_process(serve) as parent:
        limit = highest_descriptor() + 20
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        for one in sent:
            parent.send(one)
        os.write(begin, b"x")
        assert receive(parent, len(sent)) == [one.sum() for one in sent]
        assert parent.statistics().stream_sent_bytes > 40 * 80_000
