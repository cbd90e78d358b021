"""Issuing a directive or its next version: the form, the preview of what it does, and the act."""

import re
from collections.abc import Callable

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.directives import descriptions, queries, services, toml_reader
from portal.domain.directives.proposals import Proposal, propose
from portal.domain.directives.queries import DirectiveTold
from portal.domain.directives.scope import BEYOND, reaches_beyond, refuse_beyond
from portal.domain.directives.services import Issued
from portal.domain.directives.toml_reader import DirectiveFile
from portal.domain.people.queries import unit_paths
from portal.domain.status.projector import stage_version, write_version
from portal.pages.directives.forms import MOST_GROUPS, DirectiveChoices, DirectiveForm, FileForm, form_data_of
from portal.pages.directives.views import preview_lists
from portal.pages.directives.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ConflictError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date

NOT_SENT_ON = re.compile(r"csrf_token|do|previewed|kept_form|page_\w+")
FIRST = {"target": "100", "ends_soon": "60", "notices": "30, 7, 1"}


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def new_directive() -> ResponseReturnValue:
    """The form of a new directive, empty or begun from a file."""
    if request.method == "GET":
        return _render_form(DirectiveForm(data={**FIRST, "owner": current_user.viewer.staff_number}), None)
    return _change_form(None)


@bp.route("/<reference>/change", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def change_directive(reference: str) -> ResponseReturnValue:
    """The form of a directive's next version, filled in with what the newest says."""
    told = queries.directive(reference)
    if request.method == "GET":
        return _render_form(DirectiveForm(data=form_data_of(_newest_file(told)) | {"effective_on": ""}), told)
    return _change_form(told)


@bp.route("/preview", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def preview_directive() -> ResponseReturnValue:
    """Whom it would reach otherwise; its button issues exactly that."""
    if request.method == "GET":  # an address kept or typed: the form's fields are not in it
        return redirect(url_for(".list_directives"), 303)
    changing = request.args.get("of", "")
    told = queries.directive(changing) if changing else None
    form = DirectiveForm()
    _prepare_form(form, told)
    file = form.checked_directive()
    if file is None:
        return _render_form(form, told)
    try:
        proposal = propose(file)
        if request.form.get("do") == "issue" and (proposal.same or _is_free(form, proposal, told)):
            return _issue_version(proposal, file)
        return (
            _render_preview(proposal, file, told)
            if _is_free(form, proposal, told)
            else _render_form(form, told)
        )
    except BadInputError as error:
        form.show_refusal(error)
        return _render_form(form, told)
    except ConflictError as error:
        return _render_preview(propose(file), file, told, str(error)), 409


def _is_free(form: DirectiveForm, proposal: Proposal, told: DirectiveTold | None) -> bool:
    """Whether the reference names no other directive; notes it on the field where it does."""
    if told is None and proposal.newest is not None:
        form.reference.errors = [
            f"There is a directive {proposal.reference} already. Change it on its own page, "
            "or enter another reference"
        ]
        return False
    return True


def _issue_version(proposal: Proposal, file: DirectiveFile) -> ResponseReturnValue:
    refuse_beyond(current_user.viewer, proposal)
    by, token = current_user.person_id, request.form.get("previewed", "")
    issued = record_version(
        proposal, lambda: services.issue_file(file, at=clock.now(), by=by, previewed=token)
    )
    what = f"Version {issued.number} of {issued.reference}"
    day = say_date(issued.effective_on)
    held = "is issued and in force from" if issued.new else "says the same already, in force from"
    flash(f"{what} {held} {day}.", "success")
    return redirect(url_for(".show_directive", reference=issued.reference), 303)


def record_version(proposal: Proposal, record: Callable[[], Issued]) -> Issued:
    """Record a version; what follows from it is computed before the lock, so that nobody waits for it."""
    staged = stage_version(proposal)
    with transaction():
        issued = record()
        write_version(staged, issued)
    return issued


def _render_preview(
    proposal: Proposal, file: DirectiveFile, told: DirectiveTold | None, problem: str = ""
) -> str:
    effect, token = proposal.preview()
    beyond = reaches_beyond(current_user.viewer, proposal)
    titles = queries.titles()
    before = told.newest.file if told else None
    sent = [pair for pair in request.form.items(multi=True) if not NOT_SENT_ON.fullmatch(pair[0])]
    return render_template(
        "directives/preview.html",
        proposal=proposal,
        file=file,
        told=told,
        headline=preview_lists.preview_headline(effect),
        lists=preview_lists.preview_lists(effect, current_user.viewer, request.form, clock.today()),
        changes=descriptions.changes(before, file, titles) if told else [],
        said=_rules_in_words(file),
        asked=descriptions.requirements(file, titles),
        token=token,
        sent=sent,
        problem=problem or (BEYOND if beyond else ""),
        beyond=beyond,
        is_past=proposal.effective_on < clock.today(),
        back=url_for(".change_directive", reference=told.reference) if told else url_for(".new_directive"),
    )


def _change_form(told: DirectiveTold | None) -> ResponseReturnValue:
    """The form again, after a button that adds, removes, reads a file or comes back from the preview."""
    if "upload" in request.files:
        return _from_file(told)
    form = DirectiveForm()
    _prepare_form(form, told)
    pressed, _, number = request.form.get("do", "").rpartition("-")
    groups = {"audience": form.audience, "except": form.exceptions}
    what, _, name = pressed.partition("-")
    held = groups.get(name)
    if held is not None:
        rows = [{k: entry.form[k].data for k in ("roles", "units", "ranks")} for entry in held.entries]
        if what == "add" and len(rows) < MOST_GROUPS:
            rows.append({})
        elif what == "remove" and number in map(str, range(len(rows))):
            del rows[int(number)]
        held.process(None, rows)
    return _render_form(form, told)


def _from_file(told: DirectiveTold | None) -> ResponseReturnValue:
    """The form filled in from an uploaded file."""
    upload = FileForm()
    content = request.files["upload"].read(toml_reader.MOST_BYTES + 1)
    try:
        if not upload.validate() or not content:
            raise BadInputError(["Choose a directive’s TOML file"])
        file = toml_reader.read(content)
    except BadInputError as error:
        upload.upload.errors = error.reasons[:1]
        upload.form_errors.extend(error.reasons[1:])
        return _render_form(DirectiveForm(formdata=None, data=FIRST), told, upload)
    return _render_form(DirectiveForm(formdata=None, data=form_data_of(file)), told)


def _prepare_form(form: DirectiveForm, told: DirectiveTold | None) -> None:
    """Offer what there is to choose from; a directive keeps its reference."""
    roles, ranks = queries.roles_and_ranks()
    form.offer_choices(DirectiveChoices(roles, ranks, unit_paths(clock.today()).values(), queries.titles()))
    if told is not None:
        form.reference.data = told.reference


def _render_form(form: DirectiveForm, told: DirectiveTold | None, upload: FileForm | None = None) -> Response:
    """The form; it names no learner, so a browser may keep it and its Back button loses nothing."""
    _prepare_form(form, told)
    file = form.entered_directive()
    page = render_template(
        "directives/form.html",
        form=form,
        upload=upload or FileForm(formdata=None),
        told=told,
        said=_rules_in_words(file),
        asked=descriptions.requirements(file, queries.titles()),
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _rules_in_words(file: DirectiveFile) -> list[tuple[str, str]]:
    """The rules in words, as far as they are filled in."""
    due = file.due_fixed_on or file.due_days_after_joining is not None
    groups = all(file.audience) and all(file.exceptions)
    return [
        ("Who", descriptions.audience(file) if groups else "Not said yet."),
        ("Due", descriptions.due(file) if due else "Not said yet."),
        ("Validity", descriptions.validity(file)),
        ("Notices", descriptions.notices(file)),
        ("Target", descriptions.target(file.target)),
    ]


def _newest_file(told: DirectiveTold) -> DirectiveFile:
    """What the newest version says, with the units' paths of today."""
    return queries.with_paths_of(told.newest, clock.today())
