"""Exemptions and deferrals, from rows that name people and directives as files do."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from portal.domain.directives.assignments import add_days
from portal.domain.directives.models import Directive, DirectiveVersion, Exclusion
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.decision_roles import describe_deciders
from portal.domain.people.models import PersonName
from portal.domain.people.notes import write_notes
from portal.platform.audit import services as audit
from portal.platform.db import OPEN_END, clock_at, db, stamp, touch
from portal.platform.errors import BadInputError, ConflictError
from portal.platform.tables.table_files import SourceRow
from portal.platform.wording import date as say_date

KINDS = ("exemption", "deferral")
REASON_WORDS = {
    "maternity_or_parental": "maternity or parental leave",
    "not_available_for_duty": "not available for duty",
    "secondment": "secondment",
    "role_not_affected": "role not affected",
    "leaving": "leaving",
    "other": "other",
}
REASONS = tuple(REASON_WORDS)
COLUMNS = ("staff_number", "directive", "kind", "reason", "valid_from", "valid_to", "due_on", "decided_by")
OPTIONAL = ("comment",)
DAYS_AFTER_DEFERRAL = 28  # offered where the directive counts no days after joining

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class ExclusionDecision(NamedTuple):
    """What one row decides; the same decision again changes nothing."""

    person_id: int
    directive_id: int
    exempt: bool
    reason: str
    from_on: date
    to_on: date
    due_on: date | None
    decided_by_id: int

    @property
    def same_matter(self) -> tuple[int, int, bool, date]:
        """What a later row must share to correct this one."""
        return self.person_id, self.directive_id, self.exempt, self.from_on


@dataclass(frozen=True, slots=True)
class ExclusionWords:
    """How many rows were new, corrected one held, or were held already."""

    added: int
    corrected: int
    unchanged: int


def exclude(rows: Sequence[SourceRow], *, at: datetime, by: int | None = None) -> ExclusionWords:
    """Record every row's exemption or deferral, or none of them; a row held already is left alone.

    A row of the same person, directive, kind and ``valid_from`` as one held corrects it.

    Args:
        rows: As ``formats.md`` gives the columns; an empty ``valid_to`` is open.
        at: The instant of the decision, kept in the audit trail; facts carry the transaction's stamp.
        by: The person whose account acted; None for a command.

    Raises:
        BadInputError: One reason a bad row, with its line. Nothing is changed.
    """
    stamped = stamp()
    decided = _Reading(rows).decisions()
    held = _held({decision.person_id for _, decision in decided})
    added = corrected = 0
    for row, decision in decided:
        old = held.get(decision.same_matter)
        if old is not None and old[1] == decision:
            continue
        fact_id = _write(decision, old[0] if old else None, stamped)
        held[decision.same_matter] = (fact_id, decision)
        if row.values["comment"]:
            write_notes(Exclusion.__tablename__, fact_id, {"comment": row.values["comment"]})
        added, corrected = added + (old is None), corrected + (old is not None)
    if added or corrected:
        audit.log(
            "exclusions.recorded",
            actor_id=by,
            added=added,
            corrected=corrected,
            decided_at=at.isoformat(),
        )
    return ExclusionWords(added, corrected, len(decided) - added - corrected)


def decide_exclusion(decision: ExclusionDecision) -> int:
    """Record one exemption or deferral; one of the same matter is corrected, the same one is left alone.

    Args:
        decision: What is decided, and by whom.

    Returns:
        The id of the fact that holds.
    """
    stamped = stamp()
    old = _held([decision.person_id]).get(decision.same_matter)
    if old is not None and old[1] == decision:
        return old[0]
    return _write(decision, old[0] if old else None, stamped)


def end_exclusion(exclusion_id: int, last_on: date | None, *, by: int) -> int:
    """Let an exemption or deferral end on an earlier day, or take it back altogether, by a new fact.

    Args:
        exclusion_id: The fact that holds.
        last_on: Its last day now; None, or a day before its first: it never held.
        by: Who decides so.

    Returns:
        The id of the new fact.

    Raises:
        ConflictError: It was changed or taken back meanwhile, or ends by then already.
    """
    e, stamped = Exclusion, stamp()
    row = db.session.scalars(select(e).where(e.id == exclusion_id, is_known_fact(e))).one_or_none()
    if row is None or (last_on is not None and last_on >= row.to_on):
        raise ConflictError("This exemption or deferral was changed, or ends by then already.")
    decision = ExclusionDecision(*(getattr(row, name) for name in ExclusionDecision._fields))
    if last_on is None or last_on < row.from_on:
        return _write(decision._replace(decided_by_id=by), exclusion_id, stamped, void=True)
    return _write(decision._replace(to_on=last_on, decided_by_id=by), exclusion_id, stamped)


def _write(
    decision: ExclusionDecision, replaces_id: int | None, stamped: datetime, *, void: bool = False
) -> int:
    fact = Exclusion(recorded_at=stamped, replaces_id=replaces_id, void=void, **decision._asdict())
    db.session.add(fact)
    db.session.flush()
    touch(people=[decision.person_id])
    return fact.id


def due_after(directive_id: int, to_on: date) -> date:
    """The due date offered with a deferral: the days that the directive counts after joining, else 28."""
    days = _days_after_joining().get(directive_id)
    return add_days(to_on, DAYS_AFTER_DEFERRAL if days is None else days)


def _held(people: Iterable[int]) -> dict[tuple[int, int, bool, date], tuple[int, ExclusionDecision]]:
    e = Exclusion
    columns = [getattr(e, name) for name in ExclusionDecision._fields]
    found = {}
    for row_id, *values in db.session.execute(
        select(e.id, *columns).where(is_known_fact(e), e.person_id.in_(sorted(people))).order_by(e.id)
    ):
        decision = ExclusionDecision(*values)
        found[decision.same_matter] = (row_id, decision)
    return found


@dataclass(frozen=True, slots=True)
class ToldExclusion:
    """What a person is told of an exemption or deferral of theirs: never a comment, never a name."""

    directive: str  # reference
    exempt: bool
    reason: str
    from_on: date
    to_on: date
    due_on: date | None
    decided_by: str  # the role
    decided_at: datetime

    @property
    def words(self) -> str:
        """Until when it holds, what follows, and who decided so when."""
        end = "" if self.to_on == OPEN_END else f" until {say_date(self.to_on)}"
        due = f", then due on {say_date(self.due_on)}" if self.due_on else ""
        decided = f", decided by {self.decided_by} on {say_date(self.decided_at)}"
        return f"{'Exempt' if self.exempt else 'Deferred'}{end}{due}{decided}"


def exclusions_of(person_id: int) -> list[ToldExclusion]:
    """Every known exemption and deferral of a person, the newest first. Two statements."""
    e = Exclusion
    rows = db.session.execute(
        select(Directive.reference, e, clock_at(e.recorded_at))
        .join(Directive, Directive.id == e.directive_id)
        .where(e.person_id == person_id, is_known_fact(e))
        .order_by(e.from_on.desc(), e.id.desc())
    ).all()
    by = describe_deciders({(row.decided_by_id or 0, at) for _, row, at in rows})
    return [
        ToldExclusion(
            reference,
            row.exempt,
            row.reason,
            row.from_on,
            row.to_on,
            row.due_on,
            by[row.decided_by_id or 0, at],
            at,
        )
        for reference, row, at in rows
    ]


def told_exclusions(person_id: int, day: date) -> dict[str, ToldExclusion]:
    """By directive, the exemption, else the deferral, that holds on ``day``. Two statements."""
    live = [one for one in exclusions_of(person_id) if one.from_on <= day <= one.to_on]
    return {one.directive: one for one in sorted(live, key=lambda one: one.exempt)}


class _Reading:
    """Rows as decisions, with every fault noted."""

    def __init__(self, rows: Sequence[SourceRow]) -> None:
        self.rows = rows
        self.faults: list[str] = []
        numbers = {row.values[k] for row in rows for k in ("staff_number", "decided_by")}
        names = select(PersonName.staff_number, PersonName.person_id)
        people = db.session.execute(names.where(PersonName.staff_number.in_(sorted(numbers))))
        self.people = {staff_number: person_id for staff_number, person_id in people}
        directives = db.session.execute(select(Directive.reference, Directive.id))
        self.directives = {reference: directive_id for reference, directive_id in directives}
        self.days = _days_after_joining()

    def decisions(self) -> list[tuple[SourceRow, ExclusionDecision]]:
        made = [(row, self._decision(row)) for row in self.rows]
        if self.faults:
            raise BadInputError(self.faults)
        return [(row, decision) for row, decision in made if decision is not None]

    def _decision(self, row: SourceRow) -> ExclusionDecision | None:
        before = len(self.faults)
        values = row.values
        person = self._one(row, "staff_number", self.people, "nobody has it")
        directive = self._one(row, "directive", self.directives, "there is no such directive")
        decider = self._one(row, "decided_by", self.people, "nobody has that staff number")
        self._among(row, "kind", KINDS)
        self._among(row, "reason", REASONS)
        from_on = self._day(row, "valid_from", None)
        to_on = self._day(row, "valid_to", OPEN_END)
        if from_on and to_on and to_on < from_on:
            self._fault(row, "valid_to", "is before valid_from")
        exempt = values["kind"] == "exemption"
        due_on = self._due(row, exempt, directive, to_on)
        if len(self.faults) > before:
            return None
        decided: Any = (person, directive, exempt, values["reason"], from_on, to_on, due_on, decider)
        return ExclusionDecision(*decided)

    def _due(self, row: SourceRow, exempt: bool, directive_id: int | None, to_on: date | None) -> date | None:
        if exempt:
            if row.values["due_on"]:
                self._fault(row, "due_on", "is for a deferral only: leave it empty")
            return None
        if row.values["due_on"]:
            return self._day(row, "due_on", None)
        if to_on is not None and to_on.year == OPEN_END.year:
            self._fault(row, "due_on", "write it, or valid_to, for a deferral")
            return None
        days = self.days.get(directive_id or 0)
        return add_days(to_on, DAYS_AFTER_DEFERRAL if days is None else days) if to_on else None

    def _one(self, row: SourceRow, column: str, held: dict[str, int], why: str) -> int | None:
        found = held.get(row.values[column])
        if found is None:
            self._fault(row, column, f"{row.values[column]!r}: {why}")
        return found

    def _among(self, row: SourceRow, column: str, allowed: Sequence[str]) -> None:
        if row.values[column] not in allowed:
            self._fault(row, column, f"write one of {', '.join(allowed)}")

    def _day(self, row: SourceRow, column: str, empty: date | None) -> date | None:
        value = row.values[column]
        if not value and empty is not None:
            return empty
        try:
            if not _ISO_DAY.fullmatch(value):
                raise ValueError(value)
            return date.fromisoformat(value)
        except ValueError:
            self._fault(row, column, f"{value!r}: write a date such as 2026-04-30")
            return None

    def _fault(self, row: SourceRow, column: str, what: str) -> None:
        self.faults.append(f"Line {row.line}: {column}: {what}.")


def _days_after_joining() -> dict[int, int | None]:
    """By directive, as its newest known version has it."""
    v = DirectiveVersion
    query = select(v.directive_id, v.due_days_after_joining).where(is_known_fact(v)).order_by(v.number)
    return {directive_id: days for directive_id, days in db.session.execute(query)}
