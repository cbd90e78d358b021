"""Texts of the pages of requests."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from portal.domain.decisions.change_requests import ChangeRequest
from portal.domain.decisions.joint_services import JointOutcome
from portal.domain.decisions.labels import STATE_WORDS, reason_label, until_words
from portal.domain.decisions.queries import RequestRow
from portal.platform.db import OPEN_END
from portal.platform.wording import date as say_date
from portal.platform.wording import instant, number, plural


@dataclass(frozen=True, slots=True)
class AskPage:
    """The texts of a page with the form of a request."""

    heading: str  # with the person's name
    lead: str
    empty_text: str  # if there is nothing to choose from


ASK = {
    "exemption": AskPage(
        "Ask for an exemption for {name}",
        "They do not have to complete it during this time, and they are not counted. "
        "A directive owner for their unit decides.",
        "No directive is in force.",
    ),
    "deferral": AskPage(
        "Ask for a deferral for {name}",
        "They are not counted during this time. After it, they have until a new due date. "
        "A directive owner for their unit decides.",
        "No directive is in force.",
    ),
    "waiver": AskPage(
        "Ask to recognise what {name} learned before",
        "The requirement counts as complete from the date on the evidence. "
        "A directive owner for their unit decides.",
        "No directive applies to them today.",
    ),
    "revocation": AskPage(
        "Ask to correct a pass of {name}",
        "The record stays, and shows that it is not counted. A second person decides.",
        "They have no record that counts.",
    ),
    "lift": AskPage(
        "Ask to end an exemption or deferral of {name}",
        "A directive owner for their unit decides.",
        "No exemption or deferral is recorded.",
    ),
    "restore": AskPage(
        "Ask to count a pass of {name} again",
        "It will count as if it had not been corrected. A second person decides.",
        "They have no record that has stopped counting.",
    ),
}


def request_summary(row: RequestRow, texts: dict[str, str]) -> list[dict[str, Any]]:
    """The request, as rows of a summary list."""
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
        recorded = f"From {say_date(row.excluded_from)} {until_words(row.excluded_to)}"
        return [("Recorded", recorded), ("Requested", _last_day_words(row.to_on))]
    if row.kind == "restore":
        return []
    return [("First day", first), ("Last day", _end_words(row.to_on)), ("New due date", say_date(row.due_on))]


def _last_day_words(day: date | None) -> str:
    return "Removed, because it should not have been recorded" if day is None else f"Last day {say_date(day)}"


def _end_words(day: date | None) -> str:
    return "No end date" if day == OPEN_END else say_date(day)


def own_decision_entries(requests: Iterable[tuple[RequestRow, str]]) -> list[dict[str, Any]]:
    """Requests and decisions, as entries of a timeline for the person they are about, without names."""
    entries = []
    for row, role in requests:
        requested = f"Asked for at {instant(row.asked_at)}: {row.reason_words}."
        if row.decided_at is None:
            entries.append(
                {
                    "when": instant(row.asked_at),
                    "fact": f"{row.request_title}: waiting",
                    "recorded": requested,
                }
            )
            continue
        decider = "" if row.outcome == "withdrawn" else f" by {role}"
        fact = f"{row.request_title}: {row.state_words.lower()}{decider}"
        entries.append({"when": instant(row.decided_at), "fact": fact, "recorded": requested})
    return entries


def describe_decision(row: RequestRow) -> str:
    """Who decided the request, how and when; or that it is waiting."""
    if row.outcome is None:
        return "Waiting for a decision."
    sentence = f"{row.state_words} by {row.decided_by} at {instant(row.decided_at)}"
    if row.outcome == "granted" and row.decided_by_id == row.asked_by_id:
        sentence += ", who also asked for it"
    return f"{sentence}.{_changed_dates_words(row)}"


def _changed_dates_words(row: RequestRow) -> str:
    """The dates decided, if they differ from those requested."""
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


def joint_summary(change: ChangeRequest, comment: str) -> list[dict[str, Any]]:
    """A request for several people that is not made yet, as rows of a summary list."""
    reason = reason_label(change.kind, change.reason)
    pairs = [
        ("Reason", reason[:1].upper() + reason[1:]),
        ("First day", say_date(change.from_on)),
        ("Last day", _end_words(change.to_on)),
        ("New due date", say_date(change.due_on)),
        ("Comment", comment),
    ]
    return [{"key": key, "value": value} for key, value in pairs if value]


def state_counts_words(states: Mapping[str, int]) -> str:
    """How many people's requests are in which state, such as "10 granted, 2 refused".

    >>> state_counts_words({"refused": 2, "granted": 10})
    '10 granted, 2 refused'
    """
    return ", ".join(
        f"{number(states[state])} {words.lower()}"
        for state, words in STATE_WORDS.items()
        if states.get(state)
    )


def joint_list_words(states: Mapping[UUID, Counter[str]]) -> dict[UUID, tuple[str, str]]:
    """By joint request, how many people it is about and how many of them have which answer, for a list."""
    return {
        joint_uuid: (
            plural(counts.total(), "person", "people"),
            STATE_WORDS["waiting"] if set(counts) == {"waiting"} else state_counts_words(counts),
        )
        for joint_uuid, counts in states.items()
    }


def describe_joint(rows: Sequence[RequestRow]) -> str:
    """How many of the people wait or have which answer, and the dates decided if they are others."""
    states = Counter(row.state for row in rows)
    if set(states) == {"waiting"}:
        return "Waiting for a decision."
    decided = dict.fromkeys(_changed_dates_words(row) for row in rows)
    return f"{state_counts_words(states)}.{''.join(decided)}"


def joint_outcome(outcome: JointOutcome) -> str:
    """What a decision about several people did, in sentences."""
    done = state_counts_words({"granted": outcome.granted, "refused": outcome.refused})
    before = f" {number(outcome.decided_before)} had been decided before." if outcome.decided_before else ""
    return f"{done}.{before}"
