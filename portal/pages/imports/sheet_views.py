"""The page that asks which sheet of a workbook is the list."""

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import RadioField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.imports import services
from portal.domain.imports.column_mapping import list_repeated_columns
from portal.domain.imports.models import ImportRun
from portal.pages.imports.runs import LOOKED_AT, find_run, propose_mapping
from portal.pages.layout.access import requires
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_widgets import GovRadios, GovSubmit
from portal.pages.layout.query_arguments import NO_TEXT
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError
from portal.platform.permissions import Permission
from portal.platform.tables.sheet_choice import SheetGlimpse
from portal.platform.tables.table_files import Sheet
from portal.platform.wording import plural


class SheetForm(PortalForm):
    """The sheets to choose from; by their place, because a name may be anything."""

    sheet = RadioField(
        "Which sheet is the list?",
        widget=GovRadios(label_classes="govuk-fieldset__legend--m"),
        validators=[InputRequired("Choose a sheet")],
    )
    send = SubmitField("Continue", widget=GovSubmit())


def add_sheet_pages(bp: Blueprint) -> None:
    """Add the page to the blueprint of imports."""
    bp.add_url_rule("/<uuid:run_id>/sheet", "match_sheet", match_sheet, methods=["GET", "POST"])


@requires(Permission.RECORD_IMPORT)
def match_sheet(run_id: UUID) -> ResponseReturnValue:
    """The second step, where a workbook has several sheets: choose the one with the list."""
    run = find_run(run_id)
    mapping = services.mapping_of_run(run)
    if run.ended_as:
        return redirect(url_for(".show_check", run_id=run_id), 303)
    likeliest = services.open_run_sheet(run, mapping, LOOKED_AT)
    glimpses = [(place, glimpse) for place, glimpse in enumerate(likeliest.glimpses) if glimpse.has_table]
    if not glimpses:
        return redirect(url_for(".match_columns", run_id=run_id), 303)
    names = {str(place): glimpse.name for place, glimpse in glimpses}
    proposed = next(place for place, name in names.items() if name == likeliest.name)
    form = SheetForm(sheet=proposed)
    form.sheet.choices = [_choice_of_sheet(place, glimpse) for place, glimpse in glimpses]
    if form.validate_on_submit():
        try:
            _choose_sheet(run, names[form.sheet.data], likeliest)
            return redirect(url_for(".match_columns", run_id=run_id), 303)
        except BadInputError as error:
            form.sheet.errors = error.reasons
    return render_template(
        "imports/sheet.html",
        run=run,
        form=form,
        glimpses=[glimpse for _, glimpse in glimpses],
        others=[glimpse for glimpse in likeliest.glimpses if not glimpse.has_table],
        without_unseen=lambda text: NO_TEXT.sub("", text),
    )


def _choice_of_sheet(place: int, glimpse: SheetGlimpse) -> SelectChoice:
    hint = f"{plural(len(glimpse.columns), 'column')}, up to {plural(glimpse.rows, 'row')}"
    hint += ", hidden in the workbook" if glimpse.hidden else ""
    return SelectChoice(value=str(place), label=NO_TEXT.sub("", glimpse.name), render_kw={"hint": hint})


def _choose_sheet(run: ImportRun, name: str, opened: Sheet) -> None:
    """Read the sheet of this name from now on; without a profile it is proposed how.

    Args:
        run: The import.
        name: The sheet's name.
        opened: The sheet that has been read already; it need not be the chosen one.

    Raises:
        BadInputError: It cannot be read, or two of its columns have one name.
    """
    mapping = replace(services.mapping_of_run(run), sheet=name)
    sheet = opened if opened.name == name else services.open_run_sheet(run, mapping, LOOKED_AT)
    reasons = list_repeated_columns(sheet.columns)
    if reasons:
        raise BadInputError(reasons)
    profile = run.profile
    if not profile:
        mapping, profile = propose_mapping(run.kind, sheet, run.shape, ready=mapping.ready)
        mapping = replace(mapping, sheet=name)
    with transaction():
        services.choose_sheet(run.id, sheet, mapping, profile, by=current_user.person_id, at=clock.now())
