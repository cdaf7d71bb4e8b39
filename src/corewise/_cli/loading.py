"""From the first half of a target, ``work.py`` or ``package.module``, to the imported module.

A file is imported as a module under its stem, with its folder on `sys.path`, so that a worker process that has to
import it finds the same module under the same name.
"""

from __future__ import annotations

import atexit
import difflib
import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from corewise._cli.failure import OWN_FOLDER, Failure, last_line, listed

if TYPE_CHECKING:
    from types import ModuleType, TracebackType

_SHIM_FOLDERS = str(Path(tempfile.gettempdir()) / "corewise-")


def load_module(where: str) -> ModuleType:
    """Import the module that a target names.

    Args:
        where: a path that ends in ``.py``, or a module's dotted name.

    Returns:
        The module; the one already imported if it is asked for twice.

    Raises:
        Failure: when there is no such file or module, or when its import fails.
    """
    is_name = all(part.isidentifier() for part in where.split("."))
    if where.endswith(".py") or Path(where).is_file() or (not is_name and (Path(where).exists() or os.sep in where)):
        return _load_file(where)
    if not is_name:
        raise Failure(
            f"{where!r} is neither a Python file nor a module's name",
            hint="write file.py:function or package.module:function",
        )
    return _load_named(where)


def _load_named(name: str) -> ModuleType:
    here = str(Path.cwd())
    if sys.path[0] != here:
        sys.path.insert(0, here)  # as `python -m` does
    if Path(name).is_dir() and not (Path(name) / "__init__.py").exists():
        raise Failure(_about_folder(Path(name)), hint=f"write {name}{os.sep}FILE.py:FUNCTION")
    try:
        return _imported(name, name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):  # something that the module itself imports is missing
            raise _import_failure(error, name) from error
        beside = Path(f"{name}.py")
        raise Failure(
            f"there is no module named {error.name!r}",
            hint=f"did you mean {beside}?" if beside.is_file() else "a file is named with its ending: work.py:function",
        ) from error


def _load_file(where: str) -> ModuleType:
    path = _existing(where)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and module.__name__ != "__main__" and Path(file).name == path.name and Path(file).resolve() == path:
            return module
    folder = str(path.parent)
    if _is_free(path.stem, path):
        if sys.path[:1] != [folder]:
            sys.path.insert(0, folder)
        importlib.invalidate_caches()
        if _file_of(path.stem) == path:
            return _load_as(path.stem, where)
    # The name belongs to another module (a file called json.py, say), and that one keeps its meaning: here, because
    # corewise may need it, and in the workers as well. So the folder goes to the end of the path, and the file gets
    # another name, which a worker finds in a folder of its own.
    sys.path.append(folder)
    return _load_as(_other_name(path), where)


def _load_as(name: str, where: str) -> ModuleType:
    try:
        return _imported(name, where)
    except ModuleNotFoundError as error:  # something that the file itself imports is missing
        raise _import_failure(error, where) from error


def _imported(name: str, shown_name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise
    except (Exception, SystemExit) as error:
        raise _import_failure(error, shown_name) from error


def _import_failure(error: BaseException, shown_name: str) -> Failure:
    if isinstance(error, SystemExit):
        what = f"importing {shown_name} called sys.exit({'' if error.code is None else repr(error.code)})"
        hint = "put what a program does under `if __name__ == '__main__':`, so that its functions can be imported"
    else:
        what = f"importing {shown_name} failed: {last_line(error)}"
        hint = ""
        if isinstance(error, ImportError) and "relative import" in str(error):
            hint = "a file inside a package is named as a module: package.module:function"
    shown = "".join(traceback.format_exception(type(error), error, _own_frames(error.__traceback__)))
    return Failure(what, hint=hint, shown=shown)


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    """Drop the frames of corewise and of the import system above the user's first own one."""
    not_own = ("<frozen importlib", str(OWN_FOLDER) + os.sep, _SHIM_FOLDERS, importlib.__file__)
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(not_own):
        trace = trace.tb_next
    return trace


def _existing(where: str) -> Path:
    path = Path(where)
    if path.is_dir():
        raise Failure(_about_folder(path), hint=f"write {path}{os.sep}FILE.py:FUNCTION")
    if not path.exists():
        around = [str(one) for one in path.parent.glob("*.py")] if path.parent.is_dir() else []
        close = difflib.get_close_matches(str(path), around, n=1)
        place = path.parent.absolute()
        raise Failure(
            f"there is no file {path.name} in {place}" if path.parent.is_dir() else f"there is no folder {place}",
            hint=f"did you mean {close[0]}?" if close else "",
        )
    if path.suffix != ".py":
        raise Failure(f"{where} is not a Python file: its name must end in .py")
    return path.resolve()


def _about_folder(path: Path) -> str:
    files = sorted(one.name for one in path.glob("*.py"))
    return f"{path} is a folder; Python files in it: {listed(files) or 'none'}"


def _is_free(name: str, path: Path) -> bool:
    """Tell whether a name means nothing yet, or this very file."""
    if "." in name:
        return False
    found = _file_of(name)
    return found is None or found == path


def _file_of(name: str) -> Path | None:
    """Return where a module would come from; None if there is none, or nothing but a folder without ``__init__.py``."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return Path("unknown") if name in sys.modules else None
    if spec is None or (spec.origin is None and spec.submodule_search_locations is not None):
        return None
    return Path(spec.origin or "unknown").resolve()


def _other_name(path: Path) -> str:
    """Make a module that runs the file under a name of its own, and return that name.

    It is a real module in a real folder: whatever way a worker process is started, it gets `sys.path`, and so finds it.
    """
    name = base = "target_" + path.stem.replace(".", "_").replace("-", "_")
    tries = 1
    while _file_of(name) is not None:
        tries += 1
        name = f"{base}_{tries}"
    folder = tempfile.mkdtemp(prefix=Path(_SHIM_FOLDERS).name)
    atexit.register(_remove, folder, os.getpid())
    (Path(folder) / f"{name}.py").write_text(
        "import importlib.util, sys\n"
        f"__file__ = {str(path)!r}\n"
        "__spec__ = importlib.util.spec_from_file_location(__name__, __file__)\n"
        "__spec__.loader.exec_module(sys.modules[__name__])\n",
        encoding="utf-8",
    )
    sys.path.append(folder)
    importlib.invalidate_caches()
    return name


def _remove(folder: str, owner: int) -> None:
    # A forked process inherits this duty too, but the folder is still needed by the others.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
