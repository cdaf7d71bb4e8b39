"""What holds of ``approach="auto"`` whatever it chooses, and so whatever the clock says while it measures.

Where a test needs work that is worth moving, what is left behind the first items takes some tenths of a second; nothing
here depends on how fast that is done.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sqlite3
import subprocess
import sys
import threading
import time
import zlib
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import corewise
from corewise._api.trials import same
from corewise._types.choice import APPROACHES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MS = 20_000  # rounds of `spin` that take about a millisecond


def spin(rounds: int) -> int:
    """Compute in Python."""
    total = 0
    for number in range(rounds):
        total += number * number
    return total


def fib(number: int) -> int:
    """Call itself."""
    return number if number < 2 else fib(number - 1) + fib(number - 2)


def parse(text: str) -> Any:
    """Parse JSON and return all of it."""
    return json.loads(text)


def nap(number: int) -> int:
    """Wait 4 ms."""
    time.sleep(0.004)
    return number


def nap_and_spin(number: int) -> int:
    """Wait, then compute."""
    time.sleep(0.003)
    return spin(3 * MS) + number


def nap_or_spin(number: int) -> int:
    """Wait with an even number, compute with an odd one."""
    return spin(4 * MS) + number if number % 2 else nap(number)


def query(seed: int) -> Any:
    """Ask a database in memory."""
    base = sqlite3.connect(":memory:")
    try:
        base.execute("create table sale (item integer, amount integer)")
        base.executemany("insert into sale values (?, ?)", ((n % 97, n + seed) for n in range(2000)))
        return base.execute("select item, sum(amount) from sale group by item order by 2 desc").fetchall()
    finally:
        base.close()


def root(number: int) -> Decimal:
    """Compute a logarithm to 300 digits."""
    return Context(prec=300).ln(Decimal(number))


def run_program(number: int) -> int:
    """Run a program."""
    return subprocess.run(["/bin/sh", "-c", f"exit {number}"], check=False).returncode


def start_thread(number: int) -> int:
    """Start a thread of its own and wait for it."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(spin(2 * MS) + number))
    thread.start()
    thread.join()
    return found[0]


def multiply(seed: int) -> Any:
    """Multiply matrices, by which BLAS keeps all cores busy. Whole numbers, so no rounding differs."""
    matrix = (np.arange(40_000, dtype=np.float64).reshape(200, 200) + seed) % 10
    return matrix @ matrix


def as_coroutine(fn: Callable[[int], int]) -> Callable[[int], Any]:
    """Return it as a coroutine function that waits a little first."""

    async def later(number: int) -> int:
        await asyncio.sleep(0.001)
        return fn(number)

    return later


TEXT = "the quick brown fox jumps over the lazy dog " * 400

# Holds today, and has to hold of whatever comes: the results of the plain loop.
KINDS: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "nothing": (spin, []),
    "one item": (spin, [MS]),
    "tiny": (abs, list(range(-20_000, 0))),
    "tiny, few": (spin, [300 + number for number in range(20)]),
    "python": (spin, [2 * MS + number for number in range(120)]),
    "python, few": (spin, [60 * MS + number for number in range(4)]),
    "recursion": (fib, [19, 18, 20] * 20),
    "decimal": (root, list(range(2, 300))),
    "json": (parse, [json.dumps([{"n": n, "seed": seed}] * 300) for seed in range(100) for n in range(2)]),
    "regex": (lambda n: re.findall(r"\b\w*o\w+\b", TEXT[n:]), list(range(80))),
    "strings": (lambda n: ",".join(f"{one + n:06x}" for one in range(5000)), list(range(100))),
    "sorting": (lambda n: sorted((one * 7919 + n) % 10_007 for one in range(10_000)), list(range(60))),
    "hashing": (lambda n: hashlib.sha256(bytes(2_000_000) + bytes([n])).digest(), list(range(60))),
    "compression": (lambda n: zlib.compress(TEXT.encode() * 5 + bytes([n])), list(range(100))),
    "numpy small": (lambda n: np.arange(10.0) * n - 1, list(range(10_000))),
    "numpy large": (lambda n: np.sqrt(np.arange(500_000.0) + n), list(range(40))),
    "blas": (multiply, list(range(100))),
    "large arguments": (np.sum, [np.full(500_000, number, np.float64) for number in range(30)]),
    "sleep": (nap, list(range(60))),
    "waits, then computes": (nap_and_spin, list(range(40))),
    "waits or computes": (nap_or_spin, list(range(50))),
    "programs": (run_program, list(range(40))),
    "sqlite": (query, list(range(60))),
    "threads of its own": (start_thread, list(range(50))),
    "one giant": (spin, [MS] * 40 + [150 * MS] + [MS] * 40),
    "first heavy": (spin, [100 * MS] + [5] * 5000),
    "first light": (spin, [5] * 2000 + [3 * MS] * 60),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_results_are_those_of_the_plain_loop(kind: str) -> None:
    """Work of every nature and shape, cut wherever the choice falls."""
    fn, items = KINDS[kind]
    results = corewise.map(fn, items)
    assert same(list(results), list(map(fn, items)))


@pytest.mark.parametrize("kind", ["python", "sleep", "tiny", "first light", "nothing"])
def test_an_input_of_unknown_length_gives_the_same(kind: str) -> None:
    """A generator is read once, each item is run."""
    fn, items = KINDS[kind]
    given = 0

    def giving() -> Iterator[Any]:
        nonlocal given
        for item in items:
            given += 1
            yield item

    assert list(corewise.map(fn, giving())) == list(map(fn, items))
    assert given == len(items)


