"""Facts of the machine and the interpreter that stand beside every figure."""

from __future__ import annotations

import os
import platform
import sys

from corewise._machine import cpus, memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._types.comparison import Machine


def machine_facts() -> Machine:
    """Return what the figures of a measurement belong to."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "gil": gil_enabled(),
        "system": platform.system(),
        "release": platform.release(),
        "cpu": _cpu_model(),
        "cores": cpus.cpu_count(),
        "logical_cores": cpus.logical_cores(),
        "memory_bytes": memory.total_bytes(),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def gil_enabled() -> bool:
    """Return whether this interpreter runs with a global interpreter lock."""
    asked = getattr(sys, "_is_gil_enabled", None)  # Python 3.13 and later
    return bool(asked()) if asked is not None else True


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
