"""However a stream ends, nothing of it is left: no process, no thread, no descriptor, no hold on the input."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import signal
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

import programs
import pytest
import works
from ways import WAYS

import corewise

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest) -> str:
    """Name a way to run."""
    return str(request.param)


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    """Fail a test after which a thread goes on, beyond the moment that it needs to end."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive(), thread


def stream(way: str, fn: Callable[..., Any], *iterables: Any, **options: Any) -> corewise.Stream:
    """Stream a function by a way."""
    if way == "asyncio":
        plain = fn

        async def fn(*args: Any) -> Any:
            await asyncio.sleep(0)
            return plain(*args)

    return corewise.stream(fn, *iterables, **{**WAYS[way], **options})


class Watched:
    """A generator of endless numbers that tells whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def numbers(self) -> Iterator[int]:
        """Give 0, 1, 2, ..."""
        try:
            yield from itertools.count()
        finally:
            self.closed = True


def test_a_loop_that_breaks_ends_it(way: str) -> None:
    """The last reference goes with the loop, and the generator that was its input is closed."""
    watched = Watched()
    for result in stream(way, works.square, watched.numbers(), buffer=20):
        if result == 25:
            break
    assert watched.closed


def test_an_exception_in_the_loop_ends_it(way: str) -> None:
    """As soon as it has left the loop."""
    watched = Watched()

    def consume() -> None:
        for result in stream(way, works.square, watched.numbers(), buffer=20):
            if result == 25:
                raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        consume()
    assert watched.closed


def test_closing_ends_it_for_good(way: str) -> None:
    """Once or twice."""
    watched = Watched()
    results = stream(way, works.square, watched.numbers(), buffer=20)
    next(results)
    results.close()
    assert watched.closed
    results.close()
    assert list(results) == []


def test_a_with_block_closes_it(way: str) -> None:
    """Also one that is kept."""
    watched = Watched()
    with stream(way, works.square, watched.numbers(), buffer=20) as results:
        next(results)
    assert watched.closed
    assert next(results, None) is None
    assert results.stats.items >= 1


def test_an_input_that_somebody_else_holds_is_left_where_it_is(way: str) -> None:
    """As the built-in map leaves it."""
    watched = Watched()
    numbers = watched.numbers()
    with stream(way, works.square, numbers, buffer=4) as results:
        next(results)
    assert not watched.closed
    assert next(numbers) <= 5
    numbers.close()


def test_a_stream_in_a_circle_of_references_ends_with_the_garbage(way: str) -> None:
    """It holds itself by an attribute, as objects of larger programs do."""
    results: Any = stream(way, works.square, itertools.count(), buffer=20)
    next(results)
    results.itself = results
    alive = weakref.ref(results)
    del results
    gc.collect()
    assert alive() is None


def test_a_stream_that_was_never_read_holds_nothing(way: str) -> None:
    """Dropped or closed."""
    watched = Watched()
    results = stream(way, works.square, watched.numbers())
    next_one = stream(way, works.square, results)
    del results, next_one
    with stream(way, works.square, watched.numbers()) as unread:
        pass
    assert list(unread) == []


@pytest.mark.parametrize("on_error", ["raise", "return"])
def test_a_failure_is_not_kept_alive_by_the_stream(way: str, on_error: str) -> None:
    """An exception that was dropped goes away without waiting for the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        alive = _reference_to_failure(way, on_error)
        assert alive() is None
    finally:
        gc.enable()


def _reference_to_failure(way: str, on_error: str) -> weakref.ref[BaseException]:
    results = stream(way, works.raise_tracked, range(10), on_error=on_error)
    for _ in range(3):
        next(results)
    try:
        error = next(results)
        for _ in results:
            pass
    except works.Tracked as raised:
        return weakref.ref(raised)
    assert isinstance(error, works.Tracked)
    return weakref.ref(error)


def test_a_stream_is_read_by_one_at_a_time() -> None:
    """A second reader is refused, as by a generator; the first one is not harmed."""
    inside, go_on = threading.Event(), threading.Event()

    def fn(number: int) -> int:
        inside.set()
        assert go_on.wait(15)
        return number

    results = corewise.stream(fn, range(3), approach="sync")
    taken: list[int] = []
    reader = threading.Thread(target=lambda: taken.extend(results))
    reader.start()
    assert inside.wait(15)
    with pytest.raises(ValueError, match="being read already"):
        next(results)
    with pytest.raises(ValueError, match="being read already"):
        results.close()
    go_on.set()
    reader.join()
    assert taken == [0, 1, 2]


def test_an_input_that_reads_its_own_stream_is_refused(way: str) -> None:
    """It could never end."""

    def numbers() -> Iterator[int]:
        yield 1
        yield next(results)

    results = stream(way, works.square, numbers(), buffer=1)
    assert next(results) == 1
    with pytest.raises(ValueError, match="being read already"):
        next(results)
    assert list(results) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("way", ["processes-fork", "processes-spawn", "sync"])
