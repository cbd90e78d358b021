"""What a person may recall and when, for that person alone; and what is forgotten, of many together."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, case, distinct, exists, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity, Item, ModuleVersion
from portal.domain.catalogue.services import is_archived
from portal.domain.catalogue.version_cache import (
    PublishedItem,
    PublishedLesson,
    PublishedVersion,
    VersionKey,
    published_version,
    version_key,
)
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.base import Answer, ItemKind
from portal.domain.item_kinds.choices import ChoiceKind, ChoiceView
from portal.domain.people.positions import is_known_fact
from portal.domain.records.models import Record, Revocation
from portal.features.recall.models import RecallOptOut, RecallReview
from portal.features.recall.rules import (
    MOST_DAYS,
    FsrsRule,
    Recall,
    RecallCandidate,
    draw_questions,
    next_recall_on,
)
from portal.platform.clock import london_day, noon
from portal.platform.db import UtcDateTime, db, read
from portal.platform.errors import NotFoundError, require

NO_ANSWER = Answer()
LEAST_PEOPLE = 10  # of whom an author may be told something together
_RULE = FsrsRule()


@dataclass(frozen=True, slots=True)
class ModuleRecall:
    """A module that a person passed, and their recalls of it."""

    person_id: int
    version: PublishedVersion  # the newest: that which was passed, or its successor
    passed_at: datetime  # of the latest pass that stands
    earlier: int  # recalls so far, those before the latest pass included
    since: tuple[Recall, ...]  # those after it

    @property
    def slug(self) -> str:
        """The module's key."""
        return self.version.activity.key

    @property
    def short_title(self) -> str:
        """The title up to its colon."""
        return self.version.title.partition(":")[0]

    @property
    def due_on(self) -> date:
        """The London day from which it may be recalled again."""
        return next_recall_on(london_day(self.passed_at), self.since, _RULE)

    def lessons_of(self, outcome: str) -> list[PublishedLesson]:
        """The lessons of the newest version that serve an outcome, in order."""
        return [lesson for lesson in self.version.lessons if outcome in lesson.outcomes]

    def is_due(self, day: date) -> bool:
        """Whether it is to be recalled on ``day``, and its newest version has questions for it."""
        return self.due_on <= day and any(map(_may_be_asked, self.version.items))


@dataclass(frozen=True, slots=True)
class RecallQuestion:
    """One question of a recall, with the answer of the page."""

    number: int  # counts from 1
    item: PublishedItem
    order: tuple[str, ...]  # keys of its choices
    answer: Answer = NO_ANSWER
    correct: bool | None = None  # None: not answered yet

    @property
    def field(self) -> str:
        """The name of its field in the form and in the address of the answers."""
        return f"question-{self.number}"

    @property
    def kind(self) -> ItemKind:
        """The kind of its item."""
        return kinds_by_name()[self.item.kind]

    @property
    def choices(self) -> list[ChoiceView]:
        """Its choices in order."""
        views: list[ChoiceView] = self.kind.build_view(self.item.content, self.order, self.answer)
        return views


