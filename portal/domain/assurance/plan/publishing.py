"""Publishing the plan by a second person: as a version, as a guide, and in the force's settings, at once."""

from collections.abc import Mapping
from datetime import date, datetime

from portal.domain.assurance.models import PlanProposal, PlanVersion
from portal.domain.assurance.plan.drafting import LONGEST_NOTE, next_number
from portal.domain.assurance.plan.guide_text import shown_values, write_plan_guide
from portal.domain.assurance.plan.reading import GUIDE_KEY, newest_plan
from portal.domain.assurance.plan.template import plan_template
from portal.domain.catalogue.guide_publishing import current_guide
from portal.domain.catalogue.queries import shared_content
from portal.domain.catalogue.services import check_guide_files, publish_guide_files, set_force_values
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError, ConflictError, RuleError
from portal.platform.proposals import (
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


def render_plan(answers: Mapping[str, str], *, number: int, from_on: date, review_on: date) -> str:
    """The guide's HTML as it would be published; parts without an answer are left out."""
    filled = {"owner": "Not named yet", "in_one_line": "Not written yet", **answers}
    content = write_plan_guide(plan_template(), filled, number=number, from_on=from_on, review_on=review_on)
    reading = check_guide_files({f"{GUIDE_KEY}.md": content})
    if len(reading.faults):
        raise BadInputError(reading.faults.sentences())
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
