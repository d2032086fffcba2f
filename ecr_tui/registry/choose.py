"""Select the engine of a verification."""

from __future__ import annotations

from ecr_tui.config import ENGINES
from ecr_tui.errors import EnvironmentFailure, InputError
from ecr_tui.registry.engine import Engine


def choose_engine(name: str = "auto", host: str = "") -> Engine:
    """ "auto": a container engine that answers within 3 s, else the direct one; ``description`` says which and why.

    ``host`` is the registry's: one on loopback (the sandbox) is unreachable for an engine in a virtual machine or
    another network namespace, so "auto" uses the direct one. "docker" always uses docker.

    Raises EnvironmentFailure if no engine answers for "docker", InputError for an unknown name.
    """
    if name not in ENGINES:
        raise InputError(f"unknown engine {name!r}", hint=f"Choose one of {', '.join(ENGINES)}.")
    if name == "direct":
        from ecr_tui.registry.direct import DirectEngine

        return DirectEngine()
    from ecr_tui.registry.docker_endpoints import PATIENT_SECONDS, PING_SECONDS
    from ecr_tui.registry.docker_engine import DockerEngine
    from ecr_tui.registry.wiring import is_loopback

    try:
        engine = DockerEngine.connect(PATIENT_SECONDS if name == "docker" else PING_SECONDS)
    except EnvironmentFailure as failure:
        if name == "docker":
            raise
        return _direct_because(f"{failure.title[:1].lower()}{failure.title[1:]}")
    if name == "auto" and host and is_loopback(host) and not engine.reaches_loopback:
        engine.close()
        return _direct_because(f"{engine.description} cannot reach this machine's {host}")
    return engine


def _direct_because(why: str) -> Engine:
    from ecr_tui.registry.direct import DirectEngine

    return DirectEngine(f"direct (registry protocol): {why}")
