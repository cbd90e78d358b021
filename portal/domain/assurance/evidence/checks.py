"""Reads pieces of evidence at a position, whatever their kinds, and says of each whether it still holds."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from portal.domain.assurance.desk import EvidenceSnapshot
from portal.domain.assurance.evidence.document import check_documents
from portal.domain.assurance.evidence.figure import check_figures
from portal.domain.assurance.evidence.link import check_links
from portal.domain.assurance.evidence.positions import PieceAtPosition, WholeForce
from portal.domain.assurance.evidence.records import check_acknowledgements, check_attendance
from portal.domain.assurance.evidence.samples import check_samples
from portal.domain.assurance.evidence.statement import check_statements
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.reports.parameters import Position
from portal.platform import wording as say

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
