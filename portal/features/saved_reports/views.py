"""Pages of saved reports: the list, saving, opening, sharing, and mails on a schedule."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms.fields import SelectChoice
from wtforms.validators import ValidationError

from portal.domain.reminders.sending import bank_holidays, line_managers_see, relay_is_set
from portal.domain.reports import sentences
from portal.domain.reports.parameters import EARLIEST, TOO_EARLY, PositionError
from portal.features.saved_reports import queries, services
from portal.features.saved_reports.models import SavedPage, SavedReport
from portal.features.saved_reports.rules import (
    KEPT,
    START,
    WEEKDAYS,
    AsOf,
    DayRule,
    Definition,
    Every,
    KnownRule,
    Recurrence,
    Span,
    find_refusal,
    list_filter_words,
)
from portal.features.saved_reports.settings import read_own_settings
from portal.pages.layout.access import requires
from portal.pages.layout.fields import button, drop_down, one_day, radios, text_line, tick_box
from portal.pages.layout.forms import (
    LONGEST_LINE,
    DayField,
    PortalForm,
)
from portal.pages.layout.report_position import parse_position_now, requested_position
from portal.platform import clock
from portal.platform.clock import today
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission

# Forms with which a person names a report, shares it and has it mailed.

LONGEST_NAME = 80
DAY_CHOICES = [
    SelectChoice(value=str(DayRule.TODAY), label="The day it is opened, or emailed for"),
    SelectChoice(value=str(DayRule.MONTH_END), label="The last day of the month before"),
    SelectChoice(value=str(DayRule.FIXED), label="One fixed day"),
]
KNOWN_CHOICES = [
    SelectChoice(
        value=str(KnownRule.NOW), label="As known now", render_kw={"hint": "With later corrections"}
    ),
    SelectChoice(
        value=str(KnownRule.THEN),
        label="As known at the end of that day",
        render_kw={"hint": "Always the same figures"},
    ),
]
SPAN_CHOICES = [
    SelectChoice(value=str(Span.WEEK), label="Over the week before"),
    SelectChoice(value=str(Span.MONTH), label="Since the last day of the month before"),
]
EVERY_CHOICES = [
    SelectChoice(value=str(Every.WEEK), label="Every week, on the day below"),
    SelectChoice(value=str(Every.MONTH), label="Every month, on its first working day"),
]


class SaveForm(PortalForm):
    """The name of a report, and the rule for its day."""

    name = text_line(
        "Name",
        "Such as “Response, overdue”. Others see it if you share the report.",
        required="Enter a name",
        most=LONGEST_NAME,
    )
    span = radios("Changes", choices=SPAN_CHOICES, default=str(Span.WEEK))
    day_rule = radios("Show the position on", required="Select a day", choices=DAY_CHOICES)
    fixed_on = one_day("Fixed day", "Only for one fixed day. For example, 30 April 2026", optional=True)
    known_rule = radios("What is known", required="Select what is known", choices=KNOWN_CHOICES)
    send = button("Save the report")

    def offer_start(self, words: str) -> None:
        """Offer the fixed position from which the page showed changes, before the other choices."""
        fixed = SelectChoice(value=str(Span.FIXED), label=f"Since {words}")
        self.span.choices = [fixed, *SPAN_CHOICES]

    def validate_fixed_on(self, field: DayField) -> None:
        """Accept a day up to today, where the rule is one fixed day."""
        if self.day_rule.data != DayRule.FIXED:
            return
        day = field.day
        if day is None:
            raise ValidationError("Enter the fixed day")
        if day > today():
            raise ValidationError("Enter today's date or an earlier one")
        if day < EARLIEST:
            raise ValidationError(TOO_EARLY)

    @property
    def as_of(self) -> AsOf:
        """The rule that was chosen."""
        rule = DayRule(self.day_rule.data)
        return AsOf(
            rule, KnownRule(self.known_rule.data), self.fixed_on.day if rule is DayRule.FIXED else None
        )


class ShareForm(PortalForm):
    """A person to share a report with."""

    staff_number = text_line(
        "Staff number",
        "Of somebody you can see, who may see reports. They see what their own role lets them.",
        required="Enter a staff number",
        most=LONGEST_LINE,
        width=10,
        spellcheck=False,
    )
    share = button("Share the report", secondary=True)


class MailScheduleForm(PortalForm):
    """When a report is mailed."""

    every = radios("Send a link", required="Select how often", choices=EVERY_CHOICES)
    weekday = drop_down(
        "Day of the week",
        choices=[SelectChoice(value=str(number), label=name) for number, name in enumerate(WEEKDAYS)],
        default="0",
    )
    attached = tick_box("Attach the rows as CSV")
    schedule = button("Email the report", secondary=True)

    @property
    def recurrence(self) -> Recurrence:
        """The days that were chosen."""
        every = Every(self.every.data)
        return Recurrence(every, int(self.weekday.data) if every is Every.WEEK else 0)


def fixed_day_of(text: str) -> date | None:
    """The day of an address's position; None if it names none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


