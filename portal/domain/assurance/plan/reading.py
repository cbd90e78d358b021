"""Reading the plan: the version that holds at a position, whether it is still true, and what is proposed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select

from portal.domain.assurance.held_facts import list_held_facts
from portal.domain.assurance.models import PlanProposal, PlanVersion, Recommendation
from portal.domain.assurance.plan.guide_text import shown_values
from portal.domain.assurance.plan.template import plan_template
from portal.domain.catalogue.guide_publishing import guide_recorded_by
from portal.domain.catalogue.models import GuideVersion
from portal.domain.catalogue.queries import force_values_recorded_by, shared_content
from portal.domain.people.models import PersonName
from portal.domain.people.proposals import ProposalLine, select_proposals
from portal.domain.reports.parameters import Position
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.proposals import count_waiting
from portal.platform.wording import date as date_words

KEY = "plan"  # of the recommendation that the plan answers
GUIDE_KEY = "force-plan"


@dataclass(frozen=True, slots=True)
class PlanDetail:
    """A detail of the force that the plan fills: what the plan says, and what pages show."""

    label: str
    planned: str
    shown: str  # "" where pages show nothing

    @property
    def differs(self) -> bool:
        """Whether pages show something else than the plan says."""
        return self.planned != self.shown


@dataclass(frozen=True, slots=True)
class PlanSnapshot:
    """The plan at a position, as it was published, with what makes it untrue."""

    version: PlanVersion
    guide: GuideVersion  # as the plan was published
    proposed_by: str
    published_by: str
    details: tuple[PlanDetail, ...]
    faults: tuple[str, ...]  # a sentence each; empty: it holds


@dataclass(frozen=True, slots=True)
class ProposedPlan(ProposalLine):
    """The next version of the plan: being written, waiting for a second person, or ended."""

    answers: dict[str, str]
    review_on: date

    @property
    def is_written(self) -> bool:
        """Whether its author is still writing it."""
        return self.ended_as is None and not self.note

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a second person."""
        return self.ended_as is None and bool(self.note)


def read_plan_id() -> int:
    """The id of the recommendation that the plan answers.

    Raises:
        NotFoundError: It is not published.
    """
    found = db.session.scalar(select(Recommendation.id).where(Recommendation.key == KEY))
    if found is None:
        raise NotFoundError("The recommendation “plan” is not published yet.")
    return found


def read_plan(position: Position) -> PlanSnapshot | None:
    """The plan that holds at a position; None where none was published. A fixed number of statements."""
    versions = list_plan_versions(position)
    if not versions:
        return None
    version = versions[0]
    until = min(position.as_known_on, clock.end_of_day(position.as_at))
    guide = db.session.get_one(GuideVersion, version.guide_version_id)
    newest = guide_recorded_by(GUIDE_KEY, until)
    details = _list_details(version, until)
    names = _names_of({version.proposed_by_id, version.published_by_id})
    return PlanSnapshot(
        version=version,
        guide=guide,
        proposed_by=names.get(version.proposed_by_id, "Erased"),
        published_by=names.get(version.published_by_id, "Erased"),
        details=details,
        faults=tuple(_list_faults(version, position.as_at, newest, details)),
    )


def list_plan_faults(position: Position) -> tuple[str, ...]:
    """Why the plan no longer holds at a position, for its owner's list; empty where there is none."""
    plan = read_plan(position)
    return plan.faults if plan else ()


def list_plan_versions(position: Position) -> list[PlanVersion]:
    """The versions published by a position, the newest first. One statement."""
    plan_id = select(Recommendation.id).where(Recommendation.key == KEY).scalar_subquery()
    versions = list_held_facts(PlanVersion, position, PlanVersion.recommendation_id == plan_id)
    return sorted(versions, key=lambda version: version.number, reverse=True)


def list_planned_settings() -> frozenset[str]:
    """Keys of the force's details that the published plan fills. One statement."""
    plan_id = select(Recommendation.id).where(Recommendation.key == KEY).scalar_subquery()
    newest = select(PlanVersion).where(PlanVersion.recommendation_id == plan_id)
    version = db.session.scalar(newest.order_by(PlanVersion.number.desc()).limit(1))
    if version is None:
        return frozenset()
    return frozenset(shown_values(plan_template(), version.content, version.from_on))


def newest_plan(plan_id: int) -> PlanVersion | None:
    """The version that was published last."""
    statement = select(PlanVersion).where(PlanVersion.recommendation_id == plan_id)
    return db.session.scalar(statement.order_by(PlanVersion.number.desc()).limit(1))


def _list_details(version: PlanVersion, until: datetime) -> tuple[PlanDetail, ...]:
    shown, settings = force_values_recorded_by(until), shared_content()
    planned = shown_values(plan_template(), version.content, version.from_on)
    return tuple(
        PlanDetail(settings.label_of(key), text, shown.get(key, "")) for key, text in planned.items()
    )


def _list_faults(
    version: PlanVersion, day: date, newest: GuideVersion | None, details: tuple[PlanDetail, ...]
) -> Iterator[str]:
    if version.review_on < day:
        yield f"Its review was due on {date_words(version.review_on)}."
    if newest is not None and newest.id != version.guide_version_id:
        yield f"Its guide was changed by itself since: version {newest.number} says what is not in the plan."
    for detail in details:
        if detail.differs:
            yield f"Lessons and guides show something else under “{detail.label}”."


def open_plan_proposal() -> ProposedPlan | None:
    """The next version, being written or waiting; None where nobody has begun one. One statement."""
    return next(_fetch_plans(_select_plans().where(PlanProposal.ended_at.is_(None))), None)


def list_ended_plans(limit: int = 20) -> list[ProposedPlan]:
    """What became of the last proposals, the newest first. One statement."""
    ended = _select_plans().where(PlanProposal.ended_at.is_not(None))
    return list(_fetch_plans(ended.order_by(PlanProposal.id.desc()).limit(limit)))


def get_plan_proposal(proposal_id: int) -> ProposedPlan:
    """One proposal, whatever became of it.

    Raises:
        NotFoundError: There is none with this id.
    """
    found = next(_fetch_plans(_select_plans().where(PlanProposal.id == proposal_id)), None)
    if found is None:
        raise NotFoundError("There is no such proposal.")
    return found


def count_plans_for(person_id: int) -> int:
    """How many plans wait that this person may publish: those of others. One statement."""
    return count_waiting(PlanProposal, person_id, PlanProposal.note != "")


def _select_plans() -> Select[Any]:
    return select_proposals(PlanProposal, PlanProposal.content, PlanProposal.review_on)


def _fetch_plans(statement: Select[Any]) -> Iterator[ProposedPlan]:
    return (ProposedPlan(*row) for row in db.session.execute(statement))


def _names_of(people: set[int]) -> dict[int, str]:
    names = select(PersonName.person_id, PersonName.full_name).where(PersonName.person_id.in_(people))
    return {person_id: name for person_id, name in db.session.execute(names)}
