"""Item statistics of module versions, read from their submitted attempts without their people."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Text, cast, func, select

from portal.domain.assessment.models import Attempt, Response, Submission, reaches_mastery
from portal.domain.authoring import item_statistics
from portal.domain.authoring.item_statistics import (
    MIN_ATTEMPTS,
    VERDICTS,
    ItemStatistics,
    ItemTally,
    ItemThirds,
    OfferedChoice,
    Reliability,
    choice_curves,
    compare_thirds,
    compute_statistics,
    estimate_reliability,
    judge_item,
    split_into_thirds,
    tally_marks,
)
from portal.domain.cases import shares_of_colleagues
from portal.domain.catalogue.models import Activity, Item, Lesson, ModuleVersion
from portal.domain.item_kinds import case_kinds_by_name, kinds_by_name
from portal.domain.records.models import Registration
from portal.platform.db import db

NEWEST = 2_000  # submitted attempts from which choice curves and times are read


@dataclass(frozen=True, slots=True)
class ItemStatisticsRow:
    """One item with its statistics, in one version or in all that have it in the same words."""

    position: int
    key: str
    prompt_html: str
    retired: bool
    versions: tuple[int, ...]  # numbers, oldest first
    statistics: ItemStatistics
    thirds: ItemThirds
    seconds: float | None  # the median until the first answer
    verdict: str


@dataclass(frozen=True, slots=True)
class ModuleResults:
    """The statistics of one version, or of all versions of a module together."""

    rows: Sequence[ItemStatisticsRow]
    reliability: Reliability | None = None  # None below 30 attempts
    quick_passes: item_statistics.QuickPasses | None = None

    @property
    def answer_count(self) -> int:
        """The number of marked answers."""
        return sum(row.statistics.answer_count for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One submitted attempt, with its marks by item."""

    attempt_id: Any
    marks: Mapping[str, str]
    share: float  # scaled score, 0 to 1
    passed: bool
    started_at: datetime
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class _Readings:
    """What was read of all attempts, each by the id of an item."""

    tallies: Mapping[int, ItemTally]
    choice_counts: Mapping[int, list[tuple[Sequence[str], int]]]
    marks: Mapping[int, list[tuple[int, float]]]  # with the third of their attempt
    answers: Mapping[int, list[tuple[int, Sequence[str]]]]  # likewise; of the newest attempts
    seconds: Mapping[int, float]


def version_ids(key: str) -> dict[int, int]:
    """The ids of a module's published versions by number, the latest first."""
    rows = db.session.execute(
        select(ModuleVersion.number, ModuleVersion.id)
        .join(Activity, Activity.id == ModuleVersion.activity_id)
        .where(Activity.kind == "module", Activity.key == key)
        .order_by(ModuleVersion.number.desc())
    )
    return {number: version_id for number, version_id in rows}


def module_results(ids: tuple[int, ...]) -> ModuleResults:
    """The statistics of these versions; five statements, regardless of the number of items.

    An item counts as one in all versions that have it under the same key in the same words.

    Submissions never change, so the result is cached until there is another submission; thousands of attempts
    take about a second to compute.
    """
    count, newest = db.session.execute(
        _limit_to_versions(
            select(func.count(), func.max(Submission.recorded_at))
            .select_from(Submission)
            .join(Attempt, Attempt.id == Submission.attempt_id),
            ids,
        )
    ).one()
    return _cached_results(ids, count, newest) if count else _compute_results(ids)


@lru_cache(maxsize=8)
def _cached_results(ids: tuple[int, ...], _count: int, _newest: datetime) -> ModuleResults:
    return _compute_results(ids)


def _compute_results(ids: tuple[int, ...]) -> ModuleResults:
    items = db.session.execute(
        select(Item, ModuleVersion.number)
        .join(ModuleVersion, ModuleVersion.id == Item.module_version_id)
        .where(Item.module_version_id.in_(ids))
        .order_by(ModuleVersion.number.desc(), Item.position)
    ).all()
    groups = _group_items(items)
    sheets = _select_sheets(ids, groups)
    answers, seconds = _read_responses(ids, groups, sheets)
    readings = _Readings(
        tally_marks(sheet.marks for sheet in sheets),
        _choice_counts(ids, groups),
        _marks_by_third(sheets),
        answers,
        seconds,
    )
    rows = [_item_row(item, numbers, readings) for item, numbers in _newest_of_groups(items, groups)]
    return ModuleResults(tuple(rows), _reliability(sheets), _quick_passes(sheets, items, groups))


def _marks_by_third(sheets: Sequence[_Sheet]) -> dict[int, list[tuple[int, float]]]:
    """The third and the mark of each answer, by item."""
    marks = defaultdict[int, list[tuple[int, float]]](list)
    for sheet, third in zip(sheets, split_into_thirds([sheet.share for sheet in sheets]), strict=True):
        for item, mark in sheet.marks.items():
            marks[int(item)].append((third, float(mark)))
    return marks


