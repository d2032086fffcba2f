"""Both sides of every action: what is certain, what is not, and which side it is up to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_tui.access.creation_templates import fit, template_for
from ecr_tui.access.registry_policy import effect, findings, registry_json
from ecr_tui.access.two_sided import ALLOWED, DENIED, NOT_CONSIDERED, UNKNOWN, TwoSided, headline, two_sided
from ecr_tui.aws.identity_policies import identity_policies
from ecr_tui.aws.inventory import list_repositories, live_tags
from ecr_tui.aws.model import CreationTemplate, IdentityPolicies, NamedPolicy, RegistryFacts, Repository, Role
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.aws.registry import registry_facts
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.policy.actions import TOKEN_ACTION, Access
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.identity import identity_policy
from ecr_tui.sandbox.sandbox import Sandbox

A, B = "111111111111", "222222222222"
ARN = f"arn:aws:ecr:eu-central-1:{A}:repository/my-first-repo"
USER = f"arn:aws:iam::{B}:user/devusr2"
ROLE = f"arn:aws:iam::{B}:role/delivery/Train"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
REPOSITORY = Repository("my-first-repo", ARN, f"{A}.dkr/my-first-repo", "eu-central-1", A, {"Team": "Payments"})
PULL = list(Access.PULL.actions)


def statement(effect: str = "Allow", action: Any = "ecr:*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, **more}


def document(*statements: dict[str, Any]) -> PolicyDocument:
    return PolicyDocument.from_json({"Version": "2012-10-17", "Statement": list(statements)})


def to_b(action: Any = "ecr:*", effect: str = "Allow", principal: Any = B, **more: Any) -> dict[str, Any]:
    who = principal if principal == "*" else {"AWS": principal}
    return statement(effect, action, Principal=who, **more)


def known(*documents: PolicyDocument, principal: str = USER, **more: Any) -> IdentityPolicies:
    named = tuple(NamedPolicy(f"P{number}", "inline", item) for number, item in enumerate(documents))
    return IdentityPolicies(principal, principal, named, **more)


NEEDED = identity_policy([ARN], Access.PUSH_PULL)
UNREADABLE = IdentityPolicies(USER, USER, unreadable="iam:GetUser on user/devusr2 was denied: User: x is not ...")


def decided(
    a: PolicyDocument | None,
    b: IdentityPolicies,
    *,
    access: Access = Access.PULL,
    repository: Repository = REPOSITORY,
    principal: str = USER,
    registry: RegistryFacts | None = None,
) -> TwoSided:
    return two_sided(repository, principal, access, a, identity=b, registry=registry, now=NOW)


def action(found: TwoSided, name: str) -> Any:
    return next(item for item in found.actions if item.action == name)


def registry_policy(*statements: dict[str, Any], **more: Any) -> RegistryFacts:
    return RegistryFacts("eu-central-1", json.dumps({"Version": "2012-10-17", "Statement": statements}))._replace(
        **more
    )


# --- the four cases


@pytest.mark.parametrize(
    ("a", "b", "response", "missing"),
    [
        (document(to_b()), known(NEEDED), ALLOWED, ()),
        (document(to_b()), known(), DENIED, ("account B",)),
        (None, known(NEEDED), DENIED, ("account A",)),
        (None, known(), DENIED, ("account A", "account B")),
    ],
    ids=["both", "A only", "B only", "neither"],
)
def test_who_lacks_what(a: PolicyDocument | None, b: IdentityPolicies, response: str, missing: tuple[str, ...]) -> None:
    found = decided(a, b)
    assert [item.action for item in found.actions] == [TOKEN_ACTION, *PULL]
    for item in found.actions[1:]:
        assert (item.response, item.missing, item.resource) == (response, missing, ARN)
    assert found.response == response
    assert set(found.missing) == set(missing)
    for side in missing:
        assert side in headline(found)


def test_the_reasons_name_the_statements() -> None:
    found = decided(document(to_b(Sid="Partner")), known(NEEDED))
    item = action(found, "ecr:BatchGetImage")
    assert item.owner.reason.startswith("Partner of the repository policy allows it")
    assert item.consumer.reason == "EcrRepositories of the identity policy allows it"
    lacking = action(decided(None, known()), "ecr:BatchGetImage")
    assert "the repository has no policy" in lacking.owner.reason
    assert "no identity-based policy allows the ecr:BatchGetImage action" in lacking.consumer.reason


def test_the_token_is_bs_alone() -> None:
    item = action(decided(document(to_b()), known(document(statement(Resource=ARN)))), TOKEN_ACTION)
    assert (item.response, item.owner, item.resource, item.missing) == (DENIED, None, "*", ("account B",))
    assert action(decided(None, known(NEEDED)), TOKEN_ACTION).response == ALLOWED
    tagged = document(
        statement(action=TOKEN_ACTION, Resource="*", Condition={"StringEquals": {"aws:ResourceTag/Team": "Payments"}})
    )
    assert action(decided(document(to_b()), known(tagged)), TOKEN_ACTION).response == DENIED


def test_the_sentence_names_what_may_still_deny() -> None:
    user = decided(document(to_b()), known(NEEDED))
    assert headline(user).endswith("; SCPs, RCPs and VPC endpoint policies are not checked")
    role = decided(document(to_b()), known(NEEDED, principal=ROLE), principal=ROLE)
    assert headline(role).endswith("; SCPs, RCPs, VPC endpoint policies and session policies are not checked")
    assert role.to_json()["not_considered"] == [*NOT_CONSIDERED, "session policies"]


def test_a_deny_with_not_principal_hits_whoever_has_a_boundary() -> None:
    except_b = statement("Deny", NotPrincipal={"AWS": [USER, f"arn:aws:iam::{B}:root"]})
    boundary = NamedPolicy("Limit", "permissions boundary", document(statement(Resource="*")))
    for b, response in (
        (known(NEEDED), ALLOWED),
        (known(NEEDED, boundary=boundary), DENIED),
        (UNREADABLE, UNKNOWN),
    ):
        item = action(decided(document(to_b(), except_b), b), "ecr:BatchGetImage")
        assert (item.response, item.owner.allows) == (response, {ALLOWED: True, DENIED: False, UNKNOWN: None}[response])
    alone = document(to_b(), statement("Deny", NotPrincipal={"AWS": USER}))
    assert action(decided(alone, known(NEEDED)), "ecr:BatchGetImage").owner.reason == (
        "unknown: depends on NotPrincipal"
    )


def test_a_federated_user_without_a_known_session_policy_is_unknown() -> None:
    federated = f"arn:aws:sts::{B}:federated-user/devusr2"
    b = IdentityPolicies(federated, federated, unreadable="it has no identity policies that could be read")
    assert decided(document(to_b()), b, principal=federated).response == UNKNOWN
    assert decided(None, b, principal=federated).response == DENIED


def test_a_sessions_role_path_counts_where_iam_tells_it() -> None:
    session = f"arn:aws:sts::{B}:assumed-role/Train/build-7"
    by_path = document(to_b(Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:role/delivery/*"}}))
    told = known(NEEDED, principal=session)._replace(arn=ROLE)
    assert decided(by_path, told, principal=session).response == ALLOWED
    elsewhere = told._replace(arn=f"arn:aws:iam::{B}:role/Train")
    assert decided(by_path, elsewhere, principal=session).response == DENIED
    unread = decided(by_path, UNREADABLE._replace(principal=session, arn=session), principal=session)
    assert action(unread, "ecr:BatchGetImage").owner.reason == "unknown: depends on aws:PrincipalArn"


def test_an_explicit_deny_on_either_side() -> None:
    denied_by_a = decided(document(to_b(), to_b("ecr:BatchGetImage", "Deny", Sid="Freeze")), known(NEEDED))
    item = action(denied_by_a, "ecr:BatchGetImage")
    assert (item.response, item.missing) == (DENIED, ("account A",))
    assert "Freeze of the repository policy denies it" in item.owner.reason
    assert action(denied_by_a, "ecr:GetDownloadUrlForLayer").response == ALLOWED
    no = document(statement("Deny", "ecr:*", Resource="*"))
    assert action(decided(document(to_b()), known(NEEDED, no)), "ecr:BatchGetImage").missing == ("account B",)


def test_a_boundary_is_a_limit() -> None:
    limit = NamedPolicy("Limit", "permissions boundary", document(statement(action="ecr:Get*", Resource="*")))
    found = decided(document(to_b()), known(NEEDED)._replace(boundary=limit))
    assert action(found, TOKEN_ACTION).response == ALLOWED
    item = action(found, "ecr:BatchGetImage")
    assert (item.response, item.missing) == (DENIED, ("account B",))
    assert "permissions boundary" in item.consumer.reason
    assert found.to_json()["identity"]["boundary"] == "Limit"


def test_what_b_lacks_is_a_finding_with_its_fix() -> None:
    found = decided(document(to_b()), known(document(statement(Resource=ARN))))
    (finding,) = found.findings
    assert finding.id == "no-token"
    assert decided(document(to_b()), known(NEEDED)).findings == ()
    assert decided(document(to_b()), UNREADABLE).findings == ()
    lacking = decided(document(to_b()), known())
    assert {one.id for one in lacking.findings} == {"no-token", "identity-lacks"}
    assert {one["id"] for one in lacking.to_json()["findings"]} == {"no-token", "identity-lacks"}


# --- what is not known


def test_unreadable_is_unknown_and_never_a_guess() -> None:
    found = decided(document(to_b()), UNREADABLE)
    assert {item.response for item in found.actions} == {UNKNOWN}
    item = action(found, "ecr:BatchGetImage")
    assert item.owner.allows is True
    assert item.consumer.allows is None
    assert item.consumer.reason.startswith("unknown, not readable: iam:GetUser on user/devusr2 was denied")
    assert item.missing == ()


def test_what_a_lacks_is_certain_whatever_b_has() -> None:
    item = action(decided(None, UNREADABLE), "ecr:BatchGetImage")
    assert (item.response, item.missing, item.consumer.allows) == (DENIED, ("account A",), None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:SourceIp", "10.0.0.0/8"),
        ("aws:PrincipalOrgID", "o-1"),
        ("aws:MultiFactorAuthPresent", "true"),
        ("aws:SourceVpce", "vpce-1"),
    ],
)
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize("side", ["a", "b"])
def test_a_condition_that_only_the_request_answers(key: str, value: str, effect: str, side: str) -> None:
    operator = {"aws:SourceIp": "IpAddress", "aws:MultiFactorAuthPresent": "Bool"}.get(key, "StringEquals")
    condition = {operator: {key: value}}
    a: list[dict[str, Any]] = [to_b()]
    b: list[dict[str, Any]] = [statement(Resource="*")]
    if side == "a":
        a = [*([to_b()] if effect == "Deny" else []), to_b(effect=effect, Condition=condition)]
    else:
        b = [*(b if effect == "Deny" else []), statement(effect, Resource="*", Condition=condition)]
    found = decided(document(*a), known(document(*b)))
    item = action(found, "ecr:BatchGetImage")
    assert item.response == UNKNOWN
    told = item.owner if side == "a" else item.consumer
    assert key in told.reason
    other = item.consumer if side == "a" else item.owner
    assert other.allows is True


def test_a_deny_unless_mfa_is_no_certain_denial() -> None:
    """BoolIfExists holds for an absent key: taken as absent, everything would seem denied."""
    unless = statement("Deny", "*", Resource="*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})
    assert action(decided(document(to_b()), known(NEEDED, document(unless))), "ecr:BatchGetImage").response == UNKNOWN


def test_an_open_condition_beside_one_that_fails_is_certain() -> None:
    condition = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringEquals": {"aws:ResourceTag/Team": "Search"}}
    item = action(decided(document(to_b(Condition=condition)), known(NEEDED)), "ecr:BatchGetImage")
    assert (item.response, item.missing) == (DENIED, ("account A",))
    assert "aws:ResourceTag/Team" in item.owner.reason


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:ResourceTag/Team": "Payments"}},
        {"StringEquals": {"aws:PrincipalAccount": B}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:user/*"}},
        {"StringEquals": {"aws:username": "devusr2"}},
        {"StringEquals": {"aws:userid": "AIDAEXAMPLE"}},
        {"StringEquals": {"aws:PrincipalTag/team": "payments"}},
        {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}},
        {"DateLessThan": {"aws:CurrentTime": "2031-01-01T00:00:00Z"}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"Bool": {"aws:ViaAWSService": "false"}},
        {"Null": {"aws:SourceArn": "true"}},
        {"StringLike": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}},
    ],
    ids=lambda condition: next(iter(next(iter(condition.values())))),
)
def test_what_is_certain_before_the_call(condition: dict[str, Any]) -> None:
    b = known(NEEDED)._replace(user_id="AIDAEXAMPLE", tags=(("team", "payments"),))
    if "${" in json.dumps(condition):
        b = b._replace(tags=(("Team", "Payments"),))
    assert decided(document(to_b(Condition=condition)), b).response == ALLOWED


def test_unknown_tags_of_the_repository() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}
    found = decided(document(to_b(Condition=condition)), known(NEEDED), repository=replace(REPOSITORY, tags=None))
    assert action(found, "ecr:BatchGetImage").response == UNKNOWN


def test_variables_in_bs_resources() -> None:
    mine = f"arn:aws:ecr:*:{A}:repository/${{aws:username}}"
    user = known(document(statement(Resource=[mine]), statement(action=TOKEN_ACTION, Resource="*")))
    own = replace(REPOSITORY, name="devusr2", arn=ARN.replace("my-first-repo", "devusr2"))
    assert decided(document(to_b()), user, repository=own).response == ALLOWED
    assert decided(document(to_b()), user).response == DENIED
    session = known(
        document(statement(Resource=f"arn:aws:ecr:*:{A}:repository/${{aws:PrincipalTag/team}}")),
        principal=ROLE,
    )
    item = action(decided(document(to_b()), session, principal=ROLE), "ecr:BatchGetImage")
    assert (item.response, item.consumer.allows) == (UNKNOWN, None)
    assert "aws:PrincipalTag/team" in item.consumer.reason


def test_a_malformed_condition_is_not_an_open_one() -> None:
    broken = to_b(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringEquals": "Payments"})
    assert action(decided(document(broken), known(NEEDED)), "ecr:BatchGetImage").missing == ("account A",)


# --- principals


def test_a_whole_account_is_up_to_its_own_policies() -> None:
    root = f"arn:aws:iam::{B}:root"
    reason = "the principal is the whole account"
    found = decided(document(to_b()), IdentityPolicies(root, root, unreadable=reason), principal=root)
    item = action(found, "ecr:BatchGetImage")
    assert (item.response, item.owner.allows, item.consumer.allows) == (UNKNOWN, True, None)
    nothing = decided(None, IdentityPolicies(root, root, unreadable=reason), principal=root)
    assert action(nothing, "ecr:BatchGetImage").response == DENIED


def test_a_session_goes_by_its_roles_own_arn() -> None:
    session = f"arn:aws:sts::{B}:assumed-role/Train/build-7"
    b = known(NEEDED, principal=session)._replace(arn=ROLE, notes=("a session policy cannot be read",))
    by_arn = to_b(principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE}})
    for a in (document(by_arn), document(to_b(principal=ROLE)), document(to_b(principal=session))):
        found = decided(a, b, principal=session)
        assert found.response == ALLOWED
        assert found.notes == ("a session policy cannot be read",)


def test_a_path_that_the_policy_does_not_name() -> None:
    b = known(NEEDED)._replace(arn=f"arn:aws:iam::{B}:user/staff/devusr2")
    found = decided(document(to_b(principal=USER)), b)
    assert found.response == DENIED
    assert any("user/staff/devusr2" in note for note in found.notes)


@pytest.mark.parametrize(
    ("a", "b", "response"),
    [
        (document(to_b(principal=f"arn:aws:iam::{A}:user/ann")), (), ALLOWED),
        (None, (document(statement(Resource="*")),), ALLOWED),
        (None, (), DENIED),
        (document(to_b("ecr:*", "Deny", principal=A)), (document(statement(Resource="*")),), DENIED),
    ],
)
def test_within_one_account_either_side_will_do(
    a: PolicyDocument | None, b: tuple[PolicyDocument, ...], response: str
) -> None:
    ann = f"arn:aws:iam::{A}:user/ann"
    found = decided(a, known(*b, principal=ann), principal=ann)
    assert action(found, "ecr:BatchGetImage").response == response


# --- the registry policy


def test_a_registry_deny_beats_the_grant() -> None:
    deny = registry_policy(to_b("ecr:*", "Deny", Sid="NoPartners", Resource="*"))
    item = action(decided(document(to_b()), known(NEEDED), registry=deny), "ecr:BatchGetImage")
    assert (item.response, item.missing) == (DENIED, ("account A",))
    assert "NoPartners of the registry policy denies it" in item.owner.reason


def test_a_registry_allow_is_enough() -> None:
    allow = registry_policy(to_b("ecr:*", Sid="Partners", Resource="*"))
    item = action(decided(None, known(NEEDED), registry=allow), "ecr:BatchGetImage")
    assert item.response == ALLOWED
    assert item.owner.reason.startswith("Partners of the registry policy allows it")


def test_scope_v1_has_no_say() -> None:
    deny = registry_policy(to_b("ecr:*", "Deny", Resource="*"), scope="V1")
    assert decided(document(to_b()), known(NEEDED), registry=deny).response == ALLOWED


def test_an_unreadable_registry_leaves_account_a_unknown() -> None:
    for a in (document(to_b()), None):
        facts = RegistryFacts("eu-central-1", policy_unreadable="ecr:GetRegistryPolicy was denied")
        item = action(decided(a, known(NEEDED), registry=facts), "ecr:BatchGetImage")
        assert (item.response, item.owner.allows) == (UNKNOWN, None)
        assert "ecr:GetRegistryPolicy was denied" in item.owner.reason


def test_an_unknown_scope_matters_only_where_the_policy_does() -> None:
    unknown = {"scope": "", "scope_unreadable": "ecr:GetAccountSetting was denied"}
    deny = registry_policy(to_b("ecr:BatchGetImage", "Deny", Resource="*"), **unknown)
    found = decided(document(to_b()), known(NEEDED), registry=deny)
    assert action(found, "ecr:BatchGetImage").response == UNKNOWN
    assert "ecr:GetAccountSetting" in action(found, "ecr:BatchGetImage").owner.reason
    assert action(found, "ecr:GetDownloadUrlForLayer").response == ALLOWED
    assert action(
        decided(document(to_b()), known(NEEDED), registry=RegistryFacts("x", **unknown)), PULL[0]
    ).response == (ALLOWED)


def test_the_effect_of_a_registry_policy() -> None:
    facts = registry_policy(
        to_b("ecr:PutImage", "Deny", Sid="NoPush", Resource="*"),
        to_b("ecr:BatchGetImage", Sid="Read", Resource="*"),
        to_b("ecr:UploadLayerPart", "Deny", Resource="*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
        to_b("ecr:InitiateLayerUpload", "Deny", Resource=ARN + "-other"),
    )
    found = effect(facts, REPOSITORY, USER, Access.PUSH_PULL.actions, now=NOW)
    assert (found.denies, found.may_deny, found.allows) == (
        ("ecr:PutImage",),
        ("ecr:UploadLayerPart",),
        ("ecr:BatchGetImage",),
    )
    ids = {item.id: item.severity for item in findings(found)}
    assert ids == {"registry-deny": "error", "registry-may-deny": "warning", "registry-allow": "info"}
    told = registry_json(facts, [found])
    assert (told["exists"], told["scope"], told["unknown"]) == (True, "V2", None)
    assert told["effects"][0]["denies"] == ["ecr:PutImage"]
    assert findings(effect(RegistryFacts("eu-central-1"), REPOSITORY, USER, PULL, now=NOW)) == ()


# --- templates

OF_ORGANIZATION = to_b(principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})


def test_which_template_a_new_repository_is_made_from() -> None:
    templates = [CreationTemplate(prefix) for prefix in ("ROOT", "payments", "payments/batch/", "pay")]
    for name, prefix in (
        ("payments/api", "payments"),
        ("payments/batch/nightly", "payments/batch/"),
        ("payments", "ROOT"),
        ("paymentsx/api", "ROOT"),
        ("search/api", "ROOT"),
    ):
        found = template_for(templates, name)
        assert found is not None
        assert found.prefix == prefix
    assert template_for(templates[1:], "search/api") is None


@pytest.mark.parametrize(
    ("tags", "policy", "lacking", "access", "words"),
    [
        ((), None, {"Team": "Payments"}, None, "is not tagged Team=Payments"),
        ((("team", "Payments"),), None, {}, None, "gets no policy"),
        ((("Team", "Search"),), None, {"Team": "Payments"}, None, "not tagged"),
        ((("Team", "Payments"),), document(to_b()).text, {}, (True, True), "gets the tags and a policy"),
        ((("Team", "Payments"),), document(to_b(principal="333333333333")).text, {}, (False, False), "without access"),
        ((("Team", "Payments"),), document(OF_ORGANIZATION).text, {}, (None, None), "depending on aws:PrincipalOrgID"),
        ((("Team", "Payments"),), "{", {}, None, "invalid policy"),
    ],
)
def test_whether_a_template_meets_the_grant(
    tags: tuple[tuple[str, str], ...], policy: str | None, lacking: dict[str, str], access: Any, words: str
) -> None:
    template = CreationTemplate("payments", ("CREATE_ON_PUSH",), tags, policy)
    found = fit(template, REPOSITORY, (USER,), (("Team", "Payments"),))
    assert found.to_json()["lacking"] == lacking
    assert found.tags_match is not bool(lacking)
    assert (None if found.access is None else (found.access.pull, found.access.push)) == access
    assert words in found.sentence()
    assert "below payments/ (create on push)" in found.sentence()


# --- the sandbox decides the same


def test_every_seeded_repository_comes_out_as_the_sandbox_decides(sandbox: Sandbox) -> None:
    owner, consumer = AwsSession(Role.OWNER, "account-a"), AwsSession(Role.CONSUMER, "dev-acc")
    b = identity_policies(consumer, USER)
    facts = registry_facts(owner, sandbox.region)
    store = RepositoryPolicies(owner)
    who = sandbox.world.directory.by_arn(USER)
    assert who is not None
    certain, open_ones = 0, set()
    for found in list_repositories(owner, [sandbox.region]):
        repository = replace(found, tags=live_tags(owner, found))
        text = store.read(repository)
        policy = PolicyDocument.parse(text) if text is not None else None
        verdict = two_sided(repository, USER, Access.PUSH_PULL, policy, identity=b, registry=facts)
        for item in verdict.actions[1:]:
            if item.response == UNKNOWN:
                open_ones.add(repository.name)
                continue
            denial = sandbox.owner_backend().denial(who, item.action, repository.name)
            assert (item.response == ALLOWED) == (denial is None), (repository.name, item, denial)
            certain += 1
        assert verdict.actions[0].response == ALLOWED
    assert open_ones == {"platform/charts"}, "the organisation is not known before the call"
    assert certain > 100


def test_the_json_of_it() -> None:
    told = json.loads(json.dumps(decided(document(to_b()), known(NEEDED)).to_json()))
    assert set(told) == {
        "principal",
        "access",
        "response",
        "identity",
        "actions",
        "findings",
        "notes",
        "not_considered",
    }
    assert told["identity"] == {
        "arn": USER,
        "readable": True,
        "reason": None,
        "policies": [{"name": "P0", "origin": "inline", "arn": None}],
        "boundary": None,
    }
    assert told["not_considered"] == list(NOT_CONSIDERED)
    assert told["actions"][0] == {
        "action": TOKEN_ACTION,
        "resource": "*",
        "response": ALLOWED,
        "account_a": None,
        "account_b": {"allows": True, "reason": "EcrToken of the identity policy allows it"},
        "missing": [],
    }
