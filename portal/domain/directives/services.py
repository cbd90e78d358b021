"""Issues and withdraws directive versions; assignments follow in the same transaction."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select

from portal.domain.directives import files
from portal.domain.directives.applies import RuleHistory, add_days, find_differences, write_assignments
from portal.domain.directives.changes import Proposal, newest_version_of, propose_version
from portal.domain.directives.models import Assignment, Directive, DirectiveVersion, Exclusion, Requirement
from portal.domain.people.models import Person, PersonName
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import describe_deciders
from portal.domain.people.services import write_notes
from portal.domain.people.sight import units_allowing
from portal.domain.people.staff_numbers import fold_staff_number
from portal.domain.people.visibility import COMMAND_LINE, Viewer, is_visible
from portal.platform import audit
from portal.platform.db import OPEN_END, clock_at, db, stamp, touch
from portal.platform.errors import BadInputError, ConflictError, ForbiddenError
from portal.platform.permissions import Permission
from portal.platform.tables.columns import FileColumn, name_columns
from portal.platform.tables.table_files import SourceRow
from portal.platform.wording import date as say_date

CHANGED_SINCE_PREVIEW = (
    "Posts, units or this directive have changed since your preview. Nothing was issued. "
    "Check the new preview below."
)


@dataclass(frozen=True, slots=True)
class IssueResult:
    """What issuing or withdrawing a version did."""

    reference: str
    directive_id: int
    version_id: int
    number: int
    effective_on: date
    new: bool  # False: the newest version already says the same, so nothing was recorded


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who confirmed that a version is issued or withdrawn, when, and what they had seen."""

    at: datetime  # kept in the audit trail; facts carry the transaction's stamp
    by: int | None = None  # the person whose account acted; None: a command
    previewed: str | None = None  # the token of the preview that was confirmed; None: there was none


def issue_toml(content: bytes, *, at: datetime, by: int | None = None) -> IssueResult:
    """Issue the directive in a TOML file, or its next version; the same file twice changes nothing.

    Unit paths of the audience are those of ``effective_on``. A position keeps its activity for the
    directive's life.

    Args:
        content: The file's bytes.
        at: The instant of the decision.
        by: The person whose account acted; None for a command.

    Raises:
        BadInputError: The file is wrong, names what does not exist, or does not take effect later than
            the newest version. Nothing is changed.
    """
    file = files.read_directive(content)
    return record_proposal(lambda: propose_version(file), Confirmation(at, by))


def record_proposal(propose: Callable[[], Proposal], confirmation: Confirmation) -> IssueResult:
    """Issue or withdraw a version, or withdraw a directive; reports as known before do not change.

    Args:
        propose: Gives the version, as of the facts that are recorded once the stamp is taken.
        confirmation: Who confirmed it, and when.

    Raises:
        PortalError: As ``propose`` refuses.
    """
    stamped, proposal = stamp(), propose()
    if proposal.is_unchanged and proposal.newest is not None:
        return IssueResult(
            proposal.reference,
            proposal.newest.directive_id,
            proposal.newest.id,
            proposal.number,
            proposal.newest.effective_on,
            False,
        )
    if confirmation.previewed is not None and not proposal.matches_preview(confirmation.previewed):
        raise ConflictError(CHANGED_SINCE_PREVIEW)
    version = _add_version(proposal, stamped)
    touch(directives=[version.directive_id])
    withdrawn = "directive.withdrawn" if version.withdrawn else "directive.issued"
    audit.log(
        "directive.version_withdrawn" if version.void else withdrawn,
        actor_id=confirmation.by,
        reference=proposal.reference,
        number=proposal.number,
        decided_at=confirmation.at.isoformat(),
    )
    ids = (version.directive_id, version.id)
    return IssueResult(proposal.reference, *ids, proposal.number, proposal.effective_on, new=True)


def _add_version(proposal: Proposal, stamped: datetime) -> DirectiveVersion:
    positions = proposal.requirement_positions()
    directive_id = proposal.directive_id or add_directive(proposal.reference, stamped)
    withdrawn_id = proposal.newest.id if proposal.withdraws_version and proposal.newest else None
    version = DirectiveVersion(
        recorded_at=stamped,
        void=proposal.withdraws_version,
        replaces_id=withdrawn_id,
        directive_id=directive_id,
        number=proposal.number,
        **proposal.columns,
    )
    db.session.add(version)
    db.session.flush()
    for position, activity_id in positions:
        db.session.add(
            Requirement(directive_version_id=version.id, position=position, activity_id=activity_id)
        )
    db.session.flush()
    return version


