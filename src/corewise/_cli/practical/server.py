"""A small HTTP server on loopback, in a process of its own, that answers every request after a delay.

It prints its port as soon as it listens, and ends when the process that started it is gone, whatever ended that one::

    python -m corewise._cli.practical.server DELAY_S PARENT_PID
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from functools import partial


async def answer(delay_s: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one GET request with a text made from its path, then close the connection.

    Args:
        delay_s: seconds to wait before the answer.
        reader: where the request comes from.
        writer: where the answer goes to.
    """
    try:
        request = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0].split(b" ")
        await asyncio.sleep(delay_s)
        status, body = _status_and_body(request)
        head = b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        writer.write(head % (status, len(body)) + body)
        await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        pass  # the caller went away, or does not speak HTTP; it concerns nobody else
    finally:
        writer.close()


def _status_and_body(request: list[bytes]) -> tuple[bytes, bytes]:
    match request:
        case [b"GET", path, version] if version.startswith(b"HTTP/1."):
            if path.startswith(b"/item/"):
                return b"200 OK", b"you asked for " + path + b"\n"
            return b"404 Not Found", b"there is nothing but /item/...\n"
    return b"400 Bad Request", b"only GET is understood\n"


async def serve(delay_s: float, parent: int) -> None:
    """Listen on a port that the kernel chooses, print it, and serve until the parent is gone.

    Args:
        delay_s: seconds that each answer takes.
        parent: process id of the process that started this one.
    """
    server = await asyncio.start_server(partial(answer, delay_s), "127.0.0.1", 0, backlog=512)
    end_with_parent(parent)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how the parent learns the port
    await server.serve_forever()


def end_with_parent(parent: int) -> None:
    """See to it that this process ends when its parent is gone, by two ways.

    Standard input ends when the last holder of its other end is gone; that works everywhere, but processes forked by
    the parent hold it too, and may outlive it for a moment or longer. A pidfd tells of the parent alone; Linux has it.
    """
    threading.Thread(target=_end_with_input, daemon=True).start()
    if sys.platform == "linux":
        try:
            handle = os.pidfd_open(parent)
        except ProcessLookupError:
            _end()  # gone before it could be watched
        except OSError:
            return  # a kernel before 5.3; standard input has to do
        else:
            asyncio.get_running_loop().add_reader(handle, _end)


def _end_with_input() -> None:
    while os.read(0, 4096):
        pass
    _end()


def _end() -> None:
    os._exit(0)  # nothing to save, and those who wait for an answer are gone


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), int(sys.argv[2])))
