"""How a table and its columns are marked in the register of personal data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, select, tuple_

from config import current_settings
from portal.domain.accounts.models import ProviderIdentity
from portal.domain.accounts.tokens import account_key
from portal.domain.people.models import Identifier, PersonName
from portal.domain.records.completion_import import EMAIL, STAFF_NUMBER
from portal.platform.audit import AuditEvent, FilePeople, holds_person
from portal.platform.db import Base, db


@dataclass(frozen=True, slots=True)
class DataCategory:
    """A category of personal data: what it is, why it is held and who sees it."""

    title: str
    why: str
    seen_by: str


@dataclass(frozen=True, slots=True)
class View:
    """One way in which rows of a table concern a person.

    Attributes:
        heading: For the person who reads their own file.
        path: The columns that lead from a row to the person, table by table: "attempt_id registration_id
            person_id". Of a table that names nobody by id, a name that ``_special_tie`` knows, with "@".
        only: The columns shown, where the row is about somebody else as well; empty: all that are marked.
    """

    heading: str
    path: str
    only: str = ""


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """A table with personal data.

    Attributes:
        name: Of the table.
        area: Its category.
        kept: How long, as a key of ``portal/domain/subject_access/periods.py``.
        views: How rows concern a person; empty where its values are shown beside the rows of another table.
        columns: Personal columns, each with its label for the reader. "@day" and the like after it says how
            to write the value (``values.py``).
        people: Columns with the id of a person, each with their role: others are never named.
        withheld: Personal columns that are not given out, each with the reason.
        by_others: Of ``columns``, those with words that somebody else wrote: names in them are taken out.
        technical: Columns that say nothing about anybody.
    """

    name: str
    area: DataCategory
    kept: str
    views: tuple[View, ...]
    columns: Mapping[str, str]
    people: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)
    by_others: str = ""
    technical: str = ""

    @property
    def personal(self) -> dict[str, str]:
        """What each personal column is, in order of marking."""
        labels = {column: label.partition(" @")[0] for column, label in self.columns.items()}
        named = {column: f"Who: {role}" for column, role in self.people.items()}
        return {**labels, **named, **dict.fromkeys(self.withheld, "Not given out")}


UNSAFE = (
    "A secret or its fingerprint. It says nothing about you, and giving it out would endanger your account."
)
ABOUT_OTHERS = "It may name other people. What it says about you is in the other parts of this file."
SAME = "The same as your name and staff number, in the form in which the portal searches for it."

_STAFF = "Administrators of the portal"
ROSTER = DataCategory(
    "Who you are and your posts",
    "To know who a record belongs to, and which training applies to which post",
    "You, your line managers, managers and owners of directives for your unit, auditors, administrators",
)
ROLES = DataCategory(
    "Your roles in the portal", "To decide who may see and do what", f"You; {_STAFF.lower()}; auditors"
)
SIGN_IN = DataCategory(
    "Signing in",
    "To let only you use your account, and to find misuse",
    f"{_STAFF}, and you as far as your account page shows it",
)
LEARNING = DataCategory(
    "Learning and records",
    "So that you can learn, and so that the force can show who completed required training and when",
    "You, your line managers, managers and owners of directives for your unit, auditors, administrators",
)
ANSWERS = DataCategory(
    "Answers in assessments and cases",
    "To mark the assessment; to improve questions by counts that name nobody",
    "You, and your line manager if you showed them a copy; others see counts alone",
)
OWN = DataCategory(
    "What is for you alone",
    "To help you keep what you learnt, and to make unclear texts better",
    "You, and whoever prepares a copy of your data for you; authors read words about unclear texts without "
    "your name",
)
STATUS = DataCategory(
    "What you have to complete",
    "To tell you and those responsible what is required, by when, and what is missing",
    LEARNING.seen_by,
)
DECISIONS = DataCategory(
    "Requests and decisions",
    "To record why somebody does not have to complete something, or has more time for it",
    "Who asked, who decided, owners of the directive, auditors; you see the outcome",
)
MAIL = DataCategory(
    "Email the portal sent",
    "To remind, to invite and to tell about changes to an account",
    "You, owners of directives and administrators",
)
AUDIT = DataCategory(
    "Audit trail",
    "To show who did or looked at what, as the security of personal data requires",
    "Auditors and administrators",
)
RIGHTS = DataCategory(
    "Your requests about your data, and holds on it",
    "To answer what you asked about your data, and to keep what must not be erased yet",
    "Administrators and operators of retention, auditors; you see your requests and their answers",
)
WORK = DataCategory(
    "Work you did for the force in the portal",
    "To show who wrote, reviewed, loaded or decided something",
    "Those who do the same work, auditors and administrators",
)
SYSTEMS = DataCategory(
    "Connected systems",
    "To take over who works where, and to tell other systems of the force what changed",
    _STAFF,
)


def mark_proposals(
    name: str, noun: str, technical: str, key: Mapping[str, str] | None = None
) -> PersonalTable:
    """Marks of a table with the columns of ``ProposalColumns``.

    Args:
        name: Of the table.
        noun: What is proposed, in the plural.
        technical: Further columns that say nothing about anybody.
        key: A column that says what was proposed, with its label.
    """
    key = key or {}
    decided = " ".join((*key, "ended_at ended_as"))
    return PersonalTable(
        name,
        WORK,
        "record",
        (
            View(f"{noun} you proposed", "proposed_by_id"),
            View(f"{noun} of others that you decided", "ended_by_id", decided),
        ),
        {
            **key,
            "note": "Note",
            "proposed_at": "Proposed",
            "ended_at": "Ended",
            "ended_as": "Outcome",
            "reason": "Reason",
        },
        people={"proposed_by_id": "the author", "ended_by_id": "who ended it"},
        by_others="reason",
        technical=f"id {technical}",
    )


# The rows of a table that concern a person, by the path that the register gives.

_READ = 200  # sets of people at a time


def table_of(name: str) -> Table:
    """The table with this name."""
    return Base.metadata.tables[name]


def read_rows(marks: PersonalTable, view: View, person_id: int) -> Sequence[RowMapping]:
    """The rows of a view that concern the person, with the columns that may be shown and the keys, in order.

    What is not given out is not read.
    """
    table = table_of(marks.name)
    columns = [column for column in table.columns if column.name not in marks.withheld or column.primary_key]
    condition = _tie(table, view.path, person_id)
    statement = select(*columns).where(condition).order_by(*table.primary_key.columns)
    return db.session.execute(statement).mappings().all()


def _tie(table: Table, path: str, person_id: int) -> ColumnElement[bool]:
    """The condition by which a row leads to the person."""
    if path.startswith("@"):
        return _special_tie(table, path.removeprefix("@"), person_id)
    name, _, rest = path.partition(" ")
    column = table.c[name]
    if not rest:
        return column == person_id
    target = next(iter(column.foreign_keys)).column
    return column.in_(select(target).where(_tie(target.table, rest, person_id)))


def _special_tie(table: Table, name: str, person_id: int) -> ColumnElement[bool]:
    """The condition where a table names nobody by id."""
    if name == "files":
        return table.c.event_id.in_(_files_with(person_id))
    if name == "account_hash":
        return table.c[name] == account_key(person_id, "", current_settings().secret_key)
    if name == "identifier":
        return tuple_(table.c.scheme, table.c.identifier).in_(_identifiers_of(person_id))
    subjects = select(ProviderIdentity.subject).where(ProviderIdentity.person_id == person_id)
    return table.c[name].in_(subjects)


def _identifiers_of(person_id: int) -> list[tuple[str, str]]:
    """The numbers by which files of completions may name the person, each with its kind."""
    identifiers = select(Identifier.scheme, Identifier.value).where(Identifier.person_id == person_id)
    values = [(scheme, value) for scheme, value in db.session.execute(identifiers)]
    if names := db.session.get(PersonName, person_id):
        values += [(STAFF_NUMBER, names.staff_number)]
        values += [(EMAIL, names.email)] if names.email else []
    return values


def _files_with(person_id: int) -> list[int]:
    """Ids of the audit events of files with the person in them that somebody else made."""
    statement: Any = (
        select(FilePeople.event_id, FilePeople.people)
        .join(AuditEvent, AuditEvent.id == FilePeople.event_id)
        .where(AuditEvent.actor_id.is_distinct_from(person_id))
        .execution_options(yield_per=_READ)
    )
    return [event_id for event_id, people in db.session.execute(statement) if holds_person(people, person_id)]
