"""Access matrix of account A's side of a repository: principals × capabilities, each with its reason.

Account B's policies are not evaluated. The decisions come from ``policy.answer``; this module describes them and shares
them between repositories with equal answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from ecr_tui.policy import _json, answer, grantees
from ecr_tui.policy.access import ESSENTIAL_PULL, ESSENTIAL_PUSH, AccessSummary
from ecr_tui.policy.actions import Access
from ecr_tui.policy.answer import of_rules
from ecr_tui.policy.compiled import Rule, caller_of, rules_of
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.explain import clause_failure
from ecr_tui.policy.keys import is_resource_tag
from ecr_tui.policy.known import EVERYONE, Known, Standing, before_call, stands_for_many
from ecr_tui.policy.principal import account_of, canonical, describe, is_account, is_dead


class Capability(StrEnum):
    READ = "read"
    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"
    ADMINISTER = "administer"


ACTIONS: Mapping[Capability, tuple[str, ...]] = {
    Capability.READ: Access.READ.actions,
    Capability.PULL: ESSENTIAL_PULL,
    Capability.PUSH: ESSENTIAL_PUSH,
    Capability.DELETE: ("ecr:BatchDeleteImage",),
    Capability.ADMINISTER: ("ecr:SetRepositoryPolicy",),
}


class Verdict(StrEnum):
    """An answer, with different kinds of no.

    ``IF``: depends on facts of the request or of account B. ``VOID``: granted under a condition that is not met now (a
    missing tag, an end that has passed). ``PARTLY``: only some of the capability's actions.
    """

    YES = "yes"
    IF = "if"
    VOID = "void"
    PARTLY = "partly"
    DENIED = "denied"
    NO = "no"


class Cell(NamedTuple):
    """``depends_on``: for the verdict IF only (``answer.Answer``)."""

    verdict: Verdict
    reason: str
    depends_on: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool | None:
        """None: depends."""
        return None if self.verdict is Verdict.IF else self.verdict is Verdict.YES


class Row(NamedTuple):
    """``kind``: "account", "user", "role", "session", "federated-user", "service", "organization", "unit",
    "everyone", "deleted" or "other".

    ``external``: not in the repository's account.
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

    @property
    def summary(self) -> AccessSummary:
        pull, push = self.cells[Capability.PULL], self.cells[Capability.PUSH]
        names = dict.fromkeys((*pull.depends_on, *push.depends_on))
        return AccessSummary(pull.allowed, push.allowed, tuple(names))


_KINDS = {"root": "account", "assumed-role": "session"}


def kind_of(principal: str) -> str:
    """As ``Row.kind``."""
    if grantees.is_conditional(principal):
        return grantees.kind(principal)
    if principal == EVERYONE:
        return "everyone"
    if is_dead(principal):
        return "deleted"
    if is_account(principal):
        return "account"
    kind = caller_of(principal).kind
    return _KINDS.get(kind, kind)


