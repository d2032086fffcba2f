"""All failures between login and pull, in the order in which they are tried: the first that fits a record counts.

What fails on the machine at hand comes first, since other words follow from it; then AWS's credentials, what other
services and registries say, the repository's state, the network, and last the refusals that give no reason.
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
"""Every failure by its words."""

BY_ID = {failure.id: failure for failure in CATALOGUE}
BY_CODE = {code.lower(): failure for failure in CATALOGUE for code in failure.codes}
"""AWS's error codes, lower case, and what each means."""
