"""Refuses values of a report's filters that its viewer cannot know, with a sentence.

A value is known if it was ever recorded and the viewer may see it: a rank that nobody has today, or a unit's
path before it was renamed, is known. A value that the viewer may not see is answered like one that never was.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, select, true

from portal.domain.people.models import Post
from portal.domain.people.rank_order import sort_ranks
from portal.domain.reports.parameters import DUE_DAYS, FIELD_WORDS, LATE_BANDS, STATUS_WORDS, Filters
from portal.domain.reports.viewer_scope import ViewerScope
from portal.platform.db import db
from portal.platform.errors import UnknownValueError, reason_of_refusal

FIXED: dict[str, Collection[str]] = {"status": STATUS_WORDS, "late": LATE_BANDS, "due": DUE_DAYS}


def accept_filters(filters: Filters, viewer_scope: ViewerScope) -> Filters:
    """The filters with the path that their unit has at the position: a former path follows to its unit.

    Raises:
        UnknownValueError: The viewer cannot know a value.
    """
    refuse_unknown(filters, viewer_scope)
    unit_id = viewer_scope.unit_of(filters.unit) if filters.unit else None
    unit = viewer_scope.units.get(unit_id) if unit_id is not None else None
    return replace(filters, unit=unit.path) if unit else filters


def refuse_unknown(filters: Filters, viewer_scope: ViewerScope) -> None:
    """Refuse filters with a value that the viewer cannot know. One statement for unit, role and each rank.

    Raises:
        UnknownValueError: Names each refused value and the known ones.
    """
    faults = [
        *_fixed_value_faults(filters),
        *_unit_faults(filters, viewer_scope),
        *_role_faults(filters, viewer_scope),
        *_rank_faults(filters, viewer_scope),
    ]
    if faults:
        raise UnknownValueError(faults)


def _fixed_value_faults(filters: Filters) -> Iterable[tuple[str, str]]:
    for name, values in FIXED.items():
        value = filters.address.get(name)
        if value is not None and value not in values:
            yield reason_of_refusal(FIELD_WORDS[name].lower(), value, list(values)), name


def _unit_faults(filters: Filters, viewer_scope: ViewerScope) -> Iterable[tuple[str, str]]:
    if filters.unit and viewer_scope.unit_of(filters.unit) is None:
        sentence = reason_of_refusal("unit", filters.unit, [])
        yield (
            f"{sentence} Enter the full path of a unit that you can see, or choose one from the list.",
            "unit",
        )


def _role_faults(filters: Filters, viewer_scope: ViewerScope) -> Iterable[tuple[str, str]]:
    if filters.role:
        yield from _post_faults("role", [filters.role], Post.designated_role, viewer_scope)


def _rank_faults(filters: Filters, viewer_scope: ViewerScope) -> Iterable[tuple[str, str]]:
    yield from _post_faults("rank", filters.ranks, Post.rank_or_grade, viewer_scope)


def _post_faults(
    name: str, values: Iterable[str], column: Any, viewer_scope: ViewerScope
) -> Iterable[tuple[str, str]]:
    """Faults of values that are in no post which the viewer may see on one of its days."""
    for value in values:
        if not any(viewer_scope.saw_post(post) for post in _posts_maybe_seen(column == value, viewer_scope)):
            known = {
                getattr(post, column.key)
                for post in _posts_maybe_seen(true(), viewer_scope)
                if viewer_scope.saw_post(post)
            }
            yield reason_of_refusal(FIELD_WORDS[name].lower(), value, sort_ranks(known)), name


def _posts_maybe_seen(condition: ColumnElement[bool], viewer_scope: ViewerScope) -> Iterable[Any]:
    """The posts that the viewer may have seen, distinct by what ``saw_post`` reads of them."""
    words = (Post.rank_or_grade, Post.designated_role)
    days = (Post.unit_id, Post.valid_from, Post.valid_to, Post.line_manager_id)
    columns = words if viewer_scope.everyone else (*words, *days)
    statement = select(*columns).where(condition, viewer_scope.may_have_seen(Post)).distinct()
    return db.session.execute(statement).all()
