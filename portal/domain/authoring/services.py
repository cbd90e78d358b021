"""Drafts: opened, saved, brought back, merged with what was published meanwhile, and discarded.

Every function locks the draft first, so two saves of one draft come one after the other on both databases.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from portal.domain.authoring import limits, queries
from portal.domain.authoring.content_types import GUIDE_PREFIX, Subject, subject_of
from portal.domain.authoring.editing import guide as guide_template
from portal.domain.authoring.editing import new_module as template
from portal.domain.authoring.editing import three_way_merge
from portal.domain.authoring.editing.three_way_merge import MergeConflict
from portal.domain.authoring.editor_presence import claim_place, leave_place, take_over_place
from portal.domain.authoring.errors import (
    DraftEndedError,
    DraftUnderReviewError,
    KeyTakenError,
    StaleSaveError,
    UnreadableFileError,
)
from portal.domain.authoring.media import blob_store
from portal.domain.authoring.models import Draft, DraftContent, DraftSave, Review
from portal.domain.catalogue import queries as catalogue
from portal.domain.catalogue.sources.folder_reader import KEY_PATTERN
from portal.domain.catalogue.sources.validation import sha256_of
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import ConflictError, NotFoundError, RuleError

__all__ = [
    "claim_place",
    "create_guide_draft",
    "create_module_draft",
    "discard_draft",
    "leave_place",
    "lock_draft",
    "open_draft",
    "rebase_draft",
    "restore_state",
    "save_files",
    "take_over_place",
]

DEFAULT_OWNER = "Learning and development"  # of a new module, until its author says otherwise
REVIEW_AFTER = timedelta(days=365)
MAX_KEY_LENGTH = 60


def open_draft(key: str, *, by: int, at: datetime) -> int:
    """The draft of the module's or guide's next version, opened if there is none; returns its id.

    Save 1 is what is published, byte for byte. Opening twice is the same as once.

    Raises:
        NotFoundError: There is no such module or guide.
    """
    held = queries.open_draft_id(key)
    if held is not None:
        return held
    of = subject_of(key)
    version = of.newest_version()
    if version is None:
        raise NotFoundError(f"There is no {of.noun} “{of.activity_key}”.")
    files = of.version_files(version.id)
    summary = f"Version {version.number} as published"
    try:
        return _begin_draft(of, version.id, files, summary, by, at)
    except IntegrityError:
        return _draft_opened_elsewhere(key)


def create_module_draft(key: str, title: str, *, by: int, at: datetime) -> int:
    """A draft of a module that is not published yet, from the template; returns its id.

    Raises:
        ConflictError: The key is taken.
        RuleError: The key or the title cannot be used.
    """
    of = _new_subject(key, title)
    files = template.template_folder(key, title.strip(), DEFAULT_OWNER, london_day(at) + REVIEW_AFTER)
    return _begin_new_draft(of, files, by, at)


def create_guide_draft(name: str, title: str, *, by: int, at: datetime) -> int:
    """A draft of a guide that is not published yet, from the template; returns its id.

    Raises:
        ConflictError: The name is taken.
        RuleError: The name or the title cannot be used.
    """
    of = _new_subject(f"{GUIDE_PREFIX}{name}", title)
    content = guide_template.new_guide_file(title.strip(), DEFAULT_OWNER, london_day(at) + REVIEW_AFTER)
    return _begin_new_draft(of, {of.main_file: content}, by, at)


def _new_subject(key: str, title: str) -> Subject:
    """What is to be new; refused where its name or title cannot be used, or the name is taken."""
    of = subject_of(key)
    if not KEY_PATTERN.fullmatch(of.activity_key) or len(of.activity_key) > MAX_KEY_LENGTH:
        raise RuleError(
            "Enter a short name with small letters, digits and single hyphens, such as “first-hour”."
            f" It may have up to {MAX_KEY_LENGTH} characters."
        )
    if not title.strip():
        raise RuleError(f"Enter the {of.noun}'s title.")
    if (
        catalogue.activity_id(of.activity_kind, of.activity_key) is not None
        or queries.open_draft_id(key) is not None
    ):
        raise KeyTakenError(of.activity_key, of.noun)
    return of


def _begin_new_draft(of: Subject, files: Mapping[str, bytes], by: int, at: datetime) -> int:
    try:
        return _begin_draft(of, None, files, "Begun from the template", by, at)
    except IntegrityError:
        raise KeyTakenError(of.activity_key, of.noun) from None


def save_files(
    draft_id: int,
    changes: Mapping[str, bytes | None],
    *,
    expected: Mapping[str, str | None],
    summary: str,
    by: int,
    at: datetime,
) -> int:
    """Save changed files as the draft's next state; returns the number of the state that stands now.

    Where every changed file has these bytes already nothing is written, whatever the page showed.

    Args:
        draft_id: The draft.
        changes: New bytes by path; None takes the file away.
        expected: For each changed path the sha256 that the page was made of; None: there was no such file.
        summary: What was done, in a few words.
        by: The person who saves.
        at: The instant.

    Raises:
        StaleSaveError: Someone saved one of these files meanwhile. Nothing is written.
        RuleError: The draft is being reviewed, or something is too large.
        ConflictError: The draft was published or discarded.
    """
    draft = lock_draft(draft_id)
    last = _last_save(draft_id)
    changed = {path: new for path, new in changes.items() if last.files.get(path) != _sha_or_none(new)}
    if not changed:
        return last.number
    _refuse_under_review(draft_id)
    _refuse_stale(last, changed, expected)
    return _add_save(draft, last, _apply_changes(draft, last.files, changed), summary, by, at).number


def restore_state(draft_id: int, number: int, *, by: int, at: datetime) -> int:
    """Bring state ``number`` back as the draft's next state; returns the new state's number.

    Nothing is written where it is what stands now.

    Raises:
        NotFoundError: There is no such state.
        RuleError: The draft is being reviewed.
        ConflictError: The draft was published or discarded.
    """
    draft = lock_draft(draft_id)
    _refuse_under_review(draft_id)
    old = queries.get_save(draft_id, number)
    last = _last_save(draft_id)
    if (old.files, old.base_version_id) == (last.files, draft.base_id):
        return last.number
    _set_base(draft, old.base_version_id)
    new = _add_save(draft, last, dict(old.files), f"Brought state {number} back", by, at)
    log("draft.restored", actor_id=by, module=draft.module_key, draft=draft_id, number=number)
    return new.number


def discard_draft(draft_id: int, *, by: int, at: datetime) -> None:
    """End the draft without publishing it; what is published stays as it is.

    Raises:
        RuleError: The draft is being reviewed.
        ConflictError: The draft was published or discarded.
    """
    draft = lock_draft(draft_id)
    _refuse_under_review(draft_id)
    draft.ended_at, draft.ended_as = at, "discarded"
    log("draft.discarded", actor_id=by, module=draft.module_key, draft=draft_id)
    db.session.flush()


def rebase_draft(
    draft_id: int,
    *,
    by: int,
    at: datetime,
    chosen: Mapping[str, bytes | None],
    expected: int | None = None,
) -> list[MergeConflict]:
    """Merge the version that was published meanwhile into the draft.

    Args:
        draft_id: The draft.
        by: The person who does it.
        at: The instant.
        chosen: For each file in which both sides changed the same place, what it shall hold; None: no file.
        expected: The state that the choice was made on; None where nothing was chosen yet.

    Returns:
        What still has to be chosen; nothing was written then. Empty: done.

    Raises:
        StaleSaveError: Someone saved after state ``expected``.
        RuleError: The draft is being reviewed, or something chosen is too large or unreadable.
        ConflictError: The draft was published or discarded.
    """
    draft = lock_draft(draft_id)
    _refuse_under_review(draft_id)
    last = _last_save(draft_id)
    if expected is not None and expected != last.number:
        raise StaleSaveError(
            {path: last.files.get(path) for path in chosen}, queries.person_name(last.saved_by_id)
        )
    newest = subject_of(draft.module_key).newest_version()
    if newest is None or newest.id == draft.base_id:
        return []
    merged, conflicts = _merge_version(draft, last, newest.id, chosen)
    if not conflicts:
        files = _apply_changes(draft, last.files, merged)
        _set_base(draft, newest.id)
        _add_save(draft, last, files, f"Brought version {newest.number} in", by, at)
    return conflicts


def _merge_version(
    draft: Draft, last: DraftSave, version_id: int, chosen: Mapping[str, bytes | None]
) -> tuple[dict[str, bytes | None], list[MergeConflict]]:
    """What changes in the draft where the version comes in, and what still has to be chosen."""
    of = subject_of(draft.module_key)
    base = of.version_files(draft.base_id) if draft.base_id else {}
    mine = blob_store.read_files(last.files)
    merged, conflicts = three_way_merge.merge_folders(base, mine, of.version_files(version_id))
    asked = {conflict.path for conflict in conflicts}
    merged |= {path: content for path, content in chosen.items() if path in asked}
    changed = {path: new for path, new in merged.items() if last.files.get(path) != _sha_or_none(new)}
    return changed, [conflict for conflict in conflicts if conflict.path not in chosen]


def _set_base(draft: Draft, version_id: int | None) -> None:
    """Let the draft be based on this version of what it is of."""
    for column, value in subject_of(draft.module_key).base_columns(version_id).items():
        setattr(draft, column, value)


def lock_draft(draft_id: int) -> Draft:
    """The open draft, locked to the end of the transaction.

    Raises:
        NotFoundError: There has never been one.
        DraftEndedError: It was published or discarded.
    """
    draft = db.session.scalar(
        select(Draft).where(Draft.id == draft_id).with_for_update().execution_options(populate_existing=True)
    )
    if draft is None:
        raise NotFoundError("There is no such draft.")
    if draft.ended_as is not None:
        raise DraftEndedError(draft.ended_as)
    return draft


def _begin_draft(
    of: Subject, version_id: int | None, files: Mapping[str, bytes], summary: str, by: int, at: datetime
) -> int:
    based = of.base_columns(version_id)
    with db.session.begin_nested():
        draft = Draft(module_key=of.key, opened_by_id=by, opened_at=at, **based)
        db.session.add(draft)
        db.session.flush()
    _store_contents(files.values())
    first = DraftSave(
        draft_id=draft.id,
        number=1,
        saved_by_id=by,
        saved_at=at,
        summary=summary,
        **based,
        files={path: sha256_of(content) for path, content in sorted(files.items())},
    )
    db.session.add(first)
    log("draft.opened", actor_id=by, module=of.key, draft=draft.id)
    db.session.flush()
    return draft.id


def _draft_opened_elsewhere(key: str) -> int:
    held = queries.open_draft_id(key)
    if held is None:
        raise ConflictError("Someone opened and ended a draft at this instant. Open it again.")
    return held


def _last_save(draft_id: int) -> DraftSave:
    return db.session.scalars(
        select(DraftSave).where(DraftSave.draft_id == draft_id).order_by(DraftSave.number.desc()).limit(1)
    ).one()


def _refuse_under_review(draft_id: int) -> None:
    if db.session.scalar(select(Review.id).where(Review.draft_id == draft_id, Review.ended_at.is_(None))):
        raise DraftUnderReviewError


def _refuse_stale(
    last: DraftSave, changed: Mapping[str, bytes | None], expected: Mapping[str, str | None]
) -> None:
    present = {path: last.files.get(path) for path in changed}
    if any(present[path] != expected.get(path) for path in changed):
        raise StaleSaveError(present, queries.person_name(last.saved_by_id))


def _apply_changes(
    draft: Draft, held: Mapping[str, str], changed: Mapping[str, bytes | None]
) -> dict[str, str]:
    """The files after a change, its new contents kept; refused where a limit is passed."""
    of = subject_of(draft.module_key)
    new = {path: content for path, content in changed.items() if content is not None}
    for path, content in new.items():
        limits.check_file(path, content, of.path_pattern, of.noun)
    after = {path: sha for path, sha in held.items() if path not in changed}
    after |= {path: sha256_of(content) for path, content in new.items()}
    if of.main_file not in after:
        raise UnreadableFileError(f"A {of.noun} cannot be without “{of.main_file}”.")
    sizes = blob_store.content_sizes({*held.values(), *after.values()}) | {
        sha256_of(content): len(content) for content in new.values()
    }
    limits.check_state(
        {path: sizes[sha] for path, sha in held.items()},
        {path: sizes[sha] for path, sha in after.items()},
        of.noun,
    )
    _store_contents(new.values())
    return dict(sorted(after.items()))


def _add_save(
    draft: Draft, last: DraftSave, files: dict[str, str], summary: str, by: int, at: datetime
) -> DraftSave:
    new = DraftSave(
        draft_id=draft.id,
        number=last.number + 1,
        saved_by_id=by,
        saved_at=at,
        summary=summary[: limits.SUMMARY_CHARACTERS],
        base_version_id=draft.base_version_id,
        base_guide_version_id=draft.base_guide_version_id,
        files=files,
    )
    try:
        with db.session.begin_nested():
            db.session.add(new)
    except IntegrityError:
        raise ConflictError("Someone else saved at this instant. Save again: nothing was lost.") from None
    return new


def _store_contents(contents: Iterable[bytes]) -> None:
    """Keep what is not kept yet, in order of hashes, so that two writers never wait in a ring."""
    rows = {sha256_of(content): content for content in contents}
    held = set(db.session.scalars(select(DraftContent.sha256).where(DraftContent.sha256.in_(rows))))
    new = [{"sha256": sha, "content": rows[sha]} for sha in sorted(rows.keys() - held)]
    if new:
        make = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
        db.session.execute(make(DraftContent).on_conflict_do_nothing(), new)


def _sha_or_none(content: bytes | None) -> str | None:
    return None if content is None else sha256_of(content)
