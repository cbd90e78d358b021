"""Pages that issue a directive or its next version: the form, its preview, and issuing."""

import re
from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.directives import descriptions, queries, toml_reader
from portal.domain.directives.proposals import Proposal, propose_version
from portal.domain.directives.queries import DirectiveDetails
from portal.domain.directives.scope import OUTSIDE_OWN_UNITS, exceeds_own_units, refuse_outside_own_units
from portal.domain.directives.toml_reader import DirectiveFile
from portal.domain.directives.toml_writer import to_toml
from portal.domain.people.queries import unit_paths
from portal.domain.status import version_changes
from portal.domain.status.version_changes import VersionChange
from portal.pages.directives.forms import MOST_GROUPS, DirectiveChoices, DirectiveForm, FileForm, form_data_of
from portal.pages.directives.views import preview_lists
from portal.pages.directives.views.listing import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.errors import BadInputError, ConflictError
from portal.platform.permissions import Permission
from portal.platform.wording import percent_exact

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
    done = version_changes.make_change(
        VersionChange(reference, token, now, **what), by=current_user.person_id
    )
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
        headline=preview_lists.describe_effect(effect, is_new=proposal.newest is None),
        unknown_names=preview_lists.describe_unknown_names(file),
        lists=preview_lists.list_affected_people(effect, current_user.viewer, request.form, clock.today()),
        changes=descriptions.list_changes(previous, file, titles) if directive else [],
        rules=_describe_rules(file),
        required_titles=descriptions.requirement_titles(file, titles),
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
    content = request.files["upload"].read(toml_reader.MOST_BYTES + 1)
    try:
        if not upload.validate() or not content:
            raise BadInputError(["Choose a directive’s TOML file"])
        file = toml_reader.read_directive(content)
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
        required_titles=descriptions.requirement_titles(file, queries.published_titles()),
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _describe_rules(file: DirectiveFile) -> list[tuple[str, str]]:
    """The rules filled in so far, as pairs of a label and its text."""
    due = file.due_fixed_on or file.due_days_after_joining is not None
    groups = all(file.audience) and all(file.exceptions)
    return [
        ("Who", descriptions.describe_audience(file) if groups else "Not filled in yet."),
        ("Due", descriptions.describe_due_date(file) if due else "Not filled in yet."),
        ("Validity", descriptions.describe_validity(file)),
        ("Notices", descriptions.describe_notices(file)),
        ("Target", percent_exact(file.target)),
    ]


def _newest_file(directive: DirectiveDetails) -> DirectiveFile:
    """The newest version as a file, with the unit paths of today."""
    return queries.file_with_paths_on(directive.newest, clock.today())
