"""Pages of directives, all on one blueprint."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.directives import files, queries
from portal.domain.directives.changes import (
    AudienceChange,
    AudienceEffect,
    Proposal,
    propose_version,
    propose_version_withdrawal,
    propose_withdrawal,
)
from portal.domain.directives.files import DirectiveFile, to_toml
from portal.domain.directives.queries import (
    DirectiveDetails,
    NamedPerson,
    VersionDetails,
    describe_people_affected,
    join_words,
    list_unknown_names,
    list_visible_people,
)
from portal.domain.directives.services import (
    OUTSIDE_OWN_UNITS,
    directives_within_own_units,
    exceeds_own_units,
    refuse_outside_own_units,
)
from portal.domain.people.queries import unit_paths
from portal.domain.people.visibility import Viewer, visibility_of
from portal.domain.status import recording
from portal.domain.status.queries import NOBODY as NO_PEOPLE
from portal.domain.status.queries import count_reach
from portal.domain.status.recording import VersionChange
from portal.pages.directives.forms import (
    MOST_GROUPS,
    DirectiveChoices,
    DirectiveForm,
    FileForm,
    WithdrawForm,
    form_data_of,
)
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import Page
from portal.platform import clock
from portal.platform.errors import BadInputError, ConflictError, NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date
from portal.platform.wording import percent_exact

# Pages of the list of directives, one directive, and one version, which is also a file.

bp = Blueprint("directives", __name__, url_prefix="/directives", template_folder="templates")


@bp.get("")
@requires(Permission.DIRECTIVE_VIEW)
def list_directives() -> ResponseReturnValue:
    """Every directive: whether it is in force, how many people it applies to, and what changes next."""
    today = clock.today()
    reach = count_reach(current_user.viewer, today)
    rows = [
        (directive, directive.shown_version(today), reach.get(directive.id, NO_PEOPLE))
        for directive in queries.list_directives()
    ]
    return render_template(
        "directives/index.html",
        rows=rows,
        in_force=sum(state_on_day(directive, today) == "in force" for directive, _, _ in rows),
        state=lambda directive: describe_state(directive, today),
        next_change=lambda directive: describe_next_change(directive, today),
        may_issue=may_issue(),
        everyone=visibility_of(current_user.viewer).everyone,
    )


@bp.get("/<reference>")
@requires(Permission.DIRECTIVE_VIEW)
def show_directive(reference: str) -> ResponseReturnValue:
    """One directive as it is today, in words, with every version."""
    directive, today = queries.get_directive(reference), clock.today()
    titles = queries.published_titles()
    shown = directive.shown_version(today)
    return render_template(
        "directives/directive.html",
        directive=directive,
        shown=shown,
        rows=version_rows(directive, shown, titles),
        reach=count_reach(current_user.viewer, today).get(directive.id, NO_PEOPLE),
        state=describe_state(directive, today),
        next_change=describe_next_change(directive, today),
        versions=[(v, version_changes(directive, v, titles)) for v in reversed(directive.versions)],
        withdrawn_versions=queries.list_withdrawn_versions(directive.id),
        today=today,
        may_issue=may_issue(),
        may_withdraw=may_issue()
        and directive.id in directives_within_own_units(current_user.viewer, [directive.id]),
        everyone=visibility_of(current_user.viewer).everyone,
    )


@bp.get("/<reference>/versions/<int:number>")
@requires(Permission.DIRECTIVE_VIEW)
def show_version(reference: str, number: int) -> ResponseReturnValue:
    """One version, in words or, with ``?as=toml``, as its file."""
    directive, titles = queries.get_directive(reference), queries.published_titles()
    version = next((each for each in directive.versions if each.number == number), None)
    if version is None:
        raise NotFoundError(f"{reference} has no version {number}.")
    if request.args.get("as") == "toml":
        return _version_file(version)
    return render_template(
        "directives/version.html",
        directive=directive,
        shown=version,
        rows=version_rows(directive, version, titles),
        changes=version_changes(directive, version, titles),
    )


def _version_file(version: VersionDetails) -> Response:
    response = Response(to_toml(version.file), content_type="application/toml; charset=utf-8")
    name = f"{version.file.reference}-{version.number}.toml"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def may_issue() -> bool:
    """Whether the signed-in person may issue directives."""
    return Permission.DIRECTIVE_ISSUE in current_user.permissions


def version_rows(
    directive: DirectiveDetails, version: VersionDetails, titles: dict[tuple[str, str], str]
) -> list[tuple[str, str]]:
    """A version in words, as pairs of a label and its text; a changed due date with the one before it."""
    was_due = _due_before(directive, version)
    file = version.file
    return [
        ("Who", queries.describe_audience(file)),
        ("To complete", "\n".join(queries.requirement_titles(file, titles))),
        (
            "Due",
            queries.describe_due_date(file)
            + (f"\nBefore this version: {_within_sentence(was_due)}." if was_due else ""),
        ),
        ("Validity", queries.describe_validity(file)),
        ("Notices", queries.describe_notices(file)),
        ("Target", percent_exact(file.target)),
        ("Owner", version.owner or "Nobody"),
        ("Recommendation", file.source),
        ("Exact wording", file.wording),
    ]


def _due_before(directive: DirectiveDetails, version: VersionDetails) -> str:
    """The due date of the version before, as one sentence; empty where it is the same or there is none."""
    previous = directive.version_before(version)
    due = queries.describe_due_date(previous.file) if previous else ""
    return "" if due == queries.describe_due_date(version.file) else due


def version_changes(
    directive: DirectiveDetails, version: VersionDetails, titles: dict[tuple[str, str], str]
) -> list[str]:
    """What a version changed from the one before it, a sentence each."""
    previous = directive.version_before(version)
    return queries.list_changes(previous.file if previous else None, version.file, titles)


def state_on_day(directive: DirectiveDetails, day: date) -> str:
    """Whether the directive is in force or withdrawn on ``day``, or still to come."""
    version = directive.version_on(day)
    if version is None:
        return "to come"
    return "withdrawn" if version.file.withdrawn else "in force"


def describe_state(directive: DirectiveDetails, day: date) -> str:
    """The state of the directive on ``day``, and since when; or from when it will be in force."""
    since = directive.in_this_state_since(day)
    if since is None:
        return f"In force from {say_date(directive.first_day)}"
    return f"{state_on_day(directive, day).capitalize()} since {say_date(since)}"


def describe_next_change(directive: DirectiveDetails, day: date) -> str:
    """What takes effect next after ``day``, with a changed due date; empty if nothing is planned."""
    version = directive.next_version_after(day)
    if version is None:
        return ""
    from_day = f"from {say_date(version.effective_on)}"
    if version.file.withdrawn:
        return f"Withdrawn {from_day}"
    change, was_due = f"Version {version.number} {from_day}", _due_before(directive, version)
    if not was_due:
        return change
    due = queries.describe_due_date(version.file)
    return f"{change}. New due date: {_within_sentence(due)} (until then: {_within_sentence(was_due)})"


def _within_sentence(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


# The people affected by a change to a directive, as paged lists; only people whom the viewer may see.

PAGE_SIZE = 25
OPEN_YEAR = 9999


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One row of a list."""

    person: NamedPerson
    period: str
    due: str


