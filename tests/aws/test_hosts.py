from __future__ import annotations

import pytest

from ecr_tui.aws.hosts import RegistryHost, check_named, is_registry_of, parse_host, reached_at
from ecr_tui.errors import EnvironmentFailure, InputError

ID = "111122223333"


@pytest.mark.parametrize(
    ("host", "partition", "fips", "dual_stack"),
    [
        (f"{ID}.dkr.ecr.eu-central-1.amazonaws.com", "aws", False, False),
        (f"{ID}.dkr.ecr-fips.us-east-1.amazonaws.com", "aws", True, False),
        (f"{ID}.dkr-ecr.eu-central-1.on.aws", "aws", False, True),
        (f"{ID}.dkr-ecr-fips.us-east-1.on.aws", "aws", True, True),
        (f"{ID}.dkr.ecr.us-gov-west-1.amazonaws.com", "aws-us-gov", False, False),
        (f"{ID}.dkr.ecr-fips.us-gov-east-1.amazonaws.com", "aws-us-gov", True, False),
        (f"{ID}.dkr-ecr-fips.us-gov-east-1.on.aws", "aws-us-gov", True, True),
        (f"{ID}.dkr.ecr.cn-north-1.amazonaws.com.cn", "aws-cn", False, False),
        (f"{ID}.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "aws-cn", False, True),
        (f"{ID}.dkr.ecr.eusc-de-east-1.amazonaws.eu", "aws-eusc", False, False),
        (f"{ID}.dkr.ecr.us-iso-east-1.c2s.ic.gov", "aws-iso", False, False),
        (f"{ID}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "aws-iso-b", False, False),
        (f"{ID}.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "aws-iso-e", False, False),
        (f"{ID}.dkr.ecr.us-isof-south-1.csp.hci.ic.gov", "aws-iso-f", False, False),
    ],
)
def test_a_host_of_every_partition(host: str, partition: str, fips: bool, dual_stack: bool) -> None:
    found = parse_host(host)
    assert found is not None
    assert (found.account, found.partition, found.fips, found.dual_stack) == (ID, partition, fips, dual_stack)
    assert str(found) == host


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:5000",
        "public.ecr.aws",
        f"{ID}.dkr.ecr.eu-central-1.amazonaws.com.evil.example",
        f"x{ID}.dkr.ecr.eu-central-1.amazonaws.com",
        f"{ID}.dkr-ecr.eu-central-1.amazonaws.com",
        f"{ID}.dkr.ecr.eu-central-1.on.aws",
        f"{ID}.dkr.ecr.amazonaws.com",
    ],
)
def test_what_is_no_registry_of_ecr(host: str) -> None:
    assert parse_host(host) is None
    assert reached_at(host, fips=True, dual_stack=True) == host


@pytest.mark.parametrize(
    ("region", "suffix", "fips", "dual_stack", "reached"),
    [
        ("eu-west-1", "amazonaws.com", False, False, f"{ID}.dkr.ecr.eu-west-1.amazonaws.com"),
        ("us-east-1", "amazonaws.com", True, False, f"{ID}.dkr.ecr-fips.us-east-1.amazonaws.com"),
        ("us-east-1", "amazonaws.com", False, True, f"{ID}.dkr-ecr.us-east-1.on.aws"),
        ("us-gov-west-1", "amazonaws.com", True, True, f"{ID}.dkr-ecr-fips.us-gov-west-1.on.aws"),
        ("cn-north-1", "amazonaws.com.cn", False, True, f"{ID}.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn"),
    ],
)
def test_a_caller_reaches_it_as_its_config_asks(
    region: str, suffix: str, fips: bool, dual_stack: bool, reached: str
) -> None:
    plain = str(RegistryHost(ID, region, suffix))
    assert reached_at(plain, fips=fips, dual_stack=dual_stack) == reached
    # A name that is that already stays so.
    assert reached_at(reached, fips=fips, dual_stack=dual_stack) == reached


@pytest.mark.parametrize(
    ("region", "suffix", "options", "what"),
    [
        ("cn-north-1", "amazonaws.com.cn", {"fips": True, "dual_stack": False}, "use_fips_endpoint"),
        ("us-iso-east-1", "c2s.ic.gov", {"fips": False, "dual_stack": True}, "use_dualstack_endpoint"),
    ],
)
def test_a_partition_without_such_endpoints_is_said(
    region: str, suffix: str, options: dict[str, bool], what: str
) -> None:
    with pytest.raises(InputError, match=r"no .* registry in partition") as caught:
        reached_at(str(RegistryHost(ID, region, suffix)), **options)
    assert what in caught.value.hint


@pytest.mark.parametrize(
    ("host", "good"),
    [
        (f"{ID}.dkr.ecr.us-east-1.amazonaws.com", True),
        (f"{ID}.dkr-ecr-fips.us-east-1.on.aws", True),
        ("999999999999.dkr.ecr.us-east-1.amazonaws.com", False),
        (f"{ID}.dkr.ecr.us-west-2.amazonaws.com", False),
        (f"{ID}.dkr.ecr.us-east-1.amazonaws.com.cn", False),
        (f"{ID}.dkr.ecr.us-east-1.amazonaws.com.evil.example", False),
        (f"{ID}.dkr.ecr.us-east-1.amazonaws.com:443", False),
        ("registry.example", False),
        ("127.0.0.1:5000", False),
    ],
)
def test_the_registry_of_an_account_is_known_by_its_name(host: str, good: bool) -> None:
    assert is_registry_of(host, ID, "us-east-1", "aws") is good


@pytest.mark.parametrize(
    ("host", "endpoint", "named"),
    [
        ("127.0.0.1:5000", "http://127.0.0.1:4566", True),
        ("localhost:5000", "http://127.0.0.1:4566", True),
        ("[::1]:5000", "http://localhost:4566", True),
        ("registry.example", "https://registry.example/ecr", True),
        ("127.0.0.2:5000", "http://127.0.0.1:4566", False),
        ("registry.example", "https://api.ecr.us-east-1.amazonaws.com", False),
        ("evil.registry.example", "https://registry.example", False),
        ("127.0.0.1:5000", "https://api.ecr.us-east-1.amazonaws.com", False),
        ("", "", False),
        ("[", "http://[", False),
    ],
)
def test_another_host_must_be_named_by_an_endpoint(host: str, endpoint: str, named: bool) -> None:
    if named:
        check_named(host, endpoint, ID, "us-east-1")
        return
    with pytest.raises(EnvironmentFailure, match="is not the ECR registry of account") as caught:
        check_named(host, endpoint, ID, "us-east-1")
    assert caught.value.side == "account A"
