"""The demo's answers in words, written beside its evidence: each names what was on the desk on its day."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from portal.domain.reports.parameters import read_position_today
from portal.feature import ForceInMaking
from portal.features.assurance.desk import read_recommendation
from portal.features.assurance.evidence import check_evidence
from portal.features.assurance.narratives import list_fields, write_narrative
from portal.platform.clock import noon

Act = Callable[[], None]
BY = "D4001"  # who writes everything


class NarrativeStep(NamedTuple):
    """The answer to a recommendation is written."""

    written_on: date
    key: str  # of the recommendation
    begins: str
    next_steps: str


NARRATIVES = (
    NarrativeStep(
        date(2026, 1, 7), "plan", "The deadline of {{deadline}} has passed. The judgement: **{{state}}**.",
        "What goes to the region is agreed first. Then every team is briefed.",
    ),
    NarrativeStep(
        date(2026, 4, 29), "e-learning",
        "As at {{as_at}}, {{force}} counts everybody in a designated role. The judgement: **{{state}}**.",
        "Commanders see who is missing each Monday, and release them for an hour.",
    ),
    NarrativeStep(
        date(2026, 4, 29), "intelligence-documents",
        "Supervisors sample documents each month against one checklist. The judgement: **{{state}}**.",
        "Commands that do not sample yet begin with ten documents a month.",
    ),
    NarrativeStep(
        date(2026, 5, 8), "hydra",
        "The suite came late, so the package was first run after {{deadline}}. The judgement: **{{state}}**.",
        "Dates are planned until every supervisor has attended.",
    ),
    NarrativeStep(
        date(2026, 5, 13), "plan", "The plan is a guide. Sharing is agreed. The judgement: **{{state}}**.",
        "Every team is briefed. Supervisors ask those who have not read the plan to do so.",
    ),
)  # fmt: skip


def schedule_narratives(force: ForceInMaking) -> None:
    """Add to each day's acts what the force wrote; after what it entered as evidence on that day."""
    for step in NARRATIVES:
        day = max(step.written_on, force.first_day + timedelta(days=3))
        if day <= force.today:
            force.days[day].append(partial(_write_narrative, force.name, step, day, force.people[BY]))


def _write_narrative(force_name: str, step: NarrativeStep, day: date, by: int) -> None:
    position = read_position_today(noon(day))
    recommendation = read_recommendation(step.key, position)
    states = check_evidence(recommendation.evidence, position)
    evidence_lines = [
        f"- {state.title}: {{{{evidence:{reference}}}}}." for reference, state in states.items()
    ]
    evidence = ["## What shows it", "", *evidence_lines, ""] if evidence_lines else []
    lines = ["## Where we are", "", step.begins, "", *evidence, "## What comes next", "", step.next_steps, ""]
    fields = list_fields(recommendation, states, position, force_name)
    write_narrative(step.key, "\n".join(lines), fields, from_on=day, by=by, at=noon(day))
