"""Permissions boundaries of users, which moto keeps for roles only."""

from __future__ import annotations

from collections.abc import Mapping

from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.directory import BOUNDARY, Directory, boundary_of

OPERATIONS = ("PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary")


def change(directory: Directory, account: str, operation: str, params: Mapping[str, object]) -> None:
    """Raises ServiceError for a user or a policy that does not exist."""
    name = str(params.get("UserName", ""))
    user = directory.user(account, name)
    if user is None:
        raise ServiceError("NoSuchEntity", f"The user with name {name} cannot be found.", 404)
    if operation == "DeleteUserPermissionsBoundary":
        if not boundary_of(user):
            raise ServiceError("NoSuchEntity", f"The user with name {name} has no permissions boundary.", 404)
        delattr(user, BOUNDARY)
        return
    arn = str(params.get("PermissionsBoundary", ""))
    if arn not in directory.backend(account).managed_policies:
        raise ServiceError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    found = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
    setattr(user, BOUNDARY, found)
