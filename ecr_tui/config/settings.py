"""The settings of a run, resolved from the layers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import platformdirs

from ecr_tui.config.consumers import Consumer, consumer_named, consumer_of
from ecr_tui.config.file import ConfigFile
from ecr_tui.config.safety import CONFIRMS, ProfileRule, Trait, trait_of
from ecr_tui.config.values import ACCESSES, Tag, parse
from ecr_tui.errors import InputError
from ecr_tui.policy.trusted import Trusted

DEFAULT = "default"

Part = Literal["a", "b"]
PARTS: tuple[Part, ...] = ("a", "b")

Raw = Mapping[str, Any]
"""A layer of settings by field name; a missing, None, empty or False value does not override lower layers."""

VARIABLES = {
    "profile_a": ("ECR_TUI_PROFILE_A",),
    "profile_b": ("ECR_TUI_PROFILE_B",),
    "regions": ("ECR_TUI_REGIONS", "ECR_TUI_REGION"),
    "tags": ("ECR_TUI_TAG",),
    "access": ("ECR_TUI_ACCESS",),
    "scope_tag": ("ECR_TUI_SCOPE_TAG",),
    "read_only": ("ECR_TUI_READ_ONLY",),
    "engine": ("ECR_TUI_ENGINE",),
    "theme": ("ECR_TUI_THEME",),
    "plain": ("ECR_TUI_PLAIN",),
    "reduced_motion": ("ECR_TUI_REDUCED_MOTION",),
    "state_dir": ("ECR_TUI_STATE_DIR",),
    "cache_dir": ("ECR_TUI_CACHE_DIR",),
}
FLAGS = {
    "profile_a": "--profile-a",
    "profile_b": "--profile-b",
    "consumer_name": "--consumer",
    "regions": "--region",
    "tags": "--tag",
    "read_only": "--read-only",
    "engine": "--engine",
    "theme": "--theme",
    "plain": "--plain",
}


@dataclass(frozen=True)
class Settings:
    """Settings of this run. ``regions`` () means the profile's; ``state_dir`` and ``cache_dir`` None mean the
    platform's folders; ``condition`` None follows ``scope_tag``, the tag whose value on the repository is the default
    condition of a grant in the interface ("": none); ``theme`` "" is the default; ``columns`` () means all that fit.

    ``read_only`` is the global switch; :attr:`read_only_reason` decides about a write. ``origins``: the origin of each
    set field: "--profile-a", "ECR_TUI_REGION", a file and line.
    """

    profile_a: str | None = None
    profile_b: str | None = None
    regions: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    read_only: bool = False
    engine: str = "auto"
    state_dir: Path | None = None
    cache_dir: Path | None = None
    access: str = ACCESSES[0]
    condition: tuple[Tag, ...] | None = None
    scope_tag: str = "Team"
    theme: str = ""
    plain: bool = False
    """No frames and no signs in the interface, one pane at a time; includes ``reduced_motion``."""
    reduced_motion: bool = False
    columns: tuple[str, ...] = ()
    rules: tuple[ProfileRule, ...] = ()
    named_consumers: tuple[Consumer, ...] = ()
    """From the file and this session; :attr:`consumers` has all."""
    consumer_name: str = ""
    """Selects one of those with ``profile_b``."""
    trusted: Trusted | None = None
    confirm: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Changed key bindings by id, as spelled in the file: ("G", "Ctrl+G"), () for no key."""
    file: ConfigFile | None = field(default=None, compare=False)
    default_profile: str = field(default=DEFAULT, compare=False)
    """The profile of AWS's own variables, used if none is set."""
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def origin(self, name: str) -> str:
        """The origin of a field's value, "default" if unset. Keys are under "keys.ID", confirmation rules under
        "confirm.WHAT"."""
        return self.origins.get(name, DEFAULT)

    @property
    def state_folder(self) -> Path:
        return self.state_dir or default_state_dir()

    @property
    def cache_folder(self) -> Path:
        return self.cache_dir or default_cache_dir()

    def changed(self, origin: str, **values: Any) -> Settings:
        """A copy with other values, such as a profile switched in the app. Values are not parsed."""
        return replace(self, **values, origins={**self.origins, **dict.fromkeys(values, origin)})

    # -- consumers -------------------------------------------------------------------------------------------------

    @property
    def consumer(self) -> Consumer | None:
        """The current consumer (account B), or None."""
        return consumer_of(self.named_consumers, self.profile_b, self.consumer_name)

    @property
    def consumers(self) -> tuple[Consumer, ...]:
        """All consumers, including the current one."""
        current = self.consumer
        if current is None or current in self.named_consumers:
            return self.named_consumers
        return (current, *self.named_consumers)

    def consuming(self, origin: str, name: str) -> Settings:
        """A copy with another current consumer. Raises InputError, prefixed by ``origin``, for an unknown name."""
        consumer = consumer_named(self.consumers, name, origin)
        return self.changed(
            origin,
            named_consumers=self.consumers,
            consumer_name=consumer.name,
            profile_b=consumer.profile,
        )

    # -- safety ------------------------------------------------------------------------

    def profile(self, part: Part) -> str:
        """The name of the profile in use, AWS's default if none is set."""
        return (self.profile_a if part == "a" else self.profile_b) or self.default_profile

    @property
    def read_only_reason(self) -> str:
        """Why writes with the current profile A are blocked, as a sentence; "" if allowed."""
        if self.read_only:
            return _switched_on(self.origin("read_only"))
        return self._profile_reason("a", "read_only", "is read-only")

    @property
    def push_refusal(self) -> str:
        """As :attr:`read_only_reason`, also for pushing an image as account B."""
        reason = self.read_only_reason
        if reason or self.profile_b is None:
            return reason
        return self._profile_reason("b", "read_only", "is read-only")

    def check_writable(self, what: str, *, pushing: bool = False, hint: str = "") -> None:
        """Check before every write: raises InputError with ``what`` and the reason in read-only mode."""
        reason = self.push_refusal if pushing else self.read_only_reason
        if reason:
            raise InputError(f"read-only: {what}", hint=f"{reason} {hint}".strip())

    def is_production(self, part: Part) -> bool:
        return bool(self._production(part))

    @property
    def production_reason(self) -> str:
        """The production profile in use, as a sentence; "" if none. Every write then needs confirmation."""
        return self._production("a") or self._production("b")

    @property
    def production_profile(self) -> str:
        """Its name; "" for none."""
        return next((self.profile(part) for part in PARTS if self.is_production(part)), "")

    def confirms(self, what: str) -> bool:
        """Whether ``what`` (a key of ``CONFIRMS``) needs confirmation even without a risk."""
        return bool(self.production_reason) or self.confirm.get(what, CONFIRMS[what][0]) == "always"

    def _production(self, part: Part) -> str:
        if part == "b" and self.profile_b is None:
            return ""
        return self._profile_reason(part, "production", "is a production profile")

    def _profile_reason(self, part: Part, trait: Trait, words: str) -> str:
        name = self.profile(part)
        origin = trait_of(self.rules, name, trait)
        return "" if origin is None else f"Profile {name} {words} ({origin})."


