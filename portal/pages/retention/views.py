"""Pages of retention: the classes with their periods, and what is due of one."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config, current_settings
from portal.domain.accounts import retention as sign_in_rows
from portal.domain.assessment.services import count_written_texts
from portal.domain.imports.queries import FILE_RETENTION
from portal.domain.imports.staged import KEPT_FOR
from portal.domain.people.queries import find_seen_person, live_units
from portal.domain.reports.export_files import KEEP_FOR
from portal.domain.retention import queries, services, stores
from portal.domain.retention.classes import RetentionClass, class_of_key, list_retention_classes, period_words
from portal.domain.retention.queries import DisposalRow, count_due, preview_class
from portal.domain.retention.services import ERASURE, DataRequestRow
from portal.domain.retention.stores import Limit
from portal.feature import find_parts, insert_after, list_features
from portal.pages.layout.access import requires
from portal.pages.layout.bearer import log_disclosure
from portal.pages.layout.forms import ConfirmForm, error_list
from portal.pages.layout.pdf_files import markup_of_page, send_pdf
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.retention.forms import (
    KIND_WORDS,
    CorrectionForm,
    DisposalForm,
    EraseForm,
    HoldForm,
    LiftHoldForm,
    NoteForm,
    OwnRequestForm,
    PeriodForm,
    RefuseForm,
    show_fault,
)
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError, RuleError
from portal.platform.jobs.services import find_unended_job
from portal.platform.permissions import Permission
from portal.platform.wording import date, instant, number, plural

# Pages of legal holds: the list with a form to place one, and lifting one.


def add_hold_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of retention."""
    bp.add_url_rule("/retention/holds", view_func=list_holds)
    bp.add_url_rule("/retention/holds", view_func=place_hold, methods=["POST"])
    bp.add_url_rule("/retention/holds/<uuid:uuid>/lift", view_func=show_lift_hold)
    bp.add_url_rule("/retention/holds/<uuid:uuid>/lift", view_func=lift_hold, methods=["POST"])


@requires(Permission.RETENTION_VIEW)
def list_holds() -> ResponseReturnValue:
    """Every hold, those that stand first, and a form to place one."""
    return _render_holds(_build_form())


@requires(Permission.RETENTION_MANAGE)
def place_hold() -> ResponseReturnValue:
    """Place a hold on a person, a unit or a class."""
    form = _build_form()
    if not form.validate():
        return _render_holds(form), 400
    try:
        subject = _subject_of(form)
    except NotFoundError as error:
        form.staff_number.errors = (str(error),)
        return _render_holds(form), 400
    with transaction():
        stores.place_hold(
            form.scope.data, subject, form.reason.data, by=current_user.person_id, at=clock.now()
        )
    flash("The hold is placed. No disposal and no erasure touches what it covers", "success")
    return redirect(url_for(".list_holds"), 303)


@requires(Permission.RETENTION_MANAGE)
def show_lift_hold(uuid: UUID) -> ResponseReturnValue:
    """Ask for the reason for lifting a hold."""
    return render_template("retention/lift_hold.html", row=_get_standing(uuid), form=LiftHoldForm())


@requires(Permission.RETENTION_MANAGE)
def lift_hold(uuid: UUID) -> ResponseReturnValue:
    """Lift a hold, with a reason."""
    form = LiftHoldForm()
    if not form.validate():
        return render_template("retention/lift_hold.html", row=_get_standing(uuid), form=form), 400
    with transaction():
        stores.lift_hold(uuid, form.reason.data, by=current_user.person_id, at=clock.now())
    flash("The hold is lifted. The next disposal may remove what it covered", "success")
    return redirect(url_for(".list_holds"), 303)


def _get_standing(uuid: UUID) -> stores.HoldRow:
    for row in stores.list_holds(clock.now()):
        if row.uuid == uuid and row.lifted_at is None:
            return row
    raise NotFoundError("There is no such hold, or it was lifted.")


def _build_form() -> HoldForm:
    form = HoldForm()
    units = sorted(live_units(clock.today()).items(), key=lambda pair: pair[1].path)
    form.offer_units([(unit_id, unit.label) for unit_id, unit in units])
    return form


def _subject_of(form: HoldForm) -> int | str:
    """Whom or what the hold is on."""
    if form.scope.data == stores.PERSON:
        return find_seen_person(current_user.viewer, form.staff_number.data)
    return int(form.unit.data) if form.scope.data == stores.UNIT else str(form.kept_class.data)


def _render_holds(form: HoldForm) -> str:
    return render_template(
        "retention/holds.html",
        rows=stores.list_holds(clock.now()),
        form=form,
        manages=Permission.RETENTION_MANAGE in current_user.permissions,
    )


# Words of retention: states, and what the portal removes by itself.

STATE_WORDS = {
    "waiting": "Waits for a second person",
    "running": "Approved, being removed",
    "done": "Done",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
}


def list_automatic_removals(settings: Config) -> list[tuple[str, str]]:
    """What the portal removes without being asked, and when."""
    removals = [removal for feature in list_features() for removal in feature.removals]
    for _, list_removals in find_parts(settings.features_on, "retention.removals"):
        removals += list_removals()
    additions = [(removal.after, (removal.what, removal.when)) for removal in removals]
    return insert_after(_list_core_removals(settings), additions, lambda row: row[0])


