"""What ends a command early: one exception that carries the message, the hint and the exit code."""

from __future__ import annotations

import re
import sysconfig
import traceback
from pathlib import Path

from corewise.errors import RemoteTraceback

OWN_FOLDER = Path(__file__).resolve().parent.parent

# Said in the help as well; scripts rely on them.
OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130
NOBODY_READS = 141


class Failure(Exception):
    """The command cannot go on. The user reads the message, so it says what is wrong and what to write instead.

    Args:
        message: what is wrong; one sentence, or several lines of which the first one says it.
        hint: what to write instead. Empty by default: some errors have no such cure.
        code: exit code; 2 by default, because most of what goes wrong before a run was written wrongly.
        shown: text that is printed above the message, such as the traceback of a module that cannot be imported.
    """

    def __init__(self, message: str, *, hint: str = "", code: int = USAGE, shown: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.shown = shown


def kind_of(value: object) -> str:
    """Return the type of a value with its article, for messages: ``"a list"``, ``"an int"``."""
    name = "None" if value is None else type(value).__name__
    if value is None:
        return name
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def shortened(value: object, width: int = 60) -> str:
    """Return the repr of a value, cut to `width` characters.

    The default leaves room for the sentence around it on a line of a usual terminal.
    """
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a repr is the user's code, and a message must not fail over it
        text = f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
    return text if len(text) <= width else text[: width - 1] + "…"


def listed(names: list[str], most: int = 12) -> str:
    """Return names for a sentence, at most `most` of them: what fits on two lines of a usual terminal."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def raised_at(error: BaseException) -> str:
    """Say where the user's code raised an error: its last line that the traceback passes, also in a worker.

    Lines of libraries count only if there are no others, and those of corewise never.

    Returns:
        A phrase such as ``"raised at work.py, line 3, in parse"``; empty if the traceback passes no such line.
    """
    trace = [(one.filename, str(one.lineno), one.name) for one in traceback.extract_tb(error.__traceback__)]
    if isinstance(error.__cause__, RemoteTraceback):
        trace += re.findall(r'^ *File "(.+)", line (\d+), in (.+)$', error.__cause__.text, re.MULTILINE)
    frames = [one for one in trace if OWN_FOLDER not in Path(one[0]).parents]
    libraries = Path(sysconfig.get_path("stdlib"))
    own = [one for one in frames if libraries not in Path(one[0]).parents and one[0][0] != "<"]
    if not frames:
        return ""
    file, line, name = (own or frames)[-1]
    return f"raised at {file}, line {line}, in {name}"


def last_line(error: BaseException) -> str:
    """Return what a traceback of this error would end with, without its notes: ``"ValueError: no number"``."""
    plain = traceback.TracebackException(type(error), error, None)
    plain.__notes__ = None
    return "".join(plain.format_exception_only()).strip().splitlines()[-1]
