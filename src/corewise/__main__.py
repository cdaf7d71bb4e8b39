"""``python -m corewise``: the same as the command `corewise`."""

from __future__ import annotations

from corewise._cli.main import main

if __name__ == "__main__":
    main()
