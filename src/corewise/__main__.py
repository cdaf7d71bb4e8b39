"""``python -m corewise``: the same as the command `corewise`."""

from __future__ import annotations

import sys

from corewise._cli.main import main

if __name__ == "__main__":
    if not sys.flags.safe_path:
        # `python -m` puts the current folder in front: a json.py of the user's would take the place of the module that
        # corewise needs. The command does not have it there, and its targets see to it themselves.
        sys.path.append(sys.path.pop(0))
    main()
