"""The functions of the practical cases. Workers import this file, so it loads nothing before a call needs it."""

from __future__ import annotations

_BLOCK_BYTES = 1024 * 1024
_BLOCKS = 128


def sum_of_squares(limit: int) -> int:
    """Return the sum of the squares of all numbers below `limit`: computing in Python, which holds the GIL."""
    return sum(number * number for number in range(limit))


def hash_of_blocks(seed: int) -> str:
    """Return the SHA-256 of 128 MiB made from `seed`: computing in C, which releases the GIL.

    One block is made here and hashed over and over, so that no data need to be moved between processes.
    """
    from hashlib import sha256

    block = seed.to_bytes(8, "big") * (_BLOCK_BYTES // 8)
    state = sha256()
    for _ in range(_BLOCKS):
        state.update(block)
    return state.hexdigest()


def fetch(url: str) -> str:
    """Return the text at an address; the caller waits until it is there.

    Raises:
        OSError: when there is no answer, or another status than 200.
    """
    from urllib import request

    # Not urlopen(): a proxy meant for the internet would not find a server on this machine, and the default handlers
    # load all certificates of the system for each opener since Python 3.12: some 40 ms of computing, for plain HTTP.
    opener = request.OpenerDirector()
    for handler in (request.HTTPHandler, request.HTTPErrorProcessor, request.HTTPDefaultErrorHandler):
        opener.add_handler(handler())
    with opener.open(url, timeout=30) as response:
        return str(response.read().decode())


async def fetch_async(url: str) -> str:
    """Return the text at an address; others run while this one waits.

    Raises:
        OSError: when there is no answer, or another status than 200.
    """
    import asyncio
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode("ascii"))
        async with asyncio.timeout(30):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            if head[0].split(" ")[1] != "200":
                raise OSError(f"{url} answered {head[0]!r}")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            return (await reader.readexactly(int(headers["content-length"]))).decode()
    finally:
        writer.close()
        await writer.wait_closed()


def collatz_steps(number: int) -> int:
    """Return how often a number is halved, or tripled and increased by one, until it is 1: a matter of microseconds."""
    steps = 0
    while number > 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps += 1
    return steps
