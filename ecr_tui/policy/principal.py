"""Principals of policies: accepted forms, normalization and comparison.

Forms and rules: IAM User Guide, "AWS JSON policy elements: Principal". Names are case-sensitive and no part of a
principal's ARN may be a wildcard; AWS stores a bare account id as that account's root ARN.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ecr_tui.errors import InputError
from ecr_tui.policy import grantees

ANY_ACCOUNT = "000000000000"
"""Stands for an account that is not known yet, where the form of a principal is checked."""
_ACCOUNT = re.compile(r"[0-9]{12}")
_ARN = re.compile(r"arn:(aws[a-z-]*):(iam|sts)::([0-9]{12}):(.+)", re.DOTALL)
_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_PATH = re.compile(r"(?:[\x21-\x2e\x30-\x7e]+/)*")
# AIDA user, AROA role, and kinds that are never valid principals; AWS leaves the id when a principal is deleted.
_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}")
_UNIQUE_PREFIXES = ("AIDA", "AROA", "AGPA", "AIPA", "ANPA", "ANVA", "ASCA", "APKA", "ABIA", "ACCA")

FORMS = (
    "an ARN of a user, role or account root, a 12-digit account id, user/NAME or role/NAME, org/o-ID, "
    "ou/o-ID/r-ID/ou-ID, or service/NAME@SOURCE"
)


def parse_principal(text: str, *, account_b: str | None = None, partition: str = "aws") -> str:
    """The ARN for a principal as typed by the user. Raises InputError.

    ``user/NAME`` and ``role/NAME`` (a path may precede NAME) are resolved in ``account_b``; ``partition`` is the
    repository's, for forms without one.
    """
    given = text.strip()
    if "*" in given or "?" in given:
        raise InputError(
            f"a principal cannot contain a wildcard: {_shown(given)}",
            hint="Name each principal, or grant the whole account by its 12-digit id.",
        )
    if _ACCOUNT.fullmatch(given):
        return f"arn:{partition}:iam::{given}:root"
    if given.startswith(("user/", "role/")):
        if account_b is None:
            raise InputError(
                f"account B is unknown, so {_shown(given)} is ambiguous",
                hint="Use the full ARN, or name a profile of account B.",
            )
        given = f"arn:{partition}:iam::{account_b}:{given}"
    if given.startswith("group/"):
        raise _no_group(given)
    found = _ARN.fullmatch(given)
    if found is None:
        bare = f"Write user/{given} or role/{given}." if is_bare_name(given) else f"Use {FORMS}."
        hint = grantees.form_of(given) or bare
        raise InputError(f"not a principal: {_shown(given) or '(nothing)'}", hint=hint)
    _check_kind(given, found.group(2), found.group(4))
    return given


def parse_grantee(text: str, *, account_b: str | None = None, partition: str = "aws") -> str:
    """As :func:`parse_principal`; or an organization, an organizational unit or a service (``grantees``)."""
    given = text.strip()
    if grantees.is_conditional(given):
        return grantees.parse(given, account_b=account_b, partition=partition)
    return parse_principal(given, account_b=account_b, partition=partition)


def is_bare_name(text: str) -> bool:
    """Whether it can only be the name of a user or role."""
    return bool(_NAME.fullmatch(text)) and not text.isdigit() and not grantees.form_of(text)


def needs_account(text: str) -> bool:
    """Whether :func:`parse_grantee` needs ``account_b`` for it."""
    return text.strip().startswith(("user/", "role/")) or text.strip() == grantees.SERVICE + grantees.LAMBDA


def _check_kind(arn: str, service: str, rest: str) -> None:
    kind, _, name = rest.partition("/")
    if service == "iam" and rest == "root":
        return
    if service == "iam" and kind == "group":
        raise _no_group(arn)
    if service == "iam" and kind in ("user", "role"):
        path, _, last = name.rpartition("/")
        if _NAME.fullmatch(last) and _PATH.fullmatch(path + "/" if path else ""):
            return
    if service == "sts" and kind == "assumed-role":
        role, _, session = name.partition("/")
        if _NAME.fullmatch(role) and _NAME.fullmatch(session):
            return
    if service == "sts" and kind == "federated-user" and _NAME.fullmatch(name):
        return
    raise InputError(f"not a principal: {_shown(arn)}", hint=f"Use {FORMS}.")


def _no_group(text: str) -> InputError:
    hint = "Name the users, or a role that they can assume."
    return InputError(f"a group cannot be a principal: {_shown(text)}", hint=hint)


def _shown(text: str) -> str:
    """On one line, shortened."""
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:119] + "…"


def without_session(principal: str) -> str:
    """Of an assumed-role session its role, which is what a policy should name; others as they are.

    A session's ARN does not carry its role's path. AWS refuses a principal that does not exist, so a role with a path
    is never confused with another one: it must be given in full.
    """
    found = _ARN.fullmatch(principal)
    if found is None or found.group(2) != "sts" or not found.group(4).startswith("assumed-role/"):
        return principal
    return f"arn:{found.group(1)}:iam::{found.group(3)}:role/{found.group(4).split('/')[1]}"


def canonical(principal: str) -> str:
    """Canonical form: an account's root ARN becomes its bare id."""
    found = _ARN.fullmatch(principal)
    return found.group(3) if found and found.group(2) == "iam" and found.group(4) == "root" else principal


def same_principal(a: str, b: str) -> bool:
    """Whether both name the same principal: ``123456789012`` equals its root ARN; everything else is case-sensitive."""
    return canonical(a) == canonical(b)


def check_account(text: str) -> None:
    """Raises InputError for what is no account id."""
    if not _ACCOUNT.fullmatch(text):
        raise InputError(f"not an account: {text!r}", hint="Use the 12-digit account id.")


def account_of(principal: str) -> str | None:
    """The 12-digit account of a principal; None for "*", services and ids of deleted principals."""
    if _ACCOUNT.fullmatch(principal):
        return principal
    found = _ARN.fullmatch(principal)
    return found.group(3) if found else None


def partition_of(principal: str) -> str | None:
    found = _ARN.fullmatch(principal)
    return found.group(1) if found else None


def is_account(principal: str) -> bool:
    """Whether it is a bare account id or a root ARN, which delegates to that account's administrators."""
    return bool(_ACCOUNT.fullmatch(canonical(principal)))


def is_dead(principal: str) -> bool:
    """Whether it is a unique id (AIDA..., AROA...) of a deleted user or role; it never matches, not even a new one of
    the same name."""
    return bool(_UNIQUE_ID.fullmatch(principal)) and principal.startswith(_UNIQUE_PREFIXES)


def describe_all(principals: Iterable[str]) -> str:
    """ "user devusr2 in 222222222222 and role ci in 222222222222"."""
    *first, last = map(describe, principals)
    return f"{', '.join(first)} and {last}" if first else last


def describe(principal: str) -> str:
    """A short description: "user devusr2 in 222222222222"."""
    if principal == "*":
        return "everyone"
    if grantees.is_conditional(principal):
        return grantees.describe(principal)
    if is_account(principal):
        return f"account {canonical(principal)}"
    if is_dead(principal):
        return f"deleted {'user' if principal.startswith('AIDA') else 'principal'} {principal}"
    found = _ARN.fullmatch(principal)
    if found is None:
        return principal
    kind, _, name = found.group(4).partition("/")
    if kind == "assumed-role":
        role, _, session = name.partition("/")
        return f"session {session} of role {role} in {found.group(3)}"
    if kind == "federated-user":
        return f"federated user {name} in {found.group(3)}"
    return f"{kind} {name} in {found.group(3)}"
