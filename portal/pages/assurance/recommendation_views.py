"""The page of one recommendation: its state, and what the force does, decided and shows."""

from datetime import date

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.domain.assurance.action_links import list_action_lines
from portal.domain.assurance.desk import RecommendationSnapshot, find_recommendation, read_desk
from portal.domain.assurance.publishing import read_version_file
from portal.domain.assurance.wording import list_people_of, name_people
from portal.domain.reports.parameters import Position
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.desk_words import PARENT, read_at, template_values_of
from portal.pages.assurance.evidence_rows import describe_evidence
from portal.pages.layout.access import requires
from portal.pages.layout.report_position import at_position
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date
from portal.platform.wording import plural


@bp.get("/assurance/<key>")
@requires(Permission.ASSURANCE_VIEW)
@at_position(PARENT)
def show_recommendation(position: Position, key: str) -> ResponseReturnValue:
    """Show a recommendation as at a date, as known on an instant, with all that hangs on it."""
    desk = read_at(lambda at: _read_desk_with(key, at), position, "This recommendation")
    recommendation = find_recommendation(desk, key)
    lines = list_action_lines(desk, position.as_at)  # an action may wait for one of another recommendation
    return render_template(
        "assurance/recommendation.html",
        recommendation=recommendation,
        lead=_deadline_sentence(recommendation, position.as_at),
        actions=[line for line in lines if line.key == key],
        **describe_evidence(recommendation, position),
        file=read_version_file(key, recommendation.version),
        names=name_people(list_people_of(recommendation)),
        **template_values_of(position),
    )


def _read_desk_with(key: str, position: Position) -> list[RecommendationSnapshot]:
    """The desk at a position, on which a recommendation must be."""
    desk = read_desk(position)
    find_recommendation(desk, key)
    return desk


def _deadline_sentence(recommendation: RecommendationSnapshot, day: date) -> str:
    """The deadline in a sentence, seen from a day."""
    deadline = recommendation.version.deadline_on
    days = (deadline - day).days
    if days < 0:
        return f"The deadline was {say_date(deadline)}, {plural(-days, 'day')} before {say_date(day)}."
    if days == 0:
        return f"The deadline is this day, {say_date(deadline)}."
    return f"The deadline is {say_date(deadline)}, {plural(days, 'day')} after {say_date(day)}."