@dataclass(frozen=True, slots=True)
class PreviewList:
    """One of the three lists of a preview."""

    key: str
    heading: str
    total: int
    unseen: int  # people whom the viewer may not see
    page: Page
    lines: list[PreviewLine]


def list_affected_people(
    effect: AudienceEffect, viewer: Viewer, arguments: Mapping[str, str], day: date
) -> list[PreviewList]:
    """Who joins the audience, who leaves it and whose due date changes; a page of each list, by name."""
    groups = (effect.joins, effect.leaves, effect.due_changes)
    ids = sorted({each.person_id for group in groups for each in group})
    visible = {person.person_id: person for person in list_visible_people(viewer, ids, day)}
    return [
        _preview_list("joins", "joins", effect.joins, visible, arguments),
        _preview_list("leaves", "leaves", effect.leaves, visible, arguments),
        _preview_list("due", "due_changes", effect.due_changes, visible, arguments),
    ]


def _preview_list(
    key: str,
    kind: str,
    changes: Sequence[AudienceChange],
    visible: Mapping[int, NamedPerson],
    arguments: Mapping[str, str],
) -> PreviewList:
    shown = [(visible[each.person_id], each) for each in changes if each.person_id in visible]
    shown.sort(key=lambda pair: (pair[0].name, pair[0].staff_number))
    page = Page.of(len(shown), "", [("page", arguments.get(f"page_{key}", "1"))], PAGE_SIZE)
    lines = [
        PreviewLine(person, describe_period(each), describe_due_date(key, each))
        for person, each in shown[page.offset : page.offset + page.size]
    ]
    heading = describe_people_affected(kind, len(changes))
    return PreviewList(key, heading, len(changes), len(changes) - len(shown), page, lines)


