"""The screens of a run: the facilitator's control page, each syndicate's page and the wall."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.people.visibility import Viewer
from portal.features.exercises import runs
from portal.features.exercises.debrief import RoomQuestion, find_room_question, statements_at
from portal.features.exercises.plenary import STAGE_WORDS
from portal.features.exercises.run_queries import (
    NO_RUN,
    Entry,
    Phase,
    Progress,
    RunView,
    exercise_in,
    find_question,
    find_run,
    is_allowed,
    is_for,
    list_entries,
    list_names,
    list_steps,
    progress_of,
    read_answer,
    words_of_answer,
)
from portal.features.exercises.runs import EntryRequest, StepRequest, note_releases
from portal.features.exercises.sources import Inject, InjectQuestion
from portal.pages.layout.access import requires
from portal.pages.layout.forms import clean_text, read_whole_number
from portal.platform import clock
from portal.platform.db import transaction, try_to_write
from portal.platform.errors import NotFoundError, RuleError, require
from portal.platform.permissions import Permission

# Screens that ask once a second: an answer without content while nothing is new on them.

CLOCK_HEADER = "Exercise-Clock"  # whole seconds of the exercise's clock, with every answer
ASK_EVERY = 800  # milliseconds from one answer to the next question: an inject is there within a second


def screen_tag(
    screen: str, run: RunView, progress: Progress, syndicate: int = 0, *, plenary: object = None
) -> str:
    """A tag of a screen's content: it changes whenever something on the screen does.

    Args:
        screen: The name of the screen.
        run: As the viewer sees it, with the newest entry of the syndicate or of all.
        progress: Of the run now.
        syndicate: Whose screen; 0: one that shows all.
        plenary: What it shows of the plenary.
    """
    injects = exercise_in(run).content["injects"]
    released = [
        inject["key"]
        for inject in injects
        if inject["key"] in progress.releases and (screen == "control" or is_for(syndicate, inject))
    ]
    scribes = sorted(progress.scribes.items())
    contents = (
        (screen, run.recorded_at, run.person_id, syndicate, run.newest_entry, plenary),
        (progress.phase, progress.clock.is_waiting, released),
        sorted(key for key in progress.own_releases if screen == "control" or key[0] == syndicate),
        [step.id for step in progress.messages if screen == "control" or step.syndicate in (0, syndicate)],
        scribes if not syndicate else progress.scribes.get(syndicate),
    )
    return sha256(repr(contents).encode()).hexdigest()[:24]


def answer_screen(tag: str, progress: Progress, render: Callable[[], str]) -> Response:
    """The page, or that nothing is new on it since the reader's last question."""
    is_known = request.if_none_match.contains_weak(tag)
    response = Response(status=304) if is_known else make_response(render())
    response.set_etag(tag, weak=True)
    response.headers[CLOCK_HEADER] = str(int(progress.clock.elapsed.total_seconds()))
    return response


def note_clock_releases(run: RunView, progress: Progress, viewer: Viewer, at: datetime) -> None:
    """Note what the clock has released, where that can be done at once; another screen does it otherwise."""
    if progress.unnoted:
        try_to_write(lambda: note_releases(run.reference, viewer, at), "an inject was released by the clock")


# What the screens of a run show: material in order with its questions, and decision logs as lines.

SOMEONE = "Someone"
PHASE_WORDS = {
    Phase.READY: "Not begun",
    Phase.RUNNING: "Going on",
    Phase.HELD: "Held",
    Phase.PLENARY: "Plenary",
    Phase.ENDED: "Ended",
}


