"""Signature Version 4, checked as AWS checks it: the signature is computed again with botocore's own signer.

botocore stands at the top: its signer is a base class here, and only the sandbox's own process imports this module.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ecr_tui.sandbox.aws_http import HttpRequest

TOLERANCE = timedelta(minutes=15)
_STAMP = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)"
    r"/aws4_request,\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


class Reason(Enum):
    """Why a request is not accepted; each service has its own code for it."""

    MISSING = "missing"
    INCOMPLETE = "incomplete"
    UNKNOWN_KEY = "unknown key"
    MISMATCH = "mismatch"
    EXPIRED = "expired"


class SignatureRejected(Exception):
    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class _Signer(SigV4Auth):
    """Signs the headers which the client chose; botocore alone would skip some, such as user-agent."""

    def headers_to_sign(self, request: Any) -> Any:
        return request.headers


@dataclass(frozen=True)
class Scope:
    """Contents of the Authorization header, not verified yet."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


def scope_of(request: HttpRequest) -> Scope:
    """Raises :class:`SignatureRejected` (MISSING, INCOMPLETE)."""
    header = request.headers.get("authorization", "")
    if not header:
        raise SignatureRejected(Reason.MISSING, "Missing Authentication Token")
    found = _AUTHORIZATION.fullmatch(header.strip())
    if found is None:
        raise SignatureRejected(
            Reason.INCOMPLETE,
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' "
            "parameter. Authorization header requires 'SignedHeaders' parameter.",
        )
    return Scope(
        found["key"],
        found["date"],
        found["region"],
        found["service"],
        tuple(found["headers"].split(";")),
        found["signature"],
    )


def verify(request: HttpRequest, scope: Scope, secret: str, now: datetime) -> None:
    """Raises :class:`SignatureRejected` (MISMATCH, INCOMPLETE) unless ``secret`` signed exactly this request."""
    stamp = request.headers.get("x-amz-date", "")
    try:
        signed_at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise SignatureRejected(
            Reason.INCOMPLETE, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        ) from None
    _check_age(stamp, signed_at, now)
    if not {"host", "x-amz-date"} <= set(scope.signed_headers) or scope.date != stamp[:8]:
        raise _mismatch()
    if not hmac.compare_digest(_signature(request, scope, secret, stamp), scope.signature):
        raise _mismatch()


def _signature(request: HttpRequest, scope: Scope, secret: str, stamp: str) -> str:
    declared = request.headers.get("x-amz-content-sha256")
    if declared is not None and declared != hashlib.sha256(request.body).hexdigest():
        raise _mismatch()
    parts = urlsplit(request.target)
    query = f"?{parts.query}" if parts.query else ""
    signed = AWSRequest(
        method=request.method,
        url=f"http://{request.headers.get('host', '')}{parts.path or '/'}{query}",
        data=request.body,
        headers={name: request.headers.get(name, "") for name in scope.signed_headers},
    )
    signed.context["timestamp"] = stamp
    signer = _Signer(Credentials(scope.access_key, secret), scope.service, scope.region)
    text = signer.string_to_sign(signed, signer.canonical_request(signed))
    signature: str = signer.signature(text, signed)
    return signature


def _check_age(stamp: str, signed_at: datetime, now: datetime) -> None:
    minutes = int(TOLERANCE.total_seconds() // 60)
    if signed_at < now - TOLERANCE:
        raise SignatureRejected(
            Reason.MISMATCH,
            f"Signature expired: {stamp} is now earlier than {(now - TOLERANCE).strftime(_STAMP)} "
            f"({now.strftime(_STAMP)} - {minutes} min.)",
        )
    if signed_at > now + TOLERANCE:
        raise SignatureRejected(
            Reason.MISMATCH,
            f"Signature not yet current: {stamp} is still later than {(now + TOLERANCE).strftime(_STAMP)} "
            f"({now.strftime(_STAMP)} + {minutes} min.)",
        )


def _mismatch() -> SignatureRejected:
    return SignatureRejected(
        Reason.MISMATCH,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.",
    )
