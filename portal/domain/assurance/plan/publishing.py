"""Publishing the plan by a second person: as a version, as a guide, and in the force's settings, at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from portal.domain.assurance.models import PlanProposal, PlanVersion
from portal.domain.assurance.plan.drafting import next_number
from portal.domain.assurance.plan.guide_text import shown_values, write_plan_guide
from portal.domain.assurance.plan.reading import GUIDE_KEY, ProposedPlan, newest_plan, read_plan_id
from portal.domain.assurance.plan.template import plan_template
from portal.domain.catalogue.guide_publishing import current_guide
from portal.domain.catalogue.queries import shared_content
from portal.domain.catalogue.services import check_guide_files, publish_guide_files, set_force_values
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError, ConflictError, RuleError
from portal.platform.proposals import (
    LONGEST_NOTE,
    end_proposal,
    lock_proposal,
    refuse_publishing,
    refuse_sending_back,
)


def publish_plan(proposal_id: int, *, by: int, at: datetime) -> int:
    """Publish exactly what was sent, and return the version's number.

    The guide and the details of the force change in the same transaction, from this stamp on.

    Raises:
        BadInputError: The guide cannot be published as it is.
        ConflictError: It has ended, or another version was published meanwhile.
        RuleError: The publisher wrote it, or it was not sent yet.
    """
    row = lock_proposal(PlanProposal, proposal_id)
    current = newest_plan(row.recommendation_id)
    refuse_publishing(row, by, current)
    if not row.note:
        raise RuleError("Its author is still writing it.")
    number, day = next_number(current), london_day(at)
    guide_id = _publish_plan_guide(row.content, number, day, row.review_on, by=by, at=at)
    set_force_values(
        shared_content().values | shown_values(plan_template(), row.content, day),
        by=by,
    )
    version = PlanVersion(
        recorded_at=stamp(),
        recommendation_id=row.recommendation_id,
        number=number,
        from_on=day,
        content=dict(row.content),
        review_on=row.review_on,
        guide_version_id=guide_id,
        published_at=at,
        proposed_by_id=row.proposed_by_id,
        published_by_id=by,
    )
    db.session.add(version)
    end_proposal(row, "published", by=by, at=at)
    log("plan.published", actor_id=by, subject_id=row.proposed_by_id, number=number)
    return number


def send_plan_back(proposal_id: int, *, reason: str, by: int, at: datetime) -> None:
    """End it without publishing, with a reason; the next one begins with what was written.

    Also ends what somebody else began and does not finish.

    Raises:
        BadInputError: No reason is given.
        ConflictError: It has ended.
        RuleError: They wrote it themselves.
    """
    row = lock_proposal(PlanProposal, proposal_id)
    refuse_sending_back(row, by)
    if not reason.strip():
        raise BadInputError(["Say why, so that its author can change it."])
    row.reason = reason.strip()[:LONGEST_NOTE]
    end_proposal(row, "sent_back", by=by, at=at)
    log("plan.sent_back", actor_id=by, subject_id=row.proposed_by_id)


@dataclass(frozen=True, slots=True)
class PlanComparison:
    """What a proposed version says, beside what is published."""

    current: int  # the number of the published version; 0 where there is none
    html: str  # the guide as it would be published; parts without an answer are left out
    differences: tuple[tuple[str, str, str], ...]  # label, what is published, what is proposed
    details: tuple[tuple[str, str, str], ...]  # what pages show: label, now, from its publishing on


def compare_plan(proposal: ProposedPlan, day: date) -> PlanComparison:
    """Compare a proposal with what is published, as if it were published on this day.

    Raises:
        BadInputError: The guide could not be published as it is.
    """
    current, shared, template = newest_plan(read_plan_id()), shared_content(), plan_template()
    before = current.content if current else {}
    number = next_number(current) if proposal.ended_as is None else None
    planned = shown_values(template, proposal.answers, day)
    return PlanComparison(
        current=current.number if current else 0,
        html=_render_guide(proposal, number, day),
        differences=tuple(
            (question.label, before.get(question.key, ""), proposal.answers.get(question.key, ""))
            for question in template.questions
            if before.get(question.key, "") != proposal.answers.get(question.key, "")
        ),
        details=tuple(
            (shared.label_of(key), shared.values.get(key, ""), text) for key, text in planned.items()
        ),
    )


def _render_guide(proposal: ProposedPlan, number: int | None, day: date) -> str:
    filled = {"owner": "Not named yet", "in_one_line": "Not written yet", **proposal.answers}
    content = write_plan_guide(
        plan_template(), filled, number=number, from_on=day, review_on=proposal.review_on
    )
    reading = check_guide_files({f"{GUIDE_KEY}.md": content})
    reading.faults.refuse()
    return reading.guides[0].html


def _publish_plan_guide(
    answers: Mapping[str, str], number: int, day: date, review_on: date, *, by: int, at: datetime
) -> int:
    content = write_plan_guide(plan_template(), answers, number=number, from_on=day, review_on=review_on)
    guide = publish_guide_files(GUIDE_KEY, {f"{GUIDE_KEY}.md": content}, at=at, by=by)
    if guide is None:  # an author has published exactly these bytes
        guide = current_guide(GUIDE_KEY)
    if guide is None:
        raise ConflictError("The guide of the plan could not be published. Try again.")
    return guide.id