class Matrix:
    """Answers for many repositories of one account; equal policies with equal tags are evaluated once.

    ``principals``: None means the principals named in each repository's policy. A ``registry`` policy (scope V2)
    applies in addition to each repository's own. ``now`` decides which grants have expired. ``roles``: for sessions
    among the principals, known role ARNs with their paths.
    """

    def __init__(
        self,
        principals: Sequence[str] | None = None,
        *,
        account: str,
        partition: str = "aws",
        registry: PolicyDocument | None = None,
        now: datetime | None = None,
        roles: Mapping[str, str] | None = None,
    ) -> None:
        self._roles = roles or {}
        self.account = account
        self.partition = partition
        self.now = now or datetime.now(UTC)
        self._principals = None if principals is None else tuple(principals)
        self._registry = registry
        self._rules_of: dict[str, tuple[_Stated, ...]] = {}
        self._shared: dict[object, Row] = {}
        self._answers: dict[object, Answers] = {}

    def rows(
        self, document: PolicyDocument | None, tags: Mapping[str, str] | None, repository_arn: str
    ) -> tuple[Row, ...]:
        """One row per principal. ``tags`` None: unknown, so cells that depend on them are conditional."""
        return self.answers(document, tags, repository_arn).rows

    def answers(self, document: PolicyDocument | None, tags: Mapping[str, str] | None, repository_arn: str) -> Answers:
        """The same, computed on demand; one object for all repositories with equal answers."""
        text = document.text if document is not None else ""
        stated = self._rules_of.get(text)
        if stated is None:
            stated = self._rules_of[text] = self._stated(document)
        key = (text, _relevant(stated, tags, repository_arn))
        found = self._answers.get(key)
        if found is None:

            def ask(principal: str) -> Row:
                return self._row(principal, stated, tags, repository_arn)

            asked = self._principals
            found = self._answers[key] = Answers(document, ask, asked, self._registry)
        return found

    def _stated(self, document: PolicyDocument | None) -> tuple[_Stated, ...]:
        documents = [item for item in (document, self._registry) if item is not None]
        return tuple(_Stated.of(rule, item.expands_variables) for item in documents for rule in rules_of(item))

    def _row(self, principal: str, stated: Sequence[_Stated], tags: Mapping[str, str] | None, arn: str) -> Row:
        role = self._roles.get(principal, "")
        caller = caller_of(f"arn:{self.partition}:iam::{principal}:root" if principal.isdigit() else principal, role)
        many = stands_for_many(caller)
        gripping = [item for item in stated if item.rule.principal_bounds(caller, None, many)[1]]
        # Other statements make no difference, so repositories whose policies differ only there share the row.
        key = (principal, tuple(item.text for item in gripping), _relevant(gripping, tags, arn))
        row = self._shared.get(key)
        if row is None:
            known = before_call(principal, repository_arn=arn, tags=tags, now=self.now, principal_arn=role)
            row = self._shared[key] = self._new_row(principal, known, [item.rule for item in gripping], arn)
        return row

    def _new_row(self, principal: str, known: Known, gripping: Sequence[Rule], arn: str) -> Row:
        sheet = _Sheet(known, arn, gripping)
        cells = {capability: sheet.cell(actions) for capability, actions in ACTIONS.items()}
        kind, account = kind_of(principal), account_of(principal)
        if kind == "deleted":
            cells = dict.fromkeys(ACTIONS, Cell(Verdict.NO, "the principal was deleted"))
        return Row(principal, kind, account, account != self.account, cells)


class Answers:
    """Answers of the policies for any principal, for repositories that the policies treat alike."""

    def __init__(
        self,
        document: PolicyDocument | None,
        ask: Callable[[str], Row],
        principals: Sequence[str] | None,
        registry: PolicyDocument | None,
    ) -> None:
        self.document = document
        self._ask = ask
        self._principals = principals
        self._registry = registry
        self._found: dict[str, Row] = {}

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        asked = named_principals(self.document, self._registry) if self._principals is None else self._principals
        return tuple(map(self.row, asked))

    def row(self, principal: str) -> Row:
        found = self._found.get(principal)
        if found is None:
            found = self._found[principal] = self._ask(principal)
        return found


class _Stated(NamedTuple):
    """A statement, with the facts that determine whether its answers can be reused.

    ``text``: its name and content. ``tag_keys``: the repository's tags that matter, in lower case; None if any property
    of the repository may matter.
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
    """The repository's properties that matter to these statements, always including its region."""
    keys: set[str] = set()
    region = arn.split(":")[3]
    for item in stated:
        if item.tag_keys is None:
            return arn, None if tags is None else tuple(sorted(tags.items()))
        keys |= item.tag_keys
    if tags is None:
        return region, None
    return region, tuple(sorted(item for item in tags.items() if item[0].lower() in keys)) if keys else ()


def who_can(
    document: PolicyDocument | None,
    *,
    repository_arn: str,
    tags: Mapping[str, str] | None,
    principals: Sequence[str] | None = None,
    registry: PolicyDocument | None = None,
    now: datetime | None = None,
) -> tuple[Row, ...]:
    """The rows of one repository; use :class:`Matrix` for many."""
    partition, account = repository_arn.split(":")[1], repository_arn.split(":")[4]
    matrix = Matrix(principals, account=account, partition=partition, registry=registry, now=now)
    return matrix.rows(document, tags, repository_arn)


def access_of(
    document: PolicyDocument | None,
    principal: str,
    *,
    repository_arn: str,
    tags: Mapping[str, str] | None,
    now: datetime | None = None,
) -> AccessSummary:
    """The row of one principal on one repository. ``tags`` None: unknown."""
    (row,) = who_can(document, repository_arn=repository_arn, tags=tags, principals=[principal], now=now)
    return row.summary


def listed_principals(*documents: PolicyDocument | None) -> tuple[str, ...]:
    """Principals of all statements, Allow or Deny, in Principal or NotPrincipal; an account in one form only."""
    found: dict[str, str] = {}
    for document in documents:
        for statement in document.statements if document is not None else ():
            if statement.not_principals:
                found.setdefault(EVERYONE, EVERYONE)
            for _, value in (*statement.principals, *statement.not_principals):
                found.setdefault(canonical(value), value)
    return tuple(found.values())


