"""What items' own programs compute is measured with them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

import corewise
from corewise._api.first_item import _of_itself
from corewise._choose.explain import nature
from corewise._measure.gauge import Gauge
from corewise._types.measurement import Measurement

pytestmark = pytest.mark.skipif(os.name != "posix", reason="other systems do not tell")
PROGRAM = "import time\nwhile time.process_time() < {}: pass\nprint(time.process_time())"


def computes(seconds: float) -> float:
    """Have a program compute, and return the CPU seconds that it took by its own clock."""
    program = [sys.executable, "-I", "-S", "-c", PROGRAM.format(seconds)]
    return float(subprocess.run(program, check=True, capture_output=True, timeout=60).stdout)


def test_what_a_program_computes_counts_for_its_item() -> None:
    """No less than the program says; and what programs before have computed does not count."""
    computes(0.2)
    gauge = Gauge()
    try:
        own_s = 0.0
        for chunk in ([0.05], [0.03, 0.04]):
            own_s += sum(map(computes, gauge.begin(chunk)))
            gauge.end(len(chunk))
            computes(0.2)  # between two chunks
        measured = gauge.measurement(remaining=1)
    finally:
        gauge.close()
    assert own_s <= measured.children_cpu_s < own_s + 0.15  # the end of an interpreter is not in its own figure
    assert measured.cpu_share < 0.5
    assert "programs that keep" in nature(measured)


def test_who_starts_no_program_has_none() -> None:
    """Though others of this process have ended."""
    computes(0.05)
    gauge = Gauge()
    try:
        sum(map(abs, gauge.begin([-1, -2])))
        gauge.end(2)
        measured = gauge.measurement(remaining=1)
    finally:
        gauge.close()
    assert measured.children_cpu_s == measured.children_cores == 0.0


def item(wall_s: float, children_cpu_s: float, **more: Any) -> Measurement:
    """Return what one item tells that waited for programs."""
    fields = {"items": 1, "wall_s": wall_s, "first_s": wall_s, "deviation_s": 0.0, "longest_s": wall_s, "cpu_s": 0.0}
    rest = {"native_cpu_s": 0.0, "held_s": None, "queued_s": 0.0, "remaining": 9}
    return Measurement(**fields, **rest, **more, children_cpu_s=children_cpu_s)


def test_programs_side_by_side_have_each_a_part() -> None:
    """And if they have crowded the cores, an item by itself would have taken no longer than they computed."""
    assert _of_itself(item(1.0, 0.375), ended=3, at_once=4, cores=2) == item(1.0, 0.125)
    crowded = _of_itself(item(1.0, 0.75), ended=6, at_once=30, cores=2)
    assert crowded == item(0.125, 0.125)
    assert crowded.children_cores == pytest.approx(1.0)


def test_a_map_of_programs_tells_what_they_compute() -> None:
    """Also where others were started beside the first of them."""
    results = corewise.map(computes, [0.05] * 12)
    measured = results.choice.measurement
    assert measured is not None
    assert len(results) == 12
    assert 0.02 < measured.children_cpu_s / max(1, measured.items) < 0.5
