"""The practical cases: the server that comes and goes, the clients that really call it, and the lesson."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import pytest

from cli.command import LIMIT_S, corewise, environment
from corewise._cli.practical import cases, local_server, works

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTS_A_SERVER = """
import os, signal, sys
from corewise._cli.practical import local_server
with local_server.running(0.01) as address:
    if os.fork() == 0:
        signal.pause()  # holds the server's standard input open, as a forked worker does
    print(address, flush=True)
    signal.pause()
"""

# The command as it is, but the first case computes a hundredth: at full size it would take the time of all other tests.
WITH_SMALLER_COMPUTING = """
import contextlib
from corewise._cli.practical import cases
first, *others = cases.CASES
cases.CASES = (first._replace(items=lambda: contextlib.nullcontext([10**5] * 4)), *others)
from corewise._cli.main import main
main()
"""


@contextmanager
def _handle_of_server(parent: int) -> Iterator[int]:
    """Give a handle that tells when the server that a process started has ended."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text("utf-8").split()
    commands = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    (server,) = (int(child) for child, command in commands.items() if b"server.py" in command)
    handle = os.pidfd_open(server)
    try:
        yield handle
    finally:
        os.close(handle)


def _get(address: str, request: bytes) -> bytes:
    async def ask() -> bytes:
        host, port = address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    return asyncio.run(ask())


def test_both_clients_get_the_same_answer_after_the_delay() -> None:
    """They really call: the answer is made from the address, and takes as long as the server says."""
    with local_server.running(0.05) as address:
        begin = perf_counter()
        plain = works.fetch(f"{address}/item/3")
        took_s = perf_counter() - begin
        assert asyncio.run(works.fetch_async(f"{address}/item/3")) == plain == "you asked for /item/3\n"
        assert took_s >= 0.05


def test_calls_at_once_wait_at_once() -> None:
    """The server answers 40 calls in less than half the time that 40 calls one after the other would take."""

    async def calls() -> list[str]:
        return await asyncio.gather(*(works.fetch_async(f"{address}/item/{number}") for number in range(40)))

    with local_server.running(0.05) as address:
        begin = perf_counter()
        answers = asyncio.run(calls())
        assert perf_counter() - begin < 40 * 0.05 / 2
    assert answers == [f"you asked for /item/{number}\n" for number in range(40)]