def test_a_child_that_is_forked_does_not_end_its_parents_stream(way: str) -> None:
    """It has a copy of the object, which it may drop but not read."""
    results = stream(way, works.square, itertools.count(), buffer=8)
    assert next(results) == 0
    child = os.fork()
    if child == 0:
        code = 1
        try:
            next(results)
            next(results)
            for _ in range(20):
                next(results)
        except RuntimeError as error:
            code = 0 if "belongs to process" in str(error) else 2
        finally:
            results.__exit__(None, None, None)
            del results
            gc.collect()
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert list(itertools.islice(results, 99)) == [number * number for number in range(1, 100)]
    results.close()


# -- whole programs ----------------------------------------------------------------------------------------------------

CONSUMER = """
import itertools, os, sys, time
import corewise

def work(number):
    if number < 2:
        os.write(1, f"{{os.getpid()}}\\n".encode())  # in one piece, as two workers write to one pipe
        time.sleep(0.1)
    return number

async def never():
    import asyncio
    await asyncio.sleep(600)

async def work_later(number):
    return number

if __name__ == "__main__":
    fn = work_later if {approach!r} == "asyncio" else work
    results = corewise.stream(fn, itertools.count(), approach={approach!r}, workers=2, buffer=50, chunksize=1)
    for result in results:
        if result == 30:
            {then}
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Collect programs that are killed, whatever happens."""
    found: list[subprocess.Popen[str]] = []
    yield found
    for process in found:
        programs.kill_group(process)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are watched by pidfd")
@pytest.mark.parametrize("approach", ["processes", "threads", "asyncio"])
@pytest.mark.parametrize("end", ["sys.exit(7)", "break", "raise SystemExit(7)", "1 / 0"])
def test_a_program_that_ends_in_the_midst_of_a_stream_ends(
    started: list[subprocess.Popen[str]], tmp_path: Path, approach: str, end: str
) -> None:
    """Although the stream is still held by the main module, and its workers wait for more."""
    process = programs.start_in(tmp_path, CONSUMER.format(approach=approach, then=end))
    started.append(process)
    output, problems = process.communicate(timeout=15)
    assert process.returncode == {"break": 0, "1 / 0": 1}.get(end, 7), problems
    assert problems.count("Traceback") == ("1 / 0" in end), problems
    if approach == "processes":
        assert programs.gone_within([int(line) for line in output.split()], 5) == []


@pytest.mark.skipif(sys.platform != "linux", reason="processes are watched by pidfd")
@pytest.mark.parametrize("approach", ["processes", "threads", "asyncio"])
@pytest.mark.parametrize("where", ["in the loop", "in next"])
def test_ctrl_c_ends_it(started: list[subprocess.Popen[str]], tmp_path: Path, approach: str, where: str) -> None:
    """Whether it comes upon the consumer or upon the stream: one traceback, and no worker is left."""
    then = 'print("here", flush=True)' + ("; time.sleep(600)" if where == "in the loop" else "")
    text = CONSUMER.format(approach=approach, then=then)
    if where == "in next":
        text = text.replace("return number\n\nif", "return await never() if number > 40 else number\n\nif")
        text = text.replace("return number\n", "return time.sleep(600) if number > 40 else number\n")
    process = programs.start_in(tmp_path, text)
    started.append(process)
    lines = programs.wait_for_lines(process, 3 if approach != "asyncio" else 1)
    assert "here" in lines
    os.killpg(process.pid, signal.SIGINT)
    _, problems = process.communicate(timeout=15)
    assert process.returncode in (130, -signal.SIGINT), problems
    assert problems.count("Traceback") == 1, problems
    assert problems.rstrip().endswith("KeyboardInterrupt"), problems
    if approach == "processes":
        assert programs.gone_within([int(line) for line in lines if line != "here"], 5) == []


INTERRUPTED = """
import itertools, os, signal, sys, time
import corewise

to_read, to_write = os.pipe()
finger = os.fork()  # not a thread: that would change the start method
if not finger:
    while told := os.read(to_read, 1):
        time.sleep(0.002 * told[0])
        os.kill(os.getppid(), signal.SIGINT)
    os._exit(0)

def press(after):
    os.write(to_write, bytes([after]))

swallowed = 0

def press_again(told):
    # Python swallows what is raised in the callback of a weak reference, as those of its import system are, and a
    # Ctrl-C that hits one with it. Then it is pressed again, as a user would; not more often than twice in all, and
    # later, as what is raised in here is swallowed too.
    global swallowed
    assert told.exc_type is KeyboardInterrupt and swallowed < 2, told
    swallowed += 1
    press(after=5)

sys.unraisablehook = press_again

def work(number):
    return number * number

for round_ in range(30):
    results = corewise.stream(work, itertools.count(), approach="processes", workers=2, buffer=100)
    try:
        press(after=round_)
        for _ in results:
            pass
    except KeyboardInterrupt:
        pass
    results.close()
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        assert file.read().split() == [str(finger)], "a worker was left"
    assert len(os.listdir("/proc/self/fd")) < 16, "descriptors were left"
os.kill(finger, signal.SIGKILL)
print("all done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what is left is read from /proc")
def test_an_interrupt_at_any_moment_ends_a_stream_and_leaves_nothing(started: list[subprocess.Popen[str]]) -> None:
    """Thirty streams in one program, each interrupted a little later in its life."""
    process = programs.start(INTERRUPTED)
    started.append(process)
    output, problems = process.communicate(timeout=18)
    assert (output, problems) == ("all done\n", "")
