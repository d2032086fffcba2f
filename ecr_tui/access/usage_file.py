"""The record of an account's trail in a region, kept in the state folder, so that only new events are read.

One private file, replaced as a whole. Contains names of principals and repositories, times, counts, and AWS's messages
for denials; no credentials or addresses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecr_tui.access.usage import Attempt, Kind, Range, Refused, Span, Tally, Use
from ecr_tui.access.usage_reading import Record
from ecr_tui.aws.trail import Caller
from ecr_tui.config.folders import replace_private
from ecr_tui.errors import EnvironmentFailure

FORMAT = 1
_HINT = "Make it writable, or use another folder with ECR_TUI_STATE_DIR."


def path_of(folder: Path, account: str, region: str) -> Path:
    name = "".join(letter if letter.isalnum() or letter == "-" else "_" for letter in f"{account}-{region}")
    return folder / f"usage-{name}.json"


def load(folder: Path, account: str, region: str) -> tuple[Record, str]:
    """(the record, a sentence about a damaged file or ""). An empty record if there is none.

    Raises EnvironmentFailure for an unreadable file, or one of a newer version.
    """
    path = path_of(folder, account, region)
    try:
        value = json.loads(path.read_text("utf-8"))
        version = value["v"]
        if isinstance(version, int) and version > FORMAT:
            raise EnvironmentFailure(
                f"a newer version of ecr-tui wrote {path}",
                hint="Update ecr-tui, or delete the file to read the events again.",
            )
        return _record(value, account, region), ""
    except FileNotFoundError:
        return Record(account, region), ""
    except OSError as error:
        raise EnvironmentFailure(f"cannot read {path}", detail=error.strerror or str(error), hint=_HINT) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Record(account, region), f"{path} was damaged; the events are read again"


def save(folder: Path, record: Record) -> None:
    """Raises EnvironmentFailure."""
    path = path_of(folder, record.account, record.region)
    value = {
        "v": FORMAT,
        "account": record.account,
        "region": record.region,
        "at": None if record.at is None else _time(record.at),
        "covered": [_range(one) for one in record.covered],
        "settled": _tally(record.settled),
        "latest": None if record.latest is None else _range(record.latest),
        "recent": _tally(record.recent),
        "unreadable": record.unreadable,
    }
    try:
        replace_private(path, [json.dumps(value, separators=(",", ":"))])
    except OSError as error:
        raise EnvironmentFailure(f"cannot write {path}", detail=error.strerror or str(error), hint=_HINT) from error


def _record(value: Any, account: str, region: str) -> Record:
    if (value["v"], value["account"], value["region"]) != (FORMAT, account, region):
        raise ValueError("another format, account or region")
    return Record(
        account,
        region,
        tuple(map(_read_range, value["covered"])),
        _read_tally(value["settled"]),
        None if value["latest"] is None else _read_range(value["latest"]),
        _read_tally(value["recent"]),
        int(value["unreadable"]),
        None if value["at"] is None else _read_time(value["at"]),
    )


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "uses": [[*use.caller, use.repository, use.kind.value, *_span(span)] for use, span in tally.uses.items()],
        "denials": [
            [*one.caller, one.repository, one.operation, refused.message, *_span(refused.span), one.check]
            for one, refused in tally.denials.items()
        ],
    }


def _read_tally(value: Any) -> Tally:
    found = Tally()
    for row in value["uses"]:
        account, arn, identifier, service, repository, kind = _texts(row[:6])
        caller = Caller(account, arn, identifier, service)
        found.uses[Use(caller, repository, Kind(kind))] = _read_span(row[6:9])
    for row in value["denials"]:
        account, arn, identifier, service, repository, operation, message = _texts(row[:7])
        attempt = Attempt(Caller(account, arn, identifier, service), repository, operation, row[10] is True)
        found.denials[attempt] = Refused(_read_span(row[7:10]), message)
    return found


def _texts(values: Sequence[Any]) -> list[str]:
    if not all(isinstance(one, str) for one in values):
        raise TypeError("not a text")
    return list(values)


def _span(span: Span) -> tuple[int, int, int]:
    return _time(span.first), _time(span.last), span.number


def _read_span(value: Sequence[Any]) -> Span:
    first, last, count = value
    return Span(_read_time(first), _read_time(last), int(count))


def _range(value: Range) -> tuple[int, int]:
    return _time(value[0]), _time(value[1])


def _read_range(value: Sequence[Any]) -> Range:
    start, end = value
    return _read_time(start), _read_time(end)


def _time(value: datetime) -> int:
    return int(value.timestamp())


def _read_time(value: Any) -> datetime:
    return datetime.fromtimestamp(value, UTC)
