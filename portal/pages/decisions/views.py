"""Pages of requests and decisions."""

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.decisions import labels, queries, services
from portal.domain.decisions.change_requests import ChangeRequest, list_faults
from portal.domain.decisions.choices import list_choices
from portal.domain.decisions.preview import preview_effects
from portal.domain.decisions.queries import RequestFilters, RequestRow, RequestSubject
from portal.domain.directives.exclusions import list_exclusions
from portal.pages.decisions import presenters
from portal.pages.decisions.forms import FORMS, AskForm, DecideForm, RequestFilterForm, WithdrawRequestForm
from portal.pages.decisions.joint_views import add_joint_pages
from portal.pages.layout.access import requires
from portal.pages.layout.disclosure import log_disclosure
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, NotFoundError
from portal.platform.permissions import Permission

bp = Blueprint("decisions", __name__, template_folder="templates")


@bp.get("/decisions")
@requires(Permission.DECISION_ASK)
def list_requests() -> ResponseReturnValue:
    """Requests for the viewer to decide, and those that the viewer made."""
    viewer = current_user.viewer
    decides = Permission.DECISION_MAKE in viewer.permissions
    arguments, default = QueryArguments(request.args, request.path), "decide" if decides else "asked"
    values = {
        "whose": arguments.choice("whose", ("decide", "asked", "all") if decides else ("asked",)) or default,
        "state": arguments.choice("state", labels.STATE_WORDS),
        "kind": arguments.choice("kind", labels.KIND_WORDS),
    }
    filters = RequestFilters(**values)
    page = arguments.page(queries.count_requests(viewer, filters))
    rows = queries.list_requests(viewer, filters, page.offset, page.size)
    joint_uuids = {row.joint_uuid for row in rows if row.joint_uuid}
    answer = render_template(
        "decisions/index.html",
        page=page,
        errors=arguments.errors(values if decides else values.keys() - {"whose"}),
        rows=rows,
        joint=presenters.joint_list_words(queries.count_joint_states(viewer, joint_uuids)),
        waiting=queries.count_waiting_requests(viewer),
        decides=decides,
        filters=filters,
        form=RequestFilterForm(decides=decides, data=values),
    )
    return answer, arguments.status


@bp.route("/people/<staff_number>/ask/<kind>", methods=["GET", "POST"])
@requires(Permission.DECISION_ASK)
def ask_decision(staff_number: str, kind: str) -> ResponseReturnValue:
    """Make a request about a person whom the viewer may see."""
    subject = queries.request_subject(current_user.viewer, staff_number)
    log_disclosure(subject.person_id, "decision")
    if kind not in FORMS:
        raise NotFoundError("There is no such request.")
    form = FORMS[kind](list_choices(kind, subject.person_id, clock.today()))
    if not form.is_submitted():
        form.about.data = request.args.get("about", form.about.data)
        return _render_ask_page(form, subject)
    if not form.validate():
        return _render_ask_page(form, subject), 400
    change = services.complete_request(form.change_request(subject.person_id))
    if faults := list_faults(change, clock.today()):
        form.show_faults(faults)
        return _render_ask_page(form, subject), 400
    try:
        with transaction():
            uuid = services.submit_request(
                change, form.note_texts(), by=current_user.person_id, at=clock.now()
            )
    except ConflictError as error:
        form.form_errors.append(str(error))
        return _render_ask_page(form, subject), 409
    flash("The request is sent", "success")
    return redirect(url_for(".request", uuid=uuid), 303)


def _render_ask_page(form: AskForm, subject: RequestSubject) -> str:
    return render_template("decisions/ask.html", form=form, subject=subject, page=presenters.ASK[form.kind])


@bp.get("/records/decisions")
@requires(Permission.RECORD_VIEW)
def list_own_decisions() -> ResponseReturnValue:
    """Requests and decisions about oneself: roles and categories, never a comment."""
    person_id = current_user.person_id
    return render_template(
        "decisions/mine.html",
        exclusions=list_exclusions(person_id),
        entries=presenters.own_decision_entries(queries.list_own_decisions(person_id)),
        reason=labels.reason_label,
    )


@bp.get("/decisions/<uuid:uuid>", endpoint="request")
@requires(Permission.DECISION_ASK)
def request_page(uuid: UUID) -> ResponseReturnValue:
    """One request: what is requested, what it would change, and the decision."""
    row = queries.get_request(current_user.viewer, uuid)
    log_disclosure(row.person_id, "decision")
    return _render_request(row, DecideForm(row), services.complete_request(row.change_request))


@bp.post("/decisions/<uuid:uuid>/decision")
@requires(Permission.DECISION_MAKE)
def decide_request(uuid: UUID) -> ResponseReturnValue:
    """Preview other dates, grant or refuse."""
    viewer = current_user.viewer
    row = queries.get_request(viewer, uuid)
    form = DecideForm(row)
    change = services.complete_request(replace(row.change_request, **form.decided_dates()))
    is_valid = form.validate()
    if row.outcome is None and not form.refuse.data and (faults := list_faults(change, clock.today())):
        form.show_faults(faults)
        is_valid = False
    if form.refuse.data and not form.comment.data:
        form.comment.errors = ("Enter why you refuse",)
        is_valid = False
    if not is_valid:
        return _render_request(row, form, services.complete_request(row.change_request)), 400
    if form.preview.data or not (form.grant.data or form.refuse.data):
        return _render_request(row, form, change)
    sentence = form.comment.data
    with transaction():
        if form.grant.data:
            services.grant_request(viewer, uuid, change, sentence, at=clock.now())
        else:
            services.refuse_request(viewer, uuid, sentence)
    flash("The request is granted" if form.grant.data else "The request is refused", "success")
    return redirect(url_for(".request", uuid=uuid), 303)


@bp.post("/decisions/<uuid:uuid>/withdrawal")
@requires(Permission.DECISION_ASK)
def withdraw_request(uuid: UUID) -> ResponseReturnValue:
    """Withdraw one's own request."""
    with transaction():
        services.withdraw_request(current_user.viewer, uuid)
    flash("The request is withdrawn", "success")
    return redirect(url_for(".request", uuid=uuid), 303)


def _render_request(row: RequestRow, form: DecideForm, change: ChangeRequest) -> str:
    viewer = current_user.viewer
    texts, answer = queries.texts_of(row)
    decides, today = queries.may_decide(viewer, row), clock.today()
    # What was valid when it was requested may no longer be.
    faults = [fault.sentence for fault in list_faults(change, today)] if decides else []
    show_effects = decides and not faults
    return render_template(
        "decisions/request.html",
        row=row,
        form=form,
        rows=presenters.request_summary(row, texts),
        lead=presenters.describe_decision(row),
        answer=answer,
        decides=decides,
        faults=faults,
        effects=preview_effects(change, viewer, now=clock.now(), today=today) if show_effects else [],
        own=row.person_id == viewer.person_id,
        mine=row.asked_by_id == viewer.person_id,
        nobody=row.outcome is None and not decides and not queries.has_decider(row),
        withdraw_form=WithdrawRequestForm(),
        today=today,
    )


add_joint_pages(bp)
