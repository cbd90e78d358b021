"""What the tests over all pages, acts and commands know of each feature: the ``sweeps.py`` beside its tests.

A feature that is deleted with its folder takes its part of these lists along. A part that a feature does not
name is empty:

- ``ROUTES``: by page, whose data it shows (``tests/pages/access/shown.py``);
- ``ADDRESSES``: by page, or by all pages of a blueprint, such as ``webhooks.``, what its address names in the
  world of the access matrix;
- ``MAY_BE_UNKNOWN``: as in ``tests/pages/access/test_matrix.py``;
- ``PLACES``, ``OF_SOMEONE``, ``WHOLE_TEXTS``: as in ``tests/journeys/places.py``;
- ``MAKE_BY_PAGES``: functions of a browser and a server that make what these places name;
- ``MAKE_STATES``: functions of an application, its folder and of how to sign in that make it for the golden
  record;
- ``RECENT``: the pages whose forms want a recent sign-in;
- ``WITHOUT_ENTRY``: by page or command, why the audit trail has no entry of it;
- ``COMPUTED``: by expression, the actions of the audit trail that it gives.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

FEATURES = Path(__file__).parent / "features"


@cache
def list_sweeps() -> tuple[ModuleType, ...]:
    """The ``sweeps`` of every feature whose tests are there, by name."""
    return tuple(
        import_module(f"tests.features.{path.parent.name}.sweeps")
        for path in sorted(FEATURES.glob("*/sweeps.py"))
    )


def union_of(part: str) -> set[Any]:
    """What all features name in this part."""
    return {entry for sweeps in list_sweeps() for entry in getattr(sweeps, part, ())}


def merge(part: str) -> dict[Any, Any]:
    """The rows of all features in this part."""
    rows: dict[Any, Any] = {}
    for sweeps in list_sweeps():
        found: Mapping[Any, Any] = getattr(sweeps, part, {})
        assert not rows.keys() & found.keys(), f"{sweeps.__name__}.{part}"
        rows |= found
    return rows
