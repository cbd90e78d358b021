"""Pages of retention: the classes with their periods, and what is due of one."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import current_settings
from portal.domain.retention import data_requests, holds, queries, services
from portal.domain.retention.classes import CLASSES, RetentionClass, class_of_key
from portal.domain.retention.periods import period_words
from portal.domain.retention.preview import preview_class
from portal.pages.layout.access import requires
from portal.pages.retention import words
from portal.pages.retention.disposal_views import add_disposal_pages
from portal.pages.retention.forms import DisposalForm, PeriodForm, show_fault
from portal.pages.retention.hold_views import add_hold_pages
from portal.pages.retention.request_views import add_request_pages
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import PortalError
from portal.platform.permissions import Permission

bp = Blueprint("retention", __name__, template_folder="templates")


@bp.get("/retention")
@requires(Permission.RETENTION_VIEW)
def list_classes() -> ResponseReturnValue:
    """Every class of data with its period, what goes by itself, and the ways to all else."""
    standing = [row for row in holds.list_holds(clock.now()) if row.lifted_at is None]
    settings = current_settings()
    return render_template(
        "retention/index.html",
        classes=CLASSES,
        periods=queries.list_periods(),
        period_words=period_words,
        latest=queries.list_latest_certificates(),
        waiting=queries.count_disposals(waiting_for=current_user.person_id),
        disposals=queries.count_disposals(),
        holds=len(standing),
        held_classes={row.class_key for row in standing if row.class_key},
        open_requests=data_requests.count_requests(is_open=True),
        manages=Permission.RETENTION_MANAGE in current_user.permissions,
        by_itself=words.list_automatic_removals(settings.jobs_kept_days, settings.import_folder.kept_days),
    )


@bp.get("/retention/classes/<key>")
@requires(Permission.RETENTION_VIEW)
def show_class(key: str) -> ResponseReturnValue:
    """What is due of a class today, counted; forms to ask for its disposal and to set its period."""
    row = class_of_key(key)
    return _render_class(row, DisposalForm(), PeriodForm.of_class(row, queries.months_of(key)))


@bp.post("/retention/classes/<key>/disposal")
@requires(Permission.RETENTION_MANAGE)
def ask_disposal(key: str) -> ResponseReturnValue:
    """Ask for the disposal of what is due; a second person decides."""
    row = class_of_key(key)
    form = DisposalForm()
    if form.validate():
        try:
            with transaction():
                uuid = services.ask_disposal(key, form.reason.data, by=current_user.person_id, at=clock.now())
        except PortalError as error:
            show_fault(form, error)
        else:
            flash("The disposal waits for a second person. Nothing was removed yet", "success")
            return redirect(url_for(".show_disposal", uuid=uuid), 303)
    return _render_class(row, form, PeriodForm.of_class(row, queries.months_of(key))), 400


@bp.post("/retention/classes/<key>/period")
@requires(Permission.RETENTION_MANAGE)
def set_period(key: str) -> ResponseReturnValue:
    """Set how long a class is kept; nothing is removed by it."""
    row = class_of_key(key)
    form = PeriodForm.of_class(row, queries.months_of(key))
    if not form.validate():
        return _render_class(row, DisposalForm(formdata=None), form), 400
    with transaction():
        services.set_period(
            key,
            form.months.number or 0,
            form.period_reason.data,
            by=current_user.person_id,
            at=clock.now(),
        )
    flash("The period is set. Nothing was removed", "success")
    return redirect(url_for(".show_class", key=key), 303)


def _render_class(row: RetentionClass, ask_form: DisposalForm, period_form: PeriodForm) -> str:
    months = queries.months_of(row.key)
    return render_template(
        "retention/class.html",
        row=row,
        period=queries.list_periods()[row.key],
        period_words=period_words,
        preview=preview_class(row.key, months, clock.today()),
        under_way=queries.find_open_disposal(row.key),
        held=holds.is_class_held(row.key),
        ask_form=ask_form,
        alone=not queries.has_other_approver(current_user.person_id, clock.today()),
        form=period_form if period_form.errors else ask_form,
        period_form=period_form,
        manages=Permission.RETENTION_MANAGE in current_user.permissions,
    )


add_disposal_pages(bp)
add_hold_pages(bp)
add_request_pages(bp)
