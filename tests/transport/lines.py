"""What the tests of lines share: messages with large buffers, workers in processes of their own, both transports."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import select
import sys
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from corewise._transport import channel, forks, portable
from corewise._transport.line import Line, Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20
LIMIT_S = 15.0
BLOCKS, PORTABLE = "", "portable"
TRANSPORTS = [
    pytest.param(BLOCKS, id="blocks", marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux only")),
    pytest.param(PORTABLE, id="portable"),
]


class Beside:
    """An object whose bytes travel beside the pickle, as an array's do."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return Beside, (pickle.PickleBuffer(self.data),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Beside) and bytes(self.data) == bytes(other.data)

    def __hash__(self) -> int:
        return hash(bytes(self.data))


def pattern(size: int) -> bytes:
    """Return bytes in which nothing can be swapped or missing unnoticed."""
    return (
        b"".join(number.to_bytes(4, "big") for number in range(min(size // 4 + 1, 65_537))) * (size // 262_148 + 1)
    )[:size]


def encoded(message: object) -> list[memoryview]:
    """Return what is written for a message that goes through the stream as a whole."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(message, 5, buffer_callback=buffers.append)
    return Parts(body, [buffer.raw() for buffer in buffers], {}, blocks=False).in_stream([])


def on_the_wire(*messages: Any) -> bytes:
    """Return the bytes of some messages."""
    return b"".join(bytes(piece) for message in messages for piece in encoded(message))


@contextmanager
def open_line(transport: str = BLOCKS) -> Iterator[tuple[channel.ParentEnd, Any]]:
    """Open a line of one of the transports."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(portable.VARIABLE, transport)
        parent, theirs = channel.pair()
    with theirs:
        yield parent, theirs
    parent.close()
    for _, close in tuple(forks._around):
        end = getattr(close, "__self__", None)
        if isinstance(end, Line) and end.fileno() == -1:  # a worker's end in this process
            close()


def next_messages(parent: channel.ParentEnd) -> tuple[list[Any], bool]:
    """Wait for messages as the pool does, sending on what waits."""
    while True:
        readable, writable, _ = select.select([parent], [parent] if parent.backlog else [], [], LIMIT_S)
        assert readable or writable, "nothing came"
        if writable:
            with suppress(OSError):  # it is gone, which reading tells as well
                parent.flush()
        if readable:
            messages, is_open = parent.receive()
            if messages or not is_open:
                return messages, is_open


def receive(parent: channel.ParentEnd, count: int = 1) -> list[Any]:
    """Wait for so many messages."""
    came: list[Any] = []
    while len(came) < count:
        messages, is_open = next_messages(parent)
        came += messages
        assert is_open or len(came) >= count
    return came


def ask(parent: channel.ParentEnd, message: object, **options: Any) -> Any:
    """Send a message and return the answer."""
    parent.send(message, **options)
    (answer,) = receive(parent)
    return answer


@contextmanager
def worker_process(serve: Callable[[channel.WorkerEnd], None], transport: str = BLOCKS) -> Iterator[channel.ParentEnd]:
    """Run `serve` in a forked process with the worker's end of a line; give the parent's end."""
    with open_line(transport) as (parent, theirs):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                serve(channel.WorkerEnd(theirs))
                code = 0
            except EOFError:
                code = 0
            except BaseException:  # noqa: BLE001 - shown, and told by the exit code
                traceback.print_exc()
            finally:
                os._exit(code)
        theirs.close()
        yield parent
        parent.close()
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "the worker failed"


def answering(answer: Callable[[Any], Any]) -> Callable[[channel.WorkerEnd], None]:
    """Return a worker that answers each message, and lets go of it before it waits for the next."""

    def serve(end: channel.WorkerEnd) -> None:
        while True:
            end.send(answer(end.receive()))

    return serve


def descriptors() -> list[str]:
    """Return what the open descriptors of this process refer to."""
    found = []
    for link in list(Path("/proc/self/fd").iterdir()):
        try:
            found.append(str(link.readlink()))
        except FileNotFoundError:  # the one that listed the folder
            continue
    return found


def blocks_mapped() -> int:
    """Return how many mappings of unnamed blocks this process has."""
    gc.collect()
    return sum("memfd:corewise (" in line for line in Path("/proc/self/maps").read_text().splitlines())


def spawned(target: Callable[..., None], *arguments: Any, method: str) -> Any:
    """Start a process by one of the standard library's methods."""
    process = multiprocessing.get_context(method).Process(target=target, args=arguments)
    process.start()
    return process
