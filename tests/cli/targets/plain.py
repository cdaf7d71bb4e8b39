"""Functions and items that are in order."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = [1, 2, 3]
ENDLESS = itertools.count()


def square(number: int) -> int:
    """Return the square."""
    return number * number


def area(width: int, height: int) -> int:
    """Return the area; takes two arguments."""
    return width * height


def length(text: object) -> int:
    """Return the length of the text form."""
    return len(str(text))


async def square_async(number: int) -> int:
    """Return the square, after a pause in which others may run."""
    await asyncio.sleep(0.001)
    return number * number


def numbers() -> Iterator[int]:
    """Yield the items."""
    yield from NUMBERS


class Shape:
    """Has a function of its own."""

    @staticmethod
    def corners(sides: int) -> int:
        """Return the number of corners."""
        return sides
