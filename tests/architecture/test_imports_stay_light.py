"""`import corewise` is the first thing every worker does, so what it loads is counted here, in fresh interpreters."""

from __future__ import annotations

import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import corewise

ROOT = Path(__file__).parents[2]
LIMIT_S = 0.010

# Dear for everybody, and needed by few: what each costs stands in benchmarks/results/import_cost.json.
DEAR = ("asyncio", "click", "dataclasses", "rich")
DEARER_THAN_THE_FRONT_DOOR = (*DEAR, "cloudpickle", "concurrent", "inspect", "multiprocessing", "typing")
NOT_FOR_WORKERS = ("asyncio", "click", "cloudpickle", "corewise._cli", "corewise._report", "rich")


def _run(program: str, *arguments: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", *options, "-c", program, *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished


def _modules_of_floors_0_and_1() -> list[str]:
    """Modules of the two lowest floors, but for the files that pyproject.toml lists as loaded late."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    layers = next(contract["layers"] for contract in tools["importlinter"]["contracts"] if contract["id"] == "floors")
    floors = [{room.strip(" ()") for room in layer.split("|")} for layer in layers]
    first_floor = next(number for number, rooms in enumerate(floors) if "_machine" in rooms)
    rooms = set[str]().union(*floors[first_floor:])
    ignores = tools["ruff"]["lint"]["per-file-ignores"].items()
    late = {file for pattern, rules in ignores if "TID253" in rules for file in ROOT.glob(pattern)}
    names = [module.name for module in pkgutil.walk_packages(corewise.__path__, "corewise.")]
    return [
        name
        for name in names
        if name.split(".")[1] in rooms and ROOT.joinpath("src", *name.split(".")).with_suffix(".py") not in late
    ]


def test_the_front_door_loads_nothing_dear() -> None:
    """A bare `import corewise` loads none of the dear modules, and no room beyond the floors it stands on."""
    program = "import sys; before = set(sys.modules); import corewise; print(*(set(sys.modules) - before))"
    loaded = _run(program).stdout.split()
    assert [name for name in loaded if name.split(".")[0] in DEARER_THAN_THE_FRONT_DOOR] == []


def test_the_front_door_opens_within_its_limit() -> None:
    """The best of five `import corewise` takes less than 10 ms, by the interpreter's own clock."""
    times_s = []
    for _ in range(5):
        report = _run("import corewise", options=("-X", "importtime")).stderr
        line = re.search(r"^import time: +\d+ \| +(\d+) \| corewise$", report, re.MULTILINE)
        assert line is not None, report
        times_s.append(int(line[1]) / 1e6)
    assert min(times_s) < LIMIT_S


@pytest.mark.parametrize("module", _modules_of_floors_0_and_1())
def test_the_lowest_floors_load_nothing_dear(module: str) -> None:
    """What every worker stands on loads neither the terminal, the command line, asyncio nor dataclasses."""
    program = "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps(list(sys.modules)))"
    loaded = json.loads(_run(program, module).stdout)
    assert sorted(set(DEAR).intersection(loaded)) == []


@pytest.mark.parametrize("approach", ["auto", "sync"])
def test_a_call_that_is_over_at_once_loads_nothing_to_choose_by(approach: str) -> None:
    """Neither the rule and its words, nor what starts threads or processes: the first call would wait for it."""
    program = (
        "import sys; before = set(sys.modules); import corewise\n"
        "assert corewise.map(abs, [-1], approach=sys.argv[1]).stats.items == 1\n"
        "print(*(set(sys.modules) - before))"
    )
    loaded = _run(program, approach).stdout.split()
    assert [name for name in loaded if name.split(".")[0] in (*DEARER_THAN_THE_FRONT_DOOR, "threading")] == []
    choosing = {name for name in loaded if name.startswith(("corewise._choose", "corewise._engine"))}
    assert choosing <= {"corewise._choose", "corewise._choose.undecided"}


@pytest.mark.parametrize("start_method", ["fork", "forkserver", "spawn"])
def test_a_worker_loads_nothing_it_does_not_need(start_method: str, tmp_path: Path) -> None:
    """A worker that runs an importable function has loaded no terminal, no asyncio, no cloudpickle, no verbs."""
    (tmp_path / "work.py").write_text("import sys\n\ndef loaded(item):\n    return list(sys.modules)\n")
    program = (
        "import json, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import corewise, work\n"
        "runs = corewise.map(work.loaded, range(2), approach='processes', workers=2, start_method=sys.argv[2])\n"
        "print(json.dumps(sorted({name for run in runs for name in run})))\n"
    )
    loaded = json.loads(_run(program, str(tmp_path), start_method).stdout)
    assert sorted(set(NOT_FOR_WORKERS).intersection(loaded)) == []
