"""The plenary as the room meets it: decisions side by side, anonymous statements, their ranking, actions."""

from collections.abc import Callable
from io import BytesIO
from itertools import groupby

from flask import current_app, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.exercises.actions import list_actions
from portal.domain.exercises.comparison import (
    compare_injects,
    injects_of_prompt,
    injects_with_questions,
    plain_words,
)
from portal.domain.exercises.debrief import read_debrief, readable_statements, write_pdf, write_zip
from portal.domain.exercises.plenary import (
    STAGE_WORDS,
    PlenaryRun,
    PromptStage,
    choose_statements,
    find_plenary,
    has_ranked,
    write_statement,
)
from portal.domain.exercises.statements import Statement
from portal.pages.exercises.blueprint import bp
from portal.pages.exercises.plenary_forms import RankingForm, StatementForm
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.anonymity import leaves_no_trace
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, NotFoundError
from portal.platform.permissions import Permission

# Of one person in one process: whoever writes all the time leaves the room most of its statements.
AT_MOST = "30 per minute; 60 per 4 hours"
FILE_KINDS = {"pdf": "application/pdf", "zip": "application/zip"}


@bp.get("/exercises/<reference>/plenary")
@requires(Permission.LEARN)
def show_plenary(reference: str) -> ResponseReturnValue:
    """The plenary of one run: each question with what the room can do now, and the actions."""
    plenary = find_plenary(reference, current_user.viewer)
    content = plenary.exercise.content
    prompts = [
        {
            "key": prompt["key"],
            "words": plain_words(prompt["prompt_html"]),
            "stage": plenary.stages[prompt["key"]],
            "stage_words": STAGE_WORDS[plenary.stages[prompt["key"]]],
            "groups": _group_by_theme(readable_statements(plenary, prompt["key"])),
            "injects": injects_of_prompt(content, prompt["compares"]),
        }
        for prompt in content["plenary"]
    ]
    return render_template(
        "exercises/plenary.html",
        run=plenary.run,
        exercise=plenary.exercise,
        plenary=plenary,
        prompts=prompts,
        stages=PromptStage,
        actions=list_actions(plenary.run.id),
    )


@bp.get("/exercises/<reference>/plenary/decisions")
@requires(Permission.LEARN)
def compare_decisions(reference: str) -> ResponseReturnValue:
    """What all syndicates answered at chosen injects, side by side; once the plenary is on."""
    plenary = find_plenary(reference, current_user.viewer)
    if not plenary.may_compare:
        raise NotFoundError("You can compare decisions once the plenary has begun.")
    injects = injects_with_questions(plenary.exercise.content)
    known_keys = {inject["key"] for inject in injects}
    chosen_keys = [key for key in request.args.getlist("inject") if key in known_keys]
    chosen_keys = chosen_keys or [inject["key"] for inject in injects[:1]]
    return render_template(
        "exercises/decisions.html",
        run=plenary.run,
        exercise=plenary.exercise,
        injects=injects,
        chosen=chosen_keys,
        compared=compare_injects(plenary.run, chosen_keys),
        plain_words=plain_words,
    )


@bp.route("/exercises/<reference>/plenary/<key>/statement", methods=["GET", "POST"])
@leaves_no_trace
@requires(Permission.LEARN)
@limiter.limit(AT_MOST, methods=["POST"])
def send_statement(reference: str, key: str) -> ResponseReturnValue:
    """Write an anonymous statement; nothing is kept of who sent it, or when."""
    plenary = find_plenary(reference, current_user.viewer)
    words = plain_words(plenary.find_prompt(key)["prompt_html"])
    if plenary.stages[key] is not PromptStage.STATEMENTS:
        return _render_over(plenary, "The room does not write statements on this question now."), 409
    form = StatementForm()
    if form.validate_on_submit():
        try:
            with transaction():
                write_statement(reference, current_user.viewer, key, form.text.data)
        except ConflictError as error:
            return _render_over(plenary, str(error)), 409
        return redirect(url_for(".send_statement", reference=reference, key=key, sent=1), 303)
    page = render_template(
        "exercises/statement.html",
        run=plenary.run,
        exercise=plenary.exercise,
        words=words,
        form=form,
        sent="sent" in request.args,
    )
    return page, 400 if form.errors else 200


@bp.route("/exercises/<reference>/plenary/<key>/ranking", methods=["GET", "POST"])
@leaves_no_trace
@requires(Permission.LEARN)
@limiter.limit(AT_MOST, methods=["POST"])
def rank_prompt(reference: str, key: str) -> ResponseReturnValue:
    """Choose the statements that matter most, once; what one chose is not kept."""
    plenary = find_plenary(reference, current_user.viewer)
    words = plain_words(plenary.find_prompt(key)["prompt_html"])
    if plenary.stages[key] is not PromptStage.RANKING:
        return _render_over(plenary, "The room does not rank statements on this question now."), 409
    if has_ranked(plenary.run.id, key, current_user.person_id):
        return _render_over(plenary, "Your choice is counted. What you chose is not kept."), 200
    form = RankingForm()
    form.chosen.offer_statements(readable_statements(plenary, key))
    if form.validate_on_submit():
        try:
            with transaction():
                choose_statements(reference, current_user.viewer, key, form.chosen.chosen_keys)
        except ConflictError as error:
            return _render_over(plenary, str(error)), 409
        return redirect(url_for(".rank_prompt", reference=reference, key=key), 303)
    page = render_template(
        "exercises/ranking.html", run=plenary.run, exercise=plenary.exercise, words=words, form=form
    )
    return page, 400 if form.errors else 200


@bp.get("/exercises/<reference>/debrief.pdf")
@requires(Permission.LEARN)
def debrief_pdf(reference: str) -> ResponseReturnValue:
    """The debrief as a tagged PDF: for who leads, and for all once the run has ended."""
    return _send_debrief(reference, "pdf", write_pdf)


@bp.get("/exercises/<reference>/debrief.zip")
@requires(Permission.LEARN)
def debrief_zip(reference: str) -> ResponseReturnValue:
    """The debrief with its tables, their hashes in a manifest; for whom ``debrief_pdf`` is."""
    return _send_debrief(reference, "zip", write_zip)


def _send_debrief(reference: str, kind: str, write: Callable[..., bytes]) -> ResponseReturnValue:
    plenary = find_plenary(reference, current_user.viewer)
    if not plenary.may_debrief:
        raise NotFoundError("You can read the debrief once the exercise has ended.")
    with transaction():
        log("debrief.downloaded", actor_id=current_user.person_id, run=plenary.run.reference, format=kind)
    force = current_app.config["PORTAL"].force_name
    content = write(read_debrief(plenary, clock.now()), force=force)
    name = f"{plenary.run.reference}-debrief.{kind}"
    return send_file(BytesIO(content), FILE_KINDS[kind], as_attachment=True, download_name=name)


def _group_by_theme(statements: list[Statement]) -> list[tuple[str, list[Statement]]]:
    """The statements by group, in their order."""
    return [
        (theme, list(group)) for theme, group in groupby(statements, key=lambda statement: statement.theme)
    ]


def _render_over(plenary: PlenaryRun, sentence: str) -> str:
    """Render the page that says why there is nothing to send now."""
    return render_template(
        "exercises/plenary_over.html", run=plenary.run, exercise=plenary.exercise, sentence=sentence
    )
