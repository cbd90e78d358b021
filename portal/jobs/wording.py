"""Jobs in words."""

from datetime import datetime, timedelta
from typing import Any

from portal.jobs.models import State
from portal.jobs.registry import task_of, title_of
from portal.web.filters import instant, minutes_words, number, percent_cut, plural

STATES = {
    State.WAITING: "Waiting",
    State.RUNNING: "Running",
    State.DONE: "Done",
    State.FAILED: "Failed",
    State.CANCELLED: "Cancelled",
}
LOOKS = {  # the look of a status that means something like it
    State.WAITING: "not_started",
    State.RUNNING: "in_progress",
    State.DONE: "satisfied",
    State.FAILED: "overdue",
    State.CANCELLED: "exempt",
}
UNDER_WAY = frozenset({State.WAITING, State.RUNNING})
ENDED_BADLY = frozenset({State.FAILED, State.CANCELLED})

ORDINALS = ("", "first", "second", "third")

title = title_of


def page_of(row: Any, viewer_id: int) -> str:
    """The address of the page that the job belongs to; empty where the viewer has none."""
    found = task_of(row.kind)
    if found is None or found.page is None or (found.own and row.asked_by_id != viewer_id):
        return ""
    return found.page(row.arguments)


def who(row: Any) -> str:
    """Who asked for it, as a cell of the list."""
    if row.surname:
        return f"{row.forenames} {row.surname}"
    return "Someone outside your units" if row.asked_by_id else "Command line"


def asked(row: Any) -> str:
    """Who asked for it and when, as a sentence."""
    by = who(row)
    by = f"by {by if row.surname else by.lower()}" if row.asked_by_id else "on the command line"
    return f"Asked for {by} at {instant(row.asked_at)}."


def how_far(row: Any) -> str:
    """How far a running job is, in numbers; empty where nobody knows."""
    if not row.total:
        return ""
    return f"{number(row.done)} of {number(row.total)} ({percent_cut(row.done, row.total)})"


def took(start: datetime | None, end: datetime | None) -> str:
    """How long a run was.

    >>> took(None, None)
    ''
    """
    if start is None or end is None:
        return ""
    length = max(end - start, timedelta())
    seconds = int(length.total_seconds())
    if seconds < 1:
        return "less than a second"
    return plural(seconds, "second") if seconds < 120 else minutes_words(seconds // 60)


def sentence(row: Any) -> str:
    """What stands beside the state: what it waits for, what it does, or why it failed."""
    if row.state == State.WAITING:
        return "It begins when a worker is free."
    if row.state == State.RUNNING:
        return str(row.said)
    lines = reasons(row)
    return lines[0] if len(lines) == 1 else ""


def reasons(row: Any) -> list[str]:
    """Why it failed, a sentence each."""
    return [line for line in str(row.reason).splitlines() if line]


def in_short(row: Any) -> str:
    """What came of it, in a line of the list."""
    if row.state == State.RUNNING:
        return how_far(row) or str(row.said)
    why = reasons(row)
    if len(why) > 1:
        return f"{why[0]} {plural(len(why) - 1, 'more reason')}."
    lines = why or findings(row)
    return lines[0] if lines else ", ".join(f"{one['key']}: {one['value']}" for one in figures(row)[:4])


def facts(row: Any) -> list[dict[str, str]]:
    """When it began and ended, for how long it ran, and what support needs."""
    begun = instant(row.started_at) or "Not yet"
    pairs = {
        "Begun": f"{begun}, for the {ORDINALS[row.runs]} time" if row.runs > 1 else begun,
        "Ended": instant(row.ended_at),
        "Took": took(row.started_at, row.ended_at),
        "Reference": str(row.reference),
    }
    return [{"key": key, "value": value} for key, value in pairs.items() if value]


def findings(row: Any) -> list[str]:
    """The sentences of a result, which a feature puts under ``said``."""
    said = (row.result or {}).get("said", [])
    return [said] if isinstance(said, str) else list(said)


def figures(row: Any) -> list[dict[str, str]]:
    """The other figures of a result, each under the words by which its feature keeps it."""
    held = ((key, value) for key, value in (row.result or {}).items() if key != "said")
    return [
        {"key": key, "value": number(value) if isinstance(value, int) else str(value)} for key, value in held
    ]
