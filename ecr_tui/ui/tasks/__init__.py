"""Tasks of keys: coroutines that take a ``Desk`` and the ``Selection`` at the time of the key."""
