"""Work that waits on desks: a lesson being edited, a guide to review, and a request."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.domain.authoring import queries, services
from portal.domain.authoring.reviews.services import send_for_review
from portal.domain.decisions.change_requests import ChangeRequest
from portal.domain.decisions.services import submit_request
from portal.domain.directives.models import Directive
from portal.domain.people.models import PersonName, Post
from portal.domain.people.queries import person_by_staff_number
from portal.domain.records.models import Record
from portal.platform.clock import london_day
from portal.platform.db import OPEN_END, db


@dataclass(frozen=True)
class DemoEdit:
    """A sentence that an author added to a text."""

    key: str  # of the module or guide, as in Draft.module_key
    path: str
    before: str
    after: str
    summary: str


LESSON = DemoEdit(
    key="recognise",
    path="lessons/who-to-turn-to.md",
    before="ask your supervisor. Do not let the matter drop.",
    after="ask your supervisor. Write down whom you asked and when. Do not let the matter drop.",
    summary="“Who to ring, and the lorry again” edited",
)
GUIDE = DemoEdit(
    key="_guides/supervisors-toolkit",
    path="supervisors-toolkit.md",
    before="- “Two lines tonight are worth more than two pages on Monday.”\n",
    after="- “Two lines tonight are worth more than two pages on Monday.”\n"
    "- “Who could take your next call while you write it?”\n",
    summary="Text edited",
)
NOTE = "One more question to ask an officer who had no time. Two sergeants asked for it."
COMMENT = "On secondment to the regional unit; can complete it on return."


def create_drafts(author: str, *, at: datetime) -> None:
    """Open both drafts, save the one change in each, and send the guide for review.

    Args:
        author: Staff number of who writes.
        at: The instant.
    """
    person_id = person_by_staff_number(author)
    _save_edit(LESSON, by=person_id, at=at)
    send_for_review(_save_edit(GUIDE, by=person_id, at=at), note=NOTE, by=person_id, at=at)


def ask_for_deferral(manager: str, *, at: datetime) -> None:
    """Ask, as a manager, for more time for one of their people who has no record and no sign-in of the demo.

    Args:
        manager: Staff number.
        at: The instant.
    """
    manager_id, today = person_by_staff_number(manager), london_day(at)
    person_id = db.session.scalar(
        select(Post.person_id)
        .join(PersonName, PersonName.person_id == Post.person_id)
        .where(Post.line_manager_id == manager_id, Post.valid_to == OPEN_END)
        .where(Post.person_id.not_in(select(Record.person_id)), PersonName.staff_number.not_like("D%"))
        .order_by(PersonName.staff_number)
        .limit(1)
    )
    if person_id is None:
        return
    change = ChangeRequest(
        "deferral",
        person_id,
        "secondment",
        directive_id=db.session.scalars(select(Directive.id).where(Directive.reference == "OIC-2026")).one(),
        from_on=today,
        to_on=today + timedelta(days=60),
        due_on=today + timedelta(days=90),
    )
    submit_request(change, {"comment": COMMENT}, by=manager_id, at=at)


def _save_edit(edit: DemoEdit, *, by: int, at: datetime) -> int:
    draft_id = services.open_draft(edit.key, by=by, at=at)
    files = queries.get_draft(edit.key).files
    text = queries.read_content(files[edit.path]).decode()
    changes = {edit.path: text.replace(edit.before, edit.after).encode()}
    services.save_files(draft_id, changes, expected=files, summary=edit.summary, by=by, at=at)
    return draft_id
