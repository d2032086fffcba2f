"""From an error's text and HTTP status to what happened, on whose side, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from ecr_tui.diagnosis.catalogue import BY_CODE, BY_ID, CATALOGUE
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
from ecr_tui.diagnosis.unwrap import Record, one_line, records, shortened
from ecr_tui.policy.actions import TOKEN_ACTION, Access, is_known, is_registry_level, is_registry_policy_only
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.evaluate import principal_arn

__all__ = ["Diagnosis", "diagnose", "grantee", "row_of_code"]

REPORT = (
    "Report a text that ecr-tui should know: open an issue of ecr-tui with the whole text and the tool that said it, "
    "account ids and names replaced."
)
_LONGEST_TITLE = 200
_LONGEST_LOOK = 6000
"""Characters in which names of places are looked for, besides the record that decided."""

# The fixes are written to be copied: what a text does not tell appears as a word to fill in.
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
    "policy": "a policy of the organisation, the account or the session",
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
_GRANTABLE = frozenset(Access.PUSH_PULL.actions)
_ACTION_OF_STATUS = {
    401: "no-basic-auth",
    405: "manifest-refused",
    407: "proxy",
    416: "upload-broken",
    429: "throttled",
}
# Names the end of a run, not its cause.
_END = re.compile(
    r"(?:process|command|script|build|job|pipeline|task|step|make)\b.{0,60}(?:exit(?:ed)?|failed|returned|error)\b.{0,40}\d*$|"
    r"^\W*(?:error: )?exit (?:code|status)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Diagnosis:
    """What a failure means. ``pattern`` is the catalogue row's id, "unknown" when none fits; ``text`` the raw words.

    ``action``, ``principal``, ``resource``, ``policy_arn``, ``authorization_id`` and ``details_url`` come from AWS's
    sentence where there is one ("" where not told); ``policy_type`` from an explicit deny ("service control policy")
    or a missing Allow that names another policy.
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
    """A refusal for want of permission; False for stale credentials, missing repositories, broken networks."""
    proves_access: bool = False
    """Refused for another reason after the permission had been checked and found."""

    @property
    def known(self) -> bool:
        return self.pattern != UNKNOWN

    @property
    def blames_repository_policy(self) -> bool:
        """A's repository policy is, or may be, what lacks an Allow: a grant could help."""
        return self.side in (REPOSITORY_POLICY, EITHER_POLICY)


def diagnose(
    text: str,
    *,
    stage: str = "",
    status: int | None = None,
    action: str = "",
    known: Mapping[str, str] | None = None,
) -> Diagnosis:
    """AWS's own sentence first, then the record of the text that says most, then ``status``.

    ``stage`` and ``action`` say where it happened, as far as the caller knows; AWS's own sentence wins over ``action``.
    ``known`` fills what the text does not tell into the fix: "user", "repository", "resource", "account", "region",
    "host".
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
        row, record = _by_words(records(text), whole, host)
        words = masked(record, host)
        row = row or _by_status(status, text)
    transfer = transfer_of(record, words) or transfer_of(whole, masked(whole, host))
    told = denial.action if denial else ""
    of_row = row.action if row else ""
    # S3 refuses with its own action, whatever was asked of the registry before.
    elsewhere = of_row if not of_row.startswith("ecr:") else ""
    known_action = told or action or elsewhere or action_of(*request_of(record)) or of_row
    if row is None:
        return Diagnosis(UNKNOWN, _own_line(text), stage, known_action, UNKNOWN, _UNKNOWN_CAUSE, REPORT, text)
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


_UNKNOWN_CAUSE = "This failure is not in the catalogue; its own words are all there is."


def row_of_code(code: str, message: str = "") -> Failure | None:
    """The catalogue's row for an AWS error answer, None for a code that it does not have.

    Some codes stand for many failures; of these the message decides.
    """
    row = BY_CODE.get(code.lower())
    if row is None or row.id not in ("parameter-refused", "signature") or not message:
        return row
    words = masked(one_line(message))
    finer = ("clock", "policy-principal-missing", "policy-invalid")
    return next((BY_ID[id] for id in finer if _matches(BY_ID[id], words)), row)


# AWS's sentence


def denied_by(denial: Denial, transfer: str) -> Failure:
    """The row for what AWS says: the service and the policy that it names, then whether a repository policy could
    give the action at all."""
    return BY_ID[_denied_by(denial, transfer)]


def _denied_by(denial: Denial, transfer: str) -> str:
    action, policy = denial.action, denial.policy_type
    if action.lower() == "s3:getobject" and "starport-layer-bucket" in denial.resource.lower():
        return "layer-download-denied"
    if (denial.service == "sts" and "bearertoken" in action.lower()) or denial.service == "ecr-public":
        return "public-ecr-denied" if _unsaid(denial) else "other-service"
    if action.lower() == "sts:assumerolewithwebidentity":
        return "web-identity"
    if denial.service == "sts" and (_unsaid(denial) or "trust" in policy or policy == RESOURCE_BASED):
        return "assume-role"
    if denial.service == "kms" and not policy and not denial.explicit:
        return "kms"
    if denial.service != "ecr":
        return "other-service"
    if denial.explicit:
        return "explicit-deny"
    if policy and policy not in (RESOURCE_BASED, IDENTITY_BASED):
        return "no-other-policy"
    if action == TOKEN_ACTION:
        return "login-not-allowed"
    if policy == IDENTITY_BASED:
        return (
            "own-repository"
            if _is_own(denial)
            else "identity-only"
            if is_registry_level(action)
            else "no-identity-policy"
        )
    if is_registry_policy_only(action):
        return "create-on-push" if action == "ecr:CreateRepository" and transfer != "pull" else "registry-policy"
    if is_registry_level(action):
        return "registry-policy" if policy == RESOURCE_BASED else "identity-only"
    if policy == RESOURCE_BASED:
        return "no-resource-policy" if action in _GRANTABLE or not is_known(action) else "action-not-in-presets"
    return "not-authorized" if action in _GRANTABLE or not is_known(action) else "action-of-either"


def _unsaid(denial: Denial) -> bool:
    return not denial.explicit and denial.policy_type in ("", IDENTITY_BASED)


def _is_own(denial: Denial) -> bool:
    """The repository is in the caller's own account."""
    owner, caller = (
        re.match(r"arn:[\w-]+:(?:ecr|iam|sts):[\w-]*:(\d{12}):", arn, re.IGNORECASE)
        for arn in (denial.resource, denial.user)
    )
    return owner is not None and caller is not None and owner[1] == caller[1]


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


