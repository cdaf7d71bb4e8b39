"""Log records of workers reach the handlers of the parent: once, whole, whatever becomes of the worker."""

from __future__ import annotations

import collections
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import forwarded
import pytest

from corewise._engine import forwarding
from corewise._engine.outlet import HALF_SENT, Sender

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "corewise.tests"
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


class Kept(logging.Handler):
    """Keeps records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[Kept]:
    """Give a handler of the parent's root logger."""
    handler = Kept()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.fixture(params=forwarded.METHODS)
def method(request: pytest.FixtureRequest) -> str:
    """Name a way to start a process."""
    return str(request.param)


def test_a_record_arrives_with_the_index_of_its_item(method: str, kept: Kept) -> None:
    """Name, level, template, arguments and process are those of the worker's."""
    forwarded.run(method, forwarded.log, NAME, logging.WARNING, "%s of %d", "one", 2)
    (record,) = kept.records
    assert (record.name, record.levelname, record.getMessage()) == (NAME, "WARNING", "one of 2")
    assert (record.msg, record.args) == ("%s of %d", ("one", 2))
    assert record.corewise_item == forwarded.INDEX
    assert record.process != os.getpid()
    assert record.funcName == "log"


def test_a_record_tells_the_time_on_the_clock_of_its_parent(method: str, kept: Kept) -> None:
    """Seconds since the start count from the parent's start, also where the worker was started afresh."""
    before = logging.makeLogRecord({})
    forwarded.run(method, forwarded.log, NAME, logging.WARNING, "now")
    (record,) = kept.records
    assert before.created <= record.created
    assert before.relativeCreated <= record.relativeCreated <= logging.makeLogRecord({}).relativeCreated


def test_the_levels_of_the_parent_hold_in_the_worker(method: str, kept: Kept) -> None:
    """What the parent would not log is not even sent; what it would, is."""
    logger = logging.getLogger(f"{NAME}.levels")
    assert forwarded.run(method, forwarded.log, logger.name, logging.DEBUG, "too low") == []
    logger.setLevel(logging.DEBUG)
    try:
        assert len(forwarded.run(method, forwarded.log, logger.name, logging.DEBUG, "now heard")) == 1
        logger.disabled = True
        assert forwarded.run(method, forwarded.log, logger.name, logging.ERROR, "switched off") == []
    finally:
        logger.setLevel(logging.NOTSET)
        logger.disabled = False
    assert [record.getMessage() for record in kept.records] == ["now heard"]


def test_an_exception_arrives_with_its_traceback(method: str, kept: Kept) -> None:
    """As text for formatters, and as an exception for handlers that look at it."""
    forwarded.run(method, forwarded.log_failure, NAME)
    (record,) = kept.records
    assert record.exc_text is not None
    assert "in log_failure" in record.exc_text
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)
    assert logging.Formatter().format(record).endswith("KeyError: 'gone'")


def test_handlers_that_a_worker_inherits_are_silent_there(method: str, tmp_path: Path) -> None:
    """A line is written once, by the parent, also where its logger has a handler of its own below the root's."""
    path = tmp_path / "log"
    handler = logging.FileHandler(path)
    logger = logging.getLogger(NAME)
    for one in (logger, logging.getLogger()):
        one.addHandler(handler)
    try:
        forwarded.messages_of(method, forwarded.log, NAME, logging.WARNING, "unheard")
        assert path.read_text("utf-8") == ""
        messages = forwarded.run(method, forwarded.log, NAME, logging.WARNING, "heard")
        assert len(messages) == 1
        assert path.read_text("utf-8") == "heard\n" * 2  # by both loggers, as without a worker
    finally:
        for one in (logger, logging.getLogger()):
            one.removeHandler(handler)
        handler.close()


def test_a_logger_that_keeps_its_records_to_itself_is_heard_too(method: str) -> None:
    """Without propagation its own handler is the only one."""
    handler = Kept()
    logger = logging.getLogger(f"{NAME}.alone")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        forwarded.run(method, forwarded.log, logger.name, logging.WARNING, "alone")
    finally:
        logger.propagate = True
        logger.removeHandler(handler)
    assert [record.getMessage() for record in handler.records] == ["alone"]