def _item_row(item: Item, numbers: tuple[int, ...], readings: _Readings) -> ItemStatisticsRow:
    offered = _offered_choices(item)
    figures = compute_statistics(
        readings.tallies.get(item.id, ItemTally()), offered, readings.choice_counts[item.id]
    )
    thirds = ItemThirds(
        compare_thirds(readings.marks.get(item.id, ())),
        choice_curves([option.key for option in offered], readings.answers[item.id]),
    )
    return ItemStatisticsRow(
        item.position,
        item.key,
        item.prompt_html,
        item.retired,
        numbers,
        figures,
        thirds,
        readings.seconds.get(item.id),
        judge_item(figures, thirds),
    )


def _group_items(items: Iterable[Any]) -> dict[int, int]:
    """For each item's id, that of the newest item with the same key and words."""
    newest: dict[str, int] = {}
    groups = {}
    for item, _ in items:  # the newest version first
        words = [item.key, item.kind, item.prompt_html, item.stimulus_html, item.content]
        groups[item.id] = newest.setdefault(json.dumps(words, sort_keys=True), item.id)
    return groups


def _newest_of_groups(items: Iterable[Any], groups: Mapping[int, int]) -> list[tuple[Item, tuple[int, ...]]]:
    """The newest item of each group with the numbers of its versions."""
    numbers = defaultdict[int, list[int]](list)
    newest = {}
    for item, number in items:
        numbers[groups[item.id]].append(number)
        if groups[item.id] == item.id:
            newest[item.id] = item
    return [(item, tuple(sorted(numbers[item_id]))) for item_id, item in newest.items()]


def _select_sheets(ids: tuple[int, ...], groups: Mapping[int, int]) -> list[_Sheet]:
    """The submitted attempts, in the order in which they were recorded."""
    rows = db.session.execute(
        _limit_to_versions(
            select(
                Submission.attempt_id,
                Submission.marks,
                Submission.score_raw,
                Submission.score_max,
                Submission.mastery_score,
                Attempt.started_at,
                Submission.submitted_at,
            ).join(Attempt, Attempt.id == Submission.attempt_id),
            ids,
        ).order_by(Submission.recorded_at)
    )
    return [
        _Sheet(
            attempt_id,
            {str(groups[int(item)]): mark for item, mark in marks.items()},
            float(raw) / maximum,
            reaches_mastery(raw, maximum, mastery),
            started_at,
            submitted_at,
        )
        for attempt_id, marks, raw, maximum, mastery, started_at, submitted_at in rows
    ]


def _choice_counts(
    ids: tuple[int, ...], groups: Mapping[int, int]
) -> dict[int, list[tuple[Sequence[str], int]]]:
    """Sets of choices in last answers before submission with their counts, by item; counted in SQL."""
    last = _limit_to_versions(
        select(func.max(Response.id))
        .join(Submission, Submission.attempt_id == Response.attempt_id)
        .join(Attempt, Attempt.id == Response.attempt_id),
        ids,
    ).group_by(Response.attempt_id, Response.item_id)
    chosen = cast(Response.choices, Text).label("chosen")
    rows = db.session.execute(
        select(Response.item_id, chosen, func.count())
        .where(Response.id.in_(last))
        .group_by(Response.item_id, chosen)
    )
    choice_counts = defaultdict[int, list[tuple[Sequence[str], int]]](list)
    for item_id, keys, count in rows:
        choice_counts[groups[item_id]].append((json.loads(keys), count))
    return choice_counts


def _read_responses(
    ids: tuple[int, ...], groups: Mapping[int, int], sheets: Sequence[_Sheet]
) -> tuple[dict[int, list[tuple[int, Sequence[str]]]], dict[int, float]]:
    """The last choices in the newest attempts with their thirds, by item, and its median seconds."""
    newest = _limit_to_versions(
        select(Submission.attempt_id).join(Attempt, Attempt.id == Submission.attempt_id), ids
    ).order_by(Submission.recorded_at.desc())
    rows = db.session.execute(
        select(Response.attempt_id, Response.item_id, Response.choices, Response.saved_at)
        .where(Response.attempt_id.in_(newest.limit(NEWEST)))
        .order_by(Response.id)
    )
    last: dict[tuple[Any, int], list[str]] = {}
    saves = defaultdict[Any, list[tuple[int, datetime]]](list)
    for attempt_id, item_id, choices, saved_at in rows:
        last[attempt_id, groups[item_id]] = choices
        saves[attempt_id].append((groups[item_id], saved_at))
    thirds = split_into_thirds([sheet.share for sheet in sheets])
    third_of = {sheet.attempt_id: third for sheet, third in zip(sheets, thirds, strict=True)}
    answers = defaultdict[int, list[tuple[int, Sequence[str]]]](list)
    for (attempt_id, item_id), choices in last.items():
        answers[item_id].append((third_of[attempt_id], choices))
    started = {sheet.attempt_id: sheet.started_at for sheet in sheets}
    return answers, item_statistics.seconds_by_item(
        (started[attempt], each) for attempt, each in saves.items()
    )


