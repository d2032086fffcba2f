"""What a key starts, as coroutines that take a ``Desk`` and the ``Selection`` of the moment of the key."""
