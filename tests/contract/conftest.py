"""What several files of the contract are given."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import corewise

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Do not fail where a write to a file takes long: on a busy machine it may, and an event loop's call says so.

    Many functions of the contract write down what they do, and loops get them as coroutine functions. That it is said,
    and of which calls, is seen to in `test_amap`.
    """
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and item.path.stem != "test_amap":
            item.add_marker(pytest.mark.filterwarnings("ignore:.* held up the event loop"))


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
