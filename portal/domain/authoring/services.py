"""Opens, saves, restores, rebases and discards drafts.

Every function locks the draft first, so concurrent saves of one draft are serialised on both databases.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from portal.domain.assessment import services as assessment
from portal.domain.assessment.errors import AttemptsRemainError, OwnAttemptError
from portal.domain.authoring import content_types, merging, models, queries
from portal.domain.authoring import files as authoring_files
from portal.domain.authoring.content_types import GUIDE_PREFIX, DraftSubject, subject_of
from portal.domain.authoring.errors import (
    DraftEndedError,
    DraftUnderReviewError,
    KeyTakenError,
    StaleSaveError,
    UnreadableFileError,
)
from portal.domain.authoring.files import INACTIVE_AFTER
from portal.domain.authoring.merging import MergeConflict
from portal.domain.authoring.models import Draft, DraftContent, DraftSave, Presence, Review
from portal.domain.authoring.queries import ActiveEditor
from portal.domain.catalogue import version_cache
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.catalogue.module_check import sha256_of
from portal.domain.catalogue.source_files import KEY_PATTERN
from portal.domain.people.queries import person_by_staff_number
from portal.domain.people.visibility import NOBODY
from portal.domain.records.queries import latest_registration
from portal.platform.audit import AuditEvent, log
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import ConflictError, NotFoundError, RuleError, TooManyError

# Records who is editing which place of a draft; a notice to others, not a lock on saving.


def claim_place(draft_id: int, place: str, *, by: int, at: datetime) -> ActiveEditor | None:
    """Record the person as editor of the place, unless someone else is editing it.

    Args:
        draft_id: The draft.
        place: ``details``, ``lesson:name`` or ``item:key``.
        by: The person who opens the place or still has it open.
        at: The instant.

    Returns:
        None where the person is now its editor, otherwise the other editor.
    """
    presence = _lock_presence(draft_id, place)
    if presence is None:
        try:
            with db.session.begin_nested():
                row = Presence(draft_id=draft_id, place=place, person_id=by, since=at, seen_at=at)
                db.session.add(row)
            return None
        except IntegrityError:
            presence = _lock_presence(draft_id, place)
    if presence is None:  # the other editor left in between
        return claim_place(draft_id, place, by=by, at=at)
    if presence.person_id != by and at - presence.seen_at <= INACTIVE_AFTER:
        return ActiveEditor(
            presence.person_id, queries.person_name(presence.person_id), presence.place, presence.since
        )
    if presence.person_id != by:
        presence.person_id, presence.since = by, at
    presence.seen_at = at
    db.session.flush()
    return None


def take_over_place(draft_id: int, place: str, *, by: int, at: datetime) -> None:
    """Replace the editor of the place; what the previous editor still saves is checked as stale."""
    if claim_place(draft_id, place, by=by, at=at) is None:
        return
    presence = _lock_presence(draft_id, place)
    if presence is not None:
        presence.person_id, presence.since, presence.seen_at = by, at, at
        db.session.flush()


def leave_place(draft_id: int, place: str, *, by: int) -> None:
    """Delete the person's presence at the place, if they are its editor."""
    db.session.execute(
        delete(Presence).where(
            Presence.draft_id == draft_id, Presence.place == place, Presence.person_id == by
        )
    )


