"""Desired access from a file (``ecr-tui apply``): the file, its rows, plans, and an export."""