def _list_core_removals(settings: Config) -> list[tuple[str, str]]:
    return [
        (
            "Sessions that ended",
            f"{sign_in_rows.SESSION_RETENTION.days} days after they can no longer be used",
        ),
        ("Links to set a password", "When they run out"),
        ("Refused sign-ins, counted to slow guessing", "After 2 hours"),
        (
            "Browsers that a person signed in from",
            f"After {sign_in_rows.BROWSER_RETENTION.days} days without use",
        ),
        (
            "Force accounts that were refused at sign-in",
            f"After {sign_in_rows.REFUSAL_RETENTION.days} days",
        ),
        ("Forms kept after a session ended", "After an hour"),
        (
            "Uploaded files of imports",
            f"When cancelled, or {FILE_RETENTION.days} days after upload or import",
        ),
        ("Rows kept for people who are not on the roster", f"After {KEPT_FOR.days} days"),
        ("Files made for download", f"After {KEEP_FOR.days * 24} hours"),
        ("Background jobs", f"{settings.jobs_kept_days} days after their end"),
        (
            "Recall answers, and what a learner found clear",
            "When their account is closed, unless under a hold",
        ),
    ]


def certificate_rows(row: DisposalRow) -> list[dict[str, str]]:
    """The certificate of a disposal as pairs of a name and a value, on its page and in its document."""
    words = row.words or {}
    pairs = [
        ("Class", words.get("title", row.kept_class.title)),
        ("What went", words.get("goes", "")),
        ("What stays", words.get("stays", "")),
        ("Period", f"{period_words(row.months)} from {words.get('runs_from', '')}"),
        ("Reason for the period", words.get("reason", "")),
        ("Rows from", f"{date(row.oldest_on)} to {date(row.through_on)}"),
        ("Asked by", f"{row.asked_by}, at {instant(row.asked_at)}"),
        ("Reason for the disposal", row.reason),
        ("Approved by", f"{row.decided_by or 'Erased'}, at {instant(row.decided_at)}"),
        ("Began", instant(row.began_at)),
        ("Ended", instant(row.ended_at)),
        ("Due when it was asked for", plural(row.rows, "row")),
        ("Removed", plural(row.disposed_rows or 0, "row")),
        ("Left because of a legal hold", plural(row.held_rows or 0, "row")),
        ("Reference", str(row.uuid)),
    ]
    if ended_early := words.get("ended_early"):
        pairs.insert(-1, ("Ended early", ended_early))
    counts = [(f"Removed: {name}", number(count)) for name, count in sorted((row.counts or {}).items())]
    return [{"key": key, "value": value} for key, value in [*pairs[:-1], *counts, pairs[-1]]]


def request_state(row: DataRequestRow) -> str:
    """Where a request about data is, in words."""
    if row.outcome is None:
        return f"Answer due by {date(row.due_on)}"
    return "Done" if row.outcome == "done" else "Refused"


# Pages of disposals: the list, one with its decision, and its certificate.


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


# Pages of requests to correct or erase data: one's own, the list, and answering one.

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
        services.note_request(form.kind.data, me, clock.london_day(now), form.reason.data, by=me, at=now)
    flash("Your request is sent", "success")
    return redirect(url_for(".show_own_requests"), 303)


def _render_own(form: OwnRequestForm) -> str:
    rows = services.list_requests(0, MOST_OWN, of=current_user.person_id)
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
            uuid = services.note_request(
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
    page = arguments.page(services.count_requests(is_open=is_open))
    html = render_template(
        "retention/requests.html",
        page=page,
        rows=services.list_requests(page.offset, page.size, is_open=is_open),
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
                services.answer_correction(
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
                services.erase_data(uuid, form.answer.data, by=current_user.person_id, at=clock.now())
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
        services.refuse_request(uuid, form.refusal.data, by=current_user.person_id, at=clock.now())
    flash("The request is refused", "success")
    return redirect(url_for(".show_request", uuid=uuid), 303)


def _render_request(
    uuid: UUID,
    correction: CorrectionForm | None = None,
    erasure: EraseForm | None = None,
    refusal: RefuseForm | None = None,
) -> str:
    row = services.get_request(uuid)
    log_disclosure(row.person_id, "data_request")
    is_erasure = row.kind == ERASURE
    return render_template(
        "retention/request.html",
        row=row,
        kind=KIND_WORDS[row.kind],
        state=request_state(row),
        is_erasure=is_erasure,
        correction=correction or CorrectionForm.of_person(services.current_names(row.person_id)),
        erasure=erasure or EraseForm(formdata=None),
        refusal=refusal or RefuseForm(formdata=None),
        form=correction or erasure or refusal or RefuseForm(formdata=None),
        texts=count_written_texts(row.person_id).texts if is_erasure else 0,
        held=is_erasure and stores.is_person_held(row.person_id, services.list_erased_classes()),
        today=clock.today(),
    )


bp = Blueprint("retention", __name__, template_folder="templates")


@bp.get("/retention")
@requires(Permission.RETENTION_VIEW)
def list_classes() -> ResponseReturnValue:
    """Every class of data with its period, what goes by itself, and the ways to all else."""
    manages = Permission.RETENTION_MANAGE in current_user.permissions
    standing = [row for row in stores.list_holds(clock.now()) if row.lifted_at is None]
    return render_template(
        "retention/index.html",
        classes=list_retention_classes(),
        periods=queries.list_periods(),
        period_words=period_words,
        latest=queries.list_latest_certificates(),
        waiting=queries.count_disposals(waiting_for=current_user.person_id) if manages else 0,
        disposals=queries.count_disposals(),
        holds=len(standing),
        held_classes={row.class_key for row in standing if row.class_key},
        open_requests=services.count_requests(is_open=True),
        manages=manages,
        by_itself=list_automatic_removals(current_settings()),
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
        held=stores.is_class_held(row.key),
        ask_form=ask_form,
        alone=not queries.has_other_approver(current_user.person_id, clock.today()),
        form=period_form if period_form.errors else ask_form,
        period_form=period_form,
        manages=Permission.RETENTION_MANAGE in current_user.permissions,
    )


add_disposal_pages(bp)
add_hold_pages(bp)
add_request_pages(bp)