_REVOKED = aliased(Record)  # a correction keeps the reference, and a revocation of the row before it
_STANDS = ~(
    select(_REVOKED.id)
    .join(Revocation, Revocation.record_id == _REVOKED.id)
    .where(_REVOKED.reference == Record.reference)
    .where(is_known_fact(Revocation), Revocation.from_on <= bindparam("day"))
    .correlate(Record)
    .exists()
)
_NEWER = aliased(ModuleVersion)
_NEWEST_VERSION = (
    select(_NEWER.id)
    .where(_NEWER.activity_id == Record.activity_id)
    .order_by(_NEWER.number.desc())
    .limit(1)
    .correlate(Record)
    .scalar_subquery()
)
_RIGHT = func.sum(case((RecallReview.correct, 1), else_=0))
_PASSES: Any = (
    select(
        Record.person_id,
        Record.activity_id,
        ModuleVersion.id,
        ModuleVersion.digest,
        ModuleVersion.recorded_at,
        Record.achieved_at,
        RecallReview.number,
        func.min(RecallReview.answered_at),
        _RIGHT,
        func.count(RecallReview.id),
    )
    .join(Activity, Activity.id == Record.activity_id)
    .join(ModuleVersion, ModuleVersion.id == _NEWEST_VERSION)
    .outerjoin(
        RecallReview,
        (RecallReview.person_id == Record.person_id) & (RecallReview.activity_id == Record.activity_id),
    )
    .where(is_known_fact(Record), Record.source == "assessed", Activity.kind == "module", _STANDS)
    .where(~is_archived(Record.activity_id))
    .group_by(
        Record.id,
        Record.person_id,
        Record.activity_id,
        Activity.key,
        ModuleVersion.id,
        ModuleVersion.digest,
        ModuleVersion.recorded_at,
        Record.achieved_at,
        RecallReview.number,
    )
    .order_by(Record.person_id, Activity.key, Record.achieved_at, Record.id, RecallReview.number)
)
_TURNED_ON = ~exists().where(RecallOptOut.person_id == Record.person_id)
_OWN = _PASSES.where(Record.person_id == bindparam("person_id"))
_OWN_IF_ON = _OWN.where(_TURNED_ON)
_OTHER = aliased(RecallReview)
_RECENT = or_(
    Record.achieved_at >= bindparam("since", type_=UtcDateTime()),
    exists().where(
        _OTHER.person_id == Record.person_id,
        _OTHER.activity_id == Record.activity_id,
        _OTHER.answered_at >= bindparam("since", type_=UtcDateTime()),
    ),
)
_ALL_IF_ON = _PASSES.where(_TURNED_ON, _RECENT)
_EARLIER = (
    select(RecallReview.number, RecallReview.item_key, RecallReview.correct, RecallReview.module_version_id)
    .where(
        RecallReview.person_id == bindparam("person_id"),
        RecallReview.activity_id == bindparam("activity_id"),
    )
    .order_by(RecallReview.number, RecallReview.id)
)


def is_turned_off(person_id: int) -> bool:
    """Whether the person turned recall off. One statement."""
    return bool(db.session.scalar(select(exists().where(RecallOptOut.person_id == person_id))))


def list_recalls(person_id: int, day: date) -> list[ModuleRecall]:
    """Every module of which the person has a pass that stands on ``day``. One statement."""
    return list(_recalls_of_rows(read(_OWN, {"person_id": person_id, "day": day})))


def list_due_recalls(person_id: int, day: date) -> list[ModuleRecall]:
    """The modules to recall on ``day``; none for somebody who turned it off. One statement."""
    recalls = _recalls_of_rows(read(_OWN_IF_ON, {"person_id": person_id, "day": day}))
    return [recall for recall in recalls if recall.is_due(day)]


def due_days_by_person(day: date, after: date) -> dict[int, list[date]]:
    """Since when modules are due for recall, after ``after`` and up to ``day``, by person. One statement.

    Nobody who turned recall off is among them.
    """
    days: dict[int, list[date]] = {}
    since = noon(after - timedelta(days=MOST_DAYS + 1))  # what is older was due before
    for recall in _recalls_of_rows(read(_ALL_IF_ON, {"day": day, "since": since})):
        if recall.due_on > after and recall.is_due(day):
            days.setdefault(recall.person_id, []).append(recall.due_on)
    return days


def own_recall(person_id: int, slug: str, day: date) -> ModuleRecall:
    """The person's recall of one module."""
    recalls = (recall for recall in list_recalls(person_id, day) if recall.slug == slug)
    return require(next(recalls, None), "There is nothing to recall.")


def shown_version(recall: ModuleRecall, version_id: int | None) -> PublishedVersion:
    """The version that a page showed; the newest where ``version_id`` is none of this module."""
    if version_id is None or version_id == recall.version.id:
        return recall.version
    known = select(ModuleVersion.id).where(
        ModuleVersion.id == version_id, ModuleVersion.activity_id == recall.version.activity_id
    )
    if db.session.scalar(known) is None:
        return recall.version
    return published_version(version_key(version_id))


