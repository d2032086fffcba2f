from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event

import pytest

from ecr_tui.registry.engine import Credentials
from ecr_tui.registry.probe import ProbeImage, make_probe
from ecr_tui.secret import Secret
from tests.support.registry_backend import TOKEN, InMemoryBackend, Registry

REPOSITORY = "team/my-first-repo"


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend([REPOSITORY, "other", "frozen"], immutable=["frozen"])


@pytest.fixture
def registry(backend: InMemoryBackend) -> Iterator[Registry]:
    registry = Registry(backend)
    yield registry
    registry.close()


@pytest.fixture
def credentials() -> Credentials:
    return Credentials("AWS", Secret(TOKEN))


@pytest.fixture
def image() -> ProbeImage:
    return make_probe(datetime.now(UTC))


@pytest.fixture
def never() -> Event:
    """A cancel event that nobody sets."""
    return Event()
