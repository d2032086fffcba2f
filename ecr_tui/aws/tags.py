"""Tags of a repository. Writing one may grant or end access that depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ecr_tui.aws.inventory import live_tags
from ecr_tui.aws.model import Repository
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.aws.sessions import AwsSession

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import TagTypeDef


class RepositoryTags:
    """``changes.tag_plans.TagStore`` over account A's session. A write is one request; with ``writing``, so is a read,
    which shares the connection with the following write."""

    def __init__(self, session: AwsSession, *, writing: bool = False) -> None:
        self._session = session
        self._client = session.ecr_once if writing else lambda region: session.client("ecr", region)

    def tags(self, repository: Repository) -> dict[str, str]:
        return live_tags(self._session, repository, client=self._client(repository.region))

    def set_tags(self, repository: Repository, tags: Mapping[str, str]) -> None:
        client = self._session.ecr_once(repository.region)
        pairs: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in tags.items()]
        with self._session.calling("ecr:TagResource"):
            client.tag_resource(resourceArn=repository.arn, tags=pairs)

    def remove_tags(self, repository: Repository, keys: Iterable[str]) -> None:
        """Those that are not there are fine."""
        client = self._session.ecr_once(repository.region)
        with self._session.calling("ecr:UntagResource"):
            client.untag_resource(resourceArn=repository.arn, tagKeys=list(keys))

    def policy_text(self, repository: Repository) -> str | None:
        return RepositoryPolicies(self._session, client=self._client).read(repository)