bp = Blueprint("saved_reports", __name__, template_folder="templates")

OPEN_FIRST = "Open a report first, then save it from there."


@bp.get("/saved-reports")
@requires(Permission.ACCOUNT_OWN)
def list_reports() -> ResponseReturnValue:
    """One's own saved reports, those that others share, and when each is mailed; also without a role."""
    own = queries.list_own(current_user.person_id)
    shared = queries.list_shared(current_user.person_id)
    rows = [*own, *shared]
    words = list_filter_words([row.definition for row in rows], current_user.viewer, clock.now())
    return render_template(
        "saved_reports/list.html",
        own=own,
        shared=shared,
        filter_words={row.report.id: each for row, each in zip(rows, words, strict=True)},
        today=clock.today(),
        holidays=bank_holidays(),
        may_open=Permission.COMPLETION_VIEW in current_user.permissions,
    )


@bp.route("/saved-reports/new", methods=["GET", "POST"])
@requires(Permission.COMPLETION_VIEW)
def save_report() -> ResponseReturnValue:
    """Name the report of the address, with its filters, and save it."""
    definition = _requested_definition()
    as_of = definition.as_of
    form = SaveForm(
        day_rule=str(as_of.day_rule),
        known_rule=str(as_of.known_rule),
        fixed_on=_day_text(as_of.fixed_on),
        span=str(definition.span),
    )
    if definition.start_words:
        form.offer_start(definition.start_words)
    if form.validate_on_submit():
        definition = _choose_times(definition, form)
        try:
            with transaction():
                report = services.save_report(
                    form.name.data, definition, by=current_user.viewer, at=clock.now()
                )
                reference = report.reference
        except RuleError as error:
            form.name.errors = [str(error)]
        else:
            flash("The report is saved. You find it under Monitoring.", "success")
            return redirect(url_for("saved_reports.manage_report", reference=reference), 303)
    html = render_template(
        "saved_reports/new.html",
        form=form,
        definition=definition,
        filter_words=_filter_words(definition),
        lost_words=_find_lost_knowledge(),
    )
    return html, 400 if form.errors else 200


def _choose_times(definition: Definition, form: SaveForm) -> Definition:
    """The report with the rules that were chosen; with another span its fixed start is not kept."""
    span, arguments = Span(form.span.data), dict(definition.arguments)
    if span is not Span.FIXED:
        arguments = {name: value for name, value in arguments.items() if name not in START}
    return Definition(definition.kind, definition.directive, arguments, form.as_of, span)


def _requested_definition() -> Definition:
    """The report that the address names, with its filters and the rule that its position suggests."""
    kinds = [kind for kind in SavedPage if kind == request.args.get("of", "directive")]
    directive = request.args.get("directive", "")
    if not kinds or bool(directive) == (kinds[0] is SavedPage.OVERVIEW):
        raise NotFoundError(OPEN_FIRST)
    arguments = {name: value for name in KEPT[kinds[0]] if (value := request.args.get(name, "").strip())}
    day, known = (fixed_day_of(request.args.get(name, "")[:10]) for name in ("as_at", "as_known_on"))
    as_of = AsOf(
        DayRule.FIXED if day else DayRule.TODAY,
        KnownRule.THEN if day and known == day else KnownRule.NOW,
        day,
    )
    start = _requested_start() if kinds[0] is SavedPage.CHANGES else {}
    span = Span.FIXED if start else Span.WEEK
    definition = Definition(kinds[0], directive, {**arguments, **start}, as_of, span)
    if find_refusal(definition, current_user.viewer, clock.now()):
        raise NotFoundError(OPEN_FIRST)
    return definition


