"""What learners find unclear, by lesson and question, and the authors' answers to their words."""

from typing import NamedTuple

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.catalogue.queries import current_version
from portal.domain.clarity.queries import LEAST_PEOPLE, PlaceFeedback, feedback_by_place
from portal.domain.clarity.services import LONGEST_REPLY, reply_to_words
from portal.domain.reminders.clarity_mails import queue_reply_mail
from portal.domain.reminders.settings import mail_hours
from portal.pages.authoring.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission


class PlaceRow(NamedTuple):
    """A lesson or question with what learners say of it."""

    place: str
    title: str  # safe HTML of a question's prompt; of a lesson, its title
    feedback: PlaceFeedback


@bp.get("/<module:key>/clear")
@requires(Permission.AUTHORING_VIEW)
def show_clarity(key: str) -> ResponseReturnValue:
    """Show what learners found clear, and their words, without their names."""
    return _render_clarity(key)


@bp.post("/<module:key>/clear")
@requires(Permission.DRAFT_EDIT)
def reply_to_learner(key: str) -> ResponseReturnValue:
    """Answer what somebody wrote; whoever it was sees the answer, and gets a mail."""
    answer_id, text = request.form.get("answer", type=int) or 0, request.form.get("text", "")
    now = clock.now()
    try:
        with transaction():
            person_id = reply_to_words(key, answer_id, text, by=current_user.person_id, at=now)
            queue_reply_mail(person_id, at=now, hours=mail_hours())
    except RuleError as error:
        return _render_clarity(key, answer_id, text, str(error)), 400
    flash("Sent. Whoever wrote this sees your answer on My learning, without your name.", "success")
    return redirect(url_for(".show_clarity", key=key), 303)


def _render_clarity(key: str, failed: int = 0, typed: str = "", error: str = "") -> str:
    """Render the page; ``failed`` are the words whose answer could not be sent."""
    version = current_version(key)
    if version is None:
        raise NotFoundError("This module is not published.")
    feedback = feedback_by_place(version.activity_id)
    open_words = sum(len(place.open_words) for place in feedback.values())
    lessons, items = _rows(version, feedback)
    return render_template(
        "authoring/clarity.html",
        key=key,
        version=version,
        groups=[("Lessons", lessons), ("Questions", items), ("No longer in the module", _others(feedback))],
        open_words=open_words,
        least=LEAST_PEOPLE,
        longest=LONGEST_REPLY,
        failed=failed,
        typed=typed,
        error=error,
        may_reply=Permission.DRAFT_EDIT in current_user.permissions,
        fill=fill_placeholders,
    )


def _rows(
    version: ModuleVersion, feedback: dict[str, PlaceFeedback]
) -> tuple[list[PlaceRow], list[PlaceRow]]:
    """The lessons and questions of which somebody said something, in their order; takes them out."""
    lessons = [
        PlaceRow(place, f"{lesson.position}. {lesson.title}", feedback.pop(place))
        for lesson in version.lessons
        for place in [f"lesson:{lesson.key}"]
        if place in feedback
    ]
    items = [
        PlaceRow(place, item.prompt_html, feedback.pop(place))
        for item in version.items
        for place in [f"item:{item.key}"]
        if place in feedback
    ]
    return lessons, items


def _others(feedback: dict[str, PlaceFeedback]) -> list[PlaceRow]:
    return [PlaceRow(place, place.partition(":")[2], row) for place, row in sorted(feedback.items())]
