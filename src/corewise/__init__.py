"""corewise runs a function over many inputs by the approach that fits the work.

`map` is the one call; `compare` shows what each approach does with your own function. The rooms of the house, from
the ground up: `_types` holds the records all rooms speak in; `_machine`, `_work` and `_transport` know the machine,
the innermost loop, and how bytes move; `_engine` runs processes, `_choose` decides, `_report` draws; `_approaches`
are the ways to run; `_dispatch` orders and bounds; `_api` holds the public verbs; `_cli` is the command line. A file
imports from floors below its own only.

Everything is loaded on first use: each worker process imports this file before anything else. All that this file does
is to make that loading quick.
"""

from __future__ import annotations

from corewise._machine.modules import find_quickly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._api.advise import Advice, advise
    from corewise._api.amap import amap
    from corewise._api.astream import AsyncStream, astream
    from corewise._api.compare import Comparison, compare
    from corewise._api.executors.asyncio import AsyncioExecutor
    from corewise._api.executors.process import ProcessExecutor
    from corewise._api.executors.sync import SyncExecutor
    from corewise._api.executors.threads import ThreadExecutor
    from corewise._api.map import map  # noqa: A004 - the public name
    from corewise._api.pool.pool import Pool
    from corewise._api.pool.result import AsyncResult
    from corewise._api.process import Process
    from corewise._api.results import Results
    from corewise._api.stream import Stream, stream
    from corewise._choose.advice import Cost
    from corewise._machine.cpus import cpu_count
    from corewise._transport.pipes.connection import Connection
    from corewise._transport.pipes.pipe import Pipe
    from corewise._transport.queues.joinable import JoinableQueue
    from corewise._transport.queues.queue import Queue, SimpleQueue
    from corewise._types.choice import Choice, Failed, Stats
    from corewise._types.events import Progress, Trial
    from corewise._types.measurement import Estimate, Measurement
    from corewise._types.options import Options
    from corewise._types.queue_statistics import QueueStatistics
    from corewise._types.statistics import ExecutorStatistics

    __version__: str

__all__ = [
    "Advice",
    "AsyncResult",
    "AsyncStream",
    "AsyncioExecutor",
    "Choice",
    "Comparison",
    "Connection",
    "Cost",
    "Estimate",
    "ExecutorStatistics",
    "Failed",
    "JoinableQueue",
    "Measurement",
    "Options",
    "Pipe",
    "Pool",
    "Process",
    "ProcessExecutor",
    "Progress",
    "Queue",
    "QueueStatistics",
    "Results",
    "SimpleQueue",
    "Stats",
    "Stream",
    "SyncExecutor",
    "ThreadExecutor",
    "Trial",
    "advise",
    "amap",
    "astream",
    "compare",
    "cpu_count",
    "errors",
    "map",
    "stream",
]

_HOME = {
    "Advice": "corewise._api.advise",
    "AsyncResult": "corewise._api.pool.result",
    "AsyncStream": "corewise._api.astream",
    "AsyncioExecutor": "corewise._api.executors.asyncio",
    "Choice": "corewise._types.choice",
    "Comparison": "corewise._api.compare",
    "Connection": "corewise._transport.pipes.connection",
    "Cost": "corewise._choose.advice",
    "Estimate": "corewise._types.measurement",
    "ExecutorStatistics": "corewise._types.statistics",
    "Failed": "corewise._types.choice",
    "Measurement": "corewise._types.measurement",
    "JoinableQueue": "corewise._transport.queues.joinable",
    "Options": "corewise._types.options",
    "Pipe": "corewise._transport.pipes.pipe",
    "Pool": "corewise._api.pool.pool",
    "Process": "corewise._api.process",
    "ProcessExecutor": "corewise._api.executors.process",
    "Progress": "corewise._types.events",
    "Queue": "corewise._transport.queues.queue",
    "QueueStatistics": "corewise._types.queue_statistics",
    "Results": "corewise._api.results",
    "SimpleQueue": "corewise._transport.queues.queue",
    "Stats": "corewise._types.choice",
    "Stream": "corewise._api.stream",
    "SyncExecutor": "corewise._api.executors.sync",
    "ThreadExecutor": "corewise._api.executors.threads",
    "Trial": "corewise._types.events",
    "__version__": "corewise._types.version",
    "advise": "corewise._api.advise",
    "amap": "corewise._api.amap",
    "astream": "corewise._api.astream",
    "compare": "corewise._api.compare",
    "cpu_count": "corewise._machine.cpus",
    "map": "corewise._api.map",
    "stream": "corewise._api.stream",
}


find_quickly(__name__, __spec__)


def __getattr__(name: str) -> object:
    # Not by `importlib`, which is dear to import.
    if name == "errors":
        return __import__("corewise.errors", fromlist=["errors"])
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(__import__(_HOME[name], fromlist=[name]), name)
    globals()[name] = value  # found at once from now on
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
