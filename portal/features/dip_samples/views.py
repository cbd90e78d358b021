"""Pages of dip samples: the list by unit and month, and one sample."""

import re
from collections.abc import Mapping
from datetime import date
from io import BytesIO
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import HiddenField
from wtforms.fields import SelectChoice

from portal.domain.people.queries import live_units
from portal.domain.reports import sentences
from portal.domain.reports.funnels import STANDING_WORDS, FunnelPlot
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.features.dip_samples.feature import RECORD, VIEW
from portal.features.dip_samples.figures import SampleTrend, UnitBeside, list_units_beside
from portal.features.dip_samples.models import COUNTS, DipSample
from portal.features.dip_samples.queries import (
    counts_of,
    find_sample,
    list_history,
    list_recordable_units,
    list_viewable_units,
    read_sample_table,
)
from portal.features.dip_samples.rules import (
    CORRECTION_REASONS,
    COUNT_WORDS,
    MEASURES,
    MISSING_REASONS,
    MOST,
    REASONS,
    Measure,
    SampleCounts,
    SampleEntry,
    ask_for_count,
)
from portal.features.dip_samples.services import (
    CHECKLIST,
    OPTIONAL,
    REQUIRED,
    SampleImport,
    import_samples,
    read_sample_file,
    record_sample,
    withdraw_sample,
    write_template,
)
from portal.pages.layout.access import list_parts, requires
from portal.pages.layout.fields import button, drop_down, file_to_send, text_as_typed, tick_box
from portal.pages.layout.forms import (
    GovInput,
    PlainForm,
    PortalForm,
    WholeNumberField,
    mark_wrong,
    save_form,
)
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import at_position
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, require
from portal.platform.months import add_months, first_of_month, list_full_months, list_months
from portal.platform.wording import month_words, number

# The blueprint of all pages under /dip-samples; their views are in files beside it.

bp = Blueprint("dip_samples", __name__, template_folder="templates")


# Reads the month and the unit that an address of dip samples names.

PARENT = {"text": "Dip samples", "href": "/dip-samples"}
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


def read_month(text: str) -> date | None:
    """The first day of a month that is written as 2026-04; None if the text is no month.

    >>> read_month("2026-04"), read_month("April")
    (datetime.date(2026, 4, 1), None)
    """
    match = _MONTH.fullmatch(text)
    return date(int(match[1]), int(match[2]), 1) if match else None


def require_month(text: str) -> date:
    """The first day of the month in an address."""
    return require(read_month(text), "There is no such month.")


def require_recordable_unit(unit_id: int) -> str:
    """The label of a unit for which the signed-in person may record."""
    return _require_unit(unit_id, list_recordable_units(current_user.viewer))


def require_viewable_unit(unit_id: int, position: Position) -> str:
    """The label of a unit whose samples the signed-in person may see."""
    return _require_unit(unit_id, list_viewable_units(current_user.viewer, position))


def _require_unit(unit_id: int, units: dict[int, str]) -> str:
    if unit_id not in units:
        raise NotFoundError("There is no such unit among those that you can see here.")
    return units[unit_id]


# The form with which a supervisor records counts; it has no field for free text.

OFFERED_MONTHS = 25  # this month and the two years before it


def _count_field(name: str, label: str, hint: str) -> WholeNumberField:
    widget = GovInput(classes="govuk-input--width-5", inputmode="numeric", autocomplete="off")
    return WholeNumberField(label, message=ask_for_count(name), most=MOST, description=hint, widget=widget)


class SampleForm(PortalForm):
    """Seven counts and a reason from a list."""

    unit = drop_down("Unit", required="Select a unit")
    month = drop_down("Month", required="Select a month")
    reported = _count_field("reported", "Cases reported to NCCU", "All that this unit reported in the month")
    submitted = _count_field(
        "submitted", "Documents submitted", "How many of these cases have an intelligence document"
    )
    on_time = _count_field(
        "on_time", "Submitted on time", "Of those submitted, within the time that your force sets"
    )
    sampled = _count_field(
        "sampled", "Documents you read", "Of those submitted. Take them at random: not the best ones"
    )
    complete = _count_field(
        "complete", "Complete", "Of those read, with a yes to every question of the checklist"
    )
    graded = _count_field("graded", "Graded", "Of those read, graded as your force’s form asks")
    returned = _count_field("returned", "Sent back", "Of those read, sent back to be corrected")
    reason = drop_down("Reason", "Why documents are missing, or why you correct an earlier count")
    replaces = HiddenField()
    send = button("Save the counts")

    def offer_choices(self, units: Mapping[int, str], today: date, kept_month: date | None) -> None:
        """Offer the units, the latest months, and the reasons."""
        labels = {str(unit_id): label for unit_id, label in units.items()}
        prompt = {} if len(labels) == 1 else {"": "Select a unit"}
        self.unit.choices = _list_choices(prompt | labels)
        months = {
            f"{month:%Y-%m}": month_words(month) for month in reversed(list_months(OFFERED_MONTHS, today))
        }
        if kept_month is not None:
            months.setdefault(f"{kept_month:%Y-%m}", month_words(kept_month))
        self.month.choices = _list_choices(months)
        corrects = bool(self.replaces.data)
        reasons = {"": "No document is missing"} if not corrects else {"": "Select a reason"}
        self.reason.choices = _list_choices(reasons | dict(REASONS if corrects else MISSING_REASONS))

    def read_entry(self) -> SampleEntry:
        """The entry of a valid form."""
        counts = SampleCounts(**{name: self[name].number or 0 for name in COUNTS})
        month = require_month(self.month.data)
        return SampleEntry(int(self.unit.data), month, counts, self.reason.data or "")


