"""Pipes elsewhere than on Linux: the standard library's connections, with large buffers apart from the pickle.

A message begins with a byte that says what it is:

    0x80    the pickle of an object: all pickles begin so
    RAW     bytes
    LARGE   how long each of its parts is; each comes as a message of its own behind it
"""

from __future__ import annotations

import marshal
import sys

from corewise._transport.pipes import ends
from corewise._transport.pipes.connection import Connection, Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any

RAW, LARGE = 1, 2
_TOGETHER_BYTES = 1 << 16  # guess: below this a copy costs less than one more message
_LOOK_S = 0.2  # guess: how long a thread waits at a time for an event loop that cannot wait itself, before it may end


class StreamConnection(Connection):
    """One end of a pipe where there are no packets.

    Args:
        inner: the connection of the standard library, which is this object's from now on.
    """

    def __init__(self, inner: Any) -> None:
        super().__init__(readable=inner.readable, writable=inner.writable)
        self._inner = inner
        self._under_way: Future[Message] | None = None  # of a task that was cancelled
        ends.note(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process."""
        self._check_open()
        self._travelled = True
        return _arrived, (self._inner,)

    def _number(self) -> int:
        return -1 if self._inner.closed else int(self._inner.fileno())

    def _close(self) -> None:
        self._inner.close()

    def _give(self, body: bytes | memoryview, buffers: list[memoryview], *, raw: bool) -> None:
        try:
            if not buffers and len(body) <= _TOGETHER_BYTES:
                self._inner.send_bytes(b"\x01" + body if raw else body)
                return
            parts = [memoryview(body), *buffers]
            self._inner.send_bytes(b"\x02" + marshal.dumps((raw, list(map(len, parts)))))
            for part in parts:
                self._inner.send_bytes(part)
        except ConnectionResetError:
            raise BrokenPipeError("nobody holds the other end of the pipe any more") from None

    def _take(self) -> Message:
        if self._under_way is not None:
            begun, self._under_way = self._under_way, None
            return begun.result()
        return self._next()

    def _next(self) -> Message:
        try:
            data = memoryview(self._inner.recv_bytes())
            if data[0] != LARGE:
                return Message(data[1:], [], raw=True) if data[0] == RAW else Message(data, [], raw=False)
            raw, sizes = marshal.loads(data[1:])  # noqa: S302 - as with pickle: both ends are the same user's
            parts = [bytearray(size) for size in sizes]
            for part in parts:
                self._inner.recv_bytes_into(part)
        except ConnectionResetError:
            raise EOFError from None
        except OSError as error:
            if str(error) == "got end of file during message":
                raise EOFError from error
            raise
        return Message(memoryview(parts[0]), list(parts[1:]), raw=raw)

    def _comes_within(self, timeout: float | None) -> bool:
        return self._under_way is not None or bool(self._inner.poll(timeout))

    async def _agive(self, body: bytes | memoryview, buffers: list[memoryview], *, raw: bool) -> None:
        import asyncio

        def give() -> None:
            self._give(body, buffers, raw=raw)

        await asyncio.get_running_loop().run_in_executor(None, give)

    async def _atake(self) -> Message:
        import asyncio

        loop = asyncio.get_running_loop()
        if sys.platform == "win32":
            while not await loop.run_in_executor(None, self._comes_within, _LOOK_S):
                pass
        elif self._under_way is None:
            from corewise._transport.pipes import waiting

            await waiting.readable(self._number())
        from concurrent.futures import Future
        from threading import Thread

        # The rest of a message may be long in coming, so a thread reads it; the next call gets it if this one is gone.
        begun = self._under_way
        if begun is None:
            begun = self._under_way = Future()
            Thread(target=_settle, args=(begun, self._next), daemon=True).start()
        message: Message = await asyncio.shield(asyncio.wrap_future(begun))
        self._under_way = None
        return message


def _settle(begun: Future[Message], read: Any) -> None:
    try:
        begun.set_result(read())
    except BaseException as error:  # noqa: BLE001 - for whoever waits
        begun.set_exception(error)


def _arrived(inner: Any) -> StreamConnection:
    end = StreamConnection(inner)
    end._travelled = True  # noqa: SLF001 - made here
    return end
