"""Diagnose an error's text and HTTP status: what happened, on which side, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ecr_tui.diagnosis.denial import IDENTITY_BASED, RESOURCE_BASED, Denial, parse_denial, policy_with_article
from ecr_tui.diagnosis.failure import (
    EITHER_POLICY,
    IDENTITY_POLICY,
    NETWORK,
    OTHER_POLICY,
    OTHER_SERVICE,
    REGISTRY_POLICY,
    REPOSITORY_POLICY,
    UNKNOWN,
    Failure,
)
from ecr_tui.diagnosis.masks import masked
from ecr_tui.diagnosis.matching import by_status, by_words, denied_by, own_line
from ecr_tui.diagnosis.places import (
    LOOPBACK,
    action_of,
    endpoint,
    host_facts,
    other_host,
    places,
    profile_of,
    request_of,
    transfer_of,
)
from ecr_tui.diagnosis.unwrap import one_line, records, shortened
from ecr_tui.policy.actions import TOKEN_ACTION, is_registry_policy_only
from ecr_tui.policy.principal import without_session

REPORT = (
    "Report it if ecr-tui should know this error: open an issue with the whole text and the name of the tool, with "
    "account ids and names replaced."
)
_LONGEST_LOOK = 6000
"""Characters searched for names of places, besides the matched record."""

# Fixes are meant to be copied: values missing in the text appear as placeholders.
_BLANKS = {
    "action": "the action",
    "user": "PRINCIPAL_OF_B",
    "principal": "PRINCIPAL_OF_B",
    "repository": "REPOSITORY",
    "resource": "REPOSITORY_ARN",
    "account": "ACCOUNT_A",
    "region": "REGION",
    "host": "REGISTRY_HOST",
    "endpoint": "ENDPOINT",
    "profile": "PROFILE",
    "policy": "a policy of the organization, the account or the session",
}
_STAGES = {
    TOKEN_ACTION: "token",
    "ecr:BatchCheckLayerAvailability": "push",
    "ecr:InitiateLayerUpload": "push",
    "ecr:UploadLayerPart": "push",
    "ecr:CompleteLayerUpload": "push",
    "ecr:PutImage": "push",
    "ecr:BatchGetImage": "pull",
    "ecr:GetDownloadUrlForLayer": "pull",
    "ecr:BatchImportUpstreamImage": "pull",
    "ecr:SetRepositoryPolicy": "apply",
    "ecr:GetRepositoryPolicy": "read policy",
}
_UPLOADS = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")


class Diagnosis(NamedTuple):
    """Diagnosis of a failure. ``pattern`` is the catalogue row's id, "unknown" if none matches; ``text`` the raw text.

    ``action``, ``principal``, ``resource``, ``policy_arn``, ``authorization_id`` and ``details_url`` come from AWS's
    access denied sentence ("" if missing); ``policy_type`` from an explicit deny ("service control policy") or a
    missing Allow that names another policy.
    """

    pattern: str
    title: str
    stage: str
    action: str
    side: str
    cause: str
    fix: str
    text: str = ""
    number: int | None = None
    principal: str = ""
    resource: str = ""
    policy_type: str = ""
    policy_arn: str = ""
    authorization_id: str = ""
    details_url: str = ""
    denied: bool = False
    """Whether permission was missing; False for expired credentials, missing repositories, network failures."""
    proves_access: bool = False
    """Whether the request was authorized and then rejected for another reason."""

    @property
    def known(self) -> bool:
        return self.pattern != UNKNOWN

    @property
    def blames_repository_policy(self) -> bool:
        """Whether A's repository policy may lack an Allow, so that a grant could help."""
        return self.side in (REPOSITORY_POLICY, EITHER_POLICY)


def diagnose(
    text: str,
    *,
    stage: str = "",
    status: int | None = None,
    action: str = "",
    known: Mapping[str, str] | None = None,
) -> Diagnosis:
    """Use AWS's access denied sentence first, then the most specific record of the text, then ``status``.

    ``stage`` and ``action`` say where it happened, if known; AWS's sentence overrides ``action``. ``known`` supplies
    values for the fix that the text lacks: "user", "repository", "resource", "account", "region", "host".
    """
    known = {name: value for name, value in (known or {}).items() if value}
    whole = one_line(text)
    denial = parse_denial(whole)
    whole = shortened(whole, _LONGEST_LOOK)
    host = known.get("host", "")
    if denial:
        record = next((one.text for one in records(text) if parse_denial(one.text) == denial), whole)
        words = masked(record, host)
        row: Failure | None = denied_by(denial, transfer_of(record, words))
    else:
        row, record = by_words(records(text), whole, host)
        words = masked(record, host)
        row = row or by_status(status, text)
    transfer = transfer_of(record, words) or transfer_of(whole, masked(whole, host))
    told = denial.action if denial else ""
    of_row = row.action if row else ""
    # S3 denies its own action, independent of the preceding registry request.
    elsewhere = of_row if not of_row.startswith("ecr:") else ""
    known_action = told or action or elsewhere or action_of(*request_of(record)) or of_row
    if row is None:
        return Diagnosis(UNKNOWN, own_line(text), stage, known_action, UNKNOWN, _UNKNOWN_CAUSE, REPORT, text)
    facts = _facts(record, whole, denial)
    filled = _words(facts, known, denial, row, known_action)
    return Diagnosis(
        pattern=row.id,
        title=_fill(row.title, filled),
        stage=stage
        or _stage(
            row, denial, known_action, transfer, f"{words}\n{masked(whole, host)}" if row.side == NETWORK else words
        ),
        action=known_action,
        side=_side(row, denial, filled),
        cause=_fill(row.cause, filled),
        fix=_fill(row.fix, filled),
        text=text,
        number=row.number,
        principal=denial.user if denial else "",
        resource=facts.get("resource", ""),
        policy_type=denial.policy_type if denial else "",
        policy_arn=denial.policy_arn if denial else "",
        authorization_id=denial.authorization_id if denial else "",
        details_url=denial.details_url if denial else "",
        denied=row.denied,
        proves_access=row.proves_access,
    )


