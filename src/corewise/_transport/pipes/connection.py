"""One end of a pipe, whatever carries it: `multiprocessing.connection.Connection` and what it lacks."""

from __future__ import annotations

from corewise._transport import pickling
from corewise._transport.pipes import ends
from corewise._transport.pipes.messages import packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Generic, Self

    from typing_extensions import Buffer, TypeVar

    SendT = TypeVar("SendT", default=Any)
    ReceiveT = TypeVar("ReceiveT", default=Any)
else:
    SendT = ReceiveT = None

    class Generic:
        """What `typing.Generic` is, whose module is dear to import."""

        __class_getitem__ = classmethod(type(list[int]))


class Message:
    """What has come for one `send` or `send_bytes`.

    Attributes:
        raw: whether it is bytes, not an object.
        body: the bytes, or the pickle of the object.
        buffers: what was left out of the pickle.
    """

    __slots__ = ("body", "buffers", "raw")

    def __init__(self, body: Any, buffers: list[Any], *, raw: bool) -> None:
        self.raw = raw
        self.body = body
        self.buffers = buffers

    def done(self) -> None:
        """Let go of what the body lies in, which was read."""


class Connection(Generic[SendT, ReceiveT]):
    """One end of a pipe: what `Pipe` returns two of.

    It has the interface of `multiprocessing.connection.Connection`, and works with `multiprocessing.connection.wait`.
    One thread may send while another receives. An end goes to another process as an argument of it, with every start
    method, or through another pipe.

    As ``Connection[A, B]`` it sends objects of type A and receives those of type B.
    """

    def __init__(self, *, readable: bool, writable: bool) -> None:
        self._readable = readable
        self._writable = writable
        self._travelled = False  # whether an end of this pipe went to a process that was not forked

    # -- what carries it -----------------------------------------------------------------------------------------------

    def _number(self) -> int:
        """Return the descriptor or handle; -1 when it is closed."""
        raise NotImplementedError

    def _give(self, body: bytes | memoryview, buffers: list[memoryview], *, raw: bool) -> None:
        """Send a message, and wait until it is on its way."""
        raise NotImplementedError

    async def _agive(self, body: bytes | memoryview, buffers: list[memoryview], *, raw: bool) -> None:
        """Send a message without holding up the event loop."""
        raise NotImplementedError

    def _take(self) -> Message:
        """Wait for a message."""
        raise NotImplementedError

    async def _atake(self) -> Message:
        """Wait for a message without holding up the event loop."""
        raise NotImplementedError

    def _comes_within(self, timeout: float | None) -> bool:
        """Wait for a message or the end; forever if there is no limit. Return whether it came."""
        raise NotImplementedError

    def _close(self) -> None:
        """Let go of the descriptor and all that belongs to it."""
        raise NotImplementedError

    # -- sending -------------------------------------------------------------------------------------------------------

    def send(self, obj: SendT) -> None:
        """Send an object.

        Large arrays are copied into memory that the receiver maps; the object may be changed once this returns.

        Args:
            obj: any object that pickle or cloudpickle can send.

        Raises:
            CannotTravel: when neither can; nothing was sent.
            BrokenPipeError: when nobody holds the other end any more.
            OSError: when this end is closed or for receiving only.
        """
        self._check_writable()
        body, buffers = packed(obj, travelled=self._travelled)
        self._give(body, buffers, raw=False)

    async def asend(self, obj: SendT) -> None:
        """Send an object, as `send`, without holding up the event loop while the pipe is full.

        Raises:
            CannotTravel, BrokenPipeError, OSError: as for `send`.
        """
        self._check_writable()
        body, buffers = packed(obj, travelled=self._travelled)
        await self._agive(body, buffers, raw=False)

    def send_bytes(self, buf: Buffer, offset: int = 0, size: int | None = None) -> None:
        """Send bytes, or part of them.

        Args:
            buf: anything that lends its memory, in one piece.
            offset: from which byte on. Default: all.
            size: how many bytes. Default: up to the end.

        Raises:
            ValueError: when there are not so many.
            BrokenPipeError: when nobody holds the other end any more.
            OSError: when this end is closed or for receiving only.
        """
        self._check_writable()
        view = _flat(buf)
        if offset < 0:
            raise ValueError("offset is negative")
        if len(view) < offset:
            raise ValueError("buffer length < offset")
        if size is None:
            size = len(view) - offset
        elif size < 0:
            raise ValueError("size is negative")
        elif offset + size > len(view):
            raise ValueError("buffer length < offset + size")
        self._give(view[offset : offset + size], [], raw=True)

    # -- receiving -----------------------------------------------------------------------------------------------------

    def recv(self) -> ReceiveT:
        """Wait for an object and return it.

        Arrays lie in memory of this process alone, and may be written to.

        Raises:
            EOFError: when there is nothing more and nobody holds the other end; also when only this very process does,
                which could not send while it waits here.
            OSError: when this end is closed or for sending only, or no descriptor was left for a large message.
        """
        self._check_readable()
        received: ReceiveT = _object_in(self._take())
        return received

    async def arecv(self) -> ReceiveT:
        """Wait for an object and return it, as `recv`, without holding up the event loop.

        If it is cancelled no message is lost. One task at a time may wait.

        Raises:
            EOFError, OSError: as for `recv`.
        """
        self._check_readable()
        received: ReceiveT = _object_in(await self._atake())
        return received

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        """Wait for bytes and return them. An object comes as its pickle.

        Args:
            maxlength: the most bytes that may come; if more do, nothing can be received any more. Default: any number.

        Raises:
            EOFError: as for `recv`.
            OSError: when more came, or as for `recv`.
        """
        self._check_readable()
        if maxlength is not None and maxlength < 0:
            raise ValueError("negative maxlength")
        message = self._take()
        try:
            content = _bytes_in(message)
            if maxlength is not None and len(content) > maxlength:
                if self._writable:
                    self._readable = False
                else:
                    self.close()
                raise OSError("bad message length")
            return bytes(content)
        finally:
            message.done()

    def recv_bytes_into(self, buf: Buffer, offset: int = 0) -> int:
        """Wait for bytes and lay them into a buffer.

        Args:
            buf: anything that lends its memory to be written to.
            offset: from which byte of it on. Default: the first.

        Returns:
            How many bytes came.

        Raises:
            multiprocessing.BufferTooShort: when there is no room for them; its argument is what came.
            EOFError, OSError: as for `recv`.
        """
        self._check_readable()
        with _flat(buf) as room:
            if offset < 0:
                raise ValueError("negative offset")
            if offset > len(room):
                raise ValueError("offset too large")
            message = self._take()
            try:
                content = _bytes_in(message)
                if len(room) - offset < len(content):
                    from multiprocessing import BufferTooShort

                    raise BufferTooShort(bytes(content))
                if len(content):
                    room[offset : offset + len(content)] = content
                return len(content)
            finally:
                message.done()

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Say whether there is something to receive, or the other end is gone.

        Args:
            timeout: seconds to wait for it; None waits without a limit. Default: not at all.

        Raises:
            OSError: when this end is closed or for sending only.
        """
        self._check_readable()
        return self._comes_within(timeout)

    # -- the end itself ------------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether this end was closed, in this process."""
        return self._number() < 0

    @property
    def readable(self) -> bool:
        """Whether it receives."""
        return self._readable

    @property
    def writable(self) -> bool:
        """Whether it sends."""
        return self._writable

    def fileno(self) -> int:
        """Return the descriptor (on Windows the handle), to wait for.

        Raises:
            OSError: when it is closed.
        """
        self._check_open()
        return self._number()

    def close(self) -> None:
        """Let go of this end, in this process. Twice is no error."""
        ends.forget(self)
        self._close()

    def close_in_child(self) -> None:
        """Let go of this end, in a forked child that was not passed it."""
        self.close()

    def __enter__(self) -> Self:
        """Close it at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __del__(self) -> None:
        try:
            self.close()
        except (AttributeError, TypeError):  # it was never whole, or the interpreter ends
            pass

    def _check_open(self) -> None:
        if self._number() < 0:
            raise OSError(ends.why_closed(self))

    def _check_readable(self) -> None:
        self._check_open()
        if not self._readable:
            raise OSError("connection is write-only")

    def _check_writable(self) -> None:
        self._check_open()
        if not self._writable:
            raise OSError("connection is read-only")


def _flat(buf: Buffer) -> memoryview:
    view = memoryview(buf)
    return view.cast("B") if view.nbytes else memoryview(b"")  # an empty one cannot be cast


def _object_in(message: Message) -> Any:
    try:
        return pickling.unpickled(message.body, message.buffers)
    finally:
        message.done()


def _bytes_in(message: Message) -> Any:
    """Return the bytes of a message; the pickle of an object, whole."""
    if message.raw or not message.buffers:
        return message.body
    return pickling.pickled(pickling.unpickled(message.body, message.buffers))
