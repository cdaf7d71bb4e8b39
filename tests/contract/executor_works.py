"""What the executors of the contract are given to do; at module level, so that worker processes can import it."""

from __future__ import annotations

import contextvars
from typing import Any

CONTEXT = contextvars.ContextVar("CONTEXT", default="default")
INITIALIZED: list[str] = []


class OwnBaseError(BaseException):
    """An exception that is no `Exception`."""


def everything(*args: Any, **kwargs: Any) -> Any:
    """Return what it was called with."""
    return args, kwargs


def double(number: int) -> int:
    """Return twice as much."""
    return 2 * number


def add(one: int, other: int) -> int:
    """Return the sum."""
    return one + other


def fail_at_three(number: int) -> int:
    """Fail for one number."""
    if number == 3:
        raise ValueError(number)
    return number


def raise_it(kind: type[BaseException]) -> None:
    """Raise an exception of that class."""
    raise kind("raised by the test")


def raise_at_three(kind: type[BaseException], number: int) -> int:
    """Raise an exception of that class for one number."""
    if number == 3:
        raise kind
    return number


def recurse(depth: int) -> int:
    """Never come back by itself."""
    return recurse(depth + 1) + 1


def read_context() -> str:
    """Return what the caller has set."""
    return CONTEXT.get()


def change_context() -> None:
    """Change it, which is the call's own affair."""
    CONTEXT.set("changed in a call")


def initialize(word: str) -> None:
    """Note that it was called in this process."""
    INITIALIZED.append(word)


def initialized() -> list[str]:
    """Return what it was called with."""
    return list(INITIALIZED)


def fail_to_initialize() -> None:
    """Fail."""
    raise ValueError("no initialization today")
