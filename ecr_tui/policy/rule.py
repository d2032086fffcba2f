"""What a rule is: an id under which a check reports a finding, with the words for it."""

from __future__ import annotations

from typing import NamedTuple

ERROR = "error"
WARNING = "warning"
INFO = "info"

GUIDE = "IAM User Guide, "
ECR = "Amazon ECR User Guide, "
AUTH = "Service Authorization Reference, Amazon ECR"
API = "Amazon ECR API Reference, "


class Rule(NamedTuple):
    """``title`` may hold ``{subject}``. ``source`` is where the rule is written or was reported.

    ``refused``: AWS does not store a document that breaks the rule, so no request is ever decided by it.
    """

    id: str
    severity: str
    title: str
    why: str
    fix: str
    source: str
    refused: bool = False
