"""Pages of kept rows: who they are of, recording those of people who came, and erasing them early."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import SubmitField

from portal.domain.imports import kept_rows, queries, services
from portal.pages.imports.runs import allowed_kinds, check_and_show
from portal.pages.layout.access import requires
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_widgets import GovSubmit
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import plural

SCHEMES = {"staff_number": "Staff number", "email": "Email address"}


class EraseKeptRowsForm(PortalForm):
    """The button that erases one person's kept rows."""

    send = SubmitField("Erase these rows", widget=GovSubmit(warning=True))


def add_kept_pages(bp: Blueprint) -> None:
    """Add the pages to the blueprint of imports."""
    bp.add_url_rule("/kept", "list_kept_rows", list_kept_rows, methods=["GET"])
    bp.add_url_rule("/kept/import", "record_kept_rows", record_kept_rows, methods=["POST"])
    bp.add_url_rule("/kept/<int:row_id>/erase", "erase_kept_rows", erase_kept_rows, methods=["GET", "POST"])


def _refuse_others() -> None:
    """Refuse people who may not import completions of the whole force."""
    if "completions" not in allowed_kinds():
        raise NotFoundError("Kept rows are of people of the whole force, so you need a role for all of it.")


@requires(Permission.RECORD_IMPORT)
def list_kept_rows() -> ResponseReturnValue:
    """List the people who are not on the roster and of whom rows are kept, with what ends first."""
    _refuse_others()
    at = clock.now()
    arguments = QueryArguments(request.args, url_for(".list_kept_rows"))
    page = arguments.page(kept_rows.count_people(at))
    ready = kept_rows.list_ready(at)
    html = render_template(
        "imports/kept.html",
        page=page,
        people=kept_rows.list_people(at, page.offset, page.size),
        ready_rows=len(ready),
        ready_ids={row.id for row in ready},
        days=kept_rows.KEPT_FOR.days,
        schemes=SCHEMES,
        errors=arguments.errors(),
    )
    return html, arguments.status


@requires(Permission.RECORD_IMPORT)
def record_kept_rows() -> ResponseReturnValue:
    """Begin an import of the kept rows whose people are on the roster now, and show its check."""
    _refuse_others()
    with transaction():
        run_id = services.begin_kept_import(by=current_user.person_id, at=clock.now())
    return check_and_show(run_id)


@requires(Permission.RECORD_IMPORT)
def erase_kept_rows(row_id: int) -> ResponseReturnValue:
    """Show the kept rows of one person, and erase them."""
    _refuse_others()
    form, at = EraseKeptRowsForm(), clock.now()
    rows = kept_rows.rows_of_person(row_id, at)
    if form.validate_on_submit():
        with transaction():
            count = kept_rows.erase_person(row_id, by=current_user.person_id, at=at)
        flash(f"{plural(count, 'row')} erased. The same rows are not kept again.")
        return redirect(url_for(".list_kept_rows"), 303)
    titles = queries.activity_titles()
    return render_template(
        "imports/erase.html",
        form=form,
        rows=rows,
        titles=titles,
        days={row.id: kept_rows.day_achieved(row.content or {}) for row in rows},
        scheme=SCHEMES.get(rows[0].scheme or "", rows[0].scheme),
        kept_for=kept_rows.KEPT_FOR,
    )
