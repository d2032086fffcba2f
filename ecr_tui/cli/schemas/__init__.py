"""JSON Schemas (draft 2020-12) of the ``--json`` documents, printed by ``ecr-tui schema``.

Each lists all names: adding one changes the contract.
"""

from __future__ import annotations

from ecr_tui.cli.schemas import auditing, changing, offline, proving, using
from ecr_tui.cli.schemas.parts import Schema, document

_SCHEMAS: dict[str, tuple[str, Schema]] = {
    "list": ("repositories, with the access of account B", changing.LIST),
    "matrix": ("read, pull and push access by account A's policies", auditing.MATRIX),
    "audit": ("access to all repositories, and findings", auditing.AUDIT),
    "workloads": ("Lambda functions and ECS task definitions that use an image", using.WORKLOADS),
    "usage": ("use of repositories, and unused grants", using.USAGE),
    "history": ("past writes, newest first", changing.HISTORY),
    "history-disagreements": ("disagreements with Access Analyzer", changing.DISAGREEMENTS),
    "plan": ("the preview of a grant, with the verdicts of both accounts", changing.PLAN),
    "grant": ("the changes written to each repository", changing.CHANGED),
    "revoke": ("the changes written to each repository", changing.CHANGED),
    "apply": ("drift from a file of grants, and written changes", changing.APPLIED),
    "repair": ("the changes written to each repository, or with --dry-run planned", changing.CHANGED),
    "tag": ("changed tags, and the access that changes with them", changing.TAGGED),
    "undo": ("the changes written to each repository", changing.TAKEN_BACK),
    "redo": ("the changes written to each repository", changing.TAKEN_BACK),
    "verify": ("one verification, or a list of several", proving.VERIFY),
    "verify-report": ("the file of verify --report FILE.json", proving.REPORT),
    "verify-history": ("past verifications (verify --history)", proving.PAST),
    "cleanup": ("leftovers cleaned up", proving.CLEANUP),
    "explain": ("the explanation of an error", offline.EXPLAIN),
    "simulate": ("a decision for each case", offline.SIMULATE),
    "config-show": ("the effective settings and their origin", offline.CONFIG_SHOW),
    "config-path": ("the path of the configuration file", offline.CONFIG_PATH),
    "config-keys": ("actions and their keys", offline.CONFIG_KEYS),
    "export": ("both accounts' policies of a grant (export --format json)", changing.EXPORT),
}
NAMES = tuple(_SCHEMAS)


def title_of(name: str) -> str:
    return _SCHEMAS[name][0]


def schema_of(name: str) -> Schema:
    """``name``: one of :data:`NAMES`."""
    title, schema = _SCHEMAS[name]
    return document(f"ecr-tui {name}: {title}", schema)
