"""Diagnose error texts of Docker, registries and AWS: pure functions and their catalogue.

Patterns are strings, which ``re`` compiles on first use and caches: most runs diagnose no error.
"""
