"""Exemptions and deferrals for several people of a report: ask with one reason, preview, decide once."""

from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.decisions import joint_services, queries, services
from portal.domain.decisions.change_requests import ChangeRequest, list_faults
from portal.domain.decisions.choices import RequestChoice
from portal.domain.decisions.joint_requests import (
    MOST,
    RequestPerson,
    decision_notes,
    plan_joint_request,
    preview_joint_effects,
    select_candidates,
)
from portal.domain.decisions.queries import RequestRow
from portal.domain.reports import answers
from portal.domain.reports.parameters import NAMES, parse_filters, parse_order
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.pages.decisions import presenters
from portal.pages.decisions.forms import WithdrawRequestForm
from portal.pages.decisions.joint_forms import JOINT_FORMS, JointDecideForm
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import parse_position_now
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date
from portal.platform.wording import number, plural

TICK = "tick"  # in the address: "all" ticks everybody at first


class _AskPage(NamedTuple):
    """The form of a request for several people, and the report that they come from."""

    report: CompletionReport
    people: list[RequestPerson]
    form: Any
    not_offered: int  # people of the report about whom the viewer may not ask

    @property
    def back(self) -> str:
        """The address of the report's list."""
        return f"{self.report_path}{self.query('?')}#people"

    @property
    def report_path(self) -> str:
        """The address of the report without filters."""
        return f"/monitoring/directives/{self.report.directive.reference}"

    def query(self, sign: str, **more: str) -> str:
        """The filters as the query of an address; empty if there are none."""
        pairs = {**self.report.filters.address, **more}
        return f"{sign}{urlencode(pairs)}" if pairs else ""

    @property
    def chosen_people(self) -> list[RequestPerson]:
        """The people who are ticked."""
        ticked = set(self.form.people.chosen_values)
        return [person for person in self.people if person.staff_number in ticked]


def add_joint_pages(bp: Blueprint) -> None:
    """Add the pages of requests for several people."""
    kinds = f"<any({', '.join(JOINT_FORMS)}):kind>"
    path = f"/decisions/directives/<reference>/{kinds}"
    bp.add_url_rule(path, "ask_for_several", ask_for_several, methods=["GET", "POST"])
    joint = "/decisions/joint/<uuid:joint_uuid>"
    bp.add_url_rule(joint, "joint_request", show_joint_request, methods=["GET"])
    bp.add_url_rule(f"{joint}/decision", "decide_joint_request", decide_joint_request, methods=["POST"])
    bp.add_url_rule(f"{joint}/withdrawal", "withdraw_joint_request", withdraw_joint_request, methods=["POST"])


@requires(Permission.DECISION_ASK)
def ask_for_several(reference: str, kind: str) -> ResponseReturnValue:
    """Ask for an exemption or deferral of people whom the report with these filters lists."""
    page = _read_ask_page(reference, kind)
    form = page.form
    if not form.is_submitted() or "edit" in request.form:
        return _render_ask_page(page)
    if not form.validate():
        return _render_ask_page(page), 400
    change = services.complete_request(form.change_request(0))
    if faults := list_faults(change, clock.today()):
        form.show_faults(faults)
        return _render_ask_page(page), 400
    if not form.send.data:
        return _render_preview(page, change)
    try:
        with transaction():
            joint_uuid, count = joint_services.submit_joint_request(
                change,
                [person.person_id for person in page.chosen_people],
                form.comment.data,
                by=current_user.person_id,
                at=clock.now(),
            )
    except ConflictError as error:
        form.form_errors.append(str(error))
        return _render_ask_page(page), 409
    flash(f"The request for {_people(count)} is sent" if count else "The request was sent already", "success")
    return redirect(url_for(".joint_request", joint_uuid=joint_uuid), 303)


def _people(count: int) -> str:
    return plural(count, "person", "people")


def _read_ask_page(reference: str, kind: str) -> _AskPage:
    arguments = QueryArguments(request.args)
    arguments.only((*NAMES, TICK), several=("rank",))
    ticked = arguments.choice(TICK, ("all",))
    arguments.raise_faults()
    filters = parse_filters(request.args)
    report = completion_report(current_user.viewer, reference, parse_position_now("", ""), filters)
    listed = report.shown.assigned
    if listed > MOST:
        raise RuleError(
            f"You can ask for at most {number(MOST)} people at once, and this report lists {number(listed)}. "
            "Filter the report first, by unit for example."
        )
    lines = [line for line in report.list_people(parse_order(""), 0, MOST) if not line.holder.erased]
    hints = {
        line.holder.person_id: f"{line.status.label}, due on {say_date(line.due_on)} · {line.holder.unit}"
        for line in lines
    }
    people = select_candidates(
        current_user.viewer,
        [RequestPerson(x.holder.person_id, x.holder.staff_number, x.holder.name) for x in lines],
    )
    directive = report.directive
    choice = RequestChoice(reference, f"{reference}: {directive.title}", "", {"directive_id": directive.id})
    form = JOINT_FORMS[kind](
        choice, [(p, hints[p.person_id]) for p in people], all_ticked=bool(ticked) or len(people) == 1
    )
    return _AskPage(report, people, form, listed - len(people))


