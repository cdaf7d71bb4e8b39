"""What a forked process does: what the standard library has it do, with fewer pages to copy.

Whatever is looked at for the first time after a fork may cost a page or two: the modules that the standard library
imports again, the functions in between, and above all the attributes, which are noted in a table of the interpreter's
in place of others. So what its `_bootstrap` does is done here, in the same order, with the dictionaries of its modules,
and what can be looked up by the parent is handed over. Where that method was replaced, as by a tool that measures what
is covered by tests, it is called instead.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading as standard_threading

assert sys.platform == "linux"  # noqa: S101 - says so to type checkers as well

from itertools import count
from multiprocessing import context as standard_context
from multiprocessing import process as standard
from multiprocessing import util as standard_util

from corewise._engine import lifeline
from corewise._engine.processes import outcome
from corewise._transport.pipes import ends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

_standard: Any = standard  # whose private parts are used
_context: Any = standard_context
_STANDARD_BOOTSTRAP = _standard.BaseProcess._bootstrap
_KNOWN = sys.version_info < (3, 15) and _STANDARD_BOOTSTRAP.__module__ == standard.__name__
_ENDS_BY_ATEXIT = sys.version_info >= (3, 13)  # what a child does at its end; before, `_bootstrap` does it
_of_sys, _of_standard = vars(sys), vars(standard)
_of_util, _of_threading = vars(standard_util), vars(standard_threading)
_arm = lifeline.arm
_run_and_report = outcome.run_and_report
_exit = os._exit
_parent: Any = None  # what this process is to its children


def parent_for(process: Any, line: int) -> Any:
    """In the parent: return what `multiprocessing.parent_process` is to be for a child.

    Args:
        process: the child.
        line: its end of the line, which can be read from when the parent is gone.
    """
    global _parent  # noqa: PLW0603 - one for all children, as each gets a copy
    if _parent is None or _parent._pid != process._parent_pid or _parent._name != process._parent_name:
        _parent = _standard._ParentProcess(process._parent_name, process._parent_pid, line)
    _parent._sentinel = line
    return _parent


def live(
    process: Any,
    line: Any,
    number: int,
    parent: Any,
    let_through: Callable[[None, None, None], None],
    streams: tuple[Callable[[], None] | None, Any],
    unwanted: list[Any],
) -> NoReturn:
    """Be the child.

    Args:
        process: what to run.
        line: where to report, and what to live by.
        number: its descriptor.
        parent: what `multiprocessing.parent_process` is to return.
        let_through: no longer hold back Ctrl-C, as the parent did.
        streams: what closes the parent's input, and the child's own; None if there is none.
        unwanted: the ends of pipes that it was not passed.
    """
    code = 1
    try:
        if _ENDS_BY_ATEXIT:
            atexit._clear()
            atexit.register(_of_util["_exit_function"])
        let_through(None, None, None)
        _arm(number, process._parent_pid)
        if unwanted:
            ends.close_in_child(unwanted)
        _let_go_of_input(streams)
        if _KNOWN and _standard.BaseProcess._bootstrap is _STANDARD_BOOTSTRAP:
            code = _run(process, line, parent)
        else:
            process._stdin, _of_sys["stdin"] = sys.stdin, None  # or it would be closed
            process.run = outcome.Report(line).of(process.run)
            code = process._bootstrap(number)
    finally:
        if _ENDS_BY_ATEXIT:
            atexit._run_exitfuncs()
        _exit(code)


def _let_go_of_input(streams: tuple[Callable[[], None] | None, Any]) -> None:
    close, _of_sys["stdin"] = streams
    if close is not None:
        try:
            close()
        except (OSError, ValueError):
            pass


def _run(process: Any, line: Any, parent: Any) -> int:
    """Do what `_bootstrap` does."""
    code = 1
    try:
        if process._start_method is not None:
            _context._force_start_method(process._start_method)
        _of_standard["_process_counter"] = count(1)
        _of_standard["_children"] = set()
        before = _of_standard["_current_process"]
        _of_standard["_current_process"] = process
        _of_standard["_parent_process"] = parent
        if _of_threading["_HAVE_THREAD_NATIVE_ID"]:
            _of_threading["_main_thread"]._set_native_id()
        _of_util["_finalizer_registry"].clear()
        _of_util["_run_after_forkers"]()
        del before  # not earlier, as there
        if _of_util["_logger"]:
            _of_util["info"]("child process calling self.run()")
        try:
            _run_and_report(process.run, line)
            code = 0
        finally:
            if not _ENDS_BY_ATEXIT:
                _of_util["_exit_function"]()
    except BaseException as error:  # noqa: BLE001 - as there
        code = _code_of(error, process)
    finally:
        _of_threading["_shutdown"]()
        if _of_util["_logger"]:
            _of_util["info"]("process exiting with exitcode %d", code)
        _of_util["_flush_std_streams"]()
    return code


def _code_of(error: BaseException, process: Any) -> int:
    if isinstance(error, SystemExit):
        if error.code is None:
            return 0
        if isinstance(error.code, int):
            return error.code
        sys.stderr.write(f"{error.code}\n")
        return 1
    import traceback

    sys.stderr.write(f"Process {process.name}:\n")
    traceback.print_exception(error)
    return 1
