"""Pages on which a supervisor records, corrects and withdraws the counts of a unit and a month."""

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.dip_samples.models import DipSample
from portal.domain.dip_samples.queries import counts_of, find_sample
from portal.domain.dip_samples.services import CHECKLIST, record_sample, withdraw_sample
from portal.domain.dip_samples.units import list_recordable_units
from portal.pages.dip_samples.addresses import read_month, require_month, require_recordable_unit
from portal.pages.dip_samples.blueprint import bp
from portal.pages.dip_samples.forms import SampleForm, first_values
from portal.pages.layout.access import requires
from portal.pages.layout.form_widgets import mark_wrong
from portal.pages.layout.forms import save_form
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, NotFoundError
from portal.platform.months import add_months, first_of_month
from portal.platform.permissions import Permission


@bp.route("/dip-samples/record", methods=["GET", "POST"])
@requires(Permission.SAMPLE_RECORD)
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
@requires(Permission.SAMPLE_RECORD)
def withdraw_counts(unit_id: int, month: str) -> ResponseReturnValue:
    """Withdraw the counts of a unit and a month."""
    require_recordable_unit(unit_id)
    sample = find_sample(unit_id, require_month(month))
    if sample is None:
        raise NotFoundError("There is nothing to withdraw.")
    with transaction():
        withdraw_sample(sample.id, by=current_user.person_id)
    flash("The counts are withdrawn. What was recorded stays in the history.", "success")
    return redirect(url_for(".show_sample", unit_id=unit_id, month=month), 303)
