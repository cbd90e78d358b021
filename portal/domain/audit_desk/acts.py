"""One row of the audit desk: an act with who, on whom, from where and what became of it, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.domain.audit_desk.action_words import ACTIONS, GROUP_WORDS
from portal.domain.audit_desk.sentences import detail_pairs, exact_time, sentence_of
from portal.domain.audit_desk.sight import UNSEEN, ActPerson, AuditSight
from portal.domain.people.units.tree import read_tree
from portal.platform.audit.models import AuditEvent, Outcome
from portal.platform.audit.origin import Channel
from portal.platform.clock import london_day, now

OUTCOME_WORDS: dict[str, str] = {Outcome.DONE: "Done", Outcome.REFUSED: "Refused", Outcome.FAILED: "Failed"}
CHANNEL_WORDS: dict[str, str] = {
    Channel.PAGE: "On a page",
    Channel.TOKEN: "By an access token",
    Channel.COMMAND: "By a command",
    Channel.JOB: "By a job",
}
NOTICED = frozenset({"alert.many_refusals", "alert.many_failed_sign_ins"})
_PERSON_KEY_WORDS = {"by": "Filter: done by", "about": "Filter: done to", "asked_by": "Asked by"}


@dataclass(frozen=True, slots=True)
class Act:
    """One act as a page and a file say it."""

    happened_at: datetime
    action: str
    sentence: str
    group: str
    who: ActPerson
    whom: ActPerson | None
    address: str
    request_id: str
    channel: str  # in words; empty where the portal did not record it yet
    outcome: str
    details: tuple[tuple[str, str], ...]

    @property
    def outcome_words(self) -> str:
        """The outcome in a word."""
        return OUTCOME_WORDS.get(self.outcome, self.outcome)


def describe_events(sight: AuditSight, events: Sequence[AuditEvent]) -> list[Act]:
    """These events in words. One statement for their people, one for whom of them the reader may see.

    The tree of units is read where an event names a unit.
    """
    ids = [person_id for event in events for person_id in _people_of(event)]
    people = sight.name_people(ids)
    tree = read_tree() if any(event.detail.get("unit_id") for event in events) else None
    today = london_day(now())

    def describe(event: AuditEvent) -> Act:
        unit_id = event.detail.get("unit_id")
        unit = tree.last_label_on(unit_id, today) if tree and unit_id else ""
        who = people[event.actor_id] if event.actor_id is not None else _agent_of(event)
        named = who.name != UNSEEN
        return Act(
            happened_at=event.happened_at,
            action=event.action,
            sentence=sentence_of(event.action, event.detail, unit),
            group=GROUP_WORDS[ACTIONS[event.action].group] if event.action in ACTIONS else "",
            who=who,
            whom=people[event.subject_id] if event.subject_id is not None else None,
            address=event.address if named else "",
            request_id=event.request_id if named else "",
            channel=CHANNEL_WORDS.get(event.channel, "") if named else "",
            outcome=event.outcome,
            details=tuple(_details_of(event, people)),
        )

    return [describe(event) for event in events]


def _people_of(event: AuditEvent) -> list[int | None]:
    return [event.actor_id, event.subject_id, *_people_of_detail(event).values()]


def _people_of_detail(event: AuditEvent) -> dict[str, int]:
    """The people whom the details name, by key; what is no id is passed over."""
    values = {key: event.detail.get(key) for key in _PERSON_KEY_WORDS}
    return {key: value for key, value in values.items() if isinstance(value, int)}


def _agent_of(event: AuditEvent) -> ActPerson:
    """Who acted where no account did."""
    if event.action in NOTICED and event.channel != Channel.TOKEN:
        return ActPerson("The portal itself")
    if event.channel == Channel.TOKEN:
        return ActPerson(f"Access token {event.agent}")
    if event.channel == Channel.COMMAND:
        return ActPerson(f"Command {event.agent}")
    if event.channel == Channel.JOB:
        return ActPerson(f"The portal itself ({event.agent})")
    if event.channel == Channel.PAGE:
        return ActPerson("Somebody not signed in")
    return ActPerson("A command, or somebody not signed in")


def _details_of(event: AuditEvent, people: dict[int, ActPerson]) -> list[tuple[str, str]]:
    pairs = [("When", exact_time(event.happened_at))]
    for key, person_id in _people_of_detail(event).items():
        person = people[person_id]
        pairs.append((_PERSON_KEY_WORDS[key], f"{person.name} {person.staff_number}".strip()))
    return [*pairs, *detail_pairs(event.detail)]