def _reliability(sheets: Sequence[_Sheet]) -> Reliability | None:
    if len(sheets) < MIN_ATTEMPTS:
        return None
    return estimate_reliability([{int(k): float(mark) for k, mark in s.marks.items()} for s in sheets])


def _quick_passes(
    sheets: Iterable[_Sheet], items: Iterable[Any], groups: Mapping[int, int]
) -> item_statistics.QuickPasses | None:
    seconds = {
        groups[item.id]: item_statistics.reading_seconds(item.prompt_html, item.stimulus_html, item.content)
        for item, _ in items
    }
    return item_statistics.count_quick_passes(
        (sheet.submitted_at - sheet.started_at, sum(seconds[int(item)] for item in sheet.marks))
        for sheet in sheets
        if sheet.passed
    )


def _limit_to_versions(statement: Any, ids: tuple[int, ...]) -> Any:
    """Restrict a statement over attempts to these module versions."""
    return statement.join(Registration, Registration.id == Attempt.registration_id).where(
        Registration.module_version_id.in_(ids)
    )


def _offered_choices(item: Item) -> list[OfferedChoice]:
    return [OfferedChoice(*choice) for choice in kinds_by_name()[item.kind].countable_choices(item.content)]


# The sortable columns of the table of item statistics, and its order in an address.

DEFAULT_COLUMN = "item"
# Sort key by column; rows without a value sort last in both directions.
SORT_KEYS: dict[str, Callable[[ItemStatisticsRow], Any]] = {
    DEFAULT_COLUMN: lambda row: row.position,
    "answers": lambda row: row.statistics.answer_count,
    "correct": lambda row: row.statistics.share,
    "agreement": lambda row: row.statistics.correlation,
    "thirds": lambda row: row.thirds.discrimination,
    "time": lambda row: row.seconds,
    "advice": lambda row: VERDICTS.index(row.verdict) if row.verdict else None,
}


@dataclass(frozen=True, slots=True)
class StatisticsOrder:
    """A column to sort by, and the direction."""

    column: str = DEFAULT_COLUMN
    descending: bool = False

    def next_sort(self, column: str) -> str:
        """The sort parameter of the address behind the heading of ``column``."""
        return f"-{column}" if self.column == column and not self.descending else column

    def sort_direction(self, column: str) -> str | None:
        """The value of ``aria-sort`` on the heading of ``column``; None where it is not sorted by."""
        if column != self.column:
            return None
        return "descending" if self.descending else "ascending"

    def sort_rows(self, rows: Sequence[ItemStatisticsRow]) -> list[ItemStatisticsRow]:
        """The rows in this order; equal rows keep the order of the module's files."""
        sort_key = SORT_KEYS[self.column]
        known = [row for row in rows if sort_key(row) is not None]
        unknown = [row for row in rows if sort_key(row) is None]
        return sorted(known, key=sort_key, reverse=self.descending) + unknown


def parse_order(text: str) -> StatisticsOrder:
    """Parse a sort parameter such as "-correct"; the order of the files where it is empty."""
    return StatisticsOrder(text.removeprefix("-"), text.startswith("-")) if text else StatisticsOrder()


# What learners decided in the cases of a version, in whole groups of ten people and without names.


@dataclass(frozen=True, slots=True)
class CaseStepRow:
    """One choice of a case, and how many of ten people took it."""

    point: int  # the scene or part to which it belongs, counted from 1
    html: str  # safe
    good: bool
    share: str  # in words; empty: fewer than ten people came to it, or nobody took it


@dataclass(frozen=True, slots=True)
class CaseSteps:
    """The choices of one case."""

    title: str
    steps: Sequence[CaseStepRow]


def case_step_rows(version: ModuleVersion) -> list[CaseSteps]:
    """Every case of the version with the shares of its choices; two statements, however many there are."""
    cases = [lesson for lesson in version.lessons if lesson.case_kind is not None]
    shares = shares_of_colleagues([lesson.id for lesson in cases]) if cases else {}
    return [
        CaseSteps(
            lesson.title,
            _step_rows(lesson, shares[lesson.id]),
        )
        for lesson in cases
    ]


def _step_rows(lesson: Lesson, shares: Mapping[str, str]) -> list[CaseStepRow]:
    kind, content = case_kinds_by_name()[lesson.case_kind or ""], (lesson.case_content or {})["content"]
    choices = kind.countable_choices(content)
    points = list(dict.fromkeys(step.partition("/")[0] for step, _, _ in choices))
    return [
        CaseStepRow(1 + points.index(step.partition("/")[0]), html, good, shares.get(step, ""))
        for step, html, good in choices
    ]
