"""Repair a policy so that ECR accepts it again, without changing access. Pure functions.

A stored policy can contain parts that SetRepositoryPolicy rejects (``acceptance``): a principal was deleted, or the
policy is older than the rule. Each write replaces the whole document, so every write fails until they are removed. Only
parts without effect are removed; re-pinning, which restores access, is left to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ecr_tui.errors import InputError
from ecr_tui.policy.acceptance import dead_principals
from ecr_tui.policy.actions import canonical_action, is_registry_level, matching_actions
from ecr_tui.policy.change import Change, group
from ecr_tui.policy.compiled import Rule
from ecr_tui.policy.document import LIMIT, PolicyDocument, PolicyError, Statement, strings
from ecr_tui.policy.lint_form import NEAR_LIMIT
from ecr_tui.policy.ours import read_own
from ecr_tui.policy.principal import account_of, describe, is_dead, same_principal


class Repair(NamedTuple):
    """``risks``: sentences about repairs that may remove access; ``change.notes`` lists every repair."""

    change: Change
    risks: tuple[str, ...] = ()


class FormerName(NamedTuple):
    """Identity of a deleted principal. ``exists``: whether a principal of that name exists now; None: unknown."""

    arn: str
    exists: bool | None = None

    def offer(self, name: str) -> str:
        was = f"{name} was {describe(self.arn)}"
        option = f"--repin {name}={self.arn}"
        if self.exists:
            return f"{was}, which was recreated. To restore its access: {option}"
        if self.exists is None:
            return f"{was}. If it was recreated, restore its access with {option}"
        return f"{was}, which no longer exists."


@dataclass
class _Work:
    arn: str
    expands: bool
    repins: Mapping[str, str]
    notes: list[str]
    risks: list[str]


def repair(document: PolicyDocument | None, arn: str, repins: Mapping[str, str] | None = None) -> Repair:
    """``arn`` is the repository's, compared with Resource elements.

    ``repins``: ids of deleted principals with their replacement ARNs; other ids are removed.
    """
    if document is None:
        return Repair(Change(None, None, False))
    work = _Work(arn, document.expands_variables, repins or {}, [], [])
    repaired = [(statement.raw, _repaired(statement, work)) for statement in document.statements]
    kept = [raw for _, raw in repaired if raw is not None]
    after: PolicyDocument | None = document
    if not kept:
        after = None
    elif any(old is not new for old, new in repaired):
        after = document.replace(kept)
    if after is not None and after.size > NEAR_LIMIT:
        gathered = group(after)
        if gathered.changed:
            after = gathered.after
            work.notes.append(
                f"Grants of ecr-tui with the same access were combined: the policy had "
                f"{document.size:,} of {LIMIT:,} characters."
            )
    return Repair(Change(document, after, after is not document, tuple(work.notes)), tuple(dict.fromkeys(work.risks)))


def _repaired(statement: Statement, work: _Work) -> Mapping[str, Any] | None:
    """The repaired statement, the same object if unchanged; None if it is dropped."""
    raw: Mapping[str, Any] | None = statement.raw
    for step in (_principals, _actions, _resources):
        if raw is not None:
            raw = step(raw, statement, work)
    if raw is None:
        work.notes.append(f"{statement.name} is removed because it would be empty.")
    return raw


# -- deleted principals ------------------------------------------------------------------------------------------------


def _principals(raw: Mapping[str, Any], statement: Statement, work: _Work) -> Mapping[str, Any] | None:
    element = "Principal" if "Principal" in raw else "NotPrincipal"
    block = raw.get(element)
    named = block.get("AWS") if isinstance(block, Mapping) else None
    dead = list(dict.fromkeys(name for name in strings(named) if is_dead(name)))
    if not isinstance(block, Mapping) or not dead or not _all_strings(named):
        return raw
    left: list[str] = []
    for name in strings(named):
        new = work.repins.get(name, "") if is_dead(name) else name
        if new and not any(same_principal(new, one) for one in left):
            left.append(new)
    for name in dead:
        if name in work.repins:
            work.notes.append(f"{statement.name}: {name} is re-pinned to {work.repins[name]}.")
            work.risks.append(
                f"{describe(work.repins[name])} gets the access that {statement.name} granted the deleted principal."
                if element == "Principal"
                else f"{describe(work.repins[name])} is excluded from {statement.name} again."
            )
        else:
            work.notes.append(f"{statement.name}: {describe(name)} is removed. It matched no principal.")
    others = {kind: names for kind, names in block.items() if kind != "AWS"}
    if left:
        names = left[0] if isinstance(named, str) else left
        return {**raw, element: {kind: names if kind == "AWS" else value for kind, value in block.items()}}
    if others:
        return {**raw, element: others}
    if element == "Principal":
        return None
    # It excluded no existing principal, so it means everyone.
    work.notes.append(f'{statement.name}: NotPrincipal named no other principal, so it becomes Principal "*".')
    return {("Principal" if key == element else key): ("*" if key == element else raw[key]) for key in raw}


# -- actions -----------------------------------------------------------------------------------------------------------


def _actions(raw: Mapping[str, Any], statement: Statement, work: _Work) -> Mapping[str, Any] | None:
    element = "Action" if "Action" in raw else "NotAction"
    names = strings(raw.get(element))
    useless = [name for name in names if is_registry_level(name) or not matching_actions(name)]
    if not useless or not _all_strings(raw[element]):
        return raw
    for name in dict.fromkeys(useless):
        shown = canonical_action(name)
        if shown is not None:
            work.notes.append(f"{statement.name}: {shown} is removed. It does not act on a repository.")
            continue
        work.notes.append(f"{statement.name}: {name} is removed. It is not an ECR action.")
        if name.lower().startswith("ecr:"):
            work.risks.append(
                f"{statement.name}: ecr-tui does not know {name}. If it is a new ECR action, the statement no longer "
                "covers it."
            )
    left = [name for name in names if name not in useless]
    if left:
        return {**raw, element: left}
    if element == "Action":
        return None
    work.notes.append(f'{statement.name}: NotAction named no other action, so it becomes Action "ecr:*".')
    return {("Action" if key == element else key): ("ecr:*" if key == element else raw[key]) for key in raw}


# -- Resource ----------------------------------------------------------------------------------------------------------


def _resources(raw: Mapping[str, Any], statement: Statement, work: _Work) -> Mapping[str, Any] | None:
    elements = [element for element in ("Resource", "NotResource") if element in raw]
    if not elements:
        return raw
    named = ", ".join(f"{element} {' '.join(strings(raw[element]))[:80]}" for element in elements)
    rule = Rule(statement, work.expands)
    matches = rule.resource_matches(work.arn, {}, False)
    if rule.varies or matches != rule.may_cover(work.arn, {}, lambda name: False, False):
        work.notes.append(f"{statement.name} is unchanged: it is unknown whether its {named} matches this repository.")
        return raw
    if not matches:
        work.risks.append(
            f"{statement.name} is removed. It names only other resources ({named}), so it has no effect here."
        )
        return None
    work.notes.append(f"{statement.name}: {named} is removed. The policy applies to its own repository anyway.")
    return {key: value for key, value in raw.items() if key not in elements}


def _all_strings(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list | tuple) and all(isinstance(one, str) for one in value))


# -- identities of deleted principals
# --------------------------------------------------------------------------------------------------------


def former_names(document: PolicyDocument, former: Iterable[str | None], known: Sequence[str] = ()) -> dict[str, str]:
    """Unique id -> the ARN that it replaced, where certain.

    ``former``: earlier texts of the same policy, the latest first; a statement of the same Sid that differs by one user
    (or role) identifies the principal. ``known``: candidate ARNs for our statements, whose Sid is derived from their
    principals.
    """
    texts = [found for found in map(_parsed, former) if found is not None]
    names: dict[str, str] = {}
    for statement in document.statements:
        for name in dead_principals(document.replace([statement.raw])):
            arn = _by_sid(statement, name, known) or next(
                (found for text in texts if (found := _replaced(statement, name, text))), ""
            )
            if arn:
                names.setdefault(name, arn)
    return names


def _by_sid(statement: Statement, name: str, known: Sequence[str]) -> str:
    own = read_own(statement)
    if own is None:
        return ""
    for arn in known:
        tried = own._replace(principals=tuple(arn if one == name else one for one in own.principals))
        if _kind(arn) == _kind(name) and tried.sid() == statement.sid:
            return arn
    return ""


def _replaced(statement: Statement, name: str, former: PolicyDocument) -> str:
    """The one principal of ``name``'s kind that only the former statement has."""
    if statement.sid is None:
        return ""
    twins = [one for one in former.statements if one.sid == statement.sid]
    if len(twins) != 1:
        return ""
    now = [one for _, one in (*statement.principals, *statement.not_principals)]
    then = [one for _, one in (*twins[0].principals, *twins[0].not_principals)]
    ids = [one for one in now if is_dead(one) and _kind(one) == _kind(name) and one not in then]
    gone = [one for one in then if account_of(one) and _kind(one) == _kind(name) and one not in now]
    return gone[0] if ids == [name] and len(gone) == 1 else ""


def _kind(principal: str) -> str:
    if is_dead(principal):
        return {"AIDA": "user", "AROA": "role"}.get(principal[:4], "")
    return principal.rpartition(":")[2].partition("/")[0]


def _parsed(text: str | None) -> PolicyDocument | None:
    try:
        return None if text is None else PolicyDocument.parse(text)
    except PolicyError:
        return None


def parse_repin(text: str) -> tuple[str, str]:
    """Parse "AROA...=PRINCIPAL" into (id, principal as typed). Raises InputError."""
    name, equals, principal = text.partition("=")
    if not equals or not principal.strip() or not is_dead(name.strip()):
        raise InputError(
            f"not a re-pin: {text[:120]}",
            hint="Write it as ID=PRINCIPAL, for example AROAEXAMPLE1234567890=role/deployer.",
        )
    return name.strip(), principal.strip()
