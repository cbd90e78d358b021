"""The words of the desk: states of judgements and actions, and the names of the people in it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from portal.domain.assurance.desk import RecommendationSnapshot
from portal.domain.assurance.history import HistoryEntry
from portal.domain.people.services import list_names_of
from portal.platform.wording import date as say_date

JUDGEMENT_WORDS = {
    "met": "Met",
    "partly_met": "Partly met",
    "not_met": "Not met",
    "not_judged": "Not judged",
}
ACTION_WORDS = {"open": "Not started", "under_way": "Under way", "done": "Done", "dropped": "Dropped"}
# Each has the colour of a status of similar meaning.
JUDGEMENT_TAGS = {
    "met": "satisfied",
    "partly_met": "in_progress",
    "not_met": "overdue",
    "not_judged": "not_started",
}
ACTION_TAGS = {"open": "not_started", "under_way": "in_progress", "done": "satisfied", "dropped": "exempt"}
LIKELIHOOD_WORDS = {1: "very unlikely", 2: "unlikely", 3: "possible", 4: "likely", 5: "very likely"}
IMPACT_WORDS = {1: "very small", 2: "small", 3: "moderate", 4: "grave", 5: "very grave"}
ERASED = "A person whose data is erased"


class DeskNames(dict[int, str]):
    """Names of people by their ids; somebody who has none any more is said to be erased."""

    def __missing__(self, person_id: int) -> str:
        return ERASED


def name_people(person_ids: Iterable[int | None]) -> DeskNames:
    """The names of these people, as the desk writes them. One statement, and none for nobody."""
    people = list_names_of({person_id for person_id in person_ids if person_id is not None})
    return DeskNames({names.person_id: f"{names.forenames} {names.surname}" for names in people})


def list_people_of(recommendation: RecommendationSnapshot) -> set[int | None]:
    """The ids of everybody who is named with a recommendation."""
    people = {recommendation.owner_id}
    for action in recommendation.actions:
        people |= {action.version.owner_id, action.version.recorded_by_id}
    for decision in recommendation.decisions:
        people.add(decision.recorded_by_id)
    for judgement in recommendation.judgements:
        people.add(judgement.judgement.made_by_id)
        if judgement.decision is not None:
            people.add(judgement.decision.decided_by_id)
    people |= {piece.version.owner_id for piece in recommendation.evidence}
    if recommendation.risk is not None:
        people.add(recommendation.risk.recorded_by_id)
    return people


def describe_entry(entry: HistoryEntry, names: Mapping[int, str]) -> str:
    """What an entry of the history says, as a sentence."""
    return _DESCRIPTIONS[entry.kind](entry.row, entry, names)


def _describe_action(row: Any, entry: HistoryEntry, names: Mapping[int, str]) -> str:
    owner = f", owner {names[row.owner_id]}" if row.owner_id is not None else ""
    due = f", due on {say_date(row.due_on)}" if row.due_on else ""
    reason = f" Why: {row.reason}" if row.reason else ""
    return f"Action {entry.reference}: {row.title}. {ACTION_WORDS[row.state]}{owner}{due}.{reason}"


def _describe_evidence(row: Any, entry: HistoryEntry, _names: Mapping[int, str]) -> str:
    state = "withdrawn" if row.withdrawn else "review by " + say_date(row.review_on) if row.review_on else ""
    reason = f" Why: {row.reason}" if row.reason else ""
    return f"Evidence {entry.reference}: {row.title}{', ' + state if state else ''}.{reason}"


_OUTCOME_WORDS = {
    "confirmed": "The judgement was confirmed.",
    "sent_back": "The judgement was sent back.",
    "withdrawn": "The judgement was withdrawn.",
}
_DESCRIPTIONS: dict[str, Callable[[Any, HistoryEntry, Mapping[int, str]], str]] = {
    "version": lambda row, _entry, _names: f"Version {row.number} of the recommendation was published.",
    "owner": lambda row, _entry, names: (
        f"Owner: {'nobody' if row.person_id is None else names[row.person_id]}."
    ),
    "action": _describe_action,
    "decision": lambda row, _entry, _names: f"Decision of {row.decided_by}: {row.title}. {row.text}",
    "risk": lambda row, _entry, _names: (
        f"Risk: {LIKELIHOOD_WORDS[row.likelihood]}, {IMPACT_WORDS[row.impact]} impact. {row.text}"
    ),
    "evidence": _describe_evidence,
    "judgement": lambda row, _entry, _names: f"Judged: {JUDGEMENT_WORDS[row.state]}. {row.reason}",
    "outcome": lambda row, _entry, _names: f"{_OUTCOME_WORDS[row.outcome]} {row.reason}".strip(),
    "narrative": lambda _row, _entry, _names: "The answer in words was written.",
}
