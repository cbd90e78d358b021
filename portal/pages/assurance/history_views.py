"""How a recommendation came to be as it is: every entry, with both of its times."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from portal.domain.assurance.desk import read_recommendation
from portal.domain.assurance.history import HistoryEntry, list_history
from portal.domain.assurance.wording import describe_entry, name_people
from portal.domain.reports.parameters import Position
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.desk_words import PARENT, read_at, template_values_of
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import at_position
from portal.platform.permissions import Permission


@bp.get("/assurance/<key>/history")
@requires(Permission.ASSURANCE_VIEW)
@at_position(PARENT)
def show_history(position: Position, key: str) -> ResponseReturnValue:
    """Show every entry about a recommendation, the latest first, also those that were corrected."""
    recommendation = read_at(lambda at: read_recommendation(key, at), position, "This recommendation")
    entries = list_history(key, position)
    arguments = QueryArguments(request.args, request.path)
    page = arguments.page(len(entries))
    shown = entries[page.offset : page.offset + page.size]
    names = name_people({each for entry in shown for each in _people_of(entry)})
    html = render_template(
        "assurance/history.html",
        recommendation=recommendation,
        page=page,
        errors=arguments.errors(),
        entries=[(entry, describe_entry(entry, names)) for entry in shown],
        names=names,
        **template_values_of(position),
    )
    return html, arguments.status


def _people_of(entry: HistoryEntry) -> set[int | None]:
    return {
        entry.recorded_by_id,
        getattr(entry.row, "owner_id", None),
        getattr(entry.row, "person_id", None),
    }
