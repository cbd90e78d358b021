"""What the page of a recommendation shows of its evidence and of its judgement."""

from dataclasses import dataclass
from typing import Any

from portal.domain.assurance.desk import JudgementSnapshot, RecommendationSnapshot
from portal.domain.assurance.evidence.checks import check_evidence
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.reports.parameters import Position


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """A piece of evidence as a judgement keeps it, beside what it shows at the position of the page."""

    kept: EvidenceState
    now: EvidenceState | None  # None: it is withdrawn

    @property
    def has_moved(self) -> bool:
        """Whether it shows something else, or holds where it did not, or the other way round."""
        return self.now is None or (self.now.shown, self.now.holds) != (self.kept.shown, self.kept.holds)


@dataclass(frozen=True, slots=True)
class ShownJudgement:
    """A judgement with the figures that it was made on, beside those of the page."""

    judgement: JudgementSnapshot
    figures: tuple[FrozenRow, ...]

    @property
    def moved_count(self) -> int:
        """How many figures are not as they were."""
        return sum(row.has_moved for row in self.figures)


def describe_evidence(recommendation: RecommendationSnapshot, position: Position) -> dict[str, Any]:
    """Template values of a recommendation's evidence and of its judgements.

    Returns:
        ``evidence``: what each piece shows. ``judged_figures`` and ``waiting_figures``: those of the
        judgement that counts and of the one that waits; None where there is none.
    """
    states = check_evidence(recommendation.evidence, position)
    return {
        "evidence": list(states.values()),
        "judged_figures": _show_judgement(recommendation.judgement, states),
        "waiting_figures": _show_judgement(recommendation.waiting_judgement, states),
    }


def _show_judgement(
    judgement: JudgementSnapshot | None, states: dict[str, EvidenceState]
) -> ShownJudgement | None:
    if judgement is None:
        return None
    kept = [EvidenceState.from_json(each) for each in judgement.judgement.figures]
    return ShownJudgement(judgement, tuple(FrozenRow(each, states.get(each.reference)) for each in kept))
