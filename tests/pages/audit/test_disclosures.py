"""A person's disclosures: who saw their pages, and which files held them. None goes unrecorded."""

import random
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.queries import person_by_staff_number, unit_by_path
from portal.domain.reports import completion_files
from portal.platform import clock
from portal.platform.audit import AuditEvent, count_people, holds_person, log_file, pack_people
from portal.platform.db import db, transaction
from portal.platform.permissions import UNIT_ROLES
from tests.domain.imports.rosters import run
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant, make_person
from tests.pages.access.routes import ROUTES
from tests.pages.access.shown import PERSON, RECORD
from tests.pages.access.world import address_of, make_world
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.audit.desk import act, force, sentences, table
from tests.pages.learning.asking import ask
from tests.pages.monitoring.preparing import link, ready

PATH = "/audit/people/D1001"
OWN_ENTRY = {"audit.show_disclosures": "audit.viewed"}
OF_A_PASS = (
    "records.download_certificate"  # these records are imported: tests/pages/records/test_documents.py
)

REPORT = "/monitoring/directives/OIC-2026"

__all__ = ["force"]


@pytest.mark.slow
def test_every_page_about_a_person_is_recorded_before_somebody_else_sees_it(app, database):
    world = make_world("administrator")
    subject = world.subjects["seen"]
    seen = person_by_staff_number(subject.staff_number)
    here = db.session.scalars(select(Post.unit_id).where(Post.person_id == seen)).one()
    unrecorded = []
    pages = [
        rule for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and ROUTES[rule.endpoint] in {PERSON, RECORD}
        and rule.endpoint != OF_A_PASS
    ]  # fmt: skip
    for number, rule in enumerate(pages):
        viewer = make_account(f"W{number}", unit=here)
        for role in UNIT_ROLES:
            make_grant(viewer, role, here)
        browser = another(app)
        let_in(browser, f"W{number}")
        assert browser.get(address_of(app, rule, subject)).status_code == 200, rule.endpoint
        action = OWN_ENTRY.get(rule.endpoint, "person.viewed")
        entry = select(AuditEvent.id).where(
            AuditEvent.actor_id == viewer, AuditEvent.subject_id == seen, AuditEvent.action == action
        )
        if db.session.scalar(entry) is None:
            unrecorded.append(rule.endpoint)

    assert len(pages) >= 9
    assert unrecorded == []


def issue_directive(*others: str) -> None:
    """D1001, D2001 and the others of the south are asked to pass a module by OIC-2026."""
    make_version("protect")
    south = unit_by_path("Force/South", clock.today())
    for number in others:
        make_person(south, staff_number=number)
    ask("protect")


def test_files_that_held_a_person_are_listed_with_their_looks(app, client, force):
    issue_directive("T1")
    let_in(client, "D9001")
    client.get("/people/D1001")
    assert client.get(f"{REPORT}/completions.csv").status_code == 200
    assert client.get(f"{REPORT}/completions.csv?unit=Force/South").status_code == 200
    other = another(app)
    let_in(other, "D6001")

    of_north, of_south = sentences(other.page(PATH)), sentences(other.page("/audit/people/T1"))

    looked = "Looked at their training, for the first time that day"
    everyone = "Downloaded the completions of OIC-2026 (CSV), 6 people, 6 rows"
    assert of_north == ["Looked at the audit trail: who saw this person’s data", everyone, looked]
    south = "Downloaded the completions of OIC-2026 (CSV), 2 people, 2 rows"
    assert of_south == ["Looked at the audit trail: who saw this person’s data", south, everyone]


def test_a_file_names_the_people_it_held_whatever_becomes_of_them_later(app, client, force):
    issue_directive()
    let_in(client, "D9001")
    client.get(f"{REPORT}/people.csv")
    with transaction():
        db.session.execute(update(RoleGrant).values(ended_at=clock.now()))
    make_grant(force["D2001"], "auditor")
    other = another(app)
    let_in(other, "D2001")

    assert "Downloaded the completions of OIC-2026 (CSV), 5 people, 5 rows" in sentences(other.page(PATH))


@pytest.mark.slow
def test_a_prepared_file_discloses_when_it_is_made_and_when_it_is_taken(app, client, force, monkeypatch):
    issue_directive()
    monkeypatch.setattr(completion_files, "XLSX_ROWS", 1)
    let_in(client, "D9001")
    page = ready(app, client)
    client.get(link(page))
    other = another(app)
    let_in(other, "D6001")

    taken, made = [row for row in table(other.page(PATH)) if "completions" in row[1]]

    assert taken[1].startswith("Downloaded a prepared file of OIC-2026, completions.xlsx")
    assert made[1].startswith("Downloaded the completions of OIC-2026 (XLSX), 5 people")
    assert "By a job" in made[1]


def test_a_file_by_a_command_is_listed_and_named(app, client, force, tmp_path):
    issue_directive()
    output = str(tmp_path / "out.csv")
    done = run(app, "report", "completions", "--directive", "OIC-2026", "--format", "csv", "--output", output)
    assert done.exit_code == 0, done.stderr
    let_in(client, "D6001")

    row = next(row for row in table(client.page(PATH)) if "completions" in row[1])

    assert row[2].startswith("Command report completions (")


def test_files_from_before_say_that_they_name_nobody(app, client, force):
    let_in(client, "D6001")
    assert "Files from before" not in client.page(PATH).text
    act("completions.exported", force["D9001"], directive="OIC-2026", rows=3)

    page = client.page(PATH)

    assert "Files from before the portal recorded whom a file holds are not listed here" in page.text
    assert not [row for row in table(page) if "completions" in row[1]]


def test_ones_own_looks_are_no_disclosure_and_pages_go_on(app, client, force):
    start = datetime(2026, 5, 1, 9, tzinfo=UTC)
    for number in range(60):
        with time_machine.travel(start + timedelta(minutes=number), tick=False):
            act("person.viewed", force["D9001"], force["D1001"], page="person")
            with transaction():
                ids = [force["D1001"]] if number % 2 else [force["D2001"]]
                log_file("completions.exported", ids, actor_id=force["D9001"], directive=f"R-{number}")
    act("person.viewed", force["D1001"], force["D1001"], page="person")
    let_in(client, "D6001")
    page = client.page(PATH)
    read = sentences(page)
    while "Older" in page.links:
        page = client.page(page.links["Older"])
        read += sentences(page)

    files = [sentence for sentence in read if sentence.startswith("Downloaded")]
    assert files == [
        f"Downloaded the completions of R-{number}, 1 person" for number in reversed(range(60)) if number % 2
    ]
    assert len(read) == 1 + 60 + 30  # this look at the trail, the looks, the files


@given(st.sets(st.integers(1, 3_000), max_size=300), st.integers(1, 3_000))
def test_a_set_of_people_says_of_each_whether_they_are_in_it(people, person):
    packed = pack_people(people)

    assert count_people(packed) == len(people)
    assert holds_person(packed, person) == (person in people)
    assert all(holds_person(packed, one) for one in people)


def test_a_set_of_a_whole_force_is_small():
    everyone, every_third = pack_people(range(1, 8_001)), pack_people(range(1, 8_001, 3))
    scattered = pack_people(random.Random(8).sample(range(1, 8_001), 4_000))

    assert max(map(len, (everyone, every_third, scattered))) < 1_100
