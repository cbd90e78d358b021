"""Whom a token reaches: what an auditor of its unit would see; of one directive, that directive alone."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.domain import access_tokens
from portal.domain.access_tokens import TokenScope
from portal.domain.directives.models import Directive
from portal.domain.people.queries import build_system_viewer, viewer_of, visibility_of, visible_people
from portal.pages.api.views import OPERATIONS
from portal.pages.layout.access import scopes_of
from portal.platform import clock
from portal.platform.db import OPEN_END, db, transaction
from portal.platform.permissions import TOKEN_READS, Permission
from tests.domain.people.worlds import PEOPLE, TODAY, UNITS, World, build, worlds
from tests.domain.status.facts import add, make_version
from tests.examples import few_or_many
from tests.factories.people import make_grant, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import let_in, make_account
from tests.pages.api.calling import COMPLETIONS, ROOT, System, system
from tests.pages.monitoring import world as monitoring
from tests.pages.monitoring.moving import move
from tests.pages.monitoring.reading import csv_rows

ALWAYS = (date(2020, 1, 1), OPEN_END)
LISTS = (COMPLETIONS, "/people", "/records")


@pytest.mark.slow
@settings(max_examples=few_or_many(6, 25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds(), st.integers(0, UNITS - 1) | st.none())
def test_a_token_sees_whom_an_auditor_of_its_unit_sees_for_any_history(database, drawn, unit):
    with time_machine.travel(
        datetime.combine(TODAY, datetime.min.time(), UTC) + timedelta(hours=12), tick=False
    ):
        grant = (0, "auditor", unit, ALWAYS, False)
        unit_ids, person_ids = build(World(drawn.parents, drawn.moved, drawn.posts, [grant]))
        auditor = viewer_of(person_ids[0])
        token = build_system_viewer("x", None if unit is None else unit_ids[unit], TOKEN_READS)

        seen = set(db.session.scalars(visible_people(token, among=person_ids)))
        assert set(db.session.scalars(visible_people(token))) & set(person_ids) == seen
        by_auditor = set(db.session.scalars(visible_people(auditor, among=person_ids)))
        assert seen - {person_ids[0]} == by_auditor - {person_ids[0]}  # everyone sees themselves
        assert visibility_of(token) == visibility_of(auditor)
        assert not set(db.session.scalars(visible_people(token, Permission.ATTEMPT_OPEN)))
    assert len(person_ids) == PEOPLE


@pytest.fixture
def world(database):
    with time_machine.travel(monitoring.TODAY, tick=False):
        yield monitoring.make_world()


@pytest.mark.parametrize("unit", ["force", "local", "north", "crime"])
def test_the_rows_of_a_units_token_are_those_of_its_auditors_file(app, client, world, unit):
    move(world, "D1001", "crime", on=date(2026, 5, 15))
    make_grant(world.people["S1"], "auditor", world.units[unit])
    auditor, caller = monitoring.enter(client, world, "S1"), system(app, unit=world.units[unit])
    for query in ("", "?as_at=2026-05-14", "?as_known_on=2026-04-30&as_at=2026-04-30"):
        in_csv = csv_rows(auditor, query)

        rows = caller.read_all(f"{COMPLETIONS}{query}")

        assert [row["staff_number"] for row in rows] == [row["staff_number"] for row in in_csv]
        assert [row["status"] for row in rows] == [row["status"] for row in in_csv]


def test_a_unit_token_gets_nothing_of_others_by_any_list_count_filter_or_error(app, world):
    caller = system(app, unit=world.units["crime"])
    words = ""
    for path in (*LISTS, "/directives", "/directives/OIC-2026/status"):
        words += caller.ask(path).text
    for number in ("D1001", "N1", "NOBODY"):
        response = caller.ask(f"/people/{number}")
        assert response.status_code == 404
        words += response.text.replace("NOBODY", "")
    for query in ("q=Shah", "unit=Westshire+Police/Local+Policing", "rank=Sergeant", "role=response"):
        response = caller.ask(f"{COMPLETIONS}?{query}")
        assert not response.get_json().get("items")
        words += response.text

    named = set(re.findall(r"[\w-]+", words))  # a reference of support may hold two such letters
    assert "C1" in named
    assert not named & {"D1001", "N1", "N2", "S1", "S2", "D2001", "Shah", "Brennan", "Okafor"}
    status = caller.read("/directives/OIC-2026/status")
    assert (status["numerator"], status["denominator"], status["exclusions"]) == (1, 1, {})


def test_a_record_of_others_is_as_unknown_as_none(app, world):
    everyone, caller = system(app), system(app, unit=world.units["crime"])
    of_crime = {record["reference"] for record in caller.read_all("/records")}
    others = [one["reference"] for one in everyone.read_all("/records") if one["reference"] not in of_crime]

    assert of_crime
    assert others
    unknown = caller.ask("/records/OIC-0000-0000-0").get_json()
    for reference in others:
        problem = caller.ask(f"/records/{reference}").get_json()
        assert problem | {"reference": ""} == unknown | {"reference": ""}


def test_a_cursor_of_another_token_opens_nothing(app, world):
    everyone, caller = system(app), system(app, unit=world.units["crime"])
    for path in LISTS:
        theirs = everyone.read(f"{path}?limit=1")["next"]

        rest = caller.read_all(theirs)

        assert {row["staff_number"] for row in rest} <= {"C1", "D2002"}


def test_a_directives_token_reaches_that_directive_alone(app, world):
    other = add(Directive(reference="ABC-1"))
    make_version(other, world.activities)
    caller = system(app, directive="OIC-2026")

    assert [one["reference"] for one in caller.read_all("/directives")] == ["OIC-2026"]
    assert caller.read("/directives/OIC-2026/status")["denominator"] == 5
    assert caller.read_all(COMPLETIONS)
    for path in ("", "/status", "/completions"):
        caller.read(f"/directives/ABC-1{path}", 404)
        caller.read(f"/directives/NONE{path}", 404)
    for path in ("/people", "/people/D1001", "/records"):
        assert "for the directive OIC-2026 alone" in caller.read(path, 403)["detail"]


def address(operation):
    named = {
        "staff_number": "D1001",
        "reference": "OIC-2026",
        "name": "completions.csv",
        "uuid:import_id": "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
    }
    path = operation.path
    for name, value in named.items():
        path = path.replace(f"<{name}>", value)
    return ROOT + path


TOKENS = {
    "none": None,
    "wrong": "oicp_wrong",
    "read": TokenScope.READ,
    "write": TokenScope.WRITE,
    "scim": TokenScope.SCIM,
    "revoked": TokenScope.READ,
    "expired": TokenScope.READ,
}
MISSING = {"show_record", "show_import"}  # there is none of this address in this world


@pytest.mark.parametrize("kind", TOKENS)
def test_every_operation_lets_in_tokens_of_its_scopes_alone(app, world, kind):
    scope = TOKENS[kind]
    plain = scope or ""
    if isinstance(scope, TokenScope):
        plain = system(app, scope, days=1).plain
    if kind == "revoked":
        with transaction():
            token = access_tokens.token_of_name("token-1-read")
            access_tokens.revoke_token(token, by=None, at=clock.now())
    with time_machine.travel(monitoring.TODAY + timedelta(days=kind == "expired"), tick=False):
        caller, wrong = System(app, plain), []
        for operation in OPERATIONS:
            assert scopes_of(app.view_functions[f"api.{operation.name}"]) == set(operation.scopes)
            response = caller.ask(address(operation), operation.method)
            if kind in {"none", "wrong", "revoked", "expired"}:
                expected = {401} if kind == "none" else {401, 429}  # too many are throttled
            elif scope not in operation.scopes:
                expected = {403}
            else:
                expected = {404} if operation.name in MISSING else {415 if operation.media_types else 200}
            if response.status_code not in expected:
                wrong.append(f"{operation.name}: {response.status_code}, not {expected}")
            if response.status_code == 401:
                assert response.headers["WWW-Authenticate"].startswith('Bearer realm="portal"')

    assert wrong == []


def test_a_session_cookie_opens_nothing_here(app, database):
    make_grant(make_account("D9001", unit=make_unit("Force")), "administrator")
    client = PortalClient(app)
    let_in(client, "D9001")

    for operation in OPERATIONS:
        assert client.open(address(operation), method=operation.method).status_code == 401
