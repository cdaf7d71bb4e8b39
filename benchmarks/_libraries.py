"""The libraries that are compared, each used as its own documentation says, with two workers and its defaults.

Opening one starts its workers; `map`, `call`, `futures`, `to_all` and `stream` use them. What a library has no way to
do raises `NotOffered`, and the table says so.
"""

from __future__ import annotations

import importlib.util
from contextlib import closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Function = Callable[[Any], Any]

WORKERS = 2
# Items that a stream hands to a worker at once, where the library asks for a number: one by one they take minutes.
STREAM_CHUNK = 1000


class NotOffered(Exception):
    """The library has no way to do this."""


_WHY_NOT = {
    "map": "no executor",
    "call": "no futures",
    "futures": "no futures",
    "stream": "no stream that holds its input back",
}


class Library:
    """What can be asked of every library.

    Attributes:
        module: what has to be importable for it.
    """

    module = ""

    if TYPE_CHECKING:
        map: Callable[[Function, list[Any]], list[Any]]  # by workers that run already, in order
        call: Callable[[Function, Any], Any]  # handed over, waited for
        futures: Callable[[Function, list[Any]], list[Any]]  # each handed over by itself, then all waited for
        stream: Callable[[Function, Iterable[Any]], Iterator[Any]]  # results while items are still being taken

    def __getattr__(self, name: str) -> Any:
        """Say what a library has no way to do."""
        if name in _WHY_NOT:
            raise NotOffered(_WHY_NOT[name])
        raise AttributeError(name)

    def to_all(self, fn: Function, array: Any, times: int) -> list[Any]:
        """Run `fn` so many times over one array, which is only read."""
        return self.map(fn, [array] * times)

    def close(self) -> None:
        """End the workers, as the library's ``with`` block does."""

    @classmethod
    def once(cls, fn: Function, items: list[Any]) -> list[Any]:
        """Return the results of one call that starts and ends its workers itself."""
        with closing(cls()) as library:
            return library.map(fn, items)


class Corewise(Library):
    """This library."""

    module = "corewise"

    def __init__(self) -> None:
        import corewise

        if not hasattr(corewise, "ProcessExecutor"):
            raise NotOffered("no ProcessExecutor yet")
        self._pool = corewise.ProcessExecutor(max_workers=WORKERS)

    def map(self, fn: Function, items: list[Any]) -> list[Any]:
        return list(self._pool.map(fn, items))

    def call(self, fn: Function, item: Any) -> Any:
        return self._pool.submit(fn, item).result()

    def futures(self, fn: Function, items: list[Any]) -> list[Any]:
        return [future.result() for future in [self._pool.submit(fn, item) for item in items]]

    def close(self) -> None:
        self._pool.shutdown()

    @classmethod
    def once(cls, fn: Function, items: list[Any]) -> list[Any]:
        import corewise

        return corewise.map(fn, items, approach="processes", workers=WORKERS)


class CorewiseStream(Library):
    """Its streams, which need no executor."""

    module = "corewise"

    def stream(self, fn: Function, items: Iterable[Any]) -> Iterator[Any]:
        import corewise

        if not hasattr(corewise, "stream"):
            raise NotOffered("no stream yet")
        return iter(corewise.stream(fn, items, approach="processes", workers=WORKERS))


class Pool(Library):
    """`multiprocessing.Pool`."""

    module = "multiprocessing"

    def __init__(self) -> None:
        from multiprocessing import Pool as MakePool

        self._pool = MakePool(WORKERS)

    def map(self, fn: Function, items: list[Any]) -> list[Any]:
        return self._pool.map(fn, items)

    def call(self, fn: Function, item: Any) -> Any:
        return self._pool.apply_async(fn, (item,)).get()

    def futures(self, fn: Function, items: list[Any]) -> list[Any]:
        return [future.get() for future in [self._pool.apply_async(fn, (item,)) for item in items]]

    def stream(self, fn: Function, items: Iterable[Any]) -> Iterator[Any]:
        return self._pool.imap(fn, items, STREAM_CHUNK)

    def close(self) -> None:
        self._pool.terminate()


class ProcessPoolExecutor(Library):
    """`concurrent.futures.ProcessPoolExecutor`."""

    module = "concurrent.futures"

    def __init__(self) -> None:
        self._pool = self._made()

    def _made(self) -> Any:
        from concurrent.futures import ProcessPoolExecutor as Executor

        return Executor(WORKERS)

    def map(self, fn: Function, items: list[Any]) -> list[Any]:
        return list(self._pool.map(fn, items))

    def call(self, fn: Function, item: Any) -> Any:
        return self._pool.submit(fn, item).result()

    def futures(self, fn: Function, items: list[Any]) -> list[Any]:
        return [future.result() for future in [self._pool.submit(fn, item) for item in items]]

    def stream(self, fn: Function, items: Iterable[Any]) -> Iterator[Any]:
        return iter(self._pool.map(fn, items, chunksize=STREAM_CHUNK))

    def close(self) -> None:
        self._pool.shutdown()


class Loky(ProcessPoolExecutor):
    """loky's reusable executor."""

    module = "loky"

    def _made(self) -> Any:
        from loky import get_reusable_executor

        return get_reusable_executor(max_workers=WORKERS)

    @classmethod
    def once(cls, fn: Function, items: list[Any]) -> list[Any]:
        return cls().map(fn, items)  # meant to be left open for the next call


