"""Assume a role with a profile's credentials, without an entry in a config file."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from ecr_tui.aws.model import RoleToAssume

if TYPE_CHECKING:
    from botocore.session import Session as CoreSession

SESSION_NAME = "ecr-tui"
"""Session name in CloudTrail and GetCallerIdentity."""


def assume(
    core: CoreSession, role: RoleToAssume, ask_code: Callable[[str], str], *, cache: MutableMapping[str, Any]
) -> None:
    """Replace ``core``'s credentials by those of ``role``, renewed by botocore before they expire.

    ``ask_code`` gets the MFA device and returns its code. The previous chain becomes the source of credentials.
    """
    from botocore.credentials import (
        AssumeRoleCredentialFetcher,
        CredentialProvider,
        CredentialResolver,
        DeferredRefreshableCredentials,
        create_mfa_serial_refresher,
    )
    from botocore.exceptions import NoCredentialsError

    source_chain = core.get_component("credential_provider")

    class InMemory(CredentialProvider):
        METHOD = "assume-role"
        CANONICAL_NAME = "ecr-tui"

        def load(self) -> Any:
            source = source_chain.load_credentials()
            if source is None:
                raise NoCredentialsError
            extra = {"RoleSessionName": SESSION_NAME}
            if role.external_id:
                extra["ExternalId"] = role.external_id
            if role.mfa_serial:
                extra["SerialNumber"] = role.mfa_serial
            fetcher = AssumeRoleCredentialFetcher(
                client_creator=core.create_client,
                source_credentials=source,
                role_arn=role.arn,
                extra_args=extra,
                mfa_prompter=lambda _: ask_code(role.mfa_serial),
                cache=cache,  # type: ignore[arg-type]
            )
            refresh = fetcher.fetch_credentials
            return DeferredRefreshableCredentials(
                method=self.METHOD,
                refresh_using=create_mfa_serial_refresher(refresh) if role.mfa_serial else refresh,
            )

    core.register_component("credential_provider", CredentialResolver(providers=[InMemory()]))
