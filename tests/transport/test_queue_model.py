"""A queue does what a list does, in whatever order items come and go, while its memory grows, shrinks and wraps."""

from __future__ import annotations

import queue as standard
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import corewise
from corewise._transport.queues import log, putting
from corewise.errors import QueueClosed

PLAIN = st.one_of(st.integers(), st.text(max_size=20), st.none(), st.tuples(st.integers(), st.binary(max_size=40)))
ITEMS = st.one_of(
    PLAIN,
    st.binary(max_size=300),
    st.integers(60_000, 70_000).map(bytes),
    st.lists(st.integers(), max_size=5),
    st.integers(0, 20_000).map(np.arange),
)


@pytest.fixture(autouse=True)
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with very little memory, so that a few items fill it."""
    monkeypatch.setattr(log, "_FIRST_SLOTS", 4)
    monkeypatch.setattr(log, "_FIRST_BYTES", 64)
    monkeypatch.setattr(log, "SMALL_BYTES", 256)
    monkeypatch.setattr(putting, "SMALL_BYTES", 256)
    monkeypatch.setattr(putting, "_SPARE_PUTS", 3)


def same(one: Any, other: Any) -> bool:
    """Whether two items are equal, arrays as well."""
    return type(one) is type(other) and np.array_equal(one, other)


class Model(RuleBasedStateMachine):
    """A queue beside a list."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[Any] = []
        self.closed = False

    @initialize(maxsize=st.sampled_from([0, 1, 5, 40]), kind=st.sampled_from([corewise.Queue, corewise.JoinableQueue]))
    def make(self, maxsize: int, kind: type[corewise.Queue[Any]]) -> None:
        """Open it."""
        self.maxsize = maxsize or 1 << 62
        self.queue = kind(maxsize)

    @property
    def room(self) -> int:
        """How many more fit."""
        return self.maxsize - len(self.expected)

    @rule(item=ITEMS)
    def put(self, item: Any) -> None:
        """Put one."""
        error = QueueClosed if self.closed else standard.Full if not self.room else None
        if error is None:
            self.queue.put(item, timeout=1)
            self.expected.append(item)
        else:
            with pytest.raises(error):
                self.queue.put_nowait(item)

    @rule(items=st.one_of(st.lists(PLAIN, max_size=30), st.lists(ITEMS, max_size=8)))
    def put_many(self, items: list[Any]) -> None:
        """Put many, or as many as fit."""
        if self.closed and items:
            with pytest.raises(QueueClosed):
                self.queue.put_many(items)
        elif len(items) <= self.room:
            self.queue.put_many(items, timeout=1)
            self.expected += items
        else:
            room = self.room
            with pytest.raises(standard.Full) as raised:
                self.queue.put_many(items, block=False)
            assert raised.value.put == room  # type: ignore[attr-defined]
            self.expected += items[:room]

    @rule()
    def get(self) -> None:
        """Take one."""
        if self.expected:
            assert same(self.queue.get(timeout=1), self.expected.pop(0))
        else:
            with pytest.raises(QueueClosed if self.closed else standard.Empty):
                self.queue.get_nowait()

    @rule(limit=st.integers(1, 50))
    def get_many(self, limit: int) -> None:
        """Take many."""
        if self.expected:
            taken, self.expected = self.expected[:limit], self.expected[limit:]
            came = self.queue.get_many(limit, timeout=1)
            assert len(came) == len(taken)
            assert all(map(same, came, taken))
        else:
            with pytest.raises(QueueClosed if self.closed else standard.Empty):
                self.queue.get_many(limit, block=False)

    @precondition(lambda self: len(self.expected) > 3)
    @rule()
    def close(self) -> None:
        """Close it."""
        self.queue.close()
        self.closed = True

    @invariant()
    def counts(self) -> None:
        """It knows what is in it."""
        if not hasattr(self, "queue"):
            return
        assert self.queue.qsize() == len(self.expected)
        assert self.queue.empty() is (not self.expected)
        assert self.queue.full() is (self.room == 0)
        told = self.queue.statistics()
        assert told.waiting == told.put - told.taken == len(self.expected)
        assert (told.waiting_bytes == 0) is (not self.expected)


def test_a_queue_is_like_a_list() -> None:
    """Whatever is done to both."""
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(Model, settings=settings(max_examples=120, stateful_step_count=40, deadline=None))
