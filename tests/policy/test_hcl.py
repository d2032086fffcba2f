"""Terraform exports, read back by an HCL parser that is not ours: what is exported is the policy, and no template."""

from __future__ import annotations

import json
from typing import Any

import hcl2
import pytest
from hypothesis import given, settings

from ecr_tui.policy.actions import Access
from ecr_tui.policy.compare import equivalent
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.export import Format, consumer_side, owner_side
from ecr_tui.policy.identity import identity_policy
from tests.policy import strategies
from tests.policy.build import BOB, REPOSITORY, SESSION, policy
from tests.policy.test_export import HOSTILE, attached

LISTS = {"actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource"}


def value(parsed: Any) -> Any:
    """What Terraform evaluates a literal to: escapes undone, ``$${`` and ``%%{`` as the characters they stand for."""
    if isinstance(parsed, dict):
        return {value(key): value(item) for key, item in parsed.items() if key != "__is_block__"}
    if isinstance(parsed, list):
        return [value(item) for item in parsed]
    if isinstance(parsed, str) and parsed.startswith('"'):
        assert "${" not in parsed.replace("$${", "")
        assert "%{" not in parsed.replace("%%{", "")
        return json.loads(parsed.replace("$${", "${").replace("%%{", "%{"), strict=False)
    if isinstance(parsed, str) and parsed.startswith("${"):  # a number with an exponent, as the parser gives it
        return json.loads(parsed[2:-1])
    return parsed


def expression(text: str) -> Any:
    """The value of ``${jsonencode(...)}``, as the parser gives a call."""
    inner = text.removeprefix("${jsonencode(").removesuffix(")}")
    return value(hcl2.loads(f"x = {inner}\n")["x"])


def document(text: str) -> PolicyDocument:
    """The policy that an export has, in whichever form."""
    told = hcl2.loads(text)
    if "data" not in told:
        (resource,) = told["resource"]
        (attributes,) = next(iter(resource.values())).values()
        return PolicyDocument.parse(json.dumps(expression(attributes["policy"])))
    (data,) = told["data"]
    (block,) = value(data)["aws_iam_policy_document"].values()
    statements = []
    for told in block.get("statement", ()):
        made = {"Effect": told["effect"], **({"Sid": told["sid"]} if "sid" in told else {})}
        made |= {element: told[name] for name, element in LISTS.items() if name in told}
        for name, element in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
            for one in told.get(name, ()):
                made.setdefault(element, {})
                made[element] = "*" if one["type"] == "*" else {**made[element], one["type"]: one["identifiers"]}
        for one in told.get("condition", ()):
            made.setdefault("Condition", {}).setdefault(one["test"], {})[one["variable"]] = one["values"]
        statements.append(made)
    whole = {"Version": block.get("version", "2012-10-17"), "Statement": statements}
    return PolicyDocument.parse(json.dumps(whole | ({"Id": block["policy_id"]} if "policy_id" in block else {})))


@settings(max_examples=30, deadline=None)
@given(strategies.documents())
def test_the_exported_policy_is_the_policy(exported: PolicyDocument) -> None:
    assert equivalent(document(owner_side(Format.TERRAFORM, exported, REPOSITORY)), exported)


@pytest.mark.parametrize("odd", [HOSTILE, policy({**HOSTILE.statements[0].raw, "Later": 1})], ids=["data", "json"])
def test_what_a_policy_holds_stays_text(odd: PolicyDocument) -> None:
    assert equivalent(document(owner_side(Format.TERRAFORM, odd, REPOSITORY)), odd)


@pytest.mark.parametrize("principal", [BOB, SESSION])
def test_account_b_s_policy_parses_too(principal: str) -> None:
    needed = identity_policy([REPOSITORY], Access.PUSH_PULL)
    assert equivalent(document(consumer_side(Format.TERRAFORM, attached(needed, principal))), needed)