def named_principals(*documents: PolicyDocument | None) -> tuple[str, ...]:
    """Principals of the documents' Allows, in order; an account in one form only. "*" is everyone."""
    found: dict[str, str] = {}
    for document in documents:
        for statement in document.statements if document is not None else ():
            if statement.effect != "Allow":
                continue
            if "NotPrincipal" in statement.raw and "Principal" not in statement.raw:
                found.setdefault(EVERYONE, EVERYONE)
            for _, value in statement.principals:
                found.setdefault(canonical(value), value)
    return tuple(found.values())


class _Sheet:
    """Evaluation for one caller."""

    def __init__(self, known: Known, arn: str, rules: Sequence[Rule]) -> None:
        self._known = known
        self._arn = arn
        self._rules = [("resource", rule) for rule in rules]

    def cell(self, actions: Sequence[str]) -> Cell:
        found = [self._action(action) for action in actions]
        verdicts = {cell.verdict for cell in found}
        # The last action of a capability completes it, so its reason is the most informative.
        by_verdict = {cell.verdict: cell for cell in found}
        if Verdict.DENIED in verdicts:
            return by_verdict[Verdict.DENIED]
        if verdicts <= {Verdict.YES, Verdict.IF} and Verdict.IF in verdicts:
            names = dict.fromkeys(name for cell in found for name in cell.depends_on)
            return by_verdict[Verdict.IF]._replace(depends_on=tuple(names))
        if len(verdicts) == 1:
            return found[0]
        if verdicts <= {Verdict.YES, Verdict.IF, Verdict.VOID}:
            return by_verdict[Verdict.VOID]
        lacking = [
            action.removeprefix("ecr:")
            for action, cell in zip(actions, found, strict=True)
            if cell.verdict is Verdict.NO
        ]
        return Cell(Verdict.PARTLY, f"{', '.join(lacking)} not granted")

    def _action(self, action: str) -> Cell:
        found = of_rules(self._rules, self._known, action, self._arn)
        names = [source.statement.name for source in found.sources]
        if found.verdict is answer.Verdict.YES:
            limit = " for principals that the account allows" if self._known.caller.kind == "root" else ""
            return Cell(Verdict.YES, f"{names[0]} allows it{limit}")
        if found.verdict is answer.Verdict.DEPENDS:
            return Cell(Verdict.IF, self._if(action), found.depends_on)
        if names:
            return Cell(Verdict.DENIED, f"{names[0]} denies it")
        return self._not_granted(action)

    def _if(self, action: str) -> str:
        allows = open_allow = open_deny = ""
        for _, rule in self._rules:
            standing = self._known.standing(rule, action, self._arn, attached=True)
            if rule.deny and standing.may:
                open_deny = open_deny or self._open(rule, standing, action)
            elif standing.must:
                allows = allows or rule.statement.name
            elif standing.may:
                open_allow = open_allow or self._open(rule, standing, action)
        text = f"{allows or open_allow} allows it"
        return f"{text}, unless {open_deny} denies it" if open_deny else text

    def _open(self, rule: Rule, standing: Standing, action: str) -> str:
        """The statement's name with its open condition or other dependency."""
        for clause in rule.clauses or ():
            holds, _ = self._known.clause(clause, rule.deny, action)
            if not holds:
                wanted = " or ".join(f'"{value}"' for value in clause.values)
                return f"{rule.statement.name} (if {clause.operator} {clause.key} {wanted})"
        return f"{rule.statement.name} (depends on {', '.join(standing.opens)})"

    def _not_granted(self, action: str) -> Cell:
        reason = "no statement allows it"
        for _, rule in self._rules:
            standing = self._known.standing(rule, action, self._arn, attached=True)
            if rule.deny or standing.clause is None:
                continue
            name, failure = rule.statement.name, clause_failure(standing.clause, self._known.keys)
            failing = [one for one in rule.clauses or () if not self._known.clause(one, False, action)[1]]
            if all(is_resource_tag(one.key) or one.key.lower() in _TIME_KEYS for one in failing):
                return Cell(Verdict.VOID, f"{name} would allow it, but {failure}")
            if reason == "no statement allows it":
                reason = f"{name} does not apply: {failure}"
        return Cell(Verdict.NO, reason)


_TIME_KEYS = frozenset({"aws:currenttime", "aws:epochtime"})
