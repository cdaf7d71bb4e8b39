"""The lines between processes: a small message there and back, large arrays in and out, and what set each constant.

Everything is measured beside what bounds it: a bare socket, a copy in memory, a pipe. Rounds are interleaved. The best
round is given beside the median: on a machine that does something else, it is the one to compare by.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import statistics
import sys
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

import _results
import numpy as np

from corewise._transport import channel, line, memory, portable
from corewise._transport.blocks import Once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KB, MB = 1000, 1 << 20
TASKS = 16
Figures = dict[str, dict[str, float]]


def _echo(item: Any) -> Any:
    return item


def _add_one(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array + 1


def _look_through(array: np.ndarray[Any, Any]) -> float:
    return float(array[::512].sum())


@contextmanager
def _worker(answer: Callable[[Any], Any], transport: str = "") -> Iterator[channel.ParentEnd]:
    """Give a line to a forked worker that answers each message."""
    os.environ[portable.VARIABLE] = transport
    parent, theirs = channel.pair()
    del os.environ[portable.VARIABLE]
    pid = os.fork()
    if pid == 0:
        end = channel.WorkerEnd(theirs)
        try:
            while True:
                item = end.receive()
                result = answer(item)
                del item
                end.send(result)
                del result
        except (EOFError, OSError):
            os._exit(0)
    theirs.close()
    yield parent
    parent.close()
    os.waitpid(pid, 0)


def _answers(parents: list[channel.ParentEnd]) -> Iterator[tuple[channel.ParentEnd, Any]]:
    """Wait for answers of any worker, sending on what waits."""
    poll = select.poll()
    by_number = {parent.fileno(): parent for parent in parents}
    for number, parent in by_number.items():
        poll.register(number, select.POLLIN | (select.POLLOUT if parent.backlog else 0))
    for number, events in poll.poll():
        if events & select.POLLOUT:
            by_number[number].flush()
        if events & select.POLLIN:
            for message in by_number[number].receive()[0]:
                yield by_number[number], message


def _map(parents: list[channel.ParentEnd], items: list[Any], once: Once | None = None) -> list[Any]:
    """Send all items, two under way for each worker at most; return the answers, which are kept as a map keeps them."""
    waiting, came = iter(items), []
    for parent in parents * 2:
        for item in waiting:
            parent.send(item, once)
            break
    while len(came) < len(items):
        for parent, answer in _answers(parents):
            came.append(answer)
            for item in waiting:
                parent.send(item, once)
                break
    return came


def _told(seconds: dict[str, list[float]], size: int = 0) -> Figures:
    """Return median and best of each; as GB/s too, where there is a size."""
    told: Figures = {}
    for name, values in seconds.items():
        told[name] = {"median_s": statistics.median(values), "best_s": min(values)}
        if size:
            told[name] |= {
                "median_gb_per_s": size / told[name]["median_s"] / 1e9,
                "best_gb_per_s": size / min(values) / 1e9,
            }
    return told


def _interleaved(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            begin = perf_counter()
            kept = work()
            took = perf_counter() - begin
            del kept
            if number:  # the first round is untimed
                seconds[name].append(took)
    return seconds


def small_messages(rounds: int) -> Figures:
    """A small message there and back: a bare socket, and both transports."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        while data := theirs.recv(4096):
            theirs.sendall(data)
        os._exit(0)
    theirs.close()
    poll = select.poll()
    poll.register(ours, select.POLLIN)

    def bare() -> None:
        for _ in range(200):
            ours.send(b"x" * 30)
            poll.poll()
            ours.recv(4096)

    with _worker(_echo) as blocks, _worker(_echo, "portable") as stream:

        def there_and_back(parent: channel.ParentEnd) -> None:
            waits = select.poll()
            waits.register(parent, select.POLLIN)
            for _ in range(200):
                parent.send(("x", 1))
                waits.poll()
                parent.receive()

        seconds = _interleaved(
            {"bare": bare, "blocks": lambda: there_and_back(blocks), "portable": lambda: there_and_back(stream)},
            rounds * 5,
        )
    ours.close()
    os.waitpid(pid, 0)
    return _told({name: [value / 200 for value in values] for name, values in seconds.items()})


