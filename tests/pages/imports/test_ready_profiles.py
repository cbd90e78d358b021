"""Files as ten systems write them: recognised, read by a ready profile; what is not sure is asked once."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.imports import columns, queries
from portal.domain.people.models import PersonName, Post, UnitState
from portal.domain.people.positions import is_known_fact
from portal.domain.records.models import ImportedRecord, Record
from portal.platform.db import db
from tests.domain.imports.desk import administrator, csv_of, press_new, sections, selected_values, upload
from tests.examples import sweep_after
from tests.factories.catalogue import make_version
from tests.factories.people import make_person, make_unit
from tests.page_reading import words
from tests.pages.account.browsing import let_in

SAMPLES = Path(__file__).parents[2] / "domain/imports/samples"
TODAY = datetime(2026, 6, 1, 12, tzinfo=UTC)


pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _today(database):
    with time_machine.travel(TODAY, tick=True):
        yield


@pytest.fixture
def team(client):
    """The team of the samples, without anybody in it."""
    administrator(client)
    return make_unit("Team A", make_unit("Response", make_unit("Westshire Police")))


@pytest.fixture
def force(team):
    people = [make_person(team, staff_number=f"W100{n}") for n in range(1, 4)]
    make_version("respond", title="Respond: at the scene")
    make_version("protect", title="Protect: after the scene")
    return people


def send(client, name, content=None, shape="completion", **fields):
    """Upload a sample; a system that has no column of its own is chosen by its name."""
    kind = "roster" if shape is None else "completions"
    ready = columns.ready_profiles().get(name)
    if ready and not ready.own_names:
        fields.setdefault("profile", f"ready:{name}")
    content = content or (SAMPLES / f"{name}.csv").read_bytes()
    fields |= {"shape": shape} if shape else {}
    return upload(client, content, kind, f"{name}.csv", **fields)


def asked(page):
    """The label of each question about values, by the name of its field."""
    return {
        label.get("for"): words(label) for label in page.all("label") if label.get("for").startswith("answer")
    }


def answer(client, page, answers):
    """Press on with these answers, each by a part of its question; no other question may be there."""
    questions = asked(page)
    chosen = {
        name: next(value for part, value in answers.items() if part in label)
        for name, label in questions.items()
    }
    assert len(questions) == len(answers), questions
    return client.press(page, "Check the file", **chosen)


def match(client, page, **fields):
    return client.press(page, "Check the file", **{**selected_values(page), **fields})


def apply(client, page):
    assert page.h1 == "Every row is good", page.text
    return client.press(page, "Apply the import")


def records(people):
    """Who has which record of which day, from where."""
    rows = db.session.execute(
        select(Record.person_id, Record.activity_id, Record.achieved_on, ImportedRecord.source_system)
        .join(ImportedRecord, ImportedRecord.record_id == Record.id)
        .order_by(Record.achieved_on, Record.person_id)
    )
    return [(people.index(person), day.isoformat(), source) for person, _, day, source in rows]


def posts():
    """The posts of the people in the samples: rank, role, unit, first and last day."""
    rows = db.session.execute(
        select(PersonName.staff_number, Post, UnitState.name)
        .join(Post, Post.person_id == PersonName.person_id)
        .join(UnitState, UnitState.unit_id == Post.unit_id)
        .where(is_known_fact(Post), is_known_fact(UnitState), PersonName.staff_number.startswith("W100"))
        .order_by(PersonName.staff_number, Post.valid_from)
    )
    return [
        (n, p.rank_or_grade, p.designated_role, unit, p.valid_from.isoformat(), p.valid_to.isoformat())
        for n, p, unit in rows
    ]


COMPLETIONS = {  # the source of the records, and what is asked about values
    "scorm-cloud": ("SCORM Cloud", {"“UNKNOWN”": "-", "How it is written": "percent"}),
    "chronicle": ("Chronicle", {}),
    "college-learn": ("College Learn", {"(NCALT)": "module/respond", "Manual handling": "-"}),
    "totara-course-completion": ("Totara", {"Complete via rpl": "completed"}),
    "moodle-report-builder": ("Moodle", {"Respond (NCALT)": "module/respond"}),
}


@pytest.mark.parametrize("name", sweep_after(1, *COMPLETIONS))
def test_completions_of_a_system_go_in_as_it_writes_them(client, force, name):
    source, answers = COMPLETIONS[name]
    ready = columns.ready_profiles()[name]
    page = send(client, name)
    assert f"This looks like {ready.looks_like}." in page.text
    assert ("Assumed: the ready profile is made from" in page.text) == ready.assumed
    if ready.own_names and ready.assumed:
        asked_again = match(client, page)
        assert (
            "Choose the column for “System it comes from”, or enter one value for every row"
            in asked_again.text
        )
    page = match(client, page, fixed_source_system=source)

    if answers:
        page = answer(client, page, answers)
    apply(client, page)

    assert records(force) == [(0, "2026-03-14", source), (2, "2026-04-03", source)]


@pytest.mark.parametrize("name", sweep_after(0, "moodle-course-completion-excel", "moodle-course-completion"))
def test_moodles_report_of_one_course_needs_only_the_name_of_the_module(client, force, name):
    page = send(client, name, shape="person")
    assert "This looks like a Moodle course completion export." in page.text
    assert "A year of two digits is read as one from 2000 on." in page.text

    page = match(client, page, activity_5="module/protect")

    apply(client, page)
    assert records(force) == [(0, "2026-03-14", "Moodle"), (2, "2026-04-03", "Moodle")]


def test_short_years_that_may_be_read_in_two_ways_are_asked_about(client, force):
    rows = [
        {"Name": "Shah", "Email address": "w1001@westshire.example", "Course complete": "03/04/26, 09:05"}
    ]
    page = send(client, "moodle", csv_of(rows, tuple(rows[0])), shape="person")
    page = match(client, page, activity_2="module/protect")

    apply(client, answer(client, page, {"How it is written": "month_first"}))

    assert records(force) == [(0, "2026-03-04", "Moodle")]


NEW = {value: value for value in ("Sergeant", "response", "supervisor")}  # the portal knows none of them
ROSTERS = {
    "sap-successfactors": (
        {},
        {**NEW, "inactive": "-"},
        [("W1001", "2026-06-01"), ("W1003", "2026-06-01")],
    ),
    "origin-hr": (
        {},
        {**NEW, "“PC”": "Constable"},
        [("W1001", "2026-03-14"), ("W1002", "2024-01-01"), ("W1003", "2025-09-01")],
    ),
    "oracle-hcm": (
        {},
        {**NEW, "Inactive": "-"},
        [("W1001", "2026-03-14"), ("W1003", "2025-09-01")],
    ),
}


@pytest.mark.parametrize("name", sweep_after(0, *ROSTERS))  # Entra's below stands for them
def test_people_of_a_system_go_in_as_it_writes_them(client, team, name):
    fields, answers, people = ROSTERS[name]
    page = send(client, name, shape=None)
    assert f"This looks like {columns.ready_profiles()[name].looks_like}." in page.text

    page = match(client, page, **fields)
    if answers:
        page = answer(client, page, answers)
    apply(client, page)

    assert [(post[0], post[4]) for post in posts()] == people
    assert {post[3] for post in posts()} == {"Team A"}


def enter_entra(client, page):
    """Match an Entra file's columns, and answer what is asked for the first time."""
    page = match(client, page, fixed_designated_role="response")
    page = answer(
        client,
        page,
        {
            "How it is written": "before_at",
            "Neighbourhoods": "Westshire Police/Neighbourhoods",
            "“False”": "ends",
        },
    )
    return press_new(client, page)  # the path that was answered is of a new unit


