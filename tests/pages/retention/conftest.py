"""The desk on the first of June, and two administrators."""

from tests.domain.retention.conftest import desk

__all__ = ["desk"]
