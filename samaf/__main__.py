"""``python -m samaf`` is the command ``samaf``."""

from __future__ import annotations

from samaf.cli import main

if __name__ == "__main__":
    main()