def test_a_filter_of_a_logger_sees_a_record_once(method: str, kept: Kept) -> None:
    """In the worker if it is there, else in the parent; one that adds to a record would add twice otherwise."""
    logger = logging.getLogger(f"{NAME}.filtered")

    def count(record: logging.LogRecord) -> bool:
        record.seen = getattr(record, "seen", 0) + 1
        return True

    logger.addFilter(count)
    try:
        forwarded.run(method, forwarded.log, logger.name, logging.WARNING, "once")
    finally:
        logger.removeFilter(count)
    assert [record.seen for record in kept.records] == [1]


def test_a_worker_may_have_handlers_of_its_own(method: str, kept: Kept, tmp_path: Path) -> None:
    """What user code adds in the worker sees the records besides."""
    path = tmp_path / "own"
    forwarded.run(method, forwarded.configure_and_log, NAME, str(path))
    assert path.read_text("utf-8") == "to both\n"
    assert [record.getMessage() for record in kept.records] == ["to both"]


@pytest.mark.parametrize(
    ("kind", "expected", "arguments"),
    [("plain", "argument 3", (3,)), ("list", "argument [1, 2]", None), ("lock", "argument <", None)],
)
def test_an_argument_travels_if_it_is_plain_and_in_words_if_not(
    method: str, kind: str, expected: str, arguments: object, kept: Kept
) -> None:
    """A lock cannot be sent, a list could be long: the message says what they looked like."""
    forwarded.run(method, forwarded.log_argument, NAME, kind)
    first, second = kept.records
    assert first.getMessage().startswith(expected)
    assert first.args == arguments
    assert second.getMessage() == "next"


@pytest.mark.parametrize("method", ["fork", "spawn"])  # the fork server has a standard error of its own
def test_a_message_that_cannot_be_written_is_reported_and_the_next_arrives(
    method: str, kept: Kept, capfd: pytest.CaptureFixture[str]
) -> None:
    """The item goes on, as it does in a plain loop."""
    forwarded.run(method, forwarded.log_argument, NAME, "broken")
    assert [record.getMessage() for record in kept.records] == ["next"]
    assert "ArithmeticError: no words" in capfd.readouterr().err


def test_a_message_may_log_while_it_is_written(method: str, kept: Kept) -> None:
    """The inner line is complete before the outer one."""
    forwarded.run(method, forwarded.log_argument, NAME, "chatty")
    assert [record.getMessage() for record in kept.records] == ["inner", "argument outer", "next"]


def test_fields_of_ones_own_arrive(method: str, kept: Kept) -> None:
    """Where they travel as they are, else in words: a format that names them must find them."""
    forwarded.run(method, forwarded.log_extra, NAME)
    fields = vars(kept.records[0])
    assert (fields["plain"], fields["rich"]) == (1, {"a": [1]})
    assert "lock" in fields["stuck"]


def test_a_line_written_just_before_a_death_arrives(method: str, kept: Kept) -> None:
    """It has left the process before the next instruction."""
    forwarded.run(method, forwarded.log_then_die, NAME)
    assert [record.getMessage() for record in kept.records] == ["last words"]


def test_threads_of_a_worker_do_not_spoil_each_others_lines(method: str) -> None:
    """Every line arrives whole, though each takes several writes, and those of a thread in order."""
    kept = Kept()
    logger = logging.getLogger(f"{NAME}.threads")
    logger.propagate = False
    logger.addHandler(kept)
    try:
        forwarded.run(method, forwarded.log_from_threads, logger.name, 4, 50)
    finally:
        logger.removeHandler(kept)
    lines = collections.defaultdict(list)
    for record in kept.records:
        number, line, text = record.args
        lines[number].append(line)
        assert len(text) == 20_000
    assert lines == {number: list(range(50)) for number in range(4)}


@needs_fork
def test_what_the_function_forks_does_not_speak_over_the_line(kept: Kept, capfd: pytest.CaptureFixture[str]) -> None:
    """Two processes on one line would cut into each other's messages; the fork writes to standard error instead."""
    forwarded.run("fork", forwarded.log_from_a_fork, NAME)
    assert [record.getMessage() for record in kept.records] == ["from the worker"]
    written = capfd.readouterr().err
    assert "from the fork\n" in written
    assert "from the fork too" in written


@needs_fork
def test_a_record_of_an_inner_call_comes_all_the_way_up(kept: Kept) -> None:
    """It names the item of the outermost call: the one that the caller knows."""
    forwarded.run("fork", forwarded.log_in_a_worker_of_its_own, NAME)
    (record,) = kept.records
    assert record.getMessage() == "from deep down"
    assert record.corewise_item == forwarded.INDEX


