"""A policy at its best and at its worst, where a condition asks for what only the live request will tell.

A decision needs a value for every condition key. Before the call some are certain (who calls, the repository's tags,
the time), others are not (source address, organisation, MFA). Deciding as if those were absent would be a guess; so a
document is decided twice: once as if every open condition fell in the caller's favour, once as if none did. Where both
agree, that is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ecr_tui.aws.model import IdentityPolicies, Repository
from ecr_tui.policy.compiled import Caller, caller_of, compile_policy
from ecr_tui.policy.document import PolicyDocument, Statement
from ecr_tui.policy.evaluate import context_for
from ecr_tui.policy.keys import is_resource_tag

_VARIABLE = re.compile(r"\$\{\s*([^{},]+?)\s*(?:,[^}]*)?\}")
_LITERALS = {"*", "?", "$"}
NEVER = "Never"
"""An Effect that is none: the statement does nothing, and the others keep their numbers."""

_ABSENT = frozenset(
    {
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:calledvia",
        "aws:calledviafirst",
        "aws:calledvialast",
        "aws:tagkeys",
        "ecr:accountsetting",
    }
)
"""Keys that a user's or role's own push or pull certainly does not carry: services and other calls bring them."""
_ABSENT_PREFIXES = ("aws:requesttag/",)


@dataclass(frozen=True)
class Setting:
    """A call before it is made: the caller, and every condition key whose value or absence is certain.

    ``arn`` is what the request's principal will be. Unknown tags of the repository are not certain.
    """

    arn: str
    context: Mapping[str, Any]
    tags_known: bool
    absent: frozenset[str] = _ABSENT
    absent_prefixes: tuple[str, ...] = _ABSENT_PREFIXES

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(key.lower() for key in self.context) | self.absent

    @property
    def caller(self) -> Caller:
        return caller_of(self.arn)

    def certain(self, key: str) -> bool:
        lower = key.lower()
        if is_resource_tag(lower):
            return self.tags_known
        return lower in self._known or lower.startswith(self.absent_prefixes)


def setting_of(
    repository: Repository, principal: str, *, identity: IdentityPolicies | None = None, now: datetime
) -> Setting:
    """``identity`` tells a user's own id and tags, and a role's ARN with its path, where it could be read."""
    known = identity is not None and not identity.unreadable
    caller = caller_of(principal)
    arn = identity.arn if known and identity is not None and caller.kind in ("user", "role") else principal
    extra: dict[str, Any] = {
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": int(now.timestamp()),
        "aws:RequestedRegion": repository.region,
        "aws:ViaAWSService": "false",
    }
    absent, prefixes = set(_ABSENT), list(_ABSENT_PREFIXES)
    if caller.kind != "user":
        absent.add("aws:username")
    if known and identity is not None:
        if caller.kind == "assumed-role":
            extra["aws:PrincipalArn"] = identity.arn
        elif caller.kind == "user":
            # A role's session may bring tags of its own, so a role's tags are not certain.
            extra["aws:userid"] = identity.user_id
            extra |= {f"aws:PrincipalTag/{key}": value for key, value in identity.tags}
            prefixes.append("aws:principaltag/")
    context = context_for(arn, repository.account, repository.tags, extra)
    if caller.kind == "root" or principal == "*":
        # Somebody of the account, or anybody: not the root user.
        unsaid = {"aws:PrincipalArn", "aws:PrincipalType", "aws:username", "aws:PrincipalIsAWSService"}
        context = {key: value for key, value in context.items() if key not in unsaid}
        absent.discard("aws:username")
    return Setting(arn, context, repository.tags is not None, frozenset(absent), tuple(prefixes))


def best(document: PolicyDocument, setting: Setting) -> PolicyDocument:
    """Every open condition of an Allow holds, every one of a Deny does not."""
    return _supposed(document, setting, "Allow")


def worst(document: PolicyDocument, setting: Setting) -> PolicyDocument:
    return _supposed(document, setting, "Deny")


def open_keys(documents: Iterable[PolicyDocument], setting: Setting, action: str, *, attached: bool) -> tuple[str, ...]:
    """The keys on which statements about ``action`` depend and that are not certain. ``attached``: to a resource,
    so that only statements which name the caller count."""
    found: dict[str, None] = {}
    for document in documents:
        for rule in compile_policy(document).rules:
            if rule.clauses is None:
                continue
            if rule.action_matches(action.lower()) and (not attached or rule.principal_grip(setting.caller, False)):
                found |= dict.fromkeys(_open(rule.statement, setting, document.expands_variables))
    return tuple(found)


def _supposed(document: PolicyDocument, setting: Setting, favoured: str) -> PolicyDocument:
    made: list[Mapping[str, Any]] = []
    changed = False
    malformed = {rule.statement.index for rule in compile_policy(document).rules if rule.clauses is None}
    for statement in document.statements:
        if statement.index in malformed or not _open(statement, setting, document.expands_variables):
            made.append(statement.raw)
            continue
        changed = True
        if statement.effect == favoured:
            made.append(_without_open(statement, setting, document.expands_variables))
        else:
            made.append({**statement.raw, "Effect": NEVER})
    return document.replace(made) if changed else document


def _open(statement: Statement, setting: Setting, expands: bool) -> list[str]:
    """The keys of a statement that are not certain."""
    found: dict[str, None] = {}
    for block in statement.condition.values():
        for key, values in block.items():
            found |= dict.fromkeys(name for name in (key, *_variables(values, expands)) if not setting.certain(name))
    resources = (*statement.resources, *statement.not_resources)
    found |= dict.fromkeys(name for name in _variables(resources, expands) if not setting.certain(name))
    return list(found)


def _without_open(statement: Statement, setting: Setting, expands: bool) -> dict[str, Any]:
    """The statement as it is once its open conditions are taken to hold."""
    raw = dict(statement.raw)
    kept: dict[str, Any] = {}
    for operator, block in statement.condition.items():
        certain = {
            key: list(values)
            for key, values in block.items()
            if all(setting.certain(name) for name in (key, *_variables(values, expands)))
        }
        if certain:
            kept[operator] = certain
    raw.pop("Condition", None)
    if kept:
        raw["Condition"] = kept
    if statement.resources and expands:
        raw["Resource"] = [
            _VARIABLE.sub(lambda found: found[0] if _is_certain(found[1], setting) else "*", text)
            for text in statement.resources
        ]
    return raw


def _is_certain(name: str, setting: Setting) -> bool:
    return name in _LITERALS or setting.certain(name)


def _variables(values: Iterable[str], expands: bool) -> list[str]:
    if not expands:
        return []
    return [name for value in values for name in _VARIABLE.findall(value) if name not in _LITERALS]
