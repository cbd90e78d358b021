"""The words and tags that pages show for a job."""

from datetime import datetime, timedelta
from typing import Any

from portal.platform.jobs.models import ENDED_STATES, UNENDED_STATES, JobState
from portal.platform.jobs.registry import task_of_kind, title_of_kind
from portal.platform.wording import fraction, instant, minutes_words, number, percent_cut, plural

__all__ = ["title_of_kind"]

STATE_LABELS = {
    JobState.WAITING: "Waiting",
    JobState.RUNNING: "Running",
    JobState.DONE: "Done",
    JobState.FAILED: "Failed",
    JobState.CANCELLED: "Cancelled",
}
STATE_TAGS = {  # each has the colour of a status of similar meaning
    JobState.WAITING: "not_started",
    JobState.RUNNING: "in_progress",
    JobState.DONE: "satisfied",
    JobState.FAILED: "overdue",
    JobState.CANCELLED: "exempt",
}
UNDER_WAY = frozenset(UNENDED_STATES)
ENDED_BADLY = frozenset(ENDED_STATES) - {JobState.DONE}

ORDINALS = ("", "first", "second", "third")


def page_of_job(row: Any, viewer_id: int) -> str:
    """The address of the page that the job belongs to; empty if there is none for the viewer."""
    task = task_of_kind(row.kind)
    if task is None or task.page is None or (task.own and row.asked_by_id != viewer_id):
        return ""
    return task.page(row.arguments)


def name_of_asker(row: Any) -> str:
    """Who asked for the job, as a cell of the list."""
    if row.surname:
        return f"{row.forenames} {row.surname}"
    return "Someone outside your units" if row.asked_by_id else "Command line"


def describe_request(row: Any) -> str:
    """Who asked for the job and when, as a sentence."""
    name = name_of_asker(row)
    by = f"by {name if row.surname else name.lower()}" if row.asked_by_id else "on the command line"
    return f"Asked for {by} at {instant(row.asked_at)}."


def describe_progress(row: Any) -> str:
    """How far a running job is, in numbers; empty if that is not known."""
    if not row.total:
        return ""
    return f"{fraction(row.done, row.total)} ({percent_cut(row.done, row.total)})"


def describe_duration(start: datetime | None, end: datetime | None) -> str:
    """How long a run took.

    >>> describe_duration(None, None)
    ''
    """
    if start is None or end is None:
        return ""
    seconds = int(max(end - start, timedelta()).total_seconds())
    if seconds < 1:
        return "less than a second"
    return plural(seconds, "second") if seconds < 120 else minutes_words(seconds // 60)


def describe_state(row: Any) -> str:
    """The sentence beside the state: what the job waits for, what it does, or why it failed."""
    if row.state == JobState.WAITING:
        return "It begins when a worker is free."
    if row.state == JobState.RUNNING:
        return str(row.said)
    reasons = list_reasons(row)
    return reasons[0] if len(reasons) == 1 else ""


def list_reasons(row: Any) -> list[str]:
    """Why the job failed, a sentence each."""
    return [line for line in str(row.reason).splitlines() if line]


def summarise_outcome(row: Any) -> str:
    """The outcome of the job, or how far it is, in a line of the list."""
    if row.state == JobState.RUNNING:
        return describe_progress(row) or str(row.said)
    reasons = list_reasons(row)
    if len(reasons) > 1:
        return f"{reasons[0]} {plural(len(reasons) - 1, 'more reason')}."
    lines = reasons or list_result_sentences(row)
    if lines:
        return lines[0]
    return ", ".join(f"{figure['key']}: {figure['value']}" for figure in list_result_figures(row)[:4])


def list_run_details(row: Any) -> list[dict[str, str]]:
    """When the job started and ended, how long it ran, and the reference that support needs."""
    started = instant(row.started_at) or "Not yet"
    details = {
        "Begun": f"{started}, for the {ORDINALS[row.runs]} time" if row.runs > 1 else started,
        "Ended": instant(row.ended_at),
        "Took": describe_duration(row.started_at, row.ended_at),
        "Reference": str(row.reference),
    }
    return [{"key": key, "value": value} for key, value in details.items() if value]


def list_result_sentences(row: Any) -> list[str]:
    """The sentences of a result, which a task returns under ``said``."""
    sentences = (row.result or {}).get("said", [])
    return [sentences] if isinstance(sentences, str) else list(sentences)


def list_result_figures(row: Any) -> list[dict[str, str]]:
    """The figures of a result, each under the words that its task chose as the key."""
    figures = {key: value for key, value in (row.result or {}).items() if key != "said"}
    return [
        {"key": key, "value": number(value) if isinstance(value, int) else _figure_words(str(value))}
        for key, value in figures.items()
    ]


def _figure_words(text: str) -> str:
    """The text of a figure; an instant in words."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return instant(at) if at.tzinfo else text
