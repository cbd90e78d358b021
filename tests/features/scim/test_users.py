"""Joiners, movers and leavers of a provider become people and posts, by the rules of a roster."""

from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts import identities
from portal.domain.accounts.models import SignInSession
from portal.domain.people import units
from portal.domain.people.models import Identifier, Person, PersonName, Post
from portal.domain.status.models import StatusPeriod
from portal.platform import clock as portal_clock
from portal.platform.db import db, stamp, transaction
from portal.platform.openid.claims import ProviderSubject
from tests.domain.status.facts import make_activity, make_directive, make_version
from tests.factories.people import make_person, make_unit
from tests.features.scim.provider import ENTERPRISE, Provider, audited, person_of, posts_of, user
from tests.page_reading import PortalClient
from tests.pages.account.browsing import PASSWORD, let_in, make_account, signed_in
from tests.statement_plans import noted_statements, tables_read_whole

RESPONSE = "Westshire Police/Response"


@pytest.fixture
def provider(app: Flask, database: None) -> Provider:
    return Provider(app)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-03-02T09:00:00Z", tick=False) as coordinates:
        yield coordinates


def test_a_user_is_added_found_and_changed_without_reading_everyone(provider, clock):
    make_person(make_unit("Other"), staff_number="9")
    with noted_statements() as sent:
        key = provider.add("4711", externalId="4b1c")
        provider.find('userName eq "u4711@westshire.example"')
        provider.patch(key, {"op": "replace", "path": "title", "value": "Sergeant"})

    assert len(sent) > 30
    assert tables_read_whole(sent) == {}


def test_a_joiner_gets_a_post_from_today_with_the_attributes_that_the_mapping_names(provider, clock):
    boss = provider.add("100", title="Sergeant")
    key = provider.add("4711", externalId="4b1c", manager={"value": boss})

    shown = provider.send("GET", f"/Users/{key}")

    assert posts_of("4711") == [("Constable", "response", RESPONSE, "100", date(2026, 3, 2), None)]
    assert shown["userName"] == "u4711@westshire.example"
    assert shown["externalId"] == "4b1c"
    assert shown["name"] == {"familyName": "Hale", "givenName": "Rowan"}
    assert (shown["title"], shown["userType"], shown["active"]) == ("Constable", "response", True)
    assert shown["emails"] == [{"value": "u4711@westshire.example", "type": "work"}]
    extension = shown[ENTERPRISE]
    assert (extension["employeeNumber"], extension["department"]) == ("4711", RESPONSE)
    assert extension["manager"]["value"] == boss
    assert extension["manager"]["$ref"].endswith(f"/scim/v2/Users/{boss}")
    assert shown["meta"]["resourceType"] == "User"
    assert shown["meta"]["location"] == shown["headers"].get("Location", shown["meta"]["location"])


def test_user_name_and_external_id_are_numbers_by_which_a_sign_in_finds_the_person(provider):
    key = provider.add("4711", externalId="4b1c")

    identifiers = db.session.execute(
        select(Identifier.scheme, Identifier.value).where(Identifier.person_id == person_of(key))
    )
    assert {scheme: value for scheme, value in identifiers} == {
        "userName": "u4711@westshire.example",
        "externalId": "4b1c",
    }
    for field, value in (("userName", "U4711@westshire.example"), ("externalId", "4b1c")):
        subject = ProviderSubject(f"https://{field.lower()}.example", "subject-1", value, None)
        with transaction():
            assert identities.admit_subject(subject, field, portal_clock.now()) == person_of(key)


