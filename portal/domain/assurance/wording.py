"""The words of the desk: states of judgements and actions, and the names of the people in it."""

from collections.abc import Iterable

from portal.domain.assurance.desk import HeldRecommendation
from portal.domain.people.services import list_names_of

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
ERASED = "A person whose data is erased"


class DeskNames(dict[int, str]):
    """Names of people by their ids; somebody who has none any more is said to be erased."""

    def __missing__(self, person_id: int) -> str:
        return ERASED


def name_people(person_ids: Iterable[int | None]) -> DeskNames:
    """The names of these people, as the desk writes them. One statement, and none for nobody."""
    found = list_names_of({person_id for person_id in person_ids if person_id is not None})
    return DeskNames({names.person_id: f"{names.forenames} {names.surname}" for names in found})


def list_people_of(recommendation: HeldRecommendation) -> set[int | None]:
    """The ids of everybody who is named with a recommendation."""
    people = {recommendation.owner_id}
    for action in recommendation.actions:
        people |= {action.version.owner_id, action.version.recorded_by_id}
    for decision in recommendation.decisions:
        people.add(decision.recorded_by_id)
    for held in recommendation.judgements:
        people.add(held.judgement.made_by_id)
        if held.decision is not None:
            people.add(held.decision.decided_by_id)
    people |= {piece.version.owner_id for piece in recommendation.evidence}
    if recommendation.risk is not None:
        people.add(recommendation.risk.recorded_by_id)
    return people
