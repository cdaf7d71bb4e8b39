"""What child processes do with queues; importable wherever they are started."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import corewise


def put_numbers(queue: corewise.Queue[Any], name: str, count: int) -> None:
    """Put so many numbered items."""
    for number in range(count):
        queue.put((name, number))


def pass_on(source: corewise.Queue[Any], target: corewise.Queue[Any]) -> None:
    """Put whatever comes into another queue, until there is no more."""
    for item in source:
        target.put((os.getpid(), item))


def take_one(queue: corewise.Queue[Any]) -> Any:
    """Take one item."""
    return queue.get(timeout=10)


def take_and_end(queue: corewise.JoinableQueue[Any], count: int) -> None:
    """Take so many items, and be done with one of them."""
    queue.get_many(count)
    queue.task_done()


def put_one(queue: corewise.Queue[Any], item: Any) -> None:
    """Put one item."""
    queue.put(item)
