"""The search for people, and the page of one person."""

from io import BytesIO

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms.fields import SelectChoice

from portal.domain.people.names import suggest_search
from portal.domain.people.queries import live_units
from portal.domain.people.services import list_access_log
from portal.domain.people.visibility import may_see
from portal.domain.reminders.queries import list_last_nudges
from portal.domain.reports import help, sentences
from portal.domain.reports.help import list_help_needed as list_help_needed_rows
from portal.domain.reports.parameters import Position, PositionError
from portal.domain.reports.person import count_people, person_page, search_people
from portal.domain.subject_access.person_file import MOST_ENTRIES, Form, make_copy
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.bearer import log_disclosure
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import (
    position_form,
    redirect_to_iso_days,
    refuse_position,
    requested_position,
)
from portal.pages.people import account_views, invitation_views, session_views
from portal.pages.people.account_views import find_administered_person
from portal.pages.people.forms import ExtraAttemptForm, SearchForm
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission

# The copy of everything held about a person, for the answer to their subject access request.

FORMS: dict[str, tuple[Form, str]] = {"pdf": ("pdf", "application/pdf"), "json": ("json", "application/json")}


def add_subject_access_pages(bp: Blueprint) -> None:
    """Add the page ``/people/<staff number>/subject-access``."""
    bp.add_url_rule(
        "/people/<staff_number>/subject-access",
        "subject_access",
        subject_access,
        methods=["GET", "POST"],
    )


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
@limiter.limit("20/minute", methods=["POST"])
def subject_access(staff_number: str) -> ResponseReturnValue:
    """Say what the copy holds and what to do before it is handed over; send it when asked."""
    person = find_administered_person(staff_number)
    refusal = "Choose the PDF or the JSON file." if request.method == "POST" else ""
    if request.method == "POST" and request.form.get("format") in FORMS:
        form, kind = FORMS[request.form["format"]]
        try:
            with transaction():
                _, content = make_copy(
                    person.person_id, form, by=current_user.person_id, at=clock.now(), most=MOST_ENTRIES
                )
        except RuleError as error:
            refusal = str(error)
        else:
            name = f"personal-data-{person.staff_number}.{form}"
            return send_file(BytesIO(content), kind, as_attachment=True, download_name=name)
    log_disclosure(person.person_id, "account")
    page = render_template("people/subject_access.html", person=person, refusal=refusal)
    return page, 422 if refusal else 200


bp = Blueprint("people", __name__, template_folder="templates")
account_views.add_account_pages(bp)
invitation_views.add_invitation_pages(bp)
account_views.add_account_list_pages(bp)
session_views.add_session_pages(bp)
add_subject_access_pages(bp)


@bp.get("/people")
@requires(Permission.PERSON_VIEW)
def list_people() -> ResponseReturnValue:
    """The people whom the viewer may see, found by name or number."""
    viewer, arguments = current_user.viewer, QueryArguments(request.args, request.path)
    text = arguments.text("q")
    page = arguments.page(count_people(viewer, text))
    units = live_units(clock.today())
    response = render_template(
        "people/search.html",
        page=page,
        people=search_people(viewer, text, units, page.offset, page.size),
        form=SearchForm(data={"q": text}),
        text=text,
        suggestion=suggest_search(viewer, text) if text and not page.total else "",
        errors=arguments.errors(),
    )
    return response, arguments.status


@bp.get("/people/<staff_number>")
@requires(Permission.PERSON_VIEW)
def show_person(staff_number: str) -> ResponseReturnValue:
    """The status of one person under each directive, and what happened."""
    try:
        position = requested_position()
    except PositionError as error:
        return refuse_position(error, {"text": "People", "href": url_for(".list_people")})
    if iso_redirect := redirect_to_iso_days():
        return iso_redirect
    page = person_page(current_user.viewer, staff_number, position)
    log_disclosure(page.person_id, "person")
    return render_template(
        "people/person.html",
        p=page,
        access_log=list_access_log(page.person_id),
        banner=sentences.banner_sentence(position),
        position_form=position_form(position),
        may_request=_may(Permission.DECISION_ASK, page.person_id),
        may_administer=_may(Permission.ACCOUNT_ADMINISTER, page.person_id),
        may_audit=_may(Permission.AUDIT_VIEW, page.person_id),
        may_remind=(may_remind := _may_remind(page.person_id, position)),
        last_nudges=list_last_nudges(page.person_id, clock.now()) if may_remind else {},
        may_open_attempts=help.may_open_attempts(current_user.viewer, page.person_id),
    )


@bp.get("/people/help-needed")
@requires(Permission.ATTEMPT_OPEN)
def list_help_needed() -> ResponseReturnValue:
    """The people who cannot take an assessment until it is opened for them, or a pause ends."""
    rows = list_help_needed_rows(current_user.viewer, clock.now())
    return render_template("people/help_needed.html", rows=rows)


@bp.route("/people/<staff_number>/attempts", methods=["GET", "POST"])
@requires(Permission.ATTEMPT_OPEN)
def open_attempt(staff_number: str) -> ResponseReturnValue:
    """Open one more attempt for a person who has used every attempt of a module, or is in a pause."""
    learner = help.get_limited_learner(current_user.viewer, staff_number)
    log_disclosure(learner.person_id, "attempts")
    form = ExtraAttemptForm()
    modules = (
        learner.modules if form.is_submitted() else learner.held_modules(clock.now())
    )  # sent twice is answered as once
    form.module.choices = [SelectChoice(value=module.slug, label=module.version.title) for module in modules]
    if not form.validate_on_submit():
        is_self = learner.person_id == current_user.person_id
        return render_template("people/open_attempt.html", learner=learner, form=form, is_self=is_self)
    title = learner.get_module(form.module.data).short_title
    by, reason = current_user.person_id, form.reason.data
    try:
        with transaction():
            is_new = help.open_extra_attempt(learner, form.module.data, by=by, reason=reason, at=clock.now())
    except RuleError as error:
        flash(str(error), "error")
    else:
        outcome = "is open" if is_new else "was opened already today"
        flash(f"One more attempt at {title} {outcome} for {learner.name}.", "success")
    return redirect(url_for(".show_person", staff_number=staff_number), 303)


def _may(act: Permission, person_id: int) -> bool:
    """Whether the viewer has the permission, by a role that also lets them see the person."""
    return act in current_user.permissions and may_see(current_user.viewer, person_id, act)


def _may_remind(person_id: int, position: Position) -> bool:
    """Whether the page offers to remind the person: for today alone, and nobody reminds themselves."""
    is_self = current_user.viewer.person_id == person_id
    return not position.past and not is_self and _may(Permission.REMINDER_NUDGE, person_id)
