"""The desk: what waits for a person with work to do for others, and the ways to all of that work."""

from datetime import date, timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.domain.directives.queries import ComingVersion, list_coming_versions
from portal.domain.learning.my_learning import load_my_learning
from portal.domain.people.queries import Viewer
from portal.domain.reminders import bulk_nudges
from portal.domain.reports import sentences
from portal.domain.reports.overview.directive_lines import DirectiveLine, read_directive_lines
from portal.domain.reports.parameters import Position
from portal.pages.desk.waiting import WaitingWork, read_waiting_work
from portal.pages.layout.access import requires, signed_in_account
from portal.pages.layout.navigation import list_ways
from portal.pages.layout.report_position import at_position, position_form
from portal.platform import clock
from portal.platform.errors import listed_words
from portal.platform.permissions import Permission, Role
from portal.platform.wording import date as say_date

bp = Blueprint("desk", __name__, template_folder="templates")

MOST_DIRECTIVES = 5
NEAR = timedelta(days=30)
# Whose work is with directives; an administrator finds them under Monitoring.
_WITH_DIRECTIVES = frozenset({Role.MANAGER, Role.DIRECTIVE_OWNER, Role.AUDITOR})


@bp.get("/desk")
@requires(Permission.ACCOUNT_OWN)
@at_position({"text": "Your desk", "href": "/desk"})
def show_desk(position: Position) -> ResponseReturnValue:
    """Show what waits for the person, their directives and dates, and the ways to their work."""
    me = signed_in_account()
    work, today = read_waiting_work(me.viewer), clock.today()
    with_directives = _works_with_directives(me.viewer)
    lines = read_directive_lines(me.viewer, position) if with_directives else []
    chooses_date = Role.AUDITOR in me.viewer.roles
    return render_template(
        "desk/desk.html",
        heading=_heading(work, position if with_directives else None),
        waiting=work.kinds,
        nothing_in=listed_words(work.empty_places) if work.empty_places else "",
        lines=lines[:MOST_DIRECTIVES],
        directive_count=len(lines),
        position=position,
        known_on=sentences.known_on_words(position) if with_directives else "",
        today=today,
        banner=sentences.banner_sentence(position),
        position_form=position_form(position) if chooses_date else None,
        dates=_list_near_dates(me.viewer, lines, today),
        learning=load_my_learning(me.person_id, clock.now()) if Permission.LEARN in me.permissions else None,
        may_remind=Permission.REMINDER_NUDGE in me.permissions and not position.past,
        most_to_remind=bulk_nudges.MOST,
        groups=list_ways(me.permissions),
    )


def _works_with_directives(viewer: Viewer) -> bool:
    return viewer.line_manager or bool(viewer.roles & _WITH_DIRECTIVES)


def _heading(work: WaitingWork, position: Position | None) -> str:
    if len(work.kinds) > 1:
        return "Several things need a look"  # a number of kinds would be taken for one of things
    if work.kinds:
        return work.kinds[0].sentence
    if work.can_wait or position is None:
        return "Nothing waits for you"
    return f"Position on {say_date(position.as_at)}"


def _list_near_dates(viewer: Viewer, lines: list[DirectiveLine], today: date) -> list[tuple[date, str, str]]:
    """The days of the next thirty on which a directive is due or changes: day, reference and what happens."""
    if Permission.DIRECTIVE_ISSUE not in viewer.permissions:
        return []
    until = today + NEAR
    due = [
        (line.directive.due_fixed_on, line.directive.reference, "Due date")
        for line in lines
        if line.directive.due_fixed_on and today <= line.directive.due_fixed_on <= until
    ]
    changes = [
        (version.effective_on, version.reference, _change_words(version))
        for version in list_coming_versions(today, until)
    ]
    return sorted([*due, *changes])[:MOST_DIRECTIVES]


def _change_words(version: ComingVersion) -> str:
    return "Withdrawn from this day" if version.withdraws else f"Version {version.number} takes effect"