def add_directive(reference: str, stamped: datetime) -> int:
    """Add a directive's identity; without a version it applies to nobody and is shown nowhere."""
    directive = Directive(recorded_at=stamped, reference=reference)
    db.session.add(directive)
    db.session.flush()
    return directive.id


# Limits a directive owner to the units of their role: the audience of a directive must lie within them.

OUTSIDE_OWN_UNITS = (
    "This directive is for people outside your units. Ask a directive owner of the whole force to issue, "
    "change or withdraw it."
)


def exceeds_own_units(viewer: Viewer, proposal: Proposal) -> bool:
    """Whether the audience, now or as proposed, includes people outside the viewer's units."""
    audiences = [proposal.columns["audience"]]
    if proposal.newest is not None:
        audiences.append(proposal.newest.audience)
    return _audience_exceeds_units(viewer, audiences)


def refuse_outside_own_units(viewer: Viewer, proposal: Proposal) -> None:
    """Refuse a proposal whose audience is not within the viewer's units."""
    if exceeds_own_units(viewer, proposal):
        raise ForbiddenError(OUTSIDE_OWN_UNITS)


def refuse_directive_outside_own_units(viewer: Viewer, directive_id: int) -> None:
    """Refuse a change to a directive whose audience is not within the viewer's units."""
    newest = newest_version_of(directive_id)
    if newest is not None and _audience_exceeds_units(viewer, [newest.audience]):
        raise ForbiddenError(OUTSIDE_OWN_UNITS)


def directives_within_own_units(viewer: Viewer, directive_ids: Iterable[int]) -> set[int]:
    """Those of these directives whose audience is within the viewer's units. At most one statement."""
    ids = set(directive_ids)
    if units_allowing(viewer, Permission.DIRECTIVE_ISSUE) is None:
        return ids
    rows = db.session.execute(
        select(DirectiveVersion.directive_id, DirectiveVersion.audience)
        .where(DirectiveVersion.directive_id.in_(ids), is_known_fact(DirectiveVersion))
        .order_by(DirectiveVersion.number)
    )
    newest = {directive_id: audience for directive_id, audience in rows}
    return {
        directive_id
        for directive_id, audience in newest.items()
        if not _audience_exceeds_units(viewer, [audience])
    }


def _audience_exceeds_units(viewer: Viewer, audiences: list[dict[str, Any]]) -> bool:
    """Whether a group of the audience names no unit, or one outside the viewer's units."""
    own_units = units_allowing(viewer, Permission.DIRECTIVE_ISSUE)
    if own_units is None:
        return False
    groups = [group.get("unit_under") for audience in audiences for group in audience["audience"]]
    return any(not units or not own_units.issuperset(units) for units in groups)


# Checks that assignments follow from the facts, and puts right those that do not.


def reconcile_all() -> list[str]:
    """Correct every assignment that does not follow from posts, versions and units.

    Returns:
        A sentence for each that was wrong; none is expected.
    """
    at = stamp()
    rows = list(find_differences(db.session.scalars(select(Person.id)), RuleHistory(), at))
    write_assignments(rows, at)
    touch(people={row["person_id"] for row in rows})
    return [_describe_difference(row) for row in rows]


def list_all_people() -> list[int]:
    """The ids of all people."""
    return list(db.session.scalars(select(Person.id).order_by(Person.id)))


def list_differences(people: Sequence[int], history: RuleHistory, at: datetime) -> list[str]:
    """A sentence for each assignment of these people, as known on ``at``, that is wrong."""
    return [_describe_difference(row) for row in find_differences(people, history, at)]


def _describe_difference(row: Mapping[str, Any]) -> str:
    problem = "was not due" if row["void"] else "was wrong" if row["replaces_id"] else "was missing"
    return (
        f"Person {row['person_id']}, directive {row['directive_id']}: "
        f"assignment from {row['from_on']} {problem}."
    )


def count_people_ever_assigned(directive_id: int) -> int:
    """How many people have a known assignment of the directive: past, present or future."""
    query = select(func.count(func.distinct(Assignment.person_id)))
    return (
        db.session.scalar(query.where(Assignment.directive_id == directive_id, is_known_fact(Assignment)))
        or 0
    )


