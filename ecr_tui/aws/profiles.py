"""Profiles of the AWS config: their kind of credentials and source profiles."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ecr_tui.aws import errors
from ecr_tui.aws.model import Profile
from ecr_tui.errors import EnvironmentFailure

if TYPE_CHECKING:
    from botocore.session import Session as CoreSession


def list_profiles() -> tuple[Profile, ...]:
    """The profiles of the AWS config and credentials files, in file order.

    Raises EnvironmentFailure, naming the file, if one cannot be read or parsed.
    """
    import botocore.session

    # Without a client: takes a fiftieth of the time.
    config = full_config(botocore.session.Session(include_builtin_handlers=False))
    profiles = config.get("profiles", {})
    return tuple(
        Profile(
            name,
            _kind(section),
            section.get("region"),
            account=_account(section),
            source=_source(section),
            login_command=next(filter(None, (login_command(*link) for link in chain(name, profiles))), ""),
        )
        for name, section in profiles.items()
    )


def full_config(core: CoreSession) -> dict[str, Any]:
    """The parsed AWS config. Raises EnvironmentFailure, naming the file, if it is unusable."""
    from botocore.exceptions import ConfigParseError

    for variable in ("config_file", "credentials_file"):
        path = os.path.expanduser(os.path.expandvars(core.get_config_variable(variable)))
        # configparser skips files without read permission, and profiles would be missing silently.
        if os.path.isfile(path) and not os.access(path, os.R_OK):
            raise EnvironmentFailure(f"cannot read the AWS config {path}: permission denied")
    try:
        config: dict[str, Any] = core.full_config
    except ConfigParseError as exc:
        raise errors.config_unreadable(exc) from exc
    return config


def _kind(section: Mapping[str, Any]) -> str:
    if "web_identity_token_file" in section:
        return "web-identity"
    if "role_arn" in section:
        return "assume-role"
    if "sso_session" in section or "sso_start_url" in section:
        return "sso"
    if "aws_access_key_id" in section:
        return "keys"
    if "credential_process" in section:
        return "process"
    return "login" if "login_session" in section else "other"


def _account(section: Mapping[str, Any]) -> str:
    """The account of a profile's credentials, if the config has it."""
    found = re.match(r"arn:[\w-]+:iam::(\d{12}):", str(section.get("role_arn", "")))
    if found:
        return found[1]
    told = str(section.get("sso_account_id") or section.get("aws_account_id") or "")
    return told if re.fullmatch(r"\d{12}", told) else ""


def _source(section: Mapping[str, Any]) -> str:
    """Never shows a command line, which may contain a secret."""
    if "credential_process" in section and _kind(section) == "process":
        with contextlib.suppress(ValueError, IndexError):
            return os.path.basename(shlex.split(str(section["credential_process"]))[0])
    return str(section.get("source_profile") or section.get("credential_source") or section.get("sso_session") or "")


def login_command(profile: str, section: Mapping[str, Any]) -> str:
    """The shell command that renews this profile's sign-in, or ""."""
    if _kind(section) == "sso":
        return f"aws sso login --profile {shlex.quote(profile)}"
    if "login_session" in section:
        return f"aws login --profile {shlex.quote(profile)}"
    return ""


def chain(name: str, profiles: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The profile and its chain of source profiles."""
    seen: set[str] = set()
    while name in profiles and name not in seen:
        seen.add(name)
        yield name, profiles[name]
        name = profiles[name].get("source_profile", "")
