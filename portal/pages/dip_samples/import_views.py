"""The page on which a supervisor records a whole spreadsheet of counts, and its template."""

from io import BytesIO

from flask import flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, SubmitField

from portal.domain.dip_samples.importing import (
    OPTIONAL,
    REQUIRED,
    SampleImport,
    import_samples,
    read_sample_file,
    write_template,
)
from portal.domain.dip_samples.measures import REASONS
from portal.domain.dip_samples.units import list_recordable_units
from portal.domain.people.queries import live_units
from portal.pages.dip_samples.blueprint import bp
from portal.pages.layout.access import requires
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_widgets import GovCheckboxes, GovFile, GovSubmit
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError
from portal.platform.permissions import Permission

MOST_SHOWN = 50  # reasons on a page
NOT_RECORDED = "Nothing was recorded. Put right what this page lists, and import the whole file again"


class SampleFileForm(PortalForm):
    """A spreadsheet, to be checked or recorded."""

    file = FileField(
        "The spreadsheet",
        description="CSV or XLSX, up to 700 KB",
        widget=GovFile(attributes={"accept": ".csv,.xlsx,.xls,.ods"}),
        validators=[FileRequired("Choose a file")],
    )
    only_check = BooleanField("Only check it, and record nothing", widget=GovCheckboxes())
    send = SubmitField("Import the file", widget=GovSubmit())


@bp.route("/dip-samples/import", methods=["GET", "POST"])
@requires(Permission.SAMPLE_RECORD)
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
@requires(Permission.SAMPLE_RECORD)
def download_template() -> ResponseReturnValue:
    """Download an empty file with the columns of an import."""
    content = BytesIO(write_template())
    return send_file(content, "text/csv", as_attachment=True, download_name="dip-samples.csv")
