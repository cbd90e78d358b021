"""Returns for the recording and for hostile readers, made by their feature, which is imported only then."""

from importlib import import_module
from pathlib import Path


def keep_returns(instance: Path) -> dict[str, str]:
    """What addresses of returns name: a month, a force and the fingerprint of its key."""
    found: dict[str, str] = import_module("tests.features.returns.made").keep_returns(instance)
    return found
