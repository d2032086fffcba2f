"""URL of a repository in the AWS console."""

from __future__ import annotations

from urllib.parse import quote

from ecr_tui.aws.hosts import parse_host
from ecr_tui.aws.model import Repository
from ecr_tui.errors import InputError

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""Console hosts by partition."""


def console_url(repository: Repository) -> str:
    """The repository's page. Raises InputError if there is none: in the sandbox, or in an unknown partition."""
    host = parse_host(repository.host)
    if host is None:
        raise InputError(
            f"{repository.name} has no page in the AWS console",
            detail=f"Its registry is {repository.host}, not AWS.",
            hint="The console shows repositories of real AWS accounts only.",
        )
    console = _CONSOLES.get(host.partition)
    if console is None:
        raise InputError(f"the console of partition {host.partition} is unknown")
    region = repository.region
    path = f"ecr/repositories/private/{repository.account}/{quote(repository.name)}"
    return f"https://{region}.{console}/{path}?region={region}"
