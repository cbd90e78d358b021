"""Pages of requests and decisions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.decisions import queries, requests, services
from portal.domain.decisions.preview import RequestChoice, list_choices, preview_effects
from portal.domain.decisions.queries import RequestFilters, RequestRow, RequestSubject
from portal.domain.decisions.requests import (
    STATE_WORDS,
    ChangeRequest,
    list_faults,
    reason_label,
    until_words,
)
from portal.domain.decisions.services import (
    MOST,
    JointOutcome,
    RequestPerson,
    decision_notes,
    plan_joint_request,
    preview_joint_effects,
    select_candidates,
)
from portal.domain.directives.services import list_exclusions
from portal.domain.reports import sentences
from portal.domain.reports.parameters import NAMES, parse_filters, parse_order
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.pages.decisions.forms import (
    FORMS,
    JOINT_FORMS,
    AskForm,
    DecideForm,
    JointDecideForm,
    RequestFilterForm,
    WithdrawRequestForm,
)
from portal.pages.layout.access import requires
from portal.pages.layout.bearer import log_disclosure
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import parse_position_now
from portal.platform import clock
from portal.platform.db import OPEN_END, transaction
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date
from portal.platform.wording import instant, number, plural

# Texts of the pages of requests.


@dataclass(frozen=True, slots=True)
class AskPage:
    """The texts of a page with the form of a request."""

    heading: str  # with the person's name
    lead: str
    empty_text: str  # if there is nothing to choose from


ASK = {
    "exemption": AskPage(
        "Ask for an exemption for {name}",
        "They do not have to complete it during this time, and they are not counted. "
        "A directive owner for their unit decides.",
        "No directive is in force.",
    ),
    "deferral": AskPage(
        "Ask for a deferral for {name}",
        "They are not counted during this time. After it, they have until a new due date. "
        "A directive owner for their unit decides.",
        "No directive is in force.",
    ),
    "waiver": AskPage(
        "Ask to recognise what {name} learned before",
        "The requirement counts as complete from the date on the evidence. "
        "A directive owner for their unit decides.",
        "No directive applies to them today.",
    ),
    "revocation": AskPage(
        "Ask to correct a pass of {name}",
        "The record stays, and shows that it is not counted. A second person decides.",
        "They have no record that counts.",
    ),
    "lift": AskPage(
        "Ask to end an exemption or deferral of {name}",
        "A directive owner for their unit decides.",
        "No exemption or deferral is recorded.",
    ),
    "restore": AskPage(
        "Ask to count a pass of {name} again",
        "It will count as if it had not been corrected. A second person decides.",
        "They have no record that has stopped counting.",
    ),
}


def request_summary(row: RequestRow, texts: dict[str, str]) -> list[dict[str, Any]]:
    """The request, as rows of a summary list."""
    pairs = [
        ("Reason", row.reason_words[:1].upper() + row.reason_words[1:]),
        *_list_dates(row),
        ("Record", row.reference or ""),
        ("Evidence", texts.get("evidence", "")),
        ("Comment", texts.get("comment", "")),
        ("Asked", f"By {row.asked_by}, at {instant(row.asked_at)}"),
    ]
    return [{"key": key, "value": value} for key, value in pairs if value]


def _list_dates(row: RequestRow) -> list[tuple[str, str]]:
    first = say_date(row.from_on)
    if row.kind == "waiver":
        return [("Date on the evidence", first)]
    if row.kind == "revocation":
        return [("Not counted from", first)]
    if row.kind == "lift":
        recorded = f"From {say_date(row.excluded_from)} {until_words(row.excluded_to)}"
        return [("Recorded", recorded), ("Requested", _last_day_words(row.to_on))]
    if row.kind == "restore":
        return []
    return [("First day", first), ("Last day", _end_words(row.to_on)), ("New due date", say_date(row.due_on))]


def _last_day_words(day: date | None) -> str:
    return "Removed, because it should not have been recorded" if day is None else f"Last day {say_date(day)}"


def _end_words(day: date | None) -> str:
    return "No end date" if day == OPEN_END else say_date(day)


def own_decision_entries(requests: Iterable[tuple[RequestRow, str]]) -> list[dict[str, Any]]:
    """Requests and decisions, as entries of a timeline for the person they are about, without names."""
    entries = []
    for row, role in requests:
        requested = f"Asked for at {instant(row.asked_at)}: {row.reason_words}."
        if row.decided_at is None:
            entries.append(
                {
                    "when": instant(row.asked_at),
                    "fact": f"{row.request_title}: waiting",
                    "recorded": requested,
                }
            )
            continue
        decider = "" if row.outcome == "withdrawn" else f" by {role}"
        fact = f"{row.request_title}: {row.state_words.lower()}{decider}"
        entries.append({"when": instant(row.decided_at), "fact": fact, "recorded": requested})
    return entries


def describe_decision(row: RequestRow) -> str:
    """Who decided the request, how and when; or that it is waiting."""
    if row.outcome is None:
        return "Waiting for a decision."
    sentence = f"{row.state_words} by {row.decided_by} at {instant(row.decided_at)}"
    if row.outcome == "granted" and row.decided_by_id == row.asked_by_id:
        sentence += ", who also asked for it"
    return f"{sentence}.{_changed_dates_words(row)}"


def _changed_dates_words(row: RequestRow) -> str:
    """The dates decided, if they differ from those requested."""
    granted = (row.granted_from, row.granted_to, row.granted_due)
    if row.outcome != "granted" or granted == (row.from_on, row.to_on, row.due_on):
        return ""
    if row.kind == "lift":
        return (
            f" Decided: {_last_day_words(row.granted_to)[:1].lower()}{_last_day_words(row.granted_to)[1:]}."
        )
    parts = [f"from {say_date(row.granted_from)}"]
    if row.granted_to:
        parts.append(until_words(row.granted_to))
    if row.granted_due:
        parts.append(f"due on {say_date(row.granted_due)}")
    return f" Decided: {', '.join(parts)}."


def joint_summary(change: ChangeRequest, comment: str) -> list[dict[str, Any]]:
    """A request for several people that is not made yet, as rows of a summary list."""
    reason = reason_label(change.kind, change.reason)
    pairs = [
        ("Reason", reason[:1].upper() + reason[1:]),
        ("First day", say_date(change.from_on)),
        ("Last day", _end_words(change.to_on)),
        ("New due date", say_date(change.due_on)),
        ("Comment", comment),
    ]
    return [{"key": key, "value": value} for key, value in pairs if value]


def state_counts_words(states: Mapping[str, int]) -> str:
    """How many people's requests are in which state, such as "10 granted, 2 refused".

    >>> state_counts_words({"refused": 2, "granted": 10})
    '10 granted, 2 refused'
    """
    return ", ".join(
        f"{number(states[state])} {words.lower()}"
        for state, words in STATE_WORDS.items()
        if states.get(state)
    )


def joint_list_words(states: Mapping[UUID, Counter[str]]) -> dict[UUID, tuple[str, str]]:
    """By joint request, how many people it is about and how many of them have which answer, for a list."""
    return {
        joint_uuid: (
            plural(counts.total(), "person", "people"),
            STATE_WORDS["waiting"] if set(counts) == {"waiting"} else state_counts_words(counts),
        )
        for joint_uuid, counts in states.items()
    }


def describe_joint(rows: Sequence[RequestRow]) -> str:
    """How many of the people wait or have which answer, and the dates decided if they are others."""
    states = Counter(row.state for row in rows)
    if set(states) == {"waiting"}:
        return "Waiting for a decision."
    decided = dict.fromkeys(_changed_dates_words(row) for row in rows)
    return f"{state_counts_words(states)}.{''.join(decided)}"


def joint_outcome(outcome: JointOutcome) -> str:
    """What a decision about several people did, in sentences."""
    done = state_counts_words({"granted": outcome.granted, "refused": outcome.refused})
    before = f" {number(outcome.decided_before)} had been decided before." if outcome.decided_before else ""
    return f"{done}.{before}"


# Exemptions and deferrals for several people of a report: ask with one reason, preview, decide once.

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
        return _render_joint_page(page)
    if not form.validate():
        return _render_joint_page(page), 400
    change = services.complete_request(form.change_request(0))
    if faults := list_faults(change, clock.today()):
        form.show_faults(faults)
        return _render_joint_page(page), 400
    if not form.send.data:
        return _render_preview(page, change)
    try:
        with transaction():
            joint_uuid, count = services.submit_joint_request(
                change,
                [person.person_id for person in page.chosen_people],
                form.comment.data,
                by=current_user.person_id,
                at=clock.now(),
            )
    except ConflictError as error:
        form.form_errors.append(str(error))
        return _render_joint_page(page), 409
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


def _render_joint_page(page: _AskPage) -> str:
    filters = page.report.filters
    return render_template(
        "decisions/ask_for_several.html",
        form=page.form,
        page=page,
        reference=page.report.directive.reference,
        lead=ASK[page.form.kind].lead,
        of_whom=", ".join(filter(None, (sentences.group_words(filters), sentences.list_words(filters)))),
    )


def _render_preview(page: _AskPage, change: ChangeRequest) -> str:
    viewer, today = current_user.viewer, clock.today()
    plan = plan_joint_request(change, page.chosen_people)
    return render_template(
        "decisions/joint_preview.html",
        form=page.form,
        page=page,
        reference=page.report.directive.reference,
        rows=joint_summary(change, page.form.comment.data or ""),
        plan=plan,
        effects=preview_joint_effects(change, plan.people, viewer, now=clock.now(), today=today),
        today=today,
    )


@requires(Permission.DECISION_ASK)
def show_joint_request(joint_uuid: UUID) -> ResponseReturnValue:
    """A request for several people: what it would change for each, and the decisions."""
    rows = queries.list_joint_requests(current_user.viewer, joint_uuid)
    decidable = services.list_decidable(current_user.viewer, joint_uuid)
    return _render_joint_request(joint_uuid, rows, JointDecideForm(decidable) if decidable else None)


@requires(Permission.DECISION_MAKE)
def decide_joint_request(joint_uuid: UUID) -> ResponseReturnValue:
    """Preview other dates, grant it to those who are ticked, or refuse it to all."""
    viewer = current_user.viewer
    rows = queries.list_joint_requests(viewer, joint_uuid)
    form = JointDecideForm(services.get_decidable(viewer, joint_uuid))
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
        outcome = services.decide_joint_request(
            viewer,
            joint_uuid,
            form.decided_dates(),
            form.refusals(),
            form.comment.data or "",
            at=clock.now(),
        )
    flash(joint_outcome(outcome), "success")
    return redirect(url_for(".joint_request", joint_uuid=joint_uuid), 303)


@requires(Permission.DECISION_ASK)
def withdraw_joint_request(joint_uuid: UUID) -> ResponseReturnValue:
    """Withdraw one's own request for all people who still wait."""
    with transaction():
        count = services.withdraw_joint_request(current_user.viewer, joint_uuid)
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
        lead=describe_joint(rows),
        summary=request_summary(rows[0], texts),
        answers=decision_notes(rows),
        mine=rows[0].asked_by_id == viewer.person_id,
        waits=any(row.outcome is None for row in rows),
        withdraw_form=WithdrawRequestForm(),
        today=today,
    )


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
        "state": arguments.choice("state", requests.STATE_WORDS),
        "kind": arguments.choice("kind", requests.KIND_WORDS),
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
        joint=joint_list_words(queries.count_joint_states(viewer, joint_uuids)),
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
    return render_template("decisions/ask.html", form=form, subject=subject, page=ASK[form.kind])


@bp.get("/records/decisions")
@requires(Permission.RECORD_VIEW)
def list_own_decisions() -> ResponseReturnValue:
    """Requests and decisions about oneself: roles and categories, never a comment."""
    person_id = current_user.person_id
    return render_template(
        "decisions/mine.html",
        exclusions=list_exclusions(person_id),
        entries=own_decision_entries(queries.list_own_decisions(person_id)),
        reason=requests.reason_label,
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
        rows=request_summary(row, texts),
        lead=describe_decision(row),
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
