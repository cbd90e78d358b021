"""What stands in drafts: their states, their files, who works on them; and the desk."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, select
from sqlalchemy.orm import aliased

from portal.domain.authoring.content_types import BELOW_GUIDES, Version, subject
from portal.domain.authoring.findings.check_cache import reading, reading_of
from portal.domain.authoring.limits import AWAY_AFTER
from portal.domain.authoring.media.blob_store import content, files_of
from portal.domain.authoring.models import Draft, DraftSave, Presence, Review
from portal.domain.catalogue.guide_publishing import current_guides
from portal.domain.catalogue.models import GuideVersion, ModuleVersion
from portal.domain.catalogue.queries import published_modules
from portal.domain.people.models import PersonName
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError

__all__ = [
    "DeskRow",
    "DraftState",
    "Editing",
    "OpenReview",
    "SavedState",
    "changed_by",
    "content",
    "contents",
    "desk",
    "desk_guides",
    "draft",
    "files_of",
    "name",
    "open_draft_id",
    "reading",
    "reading_of",
    "saved",
    "saves",
    "state",
]

SOMEONE = "Someone"  # whose name was erased
_BASE_OF_DRAFT = func.coalesce(Draft.base_version_id, Draft.base_guide_version_id)


@dataclass(frozen=True, slots=True)
class Editing:
    """Who is editing one place of a draft."""

    person_id: int
    name: str
    place: str  # "details", "lesson:name", "item:key"
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenReview:
    """The review that a draft is in."""

    review_id: int
    number: int  # of the state that was sent
    sent_by_id: int
    sent_by: str
    sent_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One module or guide on the desk's first page."""

    key: str
    title: str  # of the published version; of the draft where there is none
    published: int | None  # number of the published version
    review_on: date | None
    draft_id: int | None
    last_saved_at: datetime | None  # of the draft
    last_saved_by: str  # empty: no draft
    changed: bool  # whether the draft has more than its first state
    in_review: bool
    editors: list[Editing]  # seen in the last minutes


@dataclass(frozen=True, slots=True)
class DraftState:
    """The open draft of one module or guide as it stands."""

    draft_id: int
    key: str
    number: int  # of its last state
    base_version_id: int | None  # of its module or guide; None: it is new
    base_number: int | None
    published_number: int | None  # of the newest version, which may be later than the base
    behind: bool  # whether a version was published after the one that the draft is based on
    files: dict[str, str]  # path -> sha256
    last_saved_at: datetime
    last_saved_by: str
    last_saved_by_id: int
    summary: str  # of the last state
    review: OpenReview | None
    editors: list[Editing]  # seen in the last minutes


@dataclass(frozen=True, slots=True)
class SavedState:
    """One saved state in a draft's history."""

    number: int
    saved_at: datetime
    saved_by: str
    saved_by_id: int
    summary: str
    base_version_id: int | None
    files: dict[str, str]  # path -> sha256


def desk() -> Sequence[DeskRow]:
    """Every module, published or new, by title; in as many statements for twenty as for two."""
    of_modules = ~Draft.module_key.startswith(BELOW_GUIDES, autoescape=True)
    return _desk({version.activity.key: version for version in published_modules()}, of_modules)


def desk_guides() -> Sequence[DeskRow]:
    """Every guide, published or new, by title; likewise."""
    published = {f"{BELOW_GUIDES}{version.activity.key}": version for version in current_guides()}
    return _desk(published, Draft.module_key.startswith(BELOW_GUIDES, autoescape=True))


def _desk(published: Mapping[str, Version], among: ColumnElement[bool]) -> Sequence[DeskRow]:
    drafts = {row.module_key: row for row in db.session.execute(_open_drafts().where(among))}
    titles = _titles(row for row in drafts.values() if row.base_version_id is None)
    editors = _editors_of({row.id for row in drafts.values()})
    rows = []
    for key, version in published.items():
        row = drafts.pop(key, None)
        rows.append(_desk_row(key, version.title, version, row, editors))
    rows += [_desk_row(key, titles.get(key, key), None, row, editors) for key, row in drafts.items()]
    return sorted(rows, key=lambda row: (row.title.casefold(), row.key))


def open_draft_id(key: str) -> int | None:
    """The id of the module's open draft; None where there is none."""
    return db.session.scalar(select(Draft.id).where(Draft.module_key == key, Draft.ended_at.is_(None)))


