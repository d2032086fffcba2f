"""Remove everything from a botocore session that prompts on the terminal or waits without a limit.

botocore has no settings for these, so the providers of its credential chain are changed in place; tests check every
private name used here.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.session import Session as CoreSession

PROCESS_TIMEOUT = 60
"""Seconds for a credential_process: helpers may wait for a fingerprint or a browser."""
_METADATA_TIMEOUT = 1

Cache = MutableMapping[str, Any]


def tame(core: CoreSession, ask_code: Callable[[str], str], *, cache: Cache) -> None:
    """Change ``core``'s credential chain. ``ask_code`` gets the MFA device's ARN and returns the code.

    Outside EC2, packets to the metadata service are dropped: one attempt of one second, regardless of the config. SSO
    needs no change: botocore never opens a browser, it only reads and renews the CLI's cached token.
    """
    from botocore.credentials import ProcessProvider

    core.set_config_variable("metadata_service_timeout", _METADATA_TIMEOUT)
    core.set_config_variable("metadata_service_num_attempts", 1)
    chain = core.get_component("credential_provider")

    def load_config() -> Any:
        return core.full_config

    def process_provider(profile_name: str) -> ProcessProvider:
        return ProcessProvider(profile_name=profile_name, load_config=load_config, popen=BoundedProcess)

    assume = chain.get_provider("assume-role")
    assume._prompter = lambda prompt: ask_code(_device(prompt))
    assume.cache = cache
    # Creates the providers of a source_profile, which are not in the chain itself.
    assume._profile_provider_builder._create_process_provider = process_provider
    chain.get_provider("custom-process")._popen = BoundedProcess


class BoundedProcess(subprocess.Popen[bytes]):
    """A credential_process without a terminal to ask on, ended after :data:`PROCESS_TIMEOUT`."""

    def __init__(self, args: list[str], **kwargs: Any) -> None:
        # A new session has no controlling terminal, so /dev/tty cannot be opened either.
        super().__init__(args, stdin=subprocess.DEVNULL, start_new_session=True, **kwargs)

    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:
        try:
            return super().communicate(input, PROCESS_TIMEOUT if timeout is None else timeout)
        except subprocess.TimeoutExpired as exc:
            self.kill()
            super().communicate()
            from botocore.exceptions import CredentialRetrievalError

            raise CredentialRetrievalError(
                provider="custom-process", error_msg=f"credential_process did not answer within {exc.timeout:g} s"
            ) from None


class AssumedRoles(MutableMapping[str, Any]):
    """Credentials of assumed roles: kept in memory, and read (never written) from the AWS CLI's own cache.

    So an MFA code just entered in the AWS CLI is not needed again.
    """

    def __init__(self) -> None:
        self._own: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __getitem__(self, key: str) -> Any:
        with self._lock:
            if key in self._own:
                return self._own[key]
        return self._cli()[key]

    def __contains__(self, key: object) -> bool:
        with self._lock:
            if key in self._own:
                return True
        try:
            return key in self._cli() and bool(self._cli()[str(key)]["Credentials"]["Expiration"])
        except (KeyError, TypeError, ValueError, OSError):
            return False

    def __setitem__(self, key: str, value: Any) -> None:
        with self._lock:
            self._own[key] = value

    def __delitem__(self, key: str) -> None:
        with self._lock:
            self._own.pop(key, None)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._own))

    def __len__(self) -> int:
        return len(self._own)

    @staticmethod
    def _cli() -> Any:
        from botocore.utils import JSONFileCache

        return JSONFileCache(os.path.expanduser(os.path.join("~", ".aws", "cli", "cache")))


_caches: dict[tuple[str | None, str | None], AssumedRoles] = {}
_caches_lock = threading.Lock()


def assumed_roles(profile: str | None) -> AssumedRoles:
    """The cache of a profile of the current AWS config, shared by all sessions of this process."""
    key = (os.environ.get("AWS_CONFIG_FILE"), profile)
    with _caches_lock:
        return _caches.setdefault(key, AssumedRoles())


def _device(prompt: str) -> str:
    """The serial in botocore's "Enter MFA code for arn:aws:iam::111111111111:mfa/me: "."""
    return prompt.removeprefix("Enter MFA code for ").rstrip().removesuffix(":")
