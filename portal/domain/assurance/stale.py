"""What no longer holds at the desk, evidence and the plan, with whoever has to see to it."""

from dataclasses import dataclass

from portal.domain.assurance.desk import read_desk
from portal.domain.assurance.evidence.checks import check_evidence
from portal.domain.assurance.plan.reading import list_plan_faults
from portal.domain.reports.parameters import Position

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
        if recommendation.plan and person_id in (None, owner) and (faults := list_plan_faults(position)):
            title, address = recommendation.version.title, f"/assurance/{recommendation.key}/document"
            stale.append(StaleEntry(title, "", PLAN_TITLE, faults, owner, address))
    return stale
