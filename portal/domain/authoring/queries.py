"""Reads drafts: their states, files and active editors, and the rows of the authoring dashboard."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, select
from sqlalchemy.orm import aliased

from portal.domain.authoring.content_types import GUIDE_PREFIX, Version, subject_of
from portal.domain.authoring.files import INACTIVE_AFTER
from portal.domain.authoring.findings import check_draft_files, check_draft_hashes
from portal.domain.authoring.models import Draft, DraftSave, Presence, Review, read_content, read_files
from portal.domain.catalogue.models import GuideVersion, ModuleVersion
from portal.domain.catalogue.publishing import current_guides
from portal.domain.catalogue.version_cache import published_modules
from portal.domain.people.models import PersonName
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError

__all__ = ["check_draft_files", "check_draft_hashes", "read_content", "read_files"]

SOMEONE = "Someone"  # a person whose name was erased
_BASE_OF_DRAFT = func.coalesce(Draft.base_version_id, Draft.base_guide_version_id)


@dataclass(frozen=True, slots=True)
class ActiveEditor:
    """A person who is editing one place of a draft."""

    person_id: int
    name: str
    place: str  # "details", "lesson:name", "item:key"
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenReview:
    """The open review of a draft."""

    review_id: int
    number: int  # of the state that was sent
    sent_by_id: int
    sent_by: str
    sent_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class DashboardRow:
    """One module or guide on the authoring dashboard."""

    key: str
    title: str  # the published version's, or the draft's where there is none
    published_number: int | None  # None: not published
    review_on: date | None
    draft_id: int | None
    last_saved_at: datetime | None  # of the draft
    last_saved_by: str  # a name; empty: no draft
    is_changed: bool  # whether the draft has been saved since it was opened
    in_review: bool
    editors: list[ActiveEditor]


@dataclass(frozen=True, slots=True)
class DraftState:
    """The open draft of one module or guide, with its last saved state."""

    draft_id: int
    key: str
    number: int  # of its last state
    base_version_id: int | None  # of its module or guide; None: new
    base_number: int | None
    published_number: int | None  # of the latest version, which may be newer than the base
    is_behind: bool  # whether a version newer than the base is published
    files: dict[str, str]  # path -> sha256
    last_saved_at: datetime
    last_saved_by: str
    last_saved_by_id: int
    summary: str  # of the last state
    review: OpenReview | None
    editors: list[ActiveEditor]


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


def dashboard_modules() -> Sequence[DashboardRow]:
    """Every module, published or new, by title; the number of statements does not grow with the modules."""
    of_modules = ~Draft.module_key.startswith(GUIDE_PREFIX, autoescape=True)
    return _dashboard_rows({version.activity.key: version for version in published_modules()}, of_modules)


def dashboard_guides() -> Sequence[DashboardRow]:
    """Every guide, published or new, by title; the number of statements does not grow with the guides."""
    published = {f"{GUIDE_PREFIX}{version.activity.key}": version for version in current_guides()}
    return _dashboard_rows(published, Draft.module_key.startswith(GUIDE_PREFIX, autoescape=True))


def _dashboard_rows(
    published: Mapping[str, Version], condition: ColumnElement[bool]
) -> Sequence[DashboardRow]:
    drafts = {row.module_key: row for row in db.session.execute(_select_open_drafts().where(condition))}
    titles = _new_titles(row for row in drafts.values() if row.base_version_id is None)
    editors = _active_editors({row.id for row in drafts.values()})
    rows = []
    for key, version in published.items():
        row = drafts.pop(key, None)
        rows.append(_dashboard_row(key, version.title, version, row, editors))
    rows += [_dashboard_row(key, titles.get(key, key), None, row, editors) for key, row in drafts.items()]
    return sorted(rows, key=lambda row: (row.title.casefold(), row.key))


def open_draft_id(key: str) -> int | None:
    """The id of the module's open draft; None where there is none."""
    return db.session.scalar(select(Draft.id).where(Draft.module_key == key, Draft.ended_at.is_(None)))


