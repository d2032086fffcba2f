"""ecr-tui: cross-account access to Amazon ECR, granted by tag and verified live."""

__version__ = "0.1.0"
