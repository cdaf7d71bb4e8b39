"""`corewise.Process`: `multiprocessing.Process`, which also brings back a result, says why it ended and leaves nothing.

It is a process of the standard library: `multiprocessing.active_children`, `current_process` and `parent_process` know
it, and locks, queues and managers of `multiprocessing` can be handed to it.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import sys
from multiprocessing import process as standard
from time import monotonic

from corewise._engine.lifeline import Lifeline
from corewise._engine.processes import method, outcome
from corewise._machine import memory
from corewise._transport import failures, pickling
from corewise._transport.pipes import ends
from corewise._transport.pipes.messages import pickled_somehow
from corewise._types.interrupts import InterruptsHeld
from corewise._types.light import Scope
from corewise.errors import CannotTravel, OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from multiprocessing.context import BaseContext
    from typing import Any

_standard: Any = standard  # whose private parts are used: a process has to be in its books
_NOT_THE_USERS = frozenset(
    {"_config", "_identity", "_parent_pid", "_popen", "_report", "_stdin", "_lifeline", "_interrupts"}
    | {"_name", "_method", "_method_is_open", "_parent_name", "_closed", "_start_method", "_asked"}
)
_METHODS = ("fork", "forkserver", "spawn")
_METHODS_HERE = frozenset(multiprocessing.get_all_start_methods())
_SIGKILL = 9
_NO_OUTCOME: tuple[str, Any] = outcome.EXITED, None
_being_packed: set[int] = set()  # the `id` of each process on its way to be one
_forking: Any = None  # the module, once a process was forked
_kills_seen = -1  # how many out-of-memory kills the kernel had counted when it was last asked


class Process(multiprocessing.Process):
    """A process, with the interface of `multiprocessing.Process`.

    Args:
        group: None; there for the sake of `threading.Thread`.
        target: what to run. Lambdas, closures and functions of a notebook may be given with every start method.
        name: its name. Default: ``"Process-"`` and a number.
        args: positional arguments of `target`.
        kwargs: keyword arguments of `target`.
        daemon: whether it is ended when this process ends, instead of waited for. Default: as this process is.
        start_method: ``"fork"``, ``"forkserver"`` or ``"spawn"``, or a context of `multiprocessing`. Default: what
            `multiprocessing.set_start_method` has set; else fork where that is safe, else forkserver, else spawn.

    Unlike a process of the standard library it can be started by a daemonic one, and ends with its parent, whatever
    that dies of.

    Example:
        >>> import corewise
        >>> process = corewise.Process(target=pow, args=(2, 10))
        >>> process.start()
        >>> process.result()
        1024
        >>> process.join()
        >>> process.exit_reason
        'it exited with code 0'
    """

    if TYPE_CHECKING:  # what the standard library keeps to itself
        _popen: Any
        _parent_pid: int | None
        _target: Callable[..., Any] | None
        _args: tuple[Any, ...]
        _kwargs: dict[str, Any]
        _check_closed: Callable[[], None]

    _asked: str | None = None  # the start method that this one was given
    _method = ""  # the one that it was started by
    _method_is_open = False  # whether its parent has left the start method to be looked for
    _by_value = False  # whether what the main program defines travels by value
    _stdin: Any = None  # of a forked child, until it is in place
    _interrupts: InterruptsHeld | None = None  # what a forked child has to let go of
    _report: outcome.Report | None = None  # on its way to the child
    _lifeline: Lifeline | None = None
    _awaited: outcome.Awaited | None = None  # in the parent
    _told: tuple[str, Any] | None = None
    _out_of_memory = False

    def __init__(
        self,
        group: None = None,
        target: Callable[..., Any] | None = None,
        name: str | None = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] = {},
        *,
        daemon: bool | None = None,
        start_method: str | BaseContext | None = None,
    ) -> None:
        super().__init__(group, target, name, args, kwargs, daemon=daemon)
        if start_method is not None:
            asked = start_method if isinstance(start_method, str) else start_method.get_start_method()
            if asked not in _METHODS:
                raise OptionError(f"start_method is {asked!r}; it can be one of {', '.join(_METHODS)}, or a context")
            if asked not in _METHODS_HERE:
                raise OptionError(f"start_method is {asked!r}, which this system does not have")
            self._asked = asked

    # -- in the parent -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the process.

        Raises:
            CannotTravel: when what it is given cannot be sent to it.
            WorkerStartError: when this process is itself still importing the program of its parent; the message says
                what to write.
            OSError: when the system grants no process or descriptors.
        """
        self._check_closed()
        if self._popen is not None:
            raise AssertionError("cannot start a process twice")
        if self._parent_pid != os.getpid():
            raise AssertionError("can only start a process object created by current process")
        _standard._cleanup()
        if _kills_seen < 0:
            _count_kills()
        self._method, self._method_is_open = method.pick(self._asked)
        if self._asked is not None:
            self._start_method = self._asked  # what its own children are started by, as with a context's Process
        if sys.platform == "linux" and self._method == "fork" and method.has_pidfd():
            (_forking or _load_forking()).start(self)
        else:
            self._start_by_standard()
        # What it holds of the caller's goes, as in the standard library.
        try:
            del self._target, self._args, self._kwargs
        except AttributeError:  # a class that does without
            pass

    def _start_by_standard(self) -> None:
        by_kernel = method.by_kernel()
        # A process that nobody has noted would be forgotten.
        with InterruptsHeld() as interrupts, Scope() as scope:
            # Closed here if it cannot be started; it is let go of by `_let_go` once it was.
            awaited = scope.closing(outcome.Awaited(in_packets=by_kernel))
            lifeline = scope.closing(Lifeline(by_kernel=by_kernel))
            self._report, self._lifeline = awaited.report(), lifeline
            try:
                if self._method == "fork":
                    self._interrupts = interrupts
                self._popen = self._launched()
                self._sentinel = self._popen.sentinel
                self._awaited = awaited
                _standard._children.add(self)
                scope.keep_open()
            finally:
                self._report = self._interrupts = None
                if self._popen is None:
                    self._lifeline = None
            awaited.handed_over()
            lifeline.handed_over()

    def _launched(self) -> Any:
        context: Any = multiprocessing.get_context(self._method)
        launch: Callable[[Any], Any] = context.Process._Popen
        if self._method == "fork":
            return launch(self)
        self._by_value = method.has_to_go_by_value()
        try:
            with method.MethodKept(), method.MainHidden() if self._by_value else Scope():
                return method.tried_again(lambda: launch(self))
        finally:
            del self._by_value

    def result(self, timeout: float | None = None) -> Any:
        """Wait for what `run` returns, as a rule what `target` does, and return it.

        It may be asked for before or after the end of the process, or not at all; and more than once.

        Args:
            timeout: seconds to wait. Default: without a limit.

        Raises:
            BaseException: what `run` raised, with the traceback of the process as its cause.
            CannotTravel: when what it returned cannot be sent; the process has ended well nevertheless.
            ProcessDied: when it was ended, or has ended itself, without returning.
            TimeoutError: when it has not returned by then; it goes on.
            ValueError: when it was not started, or is closed.
        """
        self._check_closed()
        if self._popen is None:
            raise ValueError("process not started")
        if self._parent_pid != os.getpid():
            raise AssertionError("can only ask a child process for its result")
        if self._told is None:
            self._wait_for_outcome(timeout)
        kind, value = self._told or _NO_OUTCOME
        if kind == outcome.RETURNED:
            return value
        if kind == outcome.RAISED:
            error = failures.unpack(value)
            if not isinstance(error, KeyboardInterrupt):
                raise error
        from corewise._types.died import ProcessDied

        self.join()
        raise ProcessDied(
            self.exit_reason or "", self.pid or 0, self.exitcode, out_of_memory=self._out_of_memory, name=self.name
        )

    def _wait_for_outcome(self, timeout: float | None) -> None:
        """Wait until there is an outcome, or the process is gone without one."""
        deadline = None if timeout is None else monotonic() + timeout
        awaited, popen = self._awaited, self._popen
        assert awaited is not None  # noqa: S101 - it was started
        self._told = awaited.soon() if timeout is None or timeout > outcome.SOON_S else awaited.outcome()
        while self._told is None:
            left = None if deadline is None else max(0.0, deadline - monotonic())
            in_time = _wait([self.sentinel] if awaited.ended else [self.sentinel, awaited.fileno()], left)
            self._told = awaited.outcome()
            if self._told is None and not in_time:
                raise TimeoutError(f"{self.name} has not returned within {timeout} s")
            if self._told is None and popen.poll() is not None:
                self._told = awaited.outcome()  # it may have come just before the end
                self._settle()
                return

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended.

        Args:
            timeout: seconds to wait; see `exitcode` for whether it has. Default: without a limit.
        """
        super().join(timeout)
        self._settle()

    @property
    def exit_reason(self) -> str | None:
        """How it ended, in words: ``"killed by SIGKILL; the kernel counted an out-of-memory kill"``.

        None before it has ended.
        """
        self._check_closed()
        code = self.exitcode
        if code is None:
            return None
        self._settle()
        from corewise._engine.deaths import in_words

        return in_words(code, out_of_memory=self._out_of_memory)

    def kill_tree(self) -> None:
        """Kill the process and all that it has started: its children, theirs, and so on, whatever started them.

        Descendants whose own parent has ended before are not found, as nothing says any more whose they were. Waits for
        nothing but that they stop; `join` as after `kill`.

        Raises:
            ValueError: when it was not started, or is closed.
            NotImplementedError: where the system does not tell who started whom, and psutil is not installed.
        """
        self._check_closed()
        if self._popen is None:
            raise ValueError("process not started")
        from corewise._engine.processes import tree

        system = tree.system()
        if self.exitcode is None:  # and so its number is still its own
            tree.kill_tree(self.pid or 0, system)

    def close(self) -> None:
        """Let go of the process, which has ended. Its result is gone with it.

        Raises:
            ValueError: when it is still running.
        """
        with InterruptsHeld():  # else half of it would stay open
            super().close()
            self._let_go()

    def _settle(self) -> None:
        """Note once how it ended, if it has."""
        lifeline = self._lifeline
        if lifeline is not None and self._popen is not None and self._popen.returncode is not None:
            self._lifeline = None
            lifeline.close()
            self._out_of_memory = self._popen.returncode == -_SIGKILL and _count_kills()

    def _let_go(self) -> None:
        for held in (self._awaited, self._lifeline):
            if held is not None:
                held.close()
        self._awaited = self._lifeline = None

    def __del__(self) -> None:
        try:
            if self._parent_pid == os.getpid():
                self._let_go()
        except (AttributeError, TypeError):  # it was never whole, or the interpreter ends
            pass

    # -- on its way ----------------------------------------------------------------------------------------------------

    def __reduce_ex__(self, protocol: Any) -> Any:
        from multiprocessing.context import get_spawning_popen

        popen: Any = get_spawning_popen()
        if popen is None or id(self) in _being_packed:
            return super().__reduce_ex__(protocol)
        handed_on = len(getattr(popen, "_fds", ()))

        def take_back() -> None:
            if handed_on:
                del popen._fds[handed_on:]

        # As bytes inside the standard library's pickle: that can send neither lambdas nor what cannot be imported.
        _being_packed.add(id(self))
        try:
            data = pickled_somehow(self, None, take_back, by_value=lambda: self._by_value, what="the process")
        except CannotTravel as error:
            if self._by_value:
                error.add_note(method.GUARD)
            raise
        finally:
            _being_packed.discard(id(self))
        return pickling.unpickled, (data,)

    # -- in the child --------------------------------------------------------------------------------------------------

    def run(self) -> Any:
        """Run `target`, in the process. A subclass may do something else; what it returns is the result."""
        target = getattr(self, "_target", None)
        return target(*self._args, **self._kwargs) if target else None

    def _bootstrap(self, parent_sentinel: Any = None) -> int:
        report, lifeline = self._report, self._lifeline
        if report is not None and lifeline is not None:  # it was started by the standard library
            if self._interrupts is not None:
                self._interrupts.__exit__(None, None, None)
                lifeline.arm(self._parent_pid)
                if ends.are_open():
                    ends.keep_only(self._passed())
            else:
                lifeline.arm()
                if self._method_is_open:  # that library has set it
                    method.unset()
            self._report = self._lifeline = self._interrupts = None
            self.run = report.of(self.run)  # type: ignore[method-assign]
        code: int = super()._bootstrap(parent_sentinel)  # type: ignore[misc]
        return code

    def _passed(self) -> list[object]:
        """Return what its creator has passed to it."""
        known = vars(self)
        own: list[object] = [known[name] for name in known.keys() - _NOT_THE_USERS]
        return own if type(self) is Process else [*own, type(self)]

    def _after_fork(self) -> None:
        if self._stdin is not None:
            sys.stdin = self._stdin
            self._stdin = None
        if self._method != "spawn":  # where nothing was inherited
            _standard.BaseProcess._after_fork()


def _load_forking() -> Any:
    global _forking  # noqa: PLW0603 - looked up for each process, so not by an import statement
    from corewise._engine.processes import forking

    _forking = forking
    return forking


def _wait(numbers: list[int], timeout: float | None) -> bool:
    """Wait for any of some descriptors; on Windows handles. Return whether one is ready."""
    if sys.platform == "win32":
        from multiprocessing.connection import wait

        return bool(wait(numbers, timeout))
    poll = select.poll()
    for number in numbers:
        poll.register(number, select.POLLIN)
    return bool(poll.poll(None if timeout is None else timeout * 1000))


def _count_kills() -> bool:
    """Ask the kernel how many processes it has killed for want of memory; return whether there are new ones."""
    global _kills_seen
    before, _kills_seen = _kills_seen, memory.out_of_memory_kills()
    return 0 <= before < _kills_seen
