"""All failures between login and pull, in matching order: the first match of a record wins.

Failures of the local machine come first, because they cause others; then AWS credentials, other services and
registries, the repository's state, the network, and last denials without a reason.
"""

from __future__ import annotations

from ecr_tui.diagnosis.catalogue.accounts import ACCOUNTS, TOKENS
from ecr_tui.diagnosis.catalogue.clients import CLIENTS, STORES
from ecr_tui.diagnosis.catalogue.denials import DENIALS
from ecr_tui.diagnosis.catalogue.network import NETWORKS
from ecr_tui.diagnosis.catalogue.refusals import REFUSALS
from ecr_tui.diagnosis.catalogue.registries import OTHERS
from ecr_tui.diagnosis.catalogue.repositories import POLICIES, REPOSITORIES
from ecr_tui.diagnosis.catalogue.services import SERVICES
from ecr_tui.diagnosis.failure import Failure

CATALOGUE: tuple[Failure, ...] = (
    *STORES,
    *CLIENTS,
    *DENIALS,
    *SERVICES,
    *POLICIES,
    *OTHERS,
    *ACCOUNTS,
    *TOKENS,
    *REPOSITORIES,
    *NETWORKS,
    *REFUSALS,
)
"""Every failure matched by text."""

BY_ID = {failure.id: failure for failure in CATALOGUE}
BY_CODE = {code.lower(): failure for failure in CATALOGUE for code in failure.codes}
"""Failures by lower-case AWS error code."""
