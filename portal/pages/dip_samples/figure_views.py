"""What the counts show: a share over time, units beside each other, and what their people completed."""

from urllib.parse import urlencode

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.dip_samples.measures import MEASURES, Measure
from portal.domain.dip_samples.services import CHECKLIST
from portal.domain.dip_samples.tables import read_sample_table
from portal.domain.dip_samples.units import list_viewable_units
from portal.domain.reports import sentences
from portal.domain.reports.funnels import STANDING_WORDS, FunnelPlot
from portal.domain.reports.parameters import Position
from portal.domain.reports.samples.beside import UnitBeside, list_units_beside
from portal.domain.reports.samples.trend_chart import SampleTrend
from portal.domain.reports.statistics import Share
from portal.pages.dip_samples.addresses import PARENT
from portal.pages.dip_samples.blueprint import bp
from portal.pages.dip_samples.forms import filter_form
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import at_position
from portal.platform.months import list_full_months
from portal.platform.permissions import Permission

MONTHS = ("12", "6", "24")
ACTION_ADDRESS = "/assurance/intelligence-documents/actions/new"


@bp.get("/dip-samples/figures")
@requires(Permission.SAMPLE_VIEW)
@at_position(PARENT)
def show_sample_figures(position: Position) -> ResponseReturnValue:
    """Show one share by month and by unit, over full months, with how far each number can be trusted."""
    arguments = QueryArguments(request.args, request.path)
    key = arguments.choice("measure", MEASURES, "share") or "submitted"
    months = arguments.choice("months", MONTHS, "number of months") or MONTHS[0]
    form = filter_form(key, months, position)
    viewer, measure = current_user.viewer, MEASURES[key]
    full_months = list_full_months(int(months), position.as_at)
    table = read_sample_table(key, full_months, list_viewable_units(viewer, position), position)
    units = list_units_beside(viewer, table, position)
    html = render_template(
        "dip_samples/figures.html",
        table=table,
        measure=measure,
        form=form,
        errors=arguments.errors(form._fields),
        position=position,
        banner=sentences.banner_sentence(position),
        trend=SampleTrend(table.totals),
        funnel=FunnelPlot([(unit.label, Share(unit.ratio.reached, unit.ratio.total)) for unit in units]),
        units=units,
        standing_words=STANDING_WORDS,
        actions=_list_action_addresses(units, measure, position),
        checklist=CHECKLIST,
        may_record=Permission.SAMPLE_RECORD in viewer.permissions,
    )
    return html, arguments.status


def _list_action_addresses(units: list[UnitBeside], measure: Measure, position: Position) -> dict[int, str]:
    """Where an action about a unit is opened, its title filled in; nothing beside a position of the past."""
    if position.past or Permission.ASSURANCE_MANAGE not in current_user.permissions:
        return {}
    return {
        unit.unit_id: f"{ACTION_ADDRESS}?{urlencode({'title': _action_title(unit, measure)})}"
        for unit in units
        if unit.ratio.total
    }


def _action_title(unit: UnitBeside, measure: Measure) -> str:
    """Such as: Team A: documents submitted. Without numbers: titles are in the edition for the public too."""
    return f"{unit.label}: {measure.title.lower()}"