def _lock_presence(draft_id: int, place: str) -> Presence | None:
    return db.session.scalar(
        select(Presence)
        .where(Presence.draft_id == draft_id, Presence.place == place)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


DEFAULT_OWNER = "Learning and development"  # of a new module or guide, until its author changes it
REVIEW_AFTER = timedelta(days=365)
MAX_KEY_LENGTH = 60


def open_draft(key: str, *, by: int, at: datetime) -> int:
    """Open a draft of the module's or guide's next version, unless one is open; returns the open draft's id.

    State 1 has the published files. Repeating the call changes nothing.
    """
    draft_id = queries.open_draft_id(key)
    if draft_id is not None:
        return draft_id
    draft_subject = subject_of(key)
    version = draft_subject.newest_version()
    if version is None:
        raise NotFoundError(f"There is no {draft_subject.noun} “{draft_subject.activity_key}”.")
    files = draft_subject.version_files(version.id)
    summary = f"Version {version.number} as published"
    draft_id = _begin_draft(draft_subject, version.id, files, summary, by, at)
    return _draft_opened_elsewhere(key) if draft_id is None else draft_id


def create_module_draft(key: str, title: str, *, by: int, at: datetime) -> int:
    """Create a draft of a new module from the template; returns its id.

    Raises:
        ConflictError: The key is taken.
        RuleError: The key or the title is invalid.
    """
    draft_subject = _new_subject(key, title)
    files = content_types.template_folder(key, title.strip(), DEFAULT_OWNER, london_day(at) + REVIEW_AFTER)
    return _begin_new_draft(draft_subject, files, by, at)


def create_guide_draft(name: str, title: str, *, by: int, at: datetime) -> int:
    """Create a draft of a new guide from the template; returns its id.

    Raises:
        ConflictError: The name is taken.
        RuleError: The name or the title is invalid.
    """
    draft_subject = _new_subject(f"{GUIDE_PREFIX}{name}", title)
    content = content_types.new_guide_file(title.strip(), DEFAULT_OWNER, london_day(at) + REVIEW_AFTER)
    return _begin_new_draft(draft_subject, {draft_subject.main_file: content}, by, at)


def _new_subject(key: str, title: str) -> DraftSubject:
    """The subject of a new draft, after checks of its name and title.

    Raises:
        KeyTakenError: The name is taken.
    """
    draft_subject = subject_of(key)
    if (
        not KEY_PATTERN.fullmatch(draft_subject.activity_key)
        or len(draft_subject.activity_key) > MAX_KEY_LENGTH
    ):
        raise RuleError(
            "Enter a short name with small letters, digits and single hyphens, such as “first-hour”."
            f" It may have up to {MAX_KEY_LENGTH} characters."
        )
    if not title.strip():
        raise RuleError(f"Enter the {draft_subject.noun}'s title.")
    if (
        version_cache.activity_id(draft_subject.activity_kind, draft_subject.activity_key) is not None
        or queries.open_draft_id(key) is not None
    ):
        raise KeyTakenError(draft_subject.activity_key, draft_subject.noun)
    return draft_subject


def _begin_new_draft(draft_subject: DraftSubject, files: Mapping[str, bytes], by: int, at: datetime) -> int:
    draft_id = _begin_draft(draft_subject, None, files, "Created from the template", by, at)
    if draft_id is None:
        raise KeyTakenError(draft_subject.activity_key, draft_subject.noun)
    return draft_id


def save_files(
    draft_id: int,
    changes: Mapping[str, bytes | None],
    *,
    expected: Mapping[str, str | None],
    summary: str,
    by: int,
    at: datetime,
) -> int:
    """Save changed files as the draft's next state; returns the number of its last state.

    Nothing is written where every file already has these bytes, even if ``expected`` is out of date.

    Args:
        draft_id: The draft.
        changes: New bytes by path; None removes the file.
        expected: For each changed path, the sha256 that the page was made from; None: there was no such file.
        summary: The change, in a few words.
        by: The person who saves.
        at: The instant.

    Raises:
        StaleSaveError: Someone else has saved one of these files. Nothing is written.
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
    """Save the files of state ``number`` as the draft's next state; returns the number of its last state.

    Nothing is written where they are the current files.

    Raises:
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
    """End the draft without publishing it; the published version does not change.

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
    keeps_mine: Mapping[str, bool],
    expected: int | None = None,
) -> list[MergeConflict]:
    """Merge a version published since the draft's base into the draft.

    Args:
        draft_id: The draft.
        by: The person who does it.
        at: The instant.
        keeps_mine: The author's choice for each conflict by its name: the draft's part, or the published one.
        expected: The number of the state that the choice was based on; None before any choice.

    Returns:
        The remaining conflicts, with nothing written; empty once the merge is saved.

    Raises:
        StaleSaveError: Someone else has saved since state ``expected``.
        RuleError: The draft is being reviewed, or a merged file is too large.
        ConflictError: The draft was published or discarded.
    """
    draft = lock_draft(draft_id)
    _refuse_under_review(draft_id)
    last = _last_save(draft_id)
    if expected is not None and expected != last.number:
        raise StaleSaveError({}, queries.person_name(last.saved_by_id))
    newest = subject_of(draft.module_key).newest_version()
    if newest is None or newest.id == draft.base_id:
        return []
    merged, conflicts = _merge_version(draft, last, newest.id, keeps_mine)
    if not conflicts:
        files = _apply_changes(draft, last.files, merged)
        _set_base(draft, newest.id)
        _add_save(draft, last, files, f"Brought version {newest.number} in", by, at)
    return conflicts


def _merge_version(
    draft: Draft, last: DraftSave, version_id: int, keeps_mine: Mapping[str, bool]
) -> tuple[dict[str, bytes | None], list[MergeConflict]]:
    """The files that the merge changes in the draft, and the remaining conflicts."""
    draft_subject = subject_of(draft.module_key)
    base = draft_subject.version_files(draft.base_id) if draft.base_id else {}
    mine = models.read_files(last.files)
    merged, conflicts = merging.merge_folders(base, mine, draft_subject.version_files(version_id), keeps_mine)
    changed = {path: new for path, new in merged.items() if last.files.get(path) != _sha_or_none(new)}
    return changed, conflicts


def _set_base(draft: Draft, version_id: int | None) -> None:
    """Set the version that the draft is based on."""
    for column, value in subject_of(draft.module_key).base_columns(version_id).items():
        setattr(draft, column, value)


def lock_draft(draft_id: int) -> Draft:
    """The open draft, locked to the end of the transaction.

    Raises:
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
    draft_subject: DraftSubject,
    version_id: int | None,
    files: Mapping[str, bytes],
    summary: str,
    by: int,
    at: datetime,
) -> int | None:
    """Add a draft with its first state; None if somebody else opened one at this very moment."""
    based = draft_subject.base_columns(version_id)
    draft = Draft(module_key=draft_subject.key, opened_by_id=by, opened_at=at, **based)
    try:
        with db.session.begin_nested():
            db.session.add(draft)
    except IntegrityError:
        return None
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
    log("draft.opened", actor_id=by, module=draft_subject.key, draft=draft.id)
    db.session.flush()
    return draft.id


