"""Pages of this feature."""

from urllib.parse import urlencode

from flask import (
    Blueprint,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms.fields import SelectChoice

from portal.domain.decisions.queries import count_waiting_requests
from portal.domain.people.access_log import is_access_logged, list_access_log, log_access
from portal.domain.people.queries import live_units, may_see
from portal.domain.reports import extra_attempts, last_visit, sentences
from portal.domain.reports.as_of import Position, PositionError, iso
from portal.domain.reports.filters import SORTS, filters_of, order_of
from portal.domain.reports.overview import overview
from portal.domain.reports.person import search as person_search
from portal.domain.reports.person.person import person_page
from portal.domain.reports.queries import CompletionReport
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.monitoring import change_pages, export_file_views, export_views
from portal.pages.monitoring.change_pages import since_last_look
from portal.pages.monitoring.export_views import position_of, readable_report
from portal.pages.monitoring.forms import OneMoreForm, PositionForm, ReportFilterForm, SearchForm
from portal.pages.monitoring.presenters import ReportPage
from portal.platform import clock
from portal.platform.db import transaction, try_to_write
from portal.platform.errors import RuleError, UnknownValueError
from portal.platform.permissions import Permission

bp = Blueprint("monitoring", __name__, template_folder="templates")


@bp.get("/monitoring")
@requires(Permission.COMPLETION_VIEW)
def index() -> ResponseReturnValue:
    """The state of every directive, and who has been overdue longest; refused values are left out."""
    at, errors = _asked_position()
    if not errors and (moved := _iso_address()):
        return moved
    asked = QueryArguments(request.args, request.path)
    found = _read_overview(at, asked)
    errors += asked.errors()
    answer = render_template(
        "monitoring/overview.html",
        overview=found,
        banner=sentences.banner(at),
        errors=errors,
        position_form=_position_form(at, errors),
        wording=sentences,
        asks=Permission.DECISION_ASK in current_user.permissions,
        waiting=count_waiting_requests(current_user.viewer),
    )
    return answer, 400 if errors else 200


def _read_overview(at: Position, asked: QueryArguments) -> overview.Overview:
    """The overview that the address asks for; without a unit or groups that are refused."""
    viewer, filters = current_user.viewer, filters_of(request.args)
    opened = asked.choice("open", overview.openable_groups(), "directive")
    try:
        return overview.overview(viewer, at, filters, opened)
    except UnknownValueError as error:
        for sentence, name in error.faults:
            asked.refuse(name, sentence)
        return overview.overview(viewer, at, opened=opened)


@bp.get("/monitoring/directives/<reference>")
@requires(Permission.COMPLETION_VIEW)
def directive(reference: str) -> ResponseReturnValue:
    """The report of one directive; what is refused is left aside, with the reason."""
    at, errors = _asked_position()
    if not errors and (moved := _iso_address()):
        return moved
    asked = QueryArguments(request.args, request.path)
    try:
        report = readable_report(reference, at, asked)
    except PositionError as error:
        at, errors = position_of("", ""), [(str(error), f"#{error.field}")]
        report = readable_report(reference, at, asked)
    order, number = order_of(asked.order(SORTS)), asked.page_number()
    page = ReportPage(report, order, request.path, str(number))
    looked = _looked(report)
    form = ReportFilterForm(report)
    form.show_faults(asked.faults)
    errors += asked.errors(form.usable_fields)
    answer = render_template(
        "monitoring/report.html",
        r=page,
        looked=looked,
        page=page.page,
        errors=errors,
        refused=bool(asked.faults),
        position_form=_position_form(at, errors),
        filter_form=form,
    )
    return answer, 400 if errors else 200


@bp.get("/people")
@requires(Permission.PERSON_VIEW)
def search() -> ResponseReturnValue:
    """The people whom the viewer may see, found by name or number."""
    viewer, asked = current_user.viewer, QueryArguments(request.args, request.path)
    text = asked.text("q")
    page = asked.page(person_search.count_people(viewer, text))
    units = live_units(clock.today())
    answer = render_template(
        "monitoring/people.html",
        page=page,
        people=person_search.found_people(viewer, text, units, page.offset, page.size),
        form=SearchForm(data={"q": text}),
        text=text,
        errors=asked.errors(),
    )
    return answer, asked.status


@bp.get("/people/<staff_number>")
@requires(Permission.PERSON_VIEW)
def person(staff_number: str) -> ResponseReturnValue:
    """Where one person stands, and what happened."""
    at, errors = _asked_position()
    if not errors and (moved := _iso_address()):
        return moved
    page, viewer_id = person_page(current_user.viewer, staff_number, at), current_user.person_id
    if not is_access_logged(viewer_id, page.person_id, clock.now()):
        with transaction():
            log_access(viewer_id, page.person_id, "person")
    return (
        render_template(
            "monitoring/person.html",
            p=page,
            looks=list_access_log(page.person_id),
            banner=sentences.banner(at),
            errors=errors,
            position_form=_position_form(at, errors),
            asks=_may(Permission.DECISION_ASK, page.person_id),
            administers=Permission.ACCOUNT_ADMINISTER in current_user.permissions,
            nudges=_may_nudge(page.person_id, at),
            opens_attempts=extra_attempts.opens_to(current_user.viewer, page.person_id),
        ),
        400 if errors else 200,
    )


@bp.route("/people/<staff_number>/attempts", methods=["GET", "POST"])
@requires(Permission.ATTEMPT_OPEN)
def open_attempt(staff_number: str) -> ResponseReturnValue:
    """Open one more attempt to a person whom the viewer sees and who used all that a module allows."""
    whom = extra_attempts.limited(current_user.viewer, staff_number)
    form = OneMoreForm()
    offered = whom.courses if form.is_submitted() else whom.exhausted  # sent twice is answered as once
    form.module.choices = [SelectChoice(value=each.slug, label=each.version.title) for each in offered]
    if not form.validate_on_submit():
        own = whom.person_id == current_user.person_id
        return render_template("monitoring/one_more.html", whom=whom, form=form, is_self=own)
    title = whom.course(form.module.data).short_title
    by, reason = current_user.person_id, form.reason.data
    try:
        with transaction():
            new = extra_attempts.open_one_more(whom, form.module.data, by=by, reason=reason, at=clock.now())
    except RuleError as error:
        flash(str(error), "error")
    else:
        was = "is open" if new else "was opened already today"
        flash(f"One more attempt at {title} {was} for {whom.name}.", "success")
    return redirect(url_for(".person", staff_number=staff_number), 303)


def _looked(report: CompletionReport) -> tuple[str, str] | None:
    """The viewer's last look on an earlier day, which today's then follows."""
    at, directive_id = report.position, report.subject.id
    if at.past:
        return None
    _, kept = last_visit.last_look(current_user.person_id, directive_id, at)
    if not kept:
        me = current_user.person_id
        try_to_write(lambda: last_visit.keep_look(me, directive_id, at), "a look at a report")
    return since_last_look(directive_id, at, report.filters)


def _may(act: Permission, person_id: int) -> bool:
    """Whether the viewer may do this to the person: by a role that carries it and gives sight of them."""
    return act in current_user.permissions and may_see(current_user.viewer, person_id, act)


def _may_nudge(person_id: int, at: Position) -> bool:
    """Whether the page offers to remind the person: today, and nobody reminds themselves."""
    is_self = current_user.viewer.person_id == person_id
    return not at.past and not is_self and _may(Permission.REMINDER_NUDGE, person_id)


def _iso_address() -> ResponseReturnValue | None:
    """The way to the same page with its days in ISO, where the form's words stand in the address."""
    asked = list(request.args.items(multi=True))
    written = iso(asked)
    return None if written == asked else redirect(f"{request.path}?{urlencode(written)}", 303)


def _asked_position() -> tuple[Position, list[tuple[str, str]]]:
    """The position that the address asks for; where it is refused, today's, with the reason."""
    try:
        return position_of(request.args.get("as_at", ""), request.args.get("as_known_on", "")), []
    except PositionError as error:
        return position_of("", ""), [(str(error), f"#{error.field}")]


def _position_form(at: Position, errors: list[tuple[str, str]]) -> PositionForm:
    """What was asked, as it was written where it is refused."""
    asked = request.args if errors else {"as_at": sentences.day(at), "as_known_on": sentences.known_on(at)}
    form = PositionForm(data={name: asked.get(name, "") for name in ("as_at", "as_known_on")})
    for text, target in errors:
        if (name := target.removeprefix("#")) in form:
            form[name].errors = [text]
    return form


export_views.register(bp)
change_pages.register(bp)
export_file_views.register(bp)