# Other words


def _by_words(found: Iterable[Record], whole: str, host: str) -> tuple[Failure | None, str]:
    """The row of the record that says most, and that record. A cause before a consequence, a record that calls
    itself an error before one that does not, and of equals the last: logs end with what stopped them."""
    best: tuple[tuple[bool, bool, bool, int], Failure, str] | None = None
    failed: set[str] = set()
    for number, record in enumerate(found):
        row = _first(masked(record.text, host), CATALOGUE)
        if row is None or failed.intersection(row.after):
            continue
        if not record.noise:
            failed.add(row.stage)
        rank = (not record.noise, not row.consequence, record.strong, number)
        if best is None or rank > best[0]:
            best = (rank, row, record.text)
    if best is not None:
        return best[1], best[2]
    return _first(masked(whole, host), CATALOGUE), whole


def _first(words: str, rows: Iterable[Failure]) -> Failure | None:
    found: Failure | None = None
    for row in rows:
        if found is not None and row.consequence:
            continue
        if _matches(row, words):
            if not row.consequence:
                return row
            found = row
    return found


@cache
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(part, re.IGNORECASE | re.DOTALL)


@cache
def _codes(row: Failure) -> re.Pattern[str] | None:
    names = "|".join(map(re.escape, row.codes))
    return re.compile(rf"(?<![\w.])(?:\w+\.)*(?:{names})\b(?!/)", re.IGNORECASE) if names else None


def _matches(row: Failure, words: str) -> bool:
    codes = _codes(row)
    if codes and codes.search(words):
        return True
    return any(all(_compiled(part).search(words) for part in parts) for parts in row.patterns)


def _by_status(status: int | None, text: str) -> Failure | None:
    """Only what a status says by itself, for answers whose text is empty or nobody's known wording."""
    if status == 403:
        return BY_ID["head-without-body" if not text.strip() else "status-403"]
    if status is not None and status >= 500:
        return BY_ID["registry-failure"]
    pattern = _ACTION_OF_STATUS.get(status or 0)
    return BY_ID[pattern] if pattern else None


def _own_line(text: str) -> str:
    """The line that holds the error, for a text that nobody knows: the last that calls itself one, else the first."""
    found = [record for record in records(text) if not _END.search(record.text)] or list(records(text))
    strong = [record for record in found if record.strong and not record.noise]
    quiet = [record for record in found if not record.noise] or found
    if not found:
        return "It failed without a word"
    line = (strong[-1] if strong else quiet[0]).text
    return line if len(line) <= _LONGEST_TITLE else line[: _LONGEST_TITLE - 1] + "…"


# Stage and words


def _stage(row: Failure, denial: Denial | None, action: str, transfer: str, words: str) -> str:
    """Where it failed: as AWS's action says, then the request, then the engine's words, then the row."""
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
            # Each stands in both: a push asks for the manifest first, a pull for layers.
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
    words["url"] = f"http://{host}/v2" if LOOPBACK.match(host) else f"https://{host}{'' if 'api' in host else '/v2'}"
    words["principal"] = grantee(words["user"])
    if action:
        words["action"] = action
    if denial and denial.policy_type:
        policy = denial.policy_type
        words["policy"] = policy if row.id == "no-other-policy" else f"{policy_with_article(policy)}"
    if denial and denial.policy_arn:
        words["policy"] += f" ({denial.policy_arn})" if row.id != "no-other-policy" else ""
    return words


def grantee(user: str) -> str:
    """The role of a session: a grant to the session's ARN would admit that one session only."""
    return principal_arn(caller_of(user)) if ":assumed-role/" in user and user.count("/") >= 2 else user


def _fill(template: str, words: Mapping[str, str]) -> str:
    filled = template.format_map(words)
    return filled[:1].upper() + filled[1:] if template.startswith("{") and words["action"] == "the action" else filled
