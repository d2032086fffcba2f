"""Settings: file < environment < flags, each value knowing where it came from. Nothing is ever written."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecr_tui.errors import InputError

ENGINES = ("auto", "docker", "direct")
DEFAULT = "default"

Tag = tuple[str, str]
Raw = Mapping[str, Any]
"""A layer of settings by field name; a missing, None, empty or False value leaves the layer below in force."""

_VARIABLES = {
    "profile_a": ("ECR_TUI_PROFILE_A",),
    "profile_b": ("ECR_TUI_PROFILE_B",),
    "regions": ("ECR_TUI_REGIONS", "ECR_TUI_REGION"),
    "tags": ("ECR_TUI_TAG",),
    "read_only": ("ECR_TUI_READ_ONLY",),
    "engine": ("ECR_TUI_ENGINE",),
    "state_dir": ("ECR_TUI_STATE_DIR",),
    "cache_dir": ("ECR_TUI_CACHE_DIR",),
}
_FLAGS = {
    "profile_a": "--profile-a",
    "profile_b": "--profile-b",
    "regions": "--region",
    "tags": "--tag",
    "read_only": "--read-only",
    "engine": "--engine",
}
_REGION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True)
class Settings:
    """What this run works with. ``regions`` () means the profile's own; ``state_dir`` and ``cache_dir`` None mean the
    platform's folders.

    ``origins`` tells for each field that was set where it came from: "--profile-a", "ECR_TUI_REGION", a file's path.
    """

    profile_a: str | None = None
    profile_b: str | None = None
    regions: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    read_only: bool = False
    engine: str = "auto"
    state_dir: Path | None = None
    cache_dir: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def origin(self, name: str) -> str:
        """Where the value of a field came from, "default" when nothing set it."""
        return self.origins.get(name, DEFAULT)

    @property
    def state_folder(self) -> Path:
        return self.state_dir or default_state_dir()

    @property
    def cache_folder(self) -> Path:
        return self.cache_dir or default_cache_dir()

    def changed(self, origin: str, **values: Any) -> Settings:
        """A copy with other values, such as a profile that was switched in the app. Values are final, not parsed."""
        from dataclasses import replace

        return replace(self, **values, origins={**self.origins, **dict.fromkeys(values, origin)})


def resolve(
    flags: Raw | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    file: Raw | None = None,
    file_name: str = "config file",
) -> Settings:
    """The settings of this run. Raises InputError that names the flag, variable or file with the unusable value.

    ``flags`` and ``file`` are keyed by field name; their values may be text or already of the field's type.
    Read-only is sticky: any layer can switch it on, none can switch it off again.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}

    def take(name: str, raw: Any, origin: str) -> None:
        if raw is None or raw in ("", (), [], {}):
            return
        value = _parse(name, raw, origin)
        if name == "read_only" and not value:
            return
        values[name], origins[name] = value, origin

    _check_names(file or {}, file_name)
    for name, raw in (file or {}).items():
        take(name, raw, file_name)
    for name, variables in _VARIABLES.items():
        variable = next((v for v in variables if environ.get(v)), None)
        if variable is not None:
            take(name, environ[variable], variable)
    for name, raw in (flags or {}).items():
        take(name, raw, _FLAGS.get(name, name))
    return Settings(**values, origins=origins)


def parse_tag(text: str, *, origin: str = "") -> Tag:
    """ "K=V" as a pair; the value may be empty or hold further "=". InputError otherwise.

    Limits are ECR's: a key of up to 128 characters, a value of up to 256.
    """
    key, equals, value = text.partition("=")
    prefix = f"{origin}: " if origin else ""
    if not equals or not key.strip():
        raise InputError(f"{prefix}{text!r} is no tag", hint="Write it as KEY=VALUE, for example Team=Payments.")
    key, value = key.strip(), value.strip()
    if len(key) > 128 or len(value) > 256:
        raise InputError(
            f"{prefix}the tag {key[:40]!r} is too long", hint="AWS allows 128 characters for a key and 256 for a value."
        )
    return key, value


def parse_tags(texts: Iterable[str], *, origin: str = "") -> tuple[Tag, ...]:
    """Several tags; the same key with two values is an InputError, because nothing can match both."""
    pairs: dict[str, str] = {}
    for text in texts:
        key, value = parse_tag(text, origin=origin)
        if pairs.setdefault(key, value) != value:
            prefix = f"{origin}: " if origin else ""
            raise InputError(f"{prefix}the tag {key!r} is given twice, as {pairs[key]!r} and as {value!r}")
    return tuple(pairs.items())


def default_state_dir() -> Path:
    """The platform's folder for state, such as ~/.local/state/ecr-tui."""
    import platformdirs

    return Path(platformdirs.user_state_dir("ecr-tui"))


def default_cache_dir() -> Path:
    """The platform's folder for what may be deleted at any time, such as ~/.cache/ecr-tui."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("ecr-tui"))


def _parse(name: str, raw: Any, origin: str) -> Any:
    if name == "regions":
        return tuple(dict.fromkeys(_region(part, origin) for part in _words(raw)))
    if name == "tags":
        if isinstance(raw, Mapping):
            return tuple((str(key), str(value)) for key, value in raw.items())
        if not isinstance(raw, str) and all(isinstance(pair, tuple) for pair in raw):
            return tuple(raw)
        return parse_tags(raw.split(",") if isinstance(raw, str) else raw, origin=origin)
    if name == "read_only":
        return raw if isinstance(raw, bool) else _bool(str(raw), origin)
    if name == "engine":
        return _choice(str(raw), ENGINES, origin)
    if name in ("state_dir", "cache_dir"):
        return Path(raw).expanduser()
    return str(raw)


def _words(raw: Any) -> list[str]:
    return re.split(r"[,\s]+", raw.strip()) if isinstance(raw, str) else [str(part) for part in raw]


def _region(text: str, origin: str) -> str:
    if not _REGION.fullmatch(text):
        raise InputError(f"{origin}: {text!r} is no AWS region", hint="A region looks like eu-central-1.")
    return text


def _bool(text: str, origin: str) -> bool:
    low = text.strip().lower()
    if low in _TRUE or low in _FALSE:
        return low in _TRUE
    raise InputError(f"{origin}: {text!r} is neither true nor false", hint="Use 1 or 0.")


def _choice(text: str, choices: tuple[str, ...], origin: str) -> str:
    if text in choices:
        return text
    close = difflib.get_close_matches(text, choices, n=1)
    raise InputError(
        f"{origin}: {text!r} is none of {', '.join(choices)}", hint=f"Did you mean {close[0]!r}?" if close else ""
    )


def _check_names(file: Raw, file_name: str) -> None:
    for name in file:
        if name not in _VARIABLES:
            close = difflib.get_close_matches(name, _VARIABLES, n=1)
            raise InputError(
                f"{file_name}: there is no setting {name!r}",
                hint=f"Did you mean {close[0]!r}?" if close else f"Known settings: {', '.join(_VARIABLES)}.",
            )