def describe_period(change: AudienceChange) -> str:
    """The first and the last day, in words."""
    first = f"From {say_date(change.first)}"
    return first if change.last.year == OPEN_YEAR else f"{first} to {say_date(change.last)}"


def describe_due_date(key: str, change: AudienceChange) -> str:
    """The due date, with the one until now where it changes."""
    due_on = say_date(change.due_on)
    if key == "leaves":
        return f"Was due {due_on}"
    return f"{due_on} (was {say_date(change.was_due_on)})" if change.was_due_on else due_on


def describe_effect(effect: AudienceEffect, *, is_new: bool = False) -> str:
    """How many people are affected and how, in one sentence; ``is_new`` is the effect of a new directive."""
    groups = {"joins": effect.joins, "leaves": effect.leaves, "due_changes": effect.due_changes}
    parts = [describe_people_affected(kind, len(changes)) for kind, changes in groups.items() if changes]
    return join_words(parts, "and") or (NOBODY if is_new else NO_CHANGE)


def describe_unknown_names(file: DirectiveFile) -> list[str]:
    """A sentence about each role and rank that the directive names and nobody has."""
    nouns = {"designated_role": "role", "rank_or_grade": "rank or grade"}
    return [
        f"Nobody has the {nouns[name.column]} “{name.text}”."
        + (f" Did you mean “{name.alike}”?" if name.alike else "")
        for name in list_unknown_names((*file.audience, *file.exceptions), file.effective_on)
    ]


NOBODY = "Nobody will have to do this: nobody is in its audience"
NO_CHANGE = "No change to who must do this, or by when"


# Pages that issue a directive or its next version: the form, its preview, and issuing.

NOT_CARRIED = re.compile(r"csrf_token|do|previewed|kept_form|page_\w+")
DEFAULTS = {"target": "100", "ends_soon": "60", "notices": "30, 7, 1"}


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def new_directive() -> ResponseReturnValue:
    """The form of a new directive, empty or filled in from a file."""
    if request.method == "GET":
        return _render_form(DirectiveForm(data={**DEFAULTS, "owner": current_user.viewer.staff_number}), None)
    return _change_form(None)


