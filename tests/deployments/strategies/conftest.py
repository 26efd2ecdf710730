"""The strategy commands against the database of the data commands' tests."""

from tests.deployments.data.conftest import data, unset

__all__ = ["data", "unset"]
