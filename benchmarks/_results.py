"""Where a benchmark leaves its figures, and what it says of the machine they belong to."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
from pathlib import Path

from corewise._machine.facts import machine_facts

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks/results"


def write(benchmark: str, figures: dict[str, object]) -> str:
    """Store `figures` with version, date and machine as benchmarks/results/BENCHMARK.json.

    Returns:
        The file's path, relative to the project.
    """
    document = {
        "benchmark": benchmark,
        "corewise": importlib.metadata.version("corewise"),
        "measured": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": machine_facts(),
        **figures,
    }
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{benchmark}.json"
    file.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    return file.relative_to(ROOT).as_posix()