def threshold(rounds: int) -> dict[str, Figures]:
    """One array there and back, through the stream and through a block, to see from which size on a block pays."""
    told = {}
    for size in (4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144):
        array = np.ones(size // 8)
        before, line.BLOCK_FROM_BYTES = line.BLOCK_FROM_BYTES, 1
        try:
            with _worker(_echo) as blocks, _worker(_echo, "portable") as stream:
                seconds = _interleaved(
                    {
                        "block": lambda on=blocks, one=array: _map([on], [one] * 50),
                        "stream": lambda on=stream, one=array: _map([on], [one] * 50),
                    },
                    rounds,
                )
        finally:
            line.BLOCK_FROM_BYTES = before
        told[str(size)] = _told({name: [value / 50 for value in values] for name, values in seconds.items()})
    return told


def throughput(rounds: int) -> dict[str, Figures]:
    """Distinct arrays in, and in and out, by two warm workers; beside a copy in memory and a pipe."""
    told = {}
    for size, count in ((80 * KB, 1000), (MB, 200), (64 * MB, 8)):
        arrays = [np.full(size // 8, number, dtype=np.float64) for number in range(min(count, 100))]
        items = [arrays[number % len(arrays)] for number in range(count)]
        copy = np.empty_like(arrays[0])
        works: dict[str, Callable[[], object]] = {
            "memory copy": lambda items=items, copy=copy: [np.copyto(copy, one) for one in items],
            "pipe": lambda items=items: _through_a_pipe(items),
        }
        with _worker(_look_through) as one, _worker(_look_through) as two:
            works["in"] = lambda items=items, on=[one, two]: _map(on, items)
            with _worker(_add_one) as three, _worker(_add_one) as four:
                works["in and out"] = lambda items=items, on=[three, four]: _map(on, items)
                with _worker(_add_one, "portable") as five, _worker(_add_one, "portable") as six:
                    works["in and out, portable"] = lambda items=items, on=[five, six]: _map(on, items)
                    seconds = _interleaved(works, rounds)
        told[str(size)] = _told({name: [value / count for value in values] for name, values in seconds.items()}, size)
    return told


def _through_a_pipe(items: list[np.ndarray[Any, Any]]) -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        space = bytearray(1 << 20)
        while os.readv(reading, [space]):
            pass
        os._exit(0)
    os.close(reading)
    for item in items:
        data = memoryview(item).cast("B")
        while data:
            data = data[os.write(writing, data) :]
    os.close(writing)
    os.waitpid(pid, 0)


def copying_out(rounds: int) -> dict[str, Figures]:
    """A result out of a block into private memory, when results are kept."""
    told = {}
    for size in (MB // 4, MB, 2 * MB, 4 * MB, 16 * MB, 64 * MB):
        count = max(2, min(64, 128 * MB // size))
        fd = memory.filled(size, [(0, memoryview(bytes(size)))])
        mapping = memory.Mapping(fd, size)
        os.close(fd)

        def huge(mapping: memory.Mapping = mapping, size: int = size) -> memoryview:
            before, memory.HUGE_FROM_BYTES = memory.HUGE_FROM_BYTES, 1
            fresh = memory.private_memory(size)
            memory.HUGE_FROM_BYTES = before
            fresh[:] = mapping.view()
            return fresh

        seconds = _interleaved(
            {
                "bytearray": lambda mapping=mapping, count=count: [bytearray(mapping.view()) for _ in range(count)],
                "huge pages": lambda huge=huge, count=count: [huge() for _ in range(count)],
            },
            rounds,
        )
        mapping.close()
        told[str(size)] = _told({name: [value / count for value in values] for name, values in seconds.items()}, size)
    return told


def new_blocks(rounds: int) -> Figures:
    """Filling 64 MiB of a new block, by writing and through a mapping; and using it again for the first time."""
    size = 64 * MB
    data = memoryview(bytes(range(256)) * (size // 256))
    seconds: dict[str, list[float]] = {
        name: [] for name in ("write", "through a mapping", "first reuse", "first reuse, touched", "later reuse")
    }
    for touched in [False, True] * rounds:
        begin = perf_counter()
        fd = memory.filled(size, [(0, data)])
        seconds["write"].append(perf_counter() - begin)
        mapping = memory.Mapping(fd, size)
        os.close(fd)
        view = mapping.view()
        begin = perf_counter()
        if touched:
            view[:: 1 << 16].tobytes()
        view[:] = data
        seconds["first reuse, touched" if touched else "first reuse"].append(perf_counter() - begin)
        begin = perf_counter()
        view[:] = data
        seconds["later reuse"].append(perf_counter() - begin)
        del view
        mapping.close()
        begin = perf_counter()
        fd = os.memfd_create("benchmark")
        os.posix_fallocate(fd, 0, size)
        mapping = memory.Mapping(fd, size)
        mapping.view()[:] = data
        seconds["through a mapping"].append(perf_counter() - begin)
        os.close(fd)
        mapping.close()
    return _told(seconds, size)


def one_to_many(rounds: int) -> dict[str, Figures]:
    """One array to 16 tasks on two warm workers: copied for each, noticed at the second, and known beforehand."""
    told = {}
    for size in (MB // 4, MB // 2, MB, 4 * MB, 64 * MB):
        array = np.ones(size // 8)
        items = [array] * TASKS

        def under_a_scope(on: list[channel.ParentEnd], known: set[int], items: list[Any] = items) -> None:
            with Once(known) as scope:
                _map(on, items, scope)

        with _worker(_look_through) as one, _worker(_look_through) as two:
            on = [one, two]
            seconds = _interleaved(
                {
                    "copied": lambda on=on, items=items: _map(on, items),
                    "noticed": lambda on=on, run=under_a_scope: run(on, set()),
                    "known": lambda on=on, run=under_a_scope, array=array: run(on, {id(array)}),
                },
                rounds,
            )
        told[str(size)] = _told(seconds, size * TASKS)
    return told


def _show(title: str, figures: dict[str, Any]) -> None:
    print(f"\n{title}")
    for name, values in figures.items():
        if "median_s" not in values:
            for inner, told in values.items():
                _row(f"{int(name):>12,}  {inner}", told)
        else:
            _row(name, values)


def _row(name: str, told: dict[str, float]) -> None:
    speed = f"{told['median_gb_per_s']:9.2f} GB/s, best {told['best_gb_per_s']:.2f}" if "best_gb_per_s" in told else ""
    print(f"  {name:36}{told['median_s'] * 1e6:12.1f} µs, best {told['best_s'] * 1e6:12.1f}{speed}")


def main(arguments: list[str] | None = None) -> int:
    """Measure, write benchmarks/results/transport.json and print a table.

    Returns:
        0; 1 on a system without blocks.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default: 7)")
    rounds = parser.parse_args(arguments).rounds
    if sys.platform != "linux":
        print("this benchmark is about what only Linux has")
        return 1
    parts: dict[str, Callable[[int], dict[str, Any]]] = {
        "a small message there and back": small_messages,
        "threshold": threshold,
        "throughput": throughput,
        "copying out": copying_out,
        "a new block": new_blocks,
        "one buffer to many": one_to_many,
    }
    figures: dict[str, Any] = {"rounds": rounds}
    for title, measure in parts.items():
        figures[title] = measure(rounds)
        _show(title, figures[title])
    print("\nwritten to", _results.write("transport", figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
