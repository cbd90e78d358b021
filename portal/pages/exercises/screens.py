"""What the screens of a run show: material in order with its questions, and decision logs as lines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from markupsafe import Markup

from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.exercises.content import Inject, InjectQuestion
from portal.domain.exercises.running.answers import words_of_answer
from portal.domain.exercises.running.clock import Phase
from portal.domain.exercises.running.progress import Progress
from portal.domain.exercises.running.queries import (
    Entry,
    RunView,
    exercise_in,
    list_entries,
    list_names,
)

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
