"""Descriptors, processes, memory or space run out: an error at once or a slower way, and all is well afterwards."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import pytest
import running

if TYPE_CHECKING:
    from collections.abc import Iterator

# The fork server of the standard library ends with a traceback when it cannot fork, or finds no descriptor left.
FORK_SERVER = "multiprocessing/forkserver.py"


@pytest.mark.timeout(60)
def test_executors_and_maps_that_open_without_descriptors() -> None:
    """With none left and with each number up to enough."""
    *lines, end = running.run("short_of_descriptors", "start", complains=FORK_SERVER).splitlines()
    assert end == "end"
    for use in ("use_executor", "use_map"):
        told = [line.split(maxsplit=2)[2] for line in lines if line.startswith(use)]
        assert told[0].startswith("refused"), told
        assert told[-1] == "right"
        assert not [line for line in told if line.startswith("wrong")]
        assert all("Too many open files" in line for line in told if line.startswith("refused"))


@pytest.mark.timeout(60)
def test_descriptors_run_out_in_the_midst_of_work() -> None:
    """Large data take another way, and a worker that cannot be replaced is said so."""
    assert running.run("short_of_descriptors", "middle", complains=FORK_SERVER).splitlines()[-1] == "end"


@pytest.fixture
def process_group() -> Iterator[str]:
    """Give a control group that limits processes, or ``"-"`` where a limit of the user's own will do."""
    if os.getuid() != 0:
        yield "-"
        return
    own = next((line for line in Path("/proc/self/cgroup").read_text().splitlines() if ":pids:" in line), None)
    folder = Path("/sys/fs/cgroup/pids" + own.split(":")[2] if own else "/sys/fs/cgroup") / f"corewise-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"root has no limit of processes of its own, and no control group could be made: {error}")
    if not (folder / "pids.max").exists():
        folder.rmdir()
        pytest.skip("the control groups of this machine do not count processes")
    yield str(folder)
    folder.rmdir()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("when", ["start", "middle"])
def test_no_more_processes_can_be_made(process_group: str, when: str) -> None:
    """Some or no workers are granted; what is granted does the work, and none is an error at once."""
    *lines, end = running.run("short_of_processes", process_group, when, complains=FORK_SERVER).splitlines()
    assert end == "end"
    assert not [line for line in lines if "wrong" in line]
    if when == "start":
        # Others try again for a moment, in which a process of the round before may have gone.
        assert all("refused" in line for line in lines if line.split()[1] != "forkserver" and line.split()[2] == "0"), (
            lines
        )


def in_small_space(folder: str) -> list[str]:
    """Return a command that runs another where `folder` has room for 1 MB, seen by nobody else."""
    unshare = which("unshare")
    if unshare is None:
        pytest.skip("there is no unshare command")
    mount = f"mount -t tmpfs -o size=1m tmpfs {folder}"
    if subprocess.run([unshare, "-m", "sh", "-c", mount], check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system of its own")
    return [unshare, "-m", "sh", "-c", f'{mount} && exec "$@"', "sh"]


@pytest.mark.parametrize("when", ["start", "middle"])
def test_shared_memory_is_full(when: str) -> None:
    """Nobody dies of SIGBUS: 20 MB arguments and results go through."""
    before = in_small_space("/dev/shm")
    assert running.run("short_of_space", "folder", when, "/dev/shm", before=before) == "end\n"


@pytest.mark.parametrize("when", ["start", "middle"])
def test_the_folder_of_temporary_files_is_full(when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of ours has to be written there; the fork server's socket takes no room."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = in_small_space(str(tmp_path))
    assert running.run("short_of_space", "folder", when, tmp_path, before=before) == "end\n"


@pytest.mark.parametrize("when", ["start", "middle"])
def test_no_file_may_grow(when: str) -> None:
    """A limit on the size of files holds for unnamed memory as well: then data take another way."""
    assert running.run("short_of_space", "limit", when, "-") == "end\n"


def test_this_process_has_no_memory_for_what_it_receives_or_sends() -> None:
    """That task fails by `MemoryError`, the next one goes through."""
    assert running.run("short_of_memory").splitlines()[-1] == "end"
