"""List, audit, both sides, tag effect and the live decision never contradict each other.

What is open before a call is filled in at random, time and again: where the answer was yes each of those calls is
allowed, where it was no none is.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ecr_tui.access.audit import examine
from ecr_tui.access.audit_reading import Entry
from ecr_tui.access.matrix import AccessMatrix
from ecr_tui.access.registry_policy import ANYTHING, Accesses
from ecr_tui.access.tag_effect import TagEffect, tag_effects
from ecr_tui.access.two_sided import TwoSided, two_sided
from ecr_tui.aws.identity_policies import identity_policies
from ecr_tui.aws.inventory import list_repositories, live_tags
from ecr_tui.aws.model import IdentityPolicies, NamedPolicy, Repository, Role
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.aws.registry import registry_facts
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.policy.access import ESSENTIAL_PULL, ESSENTIAL_PUSH, AccessSummary
from ecr_tui.policy.actions import Access
from ecr_tui.policy.answer import answer
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Policies, Request, context_for, decide
from ecr_tui.policy.who import Capability, who_can
from ecr_tui.sandbox.ecr_policies import store_unchecked
from ecr_tui.sandbox.principals import Principal, Session
from ecr_tui.sandbox.sandbox import Sandbox

A, B = "111111111111", "222222222222"
ARN = f"arn:aws:ecr:eu-central-1:{A}:repository/team/app"
REPOSITORY = Repository("team/app", ARN, f"{A}.dkr/team/app", "eu-central-1", A, {})
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
BOB, CAROL = f"arn:aws:iam::{B}:user/bob", f"arn:aws:iam::{B}:user/carol"
SESSION = f"arn:aws:sts::{B}:assumed-role/puller/s1"
PATHS = ("", "team/", "aws-reserved/sso.amazonaws.com/")
TAGS: list[dict[str, str]] = [{}, {"Team": "blue"}, {"Team": "red"}, {"team": "blue", "Env": "prod"}]
ESSENTIAL = {"pull": ESSENTIAL_PULL, "push": ESSENTIAL_PUSH}
OPEN_KEYS = {
    "aws:SourceIp": ("10.0.0.1", "192.0.2.7"),
    "aws:PrincipalOrgID": ("o-1", "o-2"),
    "aws:SourceVpce": ("vpce-1", "vpce-2"),
    "aws:MultiFactorAuthPresent": ("true", "false"),
    "aws:PrincipalTag/Team": ("blue", "red"),
    "aws:userid": ("AIDAEXAMPLE", "AROAEXAMPLE:s1"),
}


def one_or_more(draw: random.Random, values: list[Any]) -> Any:
    found = draw.sample(values, draw.choice((1, 1, 2)))
    return found if len(found) > 1 else found[0]


def principal(draw: random.Random, role: str) -> Any:
    if draw.random() < 0.25:
        return "*"
    root = f"arn:aws:iam::{B}:root"
    return {"AWS": one_or_more(draw, [BOB, CAROL, B, root, SESSION, role, f"arn:aws:iam::{B}:role/team/other"])}


TAG_KEYS = ["aws:ResourceTag/Team", "ecr:ResourceTag/team"]
KEYS = [
    *TAG_KEYS,
    "aws:PrincipalOrgID",
    "aws:SourceVpce",
    "aws:username",
    "aws:PrincipalTag/Team",
    "aws:SourceAccount",
    "aws:PrincipalArn",
]
VALUES = ["blue", "red", "b*", "o-1", "vpce-1", "bob", "${aws:PrincipalTag/Team}", "${aws:ResourceTag/Team}"]
NAMES = ("role/*", "role/*puller", "role/team/*", "role/aws-reserved/*", "role/puller", "role/*/pull?r", "user/bob")
ARNS = [f"arn:aws:iam::{B}:{name}" for name in (*NAMES, "user/*")]


def condition(draw: random.Random, keys: list[str]) -> dict[str, Any]:
    """``keys``: those to compare as text."""
    quantifier, if_exists = (
        draw.choice(("", "", "", "ForAnyValue:", "ForAllValues:")),
        draw.choice(("", "", "IfExists")),
    )
    made: dict[str, Any] = {}
    for _ in range(draw.choice((1, 1, 2))):
        operator, key, values = draw.choice(
            [
                (draw.choice(("IpAddress", "NotIpAddress")), "aws:SourceIp", ["10.0.0.0/8", "junk"]),
                (draw.choice(("ArnLike", "ArnNotLike", "StringLike", "StringNotLike")), "aws:PrincipalArn", ARNS),
                (draw.choice(("DateLessThan", "DateGreaterThan")), "aws:CurrentTime", ["2026-11-01", "2027-01-01"]),
                ("Null", draw.choice([*OPEN_KEYS, *TAG_KEYS]), ["true", "false"]),
                ("Bool", "aws:MultiFactorAuthPresent", ["true", "false"]),
                *[(draw.choice(("StringEquals", "StringNotEquals", "StringLike")), draw.choice(keys), VALUES)] * 4,
            ]
        )
        if operator != "Null":
            operator = quantifier + operator + if_exists
        made.setdefault(operator, {})[key] = one_or_more(draw, values)
    return made


def statement(draw: random.Random, role: str, keys: list[str]) -> dict[str, Any]:
    actions = [*Access.PUSH_PULL.actions, "ecr:*", "ecr:Batch*", list(ESSENTIAL_PULL), list(Access.PUSH_PULL.actions)]
    made: dict[str, Any] = {"Effect": draw.choice(("Allow", "Allow", "Deny"))}
    made["NotPrincipal" if draw.random() < 0.1 else "Principal"] = principal(draw, role)
    made["Action"] = draw.choice(actions)
    if draw.random() < 0.6:
        made["Condition"] = condition(draw, keys)
    if draw.random() < 0.1:
        made["Resource"] = draw.choice(["*", ARN, "**", f"arn:aws:ecr:*:{A}:repository/${{aws:PrincipalTag/Team}}/*"])
    return made


@dataclass(frozen=True)
class World:
    """A policy, and the role behind the session, which nobody is told."""

    document: PolicyDocument
    role: str
    draw: random.Random


def worlds(count: int, keys: list[str] = KEYS) -> Iterator[World]:
    for number in range(count):
        draw = random.Random(number)
        role = f"arn:aws:iam::{B}:role/{draw.choice(PATHS)}puller"
        statements = [statement(draw, role, keys) for _ in range(draw.randrange(1, 5))]
        yield World(PolicyDocument.from_json({"Version": "2012-10-17", "Statement": statements}), role, draw)


def calls(world: World, caller: str, count: int) -> Iterator[tuple[dict[str, Any], bool]]:
    """What the call may bring along, and whether the caller has a permissions boundary."""
    for _ in range(count):
        context = {key: world.draw.choice(values) for key, values in OPEN_KEYS.items() if world.draw.random() < 0.6}
        if caller == SESSION:
            context["aws:PrincipalArn"] = world.role
        yield context, world.draw.random() < 0.3


def live(world: World, caller: str, action: str, tags: dict[str, str], call: tuple[dict[str, Any], bool]) -> bool:
    extra, bounded = call
    time = {"aws:CurrentTime": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"), "aws:EpochTime": int(NOW.timestamp())}
    context = context_for(caller, A, tags, time | extra | {"aws:ViaAWSService": "false"})
    policies = Policies((ANYTHING,), world.document, boundaries=(ANYTHING,) if bounded else ())
    return decide(Request(action, ARN, A, caller, context), policies).allowed


def check_answers(count: int) -> None:
    yes = no = depends = 0
    for world in worlds(count):
        tags = world.draw.choice(TAGS)
        for caller in (BOB, SESSION):
            filled = list(calls(world, caller, 4))
            found = {
                name: answer(world.document, caller, actions, repository_arn=ARN, tags=tags, now=NOW).verdict.allowed
                for name, actions in ESSENTIAL.items()
            }
            agree(world.document, replace(REPOSITORY, tags=tags), caller, found)
            for name, allowed in found.items():
                yes, no, depends = yes + (allowed is True), no + (allowed is False), depends + (allowed is None)
                for call in filled if allowed is not None else ():
                    done = all(live(world, caller, action, tags, call) for action in ESSENTIAL[name])
                    assert done is allowed, (world.document.text, caller, world.role, tags, call, name)
    assert min(yes, no, depends) > count // 20


def agree(document: PolicyDocument, repository: Repository, caller: str, found: dict[str, bool | None]) -> None:
    """The list's, the matrix's, the audit's and the plan's answers against the one."""
    assert listed(document, repository, caller) == found
    matrix = AccessMatrix(A, now=NOW)
    matrix.read(repository, document.text)
    cells = matrix.row(repository, caller)
    assert cells is not None
    assert halves(cells.summary) == found
    (row,) = who_can(document, repository_arn=ARN, tags=repository.tags, principals=[caller], now=NOW)
    assert {str(one): row.cells[one].allowed for one in (Capability.PULL, Capability.PUSH)} == found
    unread = IdentityPolicies(caller, caller, unreadable="nobody may")
    both = two_sided(repository, caller, Access.PUSH_PULL, document, identity=unread, now=NOW)
    assert owners(both) == found


def listed(document: PolicyDocument | None, repository: Repository, caller: str) -> dict[str, bool | None]:
    return halves(Accesses(caller, {}, now=NOW).of(repository, document))


def halves(summary: AccessSummary) -> dict[str, bool | None]:
    return {"pull": summary.pull, "push": summary.push}


def owners(both: TwoSided) -> dict[str, bool | None]:
    sides = {item.action: item.owner.allows for item in both.actions if item.owner is not None}
    found: dict[str, bool | None] = {}
    for name, actions in ESSENTIAL.items():
        values = [sides[action] for action in actions]
        found[name] = False if False in values else None if None in values else True
    return found


def check_tag_effects(count: int) -> None:
    changing = same = 0
    for world in worlds(count, TAG_KEYS):
        before, after = world.draw.sample(TAGS, 2)
        effects, _ = tag_effects(replace(REPOSITORY, tags=before), world.document, after, now=NOW)
        told = {effect.principal: effect for effect in effects}
        for caller, names in ((BOB, (BOB, B, f"arn:aws:iam::{B}:root", "*")), (SESSION, (SESSION, world.role, B, "*"))):
            mine = [told[name] for name in (*names, f"arn:aws:iam::{B}:root") if name in told]
            for call in calls(world, caller, 3):
                was, becomes = (
                    all(live(world, caller, action, tags, call) for action in ESSENTIAL_PULL)
                    for tags in (before, after)
                )
                same, changing = same + (was is becomes), changing + (was is not becomes)
                # Who is named by no statement alone is told with the account, or with everybody.
                assert was is becomes or mine, (world.document.text, caller, world.role, before, after, call)
                check_own_row(told.get(caller), was, becomes)
    assert min(changing, same) > count // 20


def check_own_row(effect: TagEffect | None, was: bool, becomes: bool) -> None:
    if effect is None:
        return
    assert not ("pull" in effect.gains and not becomes), effect
    assert not ("pull" in effect.loses and becomes), effect
    if was is not becomes:
        assert effect.gains or effect.loses or effect.may_change, effect


def test_the_answer_holds_for_each_call() -> None:
    check_answers(400)


def test_who_is_not_told_keeps_access_and_who_is_told_does_not() -> None:
    check_tag_effects(60)


# --- the sandbox decides live --------------------------------------------------------------------------------------

SSO = "AWSReservedSSO_Dev_0123456789abcdef"


def identity_center_role(sandbox: Sandbox) -> Principal:
    """A session of a role below /aws-reserved/, with a repository for such roles."""
    directory = sandbox.world.directory
    role = directory.backend(B).create_role(SSO, "{}", "/aws-reserved/sso.amazonaws.com/", None, "", [], "3600")
    directory.backend(B).put_role_policy(SSO, "All", ANYTHING.text)
    reserved = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:role/aws-reserved/sso.amazonaws.com/*"}}
    made = {"Effect": "Allow", "Principal": {"AWS": B}, "Action": list(ESSENTIAL_PULL), "Condition": reserved}
    sandbox.world.records.create(A, sandbox.region, "platform/sso", {}, {})
    store_unchecked(sandbox.world, A, sandbox.region, "platform/sso", {"Version": "2012-10-17", "Statement": [made]})
    return directory.role_principal(role, "jane", "ASIAEXAMPLE", Session("token", NOW, NOW))


def test_the_seeded_repositories(sandbox: Sandbox) -> None:
    owner, consumer = AwsSession(Role.OWNER, "account-a"), AwsSession(Role.CONSUMER, "dev-acc")
    user, session = sandbox.world.directory.by_arn(f"arn:aws:iam::{B}:user/devusr2"), identity_center_role(sandbox)
    assert user is not None
    everything = NamedPolicy("All", "inline", ANYTHING)
    identities = {
        user: identity_policies(consumer, user.arn),
        session: IdentityPolicies(session.arn, session.iam_arn, (everything,)),
    }
    facts, store = registry_facts(owner, sandbox.region), RepositoryPolicies(owner)
    repositories = [replace(one, tags=live_tags(owner, one)) for one in list_repositories(owner, [sandbox.region])]
    entries = [Entry(one, store.read(one)) for one in repositories]
    audit = examine(entries, account=A, registries=[facts], asked=[user.arn, session.arn])
    matrix = AccessMatrix(A, registries=[facts], now=audit.at)
    seen: dict[str, set[bool | None]] = {}
    for entry, audited in zip(entries, audit.repositories, strict=True):
        document = PolicyDocument.parse(entry.text) if entry.text is not None else None
        rows = {row.principal: row for row in audited.asked}
        for caller, identity in identities.items():
            found = halves(Accesses(caller.arn, {sandbox.region: facts}).of(entry.repository, document))
            assert halves(rows[caller.arn].summary) == found
            matrix.read(entry.repository, entry.text)
            assert matrix.row(entry.repository, caller.arn) == rows[caller.arn]
            both = two_sided(
                entry.repository, caller.arn, Access.PUSH_PULL, document, identity=identity, registry=facts
            )
            for name, actions in ESSENTIAL.items():
                denials = [sandbox.owner_backend().denial(caller, action, entry.repository.name) for action in actions]
                allowed = not any(denials)
                assert found[name] in (allowed, None), (entry.repository.name, caller.arn, name, denials)
                assert owners(both)[name] in (allowed, None)
                assert owners(both)[name] == found[name] or found[name] is None
                seen.setdefault(entry.repository.name, set()).add(found[name])
    assert {name for name, answers in seen.items() if None in answers} == {"platform/charts", "platform/sso"}
    assert sum(True in answers for answers in seen.values()) > 5
    # Once IAM has told the role's path nothing is open about it.
    roles = {session.arn: session.iam_arn}
    (told,) = examine(
        [one for one in entries if one.repository.name == "platform/sso"],
        account=A,
        registries=[facts],
        asked=[session.arn],
        roles=roles,
    ).repositories
    assert halves(told.asked[0].summary) == {"pull": True, "push": False}
    with_path = Accesses(session.arn, {}, role=session.iam_arn).of(told.repository, told.document)
    assert with_path == told.asked[0].summary
