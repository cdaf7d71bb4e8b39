"""Warnings of workers are the parent's: its filters decide, and show each once where they say so."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import forwarded
import pytest

from corewise._engine import forwarding, warned


@pytest.fixture(params=forwarded.METHODS)
def method(request: pytest.FixtureRequest) -> str:
    """Name a way to start a process."""
    return str(request.param)


@pytest.fixture(autouse=True)
def nothing_shown_yet() -> None:
    """Let each test begin with a module that has not warned."""
    vars(forwarded).pop("__warningregistry__", None)


def test_a_warning_arrives_with_the_index_of_its_item(method: str) -> None:
    """Text, category, file and line are those of the worker's."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        forwarded.run(method, forwarded.warn, 1, DeprecationWarning)
    (one,) = caught
    assert (str(one.message), one.category) == ("mind the gap", DeprecationWarning)
    assert one.filename == forwarded.__file__
    assert 'warnings.warn("mind the gap"' in Path(one.filename).read_text("utf-8").splitlines()[one.lineno - 1]
    assert one.message.corewise_item == forwarded.INDEX


@pytest.mark.parametrize(("action", "count"), [("default", 1), ("module", 1), ("always", 6), ("ignore", 0)])
def test_the_filters_decide_how_often_a_line_warns(method: str, action: str, count: int) -> None:
    """Two workers that warn three times each are as one plain loop that warns six times."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)
        for _ in range(2):
            forwarded.run(method, forwarded.warn, 3)
    assert len(caught) == count


def test_what_the_program_has_shown_itself_is_not_shown_again(method: str) -> None:
    """The module's own register is the one that counts, as it would without workers."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        forwarded.warn(1)
        forwarded.run(method, forwarded.warn, 1)
    assert len(caught) == 1


def test_a_filter_that_makes_errors_makes_them_in_the_worker(method: str, tmp_path: Path) -> None:
    """There the item can fail of it."""
    path = tmp_path / "outcome"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        forwarded.run(method, forwarded.warn_or_say, str(path))
    assert path.read_text("utf-8") == "raised mind the gap"
    assert caught == []


def test_a_filter_that_names_a_module_holds_for_it(method: str) -> None:
    """The worker tells the module, which the file name alone would not."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", module="forwarded$")
        forwarded.run(method, forwarded.warn, 1)
        assert caught == []
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", module="forwarded$")
        forwarded.run(method, forwarded.warn, 1)
    assert len(caught) == 1


def test_a_filter_that_became_stricter_loses_nothing() -> None:
    """Under ``error`` a warning that is on its way is shown: the item cannot fail of it any more."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        messages = forwarded.messages_of("forkserver", forwarded.warn, 1)
        warnings.simplefilter("error")
        for kind, data in messages:
            forwarding.handle(kind, data)
    assert [str(one.message) for one in caught] == ["mind the gap"]


def test_a_category_of_ones_own_arrives(method: str) -> None:
    """The instance itself."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        forwarded.run(method, forwarded.warn_in_the_tunnel)
    assert [type(one.message) for one in caught] == [forwarded.Meant]


def test_a_warning_that_cannot_travel_arrives_as_the_next_known_category(method: str) -> None:
    """With its text and its place."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        forwarded.run(method, forwarded.warn_stuck)
    (one,) = caught
    assert (str(one.message), one.category) == ("in the tunnel", UserWarning)


def test_a_warning_of_a_module_that_the_parent_has_not_loaded_is_shown_once() -> None:
    """It is remembered all the same, by module and line."""
    message = (None, "UserWarning", "far away", "/nowhere/far.py", 3, "far", 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            warned.replay(message)
        warned.replay((*message[:4], 4, *message[5:]))
    assert [one.lineno for one in caught] == [3, 4]


def test_a_warning_that_is_an_error_of_another_kind_too_is_rebuilt_as_a_warning() -> None:
    """Its next known category is a warning, whatever else it is."""

    class Both(ValueError, RuntimeWarning):
        def __reduce__(self) -> str:
            raise TypeError("stays here")

    packed = warned.pack(Both("both"), "file", 1, None)
    assert packed[:3] == (None, "RuntimeWarning", "both")


MAIN = """
import sys, warnings
sys.path.insert(0, {folder!r})
import forwarded

def work():
    warnings.warn("of the main program", DeprecationWarning, stacklevel=1)

if __name__ == "__main__":
    for _ in range(2):
        forwarded.run({method!r}, work)
"""


def test_a_deprecation_in_the_main_program_is_shown_as_ever(method: str, tmp_path: Path) -> None:
    """Python shows those of the main program only, which has another name in a worker that was started afresh."""
    path = tmp_path / "program.py"
    path.write_text(MAIN.format(folder=str(Path(__file__).parent), method=method), "utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.count("DeprecationWarning: of the main program") == 1
    assert done.stderr.startswith(f"{path}:7: DeprecationWarning")
