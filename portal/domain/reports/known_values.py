"""Which values of a report's filters are known to its viewer; any other is refused, with a sentence.

A value is known if it was ever recorded and the viewer may see it: a rank that nobody holds today or the path
that a unit had before it was renamed stays known. What lies out of their sight is answered as what never was.
"""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, select, true

from portal.domain.people.models import Post
from portal.domain.reports.filters import DUE_DAYS, FIELD_WORDS, LATE_BANDS, STATUS_WORDS, Filters
from portal.domain.reports.viewer_scope import Reach
from portal.platform.db import db
from portal.platform.errors import UnknownValueError, reason_of_refusal

FIXED: dict[str, Collection[str]] = {"status": STATUS_WORDS, "late": LATE_BANDS, "due": DUE_DAYS}


def refuse_unknown(filters: Filters, reach: Reach) -> None:
    """Refuse filters with a value that the viewer cannot know. A statement for each of unit, role and ranks.

    Raises:
        UnknownValueError: Names each value and what is possible.
    """
    faults = [
        *_fixed_value_faults(filters),
        *_unit_faults(filters, reach),
        *_role_faults(filters, reach),
        *_rank_faults(filters, reach),
    ]
    if faults:
        raise UnknownValueError(faults)


def _fixed_value_faults(filters: Filters) -> Iterable[tuple[str, str]]:
    for name, values in FIXED.items():
        asked = filters.address.get(name)
        if asked is not None and asked not in values:
            yield reason_of_refusal(FIELD_WORDS[name].lower(), asked, list(values)), name


def _unit_faults(filters: Filters, reach: Reach) -> Iterable[tuple[str, str]]:
    if filters.unit and reach.unit_of(filters.unit) is None:
        sentence = reason_of_refusal("unit", filters.unit, [])
        yield (
            f"{sentence} Write the whole path of a unit that you can see, or choose one from the list.",
            "unit",
        )


def _role_faults(filters: Filters, reach: Reach) -> Iterable[tuple[str, str]]:
    if filters.role:
        yield from _post_faults("role", [filters.role], Post.designated_role, reach)


def _rank_faults(filters: Filters, reach: Reach) -> Iterable[tuple[str, str]]:
    yield from _post_faults("rank", filters.ranks, Post.rank_or_grade, reach)


def _post_faults(name: str, values: Iterable[str], column: Any, reach: Reach) -> Iterable[tuple[str, str]]:
    """Faults of values that belong to no post which the viewer may see on some day of it."""
    for value in values:
        if not any(reach.saw_post(post) for post in _posts_maybe_seen(column == value, reach)):
            every = {
                getattr(post, column.key) for post in _posts_maybe_seen(true(), reach) if reach.saw_post(post)
            }
            yield reason_of_refusal(FIELD_WORDS[name].lower(), value, sorted(every)), name


def _posts_maybe_seen(condition: ColumnElement[bool], reach: Reach) -> Iterable[Any]:
    """The posts that the viewer may have seen, as far as they differ in what decides it; any for everyone."""
    words = (Post.rank_or_grade, Post.designated_role)
    days = (Post.unit_id, Post.valid_from, Post.valid_to, Post.line_manager_id)
    columns = words if reach.everyone else (*words, *days)
    statement = select(*columns).where(condition, reach.may_have_seen(Post)).distinct()
    return db.session.execute(statement).all()
