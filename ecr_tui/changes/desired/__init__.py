"""The access that should be, as a file says it (``ecr-tui apply``): the file, its rows, plans, and an export."""
