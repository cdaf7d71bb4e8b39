"""A server on loopback, in a process of its own, that slows down the more calls it has at once.

It answers each line with itself. Up to so many calls at once each takes the same time; beyond that each takes as many
times as long as the square of how far they are beyond it, so that the server as a whole does less the more it is asked.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

_PROGRAM = """
import asyncio, sys
at_once, clean_s, now = int(sys.argv[1]), float(sys.argv[2]), 0
async def answer(reader, writer):
    global now
    line = await reader.readline()
    now += 1
    await asyncio.sleep(clean_s * max(1.0, now / at_once) ** 2)
    now -= 1
    writer.write(line)
    writer.close()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


class Server:
    """A running server.

    Args:
        at_once: calls at once up to which it is not slowed down.
        clean_s: seconds that a call takes then.
    """

    def __init__(self, at_once: int, clean_s: float) -> None:
        command = [sys.executable, "-c", _PROGRAM, str(at_once), str(clean_s)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._process.stdout is None:
            raise RuntimeError("it was started with a pipe")
        self.port = int(self._process.stdout.readline())

    def ask(self, number: int) -> int:
        """Ask, and wait for the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as line:
            line.sendall(b"%d\n" % number)
            return int(line.recv(100))

    async def ask_later(self, number: int) -> int:
        """Do the same as a coroutine function."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"%d\n" % number)
        answer = await reader.readline()
        writer.close()
        return int(answer)

    def close(self) -> None:
        """End it."""
        self._process.communicate("")
