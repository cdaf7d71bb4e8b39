"""Child processes whose log records and warnings come to the tests, by a pipe in the place of a worker's line."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import warnings
from typing import TYPE_CHECKING, Any

from corewise._engine import forwarding
from corewise._engine.outlet import Sender, Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

METHODS = ["fork", "forkserver", "spawn"]
INDEX = 17  # of the item that a child says is running

Message = tuple[str, Any]


class Meant(UserWarning):
    """A category of one's own."""


class Stuck(UserWarning):
    """A warning that cannot be pickled."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lock = threading.Lock()


def messages_of(method: str, body: Callable[..., object], *args: object) -> list[Message]:
    """Run `body` in a child that forwards, and return what it sent, in order, until it ended in whatever way."""
    context: Any = multiprocessing.get_context(method)
    ours, theirs = context.Pipe(duplex=False)
    found = forwarding.surroundings(inherited=method == "fork")
    assert found is not None
    process = context.Process(target=_child, args=(theirs, found, body, args))
    process.start()
    theirs.close()
    messages = []
    with ours:
        try:
            while True:
                messages.append(ours.recv())
        except EOFError:
            process.join()
    process.close()
    return messages


def run(method: str, body: Callable[..., object], *args: object) -> list[Message]:
    """Run `body` in a child that forwards, and have everything handled here. Return what came."""
    messages = messages_of(method, body, *args)
    for kind, data in messages:
        forwarding.handle(kind, data)
    return messages


def _child(line: Connection, found: Surroundings, body: Callable[..., object], args: tuple[object, ...]) -> None:
    forwarding.install(Sender(line.send), lambda: INDEX, found)
    body(*args)


def log(name: str, level: int, text: object, *args: object, **options: Any) -> None:
    """Write one line."""
    logging.getLogger(name).log(level, text, *args, **options)


def log_failure(name: str) -> None:
    """Write a line about an exception."""
    try:
        {}["gone"]
    except LookupError:
        logging.getLogger(name).exception("it failed")


def log_then_die(name: str) -> None:
    """Write one line, and be killed."""
    logging.getLogger(name).warning("last words")
    os.kill(os.getpid(), signal.SIGKILL)


def log_from_threads(name: str, threads: int, lines: int) -> None:
    """Write lines from several threads at once."""

    def talk(number: int) -> None:
        for line in range(lines):
            logging.getLogger(name).warning("%d %d %s", number, line, "x" * 20_000)

    talkers = [threading.Thread(target=talk, args=(number,)) for number in range(threads)]
    for talker in talkers:
        talker.start()
    for talker in talkers:
        talker.join()


def log_from_a_fork(name: str) -> None:
    """Write a line in a process that was forked here, and one here afterwards."""
    pid = os.fork()
    if not pid:
        logging.getLogger(name).warning("from the fork")
        warnings.warn("from the fork too", stacklevel=1)
        os._exit(0)
    os.waitpid(pid, 0)
    logging.getLogger(name).warning("from the worker")


class Broken:
    """Cannot be written."""

    def __str__(self) -> str:
        """Raise."""
        raise ArithmeticError("no words")


class Chatty:
    """Writes a line of its own when it is written."""

    def __str__(self) -> str:
        """Log."""
        logging.getLogger("corewise.tests").warning("inner")
        return "outer"


def log_argument(name: str, kind: str) -> None:
    """Write a line with an argument that is made here, and a plain one."""
    argument: Any = {
        "broken": Broken,
        "chatty": Chatty,
        "lock": threading.Lock,
        "list": lambda: [1, 2],
        "plain": lambda: 3,
    }[kind]()
    logging.getLogger(name).warning("argument %s", argument)
    logging.getLogger(name).warning("next")


def log_extra(name: str) -> None:
    """Write a line with fields of one's own."""
    logging.getLogger(name).warning("extra", extra={"plain": 1, "rich": {"a": [1]}, "stuck": threading.Lock()})


def configure_and_log(name: str, path: str) -> None:
    """Add a handler of the worker's own."""
    logging.getLogger(name).addHandler(logging.FileHandler(path, delay=True))
    logging.getLogger(name).warning("to both")
    logging.shutdown()


def log_in_a_worker_of_its_own(name: str) -> None:
    """Be the parent of another child that forwards."""
    run("fork", log, name, logging.WARNING, "from deep down")


def warn_in_the_tunnel() -> None:
    """Warn by an instance of a category of one's own."""
    warnings.warn(Meant("in the tunnel"), stacklevel=1)


def warn(count: int, category: type[Warning] = UserWarning) -> None:
    """Warn so many times of the same line."""
    for _ in range(count):
        warnings.warn("mind the gap", category, stacklevel=1)


def warn_stuck() -> None:
    """Warn by an instance that cannot travel."""
    warnings.warn(Stuck("in the tunnel"), stacklevel=1)


def warn_or_say(path: str) -> None:
    """Write into a file what a warning has become."""
    try:
        warn(1)
    except UserWarning as error:
        outcome = f"raised {error}"
    else:
        outcome = "went on"
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - as plain as can be
        file.write(outcome)
