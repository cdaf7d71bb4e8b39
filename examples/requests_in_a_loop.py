"""Calls that wait, and plain functions that compute, from one event loop that goes on meanwhile.

Prints:
pages: ['page 0', 'page 1', 'page 2'] ...
words: [2, 2, 2]
the first long page: page 100
"""

import asyncio
from collections.abc import AsyncIterator

import corewise


async def fetch(number: int) -> str:
    """Stand for a request by an async client of this loop."""
    await asyncio.sleep(0.005)
    return f"page {number}"


def count_words(page: str) -> int:
    """Stand for work that computes: it runs in worker processes, never in the loop."""
    return len(page.split())


async def addresses() -> AsyncIterator[int]:
    """Give inputs as they come, without an end."""
    number = 0
    while True:
        await asyncio.sleep(0)
        yield number
        number += 1


async def main() -> None:
    """Use both verbs."""
    async with asyncio.timeout(60):
        pages = await corewise.amap(fetch, range(500))
        print("pages:", pages[:3], "...")
        print("words:", (await corewise.amap(count_words, pages, approach="processes", workers=2))[:3])
        async with corewise.astream(fetch, addresses(), workers=50) as results:
            async for page in results:
                if len(page) > len("page 99"):
                    print("the first long page:", page)
                    break


if __name__ == "__main__":
    asyncio.run(main())
