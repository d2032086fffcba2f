"""Registry hosts of ECR in every partition, and selection of the host to use.

Names as in the ECR user guide ("Making requests to Amazon ECR") and the expression of AWS's own credential helper.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ecr_tui.errors import EnvironmentFailure, InputError

_PARTITIONS = {
    "amazonaws.com": "aws",
    "on.aws": "aws",
    "amazonaws.com.cn": "aws-cn",
    "on.amazonwebservices.com.cn": "aws-cn",
    "amazonaws.eu": "aws-eusc",
    "c2s.ic.gov": "aws-iso",
    "sc2s.sgov.gov": "aws-iso-b",
    "cloud.adc-e.uk": "aws-iso-e",
    "csp.hci.ic.gov": "aws-iso-f",
}
_DUAL_STACK = {"amazonaws.com": "on.aws", "amazonaws.com.cn": "on.amazonwebservices.com.cn"}
_FIPS = ("amazonaws.com", "on.aws")
_HOST = re.compile(
    r"(\d{12})\.dkr(?P<joint>[.-])ecr(?P<fips>-fips)?\.(?P<region>[a-z0-9-]+)\.(?P<suffix>"
    + "|".join(map(re.escape, sorted(_PARTITIONS, key=len, reverse=True)))
    + ")"
)


@dataclass(frozen=True)
class RegistryHost:
    account: str
    region: str
    suffix: str
    fips: bool = False
    dual_stack: bool = False

    @property
    def partition(self) -> str:
        """GovCloud shares its names with the commercial partition."""
        return "aws-us-gov" if self.region.startswith("us-gov-") else _PARTITIONS[self.suffix]

    def __str__(self) -> str:
        joint = "-" if self.dual_stack else "."
        return f"{self.account}.dkr{joint}ecr{'-fips' if self.fips else ''}.{self.region}.{self.suffix}"


def parse_host(host: str) -> RegistryHost | None:
    """None for other registries, such as a mirror or loopback."""
    found = _HOST.fullmatch(host)
    if found is None or (found["joint"] == "-") != found["suffix"].startswith("on."):
        return None
    return RegistryHost(found[1], found["region"], found["suffix"], bool(found["fips"]), found["joint"] == "-")


def is_registry_of(host: str, account: str, region: str, partition: str) -> bool:
    """Whether ``host`` is an ECR host name of the registry of ``account`` in ``region``."""
    known = parse_host(host)
    return known is not None and (known.account, known.region, known.partition) == (account, region, partition)


def check_named(host: str, endpoint: str, account: str, region: str) -> None:
    """Raise EnvironmentFailure unless ``endpoint``, the URL of ECR in account B's AWS config, has the host ``host``.

    Ports may differ. For hosts that are not ECR's: account B's token is never sent to a host known only from account
    A's response.
    """
    name, named = _name(f"//{host}"), _name(endpoint)
    if name and name == named:
        return
    raise EnvironmentFailure(
        f"{host} is not the ECR registry of account {account} in {region}",
        detail=f"The repositoryUri in account A's response is on {host}.",
        hint="Check the endpoint of account A. Account B's token is sent only to ECR's own hosts and to the host of "
        "the endpoint_url in account B's profile.",
        side="account A",
    )


def _name(url: str) -> str:
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return "localhost" if name in ("127.0.0.1", "::1") else name


def reached_at(host: str, *, fips: bool, dual_stack: bool) -> str:
    """The FIPS or dual-stack host to use for the registry ``host`` (the plain name in repositoryUri).

    GetAuthorizationToken's proxyEndpoint is the plain name, too, and the token is valid for all names. Other hosts are
    returned unchanged. Raises InputError if the partition has no such endpoints.
    """
    known = parse_host(host)
    if known is None or not (fips or dual_stack):
        return host
    suffix = known.suffix
    if dual_stack and not known.dual_stack:
        if suffix not in _DUAL_STACK:
            raise _missing("dual-stack", known)
        suffix = _DUAL_STACK[suffix]
    if fips and suffix not in _FIPS:
        raise _missing("FIPS", known)
    return str(RegistryHost(known.account, known.region, suffix, known.fips or fips, known.dual_stack or dual_stack))


def _missing(what: str, host: RegistryHost) -> InputError:
    setting = "use_fips_endpoint" if what == "FIPS" else "use_dualstack_endpoint"
    return InputError(
        f"no {what} registry in partition {host.partition}",
        hint=f"Remove {setting} from account B's profile, or unset AWS_{setting.upper()}.",
        side="account B",
    )
