"""Select a failure's catalogue row: by AWS's access denied sentence, by text, or by HTTP status."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from ecr_tui.diagnosis.catalogue import BY_CODE, BY_ID, CATALOGUE
from ecr_tui.diagnosis.denial import IDENTITY_BASED, RESOURCE_BASED, Denial
from ecr_tui.diagnosis.failure import Failure
from ecr_tui.diagnosis.masks import masked
from ecr_tui.diagnosis.unwrap import Record, one_line, records
from ecr_tui.policy.actions import TOKEN_ACTION, Access, is_known, is_registry_level, is_registry_policy_only

_LONGEST_TITLE = 200
_GRANTABLE = frozenset(Access.PUSH_PULL.actions)
_ACTION_OF_STATUS = {
    401: "no-basic-auth",
    405: "manifest-refused",
    407: "proxy",
    416: "upload-broken",
    429: "throttled",
}
# Reports the end of a run, not its cause.
_END = (
    r"(?i)(?:process|command|script|build|job|pipeline|task|step|make)\b.{0,60}(?:exit(?:ed)?|failed|returned|error)\b.{0,40}\d*$|"
    r"^\W*(?:error: )?exit (?:code|status)"
)


def row_of_code(code: str, message: str = "") -> Failure | None:
    """The catalogue's row for an AWS error response; None for an unknown code.

    Some codes have several meanings; for these, the message decides.
    """
    row = BY_CODE.get(code.lower())
    if row is None or row.id not in ("parameter-refused", "signature") or not message:
        return row
    words = masked(one_line(message))
    finer = ("clock", "policy-principal-missing", "policy-invalid")
    return next((BY_ID[id] for id in finer if _matches(BY_ID[id], words)), row)


# AWS's access denied sentence


def denied_by(denial: Denial, transfer: str) -> Failure:
    """The row for a denial: by its service and policy, then by whether a repository policy could allow the action."""
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
    """Whether the repository is in the caller's own account."""
    owner, caller = (
        re.match(r"arn:[\w-]+:(?:ecr|iam|sts):[\w-]*:(\d{12}):", arn, re.IGNORECASE)
        for arn in (denial.resource, denial.user)
    )
    return owner is not None and caller is not None and owner[1] == caller[1]


# Other texts


def by_words(found: Iterable[Record], whole: str, host: str) -> tuple[Failure | None, str]:
    """The most specific record and its row. Prefers a cause to a consequence, a record marked as an error to others,
    and the last of equals: logs end with the error that stopped them."""
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


def by_status(status: int | None, text: str) -> Failure | None:
    """The row for a status alone, for responses with an empty or unknown text."""
    if status == 403:
        return BY_ID["head-without-body" if not text.strip() else "status-403"]
    if status is not None and status >= 500:
        return BY_ID["registry-failure"]
    pattern = _ACTION_OF_STATUS.get(status or 0)
    return BY_ID[pattern] if pattern else None


def own_line(text: str) -> str:
    """The error line of an unknown text: the last one marked as an error, else the first."""
    found = [record for record in records(text) if not re.search(_END, record.text)] or list(records(text))
    strong = [record for record in found if record.strong and not record.noise]
    quiet = [record for record in found if not record.noise] or found
    if not found:
        return "The command failed without an error text"
    line = (strong[-1] if strong else quiet[0]).text
    return line if len(line) <= _LONGEST_TITLE else line[: _LONGEST_TITLE - 1] + "…"
