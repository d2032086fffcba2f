"""Rules: the id of a finding and its texts."""

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
    """``title`` may hold ``{subject}``. ``source`` is where the rule is documented or was reported.

    ``refused``: AWS rejects a document that breaks the rule, so it never decides a request.
    """

    id: str
    severity: str
    title: str
    why: str
    fix: str
    source: str
    refused: bool = False
