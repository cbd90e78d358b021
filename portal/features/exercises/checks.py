"""Checks that an exercise's injects, questions, roles and prompts fit together; and its rendering. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from markupsafe import escape

from portal.domain.catalogue.law import format_law_note
from portal.domain.catalogue.markdown import Address, RenderContext, TextLocation, render_inline, render_page
from portal.domain.catalogue.media import read_media
from portal.domain.catalogue.module_check import check_transcripts, digest_of, sha256_of
from portal.domain.catalogue.source_files import PRACTICE, SharedContent
from portal.domain.content_checks import checks, metrics
from portal.features.exercises.sources import (
    BRIEFING,
    DEBRIEF,
    FACILITATOR,
    AskedQuestion,
    ExerciseContent,
    ExerciseText,
    Inject,
    InjectQuestion,
    InjectText,
    PlenaryPrompt,
    parse_exercise,
)
from portal.platform.formats.toml_tables import Fault, Faults
from portal.platform.wording import plural

LEAST_WAYS = 2  # in which the exercise can go on after a turning point


@dataclass(frozen=True)
class CheckedExercise:
    """An exercise that has been read, checked and rendered; it can be published if there are no faults."""

    text: ExerciseText
    digest: str
    content: ExerciseContent


def exercise_media_address(sha256: str, path: str) -> str:
    """The address of a published exercise's media file; it has the content's hash, so browsers keep it.

    >>> exercise_media_address("ab", "media/lane.svg")
    '/exercises/media/ab/lane.svg'
    """
    return f"/exercises/media/{sha256}/{path.removeprefix('media/')}"


def check_exercise(
    key: str,
    files: dict[str, bytes],
    shared: SharedContent,
    faults: Faults,
    address: Address = exercise_media_address,
) -> CheckedExercise | None:
    """Read, check and render the exercise ``key``; None if its ``exercise.toml`` cannot be read.

    Args:
        key: The exercise's key, which is its folder's name.
        files: Every file of its folder by path.
        shared: The shared files of the modules, to whose sources, terms and force settings texts may refer.
        faults: The list to which faults are added.
        address: Returns a media file's address from its hash and path.
    """
    text = parse_exercise(key, files, faults)
    if text is None:
        return None
    context = RenderContext(
        module=key,
        lessons=frozenset(),
        media=read_media(key, files, faults),
        addresses={p: address(sha256_of(c), p) for p, c in files.items() if p.startswith("media/")},
        shared=shared,
        faults=faults,
    )
    _check_times(text)
    _check_turning_points(text)
    _check_questions(text, faults)
    _check_prompts(text)
    _check_sources(text, shared)
    checked = CheckedExercise(text, digest_of(files), _render_exercise(text, context))
    check_transcripts(key, context)
    return checked


def list_questions(text: ExerciseText) -> Iterator[tuple[InjectText, AskedQuestion]]:
    """Every question with its inject, in order."""
    for inject in text.injects:
        for question in inject.questions:
            yield inject, question


def _check_times(text: ExerciseText) -> None:
    """Times rise in the order of the injects, and the last is before the end."""
    latest_minute = 0
    for inject in text.injects:
        if inject.minute is None:
            continue
        if inject.minute < latest_minute:
            reason = f"The inject above it comes at minute {latest_minute}. Change the order, or the minute."
            inject.head.fault("minute", reason)
        if inject.minute >= text.minutes:
            inject.head.fault("minute", f"The exercise ends at minute {text.minutes}. Choose one before it.")
        latest_minute = max(latest_minute, inject.minute)


def _check_turning_points(text: ExerciseText) -> None:
    """What continues a turning point comes after it, by hand; and there are at least two ways to go on."""
    ways: dict[str, int] = {}
    for inject in text.injects:
        if inject.after and inject.after not in ways:
            reason = f"“{inject.after}” is not a turning point above this inject. Name one, or take it out."
            inject.head.fault("after", reason)
        elif inject.after:
            ways[inject.after] += 1
        if inject.after and inject.minute is not None:
            inject.head.fault("minute", "What continues a turning point is released by hand. Write a cue.")
        if inject.turning_point:
            ways[inject.key] = 0
    for inject in text.injects:
        if inject.turning_point and ways[inject.key] < LEAST_WAYS:
            reason = (
                f"A turning point needs {LEAST_WAYS} injects or more that say after = “{inject.key}”:"
                " the ways in which the exercise can go on."
            )
            inject.head.fault("turning_point", reason)


def _check_questions(text: ExerciseText, faults: Faults) -> None:
    seen_keys: set[str] = set()
    decided: set[str] = set()
    for inject, question in list_questions(text):
        if question.key and question.key in seen_keys:
            reason = f"The key “{question.key}” is used twice in the exercise. Use another."
            faults.add(inject.path, question.line, reason)
        if question.role and question.role not in text.roles:
            reason = f"“{question.role}” is not among the roles of exercise.toml. Add it, or correct it."
            faults.add(inject.path, question.line, reason)
        seen_keys.add(question.key)
        decided.add(question.role)
    for role in text.roles:
        if role not in decided:
            text.head.fault("roles", f"No question is for “{role}” to decide. Give one role = “{role}”.")


def _check_prompts(text: ExerciseText) -> None:
    questions = {question.key for _, question in list_questions(text)}
    keys = [prompt.key for prompt in text.plenary]
    for prompt in text.plenary:
        if keys.count(prompt.key) > 1:
            text.head.fault("plenary", f"The key “{prompt.key}” is used twice. Give each prompt its own.")
        for key in prompt.compares:
            if key not in questions:
                reason = f"The prompt “{prompt.key}” compares “{key}”, which is no question. Correct it."
                text.head.fault("plenary", reason)


def _check_sources(text: ExerciseText, shared: SharedContent) -> None:
    for inject in text.injects:
        for number in inject.sources:
            if number != PRACTICE and number not in shared.sources:
                reason = f"The source “{number}” is not in _sources.toml. Use one that is, or “practice”."
                inject.head.fault("sources", reason)


def _render_exercise(text: ExerciseText, context: RenderContext) -> ExerciseContent:
    def render_sheet(name: str) -> str:
        return render_page(text.sheets[name], _locate_text(context, f"{text.key}/{name}", 1))

    return {
        "roles": text.roles,
        "briefing_html": render_sheet(BRIEFING),
        "facilitator_html": render_sheet(FACILITATOR),
        "injects": [_render_inject(inject, text, context) for inject in text.injects],
        "plenary": [
            PlenaryPrompt(
                key=prompt.key,
                prompt_html=render_inline(prompt.prompt, _locate_text(context, text.path, prompt.line)),
                compares=prompt.compares,
            )
            for prompt in text.plenary
        ],
        "debrief_html": render_sheet(DEBRIEF),
    }


def _locate_text(context: RenderContext, path: str, line: int) -> TextLocation:
    return TextLocation(context, path, line, allows_checks=False)


def _render_inject(inject: InjectText, text: ExerciseText, context: RenderContext) -> Inject:
    titles = {each.key: each.title for each in text.injects}
    cue = f"After “{titles[inject.after]}”: {inject.cue}" if inject.after in titles else inject.cue
    notes = render_page(inject.notes, _locate_text(context, inject.path, inject.notes_line))
    return {
        "key": inject.key,
        "title": inject.title,
        "minute": inject.minute,
        "cue": cue,
        "syndicates": inject.syndicates,
        "turning_point": inject.turning_point,
        "html": render_page(inject.body, _locate_text(context, inject.path, inject.body_line)),
        "facilitator_html": notes
        + _list_sources(inject.sources, context.shared)
        + format_law_note(inject.sources, context.shared),
        "questions": [_render_question(question, inject, context) for question in inject.questions],
    }


def _render_question(question: AskedQuestion, inject: InjectText, context: RenderContext) -> InjectQuestion:
    location = _locate_text(context, inject.path, question.line)
    whose = f"<strong>{escape(question.role)}:</strong> " if question.role else ""
    return {
        "key": question.key,
        "kind": question.kind,
        "prompt_html": whose + render_inline(question.prompt, location),
        "reason": question.reason,
        "choices": [{"key": key, "html": render_inline(words, location)} for key, words in question.choices],
    }


def _list_sources(numbers: list[str], shared: SharedContent) -> str:
    """The sources of an inject as the end of its facilitator's notes."""
    rows = []
    for number in numbers:
        source = shared.sources.get(number)
        if source is not None:
            rows.append(f"<li>{escape(number)}: {escape(source.title)}, {escape(source.publisher)}</li>")
        elif number == PRACTICE:
            rows.append("<li>Good practice that needs no source</li>")
    items = "".join(rows)
    return (
        f'<h3 class="govuk-heading-s">Sources</h3>\n<ul class="govuk-list govuk-list--bullet">{items}</ul>\n'
        if rows
        else ""
    )


