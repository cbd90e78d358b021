"""Completions brought over from another system: read, checked as a whole, and recorded once.

An imported completion is a record like any other, with its source system beside it and its evidence in a
note. What is held already (same person, requirement and instant) is passed over and counted.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select

from portal.domain.catalogue.models import Activity
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Identifier, PersonName
from portal.domain.people.notes import write_many_notes
from portal.domain.people.roster.store import insert_facts
from portal.domain.records.models import ImportedRecord, Record
from portal.domain.records.references import new_reference
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import db, touch
from portal.platform.errors import BadInputError
from portal.platform.tables.table_files import SourceRow

STAFF_NUMBER, EMAIL = "staff_number", "email"  # how a person is known, beside the schemes of other systems
REQUIREMENT_KINDS = ("module", "event", "guide")
MOST_BOUND = 500  # values bound in one statement
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})")
_SCORE = re.compile(r"[01](\.\d{1,4})?")


@dataclass(frozen=True, slots=True)
class ImportedCompletion:
    """One good row: who achieved what, when, and where that is from."""

    line: int
    person_id: int
    activity_id: int
    achieved_at: datetime
    score_scaled: Decimal | None
    source_system: str
    evidence: str

    @property
    def identity_key(self) -> tuple[int, int, datetime]:
        """What makes two rows the same completion."""
        return self.person_id, self.activity_id, self.achieved_at

    @property
    def achieved_on(self) -> date:
        """The London day of it."""
        return clock.london_day(self.achieved_at)


def parse_completions(rows: Sequence[SourceRow], person_by: str = STAFF_NUMBER) -> list[ImportedCompletion]:
    """The rows, checked against people, requirements and the calendar.

    Raises:
        BadInputError: Some rows are bad; every one is told with its line and all its reasons.
    """
    found, reasons = parse_completions_with_faults(rows, person_by)
    if reasons:
        raise BadInputError(reasons)
    return found


def parse_completions_with_faults(
    rows: Sequence[SourceRow], person_by: str = STAFF_NUMBER
) -> tuple[list[ImportedCompletion], list[str]]:
    """The good rows, and every reason why another is bad, with its line.

    Args:
        rows: With the columns of the profile "default"; who is meant stands under ``person``.
        person_by: The scheme of what stands there: ``staff_number``, ``email``, or another system's.
    """
    people = person_ids_by(person_by)
    activities = {
        (kind, key): i
        for i, kind, key in db.session.execute(select(Activity.id, Activity.kind, Activity.key))
    }
    found, reasons = [], []
    for row in rows:
        values = {**row.values, "person": normalise_identifier(row.values["person"], person_by)}
        faults = _find_faults(values, person_by, people, activities)
        reasons += [f"Line {row.line}: {fault}" for fault in faults]
        if not faults:
            found.append(_build_completion(row.line, values, people, activities))
    return found, reasons


def person_ids_by(scheme: str) -> dict[str, int]:
    """Everyone who is known under a scheme: ids by staff number, by email address, or by another system's."""
    if scheme == STAFF_NUMBER:
        rows = db.session.execute(select(PersonName.staff_number, PersonName.person_id))
    elif scheme == EMAIL:
        named = select(PersonName.email, PersonName.person_id).where(PersonName.email.is_not(None))
        rows = db.session.execute(named)
    else:
        named = select(Identifier.value, Identifier.person_id).where(Identifier.scheme == scheme)
        rows = db.session.execute(named)
    return {value: person_id for value, person_id in rows}


def normalise_identifier(value: str, scheme: str) -> str:
    """A value as the portal keeps it: addresses in lower case."""
    return value.lower() if scheme == EMAIL else value


def list_identifier_schemes() -> list[str]:
    """Under what people can be known, staff numbers first."""
    others = db.session.scalars(select(Identifier.scheme).distinct().order_by(Identifier.scheme))
    return [STAFF_NUMBER, EMAIL, *others]


def list_unrecorded(found: Iterable[ImportedCompletion]) -> list[ImportedCompletion]:
    """Those that are not held yet, each once."""
    wanted = {completion.identity_key: completion for completion in reversed(list(found))}
    activities = sorted({completion.activity_id for completion in wanted.values()})
    held = db.session.execute(
        select(Record.person_id, Record.activity_id, Record.achieved_at).where(
            is_known_fact(Record), Record.activity_id.in_(activities)
        )
    )
    for person_id, activity_id, achieved_at in held:
        wanted.pop((person_id, activity_id, achieved_at), None)
    return list(wanted.values())[::-1]


def newest_record_id() -> int:
    """The newest record; as long as it is the same, so is what ``list_unrecorded`` says. 0: there is none."""
    return db.session.scalar(select(func.max(Record.id))) or 0


