"""Imports completions from another system: reads them, checks them as a whole, and records each once.

An imported completion is a record like any other, with its source system in ``imported_record`` and its
evidence in a note. One recorded already (same person, requirement and instant) is left out and counted.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select

from portal.domain.catalogue.models import Activity
from portal.domain.people.models import Identifier, PersonName
from portal.domain.people.positions import is_known_fact
from portal.domain.people.roster_store import insert_facts
from portal.domain.people.services import write_many_notes
from portal.domain.people.staff_numbers import fold_staff_number
from portal.domain.records.models import ImportedRecord, Record
from portal.domain.records.services import new_reference
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import db, touch
from portal.platform.errors import BadInputError
from portal.platform.tables.table_files import SourceRow

STAFF_NUMBER, EMAIL = "staff_number", "email"  # schemes of identifiers, beside those of other systems
REQUIREMENT_KINDS = ("module", "event", "guide")
BATCH = 500  # values bound in one statement
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})")
_SCORE = re.compile(r"[01](\.\d{1,4})?")


@dataclass(frozen=True, slots=True)
class ImportedCompletion:
    """One row without faults: who achieved what and when, and the system it comes from."""

    line: int
    person_id: int
    activity_id: int
    achieved_at: datetime
    score_scaled: Decimal | None
    source_system: str
    evidence: str

    @property
    def identity_key(self) -> tuple[int, int, datetime]:
        """The values that are equal for two rows of the same completion."""
        return self.person_id, self.activity_id, self.achieved_at

    @property
    def achieved_on(self) -> date:
        """The London day of it."""
        return clock.london_day(self.achieved_at)


def parse_completions_with_faults(
    rows: Sequence[SourceRow], person_by: str = STAFF_NUMBER, people: Mapping[str, int] | None = None
) -> tuple[list[ImportedCompletion], list[str]]:
    """Read the rows: those without faults, and every fault of the others with its line.

    Args:
        rows: With the columns of the profile "default", and the person's identifier as ``person``.
        person_by: The scheme of that identifier: ``staff_number``, ``email``, or another system's.
        people: Person ids by it, where they are known.
    """
    if people is None:
        people = person_ids_by(person_by)
    activities = {
        (kind, key): i
        for i, kind, key in db.session.execute(select(Activity.id, Activity.kind, Activity.key))
    }
    completions, reasons = [], []
    for row in rows:
        values = {**row.values, "person": normalise_identifier(row.values["person"], person_by)}
        faults = _find_faults(values, person_by, people, activities)
        reasons += [f"Line {row.line}: {fault}" for fault in faults]
        if not faults:
            completions.append(_build_completion(row.line, values, people, activities))
    return completions, reasons


def person_ids_by(scheme: str) -> dict[str, int]:
    """Person ids by identifier of a scheme: staff number, email address, or another system's."""
    if scheme == STAFF_NUMBER:
        rows = db.session.execute(select(PersonName.staff_number, PersonName.person_id))
    elif scheme == EMAIL:
        statement = select(PersonName.email, PersonName.person_id).where(PersonName.email.is_not(None))
        rows = db.session.execute(statement)
    else:
        statement = select(Identifier.value, Identifier.person_id).where(Identifier.scheme == scheme)
        rows = db.session.execute(statement)
    return {value: person_id for value, person_id in rows}


def normalise_identifier(value: str, scheme: str) -> str:
    """The identifier as the portal keeps it: email addresses in lower case, staff numbers folded."""
    if scheme == STAFF_NUMBER:
        return fold_staff_number(value)
    return value.lower() if scheme == EMAIL else value


def list_identifier_schemes() -> list[str]:
    """The schemes of identifiers that people have, staff numbers first."""
    others = db.session.scalars(select(Identifier.scheme).distinct().order_by(Identifier.scheme))
    return [STAFF_NUMBER, EMAIL, *others]


def suggest_scheme(texts: Collection[str], likeliest: str) -> str:
    """The scheme of identifiers in which most of these texts name somebody; of equal ones ``likeliest``."""
    schemes = sorted(list_identifier_schemes(), key=lambda scheme: scheme != likeliest)
    return max(
        schemes,
        key=lambda scheme: len(
            {normalise_identifier(text, scheme) for text in texts} & person_ids_by(scheme).keys()
        ),
    )


