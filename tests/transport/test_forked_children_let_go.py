"""A forked child, by whomever it was forked, holds none of its parent's ends, and its parent keeps them all."""

from __future__ import annotations

import json
import os
import sys
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
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:  # the one that listed the folder
            continue
    return found


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
    """Sockets, death notices and lifelines; of each worker, not of the last one only."""
    before = descriptors()
    pool = ProcessPool(abs, 3, start_method="fork", keep_going=False)
    for number in range(3):
        pool.submit(Chunk(number, [number], star=False))
    held = {name: target for name, target in descriptors().items() if before.get(name) != target}
    kinds = sorted(target.split(":")[0] for target in held.values())
    assert kinds.count("socket") == 3
    assert kinds.count("pipe") == 3
    in_child = in_a_forked_child(descriptors)
    assert isinstance(in_child, dict)
    inherited = {name: target for name, target in held.items() if in_child.get(name) == target}
    # A ledger is no end of anything: whoever else has it mapped keeps nobody waiting.
    assert all("corewise-ledger" in target for target in inherited.values()), inherited
    # The pool goes on as if nothing had happened.
    came = []
    while done := pool.collect(None):
        came += [value for one in done for value in one.values]
    assert sorted(came) == [0, 1, 2]
    pool.close(kill=False)
    assert {name: target for name, target in descriptors().items() if before.get(name) != target} == {}


def test_a_worker_holds_no_end_of_another_worker() -> None:
    """The second is forked while the first is there: it must not keep the line of the first open."""
    pool = ProcessPool(_sockets_and_pipes, 2, start_method="fork", keep_going=False)
    for number in range(2):
        pool.submit(Chunk(number, [None], star=False))
    seen: list[list[str]] = []
    while done := pool.collect(None):
        seen += [value for one in done for value in one.values]
    pool.close(kill=False)
    one, other = map(set, seen)
    here = set(descriptors().values())
    assert not (one & other) - here, "two workers share an end"


def _sockets_and_pipes(_: object) -> list[str]:
    return [target for target in descriptors().values() if target.startswith(("socket:", "pipe:"))]


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
