"""Proposals of event types: one person writes the next version, a second publishes it or sends it back.

Every change takes the stamp first: of two concurrent decisions the second finds the proposal ended.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.catalogue.module_check import is_same_content
from portal.domain.catalogue.other_sources import EVENT_TYPE_FILES, EventTypeSource
from portal.domain.catalogue.publishing import (
    current_event_type,
    list_preparation,
    publish_event_type,
    refuse_unknown_preparation,
)
from portal.domain.people.queries import ProposalLine, select_proposals
from portal.features.events.models import EventTypeProposal
from portal.platform.audit import log
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, RuleError
from portal.platform.proposals import (
    LONGEST_NOTE,
    count_waiting,
    end_proposal,
    lock_proposal,
    refuse_publishing,
    refuse_sending_back,
    refuse_withdrawing,
)
from portal.platform.wording import date as date_words
from portal.platform.wording import minutes_words, plural


@dataclass(frozen=True, slots=True)
class ProposedType(ProposalLine):
    """A proposal as pages show it."""

    key: str
    content: bytes

    @property
    def source(self) -> EventTypeSource:
        """The proposed file as read; it was checked when it was proposed."""
        return EVENT_TYPE_FILES.check_content(self.key, self.content)


def propose_type(key: str, content: bytes, *, note: str, by: int, at: datetime) -> int:
    """Propose the file as the next version of the event type ``key``; return the proposal's id.

    Raises:
        BadInputError: The file has faults, or asks for preparation that is not published.
    """
    stamp()
    source = EVENT_TYPE_FILES.check_content(key, content)
    refuse_unknown_preparation(source)
    if open_proposal_of(key) is not None:
        raise ConflictError("Another version of this event type is proposed already, and waits.")
    current = current_event_type(key)
    if current is not None and is_same_content({".toml": current.content}, {".toml": content}):
        raise RuleError(f"Version {current.number} says exactly the same. Nothing was proposed.")
    row = EventTypeProposal(
        key=key, content=content, note=note[:LONGEST_NOTE], proposed_by_id=by, proposed_at=at, reason=""
    )
    db.session.add(row)
    log("event_type.proposed", actor_id=by, event_type=key, number=current.number + 1 if current else 1)
    db.session.flush()
    return row.id


def publish_proposal(proposal_id: int, *, by: int, at: datetime) -> int:
    """Publish a proposal; return the number of the version.

    Raises:
        RuleError: The publisher proposed it.
        BadInputError: The proposal names preparation that is no longer published.
    """
    row = lock_proposal(EventTypeProposal, proposal_id)
    current = current_event_type(row.key)
    refuse_publishing(row, by, current)
    number = publish_event_type(EVENT_TYPE_FILES.check_content(row.key, row.content), at=at, by=by)
    if number is None:
        raise ConflictError("The published version says exactly the same.")
    end_proposal(row, "published", by=by, at=at)
    return number


def send_proposal_back(proposal_id: int, *, reason: str, by: int, at: datetime) -> None:
    """End the proposal without publishing, with a reason for its author.

    Raises:
        ConflictError: It has ended.
        RuleError: They proposed it themselves.
    """
    row = lock_proposal(EventTypeProposal, proposal_id)
    refuse_sending_back(row, by)
    if not reason.strip():
        raise BadInputError(["Say why, so that its author can change it."])
    row.reason = reason.strip()[:LONGEST_NOTE]
    end_proposal(row, "sent_back", by=by, at=at)
    log("event_type.sent_back", actor_id=by, subject_id=row.proposed_by_id, event_type=row.key)


def withdraw_proposal(proposal_id: int, *, by: int, at: datetime) -> None:
    """End the proposal for its author.

    Raises:
        RuleError: Somebody else proposed it.
        ConflictError: It has ended.
    """
    row = lock_proposal(EventTypeProposal, proposal_id)
    refuse_withdrawing(row, by)
    end_proposal(row, "withdrawn", by=by, at=at)
    log("event_type.withdrawn", actor_id=by, event_type=row.key)


def open_proposal_of(key: str) -> ProposedType | None:
    """The proposal of this event type that waits; None if there is none."""
    return next(_fetch_proposals(_select_proposals().where(_IS_OPEN, EventTypeProposal.key == key)), None)


def list_open_proposals() -> list[ProposedType]:
    """The proposals that wait, the oldest first. One statement."""
    return list(_fetch_proposals(_select_proposals().where(_IS_OPEN).order_by(EventTypeProposal.id)))


def list_ended_proposals(key: str, limit: int = 20) -> list[ProposedType]:
    """List the last ended proposals of an event type, the newest first. One statement."""
    statement = _select_proposals().where(~_IS_OPEN, EventTypeProposal.key == key)
    return list(_fetch_proposals(statement.order_by(EventTypeProposal.id.desc()).limit(limit)))


def count_types_for(person_id: int) -> int:
    """Number of proposals of others that wait for this publisher."""
    return count_waiting(EventTypeProposal, person_id)


def get_proposal(proposal_id: int) -> ProposedType:
    """One proposal, whether it waits or has ended."""
    proposal = next(_fetch_proposals(_select_proposals().where(EventTypeProposal.id == proposal_id)), None)
    if proposal is None:
        raise NotFoundError("There is no such proposal.")
    return proposal


_IS_OPEN = EventTypeProposal.ended_at.is_(None)


def _select_proposals() -> Select[Any]:
    return select_proposals(EventTypeProposal, EventTypeProposal.key, EventTypeProposal.content)


def _fetch_proposals(statement: Select[Any]) -> Iterator[ProposedType]:
    return (ProposedType(*row) for row in db.session.execute(statement))


def list_differences(
    current: EventTypeVersion | None, proposed: EventTypeSource
) -> list[tuple[str, str, str]]:
    """List the values that a proposal changes: the name, the value as it is, and as it would be."""
    fields = asdict(proposed)
    published = describe_values({name: getattr(current, name) for name in VALUES}) if current else {}
    after_change = describe_values({name: fields[name] for name in VALUES})
    return [
        (label, published.get(label, ""), text)
        for label, text in after_change.items()
        if published.get(label, "") != text
    ]


VALUES = (
    "title",
    "aim",
    "audience",
    "minutes",
    "syndicate_least",
    "syndicate_most",
    "places_least",
    "places_most",
    "facilitators",
    "approval",
    "preparation",
    "owner",
    "review_on",
)


def describe_values(values: Mapping[str, Any]) -> dict[str, str]:
    """The values of an event type in words, by name, as pages list them."""
    syndicate = f"{values['syndicate_least']} to {plural(values['syndicate_most'], 'person', 'people')}"
    least, most = values["places_least"], values["places_most"]
    return {
        "Title": values["title"],
        "What it is for": values["aim"],
        "Who it is for": values["audience"],
        "Length": minutes_words(values["minutes"]),
        "A syndicate": syndicate,
        "Places": f"{most}, and it takes place from {plural(least, 'person', 'people')}",
        "Facilitators needed": str(values["facilitators"]),
        "Booking": _BOOKING[bool(values["approval"])],
        "To prepare": ", ".join(row.title for row in list_preparation(values["preparation"])) or "Nothing",
        "Owner": values["owner"],
        "To be reviewed by": date_words(values["review_on"]),
    }


_BOOKING = {
    False: "Learners book for themselves",
    True: "A manager approves what learners book",
}


def publish_folder(folder: Path, at: datetime, by: int) -> dict[str, int | None]:
    """Publish a folder of event types; return the version’s number by key, None where nothing is new."""
    sources = EVENT_TYPE_FILES.check_path(folder)
    return {source.key: publish_event_type(source, at=at, by=by) for source in sources}
