"""Imports a module that starts a process while it is imported; its name is that of a file beside this one."""

import sys
from pathlib import Path

folder = Path(sys.argv[1])
folder.joinpath("starting.py").write_text(
    "import corewise\n\ndef work():\n    return 1\n\n"
    "process = corewise.Process(target=work, start_method='spawn')\nprocess.start()\n"
    "print('exit code', process.join() or process.exitcode, flush=True)\n",
    "utf-8",
)
sys.path.insert(0, str(folder))
import starting  # type: ignore[import-not-found] # noqa: E402, F401
