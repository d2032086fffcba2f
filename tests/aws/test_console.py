"""Addresses of the AWS console."""

from __future__ import annotations

import pytest

from ecr_tui.aws.console import console_url
from ecr_tui.aws.model import Repository
from ecr_tui.errors import InputError

ACCOUNT = "111122223333"


def repository(region: str, suffix: str, partition: str = "aws", name: str = "payments/api") -> Repository:
    arn = f"arn:{partition}:ecr:{region}:{ACCOUNT}:repository/{name}"
    return Repository(name, arn, f"{ACCOUNT}.dkr.ecr.{region}.{suffix}/{name}", region, ACCOUNT)


@pytest.mark.parametrize(
    ("region", "suffix", "host"),
    [
        ("eu-central-1", "amazonaws.com", "eu-central-1.console.aws.amazon.com"),
        ("cn-north-1", "amazonaws.com.cn", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "amazonaws.com", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_each_partition_has_its_own_console(region: str, suffix: str, host: str) -> None:
    url = console_url(repository(region, suffix))
    assert url == f"https://{host}/ecr/repositories/private/{ACCOUNT}/payments/api?region={region}"


def test_where_there_is_no_console_it_says_so() -> None:
    sandbox = Repository("app", "arn:aws:ecr:eu-central-1:1:repository/app", "127.0.0.1:5000/app", "eu-central-1", "1")
    with pytest.raises(InputError, match="no page in the AWS console"):
        console_url(sandbox)
    with pytest.raises(InputError, match="aws-iso is unknown"):
        console_url(repository("us-iso-east-1", "c2s.ic.gov"))
