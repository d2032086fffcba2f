"""SetRepositoryPolicy's validation, with ECR's messages.

Refusals that threads and guides report: a Resource element (awsdocs/amazon-ecr-user-guide#20), GetAuthorizationToken
(cloudposse/terraform-aws-ecr#67), principals that do not exist (hashicorp/terraform-provider-aws#39064), over 10,240
characters (the API model). Where none is known, such as for unknown actions, the strict reading is taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ecr_tui.policy.actions import is_registry_level, matching_actions
from ecr_tui.policy.document import LIMIT
from ecr_tui.sandbox.aws_errors import ServiceError, invalid
from ecr_tui.sandbox.directory import Directory

_DOCUMENT_KEYS = {"Version", "Id", "Statement"}
_STATEMENT_KEYS = {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"}
_VERSIONS = ("2008-10-17", "2012-10-17")
_OPERATORS = re.compile(
    r"(?:ForAllValues:|ForAnyValue:)?(?:"
    r"(?:String(?:Not)?(?:Equals(?:IgnoreCase)?|Like)|Arn(?:Not)?(?:Equals|Like)|(?:Numeric|Date)"
    r"(?:(?:Not)?Equals|LessThan(?:Equals)?|GreaterThan(?:Equals)?)|Bool|BinaryEquals|(?:Not)?IpAddress)(?:IfExists)?"
    r"|Null)",
    re.IGNORECASE,
)
_IAM = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):(root|user/.+|role/.+)")
_STS = re.compile(r"arn:aws[a-z-]*:sts::(\d{12}):(assumed-role/([\w+=,.@-]+)/[\w+=,.@-]+|federated-user/[\w+=,.@-]+)")
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,}")
_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")
_FEDERATED = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:saml|oidc)-provider/.+|[a-z0-9.-]+\.[a-z]{2,}")


def checked_policy(text: object, directory: Directory) -> dict[str, Any]:
    """The policy as parsed. Raises ServiceError InvalidParameterException."""
    if not isinstance(text, str):
        raise invalid("policyText", "Member must not be null")
    if len(text) > LIMIT:
        raise invalid("policyText", f"Member must have length less than or equal to {LIMIT}")
    try:
        document = json.loads(text, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        raise _refused() from None
    found = _object(document)
    _demand(not found.keys() - _DOCUMENT_KEYS)
    _demand(found.get("Version", _VERSIONS[0]) in _VERSIONS and isinstance(found.get("Id", ""), str))
    statements = found.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    _demand(isinstance(statements, list) and bool(statements))
    for statement in statements or ():
        _check_statement(_object(statement), directory)
    return found


def _check_statement(statement: dict[str, Any], directory: Directory) -> None:
    _demand(not statement.keys() - _STATEMENT_KEYS)
    _demand(statement.get("Effect") in ("Allow", "Deny") and isinstance(statement.get("Sid", ""), str))
    _demand(("Principal" in statement) != ("NotPrincipal" in statement))
    _demand(("Action" in statement) != ("NotAction" in statement))
    for action in _strings(statement.get("Action", statement.get("NotAction"))):
        _check_action(action)
    _check_condition(_object(statement.get("Condition", {})))
    _check_principals(statement.get("Principal", statement.get("NotPrincipal")), directory)


def _check_action(action: str) -> None:
    if action == "*":
        return
    _demand(action.lower().startswith("ecr:"))
    covered = matching_actions(action)
    _demand(bool(covered))
    _demand("*" in action or "?" in action or not is_registry_level(action))


def _check_condition(condition: dict[str, Any]) -> None:
    for operator, block in condition.items():
        _demand(_OPERATORS.fullmatch(operator) is not None and bool(block))
        for key, values in _object(block).items():
            _demand(re.fullmatch(r"[\w-]+:.+", key) is not None)
            for value in values if isinstance(values, list) else [values]:
                _demand(isinstance(value, str | bool | int | float))


def _check_principals(principals: object, directory: Directory) -> None:
    if principals == "*":
        return
    _demand(bool(principals))
    kinds: dict[str, Callable[[str], None]] = {
        "AWS": lambda name: _check_aws(name, directory),
        "Service": lambda name: _demand(_SERVICE.fullmatch(name) is not None),
        "Federated": lambda name: _demand(_FEDERATED.fullmatch(name) is not None),
    }
    for kind, names in _object(principals).items():
        _demand(kind in kinds)
        for name in _strings(names):
            kinds[kind](name)


def _check_aws(name: str, directory: Directory) -> None:
    """Forms first ("Invalid repository policy provided"), then existence ("Principal not found")."""
    if name == "*":
        return
    live = dict(directory.principals())
    if _UNIQUE_ID.fullmatch(name):
        if name not in live:
            raise _not_found()
        return
    if re.fullmatch(r"\d{12}", name):
        _demand_known(name, directory)
        return
    _demand("*" not in name and "?" not in name)
    iam = _IAM.fullmatch(name)
    if iam is not None:
        _demand_known(iam[1], directory)
        if iam[2] != "root" and name not in live.values():
            raise _not_found()
        return
    sts = _STS.fullmatch(name)
    if sts is None:
        raise _refused()
    _demand_known(sts[1], directory)
    if sts[3] and directory.role(sts[1], sts[3]) is None:
        raise _not_found()


def _demand_known(account: str, directory: Directory) -> None:
    if account not in directory.known:
        raise _not_found()


def _strings(value: object) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not values or not all(isinstance(one, str) and one for one in values):
        raise _refused()
    return values


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refused()
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _demand(good: bool) -> None:
    if not good:
        raise _refused()


def _refused() -> ServiceError:
    return invalid("PolicyText", "Invalid repository policy provided")


def _not_found() -> ServiceError:
    return invalid("PolicyText", "Principal not found")