@bp.route("/<reference>/change", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def change_directive(reference: str) -> ResponseReturnValue:
    """The form of a directive's next version, filled in from the newest."""
    directive = queries.get_directive(reference)
    if request.method == "GET":
        return _render_form(
            DirectiveForm(data=form_data_of(_newest_file(directive)) | {"effective_on": ""}), directive
        )
    return _change_form(directive)


@bp.route("/preview", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def preview_directive() -> ResponseReturnValue:
    """The preview of a directive; its button issues exactly what was previewed."""
    return _answer_form(issues=False)


@bp.route("/preview/issue", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def issue_directive() -> ResponseReturnValue:
    """Issue what was previewed: an address of its own, as another process makes the previews."""
    return _answer_form(issues=True)


def _answer_form(*, issues: bool) -> ResponseReturnValue:
    if request.method == "GET":  # a bookmark or a typed address, without the form's fields
        return redirect(url_for(".list_directives"), 303)
    changing = request.args.get("of", "")
    directive = queries.get_directive(changing) if changing else None
    form = DirectiveForm()
    _prepare_form(form, directive)
    file = form.checked_directive()
    if file is None:
        return _render_form(form, directive)
    try:
        proposal = propose_version(file)
        if issues and (proposal.is_unchanged or _check_reference_is_free(form, proposal, directive)):
            return _issue_version(proposal, file)
        return (
            _render_preview(proposal, file, directive)
            if _check_reference_is_free(form, proposal, directive)
            else _render_form(form, directive)
        )
    except BadInputError as error:
        form.show_refusal(error)
        return _render_form(form, directive)
    except ConflictError as error:
        return _render_preview(propose_version(file), file, directive, str(error)), 409


def _check_reference_is_free(
    form: DirectiveForm, proposal: Proposal, directive: DirectiveDetails | None
) -> bool:
    """Whether the reference names no other directive; adds an error to the field if it does."""
    if directive is None and proposal.newest is not None:
        form.reference.errors = [
            f"There is already a directive {proposal.reference}. Change it on its own page, "
            "or enter another reference"
        ]
        return False
    return True


def _issue_version(proposal: Proposal, file: DirectiveFile) -> ResponseReturnValue:
    refuse_outside_own_units(current_user.viewer, proposal)
    return make_change(proposal.reference, ".show_directive", toml=to_toml(file).decode())


def make_change(reference: str, then: str, **what: Any) -> ResponseReturnValue:
    """Issue or withdraw what was previewed, and go to a page of it; or to the job that does it."""
    token, now = request.form.get("previewed", ""), clock.now().isoformat()
    done = recording.make_change(VersionChange(reference, token, now, **what), by=current_user.person_id)
    if isinstance(done, UUID):
        return redirect(url_for("jobs.show_job", reference=done), 303)
    flash(done, "success")
    return redirect(url_for(then, reference=reference), 303)


def _render_preview(
    proposal: Proposal, file: DirectiveFile, directive: DirectiveDetails | None, problem: str = ""
) -> str:
    effect, token = proposal.preview()
    exceeds = exceeds_own_units(current_user.viewer, proposal)
    titles = queries.published_titles()
    previous = directive.newest.file if directive else None
    sent_fields = [pair for pair in request.form.items(multi=True) if not NOT_CARRIED.fullmatch(pair[0])]
    return render_template(
        "directives/preview.html",
        proposal=proposal,
        file=file,
        directive=directive,
        headline=describe_effect(effect, is_new=proposal.newest is None),
        unknown_names=describe_unknown_names(file),
        lists=list_affected_people(effect, current_user.viewer, request.form, clock.today()),
        changes=queries.list_changes(previous, file, titles) if directive else [],
        rules=_describe_rules(file),
        required_titles=queries.requirement_titles(file, titles),
        token=token,
        sent=sent_fields,
        problem=problem or (OUTSIDE_OWN_UNITS if exceeds else ""),
        outside_own_units=exceeds,
        is_past=proposal.effective_on < clock.today(),
        back=url_for(".change_directive", reference=directive.reference)
        if directive
        else url_for(".new_directive"),
    )


def _change_form(directive: DirectiveDetails | None) -> ResponseReturnValue:
    """The form after a button: adding or removing a group, reading a file, or going back from the preview."""
    if "upload" in request.files:
        return _fill_form_from_file(directive)
    form = DirectiveForm()
    _prepare_form(form, directive)
    pressed, _, number = request.form.get("do", "").rpartition("-")
    groups = {"audience": form.audience, "except": form.exceptions}
    action, _, name = pressed.partition("-")
    group_rows = groups.get(name)
    if group_rows is not None:
        rows = [{k: entry.form[k].data for k in ("roles", "units", "ranks")} for entry in group_rows.entries]
        if action == "add" and len(rows) < MOST_GROUPS:
            rows.append({})
        elif action == "remove" and number in map(str, range(len(rows))):
            del rows[int(number)]
        group_rows.process(None, rows)
    return _render_form(form, directive)


def _fill_form_from_file(directive: DirectiveDetails | None) -> ResponseReturnValue:
    """The form filled in from an uploaded file."""
    upload = FileForm()
    content = request.files["upload"].read(files.MOST_BYTES + 1)
    try:
        if not upload.validate() or not content:
            raise BadInputError(["Choose a directive’s TOML file"])
        file = files.read_directive(content)
    except BadInputError as error:
        upload.upload.errors = error.reasons[:1]
        upload.form_errors.extend(error.reasons[1:])
        return _render_form(DirectiveForm(formdata=None, data=DEFAULTS), directive, upload)
    return _render_form(DirectiveForm(formdata=None, data=form_data_of(file)), directive)


def _prepare_form(form: DirectiveForm, directive: DirectiveDetails | None) -> None:
    """Offer the choices of the force, and keep the reference of a directive that is being changed."""
    roles, ranks = queries.list_roles_and_ranks()
    form.offer_choices(
        DirectiveChoices(roles, ranks, unit_paths(clock.today()).values(), queries.published_titles())
    )
    if directive is not None:
        form.reference.data = directive.reference
        form.current_owner = directive.newest.file.owner


def _render_form(
    form: DirectiveForm, directive: DirectiveDetails | None, upload: FileForm | None = None
) -> Response:
    """The form. It names no learner, so the browser may keep it and its Back button loses nothing."""
    _prepare_form(form, directive)
    file = form.entered_directive()
    page = render_template(
        "directives/form.html",
        form=form,
        upload=upload or FileForm(formdata=None),
        directive=directive,
        rules=_describe_rules(file),
        required_titles=queries.requirement_titles(file, queries.published_titles()),
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _describe_rules(file: DirectiveFile) -> list[tuple[str, str]]:
    """The rules filled in so far, as pairs of a label and its text."""
    due = file.due_fixed_on or file.due_days_after_joining is not None
    groups = all(file.audience) and all(file.exceptions)
    return [
        ("Who", queries.describe_audience(file) if groups else "Not filled in yet."),
        ("Due", queries.describe_due_date(file) if due else "Not filled in yet."),
        ("Validity", queries.describe_validity(file)),
        ("Notices", queries.describe_notices(file)),
        ("Target", percent_exact(file.target)),
    ]


def _newest_file(directive: DirectiveDetails) -> DirectiveFile:
    """The newest version as a file, with the unit paths of today."""
    return queries.file_with_paths_on(directive.newest, clock.today())


# Pages that withdraw a directive, or a version before it takes effect, after a preview.


@bp.route("/<reference>/withdraw", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def withdraw_directive(reference: str) -> ResponseReturnValue:
    """Ask for the first day, then withdraw what was previewed."""
    return _answer_withdrawal(reference, withdraws=True)


@bp.route("/<reference>/withdraw/preview", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def preview_withdrawal(reference: str) -> ResponseReturnValue:
    """Show who is affected."""
    return _answer_withdrawal(reference, withdraws=False)


def _answer_withdrawal(reference: str, *, withdraws: bool) -> ResponseReturnValue:
    directive, form = queries.get_directive(reference), WithdrawForm()
    day = form.effective_on.day
    if request.method == "GET" or request.form.get("do") == "edit" or not form.validate() or day is None:
        return _render_withdrawal(directive, form)
    try:
        if withdraws and request.form.get("do") == "withdraw":
            return _record_withdrawal(directive.reference, day)
        return _render_effect(directive, day)
    except BadInputError as error:
        form.effective_on.errors = [reason.removeprefix("effective_on: ") for reason in error.reasons]
        return _render_withdrawal(directive, form)
    except ConflictError as error:
        return _render_effect(directive, day, str(error)), 409


def _record_withdrawal(reference: str, day: date) -> ResponseReturnValue:
    refuse_outside_own_units(current_user.viewer, propose_withdrawal(reference, day))
    return make_change(reference, ".show_directive", withdrawn_from=day.isoformat())


def _render_withdrawal(directive: DirectiveDetails, form: WithdrawForm) -> str:
    return render_template("directives/withdraw.html", directive=directive, form=form)


def _render_effect(directive: DirectiveDetails, day: date, problem: str = "") -> str:
    proposal = propose_withdrawal(directive.reference, day)
    refuse_outside_own_units(current_user.viewer, proposal)
    effect, token = proposal.preview()
    return render_template(
        "directives/withdraw_preview.html",
        directive=directive,
        day=day,
        headline=describe_effect(effect),
        lists=list_affected_people(effect, current_user.viewer, request.form, clock.today()),
        token=token,
        problem=problem,
    )


@bp.route("/<reference>/versions/<int:number>/withdraw", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def withdraw_version(reference: str, number: int) -> ResponseReturnValue:
    """Show who is affected if a version is withdrawn before it takes effect, then withdraw it."""
    directive = queries.get_directive(reference)
    proposal = propose_version_withdrawal(reference, number, clock.today())
    refuse_outside_own_units(current_user.viewer, proposal)
    if request.method == "GET" or request.form.get("do") != "withdraw":
        return _preview_version(directive, proposal)
    then = ".show_directive" if len(directive.versions) > 1 else ".list_directives"
    try:
        return make_change(reference, then, number=number)
    except ConflictError as error:
        return _preview_version(
            directive, propose_version_withdrawal(reference, number, clock.today()), str(error)
        ), 409


def _preview_version(directive: DirectiveDetails, proposal: Proposal, problem: str = "") -> str:
    effect, token = proposal.preview()
    previous = directive.version_before(directive.newest)
    return render_template(
        "directives/withdraw_version.html",
        directive=directive,
        version=directive.newest,
        previous=previous,
        headline=describe_effect(effect),
        lists=list_affected_people(effect, current_user.viewer, request.form, clock.today()),
        token=token,
        problem=problem,
    )