@pytest.mark.parametrize("request_", [b"PUT / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"GET /\r\n\r\n"])
def test_the_server_refuses_what_it_does_not_understand(request_: bytes) -> None:
    """With status 400, and goes on."""
    with local_server.running(0) as address:
        assert _get(address, request_).startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert works.fetch(f"{address}/item/still") == "you asked for /item/still\n"


def test_the_server_survives_a_caller_that_hangs_up() -> None:
    """One that sends half a request, and one that asks and does not wait for the answer."""

    async def hang_up(address: str) -> None:
        host, port = address.removeprefix("http://").split(":")
        for text in (b"GET /", b"GET / HTTP/1.1\r\n\r\n"):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(text)
            writer.transport.abort()

    with local_server.running(0) as address:
        asyncio.run(hang_up(address))
        assert works.fetch(f"{address}/item/ok") == "you asked for /item/ok\n"


def test_an_answer_that_is_none_is_an_error_for_both_clients() -> None:
    """A status other than 200 raises, as an OSError."""
    with local_server.running(0) as address:
        with pytest.raises(HTTPError, match="404"):
            works.fetch(f"{address}/other")
        with pytest.raises(OSError, match="404 Not Found"):
            asyncio.run(works.fetch_async(f"{address}/other"))


def test_a_proxy_for_the_internet_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is on this machine."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with local_server.running(0) as address:
        assert works.fetch(f"{address}/item/x") == "you asked for /item/x\n"


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs a handle to a process that is no child")
def test_the_server_ends_when_its_parent_is_killed() -> None:
    """By SIGKILL, and with another process still holding the pipe that the parent held."""
    command = [sys.executable, "-c", STARTS_A_SERVER]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith(b"http://127.0.0.1:")
        with _handle_of_server(parent.pid) as handle:
            parent.kill()
            assert select.select([handle], [], [], LIMIT_S)[0]
    finally:
        os.killpg(parent.pid, signal.SIGKILL)  # the one that held the pipe
        parent.communicate()


def test_the_server_ends_with_the_block_even_after_an_error() -> None:
    """Whatever happened inside."""
    seen: list[str] = []

    def interrupted() -> None:
        with local_server.running(0) as address:
            seen.append(address)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises(OSError, match=r"refused|reset"):
        works.fetch(f"{seen[0]}/item/x")


def test_the_works_do_what_they_say() -> None:
    """Each function returns what its name promises."""
    from hashlib import sha256

    assert works.sum_of_squares(5) == 0 + 1 + 4 + 9 + 16
    assert works.hash_of_blocks(7) == sha256((7).to_bytes(8, "big") * (2**24)).hexdigest()
    assert works.collatz_steps(6) == len([3, 10, 5, 16, 8, 4, 2, 1])


def test_the_works_load_nothing_before_they_are_called() -> None:
    """Every worker process imports them."""
    code = (
        "import sys; before = set(sys.modules); import corewise._cli.practical.works; print(*set(sys.modules) - before)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in printed if not name.startswith(("corewise", "__future__"))] == []


def test_the_shares_of_the_budget_are_all_of_it() -> None:
    """What one case gets, another does not."""
    assert sum(case.budget_share for case in cases.CASES) == pytest.approx(1)


def test_one_case_is_run_by_its_name() -> None:
    """Its sentence for newcomers is there, and no lesson from a single case."""
    finished = corewise("compare", "--case", "small", "--budget", "1", "--json", "-")
    assert finished.returncode == 0, finished.stderr
    document = json.loads(finished.stdout)
    assert [case["name"] for case in document["cases"]] == ["small"]
    assert document["cases"][0]["about"].startswith("Collatz")
    assert document["cases"][0]["recommendation"]["approach"] == "sync"
    assert document["lesson"] == []


def test_waiting_is_overlapped_by_threads_and_by_asyncio() -> None:
    """Both really call the server; each is several times faster than one call after the other."""
    finished = corewise("compare", "--case", "waiting", "--repeat", "1", "--budget", "20", "--json", "-")
    assert finished.returncode == 0, finished.stderr
    case = json.loads(finished.stdout)["cases"][0]
    speedups = {row["label"]: row["speedup"] for row in case["rows"]}
    assert min(speedups["threads:24"], speedups["asyncio:24"]) > 4
    assert {row["runs"] for row in case["rows"]} == {"function", "async function"}


def test_all_cases_are_run_and_shown_one_by_one_with_the_lesson_at_the_end(tmp_path: Path) -> None:
    """What is drawn while it runs is what the stored document draws."""
    stored = tmp_path / "all.json"
    arguments = ["compare", "--repeat", "1", "--json", str(stored)]
    command = [sys.executable, "-c", WITH_SMALLER_COMPUTING, *arguments]
    finished = subprocess.run(
        command, env=environment(), capture_output=True, encoding="utf-8", timeout=LIMIT_S, check=False
    )
    assert finished.returncode == 0, finished.stderr
    document = json.loads(stored.read_text("utf-8"))
    assert [case["name"] for case in document["cases"]] == ["computing", "hashing", "waiting", "small"]
    assert {row["approach"] for row in document["lesson"]} == {"sync", "threads", "asyncio", "processes"}
    places = [finished.stdout.index(case["about"].split(":")[0]) for case in document["cases"]]
    assert places == sorted(places)
    drawn_again = corewise("report", str(stored)).stdout
    assert (
        drawn_again.splitlines()[1:] == finished.stdout.splitlines()[1:]
    )  # the first line has the time in one of them
