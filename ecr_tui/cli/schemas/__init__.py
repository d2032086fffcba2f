"""JSON Schemas (draft 2020-12) of the ``--json`` documents, printed by ``ecr-tui schema``.

Each lists every name: adding one changes the contract.
"""

from __future__ import annotations

from ecr_tui.cli.schemas import auditing, changing, offline, proving, using
from ecr_tui.cli.schemas.parts import Schema, document

_SCHEMAS: dict[str, tuple[str, Schema]] = {
    "list": ("repositories, with the access of account B", changing.LIST),
    "matrix": ("who can read, pull and push what, by account A's policies", auditing.MATRIX),
    "audit": ("who has access to what, over all repositories", auditing.AUDIT),
    "workloads": ("which Lambda functions and ECS task definitions use an image", using.WORKLOADS),
    "usage": ("who used which repositories, and grants without use", using.USAGE),
    "history": ("past writes, newest first", changing.HISTORY),
    "history-disagreements": ("where Access Analyzer answered differently", changing.DISAGREEMENTS),
    "plan": ("the preview of a grant, with the verdicts of both accounts", changing.PLAN),
    "grant": ("the changes written to each repository", changing.CHANGED),
    "revoke": ("the changes written to each repository", changing.CHANGED),
    "apply": ("where the access differs from a file of grants, and what was written", changing.APPLIED),
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
