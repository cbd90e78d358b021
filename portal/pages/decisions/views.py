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
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, NotFoundError
from portal.platform.permissions import Permission

bp = Blueprint("decisions", __name__, template_folder="templates")


@bp.get("/decisions")
@requires(Permission.DECISION_ASK)
def list_requests() -> ResponseReturnValue:
    """What waits for the viewer, and what they asked for with what became of it."""
    viewer = current_user.viewer
    decides = Permission.DECISION_MAKE in viewer.permissions
    asked, usual = QueryArguments(request.args, request.path), "decide" if decides else "asked"
    shown = {
        "whose": asked.choice("whose", ("decide", "asked", "all") if decides else ("asked",)) or usual,
        "state": asked.choice("state", labels.STATE_WORDS),
        "kind": asked.choice("kind", labels.KIND_WORDS),
    }
    wanted = RequestFilters(**shown)
    page = asked.page(queries.count_requests(viewer, wanted))
    answer = render_template(
        "decisions/index.html",
        page=page,
        errors=asked.errors(shown if decides else shown.keys() - {"whose"}),
        rows=queries.list_requests(viewer, wanted, page.offset, page.size),
        waiting=queries.count_waiting_requests(viewer),
        decides=decides,
        wanted=wanted,
        form=RequestFilterForm(decides=decides, data=shown),
        words=labels,
    )
    return answer, asked.status


@bp.route("/people/<staff_number>/ask/<kind>", methods=["GET", "POST"])
@requires(Permission.DECISION_ASK)
def ask_decision(staff_number: str, kind: str) -> ResponseReturnValue:
    """Ask for something about a person whom the viewer sees."""
    whom = queries.request_subject(current_user.viewer, staff_number)
    if kind not in FORMS:
        raise NotFoundError("There is no such request.")
    form = FORMS[kind](list_choices(kind, whom.person_id, clock.today()))
    if not form.is_submitted():
        form.about.data = request.args.get("about", form.about.data)
        return _ask_page(form, whom)
    if not form.validate():
        return _ask_page(form, whom), 400
    wish = services.complete_request(form.change_request(whom.person_id))
    if found := list_faults(wish, clock.today()):
        form.show_faults(found)
        return _ask_page(form, whom), 400
    try:
        with transaction():
            uuid = services.submit_request(wish, form.note_texts(), by=current_user.person_id, at=clock.now())
    except ConflictError as error:
        form.form_errors.append(str(error))
        return _ask_page(form, whom), 409
    flash("The request is sent", "success")
    return redirect(url_for(".request", uuid=uuid), 303)


def _ask_page(form: AskForm, whom: RequestSubject) -> str:
    return render_template("decisions/ask.html", form=form, whom=whom, page=presenters.ASK[form.kind])


@bp.get("/records/decisions")
@requires(Permission.RECORD_VIEW)
def list_own_decisions() -> ResponseReturnValue:
    """What was asked for and decided about oneself: in roles and categories, never a comment."""
    person_id = current_user.person_id
    return render_template(
        "decisions/mine.html",
        excluded=list_exclusions(person_id),
        entries=presenters.own_entries(queries.told_requests(person_id)),
        reason=labels.reason_label,
    )


@bp.get("/decisions/<uuid:uuid>", endpoint="request")
@requires(Permission.DECISION_ASK)
def request_page(uuid: UUID) -> ResponseReturnValue:
    """One request: what was asked, what it would change, and the answer."""
    row = queries.get_request(current_user.viewer, uuid)
    return _render_request(row, DecideForm(row), services.complete_request(row.change_request))


@bp.post("/decisions/<uuid:uuid>/decision")
@requires(Permission.DECISION_MAKE)
def decide_request(uuid: UUID) -> ResponseReturnValue:
    """Show what other days would change, grant or refuse."""
    viewer = current_user.viewer
    row = queries.get_request(viewer, uuid)
    form = DecideForm(row)
    wish = services.complete_request(replace(row.change_request, **form.decided_dates()))
    good = form.validate()
    if row.outcome is None and not form.refuse.data and (found := list_faults(wish, clock.today())):
        form.show_faults(found)
        good = False
    if form.refuse.data and not form.comment.data:
        form.comment.errors = ("Write in a sentence why you refuse",)
        good = False
    if not good:
        return _render_request(row, form, services.complete_request(row.change_request)), 400
    if form.preview.data or not (form.grant.data or form.refuse.data):
        return _render_request(row, form, wish)
    sentence = form.comment.data
    with transaction():
        if form.grant.data:
            services.grant_request(viewer, uuid, wish, sentence, at=clock.now())
        else:
            services.refuse_request(viewer, uuid, sentence)
    flash("The request is granted" if form.grant.data else "The request is refused", "success")
    return redirect(url_for(".request", uuid=uuid), 303)


@bp.post("/decisions/<uuid:uuid>/withdrawal")
@requires(Permission.DECISION_ASK)
def withdraw_request(uuid: UUID) -> ResponseReturnValue:
    """Take one's own request back."""
    with transaction():
        services.withdraw_request(current_user.viewer, uuid)
    flash("The request is withdrawn", "success")
    return redirect(url_for(".request", uuid=uuid), 303)


def _render_request(row: RequestRow, form: DecideForm, wish: ChangeRequest) -> str:
    viewer = current_user.viewer
    texts, answer = queries.texts_of(row)
    decides, today = queries.may_decide(viewer, row), clock.today()
    stale = (
        [fault.sentence for fault in list_faults(wish, today)] if decides else []
    )  # the facts have moved on
    return render_template(
        "decisions/request.html",
        row=row,
        form=form,
        rows=presenters.request_summary(row, texts),
        said=presenters.decision_words(row),
        answer=answer,
        decides=decides,
        stale=stale,
        changes=preview_effects(wish, viewer, now=clock.now(), today=today) if decides and not stale else [],
        own=row.person_id == viewer.person_id,
        mine=row.asked_by_id == viewer.person_id,
        nobody=row.outcome is None and not decides and not queries.has_decider(row),
        withdraw_form=WithdrawRequestForm(),
        today=today,
    )