def _requested_start() -> dict[str, str]:
    """The fixed position from which the page shows changes; empty where the address names none."""
    day, known = (request.args.get(name, "").strip() for name in START)
    if not day:
        return {}
    try:
        position = parse_position_now(day, known)
    except PositionError:
        raise NotFoundError(OPEN_FIRST) from None
    start = {"from_as_at": position.as_at.isoformat()}
    if known:
        known_day = clock.read_day(known)
        instant = clock.format_utc(position.as_known_on)
        start["from_as_known_on"] = known_day.isoformat() if known_day else instant
    return start


def _find_lost_knowledge() -> str:
    """Until when the page knows, where a saved report cannot keep it; empty where nothing is lost."""
    try:
        position = requested_position()
    except PositionError:
        return ""
    if position.latest or position.as_known_on == clock.end_of_day(position.as_at):
        return ""
    return sentences.known_on_field(position)


def _filter_words(definition: Definition) -> list[str]:
    return list_filter_words([definition], current_user.viewer, clock.now())[0]


def _day_text(day: date | None) -> str:
    return "" if day is None else f"{day.day} {day:%B %Y}"


@bp.get("/saved-reports/<uuid:reference>")
@requires(Permission.COMPLETION_VIEW)
def open_report(reference: UUID) -> ResponseReturnValue:
    """Lead to the report, for today or for the day that a mail names; its page decides what is seen."""
    report, _ = queries.get_readable(reference, current_user.person_id)
    today = clock.today()
    day = fixed_day_of(request.args.get("day", "")) or today
    return redirect(Definition.of(report).path_for(min(day, today), today), 303)


@bp.get("/saved-reports/<uuid:reference>/manage")
@requires(Permission.COMPLETION_VIEW)
def manage_report(reference: UUID) -> ResponseReturnValue:
    """With whom a report of one's own is shared, and when it is mailed."""
    return _render_report(queries.get_own(reference, current_user.person_id))


def _render_report(
    report: SavedReport, share_form: ShareForm | None = None, schedule_form: MailScheduleForm | None = None
) -> ResponseReturnValue:
    schedule = queries.schedule_of(report.id)
    share_form, schedule_form = share_form or ShareForm(), schedule_form or MailScheduleForm(obj=schedule)
    is_bad = bool(share_form.errors or schedule_form.errors)
    html = render_template(
        "saved_reports/manage.html",
        report=report,
        definition=Definition.of(report),
        filter_words=_filter_words(Definition.of(report)),
        shares=queries.list_shares(report, current_user.viewer),
        mail_words=queries.schedule_words(schedule, clock.today(), bank_holidays()),
        is_mailed=schedule is not None and schedule.ended_at is None,
        share_form=share_form,
        schedule_form=schedule_form,
        may_attach=read_own_settings().mails_files and report.kind == SavedPage.DIRECTIVE,
        mail_works=relay_is_set(),
    )
    return html, 400 if is_bad else 200


@bp.post("/saved-reports/<uuid:reference>/shares")
@requires(Permission.COMPLETION_VIEW)
def share_report(reference: UUID) -> ResponseReturnValue:
    """Share a report with somebody who may open it."""
    report, form = queries.get_own(reference, current_user.person_id), ShareForm()
    if not form.validate_on_submit():
        return _render_report(report, share_form=form)
    number = form.staff_number.data
    try:
        with transaction():
            report = queries.get_own(reference, current_user.person_id)
            services.share_report(
                report,
                number,
                by=current_user.viewer,
                at=clock.now(),
                line_managers=line_managers_see(),
            )
    except RuleError as error:
        form.staff_number.errors = [str(error)]
        return _render_report(queries.get_own(reference, current_user.person_id), share_form=form)
    flash(f"The report is shared with {number}.", "success")
    return _to_report(reference)


