"""Works of known nature: the gauge finds out what each is like. `benchmarks/probe.py` gives the figures."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
HAS_GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
AHEAD, MOST_TRIES = 3, 11  # beside busy neighbours 20 ms may be too short to see anything at all

sys.path.insert(0, str(BENCHMARKS))
try:
    import _natures
    import probe
finally:
    sys.path.remove(str(BENCHMARKS))

pytestmark = pytest.mark.skipif(os.name != "posix", reason="some of the works need a POSIX system")


@pytest.fixture(autouse=True, scope="module")
def a_file() -> object:
    """Have the file that some of them read."""
    _natures.make_file()
    yield
    _natures.remove_file()


def is_right(name: str) -> bool:
    """Return whether a work is seen as what it is: more often than not, by as many more tries as `AHEAD` says."""
    nature = _natures.NATURES[name]
    if not HAS_GIL:
        nature = nature._replace(holds=False if nature.holds is not None else None)
    nature.fn(0)
    ahead = 0
    for _ in range(MOST_TRIES):
        ahead += 1 if probe.right(nature, probe.measure(nature.fn)) else -1
        if abs(ahead) == AHEAD:
            break
    return ahead > 0


def none_is_wrong(wrong: list[str]) -> None:
    """Fail for works that were not seen as what they are, unless others keep all cores busy: then nobody can tell."""
    if wrong and os.getloadavg()[0] > (os.cpu_count() or 1):
        pytest.skip(f"the machine is crowded (load {os.getloadavg()[0]:.1f}); wrong about {', '.join(wrong)}")
    assert wrong == []


@pytest.mark.parametrize("name", _natures.NATURES)
def test_a_work_of_known_nature_is_seen_as_what_it_is(name: str) -> None:
    """Whether it computes or waits, and whether its computing holds the GIL."""
    none_is_wrong([] if is_right(name) else [name])


def test_a_busy_neighbour_changes_nothing_about_it() -> None:
    """One core is kept busy by another process: time in line for a core is neither waiting nor holding."""
    wrong = probe.beside_a_busy_core(lambda: [name for name in _natures.NATURES if not is_right(name)])
    none_is_wrong(wrong)


@pytest.mark.skipif(importlib.util.find_spec("numpy") is None, reason="needs numpy")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="BLAS starts no threads on one core")
def test_blas_is_seen_to_use_other_cores() -> None:
    """Its hidden threads compute beside the calling one."""
    fn = _natures.NATURES["BLAS"].fn
    fn(0)
    assert max(probe.measure(fn).native_cores for _ in range(3)) > 0.3
