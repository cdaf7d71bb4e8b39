"""Works that wait: for clocks, servers, programs and files; and such that compute between their waits."""

from __future__ import annotations

import sqlite3
from time import sleep

from _choice_work import SPIN_MS, Case, Work, over, spin

_SERVER = """
import asyncio
async def answer(reader, writer):
    line = await reader.readline()
    await asyncio.sleep(0.01)
    writer.write(b"answer to " + line)
    writer.close()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
_PORT: list[int] = []


def sleep_long(number: int) -> int:
    """Wait 0.15 s."""
    sleep(0.15)
    return number


def sleep_5ms(number: int) -> int:
    """Wait 5 ms."""
    sleep(0.005)
    return number


def sleep_1ms(number: int) -> int:
    """Wait 1 ms."""
    sleep(0.001)
    return number


def ask(number: int) -> bytes:
    """Ask the server, which answers after 10 ms."""
    import socket

    with socket.create_connection(("127.0.0.1", _PORT[0]), timeout=10) as line:
        line.sendall(b"%d\n" % number)
        parts = []
        while part := line.recv(1000):
            parts.append(part)
        return b"".join(parts)


def with_server() -> Case:
    """Start a server in a process of its own, so that it takes no part in the GIL of its callers."""
    import subprocess
    import sys

    server = subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True)
    _PORT[:] = [int(server.stdout.readline()) if server.stdout else 0]

    def close() -> None:
        server.kill()
        server.communicate()

    return Case(ask, list(range(60)), 60, close=close)


def read(path: str) -> int:
    """Read a file that the system has in memory."""
    with open(path, "rb") as file:  # noqa: PTH123 - what most programs do
        return sum(file.read()[::1000])


def with_files() -> Case:
    """Read each of a hundred files of 20 kB eighty times."""
    import os
    import tempfile

    folder = tempfile.TemporaryDirectory(prefix="corewise-")
    paths = [os.path.join(folder.name, f"{number}.bin") for number in range(100)]  # noqa: PTH118 - plain texts travel
    for number, path in enumerate(paths):
        with open(path, "wb") as file:  # noqa: PTH123 - as above
            file.write(bytes([number]) * 20_000)
    return Case(read, paths * 80, 8000, close=folder.cleanup)


def wait_for_program(number: int) -> int:
    """Run a program that waits 30 ms and gives the number back."""
    import subprocess

    done = subprocess.run(["/bin/sh", "-c", f"sleep 0.03; exit {number}"], check=False)
    return done.returncode


def query(seed: int) -> int:
    """Fill a table in memory and ask it."""
    base = sqlite3.connect(":memory:")
    try:
        base.execute("create table sale (item integer, amount integer)")
        base.executemany("insert into sale values (?, ?)", ((n % 97, n + seed) for n in range(3000)))
        rows = base.execute("select item, sum(amount) from sale group by item order by 2 desc limit 5").fetchall()
        return sum(amount for _, amount in rows)
    finally:
        base.close()


def half_waits(number: int) -> int:
    """Wait 5 ms, then compute for as long."""
    sleep(0.005)
    return spin(5 * SPIN_MS + number)


def waits_mostly(number: int) -> int:
    """Wait 8 ms, then compute for a quarter of that."""
    sleep(0.008)
    return spin(2 * SPIN_MS + number)


def either(number: int) -> int:
    """Wait 8 ms with an even number; compute for as long with an odd one."""
    if number % 2:
        return spin(8 * SPIN_MS + number)
    sleep(0.008)
    return number


WORKS = {
    "sleep_150ms": Work("waiting, 8 items of 150 ms", over(sleep_long, range(8))),
    "sleep_5ms": Work("waiting, 200 items of 5 ms", over(sleep_5ms, range(200))),
    "sleep_1ms": Work("waiting, 1,000 items of 1 ms", over(sleep_1ms, range(1000))),
    "server": Work("a server that answers after 10 ms", with_server),
    "files": Work("reading files that are in memory", with_files),
    "programs": Work("waiting for programs of 30 ms", over(wait_for_program, range(24))),
    "sqlite": Work("SQLite in memory", over(query, range(100))),
    "half_waits": Work("half waiting, half computing", over(half_waits, range(60))),
    "waits_mostly": Work("four fifths waiting, one computing", over(waits_mostly, range(100))),
    "either": Work("items that wait, and items that compute", over(either, range(80))),
}
