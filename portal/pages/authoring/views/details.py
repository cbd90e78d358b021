"""The editor of a module's details: title and owner, outcomes, rules of the assessment."""

from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import findings as authoring_findings
from portal.domain.authoring import queries, services
from portal.domain.authoring.content_types import ModuleDetails, read_details, write_details
from portal.domain.authoring.errors import StaleSaveError
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.module_check import sha256_of
from portal.domain.catalogue.paths import read_parts
from portal.domain.content_checks import metrics
from portal.pages.authoring.forms import MOST_OUTCOMES, DetailsForm
from portal.pages.authoring.views import autosave, draft_context, texts
from portal.pages.authoring.views.draft_context import bp
from portal.pages.layout.access import requires
from portal.platform.clock import read_day
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError
from portal.platform.permissions import Permission
from portal.platform.wording import date

PLACE = "details"
HUNDRED = Decimal(100)


@bp.route("/<module:key>/details", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def edit_details(key: str) -> ResponseReturnValue:
    """Edit the module's details in one form."""
    try:
        state = queries.get_draft(key)
    except NotFoundError:
        if request.method == "POST":
            return texts.render_gone(key, DetailsForm())
        raise
    if request.method == "GET":
        taken = draft_context.taken_page(state, PLACE, "the module details", url_for(".show_module", key=key))
        values = _form_data(draft_context.read_module_details(state))
        form = DetailsForm(data=values | {"expected": state.files[draft_context.MODULE_FILE]})
        return taken or _render_page(state, form)
    return _handle_form(state, DetailsForm())


def _handle_form(state: DraftState, form: DetailsForm) -> ResponseReturnValue:
    """Do what the pressed button says."""
    if "leave" in request.form:
        with transaction():
            services.leave_place(state.draft_id, PLACE, by=current_user.person_id)
        return redirect(url_for(".show_module", key=state.key), 303)
    if "theirs" in request.form:
        flash("You kept what the other person saved.", "success")
        return redirect(url_for(".edit_details", key=state.key), 303)
    if not {"again", "preview", "add", "remove"}.isdisjoint(request.form):
        _change_rows(form)
        return _render_page(state, form, unsaved=True)
    if "quiet" in request.form:
        is_valid = form.validate_on_submit() and _require_outcomes(form)
        save = partial(
            _save_file,
            state,
            form,
            _file_content(form, draft_context.read_file(state, draft_context.MODULE_FILE)),
        )
        return autosave.save_quietly(state, PLACE, "Save the details", save if is_valid else None)
    if "both" in request.form:
        return _save_both(state, form)
    return _save_details(state, form, partial(_file_content, form))


def _change_rows(form: DetailsForm) -> None:
    """Add or remove an outcome in the form if the pressed button says so; nothing is saved."""
    rows = [entry.data for entry in form.outcomes.entries]
    index = request.form.get("remove", "")
    if index in map(str, range(len(rows))):
        del rows[int(index)]
    elif "add" in request.form and len(rows) < MOST_OUTCOMES:
        rows.append({"key": "", "text": ""})
    else:
        return
    form.outcomes.process(None, rows)


def _save_details(state: DraftState, form: DetailsForm, write_file: texts.WriteFile) -> ResponseReturnValue:
    if not form.validate_on_submit() or not _require_outcomes(form):
        return _render_page(state, form, unsaved=True)
    try:
        _save_file(state, form, write_file(draft_context.read_file(state, draft_context.MODULE_FILE)))
    except StaleSaveError as error:
        return _render_stale(state, form, error)
    except PortalError as error:
        form.form_errors.append(str(error))
        return _render_page(state, form, unsaved=True), 409
    with transaction():
        services.leave_place(state.draft_id, PLACE, by=current_user.person_id)
    flash("The module details are saved", "success")
    return redirect(url_for(".show_module", key=state.key, _anchor="details"), 303)


def _save_both(state: DraftState, form: DetailsForm) -> ResponseReturnValue:
    """Save both authors' changes; if the other saved again, ask again."""
    saved_hash = state.files[draft_context.MODULE_FILE]
    merged = autosave.merge_saved(
        state, draft_context.MODULE_FILE, autosave.sent_base(), partial(_file_content, form)
    )
    if merged is None or form.expected.data != saved_hash:
        error = StaleSaveError({draft_context.MODULE_FILE: saved_hash}, state.last_saved_by)
        return _render_stale(state, form, error)
    return _save_details(state, form, lambda _: merged)


def _save_file(state: DraftState, form: DetailsForm, content: bytes) -> str:
    """Save the file; returns its hash."""
    draft_context.save_files(
        state, {draft_context.MODULE_FILE: content}, form.expected.data or "", "Module details edited"
    )
    return sha256_of(content)


def _file_content(form: DetailsForm, content: bytes) -> bytes:
    """The file with the form's values."""
    return write_details(content, _entered_details(form, read_details(content)))


def _require_outcomes(form: DetailsForm) -> bool:
    """Whether there is an outcome with a text; if not, the first row gets an error."""
    if form.named_outcomes:
        return True
    if not form.outcomes.entries:
        form.outcomes.append_entry({"key": "", "text": ""})
    first_text = form.outcomes.entries[0].form.text
    first_text.errors = form.outcomes.errors = ["Write at least one outcome"]
    return False


def _form_data(module: ModuleDetails) -> dict[str, Any]:
    """The form's values; a rule without a limit is an empty field."""
    score = f"{module.mastery_score * HUNDRED:f}"
    return {
        "title": module.title,
        "aim": module.aim,
        "owner": module.owner,
        "review_on": date(module.review_on),
        "minutes": module.minutes,
        "outcomes": [{"key": key, "text": text} for key, text in module.outcomes],
        "parts": module.parts,
        "mastery": score.rstrip("0").rstrip(".") if "." in score else score,
        "draw": module.draw,
        "at_least": module.at_least_per_outcome or "",
        "attempts": module.attempts or "",
        "wait_minutes": module.wait_minutes or "",
        "pause_after": module.pause_after or "",
        "pause_hours": module.pause_hours or "",
        "test_out": module.test_out,
        "pre_test": module.pre_test,
        "note": module.note,
    }


def _entered_parts(form: DetailsForm, before: ModuleDetails) -> str:
    """Whom the lessons are for; as before while a line cannot be read."""
    text = (form.parts.data or "").strip()
    try:
        read_parts(text)
    except ValueError:
        return before.parts
    return text


def _entered_details(form: DetailsForm, before: ModuleDetails) -> ModuleDetails:
    """The details from the form; an unchanged pass mark keeps its decimal places."""
    keys = {entry.key.data for entry in form.named_outcomes if entry.key.data}
    outcomes = []
    for entry in form.named_outcomes:
        key = entry.key.data or texts.unused_key(entry.text.data, keys, "outcome")
        keys.add(key)
        outcomes.append((key, entry.text.data))
    mastery = form.mastery.share or before.mastery_score
    return ModuleDetails(
        title=form.title.data or "",
        aim=(form.aim.data or "").strip(),
        owner=form.owner.data or "",
        review_on=read_day(form.review_on.data or "") or before.review_on,
        minutes=form.minutes.number or before.minutes,
        mastery_score=before.mastery_score if mastery == before.mastery_score else mastery,
        outcomes=outcomes,
        parts=_entered_parts(form, before),
        draw=form.draw.number or before.draw,
        at_least_per_outcome=form.at_least.number or 0,
        attempts=form.attempts.number or 0,
        wait_minutes=form.wait_minutes.number or 0,
        pause_after=form.pause_after.number or 0,
        pause_hours=form.pause_hours.number or 0,
        test_out=form.test_out.data,
        pre_test=form.pre_test.data,
        note=(form.note.data or "").strip(),
    )


def render_fragment(key: str) -> str:
    """The parts of the editor that change as the author types, for the values that were sent."""
    state, form = queries.get_draft(key), DetailsForm()
    return render_template("authoring/render_details.html", form=form, **_check_results(state, form))


def _render_page(state: DraftState, form: DetailsForm, *, unsaved: bool = False) -> str:
    return render_template(
        "authoring/details.html",
        state=state,
        form=form,
        unsaved=unsaved,
        base=autosave.sent_base(),
        may_add_outcome=len(form.outcomes.entries) < MOST_OUTCOMES,
        parent_text=draft_context.breadcrumb_text(state, draft_context.read_module_details(state).title),
        **_check_results(state, form if unsaved else None),
    )


def _check_results(state: DraftState, form: DetailsForm | None) -> dict[str, Any]:
    """Findings and measures of the saved details, or of those in the form."""
    files = draft_context.read_text_files(state)
    if form is None:
        reading = queries.check_draft_hashes(state.key, state.files)
    else:
        files[draft_context.MODULE_FILE] = _file_content(form, files[draft_context.MODULE_FILE])
        reading = authoring_findings.check_unsaved_files(state.key, files)
    findings = authoring_findings.findings_at(
        authoring_findings.collect_findings(state.key, reading, files), PLACE
    )
    package = reading.modules[0].package if reading.modules else None
    outcomes = metrics.outcome_coverage(package) if package else []
    return {
        "findings": draft_context.list_findings(findings),
        "summary": draft_context.findings_sentence(findings),
        "lessons": Counter({outcome.key: outcome.lessons for outcome in outcomes}),
        "items": Counter({outcome.key: outcome.items for outcome in outcomes}),
        "estimated_minutes": round(metrics.measure_module(package).minutes) if package else 0,
    }


def _render_stale(state: DraftState, form: DetailsForm, error: StaleSaveError) -> ResponseReturnValue:
    """Show both sets of details side by side; the form keeps what was typed."""
    saved_hash = error.present[draft_context.MODULE_FILE] or ""
    base = autosave.sent_base() or form.expected.data or ""
    theirs = _form_data(read_details(queries.read_content(saved_hash)))
    form.expected.data = saved_hash
    page = render_template(
        "authoring/stale_details.html",
        state=state,
        form=form,
        saved_by=error.saved_by,
        rows=_list_differences(form, theirs),
        base=base,
        both=autosave.merge_saved(state, draft_context.MODULE_FILE, base, partial(_file_content, form))
        is not None,
        parent_text=draft_context.breadcrumb_text(state, draft_context.read_module_details(state).title),
    )
    return page, 409


def _list_differences(form: DetailsForm, theirs: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The label, their value and mine of each field that differs."""
    rows = []
    for field in form:
        if field.name in {"expected", "csrf_token"}:
            continue
        their_value, my_value = theirs.get(field.name), field.data
        if field.name == "outcomes":
            their_value = "\n".join(outcome["text"] for outcome in theirs["outcomes"])
            my_value = "\n".join(entry.text.data for entry in form.named_outcomes)
        if _value_words(their_value) != _value_words(my_value):
            rows.append((str(field.label.text), _value_words(their_value), _value_words(my_value)))
    return rows


def _value_words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value if value is not None else "").strip()
