"""A short way to the modules of this package: a program's first call loads some fifty, one by processes 120.

These are small, and the import system looks through folders for each and asks the file and its stored bytecode many
questions. Here the bytecode is read at once where it is what the import system would take: of this interpreter, and of
a source of that age and size. All else is left to it: where nothing is stored, or what was made of another source, it
compiles and stores as ever. And where the package came from anything but plain files (an archive, a program that
instruments what it loads), nothing is done.

A first call takes a tenth less so, which is 0.8 ms, and one by processes 1.9 ms (benchmarks/import_cost.py).
"""

from __future__ import annotations

import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, PathFinder, SourceFileLoader, cache_from_source
from io import FileIO
from marshal import loads
from os import sep, stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import stat_result
    from types import CodeType, ModuleType

_MODULE, _PACKAGE = ".py", f"{sep}__init__.py"
_HEADER, _HEADER_BYTES = MAGIC_NUMBER + bytes(4), 16  # of bytecode that holds for a source of an age and size (PEP 552)
_LARGE_BYTES = 1 << 16  # twice as much as any of these has


class _Loader(SourceFileLoader):
    """Loads one module.

    Args:
        name: of the module.
        path: of its source.
        status: of that file.
        stored: path of its bytecode.
    """

    def __init__(self, name: str, path: str, status: stat_result, stored: str) -> None:
        super().__init__(name, path)
        self._status, self._stored = status, stored

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code that is stored, if it is the source's; else what the import system has."""
        data, status = _read(self._stored), self._status
        if data[:_HEADER_BYTES] == _HEADER + _four_bytes(int(status.st_mtime)) + _four_bytes(status.st_size):
            code: CodeType = loads(memoryview(data)[_HEADER_BYTES:])  # noqa: S302 - as the import system does
            if code.co_filename == self.path:  # else it was moved since
                return code
        return super().get_code(fullname)


class _Finder:
    """Finds the modules of one package: an entry of `sys.meta_path`.

    Args:
        package: the name of the package.
        stored: the end of the names under which bytecode is stored, such as ``".cpython-313.pyc"``.
    """

    def __init__(self, package: str, stored: str) -> None:
        self._inside, self._stored_end = f"{package}.", stored

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 - the import system's signature
    ) -> ModuleSpec | None:
        """Return how to load a module; None for what is none of these."""
        if not path or not fullname.startswith(self._inside):
            return None
        folder, name = path[0], fullname.rpartition(".")[2]
        for end in (_MODULE, _PACKAGE):
            file = f"{folder}{sep}{name}{end}"
            try:
                status = stat(file)
            except OSError:
                continue
            inside = end == _PACKAGE
            where, what = (f"{folder}{sep}{name}", "__init__") if inside else (folder, name)
            stored = f"{where}{sep}__pycache__{sep}{what}{self._stored_end}"
            spec = ModuleSpec(fullname, _Loader(fullname, file, status, stored), origin=file, is_package=inside)
            spec.has_location, spec.cached = True, stored
            if spec.submodule_search_locations is not None:
                spec.submodule_search_locations.append(where)
            return spec
        return None


def _read(path: str) -> bytes:
    """Return what is in a file; nothing where there is none, or too much of it for one call of the system."""
    try:
        # An object, as its descriptor is closed whenever a Ctrl-C comes.
        with FileIO(path) as file:
            data = file.read(_LARGE_BYTES)
    except OSError:
        return b""
    return data if len(data) < _LARGE_BYTES else b""


def _four_bytes(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")


def find_quickly(package: str, spec: ModuleSpec | None) -> None:
    """Have the modules of a package found this way from now on, if it is loaded from files as usual.

    Args:
        package: its name.
        spec: how it was loaded itself.
    """
    known = any(isinstance(one, _Finder) for one in sys.meta_path)
    usual = spec is not None and type(spec.loader) is SourceFileLoader and PathFinder in sys.meta_path
    if known or not usual or sys.pycache_prefix is not None or sys.implementation.cache_tag is None:
        return
    stored = cache_from_source("module.py").rpartition("module")[2]
    sys.meta_path.insert(sys.meta_path.index(PathFinder), _Finder(package, stored))
