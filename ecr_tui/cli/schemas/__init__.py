"""The documents of ``--json``, as JSON Schemas (draft 2020-12): the contract that ``ecr-tui schema`` prints.

Each is complete: a name that it does not list is a change of the contract.
"""

from __future__ import annotations

from ecr_tui.cli.schemas import auditing, changing, offline, proving
from ecr_tui.cli.schemas.parts import Schema, document

_SCHEMAS: dict[str, tuple[str, Schema]] = {
    "list": ("repositories, with what account B may do", changing.LIST),
    "audit": ("who has access to what, over all repositories", auditing.AUDIT),
    "history": ("what was written, newest first", changing.HISTORY),
    "plan": ("what a grant would write, and both sides' verdicts", changing.PLAN),
    "grant": ("what was written to each repository", changing.CHANGED),
    "revoke": ("what was written to each repository", changing.CHANGED),
    "repair": ("what was, or with --dry-run would be, written to each repository", changing.CHANGED),
    "tag": ("what became of tags, and of access by them", changing.TAGGED),
    "undo": ("what was written to each repository", changing.TAKEN_BACK),
    "redo": ("what was written to each repository", changing.TAKEN_BACK),
    "verify": ("one verification, or a list of several", proving.VERIFY),
    "verify-report": ("the file of verify --report FILE.json", proving.REPORT),
    "verify-history": ("past verifications (verify --history)", proving.PAST),
    "cleanup": ("what was put right", proving.CLEANUP),
    "explain": ("what an error text means", offline.EXPLAIN),
    "simulate": ("a decision for each case", offline.SIMULATE),
    "config-show": ("the settings in force, and where each comes from", offline.CONFIG_SHOW),
    "config-path": ("where the configuration file is looked for", offline.CONFIG_PATH),
    "config-keys": ("the keys in force", offline.CONFIG_KEYS),
    "export": ("both sides of a grant (export --format json)", changing.EXPORT),
}
NAMES = tuple(_SCHEMAS)


def title_of(name: str) -> str:
    return _SCHEMAS[name][0]


def schema_of(name: str) -> Schema:
    """``name``: one of :data:`NAMES`."""
    title, schema = _SCHEMAS[name]
    return document(f"ecr-tui {name}: {title}", schema)
