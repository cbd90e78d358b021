"""The demo's evidence for the four recommendations, and what the fictional force judged on it.

As the rest of the desk's story, it is on real days; a day before the force's history is moved to its
beginning, and what is still to come has not happened yet.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple

from portal.feature import ForceInMaking
from portal.features.assurance import evidence
from portal.features.assurance.evidence import EvidenceEntry, add_evidence, change_evidence
from portal.features.assurance.evidence_kinds import keep_document
from portal.platform.clock import end_of_day, noon
from portal.platform.documents.typesetting import typeset_pdf

Act = Callable[[], None]
OWNER, AUDITOR = "D4001", "D6001"
SUPERVISORS = "Sergeant,Inspector"
PLAN_TEXT = "This page stands for the plan of a force that does not exist."
PLAN_FILE = "plan-to-collect-analyse-and-share.pdf"


class EvidenceStep(NamedTuple):
    """A piece of evidence is added."""

    entered_on: date
    key: str  # of the recommendation
    kind: str
    title: str
    definition: dict[str, Any]
    review_on: date | None = None


class JudgementStep(NamedTuple):
    """A recommendation is judged, and on another day confirmed or sent back; None: it still waits."""

    judged_on: date
    key: str
    state: str
    reason: str
    decided_on: date | None = None
    sent_back: str = ""  # why; "" where it is confirmed


EVIDENCE = (  # as it is entered, so that each piece gets the same reference in every demo
    EvidenceStep(
        date(2025, 12, 8), "e-learning", "figure", "Everybody in a designated role is complete",
        {"directive": "OIC-2026", "requirement": "", "threshold": "0.95"},
    ),
    EvidenceStep(
        date(2025, 12, 8), "e-learning", "figure", "Sergeants and inspectors are complete",
        {"directive": "OIC-2026", "requirement": "", "threshold": "0.95", "rank": SUPERVISORS},
    ),
    EvidenceStep(
        date(2026, 2, 9), "intelligence-documents", "samples", "Documents are complete",
        {"measure": "complete", "months": 3, "threshold": "0.9"},
    ),
    EvidenceStep(
        date(2026, 2, 9), "intelligence-documents", "acknowledgements", "The checklist is read",
        {"guide": "intelligence-document", "version": 1, "threshold": "0.9"},
    ),
    EvidenceStep(date(2026, 3, 2), "plan", "document", "The plan as the board saw it", {}, date(2027, 3, 31)),
    EvidenceStep(
        date(2026, 3, 2), "plan", "link", "What the force says about it in public",
        {"address": "https://www.westshire.example/organised-immigration-crime"},
    ),
    EvidenceStep(
        date(2026, 3, 5), "plan", "acknowledgements", "Everybody has read the plan",
        {"guide": "force-plan", "version": 1, "threshold": "0.9"},
    ),
    EvidenceStep(
        date(2026, 3, 12), "hydra", "attendance", "Supervisors attended the package",
        {"event_type": "oic-hydra", "threshold": "1", "rank": SUPERVISORS},
    ),
    EvidenceStep(
        date(2026, 4, 28), "e-learning", "statement", "Time for the modules is on every roster",
        {
            "text": "Every command has put protected time for the four modules on its rosters.",
            "post": "Head of Learning and Development",
        },
        date(2026, 10, 31),
    ),
)  # fmt: skip
ATTENDANCE = next(step for step in EVIDENCE if step.kind == "attendance")
JUDGEMENTS = (
    JudgementStep(
        date(2026, 1, 6), "plan", "not_met", "The deadline has passed. What the region gets is not agreed.",
        date(2026, 1, 8),
    ),
    JudgementStep(
        date(2026, 4, 30), "e-learning", "met", "Rosters leave time, and people complete the modules.",
        date(2026, 5, 5), "The figure is below the threshold that the board set. Judge it partly met.",
    ),
    JudgementStep(
        date(2026, 5, 6), "e-learning", "partly_met", "Time is on every roster. Not everybody is complete.",
        date(2026, 5, 7),
    ),
    JudgementStep(
        date(2026, 5, 6), "hydra", "not_met", "No supervisor has attended yet: the suite came late.",
        date(2026, 5, 7),
    ),
    JudgementStep(
        date(2026, 5, 11), "plan", "partly_met", "Sharing is agreed. Not everybody is briefed on the plan.",
        date(2026, 5, 14),
    ),
    JudgementStep(
        date(2026, 11, 16), "intelligence-documents", "partly_met",
        "The checklist is in use. Not every team sends its counts each month.",
    ),
)  # fmt: skip


def schedule_evidence(force: ForceInMaking) -> None:
    """Add to each day's acts what the force entered as evidence, and how it judged."""
    story = DemoEvidence(force.people)
    for entered_on, act in sorted(
        story.list_acts(force.first_day + timedelta(days=2)), key=lambda each: each[0]
    ):
        if entered_on <= force.today:
            force.days[entered_on].append(act)