def clock_words(elapsed: timedelta) -> str:
    """The exercise's clock in hours, minutes and seconds.

    >>> clock_words(timedelta(minutes=62, seconds=5))
    '1:02:05'
    """
    minutes, seconds = divmod(int(elapsed.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


@dataclass(frozen=True, slots=True)
class LogLine:
    """An entry of a decision log as it is read."""

    id: int
    key: str
    at: datetime
    by: str
    about: str  # the inject's title; "" for a decision of their own
    words: list[Markup]  # choices, in order
    text: str
    reason: str
    corrects: bool
    corrected: bool  # a later entry holds
    first_id: int  # of its chain


@dataclass(frozen=True, slots=True)
class ScreenQuestion:
    """A question on a syndicate's page, with what was answered."""

    inject_question: InjectQuestion
    prompt: Markup
    choices: list[tuple[str, Markup]]
    lines: list[LogLine]  # the answer and its corrections


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An inject or a message, as a syndicate reads it."""

    id: str
    at: datetime
    title: str
    html: Markup | None = None  # of an inject
    text: str = ""  # of a message
    questions: list[ScreenQuestion] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class InjectRow:
    """An inject on the control page."""

    inject: Inject
    notes: Markup
    released_at: datetime | None  # to all
    by_hand: bool
    own: dict[int, datetime]  # when it was released to one syndicate
    open_to: list[int]  # syndicates that can still get it alone; none of a timed one, or with one syndicate


def _build_log_lines(run: RunView, entries: list[Entry], names: Mapping[int, str]) -> list[LogLine]:
    injects = {inject["key"]: inject for inject in exercise_in(run).content["injects"]}
    questions = {q["key"]: q for inject in injects.values() for q in inject["questions"]}
    latest = {entry.corrects_id or entry.id: entry.id for entry in entries}
    return [
        LogLine(
            id=entry.id,
            key=str(entry.key),
            at=entry.at,
            by=names.get(entry.by_id, SOMEONE),
            about=injects[entry.inject_key]["title"] if entry.inject_key in injects else "",
            words=[
                fill_placeholders(w) for w in words_of_answer(questions.get(entry.question_key), entry.answer)
            ],
            text=entry.answer.get("text", ""),
            reason=entry.answer.get("reason", ""),
            corrects=entry.corrects_id is not None,
            corrected=latest[entry.corrects_id or entry.id] != entry.id,
            first_id=entry.corrects_id or entry.id,
        )
        for entry in entries
    ]


@dataclass(frozen=True, slots=True)
class SyndicateScreen:
    """All that a syndicate's page shows of its run."""

    feed: list[FeedItem]
    log: list[LogLine]
    scribe: str  # the name; "" for none


def build_syndicate_screen(run: RunView, progress: Progress, syndicate: int) -> SyndicateScreen:
    """Build the page of a syndicate: what it reads and wrote. Two statements."""
    entries = list_entries(run.id, syndicate)
    scribe = progress.scribes.get(syndicate)
    names = list_names({entry.by_id for entry in entries} | ({scribe} if scribe else set()))
    lines = _build_log_lines(run, entries, names)
    of_question: dict[str, list[LogLine]] = {}
    for entry, line in zip(entries, lines, strict=True):
        of_question.setdefault(entry.question_key, []).append(line)
    feed = [
        (
            release.order,
            FeedItem(
                f"inject-{inject['key']}",
                release.at,
                inject["title"],
                fill_placeholders(inject["html"]),
                questions=[_build_question(q, of_question.get(q["key"], [])) for q in inject["questions"]],
            ),
        )
        for inject in exercise_in(run).content["injects"]
        if (release := progress.release_to(syndicate, inject))
    ]
    feed += [
        (
            step.recorded_at,
            FeedItem(f"message-{step.id}", step.clock_at, "Message from the facilitator", text=step.text),
        )
        for step in progress.messages_to(syndicate)
    ]
    in_order = [item for _, item in sorted(feed, key=lambda pair: pair[0])]
    return SyndicateScreen(in_order, lines, names.get(scribe, SOMEONE) if scribe else "")


def _build_question(question: InjectQuestion, lines: list[LogLine]) -> ScreenQuestion:
    choices = [(choice["key"], fill_placeholders(choice["html"])) for choice in question["choices"]]
    return ScreenQuestion(question, fill_placeholders(question["prompt_html"]), choices, lines)


@dataclass(frozen=True, slots=True)
class SyndicateLog:
    """A syndicate on the control page."""

    number: int
    scribe: str
    lines: list[LogLine]  # newest first
    answered: int
    asked: int


def build_logs(run: RunView, progress: Progress) -> list[SyndicateLog]:
    """Every syndicate's log. Two statements."""
    entries = list_entries(run.id)
    people: Iterable[int] = [*progress.scribes.values(), *(entry.by_id for entry in entries)]
    names = list_names(set(people))
    by_syndicate: dict[int, list[Entry]] = {}
    for entry in entries:
        by_syndicate.setdefault(entry.syndicate, []).append(entry)
    logs = []
    for number in range(1, run.syndicates + 1):
        own_entries = by_syndicate.get(number, [])
        scribe = progress.scribes.get(number)
        question_keys = [
            question["key"]
            for inject in exercise_in(run).content["injects"]
            if progress.has_inject(number, inject)
            for question in inject["questions"]
        ]
        answered = {entry.question_key for entry in own_entries} & set(question_keys)
        lines = _build_log_lines(run, own_entries, names)[::-1]
        name = names.get(scribe, SOMEONE) if scribe else ""
        logs.append(SyndicateLog(number, name, lines, len(answered), len(question_keys)))
    return logs


def build_inject_rows(run: RunView, progress: Progress) -> list[InjectRow]:
    """Every inject of the exercise, with when it was released."""
    rows = []
    for inject in exercise_in(run).content["injects"]:
        release = progress.releases.get(inject["key"])
        own_times = {
            number: own.at for (number, key), own in progress.own_releases.items() if key == inject["key"]
        }
        alone = run.syndicates > 1 and inject["minute"] is None and not release
        rows.append(
            InjectRow(
                inject,
                fill_placeholders(inject["facilitator_html"]),
                release.at if release else None,
                bool(release and release.by_hand),
                own_times,
                [number for number in run.syndicates_for(inject) if number not in own_times] if alone else [],
            )
        )
    return rows


MOST_ON_WALL = 10  # statements: the plenary's page has them all
OPEN_AGAIN = "Open the page again, and send it from there."


bp = Blueprint("exercises", __name__, template_folder="templates")


def add_run_pages() -> None:
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
    return require(read_whole_number(text or "0"), "There is no such syndicate.")


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
            runs.take_step(reference, viewer, _sent_key(form), requested, clock.now())
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
                runs.become_scribe(reference, viewer, syndicate, key, at)
            if requested:
                runs.write_entry(reference, viewer, syndicate, key, requested, at)
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
    """The key of the form that was sent."""
    try:
        return UUID(form.get("key", ""))
    except ValueError as error:
        raise RuleError(OPEN_AGAIN) from error