# Checks an exercise against the brief for exercises: each breach with its file and line. Pure.
#
# A breach does not keep an exercise from being published: a force may want a shorter one.

MIN_INJECTS, MIN_TURNING_POINTS, MIN_PROMPTS = 14, 3, 2
MIN_DECISIONS = 3  # of each role
MAX_INJECT_WORDS = 250  # what a syndicate reads before it can decide
LONGEST_GAP = 15  # minutes without a timed inject


def check_exercise_brief(checked: CheckedExercise, on: date) -> list[Fault]:
    """List the breaches of the brief, by file and line.

    Only for an exercise whose format has no faults.

    Args:
        checked: The exercise as its format check read it.
        on: A review date before this day is a breach.
    """
    collected = Faults()
    for fault in _check_text(checked.text, on):
        collected.add(fault.path, fault.line, fault.reason)
    return collected.listed()


def _check_text(text: ExerciseText, on: date) -> Iterator[Fault]:
    yield from _check_whole(text, on)
    yield from _check_decisions(text)
    yield from _check_gaps(text)
    for inject in text.injects:
        yield from _check_inject(inject)
    for name, body in text.sheets.items():
        yield from _check_words(f"{text.key}/{name}", body, 1, law=name == FACILITATOR)
    for path, content in text.files.items():
        yield from checks.check_placeholders(f"{text.key}/{path}", content)
    yield from checks.check_drawings(_list_figures(text), text.key, text.files)