def first_values(counts: SampleCounts | None, **others: Any) -> dict[str, Any]:
    """What the fields of the form hold at first: the known counts, and other values by field."""
    count_texts = {name: str(getattr(counts, name)) for name in COUNTS} if counts is not None else {}
    return {**count_texts, **others}


def reason_words(reason: str) -> str:
    """A reason as a page says it."""
    return {**MISSING_REASONS, **CORRECTION_REASONS}.get(reason, "None")


def _list_choices(labels: Mapping[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value=value, label=label) for value, label in labels.items()]


class SampleFilterForm(PlainForm):
    """Which share a page shows, of how many months, as at when and as known when."""

    measure = drop_down(
        "Show",
        choices=[SelectChoice(value=measure.key, label=measure.title) for measure in MEASURES.values()],
        validate_choice=False,
    )
    months = drop_down(
        "Months",
        choices=[SelectChoice(value=count, label=f"{count} months") for count in ("6", "12", "24")],
        validate_choice=False,
    )
    as_at = text_as_typed("Show the position on")
    as_known_on = text_as_typed("As known on (empty means now)")


def filter_form(measure: str, months: str, position: Position) -> SampleFilterForm:
    """The form filled with what a page shows."""
    return SampleFilterForm(
        data={
            "measure": measure,
            "months": months,
            "as_at": sentences.day_field(position),
            "as_known_on": sentences.known_on_field(position),
        }
    )


# What the counts show: a share over time, units beside each other, and what their people completed.

FIGURE_MONTHS = ("12", "6", "24")


@bp.get("/dip-samples/figures")
@requires(VIEW)
@at_position(PARENT)
def show_sample_figures(position: Position) -> ResponseReturnValue:
    """Show one share by month and by unit, over full months, with how far each number can be trusted."""
    arguments = QueryArguments(request.args, request.path)
    key = arguments.choice("measure", MEASURES, "share") or "submitted"
    months = arguments.choice("months", FIGURE_MONTHS, "number of months") or FIGURE_MONTHS[0]
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
        may_record=RECORD in viewer.permissions,
    )
    return html, arguments.status


def _list_action_addresses(units: list[UnitBeside], measure: Measure, position: Position) -> dict[int, str]:
    """Where an action about a unit is opened, its title filled in; nothing beside a position of the past."""
    if position.past:
        return {}
    return {
        unit.unit_id: address_of(_action_title(unit, measure))
        for address_of in list_parts("dip_samples.action")
        for unit in units
        if unit.ratio.total
    }


def _action_title(unit: UnitBeside, measure: Measure) -> str:
    """Such as: Team A: documents submitted. Without numbers: titles are in the edition for the public too."""
    return f"{unit.label}: {measure.title.lower()}"


# The page on which a supervisor records a whole spreadsheet of counts, and its template.

MOST_SHOWN = 50  # reasons on a page
NOT_RECORDED = "Nothing was recorded. Put right what this page lists, and import the whole file again"


class SampleFileForm(PortalForm):
    """A spreadsheet, to be checked or recorded."""

    file = file_to_send(
        "The spreadsheet",
        "CSV or XLSX, up to 700 KB",
        required="Choose a file",
        accept=".csv,.xlsx,.xls,.ods",
    )
    only_check = tick_box("Only check it, and record nothing")
    send = button("Import the file")