def test_a_handler_that_raises_does_not_end_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    """It is shown, as logging does it."""

    def refuse(record: logging.LogRecord) -> bool:
        raise OSError("no space left")

    logging.getLogger(NAME).addFilter(refuse)
    try:
        forwarded.run("forkserver", forwarded.log, NAME, logging.WARNING, "lost")
    finally:
        logging.getLogger(NAME).removeFilter(refuse)
    assert "OSError: no space left" in capsys.readouterr().err


def test_a_send_inside_a_send_waits_for_it() -> None:
    """A signal handler or a finalizer may log at any moment, and must neither cut in nor wait for ever."""
    sent: list[object] = []

    def send(message: object) -> None:
        if message == "outer":
            sender("inner")
            sender("innermost")
        sent.append(message)

    sender = Sender(send)
    sender("outer")
    sender("after")
    assert sent == ["outer", "inner", "innermost", "after"]


@needs_fork
def test_a_worker_broken_off_in_the_middle_of_a_message_ends() -> None:
    """Its parent could read nothing that came after half a message."""

    def send(message: object) -> None:
        raise ArithmeticError("from a signal handler")

    pid = os.fork()
    if not pid:
        Sender(send)("message")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == HALF_SENT


def test_a_lost_line_is_no_concern_of_the_function() -> None:
    """Nobody is left to log to."""
    from corewise._engine.outlet import Outlet

    def send(message: object) -> None:
        raise BrokenPipeError

    Outlet(Sender(send), lambda: None).give("log", None)


@pytest.mark.parametrize("loaded", ["", "import logging; ", "import logging, concurrent.futures, asyncio; "])
def test_logging_that_was_never_configured_is_left_alone(loaded: str) -> None:
    """Workers then install nothing; they write to the same standard error in the same form."""
    program = (
        "import warnings; from corewise._engine import forwarding; print(forwarding.surroundings(inherited=True).logs)"
    )
    assert _printed(loaded + program).strip() == "None"


def test_a_program_with_neither_logging_nor_warnings_has_nothing_to_hand_over() -> None:
    """Its workers do nothing for it."""
    program = """
import sys
from corewise._engine import forwarding
for name in ("logging", "warnings"):  # some interpreters load one of them at their start
    sys.modules.pop(name, None)
print(forwarding.surroundings(inherited=False))
"""
    assert _printed(program).strip() == "None"


@pytest.mark.parametrize(
    "setting",
    [
        "logging.basicConfig()",
        "logging.getLogger().setLevel('INFO')",
        "logging.getLogger('a.b').addHandler(logging.StreamHandler())",
        "logging.getLogger('a').disabled = True",
        "logging.disable(logging.CRITICAL)",
    ],
)
def test_any_configuration_is_seen(setting: str) -> None:
    """Handlers, levels and switches."""
    program = "from corewise._engine import forwarding; print(forwarding.surroundings(inherited=True).logs is None)"
    assert _printed(f"import logging; {setting}; {program}").strip() == "False"


CONFIGURES_IN_THE_WORKER = """
import logging, sys
sys.path.insert(0, {folder!r})
import forwarded

def work():
    logging.basicConfig(level=logging.INFO, format="worker says %(message)s", stream=sys.stdout)
    logging.getLogger("a").info("one")
    logging.info("two")

if __name__ == "__main__":
    logging.getLogger("other").addHandler(logging.StreamHandler(sys.stdout))
    print(len(forwarded.run({method!r}, work)), flush=True)
"""


def test_a_worker_may_configure_logging_that_its_parent_has_not(method: str, tmp_path: Path) -> None:
    """`basicConfig` does what it says, and the records are the worker's own affair from there on."""
    path = tmp_path / "program.py"
    text = CONFIGURES_IN_THE_WORKER.format(folder=str(Path(__file__).parent), method=method)
    path.write_text(text, "utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["worker says one", "worker says two", "0"]
    assert done.stderr == ""


def test_a_worker_of_a_program_without_logging_does_not_load_it() -> None:
    """It is dear to import."""
    program = """
import sys, warnings
from corewise._engine import forwarding
from corewise._engine.outlet import Sender
forwarding.install(Sender(print), int, forwarding.surroundings(inherited=False))
print("logging" in sys.modules)
"""
    assert _printed(program).strip() == "False"


def test_a_message_that_makes_no_sense_does_not_end_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is wrong with one is shown."""
    forwarding.handle("log", "nonsense")
    assert "Error" in capsys.readouterr().err


def _printed(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout
