"""The desk of each role: what waits, each count as many as the rows it leads to, and the ways to all work."""

import re
from collections.abc import Callable, Iterator
from datetime import date

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update

from portal.domain.authoring import services as authoring
from portal.domain.reminders import services as reminders
from portal.domain.reminders.models import Delivery, Message
from portal.domain.reminders.rules import SendWindow
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs import services as jobs
from portal.platform.jobs.models import Job, JobState
from tests.domain.imports.desk import csv_of, upload_and_check
from tests.domain.imports.rosters import row
from tests.factories.people import make_grant, make_person
from tests.features.assurance.factories import make_action, make_recommendation
from tests.page_reading import H, Page, PortalClient, words
from tests.pages.account.browsing import another
from tests.pages.authoring.desk import publish_sample, rewrite_lesson
from tests.pages.authoring.reviewing import BODY, send_draft
from tests.pages.monitoring.world import TODAY, World, enter, make_world
from tests.pages.people.signing_in import count_statements

pytestmark = pytest.mark.slow
ROLES = {
    "D3001": ("author",),
    "D3002": ("publisher",),
    "D4001": ("directive-owner",),
    "D5001": ("facilitator",),
    "D9001": ("administrator",),
    "D7001": ("publisher", "directive-owner", "auditor", "administrator"),
}


@pytest.fixture
def world(database: None) -> Iterator[World]:
    made = make_world()
    for number, roles in ROLES.items():
        made.person(number, "force", surname=number, role="training")
        for role in roles:
            make_grant(made.people[number], role)
    with time_machine.travel(TODAY, tick=False):
        yield made


@pytest.fixture
def sign_in(app: Flask, world: World) -> Callable[[str], PortalClient]:
    return lambda number: enter(another(app), world, number)


def rows_of(page: Page) -> int:
    """The rows of the list of a page: of the dense table where a page has others above it."""
    tables = page.all("table", class_="portal-table--dense") or page.all("table")
    return sum(len(list(body.iter(H + "tr"))) for table in tables for body in table.iter(H + "tbody"))


def first_number(text: str) -> int:
    """The number with which a link begins."""
    found = re.match(r"[\d,]+", text)
    assert found, text
    return int(found[0].replace(",", ""))


def waiting_links(page: Page) -> dict[str, str]:
    """The links of what waits, at the top of a desk."""
    lists = page.all("ul", class_="portal-tasks")
    links = [link for one in lists[:1] for link in one.iter(H + "a")]
    return {words(link): link.get("href") or "" for link in links}


def check_counts(client: PortalClient, links: dict[str, str]) -> None:
    """Each link leads to as many rows as it says."""
    for text, href in links.items():
        assert rows_of(client.page(href)) == first_number(text), text


def people_links(page: Page) -> dict[str, str]:
    """The links of the figures of directives to their people."""
    return {text: href for text, href in page.links.items() if href.endswith("#people")}


def navigation(page: Page) -> list[list[str]]:
    """The entries of each row of the navigation."""
    return [[words(a) for a in nav.iter(H + "a")] for nav in page.all("nav", class_="portal-navigation")]


def send_sample_draft(world: World, folder) -> None:
    """A draft that its author sent for review."""
    publish_sample(folder)
    author = world.people["D3001"]
    with transaction():
        draft = authoring.open_draft("sample", by=author, at=clock.now())
    rewrite_lesson(author, BODY)
    send_draft(draft, author)


def fail_job(by: int) -> None:
    with transaction():
        reference = jobs.start_job("reconcile", {}, by=by, at=clock.now())
        ended = {"state": JobState.FAILED, "started_at": clock.now(), "ended_at": clock.now()}
        db.session.execute(update(Job).where(Job.reference == reference).values(**ended))


def plan_messages(world: World) -> None:
    """The messages of a day, one of them refused."""
    with transaction():
        reminders.plan_day(date(2026, 5, 15), at=clock.now(), hours=SendWindow())
        one = update(Message).where(Message.person_id == world.people["N2"])
        db.session.execute(one.values(state=Delivery.REFUSED, reason="550"))


def ask_for_exemptions(client: PortalClient, *numbers: str) -> None:
    for number in numbers:
        form = client.page(f"/people/{number}/ask/exemption")
        fields = {"about": "OIC-2026", "from_on": "1 June 2026", "reason": "secondment"}
        client.press(form, "Send request", **fields)


