"""The program's entry point: ``ecr-tui`` and ``python -m ecr_tui``."""

import sys

if sys.platform == "win32":
    # Journal and records need advisory locks and file modes, which Windows does not have.
    sys.exit("ecr-tui runs on Linux and macOS; Windows cannot protect its journal. Run it in WSL 2.")

from ecr_tui.cli import main

if __name__ == "__main__":
    main()
