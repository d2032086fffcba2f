"""The identity policies that account B's principal needs, within IAM's size limits.

Sizes are characters of the minified text: IAM counts no white space (IAM User Guide, "IAM and AWS STS quotas"). White
space within values is counted here, so sizes are never underestimated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from ecr_tui.policy.actions import TOKEN_ACTION, Access
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.document import NEW_VERSION, PolicyDocument
from ecr_tui.policy.findings import Finding, Hit, finding
from ecr_tui.policy.ours import Own, TagCondition
from ecr_tui.policy.principal import describe

MANAGED_ATTACHED = 10
"""Default quota of managed policies attached to a user or role."""


class Attachment(Enum):
    """How a policy is attached. ``limit``: characters of all inline policies of that user or role together, or of one
    managed policy."""

    INLINE_USER = "inline-user"
    INLINE_ROLE = "inline-role"
    MANAGED = "managed"

    @property
    def limit(self) -> int:
        return {"inline-user": 2_048, "inline-role": 10_240, "managed": 6_144}[self.value]

    @property
    def words(self) -> str:
        return {
            "inline-user": "the inline policies of a user",
            "inline-role": "the inline policies of a role",
            "managed": "a managed policy",
        }[self.value]


class NeededPolicies(NamedTuple):
    """The policies that one principal needs for all its granted repositories.

    ``whole`` is one document with everything; ``documents`` are to be attached: ``whole``, or several managed policies
    if it is too large for ``wanted``. ``by_tag``: a tag decides, not a list of ``repositories``.
    """

    principal: str
    repositories: int
    by_tag: bool
    wanted: Attachment
    attachment: Attachment
    whole: PolicyDocument
    documents: tuple[PolicyDocument, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(document.size for document in self.documents)

    @property
    def refusal(self) -> str:
        """Why IAM rejects them in any form; "" if it accepts them."""
        limit = self.attachment.limit
        largest = max(self.sizes)
        if largest > limit:
            return f"it has {largest:,} characters; the limit for {self.attachment.words} is {limit:,}"
        if len(self.documents) > MANAGED_ATTACHED:
            return (
                f"it has {self.whole.size:,} characters, and needs {len(self.documents)} managed policies of at most "
                f"{limit:,}; the limit is {MANAGED_ATTACHED} attached policies"
            )
        return ""

    @property
    def size_words(self) -> str:
        """Size and limit, in words."""
        limit = f"{self.attachment.limit:,}"
        if len(self.documents) == 1:
            return f"{self.sizes[0]:,} of {limit} characters for {self.attachment.words}"
        sizes = ", ".join(f"{size:,}" for size in self.sizes)
        return f"{len(self.documents)} managed policies of {sizes} characters, of at most {limit} each"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """``identity-too-large`` if the one document exceeds the limit of ``wanted``."""
        if self.whole.size <= self.wanted.limit:
            return ()
        size = (
            f"Account B's policy for {describe(self.principal)} has {self.whole.size:,} characters; the limit for "
            f"{self.wanted.words} is {self.wanted.limit:,}"
        )
        return (finding(Hit("identity-too-large", "identity policy", size)),)


def identity_policy(
    repository_arns: Sequence[str], access: Access, tags: Sequence[TagCondition] = ()
) -> PolicyDocument:
    """The identity policy of B's user or role for a cross-account grant.

    The token is registry-level, so its Resource is "*"; the rest is on account A's repositories. With ``tags`` (the
    grant's condition), it covers every repository of the registry with these tags, so its size does not grow.
    """
    arns = list(dict.fromkeys(_of_registry(arn) if tags else arn for arn in repository_arns))
    return _document([*_token(access), _repositories(arns, access, tags)])


def needed_policies(
    repository_arns: Sequence[str], access: Access, principal: str, tags: Sequence[TagCondition] = ()
) -> NeededPolicies:
    """``principal``: an ARN. One that cannot have policies (an account's root) gets managed ones to attach."""
    arns = list(dict.fromkeys(repository_arns))
    whole = identity_policy(arns, access, tags)
    kind = {"user": Attachment.INLINE_USER, "role": Attachment.INLINE_ROLE, "assumed-role": Attachment.INLINE_ROLE}
    wanted = kind.get(caller_of(principal).kind, Attachment.MANAGED)
    fits = whole.size <= wanted.limit
    documents = (whole,) if fits else tuple(_split(whole, access, tags))
    attachment = wanted if fits else Attachment.MANAGED
    return NeededPolicies(principal, len(arns), bool(tags), wanted, attachment, whole, documents)


def _split(whole: PolicyDocument, access: Access, tags: Sequence[TagCondition]) -> Iterator[PolicyDocument]:
    """Managed policies, the first with the token, each filled up to the limit."""
    head = _token(access)
    room = Attachment.MANAGED.limit - _document([*head, _repositories([], access, tags)]).size
    part: list[str] = []
    left = room
    for arn in whole.statements[-1].resources:
        cost = len(arn) + len('"",')
        if part and cost > left:
            yield _document([*head, _repositories(part, access, tags)])
            part, left, head = [], room, []
        part.append(arn)
        left -= cost
    yield _document([*head, _repositories(part, access, tags)])


def _document(statements: list[dict[str, object]]) -> PolicyDocument:
    return PolicyDocument.from_json({"Version": NEW_VERSION, "Statement": statements})


def _token(access: Access) -> list[dict[str, object]]:
    """The registry token; ECR API calls do not need it."""
    if not access.uses_registry:
        return []
    return [{"Sid": "EcrToken", "Effect": "Allow", "Action": TOKEN_ACTION, "Resource": "*"}]


def _repositories(arns: Sequence[str], access: Access, tags: Sequence[TagCondition]) -> dict[str, object]:
    statement: dict[str, object] = {
        "Sid": "EcrRepositories",
        "Effect": "Allow",
        "Action": list(access.actions),
        "Resource": arns[0] if len(arns) == 1 else list(arns),
    }
    condition = Own((), access, tuple(tags)).condition()
    if condition:
        statement["Condition"] = condition
    return statement


def _of_registry(repository_arn: str) -> str:
    return repository_arn.partition(":repository/")[0] + ":repository/*"
