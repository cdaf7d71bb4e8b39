"""What workers run, and objects that misbehave while they travel: a crash gallery."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
import time
from typing import Any

from signposts import hold, say

# How a worker may end, and how its error must tell it.
DEATHS = {
    "SIGKILL": "killed by SIGKILL",
    "SIGTERM": "killed by SIGTERM",
    "SIGABRT": "killed by SIGABRT",
    "SIGSEGV": "killed by SIGSEGV",
    "SIGBUS": "killed by SIGBUS",
    "exit 0": "exited with code 0",
    "exit 3": "exited with code 3",
    "exit of C": "exited with code 4",
    "out of CPU time": "killed by SIG(KILL|XCPU)",
}


def die(how: str) -> None:
    """End this process."""
    if how == "exit 0":
        os._exit(0)
    if how == "exit 3":
        os._exit(3)
    if how == "exit of C":
        ctypes.CDLL(None).exit(4)  # handlers registered in C are run, Python's are not
    if how == "SIGSEGV":
        ctypes.string_at(0)
    if how == "SIGABRT":
        os.abort()
    if how == "out of CPU time":
        resource.setrlimit(resource.RLIMIT_CPU, (0, 0))
        while True:
            pass
    os.kill(os.getpid(), getattr(signal, how))


def square(number: int) -> int:
    """Compute a little."""
    return number * number


def log_and_square(path: str, number: int) -> int:
    """Leave one line for every run."""
    log(path, number)
    return number * number


def log(path: str, text: object) -> None:
    """Append one line to a file, in one piece."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.write(descriptor, f"{text}\n".encode())
    os.close(descriptor)


def same(item: Any) -> Any:
    """Return what came."""
    return item


def kind(item: object) -> str:
    """Say what came."""
    return type(item).__name__


def meet(says: str, gate: str) -> int:
    """Say which process this is, and go on when told to."""
    say(says, os.getpid())
    hold(gate)
    return os.getpid()


def meet_and_die(says: str, gate: str, how: str) -> None:
    """Say which process this is, and end it when told to."""
    meet(says, gate)
    die(how)


def say_and_sleep(says: str) -> None:
    """Say which process this is, and never end."""
    say(says, os.getpid())
    while True:
        signal.pause()


def log_and_die_at(path: str, bad: int, number: int) -> int:
    """Leave one line for every run; one number ends the process."""
    log(path, number)
    if number == bad:
        die("SIGKILL")
    return number * number


_filled = bytearray()


def log_and_fill(path: str, size_bytes: int, bad: int | None, number: int) -> bytearray:
    """Leave one line for every run, and fill anew what was returned before; one number ends the process."""
    log(path, number)
    if number == bad:
        die("SIGKILL")
    _filled[:] = bytes([number]) * size_bytes
    return _filled


def leave_grandchild_and_die(says: str) -> None:
    """Die, and leave a forked process that holds whatever this one had open."""
    if os.fork() == 0:
        say(says, os.getpid())
        sleep_for_ever()
    die("SIGKILL")


def close_descriptors(number: int) -> int:
    """Close whatever this worker has open, but its standard streams."""
    os.closerange(3, 1024)
    return number


def exit_with(code: object) -> None:
    """Leave as a program would."""
    sys.exit(code)


def send_after_saying(says: str, size_bytes: int) -> bytes:
    """Say which process this is, and send much."""
    data = bytes(size_bytes)
    say(says, os.getpid())
    return data


def allocate_beyond_limit() -> int:
    """Run out of address space, and give the limit back."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes() + (64 << 20), before[1]))
    try:
        return len(bytearray(1 << 30))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def limit_address_space(more_bytes: int) -> None:
    """Let this process grow by so much and no more."""
    resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes() + more_bytes, resource.RLIM_INFINITY))


def address_space_bytes() -> int:
    """Return how large this process is."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - short of memory, the fewer objects the better
        return int(file.read().split()[0]) * resource.getpagesize()


def length(data: bytes) -> int:
    """Take a large argument."""
    return len(data)


def recurse(number: int) -> int:
    """Recurse without end."""
    return recurse(number + 1)


def nest(depth: int) -> list[object]:
    """Return a list nested so deep."""
    result: list[object] = []
    for _ in range(depth):
        result = [result]
    return result


def raise_named(name: str) -> None:
    """Raise one of the odd exceptions."""
    raise ODD_EXCEPTIONS[name]


class NeedsTwo(Exception):
    """Pickles, but cannot be unpickled."""

    def __init__(self, one: str = "this", two: str = "that") -> None:
        super().__init__(f"{one} and {two}")

    def __reduce__(self) -> tuple[object, ...]:
        return _needs_two, ("only one",)


def _needs_two(one: str, two: str) -> NeedsTwo:
    return NeedsTwo(one, two)