@bp.route("/dip-samples/import", methods=["GET", "POST"])
@requires(RECORD)
def import_file() -> ResponseReturnValue:
    """Record every row of a file, or none; or only show what would be recorded."""
    form, sample_import, reasons = SampleFileForm(), None, list[str]()
    if form.validate_on_submit():
        try:
            sample_import = _import_file(form)
        except BadInputError as error:
            reasons, form.file.errors = error.reasons, [NOT_RECORDED]
        if sample_import is not None and not form.only_check.data:
            flash(sample_import.sentence, "success")
            return redirect(url_for(".show_samples"), 303)
    html = render_template(
        "dip_samples/import.html",
        form=form,
        checked=sample_import,
        reasons=reasons[:MOST_SHOWN],
        more=len(reasons) - MOST_SHOWN,
        required=REQUIRED,
        optional=OPTIONAL,
        reason_words=REASONS,
    )
    return html, 400 if form.errors else 200


def _import_file(form: SampleFileForm) -> SampleImport:
    """Record the file, or roll back what it would record."""
    recordable = list_recordable_units(current_user.viewer)
    units = {unit_id: row for unit_id, row in live_units(clock.today()).items() if unit_id in recordable}
    rows = read_sample_file(form.file.data.read(), form.file.data.filename or "")
    with transaction(dry_run=form.only_check.data):
        return import_samples(rows, units, by=current_user.person_id, at=clock.now())


@bp.get("/dip-samples/template.csv")
@requires(RECORD)
def download_template() -> ResponseReturnValue:
    """Download an empty file with the columns of an import."""
    content = BytesIO(write_template())
    return send_file(content, "text/csv", as_attachment=True, download_name="dip-samples.csv")


# Pages on which a supervisor records, corrects and withdraws the counts of a unit and a month.


@bp.route("/dip-samples/record", methods=["GET", "POST"])
@requires(RECORD)
def record_counts() -> ResponseReturnValue:
    """Record the counts of a unit and a month; where they are recorded already, correct them."""
    units = list_recordable_units(current_user.viewer)
    month = read_month(request.args.get("month", "")) or add_months(first_of_month(clock.today()), -1)
    known_sample = _find_sample_to_correct(units, month)
    form = SampleForm(data=_first_values(units, month, known_sample))
    form.offer_choices(units, clock.today(), month)
    if form.validate_on_submit() and _save_counts(form):
        flash("The counts are saved.", "success")
        return redirect(url_for(".show_sample", unit_id=int(form.unit.data), month=form.month.data), 303)
    html = render_template(
        "dip_samples/record.html",
        form=form,
        units=units,
        known=known_sample,
        month=month,
        checklist=CHECKLIST,
    )
    return html, 400 if form.errors else 200


def _find_sample_to_correct(units: dict[int, str], month: date) -> DipSample | None:
    """The sample that the address asks to correct."""
    unit = request.args.get("unit", "")
    if unit not in map(str, units):
        return None
    return find_sample(int(unit), month)


def _first_values(units: dict[int, str], month: date, known_sample: DipSample | None) -> dict[str, str]:
    only_unit = str(next(iter(units))) if len(units) == 1 else ""
    counts = counts_of(known_sample) if known_sample is not None else None
    unit = request.args.get("unit", "") or only_unit
    replaces = str(known_sample.id) if known_sample is not None else ""
    return first_values(counts, unit=unit, month=f"{month:%Y-%m}", replaces=replaces)


def _save_counts(form: SampleForm) -> bool:
    """Save a valid form. Returns whether it was saved; if not, the form has the errors."""
    replaced = form.replaces.data or ""
    try:
        with save_form(form):
            record_sample(
                form.read_entry(),
                replaces=int(replaced) if replaced.isascii() and replaced.isdigit() else None,
                by=current_user.person_id,
                at=clock.now(),
            )
    except ConflictError as error:
        mark_wrong(form.month, str(error))
    return not form.errors


@bp.post("/dip-samples/<int:unit_id>/<month>/withdraw")
@requires(RECORD)
def withdraw_counts(unit_id: int, month: str) -> ResponseReturnValue:
    """Withdraw the counts of a unit and a month."""
    require_recordable_unit(unit_id)
    sample = require(find_sample(unit_id, require_month(month)), "There is nothing to withdraw.")
    with transaction():
        withdraw_sample(sample.id, by=current_user.person_id)
    flash("The counts are withdrawn. What was recorded stays in the history.", "success")
    return redirect(url_for(".show_sample", unit_id=unit_id, month=month), 303)


MONTHS = ("6", "12", "24")
COUNT_HEADS = {name: words[0].upper() + words[1:] for name, words in COUNT_WORDS.items()}


@bp.get("/dip-samples")
@requires(VIEW)
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
@requires(VIEW)
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
    if position.past or RECORD not in current_user.permissions:
        return {}
    return list_recordable_units(current_user.viewer)


def _sample_rows(sample: DipSample) -> list[dict[str, str]]:
    counts = [{"key": head, "value": number(getattr(sample, name))} for name, head in COUNT_HEADS.items()]
    return [*counts, {"key": "Reason", "value": reason_words(sample.reason)}]