_UNKNOWN_CAUSE = "This error is not in the catalogue."


def _side(row: Failure, denial: Denial | None, words: Mapping[str, str]) -> str:
    side = _fill(row.side, words)
    if denial is None:
        return side
    policy = denial.policy_type
    if row.id == "other-service" or (row.id == "layer-download-denied" and policy):
        if policy == IDENTITY_BASED:
            return IDENTITY_POLICY
        if policy and policy != RESOURCE_BASED:
            return f"{OTHER_POLICY} ({policy})"
        return OTHER_SERVICE
    if row.id != "explicit-deny" or not policy:
        return side
    if policy == RESOURCE_BASED:
        whose = REGISTRY_POLICY if is_registry_policy_only(denial.action) else REPOSITORY_POLICY
        return f"{whose} (explicit deny)"
    if policy == IDENTITY_BASED:
        return f"{IDENTITY_POLICY} (explicit deny)"
    return f"{OTHER_POLICY} (explicit deny in {policy_with_article(policy)})"


# Stage and placeholders


def _stage(row: Failure, denial: Denial | None, action: str, transfer: str, words: str) -> str:
    """Where it failed: by AWS's action, then the request, then the engine's text, then the row."""
    if denial is not None:
        service = denial.service
        if service != "ecr":
            return "token" if "ecr-public" in service else row.stage if row.id != "kms" else transfer or row.stage
        if action not in _STAGES:
            return (
                transfer
                if is_registry_policy_only(action) and transfer
                else row.stage
                if is_registry_policy_only(action)
                else "api"
            )
        if action in ("ecr:BatchGetImage", "ecr:BatchCheckLayerAvailability"):
            # Both transfers use these actions: a push reads the manifest first, a pull checks layers.
            return transfer or _STAGES[action]
        return _STAGES[action]
    if row.stage not in ("push", "pull") and not (row.side == NETWORK and row.stage == "login"):
        return row.stage
    if "<ecr-api>" in words or re.search(r"registry auth\b|getauthorizationtoken", words, re.IGNORECASE):
        return "token"
    if row.side.startswith(NETWORK) and "<aws>" in words:
        return "identity"
    if row.action and row.action == action and action in _UPLOADS and row.id != "retrying":
        return "push"
    if row.id in _READS:
        return "pull"
    if not transfer and "/v2" in words and not re.search(r"/(?:manifests|blobs|uploads|tags)", words):
        return "login"
    return transfer or row.stage


_READS = frozenset({"layer-download-denied", "lambda-not-allowed", "service-not-allowed", "codebuild-credentials"})


def _facts(record: str, whole: str, denial: Denial | None) -> dict[str, str]:
    facts = places(whole)
    facts |= places(record)
    if denial:
        facts |= {"user": denial.user} if denial.user else {}
        if denial.resource:
            facts |= places(denial.resource) | {"resource": denial.resource}
    foreign = other_host(record) or other_host(whole)
    if foreign and "host" not in facts:
        facts["host"] = foreign
    facts |= {name: value for name, value in endpoint(record).items() if name not in facts}
    profile = profile_of(record)
    return facts | ({"profile": profile} if profile else {})


def _words(
    facts: Mapping[str, str], known: Mapping[str, str], denial: Denial | None, row: Failure, action: str
) -> dict[str, str]:
    words = {**_BLANKS, **host_facts(known.get("host", "")), **known, **facts}
    if row.side.startswith(NETWORK) and "endpoint" in facts and "host" not in facts:
        words["host"] = facts["endpoint"]
    host = words["host"]
    words["url"] = (
        f"http://{host}/v2" if re.match(LOOPBACK, host) else f"https://{host}{'' if 'api' in host else '/v2'}"
    )
    # A grant to a session's ARN would admit that one session only.
    words["principal"] = without_session(words["user"])
    if action:
        words["action"] = action
    if denial and denial.policy_type:
        policy = denial.policy_type
        words["policy"] = policy if row.id == "no-other-policy" else f"{policy_with_article(policy)}"
    if denial and denial.policy_arn:
        words["policy"] += f" ({denial.policy_arn})" if row.id != "no-other-policy" else ""
    return words


def _fill(template: str, words: Mapping[str, str]) -> str:
    filled = template.format_map(words)
    return filled[:1].upper() + filled[1:] if template.startswith("{") and words["action"] == "the action" else filled