class HoldsLock(Exception):
    """Cannot be pickled."""

    def __init__(self) -> None:
        super().__init__("holding a lock")
        self.lock = threading.Lock()


class KillsReader(Exception):
    """Would end the process that unpickles it as it is."""

    def __init__(self) -> None:
        super().__init__("do not open")

    def __reduce__(self) -> tuple[object, ...]:
        return exit_with, ("opened",)


class OwnBase(BaseException):
    """Is no `Exception`."""

    def __init__(self) -> None:
        super().__init__("of my own")


class Silent(Exception):
    """Raises when it is asked what it says."""

    def __str__(self) -> str:
        raise RuntimeError("not telling")

    __repr__ = __str__


ODD_EXCEPTIONS: dict[str, type[BaseException]] = {
    "NeedsTwo": NeedsTwo,
    "HoldsLock": HoldsLock,
    "KillsReader": KillsReader,
    "OwnBase": OwnBase,
    "Silent": Silent,
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": SystemExit,
    "GeneratorExit": GeneratorExit,
    "StopIteration": StopIteration,
}


class OnCrossing:
    """Does something while it is pickled in the process `pid`, or while it is unpickled anywhere.

    Args:
        at: ``"pickle"`` or ``"unpickle"``.
        fn: what it does; what it returns stands for the object on the other side.
        arguments: for `fn`.
    """

    def __init__(self, at: str, fn: Any, *arguments: Any) -> None:
        self.at, self.fn, self.arguments = at, fn, arguments

    def __reduce__(self) -> tuple[object, ...]:
        if self.at == "pickle":
            self.fn(*self.arguments)
            return (int, ())
        return self.fn, self.arguments


def fail(text: str = "on purpose") -> None:
    """Raise."""
    raise ValueError(text)


def make_crossing(at: str, what: str) -> object:
    """Return a result that misbehaves on its way home."""
    return troublesome(at, what)


def troublesome(at: str, what: str) -> object:
    """Return an object that misbehaves while it is pickled or unpickled."""
    if what == "raises":
        return OnCrossing(at, fail)
    if what == "exits":
        return OnCrossing(at, exit_with, 77)
    if what == "raises a BaseException":
        return OnCrossing(at, raise_named, "OwnBase")
    if what == "interrupts":
        return OnCrossing(at, raise_named, "KeyboardInterrupt")
    if what == "recurses":
        return OnCrossing(at, recurse, 0)
    return OnCrossing(at, die, what)


def sleep_for_ever() -> None:
    """Wait in the kernel."""
    while True:
        signal.pause()


def sleep_stubbornly() -> None:
    """Wait, and take no hint."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    sleep_for_ever()


def spin() -> None:
    """Compute for ever."""
    while True:
        pass


def hold_the_gil() -> None:
    """Compute for minutes in C, where no other thread of the process gets a word in."""
    (1 << 40_000_000) ** 9


ENDLESS = {"asleep": sleep_for_ever, "stubborn": sleep_stubbornly, "spinning": spin, "in C": hold_the_gil}


def endless_at(how: str, bad: int, number: int) -> int:
    """Take for ever at one number."""
    if number == bad:
        ENDLESS[how]()
    return number * number


def log_and_endless_at(path: str, how: str, bad: int, number: int) -> int:
    """Leave one line for every run, and take for ever at one number."""
    log(path, number)
    return endless_at(how, bad, number)


def rest(seconds: float) -> float:
    """Wait a little."""
    time.sleep(seconds)
    return seconds


def rest_and_tell(seconds: float) -> int:
    """Wait a little, and say which process this is."""
    time.sleep(seconds)
    return os.getpid()


def zeros(size_bytes: int) -> bytes:
    """Return much."""
    return bytes(size_bytes)


def freeze() -> None:
    """Stop this process, as Ctrl-Z does."""
    os.kill(os.getpid(), signal.SIGSTOP)


def squares_by_executor(numbers: list[int]) -> list[int]:
    """Run an executor inside a worker."""
    import corewise

    with corewise.ProcessExecutor(2) as executor:
        return list(executor.map(square, numbers))


def sleep_in_inner_executor(says: str) -> None:
    """Have an inner worker say its process id and this one's, and sleep for ever."""
    import corewise

    with corewise.ProcessExecutor(1) as executor:
        executor.submit(_say_both_and_sleep, says, os.getpid()).result()


def _say_both_and_sleep(says: str, outer: int) -> None:
    say(says, f"{os.getpid()} {outer}")
    sleep_for_ever()


def fork_and_return() -> str:
    """Return twice: here, and in a forked copy of this process."""
    return "child" if os.fork() == 0 else "parent"


def initializer_fails() -> None:
    """Raise."""
    raise ValueError("no worker is good enough")
