"""Docker Registry HTTP API V2 as ECR speaks it: authentication, one ECR action a request, blobs, manifests.

Transport-free: :meth:`RegistryApp.handle` takes a :class:`Request` and gives a :class:`Response`;
``registry_http`` puts it on a socket. Who may do what, and the records of images, are the backend's.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ecr_tui.sandbox.backend import Caller, RegistryBackend, RepositoryMissing, TagImmutable, TokenRejected
from ecr_tui.sandbox.blobs import BlobStore, BlobTooLarge, DigestMismatch, OffsetMismatch, UploadMissing, is_digest
from ecr_tui.sandbox.manifests import ManifestInvalid, MissingContent, check_manifest, digest_of

MAX_MANIFEST = 4 * 1024 * 1024
_MANIFEST_TOO_LONG = (
    "Invalid parameter at 'imageManifest' failed to satisfy constraint: "
    f"'Member must have length less than or equal to {MAX_MANIFEST}'"
)

_ROUTES = (
    ("uploads", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/?")),
    ("upload", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<ref>[^/]+)")),
    ("blob", re.compile(r"/v2/(?P<name>.+)/blobs/(?P<ref>[^/]+)")),
    ("manifest", re.compile(r"/v2/(?P<name>.+)/manifests/(?P<ref>[^/]+)")),
    ("tags", re.compile(r"/v2/(?P<name>.+)/tags/list")),
)


@dataclass
class Request:
    """``target`` is the path with its query; ``headers`` have lower-case names; ``chunks`` yields the body."""

    method: str
    target: str
    headers: Mapping[str, str]
    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))

    def body(self, limit: int) -> bytes:
        data = bytearray()
        for chunk in self.chunks:
            data += chunk
            if len(data) > limit:
                raise BlobTooLarge(f"at most {limit} bytes are accepted here")
        return bytes(data)


@dataclass
class Response:
    """``length`` is the Content-Length of an answer to HEAD, whose body is empty."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    length: int | None = None


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str, detail: object = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail


