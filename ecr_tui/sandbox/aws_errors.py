"""How AWS says no: one exception for all services, written as JSON or XML by the front."""

from __future__ import annotations


class ServiceError(Exception):
    """``code`` is AWS's error code, such as "RepositoryNotFoundException"."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid(parameter: str, constraint: str) -> ServiceError:
    """ECR's wording for a bad parameter."""
    return ServiceError(
        "InvalidParameterException", f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'"
    )


def repository_missing(name: str, registry: str) -> ServiceError:
    return ServiceError(
        "RepositoryNotFoundException",
        f"The repository with name '{name}' does not exist in the registry with id '{registry}'",
    )


def unknown_operation(service: str, operation: str) -> ServiceError:
    return ServiceError("UnknownOperationException", f"The sandbox does not offer {service}:{operation}")