def _check_whole(text: ExerciseText, on: date) -> Iterator[Fault]:
    if text.review_on < on:
        reason = "The review date has passed. Review the exercise and set a new date."
        yield _detail_fault(text, "review_on", reason)
    if len(text.injects) < MIN_INJECTS:
        reason = f"It has {plural(len(text.injects), 'inject')}. Write {MIN_INJECTS} or more."
        yield _detail_fault(text, "injects", reason)
    turns = sum(inject.turning_point for inject in text.injects)
    if turns < MIN_TURNING_POINTS:
        reason = f"It has {plural(turns, 'turning point')}. Write {MIN_TURNING_POINTS} or more."
        yield _detail_fault(text, "injects", reason)
    if len(text.plenary) < MIN_PROMPTS:
        reason = f"The plenary has {plural(len(text.plenary), 'prompt')}. Write {MIN_PROMPTS} or more."
        yield _detail_fault(text, "plenary", reason)


def _check_decisions(text: ExerciseText) -> Iterator[Fault]:
    counts = Counter(question.role for _, question in list_questions(text))
    for role in text.roles:
        if counts[role] < MIN_DECISIONS:
            reason = (
                f"“{role}” has {plural(counts[role], 'question')} to decide. Write {MIN_DECISIONS} or more."
            )
            yield _detail_fault(text, "roles", reason)


def _check_gaps(text: ExerciseText) -> Iterator[Fault]:
    """Yield a fault for each long time in which the clock releases nothing."""
    last_minute = 0
    for inject in text.injects:
        if inject.minute is None:
            continue
        if inject.minute - last_minute > LONGEST_GAP:
            reason = (
                f"Nothing comes from minute {last_minute} to minute {inject.minute}. Bring something sooner."
            )
            yield Fault(inject.path, inject.head.line_of("minute"), reason)
        last_minute = inject.minute


def _check_inject(inject: InjectText) -> Iterator[Fault]:
    word_count = metrics.measure_text(inject.body).words
    if word_count > MAX_INJECT_WORDS:
        reason = (
            f"The syndicates read {word_count} words before they can decide. "
            f"Write {MAX_INJECT_WORDS} at most."
        )
        yield Fault(inject.path, inject.body_line, reason)
    yield from _check_words(inject.path, inject.body, inject.body_line, law=False)
    yield from _check_words(inject.path, inject.notes, inject.notes_line, law=True)
    if inject.sources == [PRACTICE] and any(True for _ in _law_in(inject)):
        reason = "The notes name law, and the only source is “practice”. Name the source."
        yield Fault(inject.path, inject.head.line_of("sources"), reason)


def _law_in(inject: InjectText) -> Iterator[Fault]:
    """The law that the notes name, found by taking away the date that it needs."""
    undated = inject.notes.replace("as at", "").replace("As at", "")
    yield from checks.check_law_references(inject.path, undated, inject.notes_line)


def _check_words(path: str, body: str, line: int, *, law: bool) -> Iterator[Fault]:
    """Yield what is not plain; law is quoted with Act and date in the facilitator's notes alone.

    What syndicates see names law as people name it at night.
    """
    if not body.strip():
        return
    yield from checks.check_plain_language(path, body, line)
    if law:
        yield from checks.check_law_references(path, body, line)


def _list_figures(text: ExerciseText) -> list[checks.ShownFigure]:
    figures = []
    for inject in text.injects:
        figures += checks.read_figures(inject.body, inject.path, inject.body_line)
        figures += checks.read_figures(inject.notes, inject.path, inject.notes_line)
    for name, body in text.sheets.items():
        figures += checks.read_figures(body, f"{text.key}/{name}", 1)
    return figures


def _detail_fault(text: ExerciseText, key: str, reason: str) -> Fault:
    return Fault(text.path, text.head.line_of(key), reason)