def test_a_mover_gets_a_new_post_and_the_old_one_ends_the_day_before(provider, clock):
    key = provider.add()
    clock.move_to("2026-05-01T09:00:00Z")

    provider.patch(
        key,
        {"op": "replace", "path": "userType", "value": "investigation"},
        {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Westshire Police/Crime"},
    )

    assert posts_of("4711") == [
        ("Constable", "response", RESPONSE, "", date(2026, 3, 2), date(2026, 4, 30)),
        ("Constable", "investigation", "Westshire Police/Crime", "", date(2026, 5, 1), None),
    ]


def test_two_moves_on_one_day_leave_one_post(provider, clock):
    key = provider.add()
    clock.move_to("2026-05-01T09:00:00Z")
    for role in ("contact", "custody"):
        provider.patch(key, {"op": "replace", "path": "userType", "value": role})

    assert [(post[1], post[4]) for post in posts_of("4711")] == [
        ("response", date(2026, 3, 2)),
        ("custody", date(2026, 5, 1)),
    ]


def test_a_new_name_and_address_change_no_post_and_keep_the_id(provider, clock):
    key = provider.add()
    clock.move_to("2026-05-01T09:00:00Z")

    provider.patch(
        key,
        {"op": "replace", "path": "name.familyName", "value": "Hale-Okafor"},
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "R.Hale@westshire.example"},
    )

    names = db.session.get_one(PersonName, person_of(key))
    assert (names.surname, names.email) == ("Hale-Okafor", "r.hale@westshire.example")
    assert len(posts_of("4711")) == 1
    assert db.session.scalar(select(func.count()).select_from(Post)) == 1


def test_a_leaver_has_no_post_from_today_and_is_signed_out_in_the_same_request(app, provider):
    person = make_account("D1001")
    browser = PortalClient(app)
    let_in(browser)
    assert signed_in(browser)

    provider.patch(f"person-{person}", {"op": "replace", "path": "active", "value": False})

    assert not signed_in(browser)
    ended = db.session.scalars(select(SignInSession).where(SignInSession.person_id == person)).one()
    assert (ended.end_reason, ended.ended_at is not None) == ("left", True)
    assert posts_of("D1001")[0][5] is not None
    assert app.test_client().post("/sign-in", data={"name": "D1001", "password": PASSWORD}).status_code != 303


def test_a_leaver_who_comes_back_gets_a_new_post_as_the_same_person(provider, clock):
    key = provider.add()
    clock.move_to("2026-05-01T09:00:00Z")
    provider.patch(key, {"op": "replace", "path": "active", "value": False})
    clock.move_to("2026-09-01T09:00:00Z")
    provider.patch(key, {"op": "replace", "path": "active", "value": True})

    assert [post[4:] for post in posts_of("4711")] == [
        (date(2026, 3, 2), date(2026, 4, 30)),
        (date(2026, 9, 1), None),
    ]
    assert db.session.scalar(select(func.count()).select_from(Person)) == 1


def test_no_fault_of_anything_else_keeps_a_leaver_in(provider, clock):
    boss, key = provider.add("100"), provider.add("4711", manager="100")
    with transaction():
        db.session.delete(db.session.get_one(PersonName, person_of(boss)))  # erased
        db.session.get_one(PersonName, person_of(key)).email = "no address"
    clock.move_to("2026-05-01T09:00:00Z")
    title = {"op": "replace", "path": "title", "value": "Sergeant"}
    assert "not an email" in provider.patch(key, title, status=400)["detail"]

    shown = provider.patch(key, {"op": "replace", "path": "active", "value": False})

    assert (shown["active"], "manager" in shown[ENTERPRISE]) == (False, False)
    assert posts_of("4711")[0][5] == date(2026, 4, 30)


def test_who_leaves_on_their_first_day_never_had_the_post(provider, clock):
    key = provider.add()
    provider.patch(key, {"op": "replace", "path": "active", "value": False})

    assert posts_of("4711") == []
    assert provider.send("GET", f"/Users/{key}")["title"] == "Constable"


def test_a_leaver_loses_every_post_also_one_that_has_not_begun(provider, clock):
    unit = make_unit("Crime")
    person = make_person(unit, staff_number="77", until=date(2026, 6, 30))
    with_key = f"person-{person}"
    provider.patch(with_key, {"op": "replace", "path": "title", "value": "Sergeant"})
    later = provider.send("GET", f"/Users/{with_key}")
    assert posts_of("77")[-1][5] == date(2026, 6, 30), "a last day that the roster gave stays"
    assert later["active"]

    provider.send("DELETE", f"/Users/{with_key}", status=204)

    assert all(post[5] and post[5] < date(2026, 3, 2) for post in posts_of("77"))


