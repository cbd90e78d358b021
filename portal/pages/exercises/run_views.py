"""The screens of a run: the facilitator's control page, each syndicate's page and the wall."""

from uuid import UUID, uuid4

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.exercises.plenary import STAGE_WORDS
from portal.domain.exercises.room_question import RoomQuestion, find_room_question, statements_at
from portal.domain.exercises.running import services
from portal.domain.exercises.running.answers import find_question, read_answer
from portal.domain.exercises.running.clock import Phase, is_allowed
from portal.domain.exercises.running.progress import Progress, is_for
from portal.domain.exercises.running.queries import (
    NO_RUN,
    RunView,
    exercise_in,
    find_run,
    list_steps,
    progress_of,
)
from portal.domain.exercises.running.services import EntryRequest, StepRequest
from portal.pages.exercises.live import ASK_EVERY, answer_screen, note_clock_releases, screen_tag
from portal.pages.exercises.screens import (
    PHASE_WORDS,
    build_inject_rows,
    build_logs,
    build_syndicate_screen,
    clock_words,
)
from portal.pages.layout.access import requires
from portal.pages.layout.form_fields import clean_text, read_whole_number
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission

MOST_ON_WALL = 10  # statements: the plenary's page has them all
OPEN_AGAIN = "Open the page again, and send it from there."


def add_run_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of exercises."""
    run, own = "/exercises/<reference>", "/exercises/<reference>/<int:syndicate>"
    bp.add_url_rule(f"{run}/control", view_func=show_control)
    bp.add_url_rule(f"{run}/control", view_func=take_control_step, methods=["POST"])
    bp.add_url_rule(f"{run}/wall", view_func=show_wall)
    bp.add_url_rule(own, view_func=show_syndicate)
    bp.add_url_rule(own, view_func=write_to_log, methods=["POST"])


@requires(Permission.LEARN)
def show_control(reference: str) -> ResponseReturnValue:
    """Show the facilitator the clock, the injects and every syndicate's log as it grows."""
    run, progress = _find_controlled_run(reference)
    note_clock_releases(run, progress, current_user.viewer, clock.now())
    tag = screen_tag("control", run, progress)
    return answer_screen(tag, progress, lambda: _render_control(run, progress, tag))


def _read_syndicate(text: str) -> int:
    """The syndicate that a step is for; 0 for all, where the form names none."""
    number = read_whole_number(text or "0")
    if number is None:
        raise NotFoundError("There is no such syndicate.")
    return number


@requires(Permission.LEARN)
def take_control_step(reference: str) -> ResponseReturnValue:
    """Take a step, such as begin, hold, release or send a message."""
    form, viewer = request.form, current_user.viewer
    requested = StepRequest(
        form.get("do", ""),
        form.get("inject", ""),
        _read_syndicate(form.get("to", "")),
        clean_text(form.get("text", "")).strip(),
    )
    leaves_nothing = requested.kind == "end" and find_run(reference, viewer).is_rehearsal
    try:
        with transaction():
            services.take_step(reference, viewer, _sent_key(form), requested, clock.now())
    except RuleError as error:
        run, progress = _find_controlled_run(reference)
        return _render_control(run, progress, screen_tag("control", run, progress), str(error), requested)
    if form.get("from") == "syndicate":
        return redirect(url_for(".show_syndicate", reference=reference, syndicate=1), 303)
    if leaves_nothing:
        return redirect(url_for(".list_exercise_runs"), 303)
    return redirect(url_for(".show_control", reference=reference), 303)


def _find_controlled_run(reference: str) -> tuple[RunView, Progress]:
    run = find_run(reference, current_user.viewer)
    if not run.may_control:
        raise NotFoundError(NO_RUN)
    return run, progress_of(run, clock.now())


def _render_control(
    run: RunView, progress: Progress, tag: str, error: str = "", typed: StepRequest | None = None
) -> str:
    return render_template(
        "exercises/control.html",
        **_frame_screen(run, progress, tag, error),
        injects=build_inject_rows(run, progress),
        logs=build_logs(run, progress),
        typed=typed,
    )


def _frame_screen(run: RunView, progress: Progress, tag: str, error: str = "") -> dict[str, object]:
    """What every screen of a run is given."""
    return {
        "run": run,
        "exercise": exercise_in(run),
        "progress": progress,
        "phase": progress.phase.value,
        "phase_words": PHASE_WORDS[progress.phase],
        "clock_words": clock_words(progress.clock.elapsed),
        "tag": tag,
        "ask_every": ASK_EVERY,
        "new_key": uuid4,
        "fill": fill_placeholders,
        "error": error,
    }


