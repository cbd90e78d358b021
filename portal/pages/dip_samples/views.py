"""Pages of dip samples: the list by unit and month, and one sample."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.dip_samples.measures import COUNT_WORDS, MEASURES
from portal.domain.dip_samples.models import DipSample
from portal.domain.dip_samples.queries import list_history
from portal.domain.dip_samples.tables import read_sample_table
from portal.domain.dip_samples.units import list_recordable_units, list_viewable_units
from portal.domain.reports import sentences
from portal.domain.reports.parameters import Position
from portal.pages.dip_samples import figure_views, import_views, recording_views
from portal.pages.dip_samples.addresses import PARENT, require_month, require_viewable_unit
from portal.pages.dip_samples.blueprint import bp
from portal.pages.dip_samples.forms import filter_form, reason_words
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import at_position
from portal.platform.months import list_months
from portal.platform.permissions import Permission
from portal.platform.wording import number

__all__ = ["bp", "figure_views", "import_views", "recording_views"]

MONTHS = ("6", "12", "24")
COUNT_HEADS = {name: words[0].upper() + words[1:] for name, words in COUNT_WORDS.items()}


@bp.get("/dip-samples")
@requires(Permission.SAMPLE_VIEW)
@at_position(PARENT)
def show_samples(position: Position) -> ResponseReturnValue:
    """Show one share of every unit that the viewer sees, by month, with the months that are missing."""
    arguments = QueryArguments(request.args, request.path)
    measure = arguments.choice("measure", MEASURES, "share") or "submitted"
    months = arguments.choice("months", MONTHS, "number of months") or MONTHS[0]
    form = filter_form(measure, months, position)
    units = list_viewable_units(current_user.viewer, position)
    recordable = _recordable_units(position)
    table = read_sample_table(measure, list_months(int(months), position.as_at), units, position)
    html = render_template(
        "dip_samples/list.html",
        table=table,
        measure=MEASURES[measure],
        form=form,
        errors=arguments.errors(form._fields),
        position=position,
        banner=sentences.banner_sentence(position),
        recordable=recordable,
        units_without_samples={
            unit_id: label for unit_id, label in table.units_without_samples.items() if unit_id in recordable
        },
    )
    return html, arguments.status


@bp.get("/dip-samples/<int:unit_id>/<month>")
@requires(Permission.SAMPLE_VIEW)
@at_position(PARENT)
def show_sample(position: Position, unit_id: int, month: str) -> ResponseReturnValue:
    """Show the counts of a unit and a month, and earlier ones."""
    unit, first_day = require_viewable_unit(unit_id, position), require_month(month)
    history = list_history(unit_id, first_day, position.as_known_on) if first_day <= position.as_at else []
    known_sample = history[0] if history and not history[0].void else None
    return render_template(
        "dip_samples/sample.html",
        unit=unit,
        unit_id=unit_id,
        month=first_day,
        month_text=month,
        position=position,
        banner=sentences.banner_sentence(position),
        here=request.path,
        history=history,
        known=known_sample,
        rows=_sample_rows(known_sample) if known_sample else [],
        reasons={row.id: reason_words(row.reason) for row in history},
        count_heads=COUNT_HEADS,
        may_record=unit_id in _recordable_units(position),
    )


def _recordable_units(position: Position) -> dict[int, str]:
    """The units for which the viewer may record; none beside a position of the past."""
    if position.past or Permission.SAMPLE_RECORD not in current_user.permissions:
        return {}
    return list_recordable_units(current_user.viewer)


def _sample_rows(sample: DipSample) -> list[dict[str, str]]:
    counts = [{"key": head, "value": number(getattr(sample, name))} for name, head in COUNT_HEADS.items()]
    return [*counts, {"key": "Reason", "value": reason_words(sample.reason)}]
