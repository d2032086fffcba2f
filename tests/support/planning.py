"""Plans on what a store holds now."""

from __future__ import annotations

from typing import Any

from ecr_tui.aws.model import Repository
from ecr_tui.changes.apply import PolicyStore
from ecr_tui.changes.plans import Plan, plan_document_from, plan_grant_from, plan_revoke_from


def plan_grant(store: PolicyStore, repository: Repository, *about: Any, **options: Any) -> Plan:
    return plan_grant_from(repository, store.read(repository), *about, **options)


def plan_revoke(store: PolicyStore, repository: Repository, *about: Any, **options: Any) -> Plan:
    return plan_revoke_from(repository, store.read(repository), *about, **options)


def plan_document(store: PolicyStore, repository: Repository, *about: Any, **options: Any) -> Plan:
    return plan_document_from(repository, store.read(repository), *about, **options)
