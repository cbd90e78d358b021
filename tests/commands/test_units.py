"""``units rename`` and ``units move``: new states from a day on; past days stay as they were."""

from datetime import date

import pytest
from sqlalchemy import func, select

from portal.domain.people.models import UnitState
from portal.domain.people.queries import unit_by_path, unit_paths, units_under
from portal.platform import db as database_module
from portal.platform.db import Stamp, db
from tests.domain.imports.rosters import run
from tests.factories.people import make_person, make_unit

BEFORE, ON = date(2026, 5, 31), date(2026, 6, 1)
W = "Westshire Police"


@pytest.fixture
def units(database):
    force = make_unit(W)
    local, crime = make_unit("Local", force), make_unit("Crime", force)
    team = make_unit("Team", local)
    return {"force": force, "local": local, "crime": crime, "team": team, "squad": make_unit("Squad", team)}


@pytest.fixture
def touched(monkeypatch):
    seen = []
    monkeypatch.setattr(database_module, "_subscribers", [seen.append])
    return seen


def unit_states():
    return db.session.scalar(select(func.count()).select_from(UnitState))


def test_a_move_holds_from_its_day_and_takes_everything_below_along(app, units, touched):
    person = make_person(units["squad"])
    touched.clear()

    result = run(app, "units", "move", f"{W}/Local/Team", f"{W}/Crime/Team", "--on", ON)

    assert result.exit_code == 0
    assert unit_paths(BEFORE)[units["squad"]] == f"{W}/Local/Team/Squad"
    assert unit_paths(ON)[units["squad"]] == f"{W}/Crime/Team/Squad"
    assert units_under(units["crime"], ON) == {units["crime"], units["team"], units["squad"]}
    assert [(t.units, t.people) for t in touched] == [({units["team"]}, {person})]


def test_a_rename_keeps_the_unit_and_touches_nobody(app, units, touched):
    make_person(units["team"])
    touched.clear()

    result = run(app, "units", "rename", f"{W}/Local/Team", f"{W}/Local/Night//Day", "--on", ON)

    assert result.exit_code == 0
    assert unit_by_path(f"{W}/Local/Night//Day", ON) == units["team"]
    assert unit_by_path(f"{W}/Local/Team", BEFORE) == units["team"]
    assert touched == []


def test_on_the_first_day_of_a_state_the_change_corrects_it(app, units):
    run(app, "units", "rename", f"{W}/Local/Team", f"{W}/Local/Night", "--on", ON)
    run(app, "units", "rename", f"{W}/Local/Night", f"{W}/Local/Day", "--on", ON)

    assert unit_by_path(f"{W}/Local/Day", ON) == units["team"]
    assert unit_by_path(f"{W}/Local/Team", BEFORE) == units["team"]


@pytest.mark.parametrize("command", ["rename", "move"])
def test_twice_is_the_same_as_once(app, units, command):
    arguments = ["units", command, f"{W}/Local/Team", f"{W}/Local/Night", "--on", ON]
    run(app, *arguments)
    before = unit_states(), db.session.scalar(select(func.count()).select_from(Stamp))

    again = run(app, *arguments)

    assert again.exit_code == 0
    assert "Nothing to do." in again.stdout
    assert (unit_states(), db.session.scalar(select(func.count()).select_from(Stamp))) == before


def test_a_dry_run_says_what_would_change_and_changes_nothing(app, units):
    result = run(app, "units", "move", f"{W}/Local/Team", f"{W}/Crime/Team", "--on", ON, "--dry-run")

    assert result.exit_code == 0
    assert "Dry run: nothing was changed." in result.stdout
    assert unit_paths(ON)[units["team"]] == f"{W}/Local/Team"


@pytest.mark.parametrize(
    ("command", "path", "new_path", "reason"),
    [
        ("rename", f"{W}/Local/Team", f"{W}/Crime/Team", "Use 'units move'"),
        ("move", f"{W}/Local/Nobody", f"{W}/Crime/Nobody", "No unit has the path"),
        ("move", f"{W}/Local/Team", f"{W}/Roads/Team", f"No unit has the path '{W}/Roads'"),
        ("move", f"{W}/Local", f"{W}/Local/Team/Local", "cannot be moved under itself"),
        ("move", f"{W}/Local", f"{W}/Crime", "Another unit has the path"),
        ("rename", f"{W}/Local", f"{W}/", "has an empty name"),
    ],
)
def test_what_cannot_be_is_refused(app, units, command, path, new_path, reason):
    before = unit_states()

    result = run(app, "units", command, path, new_path, "--on", ON)

    assert result.exit_code == 1
    assert reason in result.stderr
    assert unit_states() == before


def test_a_day_is_needed(app, units):
    assert run(app, "units", "move", f"{W}/Local", f"{W}/Crime/Local").exit_code == 2


def test_moves_already_planned_cannot_close_a_loop(app, units):
    later = date(2026, 7, 1)
    run(app, "units", "move", f"{W}/Crime", f"{W}/Local/Crime", "--on", later)

    result = run(app, "units", "move", f"{W}/Local", f"{W}/Crime/Local", "--on", ON)

    assert result.exit_code == 1
    assert "cannot be moved under itself" in result.stderr
