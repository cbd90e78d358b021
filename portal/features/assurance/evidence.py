"""Evidence: adding and changing it, reading it at a position, and judging a recommendation on it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import aliased

from config import current_settings
from portal.domain.catalogue.publishing import current_event_types, current_guides
from portal.domain.people.models import Post
from portal.domain.people.queries import live_units
from portal.domain.people.staff_numbers import sort_ranks
from portal.domain.reports.parameters import Position, read_position_today
from portal.domain.reports.statistics import read_directives
from portal.feature import find_parts
from portal.features.assurance.desk import (
    EvidenceSnapshot,
    EvidenceState,
    RecommendationSnapshot,
    list_held_facts,
    read_desk,
    read_held_by_subject,
    read_recommendation,
)
from portal.features.assurance.evidence_counts import (
    PieceAtPosition,
    WholeForce,
    check_acknowledgements,
    check_attendance,
    check_figures,
    check_samples,
)
from portal.features.assurance.evidence_kinds import (
    IMMUTABLE,
    REVIEWED,
    check_documents,
    check_links,
    check_statements,
)
from portal.features.assurance.models import (
    EVIDENCE_KINDS,
    JUDGEMENTS,
    Evidence,
    EvidenceVersion,
    Judgement,
    JudgementDecision,
    Recommendation,
)
from portal.features.assurance.services import (
    LONGEST_TEXT,
    EntryRefusedError,
    begin_entry,
    refuse_wrong_lengths,
    require_recommendation,
)
from portal.platform import wording as say
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import ConflictError, NotFoundError, RuleError

# Adds, changes and withdraws evidence; each is a new fact, from a day on, with who recorded it and why.


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
        EntryRefusedError: A day or a text is refused.
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
    """The version of a piece of evidence that holds today."""
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


# Reads pieces of evidence at a position, whatever their kinds, and says of each whether it still holds.

Check = Callable[[Sequence[PieceAtPosition], WholeForce], list[EvidenceState]]  # in the order of the pieces

_CHECKS: dict[str, Check] = {
    "figure": check_figures,
    "acknowledgements": check_acknowledgements,
    "attendance": check_attendance,
    "samples": check_samples,
    "document": check_documents,
    "link": check_links,
    "statement": check_statements,
}


def check_evidence(pieces: Sequence[EvidenceSnapshot], position: Position) -> dict[str, EvidenceState]:
    """What each piece shows at a position and why it no longer holds, by its reference, in the same order."""
    return check_evidence_at({position: pieces})[position]


def check_evidence_at(
    pieces: Mapping[Position, Sequence[EvidenceSnapshot]],
) -> dict[Position, dict[str, EvidenceState]]:
    """What pieces show at each of several positions, as ``check_evidence`` says of each.

    The number of statements depends on the kinds and on whom figures are about, not on how many pieces,
    and hardly on how many positions there are.
    """
    force = WholeForce(pieces)
    by_kind: dict[str, list[PieceAtPosition]] = defaultdict(list)
    for position, group in pieces.items():
        for piece in group:
            by_kind[piece.version.kind].append(PieceAtPosition(piece, position))
    states = {
        (pair.position, state.reference): _with_review(pair.piece, state, pair.position)
        for kind, of_kind in by_kind.items()
        for pair, state in zip(of_kind, _CHECKS[kind](of_kind, force), strict=True)
    }
    return {
        position: {piece.reference: states[position, piece.reference] for piece in group}
        for position, group in pieces.items()
    }


def _with_review(piece: EvidenceSnapshot, state: EvidenceState, position: Position) -> EvidenceState:
    """The same state, with a fault if the review date has passed."""
    review_on = piece.version.review_on
    if review_on is None or review_on >= position.as_at:
        return state
    return replace(state, faults=(*state.faults, f"Its review was due on {say.date(review_on)}."))


# What forms of evidence offer: what can be counted, and of whom.

Choices = dict[str, str]  # labels by value, in order


@dataclass(frozen=True, slots=True)
class PopulationChoices:
    """The units of a day by path, and every role and rank that a post ever had."""

    units: Choices
    roles: Choices
    ranks: Choices


def list_populations(position: Position) -> PopulationChoices:
    """Of whom a share can be. Three statements."""
    units = sorted(live_units(position.as_at, position.as_known_on).values(), key=lambda unit: unit.path)
    roles = db.session.scalars(select(Post.designated_role).distinct().order_by(Post.designated_role))
    ranks = sort_ranks(db.session.scalars(select(Post.rank_or_grade).distinct()))
    return PopulationChoices(
        {unit.path: unit.label for unit in units},
        {role: role for role in roles},
        {rank: rank for rank in ranks},
    )


def list_countables(position: Position) -> Choices:
    """What a figure can count: each directive as a whole, and each of its requirements.

    The values are a reference and the key of a requirement, or nothing, with a space between.
    """
    choices: Choices = {}
    for directive in read_directives(position):
        choices[f"{directive.reference} "] = f"{directive.reference}: everything it requires"
        for requirement in directive.requirements:
            choices[f"{directive.reference} {requirement.key}"] = (
                f"{directive.reference}: {requirement.title}"
            )
    return choices


def list_guides() -> Choices:
    """The published guides that readers acknowledge."""
    return {version.activity.key: version.title for version in current_guides() if version.acknowledge}


def list_event_titles() -> Choices:
    """The published event types."""
    return {version.activity.key: version.title for version in current_event_types()}


# Judgements: one person judges a recommendation on its evidence, and a second confirms or sends it back.

_later = aliased(Judgement)
OUTCOMES = {"confirmed": "confirmed", "sent_back": "sent back", "withdrawn": "withdrawn"}


def make_judgement(key: str, state: str, reason: str, *, from_on: date, at: datetime, by: int) -> int:
    """Judge a recommendation as at a day, and keep every piece of evidence as it is now known to show then.

    Args:
        key: Of the recommendation.
        state: One of ``JUDGEMENTS``.
        reason: Why, about the force.
        from_on: The day: today or an earlier one.
        at: When.
        by: Its author.

    Returns:
        The id of the judgement, which waits for a second person.

    Raises:
        ConflictError: Another one waits.
        EntryRefusedError: The day, the state or the reason is refused.
    """
    position = begin_entry(from_on, at)
    recommendation = read_recommendation(key, position)
    _refuse_judgement(recommendation, state, reason)
    states = check_evidence(recommendation.evidence, position)
    row = Judgement(
        recorded_at=position.as_known_on,
        recommendation_id=recommendation.id,
        from_on=position.as_at,
        as_known_on=position.as_known_on,
        state=state,
        reason=reason.strip(),
        figures=[each.to_json() for each in states.values()],
        made_by_id=by,
    )
    db.session.add(row)
    db.session.flush()
    log("judgement.made", actor_id=by, recommendation=key, state=state)
    return row.id


def _refuse_judgement(recommendation: RecommendationSnapshot, state: str, reason: str) -> None:
    if state not in JUDGEMENTS:
        raise EntryRefusedError("state", "Choose whether the recommendation is met.")
    if not reason.strip() or len(reason) > LONGEST_TEXT:
        raise EntryRefusedError("reason", f"Say why, in at most {LONGEST_TEXT:,} characters.")
    if _is_waiting(recommendation.id):
        raise ConflictError("A judgement waits for a second person. Confirm it, or send it back first.")
    if state in ("met", "partly_met") and not recommendation.evidence:
        raise EntryRefusedError(
            "state", "There is no evidence on this day. Add some before you judge that it is met."
        )


def confirm_judgement(key: str, judgement_id: int, *, by: int, at: datetime) -> None:
    """Confirm a judgement, which counts from now on.

    Raises:
        ConflictError: It is decided already.
    """
    row = _lock_judgement(key, judgement_id)
    if row.made_by_id == by:
        raise RuleError("You made this judgement yourself. Somebody else must confirm it.")
    _record_outcome(row, "confirmed", "", by=by, at=at)


def send_judgement_back(key: str, judgement_id: int, *, reason: str, by: int, at: datetime) -> None:
    """Send a judgement back with a reason; the one before still counts.

    Raises:
        ConflictError: It is decided already.
    """
    row = _lock_judgement(key, judgement_id)
    if row.made_by_id == by:
        raise RuleError("You made this judgement yourself. Withdraw it instead.")
    if not reason.strip() or len(reason) > LONGEST_TEXT:
        raise EntryRefusedError("reason", "Say what has to change.")
    _record_outcome(row, "sent_back", reason.strip(), by=by, at=at)


def withdraw_judgement(key: str, judgement_id: int, *, by: int, at: datetime) -> None:
    """Withdraw one's own judgement before it is decided.

    Raises:
        ConflictError: It is decided already.
    """
    row = _lock_judgement(key, judgement_id)
    if row.made_by_id != by:
        raise RuleError("Only its author can withdraw a judgement. Send it back instead.")
    _record_outcome(row, "withdrawn", "", by=by, at=at)


def list_decided_judgements(
    recommendation_id: int, position: Position
) -> list[tuple[Judgement, JudgementDecision]]:
    """The judgements decided by the instant of a position, with what became of them; the latest first."""
    rows = db.session.execute(
        select(Judgement, JudgementDecision)
        .join(JudgementDecision, JudgementDecision.judgement_id == Judgement.id)
        .where(
            Judgement.recommendation_id == recommendation_id,
            JudgementDecision.recorded_at <= position.as_known_on,
        )
        .order_by(JudgementDecision.id.desc())
    )
    return [(judgement, decision) for judgement, decision in rows]


def list_judgements_for(person_id: int) -> list[tuple[str, Judgement]]:
    """The judgements of others that wait for a second person, with their recommendation's key; oldest first.

    One statement. Whether the person may confirm at all, the caller asks.
    """
    waiting = _select_waiting(Recommendation.key, Judgement).join(
        Recommendation, Recommendation.id == Judgement.recommendation_id
    )
    rows = db.session.execute(waiting.where(Judgement.made_by_id != person_id).order_by(Judgement.id))
    return [(key, judgement) for key, judgement in rows]


def count_sent_back(person_id: int) -> int:
    """How many judgements of a person were sent back, with no other one made since. One statement."""
    judged_since = exists().where(
        _later.recommendation_id == Judgement.recommendation_id, _later.id > Judgement.id
    )
    statement = (
        select(func.count(Judgement.id))
        .join(JudgementDecision, JudgementDecision.judgement_id == Judgement.id)
        .where(Judgement.made_by_id == person_id, JudgementDecision.outcome == "sent_back", ~judged_since)
    )
    return db.session.scalar(statement) or 0


def _select_waiting(*columns: Any) -> Select[Any]:
    decided = JudgementDecision.judgement_id == Judgement.id
    return select(*columns).select_from(Judgement).where(~exists().where(decided))


def _is_waiting(recommendation_id: int) -> bool:
    waiting = _select_waiting(Judgement.id).where(Judgement.recommendation_id == recommendation_id)
    return db.session.scalar(waiting.limit(1)) is not None


def _lock_judgement(key: str, judgement_id: int) -> Judgement:
    """The judgement of a recommendation that waits; of two decisions at once, the second finds it decided."""
    stamp()
    of_key = Judgement.recommendation_id == require_recommendation(key).id
    row: Judgement | None = db.session.scalar(select(Judgement).where(Judgement.id == judgement_id, of_key))
    if row is None:
        raise NotFoundError("There is no such judgement.")
    decided = select(JudgementDecision.outcome).where(JudgementDecision.judgement_id == judgement_id)
    if outcome := db.session.scalar(decided):
        raise ConflictError(f"This judgement has been {OUTCOMES[outcome]} already.")
    return row


def _record_outcome(row: Judgement, outcome: str, reason: str, *, by: int, at: datetime) -> None:
    decision = JudgementDecision(
        recorded_at=stamp(),
        judgement_id=row.id,
        decided_on=london_day(at),
        outcome=outcome,
        reason=reason,
        decided_by_id=by,
    )
    db.session.add(decision)
    db.session.flush()
    key = db.session.scalar(select(Recommendation.key).where(Recommendation.id == row.recommendation_id))
    detail = {"recommendation": key, "state": row.state}
    log(f"judgement.{outcome}", actor_id=by, subject_id=row.made_by_id, **detail)


# What no longer holds at the desk, evidence and the plan, with whoever has to see to it.

PLAN_TITLE = "The plan to collect, analyse and share"


@dataclass(frozen=True, slots=True)
class StaleEntry:
    """A piece of evidence that does not hold at a position, or the plan that does not."""

    recommendation_title: str
    reference: str  # of the piece; "" of the plan
    title: str
    faults: tuple[str, ...]  # why, a sentence each
    owner_id: int | None  # of the piece, else of its recommendation; None: nobody
    address: str  # its page


def list_stale(position: Position, person_id: int | None = None) -> list[StaleEntry]:
    """What does not hold at a position, by recommendation and reference, the plan after its evidence.

    Args:
        position: As at which day, as known on which instant.
        person_id: Of this owner alone; None: of everybody.
    """
    desk = read_desk(position)
    own_pieces = [
        (recommendation, piece, owner)
        for recommendation in desk
        for piece in recommendation.evidence
        if person_id in (None, owner := piece.version.owner_id or recommendation.owner_id)
    ]
    states = check_evidence([piece for _, piece, _ in own_pieces], position)
    stale = [
        StaleEntry(
            recommendation.version.title,
            piece.reference,
            piece.version.title,
            states[piece.reference].faults,
            owner,
            f"/assurance/{recommendation.key}/evidence/{piece.reference}",
        )
        for recommendation, piece, owner in own_pieces
        if not states[piece.reference].holds
    ]
    for recommendation in desk:
        owner = recommendation.owner_id
        if recommendation.plan and person_id in (None, owner) and (faults := _list_plan_faults(position)):
            title, address = recommendation.version.title, f"/assurance/{recommendation.key}/document"
            stale.append(StaleEntry(title, "", PLAN_TITLE, faults, owner, address))
    return stale


def _list_plan_faults(position: Position) -> tuple[str, ...]:
    """Why the plan no longer holds, which the feature that writes it says."""
    parts = find_parts(current_settings().features_on, "assurance.plan_faults")
    return tuple(fault for _, list_faults in parts for fault in list_faults(position))
