"""Starts the waiting server for the time of a `with` block."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from corewise._cli.failure import FAILED, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM = Path(__file__).with_name("server.py")


@contextlib.contextmanager
def running(delay_s: float) -> Iterator[str]:
    """Start a server on loopback that answers each request after `delay_s` seconds.

    It is a process of its own, so that it takes no part in the GIL of what calls it.

    Args:
        delay_s: seconds that each answer takes.

    Yields:
        The address, such as ``"http://127.0.0.1:40123"``.

    Raises:
        Failure: when it does not start.
    """
    # -P and the file instead of -m: a json.py in the folder where the user happens to be must not become part of it.
    command = [sys.executable, "-P", str(_PROGRAM), str(delay_s), str(os.getpid())]
    # A session and a group of its own: Ctrl-C is for the comparison, and the server ends with it.
    own_group = 0
    if sys.platform == "win32":
        own_group = subprocess.CREATE_NEW_PROCESS_GROUP
    server = subprocess.Popen(  # noqa: S603 - our own file, run by the interpreter we run in
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        creationflags=own_group,
    )
    with server:
        try:
            port = server.stdout.readline().strip() if server.stdout else b""
            if not port:
                raise Failure("the local server of the waiting case did not start", code=FAILED)
            yield f"http://127.0.0.1:{port.decode()}"
        finally:
            server.kill()