@pytest.mark.parametrize("fn", [abs, lambda number: spin(3 * MS) + number], ids=["waits", "computes"])
def test_a_coroutine_function_gives_what_awaiting_it_gives(fn: Callable[[int], int]) -> None:
    """Also where it computes more than it waits, so that another approach may run it."""
    assert corewise.map(as_coroutine(fn), range(60)) == [fn(number) for number in range(60)]


def test_each_item_is_run_once_across_the_sample_and_what_comes_behind_it(tmp_path: Any) -> None:
    """What was measured is not run again: each call leaves a line, wherever it was run."""
    log = tmp_path / "log"

    def note(number: int) -> int:
        with log.open("ab", buffering=0) as file:
            file.write(b"%d\n" % number)
        return spin(2 * MS) + number

    corewise.map(note, range(120))
    assert sorted(int(line) for line in log.read_bytes().split()) == list(range(120))


@pytest.mark.parametrize("failing", [0, 1, 100], ids=["the first", "in the sample", "behind the sample"])
@pytest.mark.parametrize("work", [lambda: spin(2 * MS), lambda: time.sleep(0.002)], ids=["computes", "waits"])
def test_a_failure_is_the_one_of_the_plain_loop_and_names_its_item(failing: int, work: Callable[[], object]) -> None:
    """Whether it is met while the first items are measured, or behind them."""

    def fails(number: int) -> int:
        work()
        if number >= failing:
            raise LookupError(f"no {number}")
        return number

    with pytest.raises(LookupError, match=rf"^no {failing}\b") as caught:
        corewise.map(fails, range(120))
    assert any(f"item {failing}: {failing}" in note for note in caught.value.__notes__)


def test_a_function_that_cannot_travel_is_run_all_the_same() -> None:
    """It captures a lock; what cannot be sent is no reason to fail when nobody asked for processes."""
    lock = threading.Lock()

    def guarded(number: int) -> int:
        with lock:
            return spin(2 * MS) + number

    assert corewise.map(guarded, range(80)) == [spin(2 * MS) + number for number in range(80)]


def test_the_first_call_may_fill_a_cache() -> None:
    """The others find it, in whichever process they are run."""
    cache: dict[str, int] = {}

    def cached(number: int) -> int:
        if "base" not in cache:
            cache["base"] = spin(60 * MS)
        return cache["base"] + spin(MS) + number

    expected = spin(60 * MS) + spin(MS)
    assert corewise.map(cached, range(120)) == [expected + number for number in range(120)]


def test_a_switch_interval_that_the_function_sets_stays_set() -> None:
    """What measures must not take it for its own and put the old one back."""
    before = sys.getswitchinterval()

    def shorten(number: int) -> int:
        sys.setswitchinterval(before / 2)
        return number

    try:
        assert corewise.map(shorten, range(20)) == list(range(20))
        assert sys.getswitchinterval() == pytest.approx(before / 2, rel=0.01)
    finally:
        sys.setswitchinterval(before)


def test_a_map_leaves_the_switch_interval_as_it_was() -> None:
    """Also one that goes on elsewhere behind its sample."""
    before = sys.getswitchinterval()
    corewise.map(spin, [2 * MS] * 60)
    assert sys.getswitchinterval() == before


@pytest.mark.parametrize("kind", ["python", "sleep", "tiny", "one giant"])
def test_the_choice_says_what_was_chosen_and_why(kind: str) -> None:
    """It is data, with a sentence beside it, for every work."""
    choice = corewise.map(*KINDS[kind]).choice
    assert choice.asked == "auto"
    assert choice.approach in APPROACHES
    assert choice.workers >= 1
    assert choice.code
    assert len(choice.why.split()) > 4


def test_waiting_goes_to_threads() -> None:
    """Whoever sleeps takes no CPU time, however busy the machine is."""
    program = "import time, corewise\nprint(corewise.map(lambda number: time.sleep(0.004), range(100)).choice.approach)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "threads\n"


def test_waiting_beside_native_threads_that_spin_is_waiting() -> None:
    """Threads of OpenBLAS go on turning for some milliseconds after a product, and are not what the items do."""
    multiply(1)
    assert corewise.map(nap, range(100)).choice.approach == "threads"


def test_tiny_work_stays_in_the_caller() -> None:
    """A third of a millisecond in all: no workers, no processes."""
    results = corewise.map(spin, [300] * 20)
    assert (results.choice.approach, results.stats.workers) == ("sync", 1)


def test_tiny_work_loads_nothing_that_only_workers_need() -> None:
    """A fresh program that maps a few numbers has loaded neither multiprocessing nor asyncio."""
    program = (
        "import sys, corewise\n"
        "corewise.map(abs, range(20))\n"
        "print(sorted({'multiprocessing', 'asyncio', 'concurrent.futures'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_a_map_in_another_thread_than_the_main_one_gives_the_same() -> None:
    """As in a web server, where each request has a thread."""
    results: list[Any] = []
    threads = [
        threading.Thread(
            target=lambda fn=fn, items=items: results.append(corewise.map(fn, items) == list(map(fn, items)))
        )
        for fn, items in (KINDS["python"], KINDS["sleep"])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True, True]