def _draft_opened_elsewhere(key: str) -> int:
    draft_id = queries.open_draft_id(key)
    if draft_id is None:
        raise ConflictError("Someone else opened and ended this draft just now. Open it again.")
    return draft_id


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
    draft: Draft, old_hashes: Mapping[str, str], changed: Mapping[str, bytes | None]
) -> dict[str, str]:
    """The hashes of all files after a change; stores new contents and enforces the limits."""
    draft_subject = subject_of(draft.module_key)
    new = {path: content for path, content in changed.items() if content is not None}
    for path, content in new.items():
        authoring_files.check_file(path, content, draft_subject.path_pattern, draft_subject.noun)
    after = {path: sha for path, sha in old_hashes.items() if path not in changed}
    after |= {path: sha256_of(content) for path, content in new.items()}
    if draft_subject.main_file not in after:
        raise UnreadableFileError(f"A {draft_subject.noun} must have “{draft_subject.main_file}”.")
    sizes = models.content_sizes({*old_hashes.values(), *after.values()}) | {
        sha256_of(content): len(content) for content in new.values()
    }
    authoring_files.check_state(
        {path: sizes[sha] for path, sha in old_hashes.items()},
        {path: sizes[sha] for path, sha in after.items()},
        draft_subject.noun,
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
        summary=summary[: authoring_files.SUMMARY_CHARACTERS],
        base_version_id=draft.base_version_id,
        base_guide_version_id=draft.base_guide_version_id,
        files=files,
    )
    try:
        with db.session.begin_nested():
            db.session.add(new)
    except IntegrityError:
        raise ConflictError("Someone else saved just now. Save again: nothing was lost.") from None
    return new


def _store_contents(contents: Iterable[bytes]) -> None:
    """Store new contents, in order of their hashes so that concurrent writers cannot deadlock."""
    rows = {sha256_of(content): content for content in contents}
    stored_hashes = set(db.session.scalars(select(DraftContent.sha256).where(DraftContent.sha256.in_(rows))))
    new = [{"sha256": sha, "content": rows[sha]} for sha in sorted(rows.keys() - stored_hashes)]
    if new:
        insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
        db.session.execute(insert(DraftContent).on_conflict_do_nothing(), new)


def _sha_or_none(content: bytes | None) -> str | None:
    return None if content is None else sha256_of(content)


# Opens one more attempt at a module for a staff number, without revealing anything about the person.
#
# Authors may not see people's records. The answer therefore never reveals whether a staff number exists
# or how far the person has got: every reason for not opening an attempt gives the same answer.

NOT_OPENED = "attempt.not_opened"
# Enough for staff who answer learners, too few to find valid staff numbers by guessing.
MAX_TRIES, TRIES_PERIOD = 30, timedelta(hours=1)


def open_extra_attempt(
    version: ModuleVersion, staff_number: str, *, by: int, reason: str, at: datetime
) -> bool:
    """Open one more attempt at the version's module for a person who has used every permitted attempt.

    Failed tries are recorded in the audit trail too, so that guessing staff numbers leaves a trace.

    Args:
        version: The module's current one.
        staff_number: As the author typed it.
        by: The author.
        reason: A key of ``EXTRA_REASONS``.
        at: The current instant.

    Returns:
        Whether an attempt was opened today, now or earlier; False does not say why not.

    Raises:
        OwnAttemptError: The number is the author's own.
        TooManyError: The author has entered too many unknown numbers.
    """
    _refuse_guessing(by, at)
    person_id = _find_person(staff_number)
    if person_id == by:
        raise OwnAttemptError
    try:
        registration = latest_registration(person_id or NOBODY, version.activity_id)
        assessment.open_extra_attempt(registration, by=by, reason=reason, at=at)
    except AttemptsRemainError:
        log(NOT_OPENED, actor_id=by, subject_id=person_id, module=version.activity.key)
        return False
    return True


def _refuse_guessing(by: int, at: datetime) -> None:
    """Refuse after too many unknown staff numbers, counted in the audit trail across all processes."""
    oldest_counted = db.session.scalar(
        select(AuditEvent.happened_at)
        .where(
            AuditEvent.actor_id == by,
            AuditEvent.action == NOT_OPENED,
            AuditEvent.happened_at > at - TRIES_PERIOD,
        )
        .order_by(AuditEvent.happened_at.desc())
        .offset(MAX_TRIES - 1)
        .limit(1)
    )
    if oldest_counted is not None:
        wait = oldest_counted + TRIES_PERIOD - at
        raise TooManyError("You have entered too many wrong staff numbers.", math.ceil(wait.total_seconds()))


def _find_person(staff_number: str) -> int | None:
    try:
        return person_by_staff_number(staff_number.replace("\x00", ""))  # PostgreSQL takes no NUL
    except NotFoundError:
        return None
