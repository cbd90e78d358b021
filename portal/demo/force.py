"""The fictional force on paper: who is where from when to when, before a single fact is written."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from portal.demo.names import ACCOUNTS, FORENAMES, RANKS, SERGEANT, SURNAMES, UNITS
from portal.platform.db import OPEN_END

DAYS = 450  # of history before the day of creation
DUE = date(2026, 4, 30)  # of the directive


@dataclass
class PlannedPost:
    """A post as it will be recorded; ``unit`` is a path below the force."""

    unit: str
    role: str
    rank: str
    since: date
    until: date = OPEN_END
    learned_late_days: int = 0  # recorded that long after its end became true


@dataclass
class PlannedPerson:
    """A person with their posts, in order."""

    staff_number: str
    surname: str
    forenames: str
    posts: list[PlannedPost] = field(default_factory=list)
    manager: str | None = None  # staff number


def unit_paths() -> list[str]:
    """Every unit below the force, parents first."""
    paths: dict[str, None] = {}
    for command, unit, teams, _, _ in UNITS:
        paths[command] = None
        paths[f"{command}/{unit}"] = None
        for letter in "ABCDEF"[:teams]:
            paths[f"{command}/{unit}/Team {letter}"] = None
    return list(paths)


def plan_people(people: int, today: date, random: Random) -> list[PlannedPerson]:
    """The nine with accounts and enough others to make ``people``."""
    start = today - timedelta(days=DAYS)
    planned = [_plan_account(row, start, today) for row in ACCOUNTS]
    sergeants: dict[str, str] = {"Response/Response North/Team A": "D2001"}
    weights = [u[4] for u in UNITS]
    for number in range(people - len(planned)):
        command, unit, teams, role, _ = random.choices(UNITS, weights)[0]
        path = f"{command}/{unit}" + (f"/Team {random.choice('ABCDEF'[:teams])}" if teams else "")
        person = PlannedPerson(f"W{3001 + number}", random.choice(SURNAMES), random.choice(FORENAMES))
        rank = random.choice(RANKS.get(role, ("Police Staff",)))
        if path not in sergeants:
            sergeants[path], rank = person.staff_number, SERGEANT.get(role, "Sergeant")
        else:
            person.manager = sergeants[path]
        person.posts.append(PlannedPost(path, role, rank, start - timedelta(days=random.randint(30, 3000))))
        _plan_career(person, start, today, random, teams)
        planned.append(person)
    planned[0].manager = "D2001"
    return planned


def _plan_account(
    row: tuple[str, str, str, str, str, str, str | None, str | None], start: date, today: date
) -> PlannedPerson:
    staff_number, surname, forenames, rank, role, unit, _, _ = row
    since = today - timedelta(days=10) if staff_number == "D1001" else start - timedelta(days=400)
    return PlannedPerson(staff_number, surname, forenames, [PlannedPost(unit, role, rank, since)])


def _plan_career(person: PlannedPerson, start: date, today: date, random: Random, teams: int) -> None:
    """What happens to some: they join late, move, or leave."""
    first = person.posts[0]
    fate = random.random()
    if fate < 0.08:
        first.since = start + timedelta(days=random.randint(20, DAYS - 5))
    elif fate < 0.13 and teams:
        moved = start + timedelta(days=random.randint(60, DAYS - 20))
        command, unit, count, role, _ = random.choice([u for u in UNITS if u[2]])
        rank = random.choice(RANKS[role])
        path = f"{command}/{unit}/Team {random.choice('ABCDEF'[:count])}"
        first.until = moved - timedelta(days=1)
        first.learned_late_days = random.choice((0, 0, 9))
        person.posts.append(PlannedPost(path, role, rank, moved))
    elif fate < 0.17:
        first.until = min(today, start + timedelta(days=random.randint(90, DAYS - 10)))
