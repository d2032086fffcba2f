"""The file of grants: strict, with the line of every complaint; what is exported wants what is in force."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_tui.access.audit_reading import Entry
from ecr_tui.aws.model import Repository
from ecr_tui.changes.bulk import Intent
from ecr_tui.changes.desired.export import grants_text
from ecr_tui.changes.desired.file import GrantsFile
from ecr_tui.changes.desired.rows import Desired, Row, Selector
from ecr_tui.errors import InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.policy.desired import reconcile
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.ours import Own
from ecr_tui.policy.principal import parse_grantee

ROW = '[[grants]]\nrepositories = ["payments/*"]\nto = "222222222222"\naccess = "pull"\n'
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)


def repository(name: str, region: str = "eu-central-1", **tags: str) -> Repository:
    return Repository(name, f"arn:aws:ecr:{region}:111111111111:repository/{name}", "", region, "111111111111", tags)


def desired(text: str) -> Desired:
    """With ARNs and account ids alone, so that nobody needs to be asked."""
    file = GrantsFile("grants.toml", text)
    rows = []
    for row in file.rows:
        principals = tuple(parse_grantee(one) for one in row.to)
        selector = Selector(row.repositories, row.tags, row.regions)
        rows.append(Row(selector, Grant(principals, row.access, row.conditions, row.until), row.reason))
    return Desired(tuple(rows), file.scope)


@pytest.mark.parametrize(
    ("text", "line", "said", "hint"),
    [
        ("", 0, "has no [[grants]]", "ecr-tui revoke"),
        ("grant = 1\n" + ROW, 1, "unknown setting 'grant'", "'grants'"),
        (ROW + ROW + 'if_tag = ["Team=Web"]\n', 9, "unknown setting 'if_tag' in [[grants]]", "'if-tag'"),
        (ROW + 'repository = "a"\n', 5, "'repository'", "'repositories'"),
        (ROW + "reason = 3\n", 5, "reason must be a quoted string", ""),
        (ROW.replace('"pull"', '"pul"'), 4, "'pul' is not one of", "'pull'"),
        (ROW.replace('access = "pull"\n', ""), 1, "missing access", "push-pull"),
        (ROW.replace('repositories = ["payments/*"]\n', ""), 1, "missing repositories", "tags"),
        (ROW.replace('to = "222222222222"\n', ""), 1, "missing to", "consumer"),
        (ROW.replace('"222222222222"', '"2222"'), 3, "2222", ""),
        (ROW + 'until = "2w"\n', 5, "'2w' is not a date", "2030-01-31"),
        (ROW + "until = 2030-01-31T10:00:00\n", 5, "no time zone", "Z"),
        (ROW + 'account = "1"\n', 5, "not an account", "12-digit"),
        (ROW + 'if-tag = ["Team=a", "team=b"]\n', 5, "differ only in case", ""),
        (ROW + 'regions = ["EU"]\n', 5, "not an AWS region", ""),
        (ROW + "until = \n", 5, "Invalid value", "TOML"),
        (ROW.replace("payments/*", "web/a") + '[scope]\nrepositories = "payments/*"\n', 2, "outside the [scope]", ""),
        (ROW.replace('"222222222222"', '"service/lambda.amazonaws.com@222222222222"').replace('"pull"', '"push"'), 4,
         "Lambda only pulls", "pull"),
    ],
)  # fmt: skip
def test_a_complaint_has_the_line_and_what_to_write(text: str, line: int, said: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        GrantsFile("grants.toml", text)
    assert said in caught.value.title
    assert hint in caught.value.hint
    assert caught.value.title.startswith(f"grants.toml:{line}: " if line else "grants.toml has")


def test_rows_are_about_names_globs_tags_and_regions() -> None:
    found = desired(
        '[scope]\nrepositories = ["payments/*", "web"]\n'
        + ROW
        + '[[grants]]\ntags = { Team = "Web", Stage = "d*" }\nto = "333333333333"\naccess = "pull-push"\n'
        + "until = 2030-01-31\n"
        + '[[grants]]\nrepositories = "web"\nregions = "eu-west-1"\nto = "444444444444"\naccess = "guide"\n'
    )

    def accounts(row: Repository) -> list[str]:
        return [one.grant.principals[0].split(":")[4] for one in found.of(row)]

    assert accounts(repository("payments/a/b")) == ["222222222222"]
    assert accounts(repository("payments/a", Team="Web", Stage="dev")) == ["222222222222", "333333333333"]
    assert accounts(repository("web", "eu-west-1", Team="Web", Stage="prod")) == ["444444444444"]
    assert accounts(repository("web")) == []
    assert accounts(repository("other", Team="Web", Stage="dev")) == [], "out of scope"
    assert found.rows[1].grant.until == datetime(2030, 2, 1, tzinfo=UTC)
    assert found.rows[1].grant.access is Access.PUSH_PULL
    unknown = Repository("payments/x", "arn", "", "eu-central-1", "111111111111", None)
    with pytest.raises(InputError, match="tags of payments/x are unknown"):
        found.of(unknown)
    assert found.concerns(unknown)
    assert not found.concerns(repository("other"))
    intent = Intent.to_apply(found, "OPS-1")
    assert Intent.from_json(json.loads(json.dumps(intent.to_json()))) == intent


def test_one_write_tells_the_reasons_of_its_rows() -> None:
    rows = ROW + 'reason = "OPS-1"\n' + ROW.replace("222222222222", "333333333333") + 'reason = "OPS-2"\n'
    plan = Intent.to_apply(desired(rows)).plan(repository("payments/a"), None)
    assert (plan.changed, plan.reason) == (True, "OPS-1; OPS-2")
    assert plan.after_text is not None
    assert not Intent.to_apply(desired(rows)).plan(repository("payments/a"), plan.after_text).changed
    with pytest.raises(InputError, match="partition aws-cn"):
        Intent.to_apply(desired(ROW.replace("222222222222", "arn:aws-cn:iam::222222222222:root"))).plan(
            repository("payments/a"), None
        )


texts = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8).filter(
    lambda text: "${" not in text  # a policy variable, which a Grant rejects
)
ours = st.builds(
    Grant,
    st.lists(
        st.sampled_from(
            ["222222222222", "arn:aws:iam::222222222222:role/a", "org/o-a1b2c3d4e5", "AIDAQ3EGUKXQ5YQ2JVEXA"]
        ),
        min_size=1,
        max_size=2,
        unique=True,
    ).map(tuple),
    st.sampled_from([*Access]),
    st.lists(st.tuples(st.sampled_from(["Team", "a key", "x=y"]), texts), max_size=2).map(tuple),
    st.sampled_from([None, datetime(2030, 2, 1, tzinfo=UTC)]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(ours, max_size=3), min_size=1, max_size=3))
def test_what_is_exported_wants_what_is_in_force(policies: list[list[Grant]]) -> None:
    entries = []
    for place, grants in enumerate(policies):
        found = [own.statement() for grant in grants for own in Own.of_grant(grant)]
        found.append({"Sid": "Theirs\n[[grants]]", "Effect": "Allow", "Principal": "*", "Action": "ecr:ListImages"})
        document = PolicyDocument.from_json({"Version": "2012-10-17", "Statement": found})
        entries.append(Entry(repository(f"r{place}"), document.text))
    text = grants_text(entries, Selector(), "111111111111", NOW)
    if "[[grants]]\n" not in text:
        return
    wants = desired(text)
    for entry in entries:
        before = PolicyDocument.parse(entry.text or "")
        wanted = tuple(own for row in wants.of(entry.repository) for own in row.wanted)
        left = reconcile(before, wanted, NOW)
        said = f"{entry.repository.name} (eu-central-1): not possible"
        assert said in text or (not left.change.changed and not left.unwanted)
