"""Waiting for a descriptor in an event loop."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Future


async def readable(fd: int) -> None:
    """Wait until there is something to read. One task at a time may wait for a descriptor."""
    import asyncio

    loop = asyncio.get_running_loop()
    came: Future[None] = loop.create_future()
    loop.add_reader(fd, _settle, came)
    try:
        await came
    finally:
        loop.remove_reader(fd)


async def writable(fd: int) -> None:
    """Wait until there is room to write. One task at a time may wait for a descriptor."""
    import asyncio

    loop = asyncio.get_running_loop()
    came: Future[None] = loop.create_future()
    loop.add_writer(fd, _settle, came)
    try:
        await came
    finally:
        loop.remove_writer(fd)


def _settle(came: Future[None]) -> None:
    if not came.done():
        came.set_result(None)
