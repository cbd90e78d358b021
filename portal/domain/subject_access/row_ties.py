"""The rows of a table that concern a person, by the path that the register gives."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, select, tuple_

from config import current_settings
from portal.domain.accounts.models import ProviderIdentity
from portal.domain.accounts.sign_in.tokens import account_key
from portal.domain.people.models import Identifier, PersonName
from portal.domain.records.completion_import import EMAIL, STAFF_NUMBER
from portal.domain.subject_access.register.marks import PersonalTable, View
from portal.platform.audit.models import AuditEvent, FilePeople
from portal.platform.audit.person_sets import holds_person
from portal.platform.db import Base, db

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
