"""A module's details: what it is, its outcomes, how its assessment is drawn."""

from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries, services
from portal.domain.authoring.editing import details as text
from portal.domain.authoring.editing.details import ModuleDetails
from portal.domain.authoring.errors import StaleSaveError
from portal.domain.authoring.findings import check_cache
from portal.domain.authoring.findings import collect as finder
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.sources.validation import sha256_of
from portal.domain.content_checks import metrics
from portal.pages.authoring.forms.details import MOST_OUTCOMES, DetailsForm
from portal.pages.authoring.views import autosave, draft_context, texts
from portal.pages.authoring.views.blueprint import bp
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
    """The module's details as one form."""
    try:
        state = queries.get_draft(key)
    except NotFoundError:
        if request.method == "POST":
            return texts.render_gone(key, DetailsForm())
        raise
    if request.method == "GET":
        other = draft_context.taken_page(state, PLACE, "the module details", url_for(".show_module", key=key))
        shown = _form_data(draft_context.read_module_details(state)) | {
            "expected": state.files[draft_context.MODULE_FILE]
        }
        return other or _render_page(state, DetailsForm(data=shown))
    return _handle_form(state, DetailsForm())


def _handle_form(state: DraftState, form: DetailsForm) -> ResponseReturnValue:
    """What the pressed button asks for."""
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
        whole = form.validate_on_submit() and _has_outcomes(form)
        save = partial(
            _save_file,
            state,
            form,
            _file_content(form, draft_context.read_file(state, draft_context.MODULE_FILE)),
        )
        return autosave.save_quietly(state, PLACE, "Save the details", save if whole else None)
    if "both" in request.form:
        return _save_both(state, form)
    return _save_details(state, form, partial(_file_content, form))


def _change_rows(form: DetailsForm) -> None:
    """One outcome more, or one fewer, where the pressed button says so; nothing is saved by it."""
    rows = [entry.data for entry in form.outcomes.entries]
    gone = request.form.get("remove", "")
    if gone in map(str, range(len(rows))):
        del rows[int(gone)]
    elif "add" in request.form and len(rows) < MOST_OUTCOMES:
        rows.append({"key": "", "text": ""})
    else:
        return
    form.outcomes.process(None, rows)


def _save_details(state: DraftState, form: DetailsForm, written: texts.WriteFile) -> ResponseReturnValue:
    if not form.validate_on_submit() or not _has_outcomes(form):
        return _render_page(state, form, unsaved=True)
    try:
        _save_file(state, form, written(draft_context.read_file(state, draft_context.MODULE_FILE)))
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
    """Save what was typed and what the other saved together; asked anew where they saved once more."""
    present = state.files[draft_context.MODULE_FILE]
    both = autosave.merge_saved(
        state, draft_context.MODULE_FILE, autosave.sent_base(), partial(_file_content, form)
    )
    if both is None or form.expected.data != present:
        return _render_stale(
            state, form, StaleSaveError({draft_context.MODULE_FILE: present}, state.last_saved_by)
        )
    return _save_details(state, form, lambda _: both)


def _save_file(state: DraftState, form: DetailsForm, content: bytes) -> str:
    """Save the file; returns its hash."""
    draft_context.save_files(
        state, {draft_context.MODULE_FILE: content}, form.expected.data or "", "Module details edited"
    )
    return sha256_of(content)


def _file_content(form: DetailsForm, held: bytes) -> bytes:
    """The file as the form says it."""
    return text.write_details(held, _entered_details(form, text.read_details(held)))


def _has_outcomes(form: DetailsForm) -> bool:
    """At least one outcome with words; the first line says so where there is none."""
    if form.named_outcomes:
        return True
    if not form.outcomes.entries:
        form.outcomes.append_entry({"key": "", "text": ""})
    first = form.outcomes.entries[0].form.text
    first.errors = form.outcomes.errors = ["Write at least one outcome"]
    return False


def _form_data(said: ModuleDetails) -> dict[str, Any]:
    """The details as the form shows them; a rule without limit is an empty field."""
    score = f"{said.mastery_score * HUNDRED:f}"
    return {
        "title": said.title,
        "aim": said.aim,
        "owner": said.owner,
        "review_on": date(said.review_on),
        "minutes": said.minutes,
        "outcomes": [{"key": key, "text": words} for key, words in said.outcomes],
        "mastery": score.rstrip("0").rstrip(".") if "." in score else score,
        "draw": said.draw,
        "at_least": said.at_least_per_outcome or "",
        "attempts": said.attempts or "",
        "wait_minutes": said.wait_minutes or "",
        "test_out": said.test_out,
    }


