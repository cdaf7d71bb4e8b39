"""The door of the command `corewise`.

It imports nothing before it is called: a worker process that is started afresh imports the program it belongs to, and
must not load the command line for that.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end the program with its exit code; ``corewise --help`` says what each means."""
    try:
        from corewise._cli.ending import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130  # before anything ran, or a second one while the first was being dealt with
    sys.exit(code)