def resolve(
    flags: Raw | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    file: ConfigFile | None = None,
) -> Settings:
    """The settings of this run. Raises InputError with the flag, variable or line of an invalid value.

    ``flags`` are keyed by field name; their values may be text or already of the field's type.
    Read-only is sticky: any layer can enable it, none can disable it.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}

    def take(name: str, raw: Any, origin: str) -> None:
        if raw is None or (raw in ("", (), [], {}) and name not in ("condition", "scope_tag")):
            return
        value = parse(name, raw, origin)
        if name == "read_only" and not value:
            return
        values[name], origins[name] = value, origin

    if file is not None:
        for name, raw in file.values.items():
            take(name, raw, file.origins[name])
        values |= {"rules": file.rules, "named_consumers": file.consumers, "confirm": file.confirm}
        values["trusted"] = file.trusted
        values |= {"keys": file.keys, "file": file}
        origins |= {name: origin for name, origin in file.origins.items() if "." in name}
    for name, variables in VARIABLES.items():
        variable = next((v for v in variables if environ.get(v)), None)
        if variable is not None:
            take(name, environ[variable], variable)
    for name, raw in (flags or {}).items():
        take(name, raw, FLAGS.get(name, name))
    wanted = values.pop("consumer_name", "")
    default = environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE") or DEFAULT
    settings = Settings(**values, default_profile=default, origins=origins)
    return _with_consumer(settings, wanted, flags or {})


def _with_consumer(settings: Settings, wanted: str, flags: Raw) -> Settings:
    """The consumer that ``--consumer`` names; else the one of profile B; else the file's first."""
    if not wanted:
        if settings.profile_b is not None or not settings.named_consumers:
            return settings
        first = settings.named_consumers[0]
        origin = settings.origin(f"consumers.{first.name}.{'profile' if first.profile else 'name'}")
        return settings.consuming(origin, first.name)
    flag, given = FLAGS["consumer_name"], flags.get("profile_b")
    found = settings.consuming(flag, wanted)
    if given and found.profile_b != given:
        its = f"has profile {found.profile_b}" if found.profile_b else "has no profile"
        raise InputError(
            f"{flag} {wanted} and {FLAGS['profile_b']} {given} exclude each other: {wanted} {its}",
            hint="Remove one of them.",
        )
    return found


def default_state_dir() -> Path:
    """The platform's folder for state, such as ~/.local/state/ecr-tui."""
    return Path(platformdirs.user_state_dir("ecr-tui"))


def default_cache_dir() -> Path:
    """The platform's cache folder, such as ~/.cache/ecr-tui; may be deleted at any time."""
    return Path(platformdirs.user_cache_dir("ecr-tui"))


def _switched_on(origin: str) -> str:
    if origin.startswith("--"):
        return f"Start without {origin} to write."
    if origin in VARIABLES["read_only"]:
        return f"Unset {origin} to write."
    return "Restart without read-only to write." if origin == DEFAULT else f"Change read-only in {origin} to write."
