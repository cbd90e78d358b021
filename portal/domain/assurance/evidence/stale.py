"""Evidence that no longer holds, with whoever has to see to it."""

from dataclasses import dataclass

from portal.domain.assurance.desk import EvidenceSnapshot, read_desk
from portal.domain.assurance.evidence.checks import check_evidence
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.reports.parameters import Position


@dataclass(frozen=True, slots=True)
class StaleEvidence:
    """A piece of evidence that does not hold at a position."""

    recommendation: str  # its key
    recommendation_title: str
    piece: EvidenceSnapshot
    state: EvidenceState
    owner_id: int | None  # of the piece, else of its recommendation; None: nobody

    @property
    def address(self) -> str:
        """The page of the piece."""
        return f"/assurance/{self.recommendation}/evidence/{self.state.reference}"


def list_stale(position: Position, person_id: int | None = None) -> list[StaleEvidence]:
    """The evidence that does not hold at a position, by recommendation and reference.

    Args:
        position: As at which day, as known on which instant.
        person_id: Of this owner alone; None: of everybody.
    """
    owned_pieces = [
        (recommendation, piece, piece.version.owner_id or recommendation.owner_id)
        for recommendation in read_desk(position)
        for piece in recommendation.evidence
    ]
    own_pieces = [pair for pair in owned_pieces if person_id is None or pair[2] == person_id]
    states = check_evidence([piece for _, piece, _ in own_pieces], position)
    return [
        StaleEvidence(recommendation.key, recommendation.version.title, piece, states[piece.reference], owner)
        for recommendation, piece, owner in own_pieces
        if not states[piece.reference].holds
    ]
