"""What a function uses beside its arguments that belongs to this process: found by name, or nothing is moved."""

from __future__ import annotations

import asyncio
import functools
import json
import math
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from corewise._measure.live import live_object

if TYPE_CHECKING:
    from collections.abc import Callable


class Client:
    """Stands for one with open connections."""

    shared: Any = None

    async def get(self, number: int) -> int:
        """Stand for a request."""
        await asyncio.sleep(0)
        return number


class WithClient:
    """Keeps a client in the class."""

    client = Client()


client = Client()
gate = asyncio.Semaphore(3)
lock = threading.Lock()
LIMITS = {"most": 3, "names": "ab"}
NAME = re.compile("a+")


async def plain(number: int, most: int = 3) -> float:
    """Use modules, classes of libraries, constants and tables of them."""
    await asyncio.sleep(0)
    return math.sqrt(len(json.dumps({str(number): LIMITS["most"]})) + most + bool(NAME.match("aa")))


async def by_helper(number: int) -> float:
    """Call others of this module."""
    return await plain(helper(number))


def helper(number: int) -> int:
    """Compute."""
    return by_helper_too(number) if number < 0 else number


def by_helper_too(number: int) -> int:
    """Call back, as recursive functions do."""
    return helper(-number)


async def by_client(number: int) -> int:
    """Use a client of the module."""
    return await client.get(number)


async def by_helper_with_client(number: int) -> int:
    """Use it at one remove, in a function inside."""

    async def inner() -> int:
        return await by_client(number)

    return await inner()


async def by_gate(number: int) -> int:
    """Wait for a semaphore."""
    async with gate:
        return number


async def by_lock(number: int) -> int:
    """Hold a lock."""
    with lock:
        return number


async def by_class(number: int) -> int:
    """Use a client that a class has."""
    return int(await WithClient.client.get(number))


async def with_default(number: int, client: Client = client) -> int:
    """Use one that is a default."""
    return await client.get(number)


def closure() -> Callable[..., Any]:
    """Return a function that has captured a client."""
    own = Client()

    async def fn(number: int) -> int:
        return await own.get(number)

    return fn


@pytest.mark.parametrize("fn", [plain, by_helper, functools.partial(plain, most=4)])
def test_modules_functions_and_constants_are_none(fn: Callable[..., Any]) -> None:
    """They are the same in every process."""
    assert live_object(fn) is None


@pytest.mark.parametrize(
    ("fn", "name"),
    [
        (by_client, "client"),
        (by_helper_with_client, "client"),
        (by_gate, "gate"),
        (by_lock, "lock"),
        (by_class, "client"),
        (with_default, "Client"),
        (closure(), "own"),
        (client.get, "method"),
        (functools.partial(plain, most=client), "Client"),
    ],
)
def test_what_may_hold_a_connection_or_a_bound_is_named(fn: Callable[..., Any], name: str) -> None:
    """Wherever it comes from."""
    assert live_object(fn) == name
