"""Pages of requests to correct or erase data: one's own, the list, and answering one."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.assessment.text_erasure import count_written_texts
from portal.domain.people.queries import find_seen_person
from portal.domain.retention import data_requests, holds
from portal.domain.retention.data_requests import ERASURE
from portal.pages.layout.access import requires
from portal.pages.layout.disclosure import log_disclosure
from portal.pages.layout.form_widgets import error_list
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.retention.forms import (
    KIND_WORDS,
    CorrectionForm,
    EraseForm,
    NoteForm,
    OwnRequestForm,
    RefuseForm,
    show_fault,
)
from portal.pages.retention.words import request_state
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission

MOST_OWN = 100  # requests of one person on their page


def add_request_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of retention."""
    at = "/retention/requests"
    bp.add_url_rule("/retention/own", view_func=show_own_requests)
    bp.add_url_rule("/retention/own", view_func=send_own_request, methods=["POST"])
    bp.add_url_rule(at, view_func=list_requests)
    bp.add_url_rule(at, view_func=note_request, methods=["POST"])
    bp.add_url_rule(f"{at}/<uuid:uuid>", view_func=show_request)
    bp.add_url_rule(f"{at}/<uuid:uuid>/correction", view_func=correct_data, methods=["POST"])
    bp.add_url_rule(f"{at}/<uuid:uuid>/erasure", view_func=erase_data, methods=["POST"])
    bp.add_url_rule(f"{at}/<uuid:uuid>/refusal", view_func=refuse_request, methods=["POST"])


@requires(Permission.ACCOUNT_OWN)
def show_own_requests() -> ResponseReturnValue:
    """One's own requests with their answers, and a form to ask."""
    return _render_own(OwnRequestForm())


@requires(Permission.ACCOUNT_OWN)
def send_own_request() -> ResponseReturnValue:
    """Ask to correct or erase one's own data."""
    form, me = OwnRequestForm(), current_user.person_id
    if not form.validate():
        return _render_own(form), 400
    now = clock.now()
    with transaction():
        data_requests.note_request(form.kind.data, me, clock.london_day(now), form.reason.data, by=me, at=now)
    flash("Your request is sent", "success")
    return redirect(url_for(".show_own_requests"), 303)


def _render_own(form: OwnRequestForm) -> str:
    rows = data_requests.list_requests(0, MOST_OWN, of=current_user.person_id)
    return render_template(
        "retention/own.html", rows=rows, form=form, kind_words=KIND_WORDS, state=request_state
    )


@requires(Permission.RETENTION_MANAGE)
def list_requests() -> ResponseReturnValue:
    """Requests about data, those due first, and a form to note one."""
    return _render_list(NoteForm())


@requires(Permission.RETENTION_MANAGE)
def note_request() -> ResponseReturnValue:
    """Note a request that came by letter, mail or word."""
    form = NoteForm()
    if not form.validate():
        return _render_list(form, 400)
    try:
        person_id = find_seen_person(current_user.viewer, form.staff_number.data)
        with transaction():
            uuid = data_requests.note_request(
                form.kind.data,
                person_id,
                form.received.day or clock.today(),
                form.reason.data,
                by=current_user.person_id,
                at=clock.now(),
            )
    except (NotFoundError, RuleError) as error:
        field = form.staff_number if isinstance(error, NotFoundError) else form.received
        field.errors = (str(error),)
        return _render_list(form, 400)
    flash("The request is noted", "success")
    return redirect(url_for(".show_request", uuid=uuid), 303)


def _render_list(form: NoteForm, status: int = 0) -> tuple[str, int]:
    arguments = QueryArguments(request.args, request.path)
    is_open = arguments.choice("state", ("open",)) == "open"
    page = arguments.page(data_requests.count_requests(is_open=is_open))
    html = render_template(
        "retention/requests.html",
        page=page,
        rows=data_requests.list_requests(page.offset, page.size, is_open=is_open),
        is_open=is_open,
        errors=arguments.errors() + error_list(form),
        form=form,
        kind_words=KIND_WORDS,
        state=request_state,
        today=clock.today(),
    )
    return html, status or arguments.status


@requires(Permission.RETENTION_MANAGE)
def show_request(uuid: UUID) -> ResponseReturnValue:
    """One request: what is asked, by when, and how to answer it."""
    return _render_request(uuid)


@requires(Permission.RETENTION_MANAGE, recent=True)
def correct_data(uuid: UUID) -> ResponseReturnValue:
    """Correct names, number or address, or say where it was corrected; answer as done."""
    form = CorrectionForm()
    if form.validate():
        try:
            with transaction():
                data_requests.answer_correction(
                    uuid, form.new_names, form.answer.data, by=current_user.person_id, at=clock.now()
                )
        except RuleError as error:
            show_fault(form, error)
        else:
            flash("The request is answered as done", "success")
            return redirect(url_for(".show_request", uuid=uuid), 303)
    return _render_request(uuid, correction=form), 400


@requires(Permission.RETENTION_MANAGE, recent=True)
def erase_data(uuid: UUID) -> ResponseReturnValue:
    """Erase what the person typed, and their recall answers; answer as done."""
    form = EraseForm()
    if form.validate():
        try:
            with transaction():
                data_requests.erase_data(uuid, form.answer.data, by=current_user.person_id, at=clock.now())
        except RuleError as error:
            show_fault(form, error)
        else:
            flash("The data is erased, and the request answered as done", "success")
            return redirect(url_for(".show_request", uuid=uuid), 303)
    return _render_request(uuid, erasure=form), 400


@requires(Permission.RETENTION_MANAGE)
def refuse_request(uuid: UUID) -> ResponseReturnValue:
    """Refuse a request, with a reason that the person reads."""
    form = RefuseForm()
    if not form.validate():
        return _render_request(uuid, refusal=form), 400
    with transaction():
        data_requests.refuse_request(uuid, form.refusal.data, by=current_user.person_id, at=clock.now())
    flash("The request is refused", "success")
    return redirect(url_for(".show_request", uuid=uuid), 303)


def _render_request(
    uuid: UUID,
    correction: CorrectionForm | None = None,
    erasure: EraseForm | None = None,
    refusal: RefuseForm | None = None,
) -> str:
    row = data_requests.get_request(uuid)
    log_disclosure(row.person_id, "data_request")
    is_erasure = row.kind == ERASURE
    return render_template(
        "retention/request.html",
        row=row,
        kind=KIND_WORDS[row.kind],
        state=request_state(row),
        is_erasure=is_erasure,
        correction=correction or CorrectionForm.of_person(data_requests.current_names(row.person_id)),
        erasure=erasure or EraseForm(formdata=None),
        refusal=refusal or RefuseForm(formdata=None),
        form=correction or erasure or refusal or RefuseForm(formdata=None),
        texts=count_written_texts(row.person_id).texts if is_erasure else 0,
        held=is_erasure and holds.is_person_held(row.person_id, data_requests.ERASED_CLASSES),
        today=clock.today(),
    )
