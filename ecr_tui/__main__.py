"""``python -m ecr_tui``."""

from ecr_tui.cli import main

if __name__ == "__main__":
    main()