def record_completions(
    fresh: Sequence[ImportedCompletion],
    at: datetime,
    references: Sequence[str],
    *,
    held: int = 0,
    by: int | None = None,
) -> list[int]:
    """Record completions as facts with the source system and evidence beside them.

    Args:
        fresh: What ``list_unrecorded`` said under this lock.
        at: The transaction's stamp, taken already: nothing else can be recorded meanwhile.
        references: As many, which no record bears.
        held: How many beside them were held already, for the audit trail.
        by: Who imports them; None for a command.

    Returns:
        Their ids in the same order, which is ascending.
    """
    if not fresh:
        return []
    ids = _insert_records(fresh, at, references)
    touch(people=(completion.person_id for completion in fresh))
    log("records.imported", actor_id=by, recorded=len(fresh), held=held)
    return ids


def _insert_records(
    fresh: Sequence[ImportedCompletion], at: datetime, references: Sequence[str]
) -> list[int]:
    records = [
        {
            "recorded_at": at,
            "person_id": completion.person_id,
            "activity_id": completion.activity_id,
            "achieved_at": completion.achieved_at,
            "achieved_on": completion.achieved_on,
            "source": "imported",
            "reference": reference,
        }
        for reference, completion in zip(references, fresh, strict=True)
    ]
    ids = insert_facts(Record, records)
    beside: list[dict[str, Any]] = []
    notes: dict[int, dict[str, str]] = {}
    for record_id, completion in zip(ids, fresh, strict=True):
        beside.append(
            {
                "record_id": record_id,
                "source_system": completion.source_system,
                "score_scaled": completion.score_scaled,
            }
        )
        if completion.evidence:
            notes[record_id] = {"evidence": completion.evidence}
    of_import: Any = ImportedRecord.__table__
    db.session.execute(insert(of_import), beside)
    write_many_notes(Record.__tablename__, notes)
    return ids


def draw_references(many: int, drawn: Iterable[str] = (), since: int = 0) -> list[str]:
    """New references, none drawn twice and none held.

    Args:
        many: How many.
        drawn: Those drawn earlier, to be taken first; none was held when ``since`` was the newest record.
        since: That record's id.
    """
    found = set(drawn)
    if found:
        found.difference_update(db.session.scalars(select(Record.reference).where(Record.id > since)))
    while len(found) < many:
        more = sorted({new_reference() for _ in range(min(MOST_BOUND, many - len(found)))})
        held = db.session.scalars(select(Record.reference).where(Record.reference.in_(more)))
        found.update(set(more) - set(held))
    return list(found)


def _find_faults(
    values: dict[str, str], scheme: str, people: dict[str, int], activities: dict[tuple[str, str], int]
) -> list[str]:
    person, kind, key = (values[name] for name in ("person", "requirement_kind", "requirement"))
    faults = []
    if person not in people:
        faults.append(f"{scheme} {person!r} is nobody's in the portal." if person else f"{scheme} is empty.")
    if kind not in REQUIREMENT_KINDS:
        faults.append(f"requirement_kind is {kind!r}. Write one of: {', '.join(REQUIREMENT_KINDS)}.")
    elif (kind, key) not in activities:
        faults.append(f"requirement {key!r} is no {kind} of the portal.")
    faults += _find_time_faults(values["achieved_at"])
    if values["score_scaled"] and not _is_score(values["score_scaled"]):
        faults.append(
            f"score_scaled {values['score_scaled']!r} is not a number from 0 to 1 with at most four decimals."
        )
    if not values["source_system"]:
        faults.append("source_system is empty.")
    return faults


def _find_time_faults(text: str) -> list[str]:
    if not text:
        return ["achieved_at is empty."]
    found = _parse_time(text)
    if found is None:
        return [
            f"achieved_at {text!r} is neither a date such as 2026-04-30 nor an instant with its offset, "
            "such as 2026-04-30T09:15:00+01:00."
        ]
    if isinstance(found, datetime):
        return [f"achieved_at {text} lies in the future."] if found > clock.now() else []
    return [f"achieved_at {text} lies in the future."] if found > clock.today() else []


def _parse_time(text: str) -> date | datetime | None:
    try:
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
        return datetime.fromisoformat(text).astimezone(UTC) if _ISO_INSTANT.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def _is_score(text: str) -> bool:
    return bool(_SCORE.fullmatch(text)) and Decimal(text) <= 1


def _build_completion(
    line: int, values: dict[str, str], people: dict[str, int], activities: dict[tuple[str, str], int]
) -> ImportedCompletion:
    found = _parse_time(values["achieved_at"])
    if found is None:
        raise BadInputError(["achieved_at is neither a date nor an instant."])
    return ImportedCompletion(
        line=line,
        person_id=people[values["person"]],
        activity_id=activities[values["requirement_kind"], values["requirement"]],
        achieved_at=found if isinstance(found, datetime) else clock.noon(found),
        score_scaled=Decimal(values["score_scaled"]) if values["score_scaled"] else None,
        source_system=values["source_system"],
        evidence=values["evidence"],
    )
