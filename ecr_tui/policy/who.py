"""Who can do what with a repository, as far as account A's side goes: principals × capabilities, each with its reason.

B's own policies are the other half and not looked at. What depends on facts that only a live request has (source
address, organisation) is marked as conditional, not guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from ecr_tui.policy import _json
from ecr_tui.policy.access import ESSENTIAL_PULL, ESSENTIAL_PUSH
from ecr_tui.policy.compiled import Caller, Rule, caller_of, compile_policy
from ecr_tui.policy.conditions import Clause
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import context_for
from ecr_tui.policy.explain import clause_failure
from ecr_tui.policy.keys import is_resource_tag
from ecr_tui.policy.patterns import Context
from ecr_tui.policy.principal import account_of, canonical, describe, is_dead
from ecr_tui.policy.request import Request


class Capability(StrEnum):
    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"
    ADMINISTER = "administer"


ACTIONS: Mapping[Capability, tuple[str, ...]] = {
    Capability.PULL: ESSENTIAL_PULL,
    Capability.PUSH: ESSENTIAL_PUSH,
    Capability.DELETE: ("ecr:BatchDeleteImage",),
    Capability.ADMINISTER: ("ecr:SetRepositoryPolicy",),
}


class Verdict(StrEnum):
    """``IF``: depends on facts of the request. ``VOID``: granted under a condition that is not met now (a tag that the
    repository lacks, an end that has passed). ``PARTLY``: some of the actions that the capability takes."""

    YES = "yes"
    IF = "if"
    VOID = "void"
    PARTLY = "partly"
    DENIED = "denied"
    NO = "no"


@dataclass(frozen=True)
class Cell:
    verdict: Verdict
    reason: str

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.YES


@dataclass(frozen=True)
class Row:
    """``kind``: "account", "user", "role", "session", "federated-user", "service", "everyone", "deleted" or "other".

    ``external``: not of the repository's own account.
    """

    principal: str
    kind: str
    account: str | None
    external: bool
    cells: Mapping[Capability, Cell]

    @property
    def title(self) -> str:
        return describe(self.principal)

    def verdict(self, capability: Capability) -> Verdict:
        return self.cells[capability].verdict


_ANYONE = "*"
_KINDS = {"root": "account", "assumed-role": "session"}


class Matrix:
    """Answers for many repositories of one account; equal policies with equal tags are worked out once.

    ``principals``: whom to ask about; None asks, for each repository, about everyone that its policy names. A
    ``registry`` policy (scope V2) counts beside each repository's own. ``now`` decides about grants that end.
    """

    def __init__(
        self,
        principals: Sequence[str] | None = None,
        *,
        account: str,
        partition: str = "aws",
        registry: PolicyDocument | None = None,
        now: datetime | None = None,
    ) -> None:
        self.account = account
        self.partition = partition
        self.now = now or datetime.now(UTC)
        self._principals = None if principals is None else tuple(principals)
        self._registry = registry
        self._rules_of: dict[str, tuple[_Stated, ...]] = {}
        self._shared: dict[object, Row] = {}
        self._rows: dict[object, tuple[Row, ...]] = {}

    def rows(
        self, document: PolicyDocument | None, tags: Mapping[str, str] | None, repository_arn: str
    ) -> tuple[Row, ...]:
        """One row a principal. ``tags`` None: not known, so what depends on them is conditional."""
        text = document.text if document is not None else ""
        stated = self._rules_of.get(text)
        if stated is None:
            stated = self._rules_of[text] = self._stated(document)
        key = (text, _relevant(stated, tags, repository_arn))
        found = self._rows.get(key)
        if found is None:
            principals = self._principals
            if principals is None:
                principals = named_principals(document, self._registry)
            found = tuple(self._row(principal, stated, tags, repository_arn) for principal in principals)
            self._rows[key] = found
        return found

    def _stated(self, document: PolicyDocument | None) -> tuple[_Stated, ...]:
        documents = [item for item in (document, self._registry) if item is not None]
        return tuple(
            _Stated.of(rule, item.expands_variables) for item in documents for rule in compile_policy(item).rules
        )

    def _row(self, principal: str, stated: Sequence[_Stated], tags: Mapping[str, str] | None, arn: str) -> Row:
        account = account_of(principal)
        whole = f"arn:{self.partition}:iam::{principal}:root" if account == principal else principal
        caller = caller_of(whole)
        gripping = [item for item in stated if item.rule.principal_grip(caller, False)]
        # What other statements say makes no difference, so repositories whose policies differ there share the row.
        key = (principal, tuple(item.text for item in gripping), _relevant(gripping, tags, arn))
        row = self._shared.get(key)
        if row is None:
            row = self._shared[key] = self._new_row(
                principal, account, caller, [item.rule for item in gripping], tags, arn
            )
        return row

    def _new_row(
        self,
        principal: str,
        account: str | None,
        caller: Caller,
        gripping: Sequence[Rule],
        tags: Mapping[str, str] | None,
        arn: str,
    ) -> Row:
        keys = Request("", arn, self.account, caller.arn, self._context(caller, tags)).keys
        sheet = _Sheet(caller, arn, keys, tags is not None)
        cells = {capability: sheet.cell(gripping, actions) for capability, actions in ACTIONS.items()}
        kind = _KINDS.get(caller.kind, caller.kind)
        if principal == _ANYONE:
            kind = "everyone"
        elif is_dead(principal):
            kind = "deleted"
            gone = Cell(Verdict.NO, "the principal was deleted, so it matches nobody")
            cells = dict.fromkeys(ACTIONS, gone)
        return Row(principal, kind, account, account != self.account, cells)

    def _context(self, caller: Caller, tags: Mapping[str, str] | None) -> dict[str, Any]:
        """What is known of a call; of everyone, and of some principal of an account, no more than that."""
        time = {"aws:CurrentTime": self.now.strftime("%Y-%m-%dT%H:%M:%SZ"), "aws:EpochTime": int(self.now.timestamp())}
        context = context_for(caller.arn, self.account, tags, time)
        if caller.arn == _ANYONE or caller.kind == "root":
            unsaid = ("aws:PrincipalArn", "aws:PrincipalType", "aws:PrincipalIsAWSService")
            context = {key: value for key, value in context.items() if key not in unsaid}
        return context


@dataclass(frozen=True)
class _Stated:
    """A statement with what makes its answers the same elsewhere.

    ``text`` is all of it, and its name. ``tag_keys`` are the repository's tags that matter, in lower case; None where
    anything about the repository may.
    """

    rule: Rule
    text: str
    tag_keys: frozenset[str] | None

    @classmethod
    def of(cls, rule: Rule, expands: bool) -> _Stated:
        text = f"{rule.statement.name} {expands} {_json.dumps(rule.statement.raw)}"
        return cls(rule, text, cls._tags(rule))

    @staticmethod
    def _tags(rule: Rule) -> frozenset[str] | None:
        raw = rule.statement.raw
        clauses = rule.clauses or ()
        if "Resource" in raw or "NotResource" in raw or any("${" in text for item in clauses for text in item.values):
            return None
        return frozenset(item.key.partition("/")[2].lower() for item in clauses if is_resource_tag(item.key))


def _relevant(stated: Sequence[_Stated], tags: Mapping[str, str] | None, arn: str) -> object:
    """What of a repository makes a difference to these statements."""
    keys: set[str] = set()
    for item in stated:
        if item.tag_keys is None:
            return arn, None if tags is None else tuple(sorted(tags.items()))
        keys |= item.tag_keys
    if tags is None:
        return None
    return tuple(sorted(item for item in tags.items() if item[0].lower() in keys)) if keys else ()


def who_can(
    document: PolicyDocument | None,
    *,
    repository_arn: str,
    tags: Mapping[str, str] | None,
    principals: Sequence[str] | None = None,
    registry: PolicyDocument | None = None,
    now: datetime | None = None,
) -> tuple[Row, ...]:
    """The rows of one repository; see :class:`Matrix`, which is for many."""
    partition, account = repository_arn.split(":")[1], repository_arn.split(":")[4]
    matrix = Matrix(principals, account=account, partition=partition, registry=registry, now=now)
    return matrix.rows(document, tags, repository_arn)


def named_principals(*documents: PolicyDocument | None) -> tuple[str, ...]:
    """Everyone that an Allow of the documents names, in order; an account in one form only. "*" is everyone."""
    found: dict[str, str] = {}
    for document in documents:
        for statement in document.statements if document is not None else ():
            if statement.effect != "Allow":
                continue
            if "NotPrincipal" in statement.raw and "Principal" not in statement.raw:
                found.setdefault(_ANYONE, _ANYONE)
            for _, value in statement.principals:
                found.setdefault(canonical(value), value)
    return tuple(found.values())


class _Sheet:
    """One caller's view: what each clause comes to, remembered over the actions."""

    def __init__(self, caller: Caller, arn: str, keys: Context, tags_known: bool) -> None:
        self._caller = caller
        self._arn = arn
        self._keys = keys
        self._tags_known = tags_known
        self._standings: dict[int, tuple[str, Clause | None]] = {}

    def cell(self, rules: Sequence[Rule], actions: Iterable[str]) -> Cell:
        found = [self._action(rules, action) for action in actions]
        verdicts = {cell.verdict for cell in found}
        if len(verdicts) == 1:
            return found[0]
        # The last action of a capability is the one that completes it, so its reason tells the most.
        by_verdict = {cell.verdict: cell for cell in found}
        if Verdict.DENIED in verdicts:
            return by_verdict[Verdict.DENIED]
        if verdicts <= {Verdict.YES, Verdict.IF}:
            return by_verdict[Verdict.IF]
        if verdicts <= {Verdict.YES, Verdict.IF, Verdict.VOID}:
            return by_verdict[Verdict.VOID]
        lacking = [
            action.removeprefix("ecr:")
            for action, cell in zip(actions, found, strict=True)
            if cell.verdict is Verdict.NO
        ]
        return Cell(Verdict.PARTLY, f"{', '.join(lacking)} not granted")

    def _action(self, rules: Sequence[Rule], action: str) -> Cell:
        lower = action.lower()
        about = [
            rule
            for rule in rules
            if rule.action_matches(lower) and rule.resource_matches(self._arn, self._keys, required=False)
        ]
        standings = [(rule, *self._standing(rule)) for rule in about]
        for rule, standing, _ in standings:
            if rule.deny and standing == "holds":
                return Cell(Verdict.DENIED, f"{rule.statement.name} denies it")
        maybe_denied = [(rule, clause) for rule, standing, clause in standings if rule.deny and standing == "open"]
        for wanted, verdict in (("holds", Verdict.YES), ("open", Verdict.IF), ("unmet", Verdict.VOID)):
            for rule, standing, clause in standings:
                if rule.deny or standing != wanted:
                    continue
                if verdict is Verdict.YES and maybe_denied:
                    other, why = maybe_denied[0]
                    return Cell(Verdict.IF, f"{rule.statement.name} allows it, unless {_open(other, why)} denies it")
                return Cell(verdict, self._reason(rule, verdict, clause))
        for rule, _, clause in standings:
            if not rule.deny and clause is not None:
                return Cell(Verdict.NO, f"{rule.statement.name} does not apply: {clause_failure(clause, self._keys)}")
        return Cell(Verdict.NO, "no statement allows it")

    def _reason(self, rule: Rule, verdict: Verdict, clause: Clause | None) -> str:
        name = rule.statement.name
        if verdict is Verdict.VOID and clause is not None:
            return f"{name} would allow it, but {clause_failure(clause, self._keys)}"
        if verdict is Verdict.IF and clause is not None:
            return f"{_open(rule, clause)} allows it"
        if self._caller.kind == "root":
            return f"{name} allows it to whom the account lets"
        return f"{name} allows it"

    def _standing(self, rule: Rule) -> tuple[str, Clause | None]:
        """ "holds", "open" (depends on the request), "unmet" (tag or time) or "fails"; and the clause that decides."""
        known = self._standings.get(id(rule))
        if known is None:
            known = self._standings[id(rule)] = self._judge(rule)
        return known

    def _judge(self, rule: Rule) -> tuple[str, Clause | None]:
        if rule.clauses is None:
            return "fails", None
        open_clause: Clause | None = None
        unmet: Clause | None = None
        for clause in rule.clauses:
            if not self._is_known(clause):
                open_clause = open_clause or clause
            elif not clause.test(self._keys):
                if not is_resource_tag(clause.key) and clause.key.lower() not in _TIME_KEYS:
                    return "fails", clause
                unmet = unmet or clause
        if unmet is not None:
            return "unmet", unmet
        return ("open", open_clause) if open_clause is not None else ("holds", None)

    def _is_known(self, clause: Clause) -> bool:
        names = [clause.key, *(name for value in clause.values for name in _variables(value))]
        return all(
            name.lower() in self._keys or (is_resource_tag(name) and self._tags_known) or name.lower() in self._absent()
            for name in names
        )

    def _absent(self) -> frozenset[str]:
        """Keys that such a caller certainly does not bring along."""
        if self._caller.kind == "service":
            return frozenset({"aws:principalarn", "aws:username", "aws:principalorgid", "aws:principalaccount"})
        if self._caller.arn == _ANYONE:
            return frozenset()
        return frozenset({"aws:sourcearn", "aws:sourceaccount", "aws:principalservicename"})


_TIME_KEYS = frozenset({"aws:currenttime", "aws:epochtime"})


def _variables(value: str) -> list[str]:
    if "${" not in value:
        return []
    return [piece.split("}")[0].split(",")[0].strip() for piece in value.split("${")[1:]]


def _open(rule: Rule, clause: Clause | None) -> str:
    if clause is None:
        return rule.statement.name
    wanted = " or ".join(f'"{value}"' for value in clause.values)
    return f"{rule.statement.name} (if {clause.operator} {clause.key} {wanted})"
