"""The conditions that say how people can sign in agree with what a sign-in does, for anybody."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.accounts import factors, queries, ways
from portal.domain.accounts.models import Credential, Factor, ProviderIdentity
from portal.domain.people.models import PersonName
from portal.pages.layout.sessions.step_up import person_needs_factor
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.databases import undone
from tests.examples import few_or_many
from tests.factories.people import make_grant, make_person, make_unit

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ISSUER = "https://login.example"
PROVIDED = {"oidc_issuer": ISSUER, "oidc_client_id": "c", "oidc_client_secret": "s" * 32}
PROVIDED |= {"oidc_match_claim": "employee_id", "oidc_match_field": "staff_number"}
OPEN_TO_ALL = {**PROVIDED, "local_sign_in": "everyone"}
QUIET = settings(
    max_examples=few_or_many(10, 150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "roles": st.lists(st.tuples(st.sampled_from(list(Role)), st.booleans()), max_size=2),
            "manages": st.booleans(),  # by the roster
            "password": st.booleans(),
            "factor": st.sampled_from([None, "totp", "passkey"]),
            "issuer": st.sampled_from([None, ISSUER, "https://earlier.example"]),
        }
    ),
    min_size=1,
    max_size=4,
)
PORTALS = st.fixed_dictionaries(
    {
        "second_factor": st.sampled_from(["required", "offered"]),
        "line_manager_sight": st.sampled_from(["on", "off"]),
    }
)


def make_one(number: int, unit: int, traits: dict[str, Any]) -> int:
    person = make_person(unit, staff_number=f"P{number}")
    for role, on_unit in traits["roles"]:
        make_grant(person, role, unit if on_unit else None)
    if traits["manages"]:
        make_person(unit, staff_number=f"R{number}", manager=person)
    password_hash = "a hash" if traits["password"] else None
    db.session.add(Credential(person_id=person, password_hash=password_hash))
    if kind := traits["factor"]:
        passkey = {"credential_id": f"c{number}", "public_key": b"key", "sign_count": 0}
        details = passkey if kind == "passkey" else {"sealed_secret": b"sealed", "last_step": 0}
        db.session.add(
            Factor(reference=f"f{number}", person_id=person, kind=kind, label="x", added_at=START, **details)
        )
    if issuer := traits["issuer"]:
        identity = {"issuer": issuer, "subject": str(number), "claim_value": "4711"}
        db.session.add(ProviderIdentity(person_id=person, bound_at=START, last_used_at=START, **identity))
    db.session.flush()
    return person


def ways_at_sign_in(person: int, traits: dict[str, Any], portal: Any) -> set[str]:
    """What the pages of signing in would let this person use, by the functions that they ask."""
    local = queries.is_open_account(person, administrators_only=not portal.passwords_for_everyone)
    has_factors = factors.has_factors(person)
    found = set()
    if traits["password"] and local and (has_factors or not person_needs_factor(person)):
        found.add("password")
    if traits["factor"] == "passkey" and local:
        found.add("passkey")
    if traits["issuer"] and traits["issuer"] == portal.provider_issuer:
        found.add("provider")
    return found


@pytest.mark.slow
@QUIET
@given(people=PEOPLE, portal=PORTALS, provider=st.sampled_from([{}, PROVIDED, OPEN_TO_ALL]))
def test_the_conditions_agree_with_what_a_sign_in_asks(app, database, people, portal, provider) -> None:
    before = app.config["PORTAL"]
    app.config["PORTAL"] = replace(before, **portal, **provider)
    try:
        with undone(), app.test_request_context(), time_machine.travel(START, tick=False):
            unit = make_unit("Unit")
            made = {make_one(number, unit, one): one for number, one in enumerate(people)}
            rules, column = ways.current_rules(london_day(START)), PersonName.person_id
            conditions = {
                "password": ways.can_use_password(column, rules),
                "passkey": ways.can_use_passkey(column, rules),
                "provider": ways.can_use_provider(column, rules),
                "any": ways.can_sign_in(column, rules),
            }
            listed = {
                name: set(db.session.scalars(select(column).where(condition, column.in_(made))))
                for name, condition in conditions.items()
            }
            for person, traits in made.items():
                expected = ways_at_sign_in(person, traits, app.config["PORTAL"])
                expected |= {"any"} if expected else set()
                assert {name for name, people in listed.items() if person in people} == expected, traits
                one = [ways.can_sign_in(person, rules), ways.lacks_factor(person, rules)]
                can, lacks = db.session.execute(select(*one)).one()
                assert bool(can) is bool(expected)
                assert bool(lacks) is (person_needs_factor(person) and not factors.has_factors(person))
    finally:
        app.config["PORTAL"] = before
