"""Threads of native libraries (BLAS, OpenMP and their kin), held to the cores that a worker owns.

Such a library starts a thread for each core of the machine in every process. Left alone, as many workers as cores make
a square of threads, which get into each other's way.

Two means, because a library asks for its number once, when it is loaded:

* *Environment variables* for what is loaded later, and for programs that the worker starts. What the user has set
  stays.
* *threadpoolctl* for what is loaded already. OpenBLAS answers to being limited in a forked child by starting all of its
  threads first, each of which then spins for some 0.1 s. So a fork is made under `lowered`: the child inherits the
  lower number, and starts no thread for it (``benchmarks/native_limits.py`` shows both). The parent, see `_set`.

Nothing is imported, and nothing done, in a program that has loaded no such library.
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Each variable, and those that a library heeds in its place when the first is not set.
_VARIABLES: dict[str, tuple[str, ...]] = {
    "OMP_NUM_THREADS": (),
    "OPENBLAS_NUM_THREADS": ("GOTO_NUM_THREADS", "OMP_NUM_THREADS"),
    "MKL_NUM_THREADS": ("OMP_NUM_THREADS",),
    "BLIS_NUM_THREADS": ("OMP_NUM_THREADS",),
    "NUMEXPR_NUM_THREADS": ("OMP_NUM_THREADS",),
    "VECLIB_MAXIMUM_THREADS": (),
    "NUMBA_NUM_THREADS": (),
    "RAYON_NUM_THREADS": (),
    "POLARS_MAX_THREADS": (),
}
# By what threadpoolctl calls a library: the variable that it heeds.
_HEEDS = {
    "openblas": "OPENBLAS_NUM_THREADS",
    "mkl": "MKL_NUM_THREADS",
    "blis": "BLIS_NUM_THREADS",
    "openmp": "OMP_NUM_THREADS",
}
# Without one of these in the process there is no such library, and threadpoolctl need not be loaded to look for it.
_USERS = ("numpy", "scipy", "sklearn", "torch", "numba", "faiss", "cv2", "xgboost", "lightgbm")
_MARK = "COREWISE_NATIVE_THREADS"  # what we have set, so that an inner worker does not take it for the user's wish

_lock = allocate_lock()
_limits: list[int] = []  # of all uses of `lowered` that have begun and not ended
_before: dict[str, int] = {}  # by file of a library: the number that it had before the first limit
_found: tuple[int, list[Any]] = (-1, [])  # how many modules were loaded when we looked last, and what was there


def limit(cores: int) -> None:
    """Hold this worker process to `cores` cores. To be called before anything of the user's is loaded."""
    global _lock  # noqa: PLW0603 - made anew: another thread of the parent may have held it at the moment of the fork
    _lock = allocate_lock()
    if cores >= _every_core():
        return
    ours = _ours()
    given = _given(ours)
    names = [name for name, others in _VARIABLES.items() if given.isdisjoint((name, *others)) and _may_change(name)]
    os.environ.update(dict.fromkeys(names, str(cores)))
    os.environ[_MARK] = " ".join([str(cores), *names])
    for library in _loaded(given):
        if library.num_threads > cores:
            _set(library, cores)


class lowered:  # noqa: N801 - reads as a verb where it is used; a class, as contextlib is dear to import
    """Holds the libraries that this process has loaded to `cores` threads for a while.

    For two uses: around a fork, so that the child inherits the limit; and around a run whose threads call such
    libraries all at once, with the cores that are left to each of them. It concerns the whole process, so other threads
    of the program are held to it as well meanwhile. Overlapping uses may begin and end in any order: the lowest limit
    holds, and the last to end restores what was. What the environment sets for a library is the user's wish, and left
    alone. (OpenMP counts by thread, so there only the first use has an effect.)

    Args:
        cores: most threads; None for no limit.
    """

    def __init__(self, cores: int | None) -> None:
        self._cores = cores
        self._libraries: list[Any] = []
        self._pid = os.getpid()

    def __enter__(self) -> None:
        if self._cores is None or self._cores >= _every_core():
            return
        self._libraries = _loaded(_given(_ours()))
        if self._libraries:
            with _lock:
                _limits.append(self._cores)
                _apply(self._libraries)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lift the limit. Twice is no error."""
        libraries, self._libraries = self._libraries, []
        if libraries and self._cores is not None and os.getpid() == self._pid:  # a forked child keeps its limit
            with _lock:
                _limits.remove(self._cores)
                _apply(libraries)


def _apply(libraries: list[Any]) -> None:
    for library in libraries:
        before = _before.setdefault(library.filepath, library.num_threads)
        wanted = min([before, *_limits])
        if library.num_threads != wanted:
            _set(library, wanted)
    if not _limits:
        _before.clear()


def _set(library: Any, number: int) -> None:
    """Set the number of threads that a library uses: no more than it has had before.

    OpenBLAS ends its threads at each fork, in the parent as well, and starts them again when it is next told their
    number: they spin for 0.1 s then, on cores that workers want. To tell it nothing else is to be done but to set the
    variable that its own function sets, where a build exports that.
    """
    if library.internal_api == "openblas" and library.threading_layer == "pthreads":
        from ctypes import c_int

        try:
            variable = c_int.in_dll(library.dynlib, "blas_cpu_number")
        except ValueError:  # a build that does not export it
            pass
        else:
            if variable.value == library.num_threads:
                variable.value = number
                return
    library.set_num_threads(number)


def _loaded(given: set[str]) -> list[Any]:
    """Return threadpoolctl's handles of the libraries in this process, but for those that the user has set."""
    global _found  # noqa: PLW0603 - a look costs 0.3 ms (the first in a process 13 ms), so only after new modules came
    if not any(name in sys.modules for name in _USERS):
        return []
    if _found[0] != len(sys.modules):
        libraries = _look()
        _found = (len(sys.modules), libraries)
    names = {api: (name, *_VARIABLES[name]) for api, name in _HEEDS.items()}
    return [library for library in _found[1] if given.isdisjoint(names[library.internal_api])]


def _look() -> list[Any]:
    import warnings

    from threadpoolctl import ThreadpoolController

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            libraries = ThreadpoolController().lib_controllers
    except (OSError, RuntimeWarning):
        # A library's file is gone; or there are two OpenMP libraries at once, and to touch them may end in a deadlock.
        return []
    return [library for library in libraries if library.internal_api in _HEEDS]


def _given(ours: list[str]) -> set[str]:
    """Return the variables that the user has set."""
    known = {*_VARIABLES, *(name for others in _VARIABLES.values() for name in others)}
    return {name for name in known if name in os.environ and name not in ours}


def _ours() -> list[str]:
    """Return the variables that an outer worker has set, as long as nobody has changed them since."""
    cores, *names = os.environ.get(_MARK, "").split() or [""]
    return [name for name in names if os.environ.get(name) == cores]


def _may_change(name: str) -> bool:
    # Numba reads its variable again and again, and raises if it has changed after its threads were started.
    return name != "NUMBA_NUM_THREADS" or "numba" not in sys.modules


def _every_core() -> int:
    """Cores that a library counts: those of the affinity, where it looks at that. Quotas it does not know."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
