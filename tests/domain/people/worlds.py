"""Any grants, any post history: drawn, written as rows, and the rule of sight read plainly over them."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from hypothesis import strategies as st

from portal.domain.people.models import Person, PersonName, Post, RoleGrant, Unit, UnitState
from portal.platform.db import OPEN_END, db, stamp, transaction
from portal.platform.permissions import Role

TODAY = date(2026, 6, 1)
UNITS, PEOPLE = 5, 4
numbers = count(1)
SEES = {"manager", "directive-owner", "auditor", "administrator"}

days = st.sampled_from([TODAY + timedelta(n) for n in (-400, -30, -2, -1, 0, 1, 2, 30)]) | st.just(OPEN_END)
spans = st.tuples(days, days).map(sorted)
roles = st.sampled_from(["manager"] * 6 + [str(role) for role in Role])
units = st.integers(0, UNITS - 1)
people = st.integers(0, PEOPLE - 1)


@dataclass(frozen=True)
class World:
    parents: list  # of unit n: None or a lower number
    moved: tuple | None  # (unit, parent) from today on
    posts: list  # (person, unit, manager, span, state)
    grants: list  # (person, role, unit, span, revoked)


@st.composite
def worlds(draw):
    parents = [None] + [draw(st.integers(0, n - 1)) for n in range(1, UNITS)]
    moved = None
    if draw(st.booleans()):
        unit = draw(st.integers(1, UNITS - 1))
        moved = (unit, draw(st.integers(0, unit - 1)))
    state = st.sampled_from(["live", "live", "live", "void", "replaced"])
    posts = draw(st.lists(st.tuples(people, units, people | st.none(), spans, state), min_size=2, max_size=8))
    always = st.just((date(2020, 1, 1), OPEN_END))
    grant = st.tuples(people, roles, units | units | st.none(), always | always | spans, st.integers(0, 4))
    grants = [(*rest, n == 0) for *rest, n in draw(st.lists(grant, min_size=1, max_size=4))]
    return World(parents, moved, posts, grants)


def build(world, rank="Constable"):
    with transaction():
        at = stamp()
        unit_rows = [Unit(recorded_at=at) for _ in range(UNITS)]
        person_rows = [Person(recorded_at=at) for _ in range(PEOPLE)]
        db.session.add_all([*unit_rows, *person_rows])
        db.session.flush()
        unit_ids, person_ids = [u.id for u in unit_rows], [p.id for p in person_rows]
        for n, parent in enumerate(world.parents):
            write_unit(at, n, parent, world.moved, unit_ids)
        for person_id in person_ids:
            db.session.add(
                PersonName(
                    person_id=person_id,
                    staff_number=f"H{next(numbers)}",
                    surname="Shah",
                    forenames="Priya",
                    email=None,
                )
            )
        for key, post in enumerate(world.posts):
            write_post(at, key, post, unit_ids, person_ids, rank)
        for person, role, unit, (start, end), revoked in world.grants:
            db.session.add(
                RoleGrant(
                    person_id=person_ids[person],
                    role=role,
                    unit_id=None if unit is None else unit_ids[unit],
                    valid_from=start,
                    valid_to=end,
                    given_at=at,
                    ended_at=at if revoked else None,
                )
            )
    return unit_ids, person_ids


def write_unit(at, n, parent, moved, unit_ids):
    def add(parent, start, end):
        parent_id = None if parent is None else unit_ids[parent]
        db.session.add(
            UnitState(
                recorded_at=at,
                unit_id=unit_ids[n],
                name=f"U{n}",
                parent_id=parent_id,
                valid_from=start,
                valid_to=end,
            )
        )

    if moved and moved[0] == n:
        add(parent, date(2020, 1, 1), TODAY - timedelta(1))
        add(moved[1], TODAY, OPEN_END)
    else:
        add(parent, date(2020, 1, 1), OPEN_END)


def write_post(at, key, post, unit_ids, person_ids, rank):
    person, unit, manager, (start, end), state = post
    values = {
        "recorded_at": at,
        "person_id": person_ids[person],
        "post_key": str(key) if key else "",  # posts of one key would not overlap
        "rank_or_grade": rank,
        "designated_role": "response",
        "unit_id": unit_ids[unit],
        "line_manager_id": None if manager is None else person_ids[manager],
        "valid_from": start,
        "valid_to": end,
    }
    row = Post(**values, void=state == "void")
    db.session.add(row)
    if state == "replaced":  # by a void row: it never was
        db.session.flush()
        db.session.add(Post(**values, void=True, replaces_id=row.id))


def chain(world, unit, day=TODAY):
    """The unit and all above it on a day."""
    while unit is not None:
        yield unit
        moved = world.moved and world.moved[0] == unit and day >= TODAY
        unit = world.moved[1] if moved else world.parents[unit]


def sees(world, viewer, person):
    """The rule as product.md words it."""
    if viewer == person:
        return True
    live = [
        (role, unit)
        for who, role, unit, (start, end), revoked in world.grants
        if who == viewer and role in SEES and start <= TODAY <= end and not revoked
    ]
    if any(role != "manager" and unit is None for role, unit in live):
        return True
    held = [post for post in world.posts if post[0] == person and post[4] == "live"]
    deciding = [post for post in held if post[3][0] <= TODAY <= post[3][1]]
    if not deciding:
        past = [post for post in held if post[3][1] < TODAY]
        last = max((post[3][1] for post in past), default=None)
        deciding = [post for post in past if post[3][1] == last]
    granted = {unit for _, unit in live if unit is not None}
    in_units = any(granted & set(chain(world, post[1])) for post in deciding)
    reports = any(unit is None for _, unit in live) and any(post[2] == viewer for post in deciding)
    return in_units or reports
