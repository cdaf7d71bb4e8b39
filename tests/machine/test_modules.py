"""The short way to the package's modules gives what the import system gives, and leaves to it what it cannot tell."""

from __future__ import annotations

import os
import py_compile
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import corewise

PACKAGE = Path(corewise.__file__).parent
BY_US = "type(corewise._api.map.__loader__).__module__ == 'corewise._machine.modules'"
CALL = "import corewise; assert corewise.map(abs, [-1, 2]) == [1, 2]; "


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Copy the package to a folder of its own, without bytecode, and return that folder."""
    shutil.copytree(PACKAGE, tmp_path / "here" / "corewise", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "here"


def run(where: Path, program: str, *flags: str, **environment: str) -> str:
    """Run a program in a fresh interpreter that finds the package there, and return what it prints."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env = clean | {"PYTHONPATH": str(where)} | environment
    done = subprocess.run(
        [sys.executable, *flags, "-c", program], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert not done.returncode, done.stderr
    return done.stdout.strip()


def test_modules_look_as_if_the_import_system_had_loaded_them(copied: Path) -> None:
    """Where they come from, where their bytecode is, and their source for whoever shows it."""
    about = (
        "import inspect; m, p = corewise._api.map, corewise._api; "
        "print(m.__file__, m.__cached__, m.__spec__.origin, m.__package__, p.__file__, p.__path__, p.__package__, "
        "m.map.__code__.co_filename, hash(inspect.getsource(m.map)), m.__spec__.parent, p.__spec__.has_location)"
    )
    usual = "import sys, corewise; sys.meta_path[:] = [one for one in sys.meta_path if 'corewise' not in repr(one)]; "
    run(copied, CALL)
    env = {"PYTHONHASHSEED": "1"}
    ours, theirs = run(copied, CALL + about, **env), run(copied, usual + CALL + about, **env)
    assert ours == theirs
    assert run(copied, f"{CALL} print({BY_US})") == "True"
    assert run(copied, f"{usual}{CALL} print({BY_US})") == "False"


def test_a_source_that_was_changed_is_compiled_again(copied: Path) -> None:
    """Its age and its size are asked for, as by the import system, which stores the new bytecode too."""
    source = copied / "corewise" / "_api" / "map.py"
    run(copied, CALL)
    source.write_text(source.read_text() + "CHANGED = 1\n")
    changed = f"{CALL} print(corewise._api.map.CHANGED, {BY_US})"
    assert [run(copied, changed) for _ in range(2)] == ["1 True"] * 2
    before = source.stat()
    source.write_text(source.read_text().replace("CHANGED = 1", "CHANGED = 2"))  # as long as before
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns + 2_000_000_000))
    assert run(copied, changed) == "2 True"


def test_bytecode_that_is_not_there_or_no_good_is_made_by_the_import_system(copied: Path) -> None:
    """Without a place for it, cut off, of another interpreter, and checked in another way."""
    program = f"{CALL} print({BY_US})"
    assert run(copied, program, PYTHONDONTWRITEBYTECODE="1") == "True"
    assert not (copied / "corewise" / "_api" / "__pycache__").exists()
    run(copied, CALL)
    (stored,) = (copied / "corewise" / "_api" / "__pycache__").glob("map.*")
    whole = stored.read_bytes()
    for no_good in (b"", whole[:10], b"\0" * 16 + whole[16:]):
        stored.write_bytes(no_good)
        assert run(copied, program) == "True"
        assert stored.read_bytes() == whole
    source = copied / "corewise" / "_api" / "map.py"
    py_compile.compile(
        str(source), cfile=str(stored), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH
    )
    assert run(copied, program) == "True"


def test_a_package_that_was_moved_tells_where_it_is_now(copied: Path, tmp_path: Path) -> None:
    """Tracebacks and debuggers show the file that is there."""
    run(copied, CALL)
    there = copied.rename(tmp_path / "there")
    assert str(there) in run(there, CALL + "print(corewise._api.map.map.__code__.co_filename)")


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_optimized_bytecode_is_kept_apart(copied: Path, flag: str) -> None:
    """Each level has its own, as usual."""
    run(copied, CALL)
    docstring = f"{CALL} print(corewise.map.__doc__ is None, {BY_US})"
    assert [run(copied, docstring, flag) for _ in range(2)] == [f"{flag == '-OO'} True"] * 2
    assert run(copied, docstring) == "False True"


def test_bytecode_at_another_place_is_left_to_the_import_system(copied: Path, tmp_path: Path) -> None:
    """Nothing is stored beside the sources then."""
    assert run(copied, f"{CALL} print({BY_US})", PYTHONPYCACHEPREFIX=str(tmp_path / "elsewhere")) == "False"
    assert not list(copied.rglob("__pycache__"))


def test_a_package_in_an_archive_is_loaded_from_there(copied: Path, tmp_path: Path) -> None:
    """What knows the archive loads it."""
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for source in copied.rglob("*.py"):
            file.write(source, source.relative_to(copied))
    assert run(archive, f"{CALL} print({BY_US})") == "False"


def test_whoever_hooks_into_imports_comes_first(copied: Path) -> None:
    """Such as a program that instruments what it loads, also if it begins before the package is loaded."""
    hook = (
        "import sys\n"
        "class Hook:\n"
        "    seen = []\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        "        cls.seen.append(name)\n"
        "sys.meta_path.insert(0, Hook)\n"
    )
    assert run(copied, f"{hook}{CALL} print('corewise._api.map' in Hook.seen)") == "True"


def test_a_module_that_is_not_there_is_missed_as_usual() -> None:
    """By its full name."""
    with pytest.raises(ModuleNotFoundError, match=r"corewise\._api\.nowhere") as caught:
        __import__("corewise._api.nowhere")
    assert caught.value.name == "corewise._api.nowhere"


def test_it_is_there_once(copied: Path) -> None:
    """However often the package is loaded again."""
    again = "import importlib, sys; importlib.reload(corewise); importlib.reload(corewise._api.map); "
    assert run(copied, CALL + again + "print(sum('corewise' in repr(one) for one in sys.meta_path))") == "1"