class Joblib(Library):
    """joblib with its default backend."""

    module = "joblib"

    def __init__(self) -> None:
        from joblib import Parallel

        self._parallel = Parallel(n_jobs=WORKERS).__enter__()

    def map(self, fn: Function, items: list[Any]) -> list[Any]:
        from joblib import delayed

        return list(self._parallel(delayed(fn)(item) for item in items))

    def stream(self, fn: Function, items: Iterable[Any]) -> Iterator[Any]:
        from joblib import Parallel, delayed

        return iter(Parallel(n_jobs=WORKERS, return_as="generator")(delayed(fn)(item) for item in items))

    def close(self) -> None:
        self._parallel.__exit__(None, None, None)

    @classmethod
    def once(cls, fn: Function, items: list[Any]) -> list[Any]:
        from joblib import Parallel, delayed

        return list(Parallel(n_jobs=WORKERS)(delayed(fn)(item) for item in items))


class Mpire(Library):
    """mpire's pool, its workers kept alive between calls."""

    module = "mpire"

    def __init__(self) -> None:
        from mpire import WorkerPool

        self._pool = WorkerPool(WORKERS, keep_alive=True)

    def map(self, fn: Function, items: list[Any]) -> list[Any]:
        return list(self._pool.map(fn, items, concatenate_numpy_output=False))

    def call(self, fn: Function, item: Any) -> Any:
        return self._pool.apply_async(fn, (item,)).get()

    def futures(self, fn: Function, items: list[Any]) -> list[Any]:
        return [future.get() for future in [self._pool.apply_async(fn, (item,)) for item in items]]

    def stream(self, fn: Function, items: Iterable[Any]) -> Iterator[Any]:
        return iter(self._pool.imap(fn, items, chunk_size=STREAM_CHUNK))

    def close(self) -> None:
        self._pool.terminate()


class Dask(Library):
    """Dask's distributed scheduler on this machine."""

    module = "distributed"

    def __init__(self) -> None:
        from distributed import Client, LocalCluster

        self._cluster = LocalCluster(n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None)
        self._client = Client(self._cluster)

    def map(self, fn: Function, items: list[Any]) -> list[Any]:
        if hasattr(items[0], "nbytes"):
            items = self._client.scatter(items, hash=False)
        return list(self._client.gather(self._client.map(fn, items, pure=False)))

    def call(self, fn: Function, item: Any) -> Any:
        return self._client.submit(fn, item, pure=False).result()

    def futures(self, fn: Function, items: list[Any]) -> list[Any]:
        return list(self._client.gather([self._client.submit(fn, item, pure=False) for item in items]))

    def to_all(self, fn: Function, array: Any, times: int) -> list[Any]:
        future = self._client.scatter(array, hash=False)
        return list(self._client.gather([self._client.submit(fn, future, pure=False) for _ in range(times)]))

    def close(self) -> None:
        self._client.close()
        self._cluster.close()


class Ray(Library):
    """Ray on this machine."""

    module = "ray"

    def __init__(self) -> None:
        import ray

        ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
        self._ray = ray
        self._remote: dict[Function, Any] = {}

    def _task(self, fn: Function) -> Any:
        if fn not in self._remote:
            self._remote[fn] = self._ray.remote(fn)
        return self._remote[fn]

    def map(self, fn: Function, items: list[Any]) -> list[Any]:
        task = self._task(fn)
        return list(self._ray.get([task.remote(item) for item in items]))

    def call(self, fn: Function, item: Any) -> Any:
        return self._ray.get(self._task(fn).remote(item))

    def futures(self, fn: Function, items: list[Any]) -> list[Any]:
        return self.map(fn, items)

    def to_all(self, fn: Function, array: Any, times: int) -> list[Any]:
        return self.map(fn, [self._ray.put(array)] * times)

    def close(self) -> None:
        self._ray.shutdown()


class Loop(Library):
    """The plain loop, without any workers: for orientation, and no peer."""

    module = "builtins"

    def map(self, fn: Function, items: list[Any]) -> list[Any]:
        return [fn(item) for item in items]


class OneCopy(Library):
    """One copy of each array into memory that is there already, in one thread: a transport can hardly do with less."""

    module = "builtins"

    def __init__(self) -> None:
        self._there: Any = None

    def map(self, fn: Function, items: list[Any]) -> list[Any]:
        import numpy as np

        if self._there is None:
            self._there = np.zeros_like(items[0])
        results = []
        for item in items:
            np.copyto(self._there, item)
            results.append(fn(self._there))
        return results


OURS = "corewise"
LIMITS: dict[str, type[Library]] = {"plain loop": Loop, "one copy": OneCopy}
LIBRARIES: dict[str, type[Library]] = {
    OURS: Corewise,
    "Pool": Pool,
    "ProcessPoolExecutor": ProcessPoolExecutor,
    "joblib": Joblib,
    "loky": Loky,
    "mpire": Mpire,
    "Dask": Dask,
    "Ray": Ray,
}
PEERS = tuple(name for name in LIBRARIES if name != OURS)
CLUSTERS = ("Dask", "Ray")  # seconds to start, and meant to stay: they take part in fewer rounds


def absent() -> list[str]:
    """Return the libraries that are not installed here."""
    return [name for name, library in LIBRARIES.items() if importlib.util.find_spec(library.module) is None]
