"""What is done when an object is dropped that nobody has closed."""

from __future__ import annotations

import gc
import sys
from typing import Any

from corewise._types import dropped
from corewise._types.dropped import WhenDropped


class Owner:
    """Anything that can be dropped."""

    me: Any = None
    when: WhenDropped | None = None


def test_it_is_called_once_when_the_last_reference_goes() -> None:
    """At once, with its arguments; also where the owner alone holds it."""
    told: list[int] = []
    owner = Owner()
    owner.when = WhenDropped(owner, told.append, 7)
    other = owner
    del owner
    assert told == []
    del other
    assert told == [7]
    gc.collect()
    assert told == [7]


def test_it_is_called_for_what_the_garbage_collector_finds() -> None:
    """An owner in a circle."""
    told: list[int] = []
    owner = Owner()
    owner.me = owner
    owner.when = WhenDropped(owner, told.append, 7)
    del owner
    gc.collect()
    assert told == [7]


def test_nothing_at_all_is_called_of_what_was_closed() -> None:
    """So there is nothing that a Ctrl-C could hit and be lost in; and nothing is kept of it."""
    before = len(dropped._calls)
    owner = Owner()
    owner.when = WhenDropped(owner, print)
    assert len(dropped._calls) == before + 1
    owner.when.forget()
    owner.when.forget()
    assert len(dropped._calls) == before
    called: list[str] = []
    sys.setprofile(lambda frame, event, _: called.append(frame.f_code.co_name) if event == "call" else None)
    try:
        del owner
    finally:
        sys.setprofile(None)
    assert called == []