# Records, ends and lists exemptions and deferrals, and reads them from the rows of a file.

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
FILE_COLUMNS = (
    FileColumn("staff_number", "Whom it is about.", "a staff number in the portal", ("W1001", "W1002")),
    FileColumn("directive", "Which directive.", "its reference", ("OIC-2026", "OIC-2026")),
    FileColumn(
        "kind",
        "An exemption takes a person out of the directive; a deferral gives them more time.",
        " or ".join(KINDS),
        ("exemption", "deferral"),
    ),
    FileColumn(
        "reason",
        "The category of the reason, never a diagnosis.",
        f"one of {', '.join(REASONS)}",
        ("secondment", "maternity_or_parental"),
    ),
    FileColumn("valid_from", "First day.", "YYYY-MM-DD", ("2026-04-01", "2026-03-01")),
    FileColumn(
        "valid_to",
        "Last day. Empty: it has no end.",
        "YYYY-MM-DD",
        ("2026-06-30", "2026-12-31"),
        filled=False,
    ),
    FileColumn(
        "due_on",
        "The new due date of a deferral. Empty: counted from valid_to, as after joining.",
        "YYYY-MM-DD",
        ("", "2027-02-28"),
        filled=False,
    ),
    FileColumn("decided_by", "Who decided it.", "a staff number in the portal", ("W4001", "W4001")),
    FileColumn("comment", "A note that is kept with it.", "any text", ("To the region", ""), required=False),
)
COLUMNS, OPTIONAL = (name_columns(FILE_COLUMNS, required=required) for required in (True, False))
DAYS_AFTER_DEFERRAL = 28  # offered where the directive counts no days after joining

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class ExclusionDecision(NamedTuple):
    """One exemption or deferral to record; recording the same one again changes nothing."""

    person_id: int
    directive_id: int
    exempt: bool
    reason: str
    from_on: date
    to_on: date
    due_on: date | None
    decided_by_id: int

    @property
    def matter(self) -> tuple[int, int, bool, date]:
        """What two decisions have in common when the later one corrects the earlier."""
        return self.person_id, self.directive_id, self.exempt, self.from_on


@dataclass(frozen=True, slots=True)
class ExclusionCounts:
    """How many rows were new, corrected a recorded one, or were recorded already."""

    added: int
    corrected: int
    unchanged: int


def record_exclusions(
    rows: Sequence[SourceRow], *, at: datetime, by: int | None = None, viewer: Viewer = COMMAND_LINE
) -> ExclusionCounts:
    """Record the exemption or deferral of every row, or none of them; rows recorded already change nothing.

    A row with the person, directive, kind and ``valid_from`` of a recorded one corrects it.

    Args:
        rows: With the columns ``COLUMNS`` and ``OPTIONAL``; an empty ``valid_to`` means no end.
        at: The instant of the decision, kept in the audit trail; facts carry the transaction's stamp.
        by: The person whose account acted; None for a command or another system.
        viewer: Only people whom they may decide about are known to it; others are unknown staff numbers.

    Raises:
        BadInputError: One reason a bad row, with its line. Nothing is changed.
    """
    stamped = stamp()
    decisions = _ExclusionReader(rows, viewer).read_decisions()
    known_exclusions = _load_known_exclusions({decision.person_id for _, decision in decisions})
    added = corrected = 0
    for row, decision in decisions:
        known = known_exclusions.get(decision.matter)
        if known is not None and known[1] == decision:
            continue
        fact_id = _write_exclusion(decision, known[0] if known else None, stamped)
        known_exclusions[decision.matter] = (fact_id, decision)
        if row.values["comment"]:
            write_notes(Exclusion.__tablename__, fact_id, {"comment": row.values["comment"]})
        added, corrected = added + (known is None), corrected + (known is not None)
    if added or corrected:
        counts = {"added": added, "corrected": corrected}
        audit.log("exclusions.recorded", actor_id=by, decided_at=at.isoformat(), **counts)
    return ExclusionCounts(added, corrected, len(decisions) - added - corrected)


