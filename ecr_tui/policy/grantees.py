"""Grantees expressed by a condition: organizations, organizational units, and services with a source.

Each has a text form that is used like a principal's ARN: ``org/o-ID``, ``ou/o-ID/r-ID/ou-ID`` (a final ``/*`` includes
the units below), ``service/NAME@SOURCE`` with an account id or an ARN pattern as its source. Keys: IAM User Guide, "AWS
global condition context keys" (aws:PrincipalOrgID, aws:PrincipalOrgPaths, aws:SourceArn, aws:SourceAccount). Lambda's
form: Lambda Developer Guide, "Amazon ECR cross-account permissions".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ecr_tui.errors import InputError

ORGANIZATION, UNIT, SERVICE = "org/", "ou/", "service/"
LAMBDA = "lambda.amazonaws.com"
_KINDS = {ORGANIZATION: "organization", UNIT: "unit", SERVICE: "service"}

_ORG_ID = re.compile(r"o-[a-z0-9]{10,32}")
_UNIT_PATH = re.compile(r"(o-[a-z0-9]{10,32})/(r-[a-z0-9]{4,32})((?:/ou-[a-z0-9]{4,32}-[a-z0-9]{8,32})+)(/\*)?")
_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")
_ACCOUNT = re.compile(r"[0-9]{12}")
_SOURCE_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9*?-]*:[0-9*?]*:\S+")

_ORG_KEY, _PATHS_KEY = "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"
_ACCOUNT_KEY, _ARN_KEY = "aws:SourceAccount", "aws:SourceArn"

Condition = dict[str, dict[str, Any]]


def is_conditional(principal: str) -> bool:
    """Whether it is a text form of this module, not a principal that a policy can contain."""
    return bool(kind(principal))


def parse(text: str, *, account_b: str | None = None, partition: str = "aws") -> str:
    """The grantee's text form. ``account_b`` and ``partition`` supply the source of a Lambda grantee without one.

    Raises InputError with the correct form as its hint.
    """
    kind, _, rest = text.partition("/")
    if kind == "org":
        if not _ORG_ID.fullmatch(rest):
            raise InputError(f"not an organization: {text}", hint="Write it as org/o-a1b2c3d4e5.")
        return text
    if kind == "ou":
        path = rest.removesuffix("/")
        if not _UNIT_PATH.fullmatch(path):
            raise InputError(
                f"not an organizational unit: {text}",
                hint="Write its path from the organization: ou/o-a1b2c3d4e5/r-ab12/ou-ab12-11111111, with /* at the "
                "end for the units below it as well.",
            )
        return UNIT + path
    name, at, source = rest.partition("@")
    if not is_service(name):
        raise InputError(f"not a service: {text}", hint=f"Write it as service/{LAMBDA}.")
    if not at and name == LAMBDA and account_b is not None:
        source = f"arn:{partition}:lambda:*:{account_b}:function:*"
    if not (_ACCOUNT.fullmatch(source) or _SOURCE_ARN.fullmatch(source)):
        raise InputError(
            f"not a source: {source}" if at else f"the service {name} needs a source",
            hint="Without a source, the service has access on behalf of any customer. Add an account or an ARN: "
            f"service/{name}@222222222222.",
        )
    return f"{SERVICE}{name}@{source}"


def is_service(name: str) -> bool:
    return bool(_SERVICE.fullmatch(name))


def form_of(text: str) -> str:
    """A hint for an organization, unit or service in another form; "" for anything else."""
    name = text.rpartition("/")[2]
    if text.startswith("arn:") and ":organizations::" not in text:
        return ""
    if _ORG_ID.fullmatch(name):
        return f"Write it as {ORGANIZATION}{name}."
    if re.fullmatch(r"ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}", name) or (text.startswith("arn:") and ":ou/" in text):
        return f"Write its path from the organization: {UNIT}o-ID/r-ID/{name}."
    if is_service(text):
        return f"Write it as {SERVICE}{text}{'' if text == LAMBDA else '@SOURCE'}."
    return ""


def kind(grantee: str) -> str:
    """ "organization", "unit" or "service"; "" for a principal that a policy can contain."""
    return _KINDS.get(grantee.partition("/")[0] + "/", "")


def only_pulls(principals: Iterable[str]) -> bool:
    """Whether Lambda is among them; it only pulls."""
    return any(one.startswith(f"{SERVICE}{LAMBDA}@") for one in principals)


def companions(grantee: str) -> tuple[str, ...]:
    """Additional principals that it needs: for Lambda, the account of its functions (Lambda Developer Guide)."""
    if not only_pulls([grantee]):
        return ()
    account, source = str(caller(grantee)[1].get(_ACCOUNT_KEY, "")), _parts(grantee)[1]
    if not account:
        return ()
    # A bare account id is valid in a policy and has no partition.
    return (account,) if source == account else (f"arn:{source.split(':')[1]}:iam::{account}:root",)


def describe(grantee: str) -> str:
    kind, _, rest = grantee.partition("/")
    if kind == "org":
        return f"organization {rest}"
    if kind == "ou":
        unit, below = rest.removesuffix("/*"), rest.endswith("/*")
        return f"organizational unit {unit.rpartition('/')[2]}{' and those below it' if below else ''}"
    name, _, source = rest.partition("@")
    return f"service {name} for {'account ' if _ACCOUNT.fullmatch(source) else ''}{source}"


def group(principal: str) -> str:
    """Grantees of the same group can share a statement; "" for principals that need no condition."""
    if not is_conditional(principal):
        return ""
    kind, _, rest = principal.partition("/")
    if kind != "service":
        return kind
    name, _, source = rest.partition("@")
    return f"{kind}/{name}/{_ACCOUNT_KEY if _ACCOUNT.fullmatch(source) else _ARN_KEY}"


def element(principals: Sequence[str]) -> Any:
    """The Principal element of a statement for grantees of one group."""
    first = principals[0]
    if first.startswith(SERVICE):
        return {"Service": _parts(first)[0]}
    if is_conditional(first):
        return "*"
    return {"AWS": first if len(principals) == 1 else list(principals)}


def condition(principals: Sequence[str]) -> Condition:
    """The condition that expresses the grantees, besides tags and end; {} if none is needed."""
    first = principals[0] if principals else ""
    if not is_conditional(first):
        return {}
    if first.startswith(ORGANIZATION):
        return {"StringEquals": {_ORG_KEY: _one_or_all([one.removeprefix(ORGANIZATION) for one in principals])}}
    if first.startswith(UNIT):
        return {"ForAnyValue:StringLike": {_PATHS_KEY: _one_or_all([_path(one) for one in principals])}}
    sources = _one_or_all([_parts(one)[1] for one in principals])
    if group(first).endswith(_ACCOUNT_KEY):
        return {"StringEquals": {_ACCOUNT_KEY: sources}}
    return {"ArnLike": {_ARN_KEY: sources}}


def read(principal: object, conditions: Mapping[str, Any]) -> tuple[tuple[str, ...], Condition] | None:
    """The grantees that our Principal and Condition name, and the rest of the Condition; None if not ours."""
    rest: Condition = {operator: dict(block) for operator, block in conditions.items() if isinstance(block, Mapping)}

    def take(operator: str, key: str) -> list[str]:
        value = rest.get(operator, {}).pop(key, ())
        if operator in rest and not rest[operator]:
            del rest[operator]
        return [value] if isinstance(value, str) else [one for one in value if isinstance(one, str)]

    found: list[str] = []
    if principal == "*":
        found = [ORGANIZATION + one for one in take("StringEquals", _ORG_KEY)]
        units = [UNIT + one.removesuffix("/") for one in take("ForAnyValue:StringLike", _PATHS_KEY)]
        found = found or units if not (found and units) else []
    elif isinstance(principal, Mapping) and set(principal) == {"Service"} and isinstance(principal["Service"], str):
        accounts, arns = take("StringEquals", _ACCOUNT_KEY), take("ArnLike", _ARN_KEY)
        found = [] if accounts and arns else [f"{SERVICE}{principal['Service']}@{one}" for one in accounts or arns]
    try:
        if found and all(parse(one) == one for one in found):
            return tuple(found), rest
    except InputError:
        pass
    return None


def caller(grantee: str) -> tuple[str, dict[str, Any]]:
    """A principal that represents the grantee in a decision, and its certain condition keys."""
    if grantee.startswith(ORGANIZATION):
        return "*", {_ORG_KEY: grantee.removeprefix(ORGANIZATION)}
    if grantee.startswith(UNIT):
        path = grantee.removeprefix(UNIT).removesuffix("/*") + "/"
        return "*", {_ORG_KEY: path.partition("/")[0], _PATHS_KEY: (path,)}
    name, source = _parts(grantee)
    account = source if _ACCOUNT.fullmatch(source) else source.split(":")[4]
    keys = {_ACCOUNT_KEY: account} if _ACCOUNT.fullmatch(account) else {}
    return name, keys | ({_ARN_KEY: source} if source != account else {})


def _parts(service: str) -> tuple[str, str]:
    name, _, source = service.removeprefix(SERVICE).partition("@")
    return name, source


def _path(unit: str) -> str:
    """In the form of aws:PrincipalOrgPaths: each path ends in a slash."""
    path = unit.removeprefix(UNIT)
    return path if path.endswith("/*") else path + "/"


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
