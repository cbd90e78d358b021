"""Reads what a roster is compared with, and writes what it changes: in sets, never row by row."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, false, func, insert, or_, select, true

from portal.domain.people import services
from portal.domain.people.models import Person, PersonName, Post, Unit, UnitState, fold_name
from portal.domain.people.names import index_names_afterwards
from portal.domain.people.positions import is_known_fact
from portal.domain.people.roster_plan import (
    KnownPost,
    NewUnit,
    PostValues,
    RosterBaseline,
    RosterPlan,
    Slot,
    UnitRef,
)
from portal.domain.people.services import PersonNames
from portal.domain.people.units import read_tree
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.bulk import insert_rows
from portal.platform.db import OPEN_END, Base, db, touch


@dataclass(frozen=True, slots=True)
class PlanBasis:
    """What a plan depends on: equal as long as nothing that a plan looks at is changed."""

    newest: tuple[int, ...]  # post, unit state, person and unit
    names: int  # a hash of all of them
    today: date


class RosterIds(NamedTuple):
    """The ids of what a plan writes."""

    people: dict[str, int]  # at least everyone whom the plan names, by staff number
    units: dict[UnitRef, int]  # new units, by their names
    posts: list[int]  # in the order of the plan's changes


def read_plan_basis() -> PlanBasis:
    """What a plan made now depends on. Five short statements."""
    tables = (Post, UnitState, Person, Unit)
    newest = tuple(db.session.scalar(select(func.max(table.id))) or 0 for table in tables)
    names = hash(frozenset(tuple(row) for row in db.session.execute(_select_names())))
    return PlanBasis(newest, names, clock.today())


def give_ids(plan: RosterPlan) -> RosterIds:
    """Ids for the rows that ``write_plan`` adds, before it adds them.

    Another transaction may still take them for its own rows, on SQLite alone: where nobody has recorded a
    person, a unit or a post meanwhile, they are free.
    """
    numbers = [names.staff_number for names in plan.new_people]
    people = dict(zip(numbers, _next_ids(Person, len(numbers)), strict=True))
    posts = [change.values for change in plan.post_changes]
    named = {post.staff_number for post in posts}
    named |= {post.manager for post in posts if post.manager and not post.manager.startswith(ERASED_PREFIX)}
    named -= people.keys()
    statement = select(PersonName.staff_number, PersonName.person_id)
    if len(named) <= services.MOST_BOUND:
        statement = statement.where(PersonName.staff_number.in_(sorted(named)))
    people.update((number, person_id) for number, person_id in db.session.execute(statement))
    created = [unit.names for unit in plan.unit_plan.new_units]
    units: dict[UnitRef, int] = dict(zip(created, _next_ids(Unit, len(created)), strict=True))
    return RosterIds(people, units, _next_ids(Post, len(posts)))


def _next_ids(model: type[Base], number: int) -> list[int]:
    """So many ids of new rows, in ascending order."""
    if not number:
        return []
    if db.engine.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(model.__tablename__, "id")
        numbers = func.generate_series(1, number).table_valued("number")
        return sorted(db.session.scalars(select(func.nextval(sequence)).select_from(numbers)))
    table = _table_of(model)
    newest = db.session.scalar(select(func.max(table.c.id))) or 0
    return list(range(newest + 1, newest + 1 + number))


def write_plan(plan: RosterPlan, at: datetime, *, by: int | None, ids: RosterIds | None = None) -> RosterIds:
    """Write a plan, as facts of the transaction whose stamp is ``at``.

    Args:
        plan: The plan.
        at: The stamp.
        by: Who imports it; None for a command.
        ids: As ``give_ids`` gave them, and still free; None to take them now.
    """
    written = write_facts(plan, at, by=by, ids=ids)
    if not plan.is_empty:
        _log_import(plan, by)
    return written


def write_facts(plan: RosterPlan, at: datetime, *, by: int | None, ids: RosterIds | None = None) -> RosterIds:
    """Write a plan as ``write_plan`` does, without an audit event of its own: its caller has one."""
    db.session.flush()
    ids = ids or give_ids(plan)
    _write_people(plan.new_people, ids, at)
    _write_units(plan.unit_plan.new_units, ids, at)
    for state in plan.unit_plan.extended_states:
        fields = state._asdict()
        db.session.add(UnitState(recorded_at=at, replaces_id=fields.pop("id"), **fields))
    insert_rows(_table_of(Post), _POST_COLUMNS, _post_rows(plan, ids, at))
    touch(people=(ids.people[change.values.staff_number] for change in plan.post_changes))
    services.correct_many_names(plan.renamed_people, by=by, at=clock.now())
    return ids


def read_baseline() -> RosterBaseline:
    """Names, known posts, withdrawn posts and units as known now, in a few statements."""
    names = [PersonNames(*row) for row in db.session.execute(_select_names())]
    number_of = {person.person_id: person.staff_number for person in names}
    return _build_baseline(names, db.session.execute(_select_posts()), number_of)


def read_baseline_of(numbers: Collection[str], email: str | None) -> RosterBaseline:
    """As much of the baseline as the row of one person needs, whatever the size of the force.

    Args:
        numbers: Staff numbers that the row names, in any capitals.
        email: Its address; whoever has it is in the baseline too.
    """
    conditions = [func.lower(PersonName.staff_number) == func.lower(number) for number in numbers]
    conditions += [PersonName.email == email] if email else []
    statement = _select_names().where(or_(false(), *conditions))
    names = [PersonNames(*row) for row in db.session.execute(statement)]
    number_of = {person.person_id: person.staff_number for person in names}
    posts = db.session.execute(_select_posts(list(number_of))).all()
    managers = {post.line_manager_id for post in posts if post.line_manager_id} - number_of.keys()
    number_of |= {person.person_id: person.staff_number for person in services.list_names_of(managers)}
    return _build_baseline(names, posts, number_of)


def _build_baseline(
    names: Iterable[PersonNames], posts: Iterable[Any], number_of: Mapping[int, str]
) -> RosterBaseline:
    """The baseline of these people; ``number_of`` has their line managers too."""
    names_by_number = {person.staff_number: person for person in names}
    known_posts: dict[Slot, list[KnownPost]] = defaultdict(list)
    withdrawn = set()
    for post_id, void, person_id, *values in posts:
        number = number_of.get(person_id)
        if number is None:  # erased: no file can name this person
            continue
        key, rank, role, unit_id, manager_id, start, end = values
        if void:
            withdrawn.add((number, key, start))
            continue
        manager = None if manager_id is None else number_of.get(manager_id, f"{ERASED_PREFIX}{manager_id}")
        post = PostValues(number, key, rank, role, unit_id, manager, start, end)
        known_posts[number, key].append(KnownPost(post_id, post))
    return RosterBaseline(names_by_number, known_posts, frozenset(withdrawn), read_tree(), clock.today())


def _select_names() -> Any:
    return select(
        PersonName.person_id,
        PersonName.staff_number,
        PersonName.surname,
        PersonName.forenames,
        PersonName.email,
    )


ERASED_PREFIX = "\0"  # before the id of a line manager without a staff number; no file can contain it


def _select_posts(people: Collection[int] | None = None) -> Any:
    """Known posts, and the rows that plan one void; of these people alone, if given."""
    columns = (
        Post.id,
        Post.void,
        Post.person_id,
        Post.post_key,
        Post.rank_or_grade,
        Post.designated_role,
        Post.unit_id,
        Post.line_manager_id,
        Post.valid_from,
        Post.valid_to,
    )
    of_people = true() if people is None else Post.person_id.in_(people)
    live = select(*columns).where(is_known_fact(Post), of_people)
    return live.union_all(select(*columns).where(Post.void, of_people))


def _log_import(plan: RosterPlan, by: int | None) -> None:
    log(
        "roster.imported",
        actor_id=by,
        new_people=len(plan.new_people),
        new_posts=plan.new_post_count,
        corrections=plan.correction_count,
        withdrawn=plan.withdrawn_count,
        units_created=len(plan.unit_plan.new_units),
    )


def _write_people(new_people: Sequence[PersonNames], ids: RosterIds, at: datetime) -> None:
    people = [(ids.people[names.staff_number], names) for names in new_people]
    insert_rows(_table_of(Person), ("id", "recorded_at"), ((person_id, at) for person_id, _ in people))
    rows = (
        (
            person_id,
            names.staff_number,
            names.surname,
            names.forenames,
            names.email,
            fold_name(names.surname, names.forenames, names.staff_number),
        )
        for person_id, names in people
    )
    columns = ("person_id", "staff_number", "surname", "forenames", "email", "folded")
    with index_names_afterwards(len(people)):
        insert_rows(_table_of(PersonName), columns, rows)


def _write_units(created: Sequence[NewUnit], ids: RosterIds, at: datetime) -> None:
    """Write the new units, upper ones first."""
    insert_rows(_table_of(Unit), ("id", "recorded_at"), ((ids.units[unit.names], at) for unit in created))
    states = (
        (
            at,
            False,
            ids.units[unit.names],
            unit.names[-1],
            None if unit.parent is None else ids.units.get(unit.parent, unit.parent),
            unit.valid_from,
            OPEN_END,
        )
        for unit in created
    )
    columns = ("recorded_at", "void", "unit_id", "name", "parent_id", "valid_from", "valid_to")
    insert_rows(_table_of(UnitState), columns, states)


def _table_of(model: type[Base]) -> Table:
    return model.metadata.tables[model.__tablename__]


def insert_facts(model: type[Base], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert rows of a model; return their ids in the order of the rows, which is ascending."""
    table = _table_of(model)  # with the class, rows with nulls are inserted singly
    in_order = db.engine.dialect.name == "postgresql"  # SQLite always numbers rows in their order
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=in_order)
    return sorted(db.session.scalars(statement, rows))


_POST_COLUMNS = (
    "id",
    "recorded_at",
    "replaces_id",
    "void",
    "person_id",
    "post_key",
    "rank_or_grade",
    "designated_role",
    "unit_id",
    "line_manager_id",
    "valid_from",
    "valid_to",
)


def _post_rows(plan: RosterPlan, ids: RosterIds, at: datetime) -> Iterator[tuple[Any, ...]]:
    """The rows of posts, their values in the order of ``_POST_COLUMNS``."""
    for post_id, (values, replaces_id, void) in zip(ids.posts, plan.post_changes, strict=True):
        yield (
            post_id,
            at,
            replaces_id,
            void,
            ids.people[values.staff_number],
            values.post_key,
            values.rank_or_grade,
            values.designated_role,
            ids.units.get(values.unit, values.unit),
            line_manager_id_of(values, ids.people),
            values.valid_from,
            values.valid_to,
        )


def line_manager_id_of(values: PostValues, people: Mapping[str, int]) -> int | None:
    """The id of a post's line manager, who may have been erased and then has no staff number."""
    manager = values.manager
    if manager is not None and manager.startswith(ERASED_PREFIX):
        return int(manager.removeprefix(ERASED_PREFIX))
    return None if manager is None else people[manager]
