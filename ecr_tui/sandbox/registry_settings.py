"""Registry settings: account settings, creation templates, replication rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SCOPE = "REGISTRY_POLICY_SCOPE"
SETTINGS: dict[str, tuple[str, ...]] = {
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE", "CLAIR"),
    SCOPE: ("V2", "V1"),
    "BLOB_MOUNTING": ("DISABLED", "ENABLED"),
}
"""Name -> possible values, the default first (API reference, PutAccountSetting)."""


@dataclass
class RegistrySettings:
    values: dict[str, str] = field(default_factory=dict)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Prefix -> template, as DescribeRepositoryCreationTemplates shows it."""
    replication: list[dict[str, Any]] = field(default_factory=list)
    """The rules, as DescribeRegistry shows them."""

    def value(self, name: str) -> str:
        return self.values.get(name, SETTINGS[name][0])


class AllRegistrySettings:
    """By account and region. Callers hold the world's lock."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], RegistrySettings] = {}

    def of(self, account: str, region: str) -> RegistrySettings:
        return self._found.setdefault((account, region), RegistrySettings())

    def clear(self) -> None:
        self._found.clear()