def list_unrecorded(completions: Iterable[ImportedCompletion]) -> list[ImportedCompletion]:
    """Those that are not recorded yet, each once."""
    unrecorded = {completion.identity_key: completion for completion in reversed(list(completions))}
    activities = sorted({completion.activity_id for completion in unrecorded.values()})
    recorded = db.session.execute(
        select(Record.person_id, Record.activity_id, Record.achieved_at).where(
            is_known_fact(Record), Record.activity_id.in_(activities)
        )
    )
    for person_id, activity_id, achieved_at in recorded:
        unrecorded.pop((person_id, activity_id, achieved_at), None)
    return list(unrecorded.values())[::-1]


def newest_record_id() -> int:
    """The id of the newest record, or 0; while it stays the same, so does ``list_unrecorded``."""
    return db.session.scalar(select(func.max(Record.id))) or 0


def record_completions(
    completions: Sequence[ImportedCompletion],
    at: datetime,
    references: Sequence[str],
    *,
    held: int = 0,
    by: int | None = None,
) -> list[int]:
    """Record completions as facts with the source system and evidence beside them.

    Args:
        completions: From ``list_unrecorded``, under the same lock.
        at: The transaction's stamp, already taken, so that nothing else is recorded meanwhile.
        references: An unused reference for each.
        held: How many others were recorded already, for the audit trail.
        by: The person who imports them; None for a command.

    Returns:
        The ids of the records, in the same order and ascending.
    """
    if not completions:
        return []
    ids = _insert_records(completions, at, references)
    touch(learners=(completion.person_id for completion in completions))
    log("records.imported", actor_id=by, recorded=len(completions), held=held)
    return ids


def _insert_records(
    completions: Sequence[ImportedCompletion], at: datetime, references: Sequence[str]
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
        for reference, completion in zip(references, completions, strict=True)
    ]
    ids = insert_facts(Record, records)
    imported: list[dict[str, Any]] = []
    notes: dict[int, dict[str, str]] = {}
    for record_id, completion in zip(ids, completions, strict=True):
        imported.append(
            {
                "record_id": record_id,
                "source_system": completion.source_system,
                "score_scaled": completion.score_scaled,
            }
        )
        if completion.evidence:
            notes[record_id] = {"evidence": completion.evidence}
    of_import: Any = ImportedRecord.__table__
    db.session.execute(insert(of_import), imported)
    write_many_notes(Record.__tablename__, notes)
    return ids


def draw_references(number: int, drawn: Iterable[str] = (), since: int = 0) -> list[str]:
    """Draw references that no record has.

    Args:
        number: How many.
        drawn: References drawn earlier, to be used first; unused when ``since`` was the newest record.
        since: That record's id.
    """
    references = set(drawn)
    if references:
        references.difference_update(db.session.scalars(select(Record.reference).where(Record.id > since)))
    while len(references) < number:
        candidates = sorted({new_reference() for _ in range(min(BATCH, number - len(references)))})
        existing = db.session.scalars(select(Record.reference).where(Record.reference.in_(candidates)))
        references.update(set(candidates) - set(existing))
    return list(references)


def _find_faults(
    values: dict[str, str], scheme: str, people: Mapping[str, int], activities: dict[tuple[str, str], int]
) -> list[str]:
    person, kind, key = (values[name] for name in ("person", "requirement_kind", "requirement"))
    faults = []
    if person not in people:
        faults.append(
            f"{scheme} {person!r} belongs to nobody in the portal." if person else f"{scheme} is empty."
        )
    if kind not in REQUIREMENT_KINDS:
        faults.append(f"requirement_kind is {kind!r}. Write one of: {', '.join(REQUIREMENT_KINDS)}.")
    elif (kind, key) not in activities:
        faults.append(f"requirement: there is no {kind} {key!r} in the portal.")
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
    achieved = _parse_time(text)
    if achieved is None:
        return [
            f"achieved_at {text!r} is not a date. Write it as 2026-04-30, or with the time as "
            "2026-04-30T09:15:00+01:00."
        ]
    if isinstance(achieved, datetime):
        return [f"achieved_at {text} is in the future."] if achieved > clock.now() else []
    return [f"achieved_at {text} is in the future."] if achieved > clock.today() else []


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
    line: int, values: dict[str, str], people: Mapping[str, int], activities: dict[tuple[str, str], int]
) -> ImportedCompletion:
    achieved = _parse_time(values["achieved_at"])
    if achieved is None:
        raise BadInputError(["achieved_at is not a date, or a date and time."])
    return ImportedCompletion(
        line=line,
        person_id=people[values["person"]],
        activity_id=activities[values["requirement_kind"], values["requirement"]],
        achieved_at=achieved if isinstance(achieved, datetime) else clock.noon(achieved),
        score_scaled=Decimal(values["score_scaled"]) if values["score_scaled"] else None,
        source_system=values["source_system"],
        evidence=values["evidence"],
    )