class RegistryApp:
    """One account's registry in one region. Thread-safe as far as backend and store are."""

    def __init__(self, backend: RegistryBackend, blobs: BlobStore) -> None:
        self.backend = backend
        self.blobs = blobs

    def handle(self, request: Request) -> Response:
        try:
            response = self._dispatch(request)
        except _Refused as refused:
            response = error_response(refused.status, refused.code, refused.message, refused.detail)
        except UploadMissing as missing:
            response = error_response(404, "BLOB_UPLOAD_UNKNOWN", f"blob upload unknown to registry: {missing}")
        except OffsetMismatch as mismatch:
            response = Response(416, {"Range": f"0-{max(mismatch.size - 1, 0)}"})
        except DigestMismatch as mismatch:
            response = error_response(
                400, "DIGEST_INVALID", f"provided digest did not match uploaded content: {mismatch}"
            )
        except BlobTooLarge as large:
            response = error_response(413, "SIZE_INVALID", str(large))
        if request.method == "HEAD":
            response.length = len(response.body) if response.length is None else response.length
            if response.status >= 400:
                response.length = 0
                response.headers.pop("Content-Type", None)
            response.body = b""
        return response

    def _dispatch(self, request: Request) -> Response:
        url = urlsplit(request.target)
        path = unquote(url.path)
        query = {key: values[-1] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
        if path != "/v2" and not path.startswith("/v2/"):
            raise _Refused(404, "UNSUPPORTED", "this is a registry: its API is below /v2/")
        caller = self._authenticate(request)
        if isinstance(caller, Response):
            return caller
        if path in ("/v2", "/v2/"):
            if request.method not in ("GET", "HEAD"):
                raise _unsupported()
            return Response(200, {"Content-Type": "application/json; charset=utf-8"}, b"{}")
        for kind, pattern in _ROUTES:
            match = pattern.fullmatch(path)
            if match is not None:
                visit = _Visit(self, caller, request, query, match["name"])
                return visit.run(kind, match.groupdict().get("ref") or "")
        raise _unsupported()

    def _authenticate(self, request: Request) -> Caller | Response:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic" or not encoded.strip():
            realm = f"https://{request.headers.get('host', self.backend.account)}/"
            challenge = f'Basic realm="{realm}",service="ecr.amazonaws.com"'
            return Response(401, {"Www-Authenticate": challenge, "Content-Type": "text/plain"}, b"Not Authorized\n")
        try:
            user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
        try:
            if user != "AWS":
                raise TokenRejected(expired=False)
            return self.backend.resolve_token(password)
        except TokenRejected as rejected:
            if rejected.expired:
                raise _Refused(
                    403,
                    "DENIED",
                    "Your Authorization Token has expired. Please run 'aws ecr get-login-password' to fetch a new one.",
                ) from None
            # ECR answers 400, not 401, to a password that is no token (aws/aws-cli#5317).
            raise _Refused(400, "UNAUTHORIZED", "Your authorization token is not valid.") from None


class _Visit:
    """One authenticated request to one repository."""

    def __init__(self, app: RegistryApp, caller: Caller, request: Request, query: dict[str, str], name: str) -> None:
        self.backend = app.backend
        self.blobs = app.blobs
        self.caller = caller
        self.request = request
        self.query = query
        self.name = name

    def run(self, kind: str, reference: str) -> Response:
        method = self.request.method
        reading = method in ("GET", "HEAD")
        if kind == "blob" and method == "HEAD":
            return self._read_blob(reference, "ecr:BatchCheckLayerAvailability")
        if kind == "blob" and method == "GET":
            return self._read_blob(reference, "ecr:GetDownloadUrlForLayer")
        if kind == "manifest" and reading:
            return self._read_manifest(reference)
        if kind == "manifest" and method == "PUT":
            return self._put_manifest(reference)
        if kind == "manifest" and method == "DELETE":
            return self._delete_manifest(reference)
        if kind == "tags" and reading:
            return self._list_tags()
        if kind == "uploads" and method == "POST":
            return self._start_upload()
        if kind == "upload" and method in ("PATCH", "PUT", "GET", "DELETE"):
            return {"PATCH": self._patch, "PUT": self._finish, "GET": self._status, "DELETE": self._cancel}[method](
                reference
            )
        raise _unsupported()

    def _allow(self, *actions: str) -> None:
        """Authorisation first, existence second: a stranger cannot learn which repositories there are."""
        for action in actions:
            denial = self.backend.denial(self.caller, action, self.name)
            if denial is not None:
                raise _Refused(403, "DENIED", denial)
        if not self.backend.has_repository(self.name):
            raise self._missing()

    def _missing(self) -> _Refused:
        return _Refused(
            404,
            "NAME_UNKNOWN",
            f"The repository with name '{self.name}' does not exist in the registry with id '{self.backend.account}'",
            {"name": self.name},
        )

    # Blobs

    def _read_blob(self, digest: str, action: str) -> Response:
        self._allow(action)
        if not is_digest(digest):
            raise _Refused(400, "DIGEST_INVALID", f"invalid digest: {digest}")
        data = self.blobs.get(self.name, digest)
        if data is None:
            raise _Refused(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})
        headers = {
            "Content-Type": "application/octet-stream",
            "Docker-Content-Digest": digest,
            "Accept-Ranges": "bytes",
        }
        part = _range(self.request.headers.get("range", ""), len(data)) if self.request.method == "GET" else None
        if part is None:
            return Response(200, headers, data)
        first, last = part
        if first > last:
            return Response(416, {"Content-Range": f"bytes */{len(data)}"})
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        return Response(206, headers, data[first : last + 1])

    def _start_upload(self) -> Response:
        self._allow("ecr:InitiateLayerUpload")
        source, mounted = self.query.get("from", ""), self.query.get("mount", "")
        if source and mounted and self._readable(source) and self.blobs.mount(source, self.name, mounted):
            return self._created(mounted)
        digest = self.query.get("digest", "")
        if not digest:
            return self._accepted(self.blobs.start(self.name), 0)
        self._allow("ecr:UploadLayerPart", "ecr:CompleteLayerUpload")
        upload = self.blobs.start(self.name)
        self._receive(upload)
        self.blobs.finish(self.name, upload, digest)
        return self._created(digest)

    def _readable(self, source: str) -> bool:
        actions = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer")
        return self.backend.has_repository(source) and all(
            self.backend.denial(self.caller, action, source) is None for action in actions
        )

    def _patch(self, upload: str) -> Response:
        self._allow("ecr:UploadLayerPart")
        self.blobs.uploaded(self.name, upload)
        return self._accepted(upload, self._receive(upload))

    def _finish(self, upload: str) -> Response:
        self._allow("ecr:CompleteLayerUpload")
        self.blobs.uploaded(self.name, upload)
        digest = self.query.get("digest", "")
        if not is_digest(digest):
            raise _Refused(400, "DIGEST_INVALID", f"provided digest did not match uploaded content: {digest!r}")
        first = next(self.request.chunks, b"")
        if first:
            self._allow("ecr:UploadLayerPart")
            self.request.chunks = itertools.chain([first], self.request.chunks)
            self._receive(upload)
        self.blobs.finish(self.name, upload, digest)
        return self._created(digest)

    def _status(self, upload: str) -> Response:
        self._allow("ecr:UploadLayerPart")
        size = self.blobs.uploaded(self.name, upload)
        return Response(204, self._upload_headers(upload, size))

    def _cancel(self, upload: str) -> Response:
        self._allow("ecr:UploadLayerPart")
        self.blobs.cancel(self.name, upload)
        return Response(204)

    def _receive(self, upload: str) -> int:
        """Append the whole body, where its Content-Range (if any) says. An upload that grows too large is gone."""
        size = self.blobs.append(self.name, upload, b"", _offset(self.request.headers.get("content-range", "")))
        try:
            for chunk in self.request.chunks:
                size = self.blobs.append(self.name, upload, chunk)
        except BlobTooLarge:
            self.blobs.cancel(self.name, upload)
            raise
        return size

    def _created(self, digest: str) -> Response:
        return Response(
            201, {"Location": f"/v2/{quote(self.name)}/blobs/{quote(digest)}", "Docker-Content-Digest": digest}
        )

    def _accepted(self, upload: str, size: int) -> Response:
        return Response(202, self._upload_headers(upload, size))

    def _upload_headers(self, upload: str, size: int) -> dict[str, str]:
        return {
            "Location": f"/v2/{quote(self.name)}/blobs/uploads/{upload}",
            "Range": f"0-{max(size - 1, 0)}",
            "Docker-Upload-Uuid": upload,
        }

    # Manifests

    def _read_manifest(self, reference: str) -> Response:
        self._allow("ecr:BatchGetImage")
        stored = self.backend.manifest(self.name, reference, pull=self.request.method == "GET")
        if stored is None:
            raise _Refused(404, "MANIFEST_UNKNOWN", "Requested image not found", {"reference": reference})
        return Response(200, {"Content-Type": stored.media_type, "Docker-Content-Digest": stored.digest}, stored.body)

    def _put_manifest(self, reference: str) -> Response:
        self._allow("ecr:PutImage")
        try:
            body = self.request.body(MAX_MANIFEST)
            media_type = check_manifest(
                body,
                self.request.headers.get("content-type", ""),
                has_blob=lambda digest: self.blobs.size(self.name, digest) is not None,
                has_manifest=lambda digest: self.backend.manifest(self.name, digest) is not None,
            )
        except BlobTooLarge:
            raise _Refused(405, "UNSUPPORTED", _MANIFEST_TOO_LONG) from None
        except MissingContent as missing:
            raise _Refused(
                404 if missing.is_layer else 400, missing.code, missing.text(self.name, self.backend.account)
            ) from None
        except ManifestInvalid as invalid:
            raise _Refused(405, "UNSUPPORTED", str(invalid)) from None
        if ":" in reference and reference != digest_of(body):
            raise _Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        try:
            digest = self.backend.put_manifest(self.name, reference, media_type, body)
        except RepositoryMissing:
            raise self._missing() from None
        except TagImmutable:
            raise _Refused(
                400,
                "TAG_INVALID",
                f"The image tag '{reference}' already exists in the '{self.name}' repository "
                "and cannot be overwritten because the repository is immutable.",
            ) from None
        return Response(
            201, {"Location": f"/v2/{quote(self.name)}/manifests/{digest}", "Docker-Content-Digest": digest}
        )

    def _delete_manifest(self, reference: str) -> Response:
        self._allow("ecr:BatchDeleteImage")
        if not self.backend.delete_manifest(self.name, reference):
            raise _Refused(404, "MANIFEST_UNKNOWN", "Requested image not found", {"reference": reference})
        return Response(202)

    def _list_tags(self) -> Response:
        self._allow("ecr:ListImages")
        last = self.query.get("last", "")
        tags = [tag for tag in self.backend.tags(self.name) if tag > last]
        count = self.query.get("n", "")
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if count:
            if not count.isdecimal():
                raise _Refused(400, "PAGINATION_NUMBER_INVALID", f"invalid number of results requested: {count!r}")
            page = tags[: int(count)]
            if page and len(page) < len(tags):
                link = f"/v2/{quote(self.name)}/tags/list?last={quote(page[-1], safe='')}&n={count}"
                headers["Link"] = f'<{link}>; rel="next"'
            tags = page
        return Response(200, headers, json.dumps({"name": self.name, "tags": tags}).encode())


def _unsupported() -> _Refused:
    return _Refused(405, "UNSUPPORTED", "The operation is unsupported.")


def error_response(status: int, code: str, message: str, detail: object = None) -> Response:
    error = {"code": code, "message": message} | ({} if detail is None else {"detail": detail})
    body = json.dumps({"errors": [error]}).encode()
    return Response(status, {"Content-Type": "application/json; charset=utf-8"}, body)


def _offset(content_range: str) -> int | None:
    """Where a chunk starts: "0-499" as the registry writes it, or "bytes 0-499/*" as HTTP does."""
    match = re.match(r"\s*(?:bytes\s+)?(\d+)-\d+", content_range)
    return int(match[1]) if match else None


def _range(header: str, size: int) -> tuple[int, int] | None:
    """The one range asked for, None for the whole; first > last when it cannot be satisfied."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(size - int(match[2]), 0), size - 1
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    return int(match[1]), last