def test_users_of_entra_move_and_leave_on_the_day_of_the_import_as_somebody_said_once(client, team):
    make_person(team, staff_number="W1001", surname="Shah", forenames="Priya", rank="Constable")
    make_person(team, staff_number="W1002", surname="Rees", forenames="Owen", since=date(2025, 5, 1))
    make_person(team, staff_number="W1003", surname="Okoro", forenames="Ada", rank="Sergeant")
    page = send(client, "entra-users", shape=None)
    assert "Choose the column for “Designated role”" in page.text

    page = enter_entra(client, page)
    assert sorted(sections(page)["Left out"]) == [["surname: empty", "1"], ["userType: Guest", "1"]]
    apply(client, page)

    assert posts() == [
        ("W1001", "Constable", "response", "Team A", "2024-01-01", "9999-12-31"),
        ("W1002", "Constable", "response", "Team A", "2025-05-01", "2026-06-01"),
        ("W1003", "Sergeant", "response", "Team A", "2024-01-01", "2026-05-31"),
        ("W1003", "Sergeant", "response", "Neighbourhoods", "2026-06-01", "9999-12-31"),
    ]
    with time_machine.travel(datetime(2026, 6, 9, 12, tzinfo=UTC), tick=True):
        let_in(client, "ADMIN")
        page = send(client, "entra-users", shape=None)
        assert "Matched as in “Microsoft Entra ID: users”" in page.text, "its copy is found again"
        page = match(client, page)
        assert page.h1 == "Nothing to do", page.text
        assert ["Has left, and has no post that goes on", "1"] in sections(page)["Left out"]


def test_a_saved_copy_stays_as_it_is_when_its_ready_profile_changes(client, force, monkeypatch):
    key = "totara-course-completion"
    page = send(client, key)
    match(client, page, save_as="Our training list")
    ready = dict(columns.ready_profiles())
    changed = replace(ready[key], fixed={"source_system": "Totara 19"})
    monkeypatch.setattr(columns, "ready_profiles", lambda: ready | {key: changed})

    page = send(client, key)

    assert "Matched as in “Our training list”." in page.text
    assert "It has changed since “Our training list” was copied from it." in page.text
    (saved,) = queries.list_profiles("completions")
    assert saved.columns["fixed"]["source_system"] == "Totara"


def test_usual_names_of_columns_are_no_systems_and_the_source_is_asked(client, force):
    heads = ("Staff number", "Course", "Completion Date", "Completion Status")
    row = dict(
        zip(heads, ("W1001", "Protect", "14/Mar/2026 09:41 AM Europe/London", "Complete"), strict=True)
    )

    page = send(client, "learning", csv_of([row], heads))

    assert "Columns were found by their names." in page.text
    picked = selected_values(page)
    assert [picked[f"column_{name}"] for name in ("person", "requirement", "achieved_at", "outcome")] == list(
        "0123"
    )
    page = match(client, page)
    assert "“System it comes from”, or enter one value for every row" in page.text
    apply(client, match(client, page, fixed_source_system="SAP Learning"))
    assert records(force) == [(0, "2026-03-14", "SAP Learning")]


def test_a_ready_profile_can_be_chosen_by_the_systems_name(client, force):
    rows = [{"Person": "W1001", "Course": "Respond", "Date": "14/03/2026"}]
    page = send(client, "other", csv_of(rows, tuple(rows[0])), profile="ready:scorm-cloud")

    assert "This does not look like a SCORM Cloud list of registrations." in page.text
    assert "Choose the column for “Person”" in page.text
    page = client.page("/imports/completions/new")
    labels = [words(option) for option in page.all("option")]
    assert "SCORM Cloud: registrations (columns assumed)" in labels
    assert "Moodle: course completion report" in labels
    assert not [option for option in page.all("option") if option.get("selected") and option.get("value")]