def get_draft(key: str) -> DraftState:
    """The open draft of a module or guide."""
    row = db.session.execute(_select_open_drafts().where(Draft.module_key == key)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no draft of “{key}”.")
    newest = subject_of(key).newest_version()
    return DraftState(
        draft_id=row.id,
        key=key,
        number=row.number,
        base_version_id=row.base_version_id,
        base_number=row.base_number,
        published_number=newest.number if newest else None,
        is_behind=newest is not None and newest.id != row.base_version_id,
        files=row.files,
        last_saved_at=row.saved_at,
        last_saved_by=_full_name(row),
        last_saved_by_id=row.saved_by_id,
        summary=row.summary,
        review=_open_review(row.id),
        editors=_active_editors({row.id}).get(row.id, []),
    )


def draft_files(state: DraftState) -> dict[str, bytes]:
    """The content of every file of the draft's last state, by path."""
    return read_files(state.files)


def list_saves(draft_id: int) -> list[SavedState]:
    """All saved states of a draft, the newest first."""
    rows = db.session.execute(_select_saves().where(DraftSave.draft_id == draft_id))
    return [_saved_state(row) for row in rows]


def get_save(draft_id: int, number: int) -> SavedState:
    """One saved state of a draft."""
    row = db.session.execute(
        _select_saves().where(DraftSave.draft_id == draft_id, DraftSave.number == number)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"This draft has no state {number}.")
    return _saved_state(row)


def state_files(draft_id: int, number: int) -> dict[str, bytes]:
    """The content of every file of one state, by path."""
    return read_files(get_save(draft_id, number).files)


def editor_ids(draft_id: int) -> set[int]:
    """Ids of everyone who saved a state after the first; they may not publish the draft."""
    return set(
        db.session.scalars(
            select(DraftSave.saved_by_id).where(DraftSave.draft_id == draft_id, DraftSave.number > 1)
        )
    )


def person_name(person_id: int) -> str:
    """Forenames and surname, or “Someone” where they were erased."""
    name = select(PersonName.full_name).where(PersonName.person_id == person_id)
    return db.session.scalar(name) or SOMEONE


def _select_open_drafts() -> Select[*tuple[Any, ...]]:
    """Each open draft with its last state; the correlated subquery uses the index per draft."""
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


def _select_saves() -> Select[*tuple[Any, ...]]:
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
        row.number,
        row.saved_at,
        _full_name(row),
        row.saved_by_id,
        row.summary,
        row.base_version_id,
        row.files,
    )


def _full_name(row: Row[*tuple[Any, ...]]) -> str:
    return f"{row.forenames} {row.surname}" if row.surname is not None else SOMEONE


def _dashboard_row(
    key: str,
    title: str,
    version: Version | None,
    row: Row[*tuple[Any, ...]] | None,
    editors: Mapping[int, list[ActiveEditor]],
) -> DashboardRow:
    return DashboardRow(
        key=key,
        title=title,
        published_number=version.number if version else None,
        review_on=version.review_on if version else None,
        draft_id=row.id if row else None,
        last_saved_at=row.saved_at if row else None,
        last_saved_by=_full_name(row) if row else "",
        is_changed=row is not None and row.number > 1,
        in_review=row is not None and row.review_id is not None,
        editors=editors.get(row.id, []) if row else [],
    )


def _new_titles(rows: Iterable[Row[*tuple[Any, ...]]]) -> dict[str, str]:
    """Titles of new modules or guides by key; drafts without a title are left out."""
    first = {row.module_key: row.files[subject_of(row.module_key).main_file] for row in rows}
    titles = {key: subject_of(key).title(content) for key, content in read_files(first).items()}
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
    return OpenReview(row.id, row.number, row.sent_by_id, _full_name(row), row.sent_at, row.note)


def _active_editors(drafts: Collection[int]) -> dict[int, list[ActiveEditor]]:
    """Editors of each draft who were seen within ``INACTIVE_AFTER``, by place."""
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
        .where(Presence.draft_id.in_(drafts), Presence.seen_at >= clock.now() - INACTIVE_AFTER)
        .order_by(Presence.draft_id, Presence.place)
    )
    editors: dict[int, list[ActiveEditor]] = {}
    for row in rows:
        editing = ActiveEditor(row.person_id, _full_name(row), row.place, row.since)
        editors.setdefault(row.draft_id, []).append(editing)
    return editors
