"""For which units somebody may record, and whose samples they see."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from portal.domain.people.queries import viewer_of
from portal.domain.people.visibility import Viewer
from portal.features.dip_samples.queries import list_recordable_units, list_viewable_units
from portal.platform.clock import today
from portal.platform.permissions import Role
from tests.factories.people import make_grant, make_person, make_unit


@dataclass
class Now:
    as_at: date
    as_known_on: datetime = datetime(9999, 1, 1, tzinfo=UTC)


@pytest.fixture
def units(database: None) -> dict[str, int]:
    """A command with two teams, and another command."""
    north = make_unit("North")
    teams = {name: make_unit(name, north) for name in ("Team A", "Team B")}
    return {"North": north, **teams, "South": make_unit("South")}


def view(person: int, *, line_managers: bool = False) -> Viewer:
    viewer = viewer_of(person, line_managers=line_managers)
    assert viewer is not None
    return viewer


def seen_by(viewer: Viewer) -> set[str]:
    return {label.split(", ")[-1] for label in list_viewable_units(viewer, Now(today())).values()}


def recorded_by(viewer: Viewer) -> set[str]:
    return {label.split(", ")[-1] for label in list_recordable_units(viewer).values()}


def test_a_manager_of_a_unit_records_for_it_and_those_below(units: dict[str, int]) -> None:
    person = make_person(units["South"])
    make_grant(person, Role.MANAGER, units["North"])

    assert recorded_by(view(person)) == seen_by(view(person)) == {"North", "Team A", "Team B"}


@pytest.mark.parametrize("granted", [True, False])
def test_a_manager_of_people_records_for_their_units(units: dict[str, int], granted: bool) -> None:
    person = make_person(units["North"])
    make_person(units["Team A"], manager=person)
    if granted:
        make_grant(person, Role.MANAGER)

    by_roster, by_grant = view(person, line_managers=True), view(person)

    assert recorded_by(by_roster) == {"Team A"}
    assert recorded_by(by_grant) == ({"Team A"} if granted else set())


def test_an_auditor_sees_every_unit_and_records_for_none(units: dict[str, int]) -> None:
    person = make_person(units["South"])
    make_grant(person, Role.AUDITOR)

    assert seen_by(view(person)) == {"North", "Team A", "Team B", "South"}
    assert recorded_by(view(person)) == set()


def test_an_owner_of_directives_for_a_unit_sees_that_unit(units: dict[str, int]) -> None:
    person = make_person(units["South"])
    make_grant(person, Role.DIRECTIVE_OWNER, units["Team B"])

    assert seen_by(view(person)) == {"Team B"}


def test_a_learner_sees_none(units: dict[str, int]) -> None:
    assert seen_by(view(make_person(units["South"]))) == set()
