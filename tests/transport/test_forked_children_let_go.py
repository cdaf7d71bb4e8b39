"""A forked child, by whomever it was forked, holds none of its parent's ends, and its parent keeps them all."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from corewise._engine.pool import ProcessPool
from corewise._transport import channel, forks
from corewise._work.chunk import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are listed in /proc")


def descriptors() -> dict[str, str]:
    """Return what this process has open: by descriptor, what it refers to."""
    found = {}
    for link in list(Path("/proc/self/fd").iterdir()):
        with suppress(FileNotFoundError):  # the one that listed the folder
            found[link.name] = str(link.readlink())
    return found


def own_ends() -> dict[str, str]:
    """Return the descriptors that no child may have."""
    held = descriptors()
    numbers = [end.fileno() if hasattr(end, "fileno") else getattr(end, "fd", None) for end in forks._parents_own]
    return {str(number): held[str(number)] for number in numbers if number is not None}


def in_a_forked_child(look: Callable[[], object]) -> object:
    """Fork by hand, look at something in the child, and return it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as file:
                json.dump(look(), file)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    assert os.waitpid(pid, 0)[1] == 0
    return json.loads(text)


def test_the_ends_of_running_workers_are_closed_in_a_child() -> None:
    """Sockets, lifelines and death notices of each worker, not of the last one only; and what waits for them all."""
    before = descriptors()
    pool = ProcessPool(abs, 3, start_method="fork", keep_going=False)
    for number in range(3):
        pool.submit(Chunk(number, [number], star=False))
    ends = own_ends()
    kinds = Counter(target if target.startswith("anon_inode") else target.split(":")[0] for target in ends.values())
    assert kinds == {"socket": 3, "pipe": 3, "anon_inode:[pidfd]": 3, "anon_inode:[eventpoll]": 1}
    in_child = in_a_forked_child(descriptors)
    assert isinstance(in_child, dict)
    assert {number: target for number, target in ends.items() if in_child.get(number) == target} == {}
    # The pool goes on as if nothing had happened, and holds nothing in the end.
    came = []
    while done := pool.collect(None):
        came += [value for one in done for value in one.values]
    assert sorted(came) == [0, 1, 2]
    pool.close(kill=False)
    assert {number: target for number, target in descriptors().items() if before.get(number) != target} == {}
    assert own_ends() == {}


def test_a_worker_holds_no_end_of_another_worker() -> None:
    """The second is forked while the first is there: it must not keep the lines of the first open."""
    before = set(descriptors().values())
    pool = ProcessPool(_targets, 2, start_method="fork", keep_going=False)
    for number in range(2):
        pool.submit(Chunk(number, [None], star=False))
    lifelines = {target for target in own_ends().values() if target.startswith("pipe:")}
    seen: list[set[str]] = []
    while done := pool.collect(None):
        seen += [set(value) for one in done for value in one.values]
    pool.close(kill=False)
    one, other = seen
    assert len(lifelines) == 2
    assert len(one & lifelines) == len(other & lifelines) == 1
    assert one & other & lifelines == set()
    assert {target for target in one & other if target.startswith("socket:")} <= before


def _targets(_: object) -> list[str]:
    return list(descriptors().values())


def test_a_line_is_closed_in_a_child_and_in_a_child_of_the_child() -> None:
    """And stays open here: what the child closes is its own copy."""
    parent, theirs = channel.pair()
    number = parent.fileno()
    with theirs:
        assert in_a_forked_child(lambda: str(number) in descriptors()) is False
        assert in_a_forked_child(lambda: in_a_forked_child(lambda: str(number) in descriptors())) is False
        worker = channel.WorkerEnd(theirs)
        parent.send("still here")
        assert worker.receive() == "still here"
    parent.close()


def test_what_was_let_go_is_not_closed_again_in_a_child() -> None:
    """Its number may belong to somebody else by then."""
    parent, theirs = channel.pair()
    number = parent.fileno()
    parent.close()
    theirs.close()
    taken = os.open(os.devnull, os.O_RDONLY)
    try:
        assert taken == number, "the lowest free number is given out"
        assert in_a_forked_child(lambda: str(number) in descriptors()) is True
    finally:
        os.close(taken)


def test_a_child_keeps_nothing_to_let_go() -> None:
    """What it opens itself is its own, and what it inherited is forgotten."""
    parent, theirs = channel.pair()
    with theirs:
        assert in_a_forked_child(lambda: len(forks._parents_own)) == 0
        assert parent in forks._parents_own
    parent.close()
    assert parent not in forks._parents_own
