"""Which engine a verification uses."""

from __future__ import annotations

from ecr_tui.errors import EnvironmentFailure, InputError
from ecr_tui.registry.engine import Engine

ENGINES = ("auto", "docker", "direct")


def choose_engine(name: str = "auto") -> Engine:
    """By "auto" a container engine that answers within 3 s, else the direct one; ``description`` says which and why.

    Raises EnvironmentFailure for "docker" where none answers, InputError for an unknown name.
    """
    if name not in ENGINES:
        raise InputError(f"there is no engine {name!r}", hint=f"Choose one of {', '.join(ENGINES)}.")
    if name == "direct":
        from ecr_tui.registry.direct import DirectEngine

        return DirectEngine()
    from ecr_tui.registry.docker_engine import DockerEngine

    try:
        return DockerEngine.connect()
    except EnvironmentFailure as failure:
        if name == "docker":
            raise
        from ecr_tui.registry.direct import DirectEngine

        title = failure.title[:1].lower() + failure.title[1:]
        return DirectEngine(f"the registry protocol itself: {title}")
