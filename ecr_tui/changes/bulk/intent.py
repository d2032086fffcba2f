"""The change that a run makes to each repository, in a form for the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.changes.desired.planning import plan_apply_from
from ecr_tui.changes.desired.rows import Desired, grant_from, grant_json
from ecr_tui.changes.entries import APPLY, REDO, REPAIR, UNDO
from ecr_tui.changes.plans import Plan, plan_document_from, plan_grant_from, plan_repair_from, plan_revoke_from
from ecr_tui.errors import InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.principal import describe_all
from ecr_tui.policy.repair import FormerName

FEW = 3
"""Maximum principals named in a sentence."""


@dataclass(frozen=True)
class Intent:
    """``kind``: "grant" with ``grant`` (``scope``: with each repository's own value of that tag as condition) or with
    ``document`` (the text of a pasted policy, and ``notes`` on reading it), "revoke" of ``principals`` (all that
    ecr-tui granted, or ``access`` of it; ``foreign``: also from other statements), "repair" with ``repins`` (pairs of
    id and ARN) and ``names`` (for offers only), "apply" of ``desired``, "undo" or "redo". ``reason`` as in
    ``plans.Plan``.

    ``each``: by repository ARN, the principals of a grant or revoke there; {}: all principals in every repository.
    """

    kind: str
    grant: Grant | None = None
    document: str = ""
    principals: tuple[str, ...] = ()
    access: Access | None = None
    foreign: bool = False
    notes: tuple[str, ...] = ()
    repins: tuple[tuple[str, str], ...] = ()
    names: Mapping[str, FormerName] = field(default_factory=dict)
    scope: str = ""
    reason: str = ""
    each: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    desired: Desired | None = None

    @classmethod
    def to_apply(cls, desired: Desired, reason: str = "") -> Intent:
        return cls(APPLY, desired=desired, reason=reason)

    @classmethod
    def to_grant(cls, grant: Grant, scope: str = "", each: Mapping[str, tuple[str, ...]] | None = None) -> Intent:
        return cls("grant", grant=grant, principals=grant.principals, scope=scope, each=each or {})

    @classmethod
    def to_merge(cls, document: PolicyDocument, notes: Sequence[str] = ()) -> Intent:
        return cls("grant", document=document.text, notes=tuple(notes))

    @classmethod
    def to_revoke(
        cls,
        principals: tuple[str, ...],
        access: Access | None = None,
        *,
        foreign: bool = False,
        each: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Intent:
        return cls("revoke", principals=principals, access=access, foreign=foreign, each=each or {})

    @classmethod
    def to_repair(
        cls, repins: Mapping[str, str] | None = None, names: Mapping[str, FormerName] | None = None
    ) -> Intent:
        return cls(REPAIR, repins=tuple((repins or {}).items()), names=names or {})

    def plan(self, repository: Repository, text: str | None, registry: RegistryFacts | None = None) -> Plan:
        """The plan on this text. Makes no AWS calls. Raises as the functions of :mod:`ecr_tui.changes.plans`."""
        plan = self._plan(repository, text, registry)
        return replace(plan, reason=self.reason or plan.reason)

    def _plan(self, repository: Repository, text: str | None, registry: RegistryFacts | None) -> Plan:
        if self.kind == "revoke":
            principals = self._named_on(repository, self.principals)
            return plan_revoke_from(repository, text, principals, self.access, foreign=self.foreign, registry=registry)
        if self.desired is not None:
            return plan_apply_from(repository, text, self.desired, registry=registry)
        if self.kind == REPAIR:
            return plan_repair_from(repository, text, dict(self.repins), self.names)
        if self.grant is not None:
            return plan_grant_from(repository, text, self._grant_on(repository, self.grant), registry=registry)
        incoming = PolicyDocument.parse(self.document)
        return plan_document_from(repository, text, incoming, registry=registry, notes=self.notes)

    def _named_on(self, repository: Repository, principals: tuple[str, ...]) -> tuple[str, ...]:
        return self.each.get(repository.arn, ()) if self.each else principals

    def _grant_on(self, repository: Repository, grant: Grant) -> Grant:
        grant = replace(grant, principals=self._named_on(repository, grant.principals))
        if not self.scope:
            return grant
        if repository.tags is None:
            raise InputError(f"the tags of {repository.name} are unknown", hint="Refresh the list, then retry.")
        return replace(grant, tags=repository.own(self.scope))

    def words(self) -> str:
        """ "grant push-pull to user devusr2 in 222222222222"."""
        if self.kind == "revoke":
            return f"revoke {self.access or 'access'} of {self.who}"
        if self.kind == REPAIR:
            return "repair policies"
        if self.desired is not None:
            return "apply a file of grants" + (" and prune" if self.desired.prune else "")
        if self.kind in (UNDO, REDO):
            return self.kind
        if self.grant is None:
            return "grant from a policy file"
        own = f" by each repository's own {self.scope} tag" if self.scope else ""
        return f"grant {self.grant.access} to {self.who}{own}"

    @property
    def who(self) -> str:
        """The principals in words; a number if they differ between repositories."""
        pairs = sum(map(len, self.each.values()))
        told = describe_all(self.principals) if len(self.principals) <= FEW else f"{len(self.principals)} principals"
        return f"{told} ({pairs:,} pairs of repository and principal)" if self.each else told

    def to_json(self) -> dict[str, Any]:
        grant = self.grant
        return {
            "kind": self.kind,
            "grant": None if grant is None else grant_json(grant),
            "document": self.document,
            "principals": list(self.principals),
            "access": None if self.access is None else str(self.access),
            "foreign": self.foreign,
            "notes": list(self.notes),
            "repins": [list(pair) for pair in self.repins],
            "scope": self.scope,
            "reason": self.reason,
            "each": {arn: list(principals) for arn, principals in self.each.items()},
            **({} if self.desired is None else {"desired": self.desired.to_json()}),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Intent:
        """Raises InputError for an intent of another version, which cannot be resumed."""
        try:
            grant, access = value["grant"], value["access"]
            return cls(
                str(value["kind"]),
                None if grant is None else grant_from(grant),
                str(value["document"]),
                tuple(map(str, value["principals"])),
                None if access is None else Access(access),
                bool(value["foreign"]),
                tuple(map(str, value.get("notes", ()))),
                tuple((str(name), str(arn)) for name, arn in value.get("repins", ())),
                scope=str(value.get("scope", "")),
                reason=str(value.get("reason", "")),
                each={str(arn): tuple(map(str, principals)) for arn, principals in value.get("each", {}).items()},
                desired=None if value.get("desired") is None else Desired.from_json(value["desired"]),
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise InputError("the journal's record of this run is not readable", detail=repr(exc)) from exc
