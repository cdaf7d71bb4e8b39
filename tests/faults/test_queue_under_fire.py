"""Whoever is killed at a queue, at whatever moment: the others go on, and lose nothing but what he held."""

from __future__ import annotations

import mmap
import os
import random
import select
import signal
import struct
from collections import Counter, defaultdict
from contextlib import suppress
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Self

import pytest

import corewise
from corewise.errors import QueueClosed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="forks, and kills what it has forked")

ROUNDS = 500
WRITERS = READERS = 4
AT_ONCE = 7  # what a reader takes at once, if it is of those who take many
LONG_S = 10.0  # nothing takes so long unless it hangs (guess)
# Reader, writer, number. Of 16 bytes, as a kill may cut a write off where a page of the file ends.
TAKEN = struct.Struct("=III4x")
MOST_PROCESSES = ROUNDS + WRITERS + READERS


class Fire:
    """A queue with writers and readers, each of which is replaced when it is killed.

    Writers count what they have put in shared memory, as soon as `put` has returned. Readers write down what they have
    taken in one file, each time in one piece.
    """

    def __init__(self, queue: corewise.Queue[Any]) -> None:
        self.queue = queue
        self.put = memoryview(mmap.mmap(-1, 8 * MOST_PROCESSES)).cast("Q")
        self.stop = memoryview(mmap.mmap(-1, 8)).cast("Q")
        self.file = TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `__exit__`
        self.pids: dict[int, tuple[int, Callable[[int], None]]] = {}
        self.started = 0
        self.may_be_lost = 0

    def __enter__(self) -> Self:
        for _ in range(WRITERS):
            self.start(self.write)
        for _ in range(READERS):
            self.start(self.read)
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.file.close()

    def start(self, act: Callable[[int], None]) -> None:
        """Fork a process that does so."""
        number = self.started
        self.started += 1
        pid = os.fork()
        if pid == 0:
            try:
                signal.alarm(0)
                act(number)
            finally:
                os._exit(0)
        self.pids[pid] = number, act

    def write(self, me: int) -> None:
        """Put one, or many, or one that is large."""
        count = 0
        chance = random.Random(me)
        while not self.stop[0]:
            kind = chance.randrange(10)
            if kind == 0:
                self.queue.put_many([(me, count + i) for i in range(AT_ONCE)])
                count += AT_ONCE
            else:
                self.queue.put((me, count, b"x" * 100_000) if kind == 1 else (me, count))
                count += 1
            self.put[me] = count

    def read(self, me: int) -> None:
        """Take one, or many, until the queue is closed."""
        with suppress(QueueClosed):
            while True:
                items = self.queue.get_many(AT_ONCE) if me % 2 else [self.queue.get()]
                os.write(self.file.fileno(), b"".join(TAKEN.pack(me, item[0], item[1]) for item in items))

    def taken_bytes(self) -> int:
        """How much the readers have written down."""
        return os.fstat(self.file.fileno()).st_size

    def shoot(self, chance: random.Random) -> None:
        """Kill one of them at some moment, replace it, and see that the others go on."""
        sleep(chance.random() * 0.004)  # not to wait for anything: any moment may be the one
        pid = chance.choice(list(self.pids))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        _, act = self.pids.pop(pid)
        if act == self.read:
            self.may_be_lost += AT_ONCE
        self.start(act)
        before, until = self.taken_bytes(), monotonic() + LONG_S
        while self.taken_bytes() == before:
            assert monotonic() < until, "the queue hangs"
            sleep(0.0005)

    def finish(self) -> None:
        """Let the writers come to their end, close the queue, and let the readers take what is left."""
        self.stop[0] = 1
        self.wait_for(self.write)
        self.queue.close()
        self.wait_for(self.read)

    def wait_for(self, act: Callable[[int], None]) -> None:
        """Wait for the end of all who do so."""
        until = monotonic() + LONG_S
        for pid in [pid for pid, (_, its) in self.pids.items() if its == act]:
            notice = os.pidfd_open(pid)
            gone, _, _ = select.select([notice], [], [], until - monotonic())
            os.close(notice)
            assert gone, "the queue hangs"
            os.waitpid(pid, 0)
            del self.pids[pid]

    def taken(self) -> Iterator[tuple[int, int, int]]:
        """Each item that was taken: reader, writer, number."""
        self.file.seek(0)
        yield from TAKEN.iter_unpack(self.file.read())


@pytest.mark.timeout(90)
@pytest.mark.parametrize(("transport", "rounds"), [("", ROUNDS), ("portable", 60)])
def test_random_kills_cost_what_the_killed_one_held(
    transport: str, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 4 writers and 4 readers: nobody hangs, nothing comes twice, each writer's items stay in order."""
    monkeypatch.setenv("COREWISE_TRANSPORT", transport)
    chance = random.Random(rounds)
    with Fire(corewise.Queue(50)) as fire:
        for _ in range(rounds):
            fire.shoot(chance)
        fire.finish()
        put = {me: count for me, count in enumerate(fire.put.tolist()) if count}
        last: dict[tuple[int, int], int] = defaultdict(lambda: -1)
        came: Counter[int] = Counter()
        seen: set[tuple[int, int]] = set()
        for reader, writer, number in fire.taken():
            assert number > last[reader, writer], "out of order"
            last[reader, writer] = number
            assert (writer, number) not in seen, "twice"
            seen.add((writer, number))
            came[writer] += number < put.get(
                writer, 0
            )  # beyond it, a writer was killed after the put that it did not count
    lost = sum(count - came[writer] for writer, count in put.items())
    assert 0 <= lost <= fire.may_be_lost
    assert lost < sum(put.values()) / 100
