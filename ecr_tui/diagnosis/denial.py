"""Parse AWS's access denied sentence: "User: X is not authorized to perform: A on resource: R because …".

Wordings: IAM User Guide, "Troubleshoot access denied error messages". Newer texts end with the ARN of the denying
policy, a link to the console and an authorization id.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ecr_tui.policy.actions import canonical_action

# Captured values end up in commands to copy: only characters that are literal in a shell.
_SENTENCE = (
    r"(?i)(?:user:?\s+(?P<user>[\w+=,.@:/-]+)[^\s]*\s+is\s+)?not\s+authori[sz]ed\s+to\s+perform:?\s*"
    r"(?P<action>[a-z0-9-]+:[a-z*]+)"
    r"(?:\s+on\s+(?:the\s+)?resource:?\s*[\"']?(?P<resource>[\w.:/*+=,@-]+))?"
)
_NO_ALLOW = r"(?i)because\s+no\s+(?P<type>[a-z][a-z -]*?)\s+allows?\b"
_EXPLICIT = (
    r"(?i)explicit(?:ly)?\s+den(?:y|ied)"
    r"(?:\s+(?:in|by)\s+(?:(?:an?|the)\s+)?(?P<type>[a-z][a-z -]*?(?:polic(?:y|ies)|boundary)))?(?![a-z-])"
)
_POLICY_ARN = r"(?i)\barn:[\w-]+:[\w-]+:[\w-]*:[\w-]*:[\w+=,.@:/-]*\w"
_AUTHORIZATION_ID = (
    r"(?i)(?:authori[sz]ation[\s_-]?id(?:entifier)?|authori[sz]ation\s+failure\s+id)[\"']?\s*(?:[:=]|is)?\s*[\"']?"
    r"(?P<id>[\w-]*\d[\w-]*|[a-z]{20,})"
)
_URL = r"(?i)https://[\w.-]+(?:/[\w.~:/?#@!$&*+,;=%-]*[\w/=#%-])?"
_MAX_TAIL = 3000

RESOURCE_BASED = "resource-based policy"
IDENTITY_BASED = "identity-based policy"


class Denial(NamedTuple):
    """The fields of the sentence; "" if missing.

    ``policy_type`` in AWS's words, lower case and singular ("service control policy"); ``explicit``: an explicit Deny,
    else a missing Allow. ``policy_arn``, ``authorization_id`` and ``details_url`` help an administrator find the
    policy.
    """

    user: str
    action: str
    resource: str
    explicit: bool = False
    policy_type: str = ""
    policy_arn: str = ""
    authorization_id: str = ""
    details_url: str = ""

    @property
    def service(self) -> str:
        return self.action.partition(":")[0].lower()


def policy_with_article(policy_type: str) -> str:
    """ "an identity-based policy", "a VPC endpoint policy"."""
    return f"{'an' if policy_type[:1] in 'aeio' else 'a'} {policy_type}"


def parse_denial(text: str) -> Denial | None:
    """The denial in a one-line text: the first about ECR, else the first, else None."""
    matches = list(re.finditer(_SENTENCE, text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    found = [_denial(text, match, end) for match, end in zip(matches, ends, strict=False)]
    return next((one for one in found if one.service == "ecr"), found[0] if found else None)


def _denial(text: str, match: re.Match[str], end: int) -> Denial:
    tail = text[match.end() : min(end, match.end() + _MAX_TAIL)]
    explicit, missing = re.search(_EXPLICIT, tail), re.search(_NO_ALLOW, tail)
    reason = explicit or missing
    action = match["action"]
    after = tail[reason.end() :] if reason else tail
    arn = re.search(_POLICY_ARN, after)
    identifier = re.search(_AUTHORIZATION_ID, tail)
    return Denial(
        user=(match["user"] or "").rstrip(".,:"),
        action=canonical_action(action) or action,
        resource=(match["resource"] or "").rstrip(".,:"),
        explicit=explicit is not None,
        policy_type=_type(reason["type"] or "") if reason else "",
        policy_arn=arn[0] if arn and reason and _names_policy(arn[0]) else "",
        authorization_id=identifier["id"] if identifier else "",
        details_url=_details(tail),
    )


def _names_policy(arn: str) -> bool:
    """Boundaries, SCPs and RCPs are policies of IAM or Organizations; a VPC endpoint has its own policy."""
    return bool(re.search(r":(?:policy|vpc-endpoint)/|_policy/", arn, re.IGNORECASE))


def _type(words: str) -> str:
    singular = re.sub(r"policies$", "policy", " ".join(words.lower().split()))
    return re.sub(r"\bvpc\b", "VPC", singular)


def _details(tail: str) -> str:
    for url in re.findall(_URL, tail):
        host = url.split("/")[2].lower()
        if re.search(r"(?:^|\.)(?:console|signin)\.|(?:^|\.)console$|amazonaws-us-gov\.com$", host) or (
            "authoriz" in url.lower() and ".aws" in host
        ):
            return str(url)
    return ""