def draft(key: str) -> DraftState:
    """The open draft of a module as it stands.

    Raises:
        NotFoundError: There is none.
    """
    row = db.session.execute(_open_drafts().where(Draft.module_key == key)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no draft of “{key}”.")
    newest = subject(key).newest()
    return DraftState(
        draft_id=row.id,
        key=key,
        number=row.number,
        base_version_id=row.base_version_id,
        base_number=row.base_number,
        published_number=newest.number if newest else None,
        behind=newest is not None and newest.id != row.base_version_id,
        files=row.files,
        last_saved_at=row.saved_at,
        last_saved_by=_named(row),
        last_saved_by_id=row.saved_by_id,
        summary=row.summary,
        review=_open_review(row.id),
        editors=_editors_of({row.id}).get(row.id, []),
    )


def contents(state: DraftState) -> dict[str, bytes]:
    """Every file of the draft's last state by path, byte for byte."""
    return files_of(state.files)


def saves(draft_id: int) -> list[SavedState]:
    """Every state of a draft, the newest first."""
    rows = db.session.execute(_saves().where(DraftSave.draft_id == draft_id))
    return [_saved_state(row) for row in rows]


def saved(draft_id: int, number: int) -> SavedState:
    """One state of a draft.

    Raises:
        NotFoundError: There is no such state.
    """
    row = db.session.execute(
        _saves().where(DraftSave.draft_id == draft_id, DraftSave.number == number)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"This draft has no state {number}.")
    return _saved_state(row)


def state(draft_id: int, number: int) -> dict[str, bytes]:
    """Every file of one state by path, byte for byte."""
    return files_of(saved(draft_id, number).files)


def changed_by(draft_id: int) -> set[int]:
    """Who saved any state but the first, whatever became of it: they may not publish the draft."""
    return set(
        db.session.scalars(
            select(DraftSave.saved_by_id).where(DraftSave.draft_id == draft_id, DraftSave.number > 1)
        )
    )


def name(person_id: int) -> str:
    """Forenames and surname; where they were erased, “Someone”."""
    row = db.session.execute(
        select(PersonName.forenames, PersonName.surname).where(PersonName.person_id == person_id)
    ).one_or_none()
    return f"{row.forenames} {row.surname}" if row else SOMEONE


def _open_drafts() -> Select[*tuple[Any, ...]]:
    """Each open draft with its last state; the number is looked up draft by draft, in its index."""
    saved = aliased(DraftSave)
    last = select(func.max(saved.number)).where(saved.draft_id == Draft.id).correlate(Draft).scalar_subquery()
    return (
        select(
            Draft.id,
            Draft.module_key,
            _BASE_OF_DRAFT.label("base_version_id"),
            func.coalesce(ModuleVersion.number, GuideVersion.number).label("base_number"),
            DraftSave.number,
            DraftSave.files,
            DraftSave.saved_at,
            DraftSave.saved_by_id,
            DraftSave.summary,
            PersonName.forenames,
            PersonName.surname,
            Review.id.label("review_id"),
        )
        .select_from(Draft)
        .join(DraftSave, and_(DraftSave.draft_id == Draft.id, DraftSave.number == last))
        .outerjoin(ModuleVersion, ModuleVersion.id == Draft.base_version_id)
        .outerjoin(GuideVersion, GuideVersion.id == Draft.base_guide_version_id)
        .outerjoin(PersonName, PersonName.person_id == DraftSave.saved_by_id)
        .outerjoin(Review, and_(Review.draft_id == Draft.id, Review.ended_at.is_(None)))
        .where(Draft.ended_at.is_(None))
        .order_by(Draft.module_key)
    )


def _saves() -> Select[*tuple[Any, ...]]:
    return (
        select(
            DraftSave.number,
            DraftSave.saved_at,
            DraftSave.saved_by_id,
            DraftSave.summary,
            func.coalesce(DraftSave.base_version_id, DraftSave.base_guide_version_id).label(
                "base_version_id"
            ),
            DraftSave.files,
            PersonName.forenames,
            PersonName.surname,
        )
        .outerjoin(PersonName, PersonName.person_id == DraftSave.saved_by_id)
        .order_by(DraftSave.number.desc())
    )


def _saved_state(row: Row[*tuple[Any, ...]]) -> SavedState:
    return SavedState(
        row.number, row.saved_at, _named(row), row.saved_by_id, row.summary, row.base_version_id, row.files
    )


def _named(row: Row[*tuple[Any, ...]]) -> str:
    return f"{row.forenames} {row.surname}" if row.surname is not None else SOMEONE


def _desk_row(
    key: str,
    title: str,
    version: Version | None,
    row: Row[*tuple[Any, ...]] | None,
    editors: Mapping[int, list[Editing]],
) -> DeskRow:
    return DeskRow(
        key=key,
        title=title,
        published=version.number if version else None,
        review_on=version.review_on if version else None,
        draft_id=row.id if row else None,
        last_saved_at=row.saved_at if row else None,
        last_saved_by=_named(row) if row else "",
        changed=row is not None and row.number > 1,
        in_review=row is not None and row.review_id is not None,
        editors=editors.get(row.id, []) if row else [],
    )


def _titles(rows: Iterable[Row[*tuple[Any, ...]]]) -> dict[str, str]:
    """Titles of new modules or guides, by key; one without a title is missing."""
    first = {row.module_key: row.files[subject(row.module_key).first] for row in rows}
    titles = {key: subject(key).title(content_) for key, content_ in files_of(first).items()}
    return {key: title for key, title in titles.items() if title.strip()}


def _open_review(draft_id: int) -> OpenReview | None:
    row = db.session.execute(
        select(
            Review.id,
            Review.sent_by_id,
            Review.sent_at,
            Review.note,
            DraftSave.number,
            PersonName.forenames,
            PersonName.surname,
        )
        .join(DraftSave, DraftSave.id == Review.save_id)
        .outerjoin(PersonName, PersonName.person_id == Review.sent_by_id)
        .where(Review.draft_id == draft_id, Review.ended_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    return OpenReview(row.id, row.number, row.sent_by_id, _named(row), row.sent_at, row.note)


def _editors_of(drafts: Collection[int]) -> dict[int, list[Editing]]:
    """Who was seen in each draft in the last minutes, by place."""
    rows = db.session.execute(
        select(
            Presence.draft_id,
            Presence.person_id,
            Presence.place,
            Presence.since,
            PersonName.forenames,
            PersonName.surname,
        )
        .outerjoin(PersonName, PersonName.person_id == Presence.person_id)
        .where(Presence.draft_id.in_(drafts), Presence.seen_at >= clock.now() - AWAY_AFTER)
        .order_by(Presence.draft_id, Presence.place)
    )
    found: dict[int, list[Editing]] = {}
    for row in rows:
        editing = Editing(row.person_id, _named(row), row.place, row.since)
        found.setdefault(row.draft_id, []).append(editing)
    return found
