"""corewise runs a function over many inputs by the approach that fits the work.

`map` is the one call; `compare` shows what each approach does with your own function. The rooms of the house, from
the ground up: `_types` holds the records all rooms speak in; `_machine`, `_work` and `_transport` know the machine,
the innermost loop, and how bytes move; `_engine` runs processes, `_choose` decides, `_report` draws; `_approaches`
are the ways to run; `_dispatch` orders and bounds; `_api` holds the public verbs; `_cli` is the command line. A file
imports from floors below its own only.

Everything is loaded on first use: each worker process imports this file before anything else.
"""

from __future__ import annotations

from corewise._types.version import __version__ as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._api.compare import Comparison, compare
    from corewise._api.map import map  # noqa: A004 - the public name
    from corewise._api.results import Results
    from corewise._machine.cpus import cpu_count
    from corewise._types.choice import Choice, Failed, Sample, Stats
    from corewise._types.events import Progress, Trial
    from corewise._types.options import Options

__all__ = [
    "Choice",
    "Comparison",
    "Failed",
    "Options",
    "Progress",
    "Results",
    "Sample",
    "Stats",
    "Trial",
    "compare",
    "cpu_count",
    "errors",
    "map",
]

_HOME = {
    "Choice": "corewise._types.choice",
    "Comparison": "corewise._api.compare",
    "Failed": "corewise._types.choice",
    "Options": "corewise._types.options",
    "Progress": "corewise._types.events",
    "Results": "corewise._api.results",
    "Sample": "corewise._types.choice",
    "Stats": "corewise._types.choice",
    "Trial": "corewise._types.events",
    "compare": "corewise._api.compare",
    "cpu_count": "corewise._machine.cpus",
    "map": "corewise._api.map",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "errors":
        return import_module("corewise.errors")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value  # found at once from now on
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
