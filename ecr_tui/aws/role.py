"""The two accounts' parts, apart from the model: the first frame names them and needs nothing else of AWS."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Which of the two accounts a session belongs to; messages name it so that a denial has a side."""

    OWNER = "account A"
    CONSUMER = "account B"
