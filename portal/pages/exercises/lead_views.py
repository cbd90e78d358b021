"""The plenary as who leads it meets it: opening and closing questions, grouping statements, actions."""

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
from portal.domain.exercises.room_question import READABLE_STAGES
from portal.domain.exercises.running.queries import RunView
from portal.domain.exercises.statements import (
    count_in_fives,
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
    plenary = _lead_plenary(reference)
    prompt, stage, run = plenary.find_prompt(key), plenary.stages[key], plenary.run
    statements = list_statements(run.id, key) if stage in READABLE_STAGES else []
    form = ThemeForm()
    form.chosen.offer_statements(statements)
    if form.validate_on_submit():
        with transaction():
            _change_statements(run, key, form, request.form.get("act", ""))
        return redirect(url_for(".lead_prompt", reference=reference, key=key), 303)
    page = render_template(
        "exercises/lead.html",
        run=run,
        exercise=plenary.exercise,
        words=plain_words(prompt["prompt_html"]),
        prompt_key=key,
        stage=stage,
        stage_words=STAGE_WORDS[stage],
        buttons=[
            (next_stage.value, STAGE_BUTTONS[next_stage])
            for next_stage in plenary.open_stages
            if next_stage is not stage
        ],
        statements=statements,
        about=count_in_fives(run.id, key),
        writing=stage is PromptStage.STATEMENTS,
        form=form,
        once=OnceForm(),
    )
    return page, 400 if form.errors else 200


@bp.post("/exercises/<reference>/plenary/<key>/stage")
@requires(Permission.LEARN)
def move_prompt(reference: str, key: str) -> ResponseReturnValue:
    """Let the room write, read or rank, or close the question."""
    _lead_plenary(reference)
    try:
        stage = PromptStage(request.form.get("stage", ""))
    except ValueError as error:
        raise BadInputError(["Choose what the room does next."]) from error
    form_key = OnceForm().form_key
    with transaction():
        move_to_stage(reference, current_user.viewer, key, stage, form_key=form_key)
    return redirect(url_for(".lead_prompt", reference=reference, key=key), 303)


@bp.route("/exercises/<reference>/actions", methods=["GET", "POST"])
@requires(Permission.LEARN)
def write_actions(reference: str) -> ResponseReturnValue:
    """What is to be done after the exercise, by whom and until when."""
    plenary = _lead_plenary(reference)
    form = ActionForm()
    if form.validate_on_submit():
        with transaction():
            add_action(plenary.run, form.what.data, form.owner.data, form.due_day, key=form.form_key)
        flash("The action is written down", "success")
        return redirect(url_for(".write_actions", reference=reference), 303)
    page = render_template(
        "exercises/actions.html",
        run=plenary.run,
        exercise=plenary.exercise,
        form=form,
        actions=list_actions(plenary.run.id),
        once=OnceForm,
    )
    return page, 400 if form.errors else 200


@bp.post("/exercises/<reference>/actions/<uuid:uuid>/withdrawal")
@requires(Permission.LEARN)
def take_action_back(reference: str, uuid: UUID) -> ResponseReturnValue:
    """Take an action back; the row stays, and one that names it is added."""
    plenary = _lead_plenary(reference)
    with transaction():
        withdraw_action(plenary.run, uuid, key=OnceForm().form_key)
    flash("The action is taken back", "success")
    return redirect(url_for(".write_actions", reference=reference), 303)


def _lead_plenary(reference: str) -> PlenaryRun:
    plenary = find_plenary(reference, current_user.viewer)
    if not plenary.run.may_control:
        raise ForbiddenError("Only the person who leads the exercise may do this.")
    return plenary


def _change_statements(run: RunView, key: str, form: ThemeForm, act: str) -> None:
    if act == "group":
        group_statements(run, key, form.chosen.chosen_keys, form.theme.data or "")
    elif act in {"hide", "show"}:
        hide_statements(run, key, form.chosen.chosen_keys, hidden=act == "hide")
    else:
        raise BadInputError(["Choose what to do with the statements."])