def draw_recall(recall: ModuleRecall, version: PublishedVersion) -> list[RecallQuestion]:
    """The questions of the person's next recall of a module: the same of a version until it is answered."""
    earlier = _earlier_answers(recall.person_id, version.activity_id)
    bank = {item.key: item for item in version.items if _may_be_asked(item)}
    candidates = [RecallCandidate(item.key, item.outcome) for item in bank.values()]
    chance = _chance_of(recall.person_id, version.activity_id, recall.earlier + 1)
    drawn = draw_questions(candidates, [dict(answers) for _, answers in earlier.values()], chance)
    return [_question(recall, recall.earlier + 1, n, bank[each.key]) for n, each in enumerate(drawn, 1)]


def answered_questions(recall: ModuleRecall, number: int) -> list[RecallQuestion]:
    """The questions of a recall that was answered."""
    answered = _earlier_answers(recall.person_id, recall.version.activity_id).get(number)
    if answered is None:
        raise NotFoundError("There is no such recall.")
    version_id, answers = answered
    items = {item.key: item for item in published_version(version_key(version_id)).items}
    return [
        _question(recall, number, n, items[key], correct=correct)
        for n, (key, correct) in enumerate(answers, 1)
    ]


@dataclass(frozen=True, slots=True)
class OutcomeRecall:
    """How the answers to recall questions about one outcome went, of many people together."""

    key: str
    people: int
    answers: int
    right: int

    @property
    def is_shown(self) -> bool:
        """Whether enough people answered for their answers to be shown."""
        return self.people >= LEAST_PEOPLE


def recall_by_outcome(activity_id: int) -> dict[str, OutcomeRecall]:
    """The answers to a module's recall questions by outcome, over all its versions. One statement."""
    statement = (
        select(Item.outcome, func.count(distinct(RecallReview.person_id)), func.count(), _RIGHT)
        .select_from(RecallReview)
        .join(
            Item,
            (Item.module_version_id == RecallReview.module_version_id) & (Item.key == RecallReview.item_key),
        )
        .where(RecallReview.activity_id == activity_id)
        .group_by(Item.outcome)
    )
    return {row[0]: OutcomeRecall(*row) for row in db.session.execute(statement)}


def _recalls_of_rows(rows: Iterable[Any]) -> Iterator[ModuleRecall]:
    """The rows are of one person and module after the other, the pass that counts last."""
    for _, of_module in groupby(rows, key=lambda row: (row[0], row[1])):
        group = list(of_module)
        passed_at = group[-1][5]
        recalls = {number: (at, right, asked) for *_, number, at, right, asked in group if number is not None}
        since = tuple(
            Recall(london_day(at), int(right), asked)
            for at, right, asked in recalls.values()
            if at > passed_at
        )
        version = published_version(VersionKey(*group[-1][2:5]))
        yield ModuleRecall(group[-1][0], version, passed_at, max(recalls, default=0), since)


def _earlier_answers(person_id: int, activity_id: int) -> dict[int, tuple[int, list[tuple[str, bool]]]]:
    """The version and the answers of each recall of a module, by its number. One statement."""
    rows = read(_EARLIER, {"person_id": person_id, "activity_id": activity_id})
    earlier: dict[int, tuple[int, list[tuple[str, bool]]]] = {}
    for number, key, correct, version_id in rows:
        earlier.setdefault(number, (version_id, []))[1].append((key, correct))
    return earlier


def _may_be_asked(item: PublishedItem) -> bool:
    """Whether a question fits on a page with two others: those with choices do."""
    return not item.retired and isinstance(kinds_by_name()[item.kind], ChoiceKind)


def _question(
    recall: ModuleRecall, number: int, place: int, item: PublishedItem, *, correct: bool | None = None
) -> RecallQuestion:
    keys = kinds_by_name()[item.kind].shufflable_keys(item.content)
    _chance_of(recall.person_id, recall.version.activity_id, number, item.key).shuffle(keys)
    return RecallQuestion(place, item, tuple(keys), correct=correct)


def _chance_of(*parts: int | str) -> random.Random:
    """A source of chance that is the same whenever the page is shown; nothing secret depends on it."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311
