"""Tags of a repository, one at a time. Whoever writes one may open or close access that depends on it."""

from __future__ import annotations

from ecr_tui.aws.model import Repository
from ecr_tui.aws.sessions import AwsSession


def set_tag(session: AwsSession, repository: Repository, key: str, value: str) -> None:
    client = session.client("ecr", repository.region)
    with session.calling("ecr:TagResource"):
        client.tag_resource(resourceArn=repository.arn, tags=[{"Key": key, "Value": value}])


def remove_tag(session: AwsSession, repository: Repository, key: str) -> None:
    """One that is not there is fine."""
    client = session.client("ecr", repository.region)
    with session.calling("ecr:UntagResource"):
        client.untag_resource(resourceArn=repository.arn, tagKeys=[key])