def test_the_publisher_sees_the_drafts_that_wait(world: World, sign_in, tmp_path) -> None:
    publisher = sign_in("D3002")
    assert publisher.get("/").location == "/desk"
    assert publisher.page("/desk").h1 == "Nothing waits for you"

    send_sample_draft(world, tmp_path)

    desk = publisher.page("/desk")
    assert desk.h1 == "1 draft waits for you"
    assert waiting_links(desk) == {"1 draft to read and publish": "/authoring?drafts=waiting"}
    check_counts(publisher, waiting_links(desk))
    drafts = publisher.page("/authoring?drafts=waiting")
    assert drafts.h1 == "1 draft waits for you"
    (review,) = [text for text in drafts.links if text.startswith("Sent for review")]
    assert publisher.page(drafts.links[review]).h1.endswith("1 change since version 1")


def test_nobody_waits_for_a_publisher_who_wrote_the_draft(world: World, sign_in, tmp_path) -> None:
    make_grant(world.people["D3001"], "publisher")
    send_sample_draft(world, tmp_path)

    author = sign_in("D3001")

    assert "draft" not in " ".join(waiting_links(author.page("/desk")))
    assert author.page("/authoring?drafts=waiting").h1 == "No draft waits for you"
    assert author.page("/authoring?drafts=mine", 400).title.startswith("Error: ")


def test_the_directive_owner_sees_decisions_dates_and_people(world: World, sign_in) -> None:
    ask_for_exemptions(sign_in("D2001"), "D1001", "N1")
    owner = sign_in("D4001")

    desk = owner.page("/desk")

    assert owner.get("/").location == "/desk"
    assert desk.h1 == "2 requests wait for you"
    assert "Nothing else waits in Imports or Reminders." in desk.text
    check_counts(owner, waiting_links(desk))
    people = people_links(desk)
    assert list(people) == ["3 people overdue: OIC-2026"]
    check_counts(owner, people)


def test_a_date_near_is_said(world: World, sign_in) -> None:
    owner = sign_in("D4001")
    assert "Dates in the next 30 days" not in owner.page("/desk").text
    page = owner.page("/directives/OIC-2026/withdraw")
    preview = owner.press(page, "See who is affected", effective_on="20 June 2026")
    owner.press(preview, "Withdraw OIC-2026", do="withdraw")

    desk = owner.page("/desk")

    assert "Dates in the next 30 days OIC-2026: Withdrawn from this day 20 June 2026, in 19 days" in desk.text
    assert desk.links["OIC-2026: Withdrawn from this day"] == "/directives/OIC-2026"


def test_the_auditor_chooses_a_date_first_then_takes_files(world: World, sign_in) -> None:
    auditor = sign_in("D6001")
    assert auditor.get("/").location == "/desk"
    assert auditor.page("/desk").h1 == "Position on 1 June 2026"

    desk = auditor.press(
        auditor.page("/desk"), "Show position", as_at="15 April 2026", as_known_on="15/4/2026"
    )

    assert desk.h1 == "Position on 15 April 2026"
    assert desk.text.index("Show the position on") < desk.text.index("Files and figures of 15 April 2026")
    (count,) = re.findall(r"Completions, (\d+) rows", desk.text)
    file = auditor.get(desk.links["CSV of OIC-2026"]).get_data(as_text=True)
    assert len(file.splitlines()) - 1 == int(count) == 12
    assert all(",2026-04-15," in line for line in file.splitlines()[1:])
    assert "Enter" in auditor.page("/desk?as_at=someday", 400).text


def test_the_administrator_sees_imports_access_jobs_and_mail(world: World, sign_in) -> None:
    administrator = sign_in("D9001")
    assert administrator.get("/").location == "/desk"
    make_grant(world.people["S1"], "manager", world.units["crime"])  # no post of theirs is there
    make_person(world.units["south"], surname="Lone", manager=world.people["S2"])
    fail_job(world.people["D9001"])
    plan_messages(world)
    upload_and_check(administrator, csv_of([row(staff_number="D1001")]))

    desk = administrator.page("/desk")

    links = waiting_links(desk)
    assert desk.h1 == "Several things need a look"
    assert [re.sub(r"\d+ ", "", text) for text in links] == [
        "import to finish or cancel",
        "roles that no directive names",
        "line manager without a grant",
        "grant to look at again",
        "people without a way to sign in",
        "failed job",
        "email refused by the mail server",
        "emails waiting: email is not set up",
    ]
    check_counts(administrator, links)
    assert "Nothing else waits in Retention or Force details." in desk.text