def _entered_details(form: DetailsForm, before: ModuleDetails) -> ModuleDetails:
    """What the form says; a pass mark that was not touched keeps its places."""
    taken = {entry.key.data for entry in form.named_outcomes if entry.key.data}
    outcomes = []
    for entry in form.named_outcomes:
        name = entry.key.data or texts.unused_key(entry.text.data, taken, "outcome")
        taken.add(name)
        outcomes.append((name, entry.text.data))
    mastery = form.mastery.share or before.mastery_score
    return ModuleDetails(
        title=form.title.data or "",
        aim=(form.aim.data or "").strip(),
        owner=form.owner.data or "",
        review_on=read_day(form.review_on.data or "") or before.review_on,
        minutes=form.minutes.number or before.minutes,
        mastery_score=before.mastery_score if mastery == before.mastery_score else mastery,
        outcomes=outcomes,
        draw=form.draw.number or before.draw,
        at_least_per_outcome=form.at_least.number or 0,
        attempts=form.attempts.number or 0,
        wait_minutes=form.wait_minutes.number or 0,
        test_out=form.test_out.data,
    )


def render_fragment(key: str) -> str:
    """What stands beside the details, for those that were sent."""
    state, form = queries.get_draft(key), DetailsForm()
    return render_template("authoring/render_details.html", form=form, **_check_results(state, form))


def _render_page(state: DraftState, form: DetailsForm, *, unsaved: bool = False) -> str:
    return render_template(
        "authoring/details.html",
        state=state,
        form=form,
        unsaved=unsaved,
        base=autosave.sent_base(),
        more=len(form.outcomes.entries) < MOST_OUTCOMES,
        parent_text=draft_context.breadcrumb_text(state, draft_context.read_module_details(state).title),
        **_check_results(state, form if unsaved else None),
    )


def _check_results(state: DraftState, form: DetailsForm | None) -> dict[str, Any]:
    """What the check and the measures say of the details as they are saved, or as the form says them."""
    files = draft_context.read_text_files(state)
    if form is None:
        reading = queries.check_draft_hashes(state.key, state.files)
    else:
        files[draft_context.MODULE_FILE] = _file_content(form, files[draft_context.MODULE_FILE])
        reading = check_cache.check_unsaved_files(state.key, files)
    found = finder.findings_at(finder.collect_findings(state.key, reading, files), PLACE)
    used = metrics.outcome_coverage(reading.modules[0].package) if reading.modules else []
    return {
        "findings": draft_context.list_findings(found),
        "told": draft_context.findings_sentence(found),
        "lessons": Counter({each.key: each.lessons for each in used}),
        "items": Counter({each.key: each.items for each in used}),
        "honest": round(metrics.measure_module(reading.modules[0].package).minutes) if reading.modules else 0,
    }


def _render_stale(state: DraftState, form: DetailsForm, error: StaleSaveError) -> ResponseReturnValue:
    """Both sets of details side by side; the form below keeps what was typed."""
    present = error.present[draft_context.MODULE_FILE] or ""
    base = autosave.sent_base() or form.expected.data or ""
    theirs = _form_data(text.read_details(queries.read_content(present)))
    form.expected.data = present
    page = render_template(
        "authoring/stale_details.html",
        state=state,
        form=form,
        saved_by=error.saved_by,
        rows=_list_differences(form, theirs),
        theirs=theirs,
        base=base,
        both=autosave.merge_saved(state, draft_context.MODULE_FILE, base, partial(_file_content, form))
        is not None,
        parent_text=draft_context.breadcrumb_text(state, draft_context.read_module_details(state).title),
    )
    return page, 409


def _list_differences(form: DetailsForm, theirs: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Label, theirs and mine of what differs."""
    rows = []
    for field in form:
        if field.name in {"expected", "csrf_token"}:
            continue
        held, mine = theirs.get(field.name), field.data
        if field.name == "outcomes":
            held = "\n".join(each["text"] for each in theirs["outcomes"])
            mine = "\n".join(entry.text.data for entry in form.named_outcomes)
        if _value_words(held) != _value_words(mine):
            rows.append((str(field.label.text), _value_words(held), _value_words(mine)))
    return rows


def _value_words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value if value is not None else "").strip()
