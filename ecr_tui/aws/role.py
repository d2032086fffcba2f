"""The roles of the two accounts; separate from the model, because the first frame needs nothing else of AWS."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The account that a session belongs to; error messages name it as the side."""

    OWNER = "account A"
    CONSUMER = "account B"
