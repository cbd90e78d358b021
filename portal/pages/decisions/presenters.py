"""What the pages of requests say."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain.decisions.labels import until_words
from portal.domain.decisions.queries import RequestRow
from portal.platform.db import OPEN_END
from portal.platform.wording import date as say_date
from portal.platform.wording import instant


@dataclass(frozen=True, slots=True)
class AskPage:
    """The words of a page on which something is asked for."""

    heading: str  # with the person's name
    lead: str
    nothing: str  # where there is nothing to ask about


ASK = {
    "exemption": AskPage(
        "Ask for an exemption for {name}",
        "While it holds, the directive asks nothing of them and they are not counted. "
        "The directive's owner decides.",
        "No directive is in force.",
    ),
    "deferral": AskPage(
        "Ask for a deferral for {name}",
        "While it holds they are not counted; afterwards they have until a new due date. "
        "The directive's owner decides.",
        "No directive is in force.",
    ),
    "waiver": AskPage(
        "Ask to recognise what {name} learned before",
        "The requirement counts as complete from the date on the evidence. The directive's owner decides.",
        "No directive asks anything of them at present.",
    ),
    "revocation": AskPage(
        "Ask to correct a pass of {name}",
        "The record stays and is shown as not counted. A second person decides.",
        "They hold no record that is counted.",
    ),
    "lift": AskPage(
        "Ask to end an exemption or deferral of {name}",
        "You will see what happens before anything is decided.",
        "No exemption or deferral is recorded.",
    ),
    "restore": AskPage(
        "Ask to count a pass of {name} again",
        "It counts as if the correction had not been made. A second person decides.",
        "They hold no record that is left out of the count.",
    ),
}


def request_summary(row: RequestRow, texts: dict[str, str]) -> list[dict[str, Any]]:
    """What was asked, as rows of a summary list."""
    pairs = [
        ("Reason", row.reason_words[:1].upper() + row.reason_words[1:]),
        *_list_dates(row),
        ("Record", row.reference or ""),
        ("Evidence", texts.get("evidence", "")),
        ("Comment", texts.get("comment", "")),
        ("Asked", f"By {row.asked_by}, at {instant(row.asked_at)}"),
    ]
    return [{"key": key, "value": value} for key, value in pairs if value]


def _list_dates(row: RequestRow) -> list[tuple[str, str]]:
    first = say_date(row.from_on)
    if row.kind == "waiver":
        return [("Date on the evidence", first)]
    if row.kind == "revocation":
        return [("Not counted from", first)]
    if row.kind == "lift":
        held = f"From {say_date(row.excluded_from)} {until_words(row.excluded_to)}"
        return [("Was recorded", held), ("To end", _last_day_words(row.to_on))]
    if row.kind == "restore":
        return []
    return [("First day", first), ("Last day", _end_words(row.to_on)), ("New due date", say_date(row.due_on))]


def _last_day_words(day: date | None) -> str:
    return "It should never have been recorded" if day is None else f"Last day {say_date(day)}"


def _end_words(day: date | None) -> str:
    return "No end" if day == OPEN_END else say_date(day)


def own_entries(told: Iterable[tuple[RequestRow, str]]) -> list[dict[str, Any]]:
    """For the person it is about: what was asked for and what became of it, without names."""
    found = []
    for row, by in told:
        asked = f"Asked for at {instant(row.asked_at)}: {row.reason_words}."
        if row.decided_at is None:
            found.append(
                {
                    "when": instant(row.asked_at),
                    "fact": f"{row.what_is_requested}: waiting",
                    "recorded": asked,
                }
            )
            continue
        who = "" if row.outcome == "withdrawn" else f" by {by}"
        fact = f"{row.what_is_requested}: {row.state_words.lower()}{who}"
        found.append({"when": instant(row.decided_at), "fact": fact, "recorded": asked})
    return found


def decision_words(row: RequestRow) -> str:
    """How the request ended, with its time; that it waits, where it does."""
    if row.outcome is None:
        return "It waits for a decision."
    who = f"{row.state_words} by {row.decided_by} at {instant(row.decided_at)}"
    if row.outcome == "granted" and row.decided_by_id == row.asked_by_id:
        who += ", who had asked for it too"
    return f"{who}.{_changed_dates_words(row)}"


def _changed_dates_words(row: RequestRow) -> str:
    """The days decided, where they differ from those asked for."""
    granted = (row.granted_from, row.granted_to, row.granted_due)
    if row.outcome != "granted" or granted == (row.from_on, row.to_on, row.due_on):
        return ""
    if row.kind == "lift":
        return (
            f" Decided: {_last_day_words(row.granted_to)[:1].lower()}{_last_day_words(row.granted_to)[1:]}."
        )
    parts = [f"from {say_date(row.granted_from)}"]
    if row.granted_to:
        parts.append(until_words(row.granted_to))
    if row.granted_due:
        parts.append(f"due on {say_date(row.granted_due)}")
    return f" Decided: {', '.join(parts)}."