def decide_exclusions(decisions: Sequence[ExclusionDecision]) -> list[int]:
    """Record exemptions and deferrals, or correct those of the same matter; repeating one changes nothing.

    Args:
        decisions: What is decided, and by whom; about each person one.

    Returns:
        The ids of the facts in force, in the same order.
    """
    stamped = stamp()
    known = _load_known_exclusions([decision.person_id for decision in decisions])
    ids = []
    for decision in decisions:
        fact_id, recorded = known.get(decision.matter, (None, None))
        if fact_id is None or recorded != decision:
            fact_id = _write_exclusion(decision, fact_id, stamped)
        ids.append(fact_id)
    return ids


def end_exclusion(exclusion_id: int, last_on: date | None, *, by: int) -> int:
    """End an exemption or deferral on an earlier day, or void it, by a new fact.

    Args:
        exclusion_id: The fact in force.
        last_on: Its new last day; None, or a day before its first day: void it.
        by: The person who decides.

    Returns:
        The id of the new fact.
    """
    e, stamped = Exclusion, stamp()
    row = db.session.scalars(select(e).where(e.id == exclusion_id, is_known_fact(e))).one_or_none()
    if row is None or (last_on is not None and last_on >= row.to_on):
        raise ConflictError("Someone changed this exemption or deferral, or it already ends by then.")
    decision = ExclusionDecision(*(getattr(row, name) for name in ExclusionDecision._fields))
    if last_on is None or last_on < row.from_on:
        return _write_exclusion(decision._replace(decided_by_id=by), exclusion_id, stamped, void=True)
    return _write_exclusion(decision._replace(to_on=last_on, decided_by_id=by), exclusion_id, stamped)


def _write_exclusion(
    decision: ExclusionDecision, replaces_id: int | None, stamped: datetime, *, void: bool = False
) -> int:
    fact = Exclusion(recorded_at=stamped, replaces_id=replaces_id, void=void, **decision._asdict())
    db.session.add(fact)
    db.session.flush()
    touch(people=[decision.person_id])
    return fact.id


def due_day_after_deferral(directive_id: int, to_on: date) -> date:
    """The usual due date after a deferral: later by the directive's days after joining, else by 28 days."""
    days = _days_after_joining().get(directive_id)
    return add_days(to_on, DAYS_AFTER_DEFERRAL if days is None else days)


def _load_known_exclusions(
    people: Iterable[int],
) -> dict[tuple[int, int, bool, date], tuple[int, ExclusionDecision]]:
    e = Exclusion
    columns = [getattr(e, name) for name in ExclusionDecision._fields]
    known_exclusions = {}
    for row_id, *values in db.session.execute(
        select(e.id, *columns).where(is_known_fact(e), e.person_id.in_(sorted(people))).order_by(e.id)
    ):
        decision = ExclusionDecision(*values)
        known_exclusions[decision.matter] = (row_id, decision)
    return known_exclusions


@dataclass(frozen=True, slots=True)
class OwnExclusion:
    """An exemption or deferral as its own person sees it: never a comment, never a name."""

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
        """Its last day, the new due date, and the role of who decided it when."""
        end = "" if self.to_on == OPEN_END else f" until {say_date(self.to_on)}"
        due = f", then due on {say_date(self.due_on)}" if self.due_on else ""
        decided = f", decided by {self.decided_by} on {say_date(self.decided_at)}"
        return f"{'Exempt' if self.exempt else 'Deferred'}{end}{due}{decided}"


def list_exclusions(person_id: int) -> list[OwnExclusion]:
    """Every known exemption and deferral of a person, newest first. Two statements."""
    e = Exclusion
    rows = db.session.execute(
        select(Directive.reference, e, clock_at(e.recorded_at))
        .join(Directive, Directive.id == e.directive_id)
        .where(e.person_id == person_id, is_known_fact(e))
        .order_by(e.from_on.desc(), e.id.desc())
    ).all()
    roles = describe_deciders({(row.decided_by_id or 0, at) for _, row, at in rows})
    return [
        OwnExclusion(
            reference,
            row.exempt,
            row.reason,
            row.from_on,
            row.to_on,
            row.due_on,
            roles[row.decided_by_id or 0, at],
            at,
        )
        for reference, row, at in rows
    ]


def exclusions_on(person_id: int, day: date) -> dict[str, OwnExclusion]:
    """By directive, the exemption, else the deferral, in force on ``day``. Two statements."""
    current = [
        exclusion for exclusion in list_exclusions(person_id) if exclusion.from_on <= day <= exclusion.to_on
    ]
    return {
        exclusion.directive: exclusion
        for exclusion in sorted(current, key=lambda exclusion: exclusion.exempt)
    }