def test_delete_is_a_leaver_whose_facts_stay_and_post_brings_the_person_back(provider, clock):
    key = provider.add(externalId="4b1c")
    clock.move_to("2026-05-01T09:00:00Z")
    provider.send("DELETE", f"/Users/{key}", status=204)

    provider.refused("GET", f"/Users/{key}", status=404)
    provider.refused("DELETE", f"/Users/{key}", status=404)
    assert provider.find('userName eq "u4711@westshire.example"') == []
    assert posts_of("4711") == [("Constable", "response", RESPONSE, "", date(2026, 3, 2), date(2026, 4, 30))]
    assert db.session.scalar(select(func.count()).select_from(Identifier)) == 0

    clock.move_to("2026-06-01T09:00:00Z")
    assert provider.add(externalId="4b1c") == key
    assert [post[4] for post in posts_of("4711")] == [date(2026, 3, 2), date(2026, 6, 1)]


def test_a_person_of_the_roster_is_found_by_address_or_number_and_taken_over_as_they_are(provider, clock):
    make_person(make_unit("Force"), staff_number="D1001")

    assert provider.find('userName eq "D1001@Westshire.example"') == ["d1001@westshire.example"]
    assert provider.find(f'{ENTERPRISE}:employeeNumber eq "d1001"') == ["d1001@westshire.example"]

    key = provider.add("D1001", department="Force")

    assert len(posts_of("D1001")) == 1, "the post says what it said"
    assert db.session.scalar(select(func.count()).select_from(Person)) == 1
    provider.refused("POST", "/Users", user("D1001"), status=409)
    assert provider.send("GET", f"/Users/{key}")["userName"] == "uD1001@westshire.example"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"userName": "U100@westshire.example"}, "userName"),
        ({"externalId": "same"}, "externalId"),
        ({"employeeNumber": "100"}, "employeeNumber"),
    ],
    ids=["user-name", "external-id", "staff-number"],
)
def test_two_people_with_one_identifier_conflict(provider, changes, kind):
    provider.add("100", externalId="same")
    before = db.session.scalar(select(func.count()).select_from(Person))

    keyword, detail = provider.refused("POST", "/Users", user("4711", **changes), status=409)

    assert keyword == "uniqueness"
    assert kind in detail
    assert db.session.scalar(select(func.count()).select_from(Person)) == before


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": ""}, "title is empty"),
        ({"userType": None}, "userType is empty"),
        ({"department": "Westshire Police//"}, "unit path"),
        ({"department": ""}, "department is empty"),
        ({"employeeNumber": "a/b"}, "employeeNumber"),
        ({"employeeNumber": "D100"}, "capital letters"),
        ({"emails": [{"value": "no address"}]}, "not an email address"),
        ({"emails": [{"value": "ud100@westshire.example"}]}, "is that of d100 too"),
        ({"name": {"familyName": "Hale"}}, "name.givenName is empty"),
        ({"name": {"familyName": "x" * 201, "givenName": "y"}}, "name.familyName has more than 200"),
        ({"manager": {"value": "person-999999"}}, "manager: nobody"),
        ({"manager": "nobody"}, "manager: nobody"),
        ({"userName": " "}, "userName is empty"),
        ({"active": "perhaps"}, "active"),
        ({"userName": "x" * 255}, "userName has more than 254"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_check_of_a_roster_refuses_is_refused_with_its_reason_and_nothing_is_written(
    provider, changes, reason
):
    provider.add("d100")
    before = db.session.scalar(select(func.count()).select_from(Person))

    keyword, detail = provider.refused("POST", "/Users", user("4711", **changes))

    assert keyword == "invalidValue"
    assert reason in detail
    assert db.session.scalar(select(func.count()).select_from(Person)) == before


def test_a_change_that_is_refused_changes_nothing_of_what_came_with_it(provider, clock):
    key = provider.add()
    clock.move_to("2026-05-01T09:00:00Z")

    provider.patch(
        key,
        {"op": "replace", "path": "name.familyName", "value": "Okafor"},
        {"op": "replace", "path": "userType", "value": "x" * 201},
        status=400,
    )

    assert provider.send("GET", f"/Users/{key}")["name"]["familyName"] == "Hale"
    assert len(posts_of("4711")) == 1


def test_somebody_inactive_has_no_post_until_the_provider_makes_them_active(provider, clock):
    boss = provider.add("100")
    key = provider.add(active=False)
    provider.patch(key, {"op": "add", "path": f"{ENTERPRISE}:manager", "value": {"value": boss}})

    shown = provider.send("GET", f"/Users/{key}")
    assert posts_of("4711") == []
    assert shown[ENTERPRISE]["manager"]["value"] == boss
    assert (shown["active"], shown["title"], shown[ENTERPRISE]["department"]) == (
        False,
        "Constable",
        RESPONSE,
    )

    provider.patch(key, {"op": "replace", "path": "title", "value": "Sergeant"})
    clock.move_to("2026-04-01T09:00:00Z")
    provider.patch(key, {"op": "replace", "path": "active", "value": True})

    assert posts_of("4711") == [("Sergeant", "response", RESPONSE, "100", date(2026, 4, 1), None)]


def test_a_corrected_staff_number_is_the_same_person_with_the_same_posts(provider, clock):
    key = provider.add("4711")
    provider.patch(key, {"op": "replace", "path": f"{ENTERPRISE}:employeeNumber", "value": "4712"})

    assert posts_of("4711") == []
    assert len(posts_of("4712")) == 1
    assert provider.send("GET", f"/Users/{key}")[ENTERPRISE]["employeeNumber"] == "4712"


def test_a_person_of_the_roster_never_gets_another_number_from_a_first_match(provider):
    person = make_person(make_unit("Force"), staff_number="D1001")

    other_number = {"op": "replace", "path": f"{ENTERPRISE}:employeeNumber", "value": "D2002"}
    provider.patch(f"person-{person}", {"op": "replace", "path": "title", "value": "Sergeant"})
    document = provider.patch(f"person-{person}", other_number, status=400)
    assert "perhaps another person" in document["detail"]

    provider.send("PUT", f"/Users/person-{person}", user("D1001", department="Force"))
    provider.patch(f"person-{person}", other_number)


def test_an_old_path_still_means_a_unit_that_was_renamed(provider, clock):
    key = provider.add()
    clock.move_to("2026-04-01T09:00:00Z")
    with transaction():
        units.rename_unit(RESPONSE, "Westshire Police/Patrol", on=date(2026, 4, 1), at=stamp())

    provider.send("PUT", f"/Users/{key}", user())

    assert len(posts_of("4711")) == 1
    assert provider.send("GET", f"/Users/{key}")[ENTERPRISE]["department"] == "Westshire Police/Patrol"


def test_each_change_is_audited_with_the_name_of_the_token(provider):
    key = provider.add()
    provider.patch(key, {"op": "replace", "path": "title", "value": "Sergeant"})
    provider.patch(key, {"op": "replace", "path": "title", "value": "Sergeant"})
    provider.send("DELETE", f"/Users/{key}", status=204)

    (created,), (changed,), (removed,) = map(
        audited, ("scim.user_created", "scim.user_changed", "scim.user_removed")
    )
    assert {event.detail["token"] for event in (created, changed, removed)} == {"entra"}
    assert {event.subject_id for event in (created, changed, removed)} == {person_of(key)}
    assert changed.detail["parts"] == ["rank_or_grade"]


def test_assignments_and_status_follow_in_the_same_transaction(provider, clock):
    make_version(make_directive(), {1: make_activity()})
    key = provider.add()

    statuses = select(StatusPeriod.person_id).where(StatusPeriod.person_id == person_of(key))
    assert db.session.scalars(statuses).all()
