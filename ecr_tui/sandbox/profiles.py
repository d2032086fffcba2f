"""The AWS config that leads any AWS client into the sandbox: profiles with ``endpoint_url``, in files of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PROFILE_A, PROFILE_B = "account-a", "dev-acc"
_LOCAL = ("127.0.0.1", "localhost")
PROFILE_ROLE, PROFILE_MFA, PROFILE_NO_ACCESS = "dev-role", "dev-mfa", "no-access"
PROFILE_C = "partner-c"
BUILD_SERVERS = "arn:aws:iam::333333333333:role/build-agent"
"""Of an account without a profile."""


def write_config(folder: Path, profiles: Mapping[str, Mapping[str, str]]) -> tuple[Path, Path]:
    """(config, credentials), readable by their owner only. Credentials is empty so that the user's own is not read."""
    config, credentials = folder / "config", folder / "credentials"
    lines = []
    for name, settings in profiles.items():
        lines += [f"[profile {name}]", *(f"{key} = {value}" for key, value in settings.items()), ""]
    _write(config, "\n".join(lines))
    _write(credentials, "")
    return config, credentials


def environment(config: Path, credentials: Path) -> dict[str, str]:
    """Environment variables that direct AWS clients and ecr-tui to the sandbox, bypassing proxies."""
    direct = ",".join(dict.fromkeys([*os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")).split(","), *_LOCAL]))
    return {
        "NO_PROXY": direct.strip(","),
        "no_proxy": direct.strip(","),
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_EC2_METADATA_DISABLED": "true",
        "ECR_TUI_PROFILE_A": PROFILE_A,
        "ECR_TUI_PROFILE_B": PROFILE_B,
    }


def forget_the_users() -> None:
    """Of a process that serves the sandbox: moto reads botocore's configuration, and the user's may be broken."""
    os.environ.pop("AWS_PROFILE", None)
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
