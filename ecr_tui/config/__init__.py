"""Settings from file < environment < flags, with the origin of each value. Read-only."""

from __future__ import annotations

from ecr_tui.config.consumers import Consumer, consumer_named
from ecr_tui.config.file import ConfigFile, locate, read
from ecr_tui.config.safety import CONFIRMS, ProfileRule
from ecr_tui.config.settings import (
    DEFAULT,
    FLAGS,
    VARIABLES,
    Raw,
    Settings,
    default_cache_dir,
    default_state_dir,
    resolve,
)
from ecr_tui.config.values import ACCESSES, ENGINES, Tag, close_match, parse_tag, parse_tags

__all__ = [
    "ACCESSES",
    "CONFIRMS",
    "DEFAULT",
    "ENGINES",
    "FLAGS",
    "VARIABLES",
    "ConfigFile",
    "Consumer",
    "ProfileRule",
    "Raw",
    "Settings",
    "Tag",
    "close_match",
    "consumer_named",
    "default_cache_dir",
    "default_state_dir",
    "locate",
    "parse_tag",
    "parse_tags",
    "read",
    "resolve",
]
