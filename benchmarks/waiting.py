"""Calls that wait: how many at once does corewise find, and what does that cost beside the best fixed number?

Its rows: blocking calls that get in nobody's way, beside pools of threads; a server that does the less the more it is
asked to, beside fixed numbers of threads and of coroutines; coroutines that await once, beside a bare `TaskGroup`. The
ways of a row are interleaved. With ``--add`` the figures are added to those that are stored, so that rounds may be run
when the machine is quiet.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import _results
from _waiting_server import Server

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable

    Ways = dict[str, Callable[[], object]]

BLOCKING = 600
POOLS = (None, 32, 128, 300)
AT_ONCE, CLEAN_S = 24, 0.02  # the server serves 1,200 calls a second then, and 300 with four times as many
CALLS = 4000
FIXED = (16, 24, 32)  # more of them do so much less that a round would take minutes
AWAITS = 100_000


def wait(number: int) -> int:
    """Block for 20 ms."""
    sleep(0.02)
    return number


async def await_once(number: int) -> int:
    """Give way once."""
    await asyncio.sleep(0)
    return number


def _pool(workers: int | None) -> None:
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(wait, range(BLOCKING)))


def _blocking() -> Ways:
    ways: Ways = {f"ThreadPoolExecutor({number or ''})": lambda number=number: _pool(number) for number in POOLS}
    ways["map"] = lambda: corewise.map(wait, range(BLOCKING))
    ways["map by threads"] = lambda: corewise.map(wait, range(BLOCKING), approach="threads")
    return ways


def _asked(server: Server, approach: str, workers: int | None = None) -> None:
    fn: Any = server.ask_later if approach == "asyncio" else server.ask
    corewise.map(fn, range(CALLS), approach=approach, workers=workers)


def _by_threads(server: Server) -> Ways:
    ways: Ways = {f"{number} threads": lambda number=number: _asked(server, "threads", number) for number in FIXED}
    return ways | {"map": lambda: _asked(server, "auto"), "map by threads": lambda: _asked(server, "threads")}


def _by_coroutines(server: Server) -> Ways:
    ways: Ways = {f"{number} coroutines": lambda number=number: _asked(server, "asyncio", number) for number in FIXED}
    return ways | {"map": lambda: _asked(server, "asyncio")}


async def _group() -> list[int]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(await_once(number)) for number in range(AWAITS)]
    return [task.result() for task in tasks]


async def _amap() -> list[int]:
    return await corewise.amap(await_once, range(AWAITS))


def _awaits() -> Ways:
    return {"TaskGroup": lambda: asyncio.run(_group()), "amap": lambda: asyncio.run(_amap())}


def _rows() -> dict[str, Callable[[Server], Ways]]:
    return {
        f"{BLOCKING} blocking calls of 20 ms": lambda _: _blocking(),
        f"{CALLS} calls of a server that slows down, by threads": _by_threads,
        f"{CALLS} calls of a server that slows down, by coroutines": _by_coroutines,
        f"{AWAITS:,} coroutines that await once": lambda _: _awaits(),
    }


def _time(ways: Ways, rounds: int, taken: dict[str, list[float]]) -> None:
    for _ in range(rounds):
        for name, run in ways.items():
            begin = perf_counter()
            run()
            taken.setdefault(name, []).append(perf_counter() - begin)
            sleep(0.1)  # what the server still has to close


def _show(row: str, taken: dict[str, list[float]]) -> None:
    print(row)
    for name, seconds in taken.items():
        low, median, high = min(seconds), statistics.median(seconds), max(seconds)
        print(f"    {name:<24} {median:7.3f} s   ({low:.3f} to {high:.3f}, {len(seconds)} rounds)")


def main() -> None:
    """Measure, show and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds (3)")
    parser.add_argument("--row", default="", metavar="TEXT", help="only rows with this in their name")
    parser.add_argument("--add", action="store_true", help="add to the figures that are stored")
    asked = parser.parse_args()
    stored = _results.FOLDER / "waiting.json"
    before = json.loads(stored.read_text("utf-8"))["seconds"] if asked.add and stored.exists() else {}
    figures: dict[str, dict[str, list[float]]] = before
    server = Server(AT_ONCE, CLEAN_S)
    try:
        for row, ways in _rows().items():
            if asked.row in row:
                _time(ways(server), asked.rounds, figures.setdefault(row, {}))
                _show(row, figures[row])
    finally:
        server.close()
    print(_results.write("waiting", {"seconds": figures}))


if __name__ == "__main__":
    main()
