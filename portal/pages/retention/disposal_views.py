"""Pages of disposals: the list, one with its decision, and its certificate."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.retention import queries, services
from portal.domain.retention.periods import period_words
from portal.domain.retention.preview import count_due
from portal.domain.retention.stores import Limit
from portal.pages.layout.access import requires
from portal.pages.layout.forms import ConfirmForm
from portal.pages.layout.pdf_files import markup_of_page, send_pdf
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.retention.forms import RefuseForm
from portal.pages.retention.words import STATE_WORDS, certificate_rows
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.jobs.queries import find_unended_job
from portal.platform.permissions import Permission
from portal.platform.wording import instant


def add_disposal_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of retention."""
    at = "/retention/disposals"
    bp.add_url_rule(at, view_func=list_disposals)
    bp.add_url_rule(f"{at}/<uuid:uuid>", view_func=show_disposal)
    bp.add_url_rule(f"{at}/<uuid:uuid>/approval", view_func=approve_disposal, methods=["POST"])
    bp.add_url_rule(f"{at}/<uuid:uuid>/refusal", view_func=refuse_disposal, methods=["POST"])
    bp.add_url_rule(f"{at}/<uuid:uuid>/withdrawal", view_func=withdraw_disposal, methods=["POST"])
    bp.add_url_rule(f"{at}/<uuid:uuid>/again", view_func=resume_disposal, methods=["POST"])
    bp.add_url_rule(f"{at}/<uuid:uuid>/certificate.pdf", view_func=download_certificate)


@requires(Permission.RETENTION_VIEW)
def list_disposals() -> ResponseReturnValue:
    """Every disposal that was asked for, the newest first, or those that wait for the viewer."""
    arguments = QueryArguments(request.args, request.path)
    state = arguments.choice("state", ("waiting",))
    waiting_for = current_user.person_id if state else None
    page = arguments.page(queries.count_disposals(waiting_for=waiting_for))
    html = render_template(
        "retention/disposals.html",
        page=page,
        errors=arguments.errors(),
        rows=queries.list_disposals(page.offset, page.size, waiting_for=waiting_for),
        state=state,
        state_words=STATE_WORDS,
    )
    return html, arguments.status


@requires(Permission.RETENTION_VIEW)
def show_disposal(uuid: UUID) -> ResponseReturnValue:
    """One disposal: what would go, the decision, and the certificate once it is done."""
    return _render_disposal(uuid, RefuseForm())


@requires(Permission.RETENTION_MANAGE, recent=True)
def approve_disposal(uuid: UUID) -> ResponseReturnValue:
    """Approve a disposal that somebody else asked for; a job carries it out."""
    with transaction():
        services.grant_disposal(uuid, by=current_user.person_id, at=clock.now())
    flash("The disposal is approved. A job removes the data now", "success")
    return redirect(url_for(".show_disposal", uuid=uuid), 303)


@requires(Permission.RETENTION_MANAGE)
def refuse_disposal(uuid: UUID) -> ResponseReturnValue:
    """Refuse a disposal, with a reason."""
    form = RefuseForm()
    if not form.validate():
        return _render_disposal(uuid, form), 400
    with transaction():
        services.refuse_disposal(uuid, form.refusal.data, by=current_user.person_id, at=clock.now())
    flash("The disposal is refused. Nothing was removed", "success")
    return redirect(url_for(".show_disposal", uuid=uuid), 303)


@requires(Permission.RETENTION_MANAGE)
def withdraw_disposal(uuid: UUID) -> ResponseReturnValue:
    """Withdraw one's own request."""
    with transaction():
        services.withdraw_disposal(uuid, by=current_user.person_id, at=clock.now())
    flash("The request is withdrawn. Nothing was removed", "success")
    return redirect(url_for(".show_disposal", uuid=uuid), 303)


@requires(Permission.RETENTION_MANAGE, recent=True)
def resume_disposal(uuid: UUID) -> ResponseReturnValue:
    """Go on with an approved disposal whose job ended before it was done."""
    with transaction():
        services.resume_disposal(uuid, by=current_user.person_id, at=clock.now())
    flash("A job goes on with the disposal", "success")
    return redirect(url_for(".show_disposal", uuid=uuid), 303)


@requires(Permission.RETENTION_VIEW)
def download_certificate(uuid: UUID) -> ResponseReturnValue:
    """The certificate of a disposal as a tagged PDF."""
    row = queries.get_disposal(uuid)
    if row.ended_at is None:
        raise NotFoundError("There is no certificate of this disposal.")
    html = render_template("retention/certificate_document.html", rows=certificate_rows(row))
    return send_pdf(
        markup_of_page(html),
        title="Certificate of disposal",
        above="Learning portal · Retention",
        foot=f"certified at {instant(row.ended_at)}",
        at=row.ended_at,
        name=f"certificate-of-disposal-{row.uuid}.pdf",
    )


def _render_disposal(uuid: UUID, form: RefuseForm) -> str:
    row = queries.get_disposal(uuid)
    waits = row.state == queries.WAITING
    removed = sum(queries.sum_slices(row.id)[0].values()) if row.state == queries.RUNNING else 0
    return render_template(
        "retention/disposal.html",
        row=row,
        form=form,
        confirm=ConfirmForm(),
        state=STATE_WORDS[row.state],
        period=period_words(row.months),
        now_due=count_due(row.class_key, Limit(row.through_on)) if waits else None,
        removed=removed,
        job=find_unended_job(services.JOB),
        certificate=certificate_rows(row) if row.ended_at else [],
        mine=row.asked_by_id == current_user.person_id,
        alone=not queries.has_other_approver(current_user.person_id, clock.today()),
        manages=Permission.RETENTION_MANAGE in current_user.permissions,
    )
