"""Keeps what was learnt of this machine's costs from one program to the next.

One small text file in the user's cache folder. It is JSON for others, one line for each kind of interpreter; here one
line is looked for and read, as the `json` module takes longer to import. A file that cannot be read or written, or
makes no sense, is no error: what it would have said is guessed.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from io import FileIO

from corewise._measure.costs import MEASURED
from corewise._types.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.measurement import Costs

VARIABLE = "COREWISE_CACHE"
_OFF = "off"
_NAME = "costs.json"
_HEAD = '{"figures": [' + ", ".join(f'"{name}"' for name in MEASURED) + "]"
_ENTRIES = 20  # guess: nobody has more interpreters in use at a time
_MOST_BYTES = 1 << 14  # all of them take a third of that
_LONGEST_S = 100.0  # whatever costs more is no cost of starting or sending
_LEFT_BEHIND_S = 60.0  # guess: no program takes so long to write it, so one was killed meanwhile
_PRIVATE, _PRIVATE_FILE = 0o700, 0o600
_BINARY = getattr(os, "O_BINARY", 0)


def load(costs: Costs, start_method: str) -> Costs:
    """Return costs as stored for this machine and interpreter; as they were where nothing was stored.

    Args:
        costs: what holds otherwise.
        start_method: how worker processes would be started.
    """
    mine = f'"{_key(costs, start_method)}": ['
    for line in _lines(_path()):
        if line.startswith(mine):
            try:
                _, figures = _entry(line)
            except ValueError:
                break
            return costs.replace(**dict(zip(MEASURED, figures, strict=True)), measured=True)
    return costs


def store(costs: Costs, start_method: str) -> None:
    """Store costs for this machine and interpreter. The file is replaced as a whole: no reader finds half of it.

    Of several programs that store at the same time one does; the others will after another run.
    """
    path = _path()
    if path is None:
        return
    mine = _key(costs, start_method)
    others = [(key, figures) for key, figures in _entries(path) if key != mine]
    kept = [(mine, [getattr(costs, name) for name in MEASURED]), *others][:_ENTRIES]
    lines = [_HEAD, *(f'"{key}": [{", ".join(map(repr, figures))}]' for key, figures in kept)]
    new = f"{path}.new"
    try:
        os.makedirs(os.path.dirname(path), _PRIVATE, exist_ok=True)
        try:
            file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, _PRIVATE_FILE)
        except FileExistsError:
            if time.time() - os.stat(new).st_mtime > _LEFT_BEHIND_S:
                os.unlink(new)
            return
        text = (",\n".join(lines) + "}\n").encode()
        try:
            written = os.write(file, text)
        finally:
            os.close(file)
        if written == len(text):  # a disk that is nearly full takes a part
            os.replace(new, path)
    except OSError:
        return


def _path() -> str | None:
    """Return where the file is; None where none is wanted, or nobody knows."""
    asked = os.environ.get(VARIABLE, "")
    if asked:
        return None if asked == _OFF else os.path.join(asked, _NAME)
    if sys.platform == "win32":
        folder = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        folder = os.path.expanduser("~/Library/Caches")
    else:
        folder = os.environ.get("XDG_CACHE_HOME", "")
        # The specification has relative ones ignored.
        folder = folder if os.path.isabs(folder) else os.path.expanduser("~/.cache")
    return os.path.join(folder, "corewise", _NAME) if os.path.isabs(folder) else None


def _key(costs: Costs, start_method: str) -> str:
    """Return what costs depend on. A home may be shared by many machines, so their names are part of it."""
    version = ".".join(map(str, sys.version_info[:3]))
    lock = "gil" if costs.has_gil else "no gil"
    if sys.platform == "win32":
        host = os.environ.get("COMPUTERNAME", "")
    else:
        machine = os.uname()
        host = f"{machine.nodename} {machine.machine}"
    parts = (__version__, sys.implementation.name, version, lock, f"{costs.cores} cores", start_method, host)
    return " ".join(parts).replace('"', "").replace("\\", "")


def _entries(path: str) -> list[tuple[str, list[float]]]:
    """Return all entries; none from a file that is not as it should be, or is another version's."""
    try:
        return list(map(_entry, _lines(path)))
    except ValueError:
        return []


def _lines(path: str | None) -> list[str]:
    """Return the lines that hold entries; none where there is no file, or it is not as it should be."""
    if path is None:
        return []
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # whoever put a pipe there is not waited for
            return []
        with FileIO(path) as file:
            text = (file.read(_MOST_BYTES) or b"").decode()
    except (OSError, ValueError):
        return []
    head, *lines = text.removesuffix("}\n").split(",\n")
    return lines if head == _HEAD and text.endswith("}\n") else []


def _entry(line: str) -> tuple[str, list[float]]:
    key, between, rest = line.partition('": [')
    figures = [float(text) for text in rest.removesuffix("]").split(", ")]
    if not (key.startswith('"') and between and len(figures) == len(MEASURED)):
        raise ValueError(line)
    if not all(0 <= figure < _LONGEST_S for figure in figures):
        raise ValueError(line)
    return key[1:], figures
