"""The plenary as the room meets it: decisions side by side, anonymous statements, their ranking, actions."""

from collections.abc import Callable, Iterable
from datetime import date
from io import BytesIO
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

from flask import current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import HiddenField, ValidationError
from wtforms.fields import SelectChoice

from portal.features.exercises import debrief, plenary
from portal.features.exercises.debrief import (
    READABLE_STAGES,
    add_action,
    compare_injects,
    injects_of_prompt,
    injects_with_questions,
    list_actions,
    plain_words,
    read_debrief,
    readable_statements,
    withdraw_action,
    write_pdf,
    write_zip,
)
from portal.features.exercises.plenary import (
    STAGE_WORDS,
    PlenaryRun,
    PromptStage,
    Statement,
    choose_statements,
    count_in_fives,
    find_plenary,
    group_statements,
    has_ranked,
    hide_statements,
    list_statements,
    move_to_stage,
    write_statement,
)
from portal.features.exercises.run_queries import RunView
from portal.features.exercises.run_views import bp
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.bearer import leaves_no_trace
from portal.pages.layout.fields import button, long_line, one_day, text_line
from portal.pages.layout.forms import (
    LONGEST_LINE,
    CheckboxesField,
    PortalForm,
)
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ConflictError, ForbiddenError, NotFoundError
from portal.platform.permissions import Permission

# Forms of the plenary: a statement, a choice of them, their groups, and an action.


class StatementForm(PortalForm):
    """One anonymous statement."""

    text = long_line(
        "Your statement",
        f"One thought, of at most {plenary.LONGEST} characters. Name nobody in it.",
        required="Write a statement",
        most=plenary.LONGEST,
        rows=3,
    )
    send = button("Send without your name")


class StatementsField(CheckboxesField):
    """Some of the statements that a page shows."""

    def offer_statements(self, offered: Iterable[Statement]) -> None:
        """Offer some statements, in their order."""
        self.choices = [
            SelectChoice(value=str(row.key), label=f"{row.text} (off the wall)" if row.hidden else row.text)
            for row in offered
        ]

    @property
    def chosen_keys(self) -> list[UUID]:
        """The keys of the chosen statements; a value that is no key is left out."""
        return [key for value in dict.fromkeys(self.data or []) if (key := read_key(value)) is not None]


class RankingForm(PortalForm):
    """The statements that matter most to one person."""

    chosen = StatementsField("Choose up to three", description="Each gets one point.")
    send = button("Send your choice")

    def validate_chosen(self, field: StatementsField) -> None:
        """Require one, two or three."""
        if not 1 <= len(field.chosen_keys) <= plenary.CHOICES:
            raise ValidationError("Choose one, two or three statements")


class ThemeForm(PortalForm):
    """Statements to put into a group, or to take off the wall; the button says which."""

    chosen = StatementsField("Statements")
    theme = text_line(
        "Name of the group",
        "Leave it empty to take statements out of their group.",
        most=plenary.LONGEST_THEME,
        width=20,
        autocomplete=None,
    )

    def validate_chosen(self, field: StatementsField) -> None:
        """Require at least one."""
        if not field.chosen_keys:
            raise ValidationError("Choose the statements")


class OnceForm(PortalForm):
    """A form with a key of its own, so that sent twice is once."""

    key = HiddenField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if read_key(self.key.data or "") is None:
            self.key.data = str(uuid4())

    @property
    def form_key(self) -> UUID:
        """Its key."""
        return UUID(self.key.data)


class ActionForm(OnceForm):
    """Something to be done after the exercise."""

    what = long_line("What is to be done", required="Enter what is to be done", most=debrief.LONGEST, rows=2)
    owner = text_line(
        "Who will do it",
        "A role or a post, such as duty inspector.",
        required="Enter who will do it",
        most=LONGEST_LINE,
        width=20,
        autocomplete=None,
    )
    due_on = one_day(
        "By when", "Such as 31 May 2027", autocomplete=None, missing="Enter a date, such as 31 May 2027"
    )
    send = button("Write it down")

    @property
    def due_day(self) -> date:
        """The day; the form must be valid."""
        day = self.due_on.day
        if day is None:
            raise ValueError("The form is not valid.")
        return day


def read_key(text: str) -> UUID | None:
    """Read a key; None: the text is no key."""
    try:
        return UUID(text)
    except ValueError:
        return None


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


# The plenary as who leads it meets it: opening and closing questions, grouping statements, actions.

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
