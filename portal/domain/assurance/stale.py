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
    asked = [
        (held, piece, owner)
        for held in desk
        for piece in held.evidence
        if person_id in (None, owner := piece.version.owner_id or held.owner_id)
    ]
    states = check_evidence([piece for _, piece, _ in asked], position)
    stale = [
        StaleEntry(
            held.version.title,
            piece.reference,
            piece.version.title,
            states[piece.reference].faults,
            owner,
            f"/assurance/{held.key}/evidence/{piece.reference}",
        )
        for held, piece, owner in asked
        if not states[piece.reference].holds
    ]
    for held in desk:
        if held.plan and person_id in (None, held.owner_id) and (faults := list_plan_faults(position)):
            address = f"/assurance/{held.key}/document"
            stale.append(StaleEntry(held.version.title, "", PLAN_TITLE, faults, held.owner_id, address))
    return stale
