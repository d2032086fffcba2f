"""Long lists in answers of AWS as they came: botocore walks through its model for every field of every entry.

For a page of 1,000 repositories that takes 16 ms, three quarters of a listing's work, during which an interface in the
same process waits for its turn. The lists named here are flat and hold nothing to convert but times, which stay
numbers (seconds since 1970). botocore's own "before-parse" event is what lets an answer be read first; where it does
not come, or an answer is no JSON, botocore does what it always does.
"""

from __future__ import annotations

import json
from typing import Any

_LISTS = {
    "ecr": (("DescribeRepositories", "repositories"),),
    "resourcegroupstaggingapi": (("GetResources", "ResourceTagMappingList"),),
}


def prefer_plain_lists(client: Any, service: str) -> None:
    """``client`` of boto3; entries of the lists above are plain dictionaries from now on."""
    for operation, name in _LISTS.get(service, ()):
        service_id = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register(f"before-parse.{service_id}.{operation}", _Plain(name))


class _Plain:
    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
        if response_dict.get("status_code") != 200:
            return
        try:
            answer = json.loads(response_dict["body"])
            entries = answer.pop(self._name)
        except (KeyError, ValueError, TypeError, AttributeError):
            return
        if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
            customized_response_dict[self._name] = entries
            response_dict["body"] = json.dumps(answer).encode()