@bp.post("/saved-reports/<uuid:reference>/shares/<staff_number>/end")
@requires(Permission.ACCOUNT_OWN)
def end_share(reference: UUID, staff_number: str) -> ResponseReturnValue:
    """Share a report with somebody no longer."""
    with transaction():
        services.end_share(queries.get_own(reference, current_user.person_id), staff_number)
    flash(f"The report is no longer shared with {staff_number}.", "success")
    return _to_report(reference)


@bp.post("/saved-reports/<uuid:reference>/schedule")
@requires(Permission.COMPLETION_VIEW)
def schedule_report(reference: UUID) -> ResponseReturnValue:
    """Mail a report on a schedule, which replaces the one before."""
    report, form = queries.get_own(reference, current_user.person_id), MailScheduleForm()
    if not form.validate_on_submit():
        return _render_report(report, schedule_form=form)
    with transaction():
        report = queries.get_own(reference, current_user.person_id)
        attached = bool(form.attached.data) and read_own_settings().mails_files
        services.set_schedule(report, form.recurrence, attached=attached, at=clock.now())
    flash("The emails are scheduled.", "success")
    return _to_report(reference)


@bp.post("/saved-reports/<uuid:reference>/schedule/stop")
@requires(Permission.ACCOUNT_OWN)
def stop_schedule(reference: UUID) -> ResponseReturnValue:
    """Mail a report of one's own no longer."""
    with transaction():
        report = queries.get_own(reference, current_user.person_id)
        services.stop_schedule(report, by=current_user.person_id, at=clock.now())
    flash("The emails are stopped, for you and for everybody it is shared with.", "success")
    return redirect(url_for("saved_reports.list_reports"), 303)


@bp.post("/saved-reports/<uuid:reference>/delete")
@requires(Permission.ACCOUNT_OWN)
def delete_report(reference: UUID) -> ResponseReturnValue:
    """Delete a saved report of one's own."""
    with transaction():
        report = queries.get_own(reference, current_user.person_id)
        name = report.name
        services.delete_report(report)
    flash(f"The saved report {name} is deleted.", "success")
    return redirect(url_for("saved_reports.list_reports"), 303)


@bp.get("/saved-reports/<uuid:reference>/emails")
@requires(Permission.ACCOUNT_OWN)
def show_emails(reference: UUID) -> ResponseReturnValue:
    """Offer to stop the mails of a report, to its owner or to a reader: where the link of each mail leads."""
    report, share = queries.get_readable(reference, current_user.person_id)
    schedule = queries.schedule_of(report.id)
    return render_template(
        "saved_reports/emails.html",
        report=report,
        share=share,
        is_mailed=schedule is not None and schedule.ended_at is None,
        mail_words=queries.schedule_words(schedule, clock.today(), bank_holidays()),
    )


@bp.post("/saved-reports/<uuid:reference>/emails/<any(on, off):choice>")
@requires(Permission.ACCOUNT_OWN)
def choose_emails(reference: UUID, choice: str) -> ResponseReturnValue:
    """Turn the mails of a shared report off for oneself, or on again."""
    with transaction():
        report, share = queries.get_readable(reference, current_user.person_id)
        if share is None:
            raise NotFoundError(queries.NOT_THERE)
        name = report.name
        services.choose_mail(report, share, mailed=choice == "on")
    end = "You get the emails of" if choice == "on" else "You get no more emails of"
    flash(f"{end} {name}.", "success")
    return redirect(url_for("saved_reports.list_reports"), 303)


def _to_report(reference: UUID) -> ResponseReturnValue:
    return redirect(url_for("saved_reports.manage_report", reference=reference), 303)


# What the pages of monitoring show of saved reports.


def show_on_overview(arguments: Mapping[str, str]) -> str:
    """The person's saved reports, and the link that saves the overview with these arguments."""
    names = queries.list_names(current_user.person_id)
    return render_template("saved_reports/on_overview.html", saved_reports=names, arguments=arguments)


def show_on_report(reference: str, arguments: Mapping[str, str]) -> str:
    """The link that saves a directive's report with these arguments."""
    return render_template("saved_reports/on_report.html", reference=reference, arguments=arguments)


def show_on_changes(reference: str, arguments: Mapping[str, str]) -> str:
    """The link that saves the changes of a directive's report with these arguments."""
    return render_template("saved_reports/on_changes.html", reference=reference, arguments=arguments)
