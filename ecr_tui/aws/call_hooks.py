"""Record every API call of a botocore session in the session log (``ecr_tui.aws.calls``).

Event arguments contain credentials in headers and documents in bodies; only the fields named here are read.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecr_tui.aws import calls
from ecr_tui.aws.answers import is_throttling

if TYPE_CHECKING:
    from botocore.model import OperationModel

_STATE = "ecr_tui.call"

SHOWN = (
    "repositoryName",
    "repositoryNames",
    "resourceArn",
    "registryId",
    "registryIds",
    "prefixes",
    "tagKeys",
    "maxResults",
    "UserName",
    "RoleName",
    "GroupName",
    "PolicyName",
    "PolicyArn",
    "VersionId",
    "RoleArn",
    "RoleSessionName",
    "DurationSeconds",
    "roleName",
    "accountId",
    "ResourceTypeFilters",
    "ResourcesPerPage",
    "name",
    "authorizationId",
    "accessPreviewId",
    "analyzerArn",
)
"""Parameters whose values are shown, most descriptive first. All others are hidden: external ids, MFA codes, access
tokens, documents."""

_DROPPED = ("nextToken", "Marker", "PaginationToken")
"""Omitted from commands: the CLI paginates by itself."""

_NO_SUBJECT = ("maxResults", "ResourcesPerPage")


def record(events: Any, *, side: str, profile: str | None, note: str = "") -> None:
    """Register handlers with a botocore session's event emitter; its clients copy them.

    ``profile`` and ``note`` complete the commands (:func:`ecr_tui.aws.calls.aws_command`). All later calls of the
    session go to the current ``calls.LOG``.
    """
    log = calls.LOG

    def begin(params: Mapping[str, Any], model: OperationModel, context: dict[str, Any], **_: object) -> None:
        context[_STATE] = _State(model, dict(params), time.monotonic())

    def sent(request: Any, **_: object) -> None:
        state = request.context.get(_STATE)
        if state is not None:
            state.sent += 1

    def end(parsed: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
        answered(parsed, context)

    def answered(parsed: Mapping[str, Any], context: dict[str, Any]) -> None:
        metadata = parsed.get("ResponseMetadata", {})
        failed = metadata.get("HTTPStatusCode", 200) >= 300
        code = str(parsed.get("Error", {}).get("Code", "") or metadata["HTTPStatusCode"]) if failed else ""
        status = f"throttled ({code})" if is_throttling(code) else code or calls.OK
        # A missing policy is a valid response.
        absent = code.endswith("PolicyNotFoundException")
        write(
            context, f"none ({code})" if absent else status, str(metadata.get("RequestId", "")), ok=absent or not code
        )

    def broke(exception: Exception, context: dict[str, Any], **_: object) -> None:
        from botocore.exceptions import ClientError

        # An AWS response that a "needs-retry" handler raised, so that botocore does not retry.
        if isinstance(exception, ClientError):
            answered(exception.response, context)
            return
        # The exception's text may contain a URL with a signature, so only its name is recorded.
        write(context, type(exception).__name__, "", ok=False)

    def write(context: dict[str, Any], status: str, request_id: str, *, ok: bool) -> None:
        state: _State | None = context.pop(_STATE, None)
        if state is None:
            return
        region = str(context.get("client_region") or "")
        shown = {name: state.params[name] for name in SHOWN if name in state.params}
        log.add(
            state.model.service_model.service_name,
            state.model.name,
            seconds=time.monotonic() - state.started,
            status=status,
            ok=ok,
            side=side,
            region=region,
            subject=next((_subject(value) for name, value in shown.items() if name not in _NO_SUBJECT), ""),
            retries=max(state.sent - 1, 0),
            request_id=request_id,
            command=_command(state, shown, region, profile, note),
        )

    events.register("before-parameter-build", begin)
    events.register("request-created", sent)
    events.register("after-call", end)
    events.register("after-call-error", broke)


@dataclass(slots=True)
class _State:
    """State of a call in progress. ``params`` may contain secrets and is discarded with the call."""

    model: OperationModel
    params: dict[str, Any] = field(repr=False)
    started: float
    sent: int = 0


def _subject(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"{value[0]} +{len(value) - 1}" if len(value) > 1 else str(value[0]) if value else ""
    return str(value)


def _command(state: _State, shown: Mapping[str, Any], region: str, profile: str | None, note: str) -> str:
    from botocore import xform_name

    arguments: dict[str, str | list[str]] = {}
    for name in state.params:
        option = xform_name(name, "-")
        if name in shown:
            value = shown[name]
            arguments[option] = [str(one) for one in value] if isinstance(value, list | tuple) else str(value)
        elif name == "policyText":
            arguments[option] = "file://policy.json"
        elif name not in _DROPPED:
            # Placeholders: a word for a text, a file for a structure.
            arguments[option] = (
                xform_name(name).upper() if isinstance(state.params[name], str) else f"file://{option}.json"
            )
    return calls.aws_command(
        state.model.service_model.service_name,
        xform_name(state.model.name, "-"),
        arguments=arguments,
        region=region,
        profile=profile,
        # The role is assumed with the profile's own credentials.
        note="" if state.model.name == "AssumeRole" else note,
    )
