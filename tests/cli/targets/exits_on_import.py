"""A program without a guard: it ends the one who imports it."""

import sys


def square(number: int) -> int:
    """Return the square."""
    return number * number


sys.exit(square(2))
