"""Adds, changes and withdraws evidence; each is a new fact, from a day on, with who recorded it and why."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from portal.domain.assurance.entering import (
    EntryRefusedError,
    begin_entry,
    refuse_wrong_lengths,
    require_recommendation,
)
from portal.domain.assurance.evidence.kinds import IMMUTABLE, REVIEWED
from portal.domain.assurance.held_facts import list_held_facts, read_held_by_subject
from portal.domain.assurance.models import EVIDENCE_KINDS, Evidence, EvidenceVersion
from portal.domain.reports.parameters import Position, read_position_today
from portal.platform import wording as say
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.errors import ConflictError, NotFoundError, RuleError


@dataclass(frozen=True, slots=True)
class EvidenceEntry:
    """What a person enters about a piece of evidence, whatever its kind."""

    title: str
    definition: dict[str, Any]  # of its kind
    owner_id: int | None
    review_on: date | None
    from_on: date  # the day from which it holds


def add_evidence(key: str, kind: str, entry: EvidenceEntry, *, by: int, at: datetime) -> str:
    """Add a piece of evidence to a recommendation, and return its reference.

    Args:
        key: Of the recommendation.
        kind: One of ``EVIDENCE_KINDS``; the definition is of this kind.
        entry: What it is. A statement is signed by ``by``, today.
        by: Who records it.
        at: When.

    Raises:
        NotFoundError: There is no such recommendation.
        EntryRefusedError: A day or a text is refused, or the same piece is there on that day: the form
            was sent twice.
    """
    position = begin_entry(entry.from_on, at)
    recommendation = require_recommendation(key)
    if kind not in EVIDENCE_KINDS:
        raise EntryRefusedError("kind", "Choose a kind of evidence.")
    if kind in IMMUTABLE and position.as_at != position.today:
        raise EntryRefusedError("from_on", "A statement is signed today.")
    _refuse_entry(kind, entry)
    _refuse_repeated_piece(recommendation.id, kind, entry, position)
    number = (db.session.scalar(select(func.count()).select_from(Evidence)) or 0) + 1
    reference = f"E-{number:04}"
    piece = Evidence(
        recorded_at=position.as_known_on, reference=reference, recommendation_id=recommendation.id
    )
    db.session.add(piece)
    db.session.flush()
    _record_version(piece.id, kind, entry, position, by=by)
    log("evidence.added", actor_id=by, evidence=reference, kind=kind, recommendation=key)
    return reference


def change_evidence(reference: str, entry: EvidenceEntry, *, reason: str, by: int, at: datetime) -> None:
    """Record another title, owner, review date, definition or threshold from a day on.

    The text of a statement stays: another statement is another piece of evidence.

    Raises:
        ConflictError: It is withdrawn.
        NotFoundError: There is no such piece.
        EntryRefusedError: A day or a text is refused.
        RuleError: Nothing changes.
    """
    position = begin_entry(entry.from_on, at)
    newest = read_newest(reference, at)
    _refuse_before_first(reference, position)
    if newest.kind in IMMUTABLE and entry.definition != newest.definition:
        raise RuleError("The text of a statement cannot be changed. Withdraw it, and sign another one.")
    _refuse_entry(newest.kind, entry)
    refuse_wrong_lengths(reason=reason)
    before = (newest.title, newest.definition, newest.owner_id, newest.review_on)
    if before == (entry.title, entry.definition, entry.owner_id, entry.review_on):
        raise RuleError("Nothing has changed. Change something, or go back.")
    _record_version(newest.evidence_id, newest.kind, entry, position, by=by, reason=reason.strip())
    log("evidence.changed", actor_id=by, evidence=reference)


def withdraw_evidence(reference: str, *, from_on: date, reason: str, by: int, at: datetime) -> None:
    """Withdraw a piece of evidence from a day on; for earlier days it stays.

    Raises:
        ConflictError: It is withdrawn already.
        NotFoundError: There is no such piece.
        EntryRefusedError: The day or the reason is refused.
    """
    position = begin_entry(from_on, at)
    newest = read_newest(reference, at)
    refuse_wrong_lengths(reason=reason)
    _refuse_before_first(reference, position)
    if newest.from_on > from_on:
        raise EntryRefusedError(
            "from_on", f"It was changed from {say.date(newest.from_on)} on. Enter that day or a later one."
        )
    entry = EvidenceEntry(newest.title, newest.definition, newest.owner_id, newest.review_on, from_on)
    _record_version(
        newest.evidence_id, newest.kind, entry, position, by=by, reason=reason.strip(), withdrawn=True
    )
    log("evidence.withdrawn", actor_id=by, evidence=reference)


def read_newest(reference: str, at: datetime) -> EvidenceVersion:
    """The version of a piece of evidence that holds today.

    Raises:
        ConflictError: It is withdrawn.
        NotFoundError: There is no such piece.
    """
    versions = list_evidence_versions(reference, read_position_today(at))
    if not versions:
        raise NotFoundError("There is no such piece of evidence.")
    if versions[-1].withdrawn:
        raise ConflictError(f"{reference} has been withdrawn already.")
    return versions[-1]


def list_evidence_versions(reference: str, position: Position) -> list[EvidenceVersion]:
    """What was recorded about a piece of evidence, at a position; the version that holds is last."""
    of_piece = select(Evidence.id).where(Evidence.reference == reference)
    return list_held_facts(EvidenceVersion, position, EvidenceVersion.evidence_id.in_(of_piece))


def _refuse_before_first(reference: str, position: Position) -> None:
    if not list_evidence_versions(reference, position):
        raise EntryRefusedError("from_on", "It did not exist on that day. Enter a later day.")


def _refuse_entry(kind: str, entry: EvidenceEntry) -> None:
    refuse_wrong_lengths(title=entry.title)
    if entry.review_on is None and kind in REVIEWED:
        raise EntryRefusedError(
            "review_on", "Enter a review date: nothing else tells when this is out of date."
        )
    if entry.review_on is not None and entry.review_on < entry.from_on:
        raise EntryRefusedError("review_on", "Enter the day from which it holds, or a later one.")


def _refuse_repeated_piece(
    recommendation_id: int, kind: str, entry: EvidenceEntry, position: Position
) -> None:
    pieces = select(Evidence.id).where(Evidence.recommendation_id == recommendation_id)
    versions = read_held_by_subject(
        EvidenceVersion, "evidence_id", position, EvidenceVersion.evidence_id.in_(pieces)
    )
    entered = (kind, entry.title.strip(), entry.definition)
    for evidence_id, version in versions.items():
        if not version.withdrawn and (version.kind, version.title, version.definition) == entered:
            piece = db.session.get_one(Evidence, evidence_id)
            raise EntryRefusedError(
                "title", f"{piece.reference} is the same evidence. Change that one, or enter another title."
            )


def _record_version(
    evidence_id: int,
    kind: str,
    entry: EvidenceEntry,
    position: Position,
    *,
    by: int,
    reason: str = "",
    withdrawn: bool = False,
) -> None:
    version = EvidenceVersion(
        recorded_at=position.as_known_on,
        evidence_id=evidence_id,
        from_on=position.as_at,
        title=entry.title.strip(),
        kind=kind,
        definition=entry.definition,
        owner_id=entry.owner_id,
        review_on=entry.review_on,
        withdrawn=withdrawn,
        reason=reason,
        recorded_by_id=by,
    )
    db.session.add(version)
    db.session.flush()