def test_one_page_holds_the_desks_of_several_roles(world: World, sign_in, tmp_path) -> None:
    send_sample_draft(world, tmp_path)
    ask_for_exemptions(sign_in("D2001"), "D1001")
    client = sign_in("D7001")

    desk = client.page("/desk")

    links = waiting_links(desk)
    assert list(links)[:2] == ["1 request to decide", "1 draft to read and publish"]
    assert desk.h1 == "Several things need a look"
    assert desk.text.index("1 draft to read") < desk.text.index("Show the position on")
    heads = [words(head) for head in desk.all("h2")]
    assert len(heads) == len(set(heads))
    ways = [a.get("href") for part in desk.all("div", class_="portal-ways") for a in part.iter(H + "a")]
    assert len(ways) == len(set(ways)), "a way is offered twice"


def test_who_has_one_page_of_work_begins_on_it(sign_in) -> None:
    places = {"D2001": "/monitoring", "D3001": "/authoring", "D5001": "/events", "D1001": "/learning"}
    for number, place in places.items():
        assert sign_in(number).get("/").location == place
    assert sign_in("D5001").page("/desk").h1 == "Nothing waits for you"


@pytest.mark.parametrize(("number", "first"), [("D2001", "/monitoring"), ("D5001", "/events")])
def test_who_begins_elsewhere_finds_their_own_actions_from_there(
    number: str, first: str, world: World, sign_in
) -> None:
    own_an_action(world, number)
    client = sign_in(number)

    desk = client.page(client.page(first).links["Your desk"])

    assert desk.h1 == "1 action is yours to do"
    assert "Brief every team" in client.page(waiting_links(desk)["1 action to see to"]).text


def test_a_learner_finds_their_own_actions_on_my_learning(world: World, sign_in) -> None:
    client = sign_in("D1001")
    assert "yours to do" not in client.page("/learning").text

    own_an_action(world, "D1001")

    own = client.page(client.page("/learning").links["1 action is yours to do"])
    assert "Brief every team" in own.text


def own_an_action(world: World, number: str) -> None:
    owner, by = world.people[number], world.people["D4001"]
    make_action(make_recommendation(), owner_id=owner, by=by, on=date(2026, 5, 1))


@pytest.mark.parametrize(
    "number",
    [
        "D1001",
        "D9001",
        *(pytest.param(n, marks=pytest.mark.sweep) for n in ("D2001", "D3001", "D4001", "D7001")),
    ],
)
def test_the_navigation_leads_everywhere_and_the_account_nowhere_else(number: str, sign_in) -> None:
    client = sign_in(number)

    desk = client.page("/desk")

    rows = navigation(desk)
    assert all(len(entries) <= 6 for entries in rows)
    assert len(rows[0]) <= 5
    ways = {a.get("href") for part in desk.all("div", class_="portal-ways") for a in part.iter(H + "a")}
    for way in ways:  # each page shows its own group below the first row
        page = client.page(way)
        shown = {
            a.get("href") for nav in page.all("nav", class_="portal-navigation") for a in nav.iter(H + "a")
        }
        assert way in shown
        assert "Your account" not in [words(a) for nav in page.all("nav") for a in nav.iter(H + "a")]
    main = {a.get("href") for part in client.page("/account").all("main") for a in part.iter(H + "a")}
    assert not main & (ways - {"/records"})


def test_the_desk_costs_the_same_for_two_rows_and_for_twenty(world: World, sign_in, tmp_path) -> None:
    client = sign_in("D7001")
    manager = sign_in("D2001")
    ask_for_exemptions(manager, "D1001")
    fail_job(world.people["D9001"])
    make_person(world.units["south"], surname="Lone", manager=world.people["S2"])
    client.page("/desk")  # so that what a process keeps is read
    few = count_statements(client, "/desk")
    for number in range(20):
        fail_job(world.people["D9001"])
        make_person(world.units["south"], surname=f"Lone{number}", manager=world.people["N2"])
    ask_for_exemptions(manager, "N1")

    assert count_statements(client, "/desk") == few
    assert few <= 57  # every kind that can wait for somebody with four roles, one or two for each
