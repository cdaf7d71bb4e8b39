"""What several files of the contract are given."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest

import corewise

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pool() -> Iterator[corewise.Pool]:
    """Give a pool of two workers."""
    with corewise.Pool(2) as one:
        yield one


@pytest.fixture
def threads_end() -> Iterator[None]:
    """Fail a test after which a thread goes on, whoever still holds the streams."""
    before = set(threading.enumerate())
    yield
    gc.collect()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive(), thread