class _ExclusionReader:
    """Reads rows as decisions and collects every fault."""

    def __init__(self, rows: Sequence[SourceRow], viewer: Viewer) -> None:
        numbered = ("staff_number", "decided_by")
        self.rows = [
            SourceRow(row.line, row.values | {name: fold_staff_number(row.values[name]) for name in numbered})
            for row in rows
        ]
        self.faults: list[str] = []
        numbers = {row.values[name] for row in self.rows for name in numbered}
        names = select(PersonName.staff_number, PersonName.person_id)
        is_known = is_visible(PersonName.person_id, viewer, Permission.DECISION_MAKE)
        people = db.session.execute(names.where(PersonName.staff_number.in_(sorted(numbers)), is_known))
        self.people = {staff_number: person_id for staff_number, person_id in people}
        directives = db.session.execute(select(Directive.reference, Directive.id))
        self.directives = {reference: directive_id for reference, directive_id in directives}
        self.days = _days_after_joining()

    def read_decisions(self) -> list[tuple[SourceRow, ExclusionDecision]]:
        decisions = [(row, self._read_decision(row)) for row in self.rows]
        if self.faults:
            raise BadInputError(self.faults)
        return [(row, decision) for row, decision in decisions if decision is not None]

    def _read_decision(self, row: SourceRow) -> ExclusionDecision | None:
        before = len(self.faults)
        values = row.values
        person = self._find_id(row, "staff_number", self.people, "nobody has this staff number")
        directive = self._find_id(row, "directive", self.directives, "there is no such directive")
        decider = self._find_id(row, "decided_by", self.people, "nobody has this staff number")
        self._check_choice(row, "kind", KINDS)
        self._check_choice(row, "reason", REASONS)
        from_on = self._read_day(row, "valid_from", None)
        to_on = self._read_day(row, "valid_to", OPEN_END)
        if from_on and to_on and to_on < from_on:
            self._add_fault(row, "valid_to", "is before valid_from")
        exempt = values["kind"] == "exemption"
        due_on = self._read_due_date(row, exempt, directive, to_on)
        if len(self.faults) > before:
            return None
        columns: Any = (person, directive, exempt, values["reason"], from_on, to_on, due_on, decider)
        return ExclusionDecision(*columns)

    def _read_due_date(
        self, row: SourceRow, exempt: bool, directive_id: int | None, to_on: date | None
    ) -> date | None:
        if exempt:
            if row.values["due_on"]:
                self._add_fault(row, "due_on", "is for a deferral only: leave it empty")
            return None
        if row.values["due_on"]:
            return self._read_day(row, "due_on", None)
        if to_on is not None and to_on.year == OPEN_END.year:
            self._add_fault(row, "due_on", "a deferral needs it, or valid_to")
            return None
        days = self.days.get(directive_id or 0)
        return add_days(to_on, DAYS_AFTER_DEFERRAL if days is None else days) if to_on else None

    def _find_id(self, row: SourceRow, column: str, ids: dict[str, int], fault: str) -> int | None:
        row_id = ids.get(row.values[column])
        if row_id is None:
            self._add_fault(row, column, f"{row.values[column]!r}: {fault}")
        return row_id

    def _check_choice(self, row: SourceRow, column: str, allowed: Sequence[str]) -> None:
        if row.values[column] not in allowed:
            self._add_fault(row, column, f"write one of {', '.join(allowed)}")

    def _read_day(self, row: SourceRow, column: str, empty: date | None) -> date | None:
        value = row.values[column]
        if not value and empty is not None:
            return empty
        try:
            if not _ISO_DAY.fullmatch(value):
                raise ValueError(value)
            return date.fromisoformat(value)
        except ValueError:
            self._add_fault(row, column, f"{value!r}: write a date such as 2026-04-30")
            return None

    def _add_fault(self, row: SourceRow, column: str, fault: str) -> None:
        self.faults.append(f"Line {row.line}: {column}: {fault}.")


def _days_after_joining() -> dict[int, int | None]:
    """Days after joining by directive, from its newest known version."""
    v = DirectiveVersion
    query = select(v.directive_id, v.due_days_after_joining).where(is_known_fact(v)).order_by(v.number)
    return {directive_id: days for directive_id, days in db.session.execute(query)}
