"""The demo's assurance desk: four recommendations with owners, actions, decisions and risks.

Their deadlines are real days, so what the fictional force does about them is on real days too; only what is
still open is about the day on which the demo is made. A day before the force's history is moved to its
beginning; what is still to come has not happened yet.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypedDict

from config import ROOT
from portal.feature import ForceInMaking
from portal.features.assurance import services
from portal.features.assurance.demo.story import DECISIONS, OWNERS, RISKS, ActionStep, list_action_steps
from portal.features.assurance.recommendations import publish_folder
from portal.features.assurance.services import ActionDetails, DecisionDetails, RiskDetails
from portal.platform.clock import noon
from portal.platform.db import stamp

RECOMMENDATIONS = ROOT / "recommendations"
BY = "D4001"  # who enters everything
Act = Callable[[], None]


class Times(TypedDict):
    """From which day an entry holds, when it is entered, and by whom."""

    from_on: date
    at: datetime
    by: int


def publish_recommendations(_force: ForceInMaking) -> None:
    """Publish the four, in the caller's transaction; what is published already stays as it is."""
    publish_folder(RECOMMENDATIONS, stamp(), None)


def schedule_desk(force: ForceInMaking) -> None:
    """Add to each day's acts what the force entered at the desk on it."""
    desk = DemoDesk(force.first_day + timedelta(days=1), force.people)
    for entered_on, act in sorted(desk.list_acts(force.today), key=lambda each: each[0]):
        if entered_on <= force.today:
            force.days[max(entered_on, desk.earliest)].append(act)


@dataclass
class DemoDesk:
    """What the demo enters; actions get their references as they are added."""

    earliest: date
    people: Mapping[str, int]
    references: dict[str, str] = field(default_factory=dict)  # by the name that the story gives
    details: dict[str, ActionDetails] = field(default_factory=dict)  # as they are, by reference
    decisions: dict[str, int] = field(default_factory=dict)  # ids, by recommendation

    def list_acts(self, today: date) -> Iterator[tuple[date, Act]]:
        """Each act with the day on which it is entered, in the order of the story."""
        for owner in OWNERS:
            yield owner.entered_on, partial(self._give_owner, *owner)
        for step in list_action_steps(today):
            yield step.entered_on, partial(self._take_step, step)
        for decision in DECISIONS:
            yield decision.entered_on, partial(self._record_decision, *decision)
        for risk in RISKS:
            yield risk.entered_on, partial(self._assess_risk, *risk)

    def _give_owner(self, entered_on: date, key: str, owner: str, from_on: date) -> None:
        services.give_owner(key, self.people[owner], **self._times_of(entered_on, from_on))

    def _take_step(self, step: ActionStep) -> None:
        times = self._times_of(step.entered_on, step.from_on or step.entered_on)
        reference = self.references.get(step.name)
        if reference is None:
            waits_for = tuple(sorted(self.references[name] for name in step.waits_for))
            owner = self.people[step.owner] if step.owner else None
            details = ActionDetails(step.title, owner, step.due_on, step.state, waits_for)
            self.references[step.name] = reference = services.add_action(step.key, details, **times)
        else:
            details = replace(self.details[reference], state=step.state)
            services.change_action(reference, details, step.reason, **times)
        self.details[reference] = details

    def _record_decision(
        self, entered_on: date, key: str, from_on: date, details: DecisionDetails, corrects: bool
    ) -> None:
        times = self._times_of(entered_on, from_on)
        if corrects:
            self.decisions[key] = services.correct_decision(key, self.decisions[key], details, **times)
        else:
            self.decisions[key] = services.record_decision(key, details, **times)

    def _assess_risk(self, entered_on: date, key: str, details: RiskDetails) -> None:
        services.assess_risk(key, details, **self._times_of(entered_on, entered_on))

    def _times_of(self, entered_on: date, from_on: date) -> Times:
        day = max(entered_on, self.earliest)
        return {"from_on": max(from_on, self.earliest), "at": noon(day), "by": self.people[BY]}
