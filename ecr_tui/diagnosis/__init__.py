"""What an error text of Docker, a registry or AWS means: pure functions of the text, and the catalogue they read.

Patterns are strings, which ``re`` compiles at their first use and keeps: most runs look at no error text.
"""
