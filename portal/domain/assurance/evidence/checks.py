"""Reads pieces of evidence at a position, whatever their kinds, and says of each whether it still holds."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from portal.domain.assurance.desk import HeldEvidence
from portal.domain.assurance.evidence.document import check_documents
from portal.domain.assurance.evidence.figure import check_figures
from portal.domain.assurance.evidence.link import check_links
from portal.domain.assurance.evidence.records import check_acknowledgements, check_attendance
from portal.domain.assurance.evidence.samples import check_samples
from portal.domain.assurance.evidence.statement import check_statements
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.reports.parameters import Position
from portal.platform import wording as say

Check = Callable[[Sequence[HeldEvidence], Position], list[EvidenceState]]

_CHECKS: dict[str, Check] = {
    "figure": check_figures,
    "acknowledgements": check_acknowledgements,
    "attendance": check_attendance,
    "samples": check_samples,
    "document": check_documents,
    "link": check_links,
    "statement": check_statements,
}


def check_evidence(pieces: Sequence[HeldEvidence], position: Position) -> dict[str, EvidenceState]:
    """What each piece shows at a position and why it no longer holds, by its reference, in the same order.

    The number of statements depends on the kinds and on whom figures are about, not on how many there are.
    """
    by_kind: dict[str, list[HeldEvidence]] = defaultdict(list)
    for piece in pieces:
        by_kind[piece.version.kind].append(piece)
    states = {
        state.reference: state for kind, group in by_kind.items() for state in _CHECKS[kind](group, position)
    }
    return {piece.reference: _with_review(piece, states[piece.reference], position) for piece in pieces}


def _with_review(piece: HeldEvidence, state: EvidenceState, position: Position) -> EvidenceState:
    """The same state, with a fault if the review date has passed."""
    review_on = piece.version.review_on
    if review_on is None or review_on >= position.as_at:
        return state
    return replace(state, faults=(*state.faults, f"Its review was due on {say.date(review_on)}."))
