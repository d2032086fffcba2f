"""Account B's own policies within IAM's limits: by tag, split, or refused with the limit named."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from ecr_tui.errors import InputError
from ecr_tui.policy.actions import TOKEN_ACTION, Access
from ecr_tui.policy.evaluate import Policies, Request, context_for, decide
from ecr_tui.policy.export import Format, consumer_side
from ecr_tui.policy.identity import Attachment, identity_policy, needed_policies
from tests.policy.build import BOB, REPOSITORY, ROOT_B, SESSION, A, B

ROLE = f"arn:aws:iam::{B}:role/team/puller"
TEAM = (("Team", "Payments"),)


def arns(count: int, region: str = "eu-central-1") -> list[str]:
    return [f"arn:aws:ecr:{region}:{A}:repository/team/service-{number:04}" for number in range(count)]


def test_several_repositories_and_the_token_on_everything() -> None:
    document = identity_policy([REPOSITORY, REPOSITORY + "2"], Access.PULL)
    assert document.statements[1].resources == (REPOSITORY, REPOSITORY + "2")
    assert document.statements[0].resources == ("*",)
    assert document.statements[0].actions == (TOKEN_ACTION,)


@pytest.mark.parametrize("principal", [BOB, ROLE, SESSION, ROOT_B])
def test_a_grant_by_tag_takes_the_same_room_for_one_and_for_thousands(principal: str) -> None:
    needed = needed_policies(arns(5_000), Access.PUSH_PULL, principal, TEAM)
    (document,) = needed.documents
    assert document == needed_policies(arns(1), Access.PUSH_PULL, principal, TEAM).whole
    token, repositories = document.statements
    assert (token.actions, token.resources, token.condition) == ((TOKEN_ACTION,), ("*",), {})
    assert repositories.resources == (f"arn:aws:ecr:eu-central-1:{A}:repository/*",)
    assert repositories.raw["Condition"] == {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}
    assert needed.by_tag
    assert needed.findings == ()
    assert max(needed.sizes) < 600


def test_by_tag_it_allows_what_carries_the_tag_and_nothing_else() -> None:
    found = needed_policies(arns(2), Access.PULL, BOB, (*TEAM, ("Env", "a"), ("Env", "b")))

    def allowed(action: str, resource: str, tags: dict[str, str]) -> bool:
        context = context_for(BOB, A, tags)
        return decide(Request(action, resource, B, BOB, context), Policies(found.documents, None)).allowed

    new = arns(9)[8]
    assert allowed("ecr:BatchGetImage", new, {"Team": "Payments", "Env": "b"})
    assert not allowed("ecr:BatchGetImage", new, {"Team": "Payments", "Env": "c"})
    assert not allowed("ecr:BatchGetImage", new, {"Team": "Payments"})
    assert not allowed("ecr:PutImage", new, {"Team": "Payments", "Env": "b"})
    assert not allowed("ecr:BatchGetImage", new.replace(A, "999999999999"), {"Team": "Payments", "Env": "b"})


def test_each_registry_has_a_pattern() -> None:
    document = identity_policy([*arns(3), *arns(2, "us-east-1")], Access.PULL, TEAM)
    assert document.statements[1].resources == (
        f"arn:aws:ecr:eu-central-1:{A}:repository/*",
        f"arn:aws:ecr:us-east-1:{A}:repository/*",
    )


@pytest.mark.parametrize(
    ("principal", "wanted"),
    [(BOB, Attachment.INLINE_USER), (ROLE, Attachment.INLINE_ROLE), (ROOT_B, Attachment.MANAGED)],
)
def test_the_limit_decides_and_everything_stays_in(principal: str, wanted: Attachment) -> None:
    sizes = (identity_policy(arns(count), Access.PUSH_PULL).size for count in range(1, 1_000))
    fit = next(count for count, size in enumerate(sizes) if size > wanted.limit)
    inside = needed_policies(arns(fit), Access.PUSH_PULL, principal)
    assert (inside.attachment, len(inside.documents), inside.findings) == (wanted, 1, ())
    assert inside.sizes[0] <= wanted.limit
    outside = needed_policies(arns(fit + 1), Access.PUSH_PULL, principal)
    assert len(outside.whole.minified()) > wanted.limit
    assert outside.attachment is Attachment.MANAGED
    assert all(size <= 6_144 for size in outside.sizes)
    tokens = [s for document in outside.documents for s in document.statements if TOKEN_ACTION in s.actions]
    named = [arn for document in outside.documents for s in document.statements for arn in s.resources if arn != "*"]
    assert [token.resources for token in tokens] == [("*",)]
    assert named == arns(fit + 1)
    (found,) = outside.findings
    assert found.id == "identity-too-large"
    assert (
        f"{len(outside.whole.minified()):,} characters; the limit for {wanted.words} is {wanted.limit:,}" in found.title
    )


def test_what_fits_nowhere_is_refused_with_the_limit() -> None:
    needed = needed_policies(arns(2_000), Access.PULL, BOB)
    assert "the limit is 10 attached" in needed.refusal
    assert "6,144" in needed.refusal
    for form in Format:
        with pytest.raises(InputError, match="exceeds IAM's limits") as refused:
            consumer_side(form, needed)
        assert "--if-tag" in refused.value.hint
    # One statement that alone is too large cannot be split.
    values = tuple(("Team", f"{number:03}".ljust(256, "x")) for number in range(30))
    assert "6,144" in needed_policies(arns(1), Access.PULL, BOB, values).refusal


def commands(text: str) -> list[list[str]]:
    return [shlex.split(one) for one in text.replace(" \\\n", " ").splitlines()]


@pytest.mark.parametrize(("principal", "kind", "name"), [(BOB, "user", "bob"), (ROLE, "role", "puller")])
def test_what_is_split_is_attached_to_its_principal(principal: str, kind: str, name: str) -> None:
    needed = needed_policies(arns(200), Access.PULL, principal)
    assert len(needed.documents) == 3
    done = commands(consumer_side(Format.CLI, needed))
    assert [words[2] for words in done] == ["create-policy", f"attach-{kind}-policy"] * 3
    for made, attach, document in zip(done[::2], done[1::2], needed.documents, strict=True):
        policy = made[made.index("--policy-name") + 1]
        assert json.loads(made[made.index("--policy-document") + 1]) == document.json
        assert attach[3:] == [f"--{kind}-name", name, "--policy-arn", f"arn:aws:iam::{B}:policy/{policy}"]
    assert len({words[words.index("--policy-name") + 1] for words in done[::2]}) == 3
    resources = json.loads(consumer_side(Format.CLOUDFORMATION, needed))["Resources"]
    assert [one["Type"] for one in resources.values()] == ["AWS::IAM::ManagedPolicy"] * 3
    assert [one["Properties"][f"{kind.title()}s"] for one in resources.values()] == [[name]] * 3
    assert [one["Properties"]["PolicyDocument"] for one in resources.values()] == [d.json for d in needed.documents]
    assert json.loads(consumer_side(Format.JSON, needed)) == [document.json for document in needed.documents]
    terraform = consumer_side(Format.TERRAFORM, needed)
    for suffix, end in (("", ""), ("2", "-2"), ("3", "-3")):
        named = f'"ecr_{kind}_{name}{suffix}" {{\n  name   = "EcrCrossAccountAccess-{kind}-{name}{end}"'
        assert f'"aws_iam_policy" {named}' in terraform
        assert f'resource "aws_iam_{kind}_policy_attachment" "ecr_{name}{suffix}"' in terraform
        assert f"policy_arn = aws_iam_policy.ecr_{kind}_{name}{suffix}.arn" in terraform


@pytest.mark.parametrize("count", [1, 200])
def test_a_user_and_a_role_of_one_name_do_not_get_in_each_others_way(count: int) -> None:
    both = [needed_policies(arns(count), Access.PULL, f"arn:aws:iam::{B}:{kind}/dev") for kind in ("user", "role")]
    text = "\n".join(consumer_side(Format.TERRAFORM, needed) for needed in both)
    blocks = re.findall(r'^(?:data|resource) ".*" ".*"', text, re.MULTILINE)
    assert len(blocks) == len(set(blocks))
    done = [words for needed in both for words in commands(consumer_side(Format.CLI, needed))]
    created = [words[words.index("--policy-name") + 1] for words in done if words[2] == "create-policy"]
    assert len(created) == len(set(created))


def test_the_words_tell_the_size_against_the_limit() -> None:
    one = needed_policies(arns(1), Access.PULL, BOB)
    assert one.size_words == f"{one.sizes[0]:,} of 2,048 characters for the inline policies of a user"
    many = needed_policies(arns(200), Access.PULL, BOB)
    assert many.size_words.startswith("3 managed policies of 6,")
    assert many.size_words.endswith("characters, of at most 6,144 each")
