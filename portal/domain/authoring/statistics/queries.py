"""Item statistics of one module version, read from its submitted attempts without their people."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Text, cast, func, select

from portal.domain.assessment.models import Attempt, Response, Submission
from portal.domain.authoring.statistics.item_statistics import (
    ItemStatistics,
    ItemTally,
    OfferedChoice,
    compute_statistics,
    tally_marks,
)
from portal.domain.catalogue.models import Activity, Item, ModuleVersion
from portal.domain.item_kinds import kinds_by_name
from portal.domain.records.models import Registration
from portal.platform.db import db


@dataclass(frozen=True, slots=True)
class ItemStatisticsRow:
    """One item of a version with its statistics."""

    position: int
    key: str
    prompt_html: str
    retired: bool
    statistics: ItemStatistics


def version_numbers(key: str) -> list[int]:
    """Numbers of a module's published versions, the latest first."""
    return list(
        db.session.scalars(
            select(ModuleVersion.number)
            .join(Activity, Activity.id == ModuleVersion.activity_id)
            .where(Activity.kind == "module", Activity.key == key)
            .order_by(ModuleVersion.number.desc())
        )
    )


def item_statistics_rows(version_id: int) -> Sequence[ItemStatisticsRow]:
    """Every item of the version in file order; four statements, regardless of the number of items.

    Submissions never change, so the result is cached until there is another submission; thousands of attempts
    take about a second to compute.
    """
    count, newest = db.session.execute(
        _limit_to_version(
            select(func.count(), func.max(Submission.recorded_at))
            .select_from(Submission)
            .join(Attempt, Attempt.id == Submission.attempt_id),
            version_id,
        )
    ).one()
    return _cached_rows(version_id, count, newest) if count else _compute_rows(version_id)


@lru_cache(maxsize=8)
def _cached_rows(version_id: int, _count: int, _newest: datetime) -> Sequence[ItemStatisticsRow]:
    return _compute_rows(version_id)


def _compute_rows(version_id: int) -> Sequence[ItemStatisticsRow]:
    items = db.session.scalars(
        select(Item).where(Item.module_version_id == version_id).order_by(Item.position)
    ).all()
    marks, choice_counts = tally_marks(_select_marks(version_id)), _choice_counts(version_id)
    return tuple(
        ItemStatisticsRow(
            item.position,
            item.key,
            item.prompt_html,
            item.retired,
            compute_statistics(
                marks.get(item.id, ItemTally()), _offered_choices(item), choice_counts[item.id]
            ),
        )
        for item in items
    )


def _select_marks(version_id: int) -> Any:
    """The marks of each submitted attempt."""
    return db.session.scalars(
        _limit_to_version(
            select(Submission.marks).join(Attempt, Attempt.id == Submission.attempt_id), version_id
        )
    )


def _choice_counts(version_id: int) -> dict[int, list[tuple[Sequence[str], int]]]:
    """Sets of choices in last answers before submission with their counts, by item; counted in SQL."""
    last = _limit_to_version(
        select(func.max(Response.id))
        .join(Submission, Submission.attempt_id == Response.attempt_id)
        .join(Attempt, Attempt.id == Response.attempt_id),
        version_id,
    ).group_by(Response.attempt_id, Response.item_id)
    chosen = cast(Response.choices, Text).label("chosen")
    rows = db.session.execute(
        select(Response.item_id, chosen, func.count())
        .where(Response.id.in_(last))
        .group_by(Response.item_id, chosen)
    )
    choice_counts = defaultdict[int, list[tuple[Sequence[str], int]]](list)
    for item_id, keys, count in rows:
        choice_counts[item_id].append((json.loads(keys), count))
    return choice_counts


def _limit_to_version(statement: Any, version_id: int) -> Any:
    """Restrict a statement over attempts to one module version."""
    return statement.join(Registration, Registration.id == Attempt.registration_id).where(
        Registration.module_version_id == version_id
    )


def _offered_choices(item: Item) -> list[OfferedChoice]:
    return [OfferedChoice(*choice) for choice in kinds_by_name()[item.kind].countable_choices(item.content)]