@requires(Permission.LEARN)
def show_wall(reference: str) -> ResponseReturnValue:
    """Show the room the clock and what all syndicates were given last."""
    run = find_run(reference, current_user.viewer)
    progress = progress_of(run, clock.now())
    room_question = _find_room_question(run, progress)
    statements = statements_at(run.id, room_question.key, room_question.stage) if room_question else []
    tag = screen_tag("wall", run, progress, plenary=(room_question, statements))

    def render_wall() -> str:
        injects = exercise_in(run).content["injects"]
        released = [i for i in injects if i["key"] in progress.releases and is_for(0, i)]
        released.sort(key=lambda inject: progress.releases[inject["key"]].order)
        return render_template(
            "exercises/wall.html",
            **_frame_screen(run, progress, tag),
            injects=[(inject, progress.releases[inject["key"]].at) for inject in released[::-1][:6]],
            room_messages=progress.messages_to(0)[::-1][:2],
            room_question=room_question,
            stage_words=STAGE_WORDS,
            statements=statements[:MOST_ON_WALL],
            not_shown=max(0, len(statements) - MOST_ON_WALL),
        )

    return answer_screen(tag, progress, render_wall)


def _find_room_question(run: RunView, progress: Progress) -> RoomQuestion | None:
    """What the room is asked while the plenary is on."""
    if progress.phase is not Phase.PLENARY:
        return None
    return find_room_question(exercise_in(run).content, list_steps(run))


@requires(Permission.LEARN)
def show_syndicate(reference: str, syndicate: int) -> ResponseReturnValue:
    """Show a syndicate its material in order, its questions and its decision log."""
    run, progress = _find_syndicate_run(reference, syndicate)
    note_clock_releases(run, progress, current_user.viewer, clock.now())
    tag = screen_tag("syndicate", run, progress, syndicate, plenary=_find_room_question(run, progress))
    return answer_screen(tag, progress, lambda: _render_syndicate(run, progress, syndicate, tag))


@requires(Permission.LEARN)
def write_to_log(reference: str, syndicate: int) -> ResponseReturnValue:
    """Write an entry into the syndicate's log, or become its scribe."""
    form, viewer = request.form, current_user.viewer
    run, progress = _find_syndicate_run(reference, syndicate)
    try:
        key, do, at = _sent_key(form), form.get("do", ""), clock.now()
        requested = None if do == "scribe" else _read_entry(run, form)
        with transaction():
            if do in ("scribe", "both"):
                services.become_scribe(reference, viewer, syndicate, key, at)
            if requested:
                services.write_entry(reference, viewer, syndicate, key, requested, at)
    except RuleError as error:
        run, progress = _find_syndicate_run(reference, syndicate)
        tag = screen_tag("syndicate", run, progress, syndicate, plenary=_find_room_question(run, progress))
        return _render_syndicate(run, progress, syndicate, tag, str(error), form)
    page = url_for(".show_syndicate", reference=reference, syndicate=syndicate)
    anchor = form.get("place", "")
    return redirect(f"{page}#{anchor}" if anchor.replace("-", "").isalnum() else page, 303)


def _read_entry(run: RunView, form: MultiDict[str, str]) -> EntryRequest:
    question_key = form.get("question", "")
    question = find_question(exercise_in(run).content, question_key)[1] if question_key else None
    fields = {name: clean_text(value) for name, value in form.items()}
    return EntryRequest(
        read_answer(question, fields), question_key, read_whole_number(form.get("corrects", "")) or None
    )


def _find_syndicate_run(reference: str, syndicate: int) -> tuple[RunView, Progress]:
    run = find_run(reference, current_user.viewer, syndicate)
    if not run.may_see(syndicate):
        raise NotFoundError(NO_RUN)
    return run, progress_of(run, clock.now())


def _render_syndicate(
    run: RunView,
    progress: Progress,
    syndicate: int,
    tag: str,
    error: str = "",
    typed: MultiDict[str, str] | None = None,
) -> str:
    is_scribe = run.is_scribe(syndicate, progress)
    return render_template(
        "exercises/syndicate.html",
        **_frame_screen(run, progress, tag, error),
        syndicate=syndicate,
        own_page=url_for(".show_syndicate", reference=run.reference, syndicate=syndicate),
        screen=build_syndicate_screen(run, progress, syndicate),
        injects=build_inject_rows(run, progress) if run.kind == "table_top" else [],
        room_question=_find_room_question(run, progress),
        is_scribe=is_scribe,
        may_write=run.may_write(syndicate),
        writes_now=is_scribe and is_allowed("entry", progress.phase),
        typed=typed or MultiDict(),
    )


def _sent_key(form: MultiDict[str, str]) -> UUID:
    """The key of the form that was sent.

    Raises:
        RuleError: It has none.
    """
    try:
        return UUID(form.get("key", ""))
    except ValueError as error:
        raise RuleError(OPEN_AGAIN) from error
