"""The fictional force: made once, its sign-ins told at each start, the same for the same seed."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from secrets import token_hex

import pytest

from tests.running import PASSWORD, command, copied, make_force, settings

pytestmark = pytest.mark.slow
NINE = ["D1001", "D2001", "D2002", "D3001", "D3002", "D4001", "D5001", "D6001", "D9001"]


def ask(instance: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(instance / "portal.sqlite")) as connection:
        return connection.execute(query).fetchall()


def held(instance: Path) -> list[tuple]:
    """How many rows there are of what a start must not add to, and the newest of them."""
    tables = ("post", "record", "assignment", "module_version", "shared_version", "credential")
    return [ask(instance, f"SELECT count(*), max(rowid) FROM {table}") for table in tables]


def prepare(instance: Path) -> None:
    """Prepare the demo, which tells the sign-ins."""
    done = command(settings(instance), "demo", "prepare")
    assert done.returncode == 0, done.stderr
    assert re.findall(r"\bD\d{4}\b", done.stdout) == NINE
    assert PASSWORD in done.stdout
    assert "/sign-in" in done.stdout


@pytest.mark.sweep
def test_it_is_prepared_from_nothing(tmp_path):
    prepare(tmp_path)

    people = ask(tmp_path, "SELECT count(*) FROM person_name")[0][0]
    assert 550 <= people <= 700
    late = "SELECT count(DISTINCT person_id) FROM record JOIN imported_record ON record_id = record.id WHERE "
    late += "source_system = 'Regional training day'"
    assert ask(tmp_path, late)[0][0] >= 5  # their list came after the due date
    assert ask(tmp_path, "SELECT count(*) FROM revocation")[0][0] >= 1
    for waits in ("review WHERE ended_at IS NULL", "decision_request"):  # for the publisher, for the owner
        assert ask(tmp_path, f"SELECT count(*) FROM {waits}") == [(1,)]


def test_what_is_there_is_kept_and_the_sign_ins_are_told_each_time(small_force, tmp_path):
    here = copied(small_force, tmp_path / "here")
    kept = held(here)

    prepare(here)

    assert held(here) == kept
    modules = {key for (key,) in ask(here, "SELECT key FROM activity WHERE kind = 'module'")}
    assert {"recognise", "protect", "respond", "report"} <= modules


def test_only_the_nine_have_accounts_and_the_learner_has_done_nothing(small_force):
    accounts = ask(
        small_force,
        "SELECT staff_number FROM credential JOIN person_name USING (person_id) ORDER BY staff_number",
    )
    assert [number for (number,) in accounts] == NINE
    for table in ("registration", "record"):
        rows = ask(
            small_force,
            f"SELECT count(*) FROM {table} JOIN person_name USING (person_id) WHERE staff_number = 'D1001'",
        )
        assert rows == [(0,)], table


@pytest.mark.sweep
def test_the_same_seed_makes_the_same_force(small_force, tmp_path):
    make_force(tmp_path)
    names = "SELECT staff_number, surname, forenames FROM person_name ORDER BY staff_number"

    assert ask(tmp_path, names) == ask(small_force, names)
    passes = "SELECT count(*) FROM record"
    assert ask(tmp_path, passes) == ask(small_force, passes)


def test_it_is_made_into_an_empty_database_and_in_the_demo_alone(small_force, tmp_path):
    here = copied(small_force, tmp_path / "here")
    refused = command(settings(here), "demo", "create", "--people", "20")
    assert (refused.returncode, "empty" in refused.stderr) == (1, True), refused.stderr
    production = {
        **settings(tmp_path / "production"),
        "PORTAL_MODE": "production",
        "SECRET_KEY": token_hex(32),
        "PUBLIC_URL": "https://learning.westshire.example",
    }
    assert command(production, "db", "upgrade").returncode == 0
    refused = command(production, "demo", "create", "--people", "20")
    assert (refused.returncode, "only where PORTAL_MODE is demo" in refused.stderr) == (1, True)


@pytest.mark.parametrize("missing", ["SECRET_KEY", "PUBLIC_URL"])
def test_production_does_not_start_without_its_settings(tmp_path, missing):
    environment = {
        **settings(tmp_path),
        "PORTAL_MODE": "production",
        "SECRET_KEY": token_hex(32),
        "PUBLIC_URL": "https://learning.westshire.example",
    }
    del environment[missing]

    done = command(environment, "db", "upgrade")

    assert done.returncode == 2
    assert done.stderr.startswith(f"{missing} is missing: production needs")
