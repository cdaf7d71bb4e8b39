"""What is done about the others while a first item still runs, by what is known of it by then."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import zlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import corewise
from corewise._api import first_item as first_item_module
from corewise._api.decision import Decision
from corewise._api.first_item import FirstItem
from corewise._api.probe import Probe
from corewise._api.request import make_request
from corewise._measure import leftover
from corewise._types.choice import Choice
from corewise._types.measurement import Measurement
from corewise._types.options import Options

if TYPE_CHECKING:
    from pathlib import Path

FEW_CORES = corewise.cpu_count() < 2
PROCESSES = Choice(approach="processes", workers=2, asked="auto", code="", why="")


@pytest.fixture(autouse=True)
def nothing_is_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy, which other tests have loaded a moment ago, may keep threads busy; here it is long ago."""
    monkeypatch.setattr(leftover, "is_doubtful", lambda: False)


def measured(running_s: float, **figures: Any) -> Measurement:
    """Return what an item tells that has run for so long, nine behind it; without more, one that computes."""
    fields: dict[str, Any] = {
        "items": 1,
        "wall_s": running_s,
        "first_s": running_s,
        "deviation_s": 0.0,
        "longest_s": running_s,
        "cpu_s": running_s,
        "native_cpu_s": 0.0,
        "held_s": running_s,
        "queued_s": 0.0,
        "remaining": 9,
    }
    return Measurement(**{**fields, **figures})


def first_item(*measurements: Measurement, loaded: bool = False) -> FirstItem:
    """Return the first item as it shows itself at one time after the other."""
    shown = list(measurements)
    now = shown[0]
    gauge = SimpleNamespace(
        items=0, so_far=lambda _: shown.pop(0), running_s=lambda: now.wall_s, sleeps=lambda: not now.cpu_s
    )
    probe: Any = SimpleNamespace(gauge=gauge, loaded=loaded)
    source: Any = SimpleNamespace(remaining=now.remaining)

    def decide() -> Decision:
        asked = {"approach": "auto", "workers": None, "progress": False}
        request = make_request("map", abs, (range(10),), asked, {})
        return Decision(abs, None, Options(), lambda: request.terms(PROCESSES, streams=False, beside=True))

    return FirstItem(source, lambda: probe, decide)


def chosen(running_s: float, **figures: Any) -> Any:
    """Return what is chosen for nine others when an item has run for so long."""
    return first_item(measured(running_s, **figures)).choose()


@pytest.mark.skipif(FEW_CORES, reason="nobody else could compute")
def test_threads_beside_an_item_that_computes_without_the_gil() -> None:
    """At once: they are loaded in no time, and it is not held up by that."""
    assert chosen(0.05, held_s=0.0).approach == "threads"


@pytest.mark.parametrize(
    "figures",
    [{}, {"held_s": None}, {"held_s": 0.02}, {"held_s": 0.0, "native_cpu_s": 0.05}],
    ids=["holds it", "nobody knows", "holds it half of the time", "native threads use the other cores"],
)
def test_nothing_yet_beside_others_that_compute(figures: dict[str, Any]) -> None:
    """To load processes beside them would slow them down more than it gains."""
    assert chosen(0.05, **figures) is None


@pytest.mark.skipif(FEW_CORES, reason="nobody else could compute")
@pytest.mark.parametrize("remaining", [1, 3, 9])
def test_processes_beside_few_others_that_compute_for_long(remaining: int) -> None:
    """The caller's core is taken for as long again, for all anybody knows; so a single one is worth a worker, too."""
    first = first_item(*[measured(0.5, remaining=remaining)] * 2)
    choice = first.choose()
    assert choice is not None
    assert choice.approach == "processes"
    assert choice.measurement is not None
    assert choice.measurement.remaining == remaining
    ended = first.ended(choice, choice.workers, choice.workers, 0)
    by = {one.approach: one.seconds for one in ended.estimates}
    assert by["sync"] == pytest.approx(remaining * 0.5)  # and what remained of the first, which was nothing
    assert by["processes"] < by["threads"]


