"""Which way a process is started, and what becomes of the main program in it."""

from __future__ import annotations

import multiprocessing
import sys
from time import sleep

from corewise._engine.method import fork_or_server, pick_start_method
from corewise._transport import portable
from corewise._transport.codec import main_can_be_imported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, TypeVar

    T = TypeVar("T")

_TRIES_OF_A_SERVER = 20
_SERVER_GOES_S = 0.01  # guess: as for the workers of a pool

GUARD = (
    "Or put what starts the process under\n"
    '    if __name__ == "__main__":\n'
    "so that the other process can import the rest of the program by itself."
)


def pick(asked: str | None) -> tuple[str, bool]:
    """Return the start method, and whether the program has left it to be looked for.

    It is what was asked for, or was set by `multiprocessing.set_start_method`, or what fits.

    Raises:
        WorkerStartError: when this process is still importing the program of its parent.
    """
    method = asked or multiprocessing.get_start_method(allow_none=True)
    if hasattr(multiprocessing.current_process(), "_inheriting"):
        pick_start_method(method or "auto")
    if method:
        return method, False
    # Not by `pick_start_method`, which looks into the environment each time.
    return fork_or_server() if by_kernel() else pick_start_method("auto"), True


def has_to_go_by_value() -> bool:
    """Whether the child can or must not import the main program, so that what that defines has to go by value."""
    if not main_can_be_imported():
        return True
    name = getattr(getattr(sys.modules["__main__"], "__spec__", None), "name", None) or ""
    # Of `python -m package` the standard library imports nothing in children.
    return name == "__main__" or name.endswith(".__main__") or _would_run_again()


def _would_run_again() -> bool:
    """Whether a child that imports the main program would come by this very start again.

    It would if the program is just being run, outside of ``if __name__ == "__main__":``.
    """
    main = sys.modules["__main__"]
    line = _line_of_program(sys._getframe(), vars(main))  # noqa: SLF001 - the interpreter's own way to ask
    if line is None:
        return False
    import ast

    try:
        with open(main.__file__ or "", "rb") as file:
            program = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, AttributeError):
        return False
    return not any(
        _is_guard(part) and part.lineno <= line <= (part.end_lineno or line)
        for part in program.body
        if isinstance(part, ast.If)
    )


def _line_of_program(frame: FrameType | None, names: dict[str, Any]) -> int | None:
    line = None
    while frame is not None:
        if frame.f_globals is names and frame.f_code.co_name == "<module>":
            line = frame.f_lineno
        frame = frame.f_back
    return line


def _is_guard(part: Any) -> bool:
    import ast

    test = ast.unparse(part.test).replace('"', "'")
    return "__name__ == '__main__'" in test or "'__main__' == __name__" in test


class MainHidden:
    """Keeps the standard library from having a child import the main program."""

    def __enter__(self) -> None:
        names = vars(sys.modules["__main__"])
        self._names: dict[str, Any] = {name: names.pop(name) for name in ("__file__", "__spec__") if name in names}
        names["__spec__"] = None

    def __exit__(self, *_: object) -> None:
        names = vars(sys.modules["__main__"])
        del names["__spec__"]
        names.update(self._names)


def tried_again(start: Callable[[], T]) -> T:
    """Start something by the fork server, which may just be going; the next try starts another."""
    for _ in range(_TRIES_OF_A_SERVER - 1):
        try:
            return start()
        except (ConnectionError, EOFError):
            sleep(_SERVER_GOES_S)
    return start()


class MethodKept:
    """Leaves the start method of `multiprocessing` unset, where it was: it sets it when it starts a process."""

    def __enter__(self) -> None:
        self._was_set = multiprocessing.get_start_method(allow_none=True) is not None

    def __exit__(self, *_: object) -> None:
        if not self._was_set:
            unset()


def unset() -> None:
    """Have `multiprocessing` choose its start method anew."""
    forget: Any = multiprocessing.set_start_method  # None is not among the types of its argument everywhere
    forget(None, force=True)


_pidfd: list[bool] = []  # whether there are such; looked up once
_kernel: list[bool] = []  # whether what only Linux has is used; looked up once


def by_kernel() -> bool:
    """Whether to use what only Linux has.

    Looked up for the first process only: each page that is written to between two forks is copied or claimed anew, and
    the environment lies in a dozen that nothing else here needs.
    """
    if not _kernel:
        _kernel.append(not portable.in_use())
    return _kernel[0]


def has_pidfd() -> bool:
    """Whether this system has descriptors for processes."""
    if _pidfd:
        return True
    if sys.platform != "linux" or not by_kernel():
        return False
    import os

    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    _pidfd.append(True)
    return True
