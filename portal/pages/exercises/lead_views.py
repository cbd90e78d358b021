"""The plenary for its leader: opening and closing questions, grouping statements, actions."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.exercises.actions import add_action, list_actions, withdraw_action
from portal.domain.exercises.comparison import plain_words
from portal.domain.exercises.plenary import (
    STAGE_WORDS,
    PlenaryRun,
    PromptStage,
    find_plenary,
    move_to_stage,
)
from portal.domain.exercises.statements import (
    count_about,
    group_statements,
    hide_statements,
    list_statements,
)
from portal.pages.exercises.blueprint import bp
from portal.pages.exercises.plenary_forms import ActionForm, OnceForm, ThemeForm
from portal.pages.layout.access import requires
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ForbiddenError
from portal.platform.permissions import Permission

STAGE_BUTTONS = {
    PromptStage.STATEMENTS: "Let the room write statements",
    PromptStage.READING: "Show the statements",
    PromptStage.RANKING: "Let the room rank them",
    PromptStage.CLOSED: "Show them with their points",
}


@bp.route("/exercises/<reference>/plenary/<key>/lead", methods=["GET", "POST"])
@requires(Permission.LEARN)
def lead_prompt(reference: str, key: str) -> ResponseReturnValue:
    """One question of the plenary: move it on, and put its statements into groups."""
    run = _run_to_lead(reference)
    prompt = run.prompt(key)
    stage = run.stages[key]
    readable = stage in (PromptStage.READING, PromptStage.RANKING, PromptStage.CLOSED)
    found = list_statements(run.id, key) if readable else []
    form = ThemeForm()
    form.chosen.offer(found)
    if form.validate_on_submit():
        with transaction():
            _change_statements(run, key, form, request.form.get("act", ""))
        return redirect(url_for(".lead_prompt", reference=reference, key=key), 303)
    page = render_template(
        "exercises/lead.html",
        run=run,
        words=plain_words(prompt["prompt_html"]),
        prompt_key=key,
        stage=stage,
        stage_words=STAGE_WORDS[stage],
        buttons=[(one.value, words) for one, words in STAGE_BUTTONS.items() if one is not stage],
        statements=found,
        about=count_about(run.id, key),
        writing=stage is PromptStage.STATEMENTS,
        form=form,
        once=OnceForm(),
    )
    return page, 400 if form.errors else 200


@bp.post("/exercises/<reference>/plenary/<key>/stage")
@requires(Permission.LEARN)
def move_prompt(reference: str, key: str) -> ResponseReturnValue:
    """Let the room write, read or rank, or close the question."""
    run = _run_to_lead(reference)
    try:
        stage = PromptStage(request.form.get("stage", ""))
    except ValueError as error:
        raise BadInputError(["Choose what the room does next."]) from error
    form_key = OnceForm().form_key
    with transaction():
        move_to_stage(run, key, stage, by=current_user.person_id, form_key=form_key)
    return redirect(url_for(".lead_prompt", reference=reference, key=key), 303)


@bp.route("/exercises/<reference>/actions", methods=["GET", "POST"])
@requires(Permission.LEARN)
def write_actions(reference: str) -> ResponseReturnValue:
    """What is to be done after the exercise, who does it, and by when."""
    run = _run_to_lead(reference)
    form = ActionForm()
    if form.validate_on_submit():
        with transaction():
            add_action(
                run,
                form.what.data,
                form.owner.data,
                form.due_day,
                key=form.form_key,
                by=current_user.person_id,
            )
        flash("The action is written down", "success")
        return redirect(url_for(".write_actions", reference=reference), 303)
    page = render_template(
        "exercises/actions.html", run=run, form=form, actions=list_actions(run.id), once=OnceForm
    )
    return page, 400 if form.errors else 200


@bp.post("/exercises/<reference>/actions/<uuid:uuid>/withdrawal")
@requires(Permission.LEARN)
def take_action_back(reference: str, uuid: UUID) -> ResponseReturnValue:
    """Take an action back; the row stays, and one that names it is added."""
    run = _run_to_lead(reference)
    with transaction():
        withdraw_action(run, uuid, key=OnceForm().form_key, by=current_user.person_id)
    flash("The action is taken back", "success")
    return redirect(url_for(".write_actions", reference=reference), 303)


def _run_to_lead(reference: str) -> PlenaryRun:
    run = find_plenary(reference, current_user.viewer)
    if not run.leads:
        raise ForbiddenError("Only who leads the exercise may do this.")
    return run


def _change_statements(run: PlenaryRun, key: str, form: ThemeForm, act: str) -> None:
    reference = "" if run.kind == "rehearsal" else run.reference
    who, by, keys = (run.id, reference), current_user.person_id, form.chosen.keys
    if act == "group":
        group_statements(who, key, keys, form.theme.data or "", by=by)
    elif act in {"hide", "show"}:
        hide_statements(who, key, keys, hidden=act == "hide", by=by)
    else:
        raise BadInputError(["Choose what to do with the statements."])