@pytest.mark.skipif(FEW_CORES, reason="nobody else could compute")
def test_what_an_item_showed_while_it_was_alone_holds_when_it_has_ended() -> None:
    """Beside the threads that were opened it has to wait for the GIL, as if it held it."""
    first = first_item(measured(0.05, held_s=0.0), measured(0.1, held_s=0.1, native_cpu_s=0.05))
    choice = first.choose()
    assert choice is not None
    ended = first.ended(choice, choice.workers, choice.workers, 0)
    assert ended.measurement is not None
    assert (ended.measurement.held_share, ended.measurement.native_cores) == (0.0, 0.0)
    by = {one.approach: one.seconds for one in ended.estimates}
    assert by["threads"] < 0.8 * by["sync"]


def test_nothing_yet_beside_an_item_that_loads_modules() -> None:
    """It lets go of the GIL at each file, whatever it does then."""
    assert first_item(measured(0.05, held_s=0.0), loaded=True).choose() is None


@pytest.mark.parametrize(
    ("items", "worth", "begins", "is_enough"),
    [(0, True, True, True), (0, False, False, False), (1, True, False, True)],
    ids=["worth it", "not yet", "behind others"],
)
def test_what_is_asked_of_a_long_item(*, items: int, worth: bool, begins: bool, is_enough: bool) -> None:
    """Again, for as long as too little seems to remain; and once behind other items, of which it tells little."""
    begun: list[bool] = []
    probe: Any = Probe.__new__(Probe)
    probe.gauge = SimpleNamespace(items=items, running_s=lambda: 0.05)
    probe._early = SimpleNamespace(is_worth_it=lambda _: worth, begin=lambda: begun.append(True))
    probe._modules = None
    assert probe._is_long() == is_enough
    assert bool(begun) == begins


def test_threads_beside_an_item_that_waits() -> None:
    """There is a core for them."""
    assert chosen(0.004, cpu_s=0.0, held_s=0.0).approach == "threads"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell which thread has started what")
@pytest.mark.parametrize(
    ("waits", "takes_turns"),
    [("subprocess.run(['sleep', '0.05'], check=True)", True), ("time.sleep(0.05)", False)],
    ids=["for a program", "by itself"],
)
def test_what_it_takes_to_start_a_program_is_no_loading(waits: str, *, takes_turns: bool) -> None:
    """In a fresh interpreter, where the first item loads the module for it, too: the others start theirs in turns."""
    program = f"""
import corewise
def wait(number):
    import subprocess, time
    {waits}
    return number
print(corewise.map(wait, range(12)).choice.measurement.cpu_s)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=20)
    assert (float(told.stdout) >= first_item_module._STARTS_PROGRAM_S) is takes_turns


@pytest.mark.skipif(FEW_CORES, reason="nobody else could compute")
def test_others_run_while_a_first_item_computes_without_the_gil() -> None:
    """In threads of this process: it would compute for ever otherwise."""
    others = threading.Event()
    data = bytes(range(256)) * 40_000  # 10 MB, some 20 ms

    def checks(number: int) -> int:
        if number:
            others.set()
        while not others.is_set():
            zlib.crc32(data)
        return threading.get_ident()

    for items in (8, 2):
        others.clear()
        results = corewise.map(checks, range(items))
        assert len({*results}) > 1
        assert results.choice.approach == "threads"


@pytest.mark.skipif(FEW_CORES, reason="nobody else could compute")
@pytest.mark.parametrize("items", [4, 2])
def test_others_run_while_a_first_item_computes_in_python(items: int, tmp_path: Path) -> None:
    """In processes, even a single one: it would compute for ever otherwise."""
    begun = tmp_path / "begun"

    def computes(number: int) -> int:
        if number:
            begun.touch()
        while not begun.exists():
            sum(range(200_000))
        return os.getpid()

    results = corewise.map(computes, range(items))
    assert os.getpid() == results[0] != results[1]
    assert results.choice.approach == "processes"
