"""Download, parse, store: three streams, each run by what fits it, and each the input of the next.

Nothing is read further ahead than the buffers hold, and the first failure ends all three.

Prints:
    150 pages stored
    page 77 is missing (item 77: 77); 77 pages stored
    at most 64 pages between the first stage and the last: True
    threads left: 0
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from functools import partial

import corewise

DATABASE = sqlite3.connect(":memory:")
AHEAD: list[int] = []


def numbers() -> Iterator[int]:
    """Name the pages, and note how far that is ahead of the last stage."""
    for number in range(150):
        AHEAD.append(number - stored())
        yield number


def request(missing: int, number: int) -> str:
    """Wait for a page: threads do that well (or asyncio, with an async client)."""
    time.sleep(0.002)
    if number == missing:
        raise LookupError(f"page {number} is missing")
    return f"page {number} " * 50


def parse(page: str) -> tuple[str, int]:
    """Compute in Python: processes do that on all cores."""
    return max(page.split(), key=page.count), len(page)


def store(row: tuple[str, int]) -> None:
    """Use one connection, from the thread that opened it: the plain loop does that."""
    DATABASE.execute("INSERT INTO pages VALUES (?, ?)", row)


def stored() -> int:
    """Count the rows."""
    return int(DATABASE.execute("SELECT COUNT(*) FROM pages").fetchone()[0])


if __name__ == "__main__":
    for missing in (-1, 77):
        DATABASE.executescript("DROP TABLE IF EXISTS pages; CREATE TABLE pages (word, length)")
        download = partial(request, missing)
        pages = corewise.stream(download, numbers(), approach="threads", workers=8, buffer=32)
        rows = corewise.stream(parse, pages, approach="processes", workers=2, buffer=32)
        try:
            print(sum(1 for _ in corewise.stream(store, rows, approach="sync")), "pages stored")
        except LookupError as error:
            print(f"{error} ({error.__notes__[0]}); {stored()} pages stored")
    print("at most 64 pages between the first stage and the last:", max(AHEAD) <= 32 + 32)
    print("threads left:", threading.active_count() - 1)