def _render_ask_page(page: _AskPage) -> str:
    filters = page.report.filters
    return render_template(
        "decisions/ask_for_several.html",
        form=page.form,
        page=page,
        reference=page.report.directive.reference,
        lead=presenters.ASK[page.form.kind].lead,
        of_whom=", ".join(filter(None, (answers.group_words(filters), answers.list_words(filters)))),
    )


def _render_preview(page: _AskPage, change: ChangeRequest) -> str:
    viewer, today = current_user.viewer, clock.today()
    plan = plan_joint_request(change, page.chosen_people)
    return render_template(
        "decisions/joint_preview.html",
        form=page.form,
        page=page,
        reference=page.report.directive.reference,
        rows=presenters.joint_summary(change, page.form.comment.data or ""),
        plan=plan,
        effects=preview_joint_effects(change, plan.people, viewer, now=clock.now(), today=today),
        today=today,
    )


@requires(Permission.DECISION_ASK)
def show_joint_request(joint_uuid: UUID) -> ResponseReturnValue:
    """A request for several people: what it would change for each, and the decisions."""
    rows = queries.list_joint_requests(current_user.viewer, joint_uuid)
    decidable = joint_services.list_decidable(current_user.viewer, joint_uuid)
    return _render_joint_request(joint_uuid, rows, JointDecideForm(decidable) if decidable else None)


@requires(Permission.DECISION_MAKE)
def decide_joint_request(joint_uuid: UUID) -> ResponseReturnValue:
    """Preview other dates, grant it to those who are ticked, or refuse it to all."""
    viewer = current_user.viewer
    rows = queries.list_joint_requests(viewer, joint_uuid)
    form = JointDecideForm(joint_services.get_decidable(viewer, joint_uuid))
    is_valid = form.validate()
    change = services.complete_request(form.decided_change)
    if not form.refuse.data and (faults := list_faults(change, clock.today())):
        form.show_faults(faults)
        is_valid = False
    if form.refuse.data and not form.comment.data:
        form.comment.errors = ("Enter why you refuse",)
        is_valid = False
    if not is_valid:
        return _render_joint_request(joint_uuid, rows, form), 400
    if not (form.grant.data or form.refuse.data) or not form.is_complete:
        return _render_joint_request(joint_uuid, rows, form), 400 if form.reason_errors else 200
    with transaction():
        outcome = joint_services.decide_joint_request(
            viewer,
            joint_uuid,
            form.decided_dates(),
            form.refusals(),
            form.comment.data or "",
            at=clock.now(),
        )
    flash(presenters.joint_outcome(outcome), "success")
    return redirect(url_for(".joint_request", joint_uuid=joint_uuid), 303)


@requires(Permission.DECISION_ASK)
def withdraw_joint_request(joint_uuid: UUID) -> ResponseReturnValue:
    """Withdraw one's own request for all people who still wait."""
    with transaction():
        count = joint_services.withdraw_joint_request(current_user.viewer, joint_uuid)
    flash(f"The request for {_people(count)} is withdrawn", "success")
    return redirect(url_for(".joint_request", joint_uuid=joint_uuid), 303)


def _render_joint_request(joint_uuid: UUID, rows: list[RequestRow], form: JointDecideForm | None) -> str:
    viewer, today = current_user.viewer, clock.today()
    effects = None
    if form is not None and form.granted_rows and not list_faults(form.decided_change, today):
        change = services.complete_request(form.decided_change)
        people = [RequestPerson(row.person_id, row.staff_number, row.name) for row in form.granted_rows]
        effects = preview_joint_effects(change, people, viewer, now=clock.now(), today=today)
    texts, _ = queries.texts_of(rows[0])
    return render_template(
        "decisions/joint_request.html",
        joint_uuid=joint_uuid,
        rows=rows,
        form=form,
        effects={effect.person.person_id: effect for effect in effects.people} if effects else {},
        shares=effects,
        lead=presenters.describe_joint(rows),
        summary=presenters.request_summary(rows[0], texts),
        answers=decision_notes(rows),
        mine=rows[0].asked_by_id == viewer.person_id,
        waits=any(row.outcome is None for row in rows),
        withdraw_form=WithdrawRequestForm(),
        today=today,
    )