@dataclass
class DemoEvidence:
    """What the demo enters; judgements get their ids as they are made."""

    people: Mapping[str, int]
    references: dict[str, str] = field(default_factory=dict)  # by title
    judgements: dict[JudgementStep, int] = field(default_factory=dict)

    def list_acts(self, earliest: date) -> Iterator[tuple[date, Act]]:
        """Each act with the day on which it is entered."""
        for step in EVIDENCE:
            day = max(step.entered_on, earliest)
            yield day, partial(self._add_evidence, step, day)
        free_on: dict[str, date] = {}  # when the last judgement of a recommendation was decided
        for judged in JUDGEMENTS:
            day = max(judged.judged_on, free_on.get(judged.key, earliest) + timedelta(days=1))
            yield day, partial(self._make_judgement, judged, day)
            if judged.decided_on is not None:
                free_on[judged.key] = decided_on = max(judged.decided_on, day + timedelta(days=1))
                yield decided_on, partial(self._decide_judgement, judged, decided_on)
        reviewed_on = max(date(2026, 5, 12), earliest + timedelta(days=3))
        yield reviewed_on, partial(self._lower_threshold, ATTENDANCE, reviewed_on)

    def _add_evidence(self, step: EvidenceStep, day: date) -> None:
        definition = step.definition or self._keep_plan(day)
        review_on = None if step.review_on is None else max(step.review_on, day)
        entry = EvidenceEntry(step.title, definition, None, review_on, day)
        reference = add_evidence(step.key, step.kind, entry, by=self.people[OWNER], at=noon(day))
        self.references[step.title] = reference

    def _lower_threshold(self, step: EvidenceStep, day: date) -> None:
        """The board states another threshold, with its reason; earlier days keep the one of before."""
        entry = EvidenceEntry(step.title, {**step.definition, "threshold": "0.9"}, None, None, day)
        reason = "The board allows for people on long leave."
        reference, by = self.references[step.title], self.people[OWNER]
        change_evidence(reference, entry, reason=reason, by=by, at=noon(day))

    def _make_judgement(self, step: JudgementStep, day: date) -> None:
        self.judgements[step] = evidence.make_judgement(
            step.key, step.state, step.reason, from_on=day, at=noon(day), by=self.people[OWNER]
        )

    def _decide_judgement(self, step: JudgementStep, day: date) -> None:
        judgement, by, at = self.judgements[step], self.people[AUDITOR], noon(day)
        if step.sent_back:
            evidence.send_judgement_back(step.key, judgement, reason=step.sent_back, by=by, at=at)
        else:
            evidence.confirm_judgement(step.key, judgement, by=by, at=at)

    def _keep_plan(self, day: date) -> dict[str, Any]:
        content = typeset_pdf(
            PLAN_TEXT,
            title="Plan to collect, analyse and share information",
            above="Westshire Police, which is fictional",
            foot="For the board",
            author="Westshire Police",
            at=end_of_day(day),
        )
        return keep_document(content, PLAN_FILE, by=self.people[OWNER])
