"""(f) Import of 15,000 roster rows beside the database client inserting rows as many and as wide."""

import csv
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from random import Random

from benchmarks.figures import Figure
from benchmarks.world import flask

ROWS = 15_000
TEAMS = 600
FORCE = "Westshire Police"
COLUMNS = (
    "staff_number,surname,forenames,email,rank_or_grade,designated_role,unit_path,"
    "line_manager_staff_number,valid_from,valid_to"
).split(",")
ROLES = ("response", "contact", "investigation", "custody", "neighbourhood", "roads policing")
SURNAMES = ("Shah", "Okafor", "Hale", "Rees", "Mercer", "Walsh", "Ghosh", "O'Neill", "Smith-Jones", "Ng")
DIRECTIVE = """reference = "OIC-2026"
title = "Organised immigration crime e-learning"
source = "Inspection recommendation"
wording = "Everyone in a designated role completes the four modules."
owner = "B00000"
effective_on = 2025-09-01
target = 1.0
notice_days = [30, 7, 1]
expiring_days = 60

[due]
on = 2026-04-30
days_after_joining = 60

[[audience]]
designated_role = ["response", "contact", "investigation", "custody", "neighbourhood", "roads policing"]
"""


def measure() -> list[Figure]:
    """Into an empty database; once more, when nothing changes; and into a database with a live directive."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        instance, file = Path(folder) / "instance", Path(folder) / "roster.csv"
        instance.mkdir(mode=0o700)
        write(file)
        floor = insert(Path(folder) / "floor.sqlite", file)
        flask(instance, "db", "upgrade")
        first, _ = flask(instance, "people", "import", str(file))
        again, _ = flask(instance, "people", "import", str(file))
        flask(instance, "modules", "publish", "modules")
        issued, _ = flask(instance, "directives", "issue", str(directive_file(Path(folder))))
        other = Path(folder) / "moved.csv"
        write(other, since="2026-09-01", seed=2)
        moved, _ = flask(instance, "people", "import", str(other))
    what = f"import of {ROWS:,} roster rows"
    raw = "sqlite3 inserting them"
    return [
        Figure("f", what, first, "s", floor, raw, first, "s", 20),
        Figure("f", f"{what}, again, nothing changes", again, "s"),
        Figure(
            "f", f"{what} that move everyone under a directive of four modules", moved, "s", floor, raw,
            moved, "s", 20,
        ),
        Figure("f", f"issue of a directive that reaches {ROWS:,} people", issued, "s"),
    ]  # fmt: skip


def write(file: Path, *, rows: int = ROWS, since: str = "", seed: int = 1, teams: int | None = None) -> None:
    """A roster of people in designated roles, in ``teams``, or teams of 25, whose first member leads.

    With another ``seed`` the same people, by the same names, are in other teams.
    """
    random, chosen_names = Random(seed), Random(0)
    many = teams or rows * TEAMS // ROWS
    order = list(range(many))
    random.shuffle(order)
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for number in range(rows):
            place = number % many
            team = order[place] if seed > 1 else place
            staff, leader = f"B{number:05}", "" if number < many else f"B{place:05}"
            path = f"{FORCE}/Command {team % 5}/Division {team % 40}/Team {team}"
            rank = "Constable" if leader else "Sergeant"
            begun = since or f"{random.randint(2005, 2025)}-0{random.randint(1, 9)}-01"
            email = f"{staff.lower()}@westshire.example"
            names = (chosen_names.choice(SURNAMES), f"Forename{number % 97}")
            writer.writerow((staff, *names, email, rank, ROLES[team % 6], path, leader, begun, ""))


def write_moved(file: Path, first: Path, moves: int) -> None:
    """The roster of ``first`` in which so many people, evenly drawn, go to another team next year."""
    with first.open(newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    paths = [row["unit_path"] for row in rows]
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        step = len(rows) // moves
        for place in range(0, step * moves, step):
            writer.writerow({**rows[place], "unit_path": paths[place - 1], "valid_from": "2027-01-01"})


def insert(database: Path, file: Path) -> float:
    """Seconds in which SQLite's client puts a person, a name and a post for each row, in one commit."""
    with file.open(newline="", encoding="utf-8") as source:
        rows = list(enumerate(csv.DictReader(source)))
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        begun = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, at TEXT)")
        connection.execute(
            "CREATE TABLE name (id INTEGER PRIMARY KEY, staff TEXT UNIQUE, a, b, mail TEXT UNIQUE)"
        )
        connection.execute(
            "CREATE TABLE post (id INTEGER PRIMARY KEY, person INTEGER, rank, role, unit, leader, a, b)"
        )
        connection.execute("CREATE INDEX ix_post ON post (person, a)")
        connection.executemany("INSERT INTO person VALUES (?, '2026-01-01')", [(n,) for n, _ in rows])
        names = [(n, r["staff_number"], r["surname"], r["forenames"], r["email"]) for n, r in rows]
        connection.executemany("INSERT INTO name VALUES (?, ?, ?, ?, ?)", names)
        posts = [(n, n, *list(r.values())[4:]) for n, r in rows]
        connection.executemany("INSERT INTO post VALUES (?, ?, ?, ?, ?, ?, ?, ?)", posts)
        connection.execute("COMMIT")
        return time.perf_counter() - begun


def directive_file(folder: Path) -> Path:
    """The directive of the measures, written into the folder."""
    file = folder / "directive.toml"
    asked = "".join(
        f'\n[[requirement]]\nkind = "module"\nkey = "{key}"\n'
        for key in ("recognise", "protect", "respond", "report")
    )
    file.write_text(DIRECTIVE + asked, encoding="utf-8")
    return file
