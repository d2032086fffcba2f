"""Tags of a repository. Whoever writes one may open or close access that depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ecr_tui.aws.inventory import live_tags
from ecr_tui.aws.model import Repository
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.aws.sessions import AwsSession

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import TagTypeDef


def set_tag(session: AwsSession, repository: Repository, key: str, value: str) -> None:
    client = session.client("ecr", repository.region)
    with session.calling("ecr:TagResource"):
        client.tag_resource(resourceArn=repository.arn, tags=[{"Key": key, "Value": value}])


class RepositoryTags:
    """``tagging.TagStore`` over account A's session."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def tags(self, repository: Repository) -> dict[str, str]:
        return live_tags(self._session, repository)

    def set_tags(self, repository: Repository, tags: Mapping[str, str]) -> None:
        client = self._session.client("ecr", repository.region)
        pairs: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in tags.items()]
        with self._session.calling("ecr:TagResource"):
            client.tag_resource(resourceArn=repository.arn, tags=pairs)

    def remove_tags(self, repository: Repository, keys: Iterable[str]) -> None:
        client = self._session.client("ecr", repository.region)
        with self._session.calling("ecr:UntagResource"):
            client.untag_resource(resourceArn=repository.arn, tagKeys=list(keys))

    def policy_text(self, repository: Repository) -> str | None:
        return RepositoryPolicies(self._session).read(repository)


def remove_tag(session: AwsSession, repository: Repository, key: str) -> None:
    """One that is not there is fine."""
    client = session.client("ecr", repository.region)
    with session.calling("ecr:UntagResource"):
        client.untag_resource(resourceArn=repository.arn, tagKeys=[key])
