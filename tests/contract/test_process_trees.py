"""`Process.kill_tree`: no descendant gets away."""

from __future__ import annotations

import multiprocessing
import os
import time

import corewise
import observe
from corewise._engine.processes import tree


def with_descendants(sending: corewise.Connection[list[int], None]) -> None:
    """Start children of several kinds, one in a session of its own, tell their numbers, and wait."""
    processes = [corewise.Process(target=time.sleep, args=(60,)) for _ in range(2)]
    processes.append(corewise.Process(target=nested_sleepers, args=(sending,)))
    for process in processes:
        process.start()
    apart = os.fork()
    if apart == 0:
        os.setsid()
        time.sleep(60)
    sending.send([apart, *(process.pid or 0 for process in processes)])
    time.sleep(60)


def nested_sleepers(sending: corewise.Connection[list[int], None]) -> None:
    """Start one more, and wait."""
    process = corewise.Process(target=time.sleep, args=(60,))
    process.start()
    sending.send([process.pid or 0])
    time.sleep(60)


def test_kill_tree_kills_all_descendants() -> None:
    """Children, grandchildren, and those in sessions of their own."""
    receiving, sending = corewise.Pipe(duplex=False)
    with receiving, sending:
        process = corewise.Process(target=with_descendants, args=(sending,))
        process.start()
        pids = [*receiving.recv(), *receiving.recv()]
        process.kill_tree()
        process.join()
        assert process.exit_reason == "killed by SIGKILL"
        observe.wait_until_gone(pids)
        assert still_running(pids) == []
        process.kill_tree()  # of what is gone
        process.close()


def still_running(pids: list[int]) -> list[int]:
    """Return which processes have not ended; those that nobody has waited for have."""
    return [pid for pid in pids if tree.Proc().runs(pid)]


def forks_without_end() -> None:
    """Start one child after the other, each of which waits."""
    for _ in range(200):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    time.sleep(60)


def test_kill_tree_outruns_a_process_that_forks() -> None:
    """It is stopped before its children are looked for."""
    ready = multiprocessing.Event()
    process = corewise.Process(target=lambda: (ready.set(), forks_without_end()), start_method="fork")
    process.start()
    ready.wait()
    killed = tree.kill_tree(process.pid or 0, tree.system())
    process.join()
    process.close()
    observe.wait_until_gone(killed)
    assert still_running(killed) == []
    assert not observe.workers()
