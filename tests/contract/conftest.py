"""What several files of the contract are given."""

from __future__ import annotations

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
