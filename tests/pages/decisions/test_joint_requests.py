"""One request for several people: ticked on a report, previewed, decided once; a fact for each of them."""

import re

import pytest
from sqlalchemy import select

from portal.domain.decisions.models import Decision, DecisionRequest
from portal.domain.directives.models import Exclusion
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import Page
from tests.pages.decisions.desk import TODAY, Desk, count_rows
from tests.pages.monitoring.counting import statements

pytestmark = pytest.mark.slow

REPORT = "/monitoring/directives/OIC-2026"
ASK = "/decisions/directives/OIC-2026/exemption"
WISH = {"from_on": "1 June 2026", "reason": "secondment", "comment": "Operation Bridge"}
THREE = ["D1001", "S1", "S2"]


@pytest.fixture
def team(desk: Desk) -> Desk:
    """Two more constables in the unit, and one elsewhere whom the sergeant does not see."""
    for number, surname in (("S1", "Adeyemi"), ("S2", "Brennan")):
        desk.people[number] = make_person(desk.unit, staff_number=number, surname=surname)
    desk.people["X1"] = make_person(make_unit("Elsewhere"), staff_number="X1")
    return desk


def preview(desk: Desk, by: str = "D2001", people: list[str] = THREE, **fields: str) -> Page:
    """Tick people and continue."""
    client = desk.browser_of(by)
    return client.press(client.page(ASK), "Continue", preview="y", people=people, **{**WISH, **fields})


def send(desk: Desk, **given: object) -> Page:
    page = preview(desk, **given)
    (button,) = re.findall(r"Send request for \d+ (?:people|person)", page.text)
    return desk.browser_of("D2001").press(page, button, send="y")


def decide(desk: Desk, button: str = "grant", status: int = 200, **fields: object) -> Page:
    client = desk.browser_of("D4001")
    listed = client.page("/decisions").links
    (path,) = [href for words, href in listed.items() if "for 3 people" in words]
    return client.press(client.page(path), "Show what would change", status, **{button: "y"}, **fields)


def test_one_reason_one_preview_one_decision(team):
    manager = team.browser_of("D2001")
    report = manager.page(REPORT)
    assert report.links["an exemption"] == ASK
    form = manager.page(ASK)
    assert form.form_with("Continue").fields.get("people", []) == []
    ticked = manager.page(form.links["Tick all 7"]).form_with("Continue").fields["people"]
    assert set(ticked) == {*team.people} - {"X1"}

    shown = preview(team)
    assert shown.h1 == "Exemption from OIC-2026 for 3 people"
    assert "14% (1 of 7) complete, then 25% (1 of 4)" in shown.text
    assert shown.text.count("Overdue becomes Exempt") == 3
    assert count_rows(DecisionRequest) == 0
    back = manager.press(shown, "Go back and change it", edit="y")
    assert set(back.form_with("Continue").fields["people"]) == set(THREE)
    assert back.form_with("Continue").fields["comment"] == ["Operation Bridge"]

    sent = send(team)
    assert "The request for 3 people is sent" in sent.text
    assert sent.h1 == "Exemption from OIC-2026 for 3 people"
    assert team.browser_of("D4001").page("/decisions").h1 == "1 request waits for you"
    assert team.status_of() == "overdue"

    decided = decide(team, comment="Agreed")
    assert "3 granted." in decided.text
    assert {team.status_of(who=number) for number in THREE} == {"exempt"}
    assert team.status_of(who="D2001") == "overdue"
    facts = db.session.scalars(select(Exclusion)).all()
    assert {(fact.person_id, fact.reason, fact.from_on) for fact in facts} == {
        (team.people[number], "secondment", TODAY) for number in THREE
    }
    granted = select(AuditEvent.subject_id).where(AuditEvent.action == "decision.granted")
    assert set(db.session.scalars(granted)) == {team.people[number] for number in THREE}
    told = "Exemption from OIC-2026: granted by a directive owner"
    assert told in team.browser_of("D1001").page("/records/decisions").text
    assert team.browser_of("D4001").page("/decisions").h1 == "No request waits for you"


def test_all_but_some_each_with_its_reason(team):
    send(team)
    asked = decide(team, people=["S1"])
    assert "Why are these people refused?" in asked.text
    assert count_rows(Decision) == 0
    client = team.browser_of("D4001")
    half = {"grant": "y", "why-D1001": "The role is affected.", "why-S2": " "}
    refused = client.press(asked, "Show what would change", 400, **half)
    assert refused.links["Enter why Priya Brennan is refused"] == "#why-S2"
    decided = client.press(refused, "Show what would change", **{**half, "why-S2": "Back on 2 June."})
    assert "1 granted, 2 refused." in decided.text
    assert team.status_of(who="S1") == "exempt"
    assert {team.status_of(who=number) for number in ("D1001", "S2")} == {"overdue"}
    answers = team.browser_of("D2001").page(decided.path.removesuffix("/decision")).text
    assert "Back on 2 June." in answers
    assert "The role is affected." in answers


@pytest.mark.parametrize("button", ["grant", "preview"])
def test_nobody_ticked_is_told_as_an_error(team, button):
    send(team)

    page = decide(team, button, 400, people=[])

    assert page.title.startswith("Error: ")
    sentence = "Select at least one person to grant it to, or refuse everybody"
    assert page.links[sentence] == "#people"
    assert page.all("input", id="people")
    assert "then grant it to the others" not in page.text
    assert count_rows(Decision) == 0
    assert "3 refused." in decide(team, "refuse", people=[], comment="Not now").text


def test_the_preview_is_of_those_ticked(team):
    send(team)
    everybody = decide(team, "preview")
    assert "If everybody is granted it: today, 12% (1 of 8) complete, then 20% (1 of 5)" in everybody.text
    assert everybody.text.count("Overdue becomes Exempt") == 3

    some = decide(team, "preview", people=["S1", "S2"])

    words = "If it is granted to the 2 people ticked: today, 12% (1 of 8) complete, then 16% (1 of 6)"
    assert words in some.text
    assert some.text.count("Overdue becomes Exempt") == 2
    assert some.text.count("Not ticked") == 1
    assert "If it is granted to the 1 person ticked: " in decide(team, "preview", people=["S1"]).text
    assert "If it is granted" not in decide(team, "preview", 400, people=[]).text


def test_twice_is_once(team):
    first = send(team)
    again = preview(team)
    assert again.h1 == "There is nobody left to ask for"
    assert again.text.count("It is waiting for a decision.") == 3
    manager = team.browser_of("D2001")
    repeated = manager.press(again, "Go back and change it", edit="y")
    sent_again = manager.press(repeated, "Continue", send="y")
    assert "The request was sent already" in sent_again.text
    assert sent_again.h1 == first.h1
    assert count_rows(DecisionRequest) == 3

    client = team.browser_of("D4001")
    open_page = client.page(next(h for w, h in client.page("/decisions").links.items() if "3 people" in w))
    client.press(open_page, "Show what would change", grant="y")
    second = client.press(open_page, "Show what would change", 409, grant="y")
    assert "This request was granted by Priya Shah at 10:00 on 1 June 2026." in second.text
    assert count_rows(Decision) == 3


def test_who_waits_already_is_left_out_and_said(team):
    team.ask_for_exemption()
    shown = preview(team)
    assert shown.h1 == "Exemption from OIC-2026 for 2 people"
    assert "Priya Shah asked for this at 10:00 on 1 June 2026." in shown.text
    sent = send(team)
    assert "The request for 2 people is sent" in sent.text
    assert count_rows(DecisionRequest) == 3


def test_only_people_whom_one_may_ask_for_and_only_valid_dates(team):
    shown = preview(team, people=["X1", "S1"])
    assert shown.h1 == "Exemption from OIC-2026 for 1 person"
    manager = team.browser_of("D2001")
    form = manager.page(ASK)
    empty = manager.press(form, "Continue", 400, people=[], **WISH)
    assert empty.links["Select at least one person"] == "#people"
    past = manager.press(form, "Continue", 400, people=["S1"], **{**WISH, "to_on": "1 May 2026"})
    assert past.links["The last day must be on or after the first, 1 June 2026"] == "#to_on"
    manager.page("/decisions/directives/OIC-2026/waiver", 404)
    team.browser_of("D1001").page(ASK, 403)
    manager.page(f"{ASK}?unit=Elsewhere", 400)


def test_the_decider_decides_for_whom_they_see_and_not_for_themselves(team):
    make_grant(team.people["S1"], "directive-owner")
    send(team)
    client = team.browser_of("S1")
    path = next(h for w, h in client.page("/decisions").links.items() if "people" in w and "joint" in h)
    page = client.page(path)
    assert set(page.form_with("Show what would change").fields["people"]) == {"D1001", "S2"}
    client.press(page, "Show what would change", grant="y")
    assert team.status_of(who="D1001") == "exempt"
    assert team.status_of(who="S1") == "overdue"
    rest = team.browser_of("D4001").page(path)
    assert "2 granted, 1 waiting" in rest.text or "1 waiting, 2 granted" in rest.text
    assert rest.form_with("Show what would change").fields["people"] == ["S1"]
    team.browser_of("D1002").page(path, 403)
    withdrawn = team.browser_of("D2001").press(team.browser_of("D2001").page(path), "Withdraw the request")
    assert "The request for 1 person is withdrawn" in withdrawn.text


def test_a_deferral_of_several_is_dated(team):
    manager = team.browser_of("D2001")
    form = manager.page("/decisions/directives/OIC-2026/deferral?rank=Constable")
    days = {"from_on": "1 June 2026", "to_on": "30 June 2026", "reason": "not_available_for_duty"}
    shown = manager.press(form, "Continue", people=THREE, **days)
    assert "New due date 28 July 2026" in shown.text
    assert shown.text.count("due on 28 July 2026 instead of 30 April 2026") == 3
    manager.press(shown, "Send request for 3 people", send="y")
    decided = decide(team, due_on="31 August 2026")
    assert "Decided: from 1 June 2026, until 30 June 2026, due on 31 August 2026." in decided.text
    assert {row.due_on.isoformat() for row in db.session.scalars(select(Exclusion))} == {"2026-08-31"}
    assert team.status_of(who="S1") == "deferred"


def test_more_people_make_no_more_statements(team):
    manager = team.browser_of("D2001")
    page = manager.page(ASK)

    def cost(people: list[str]) -> int:
        with statements() as run:
            manager.press(page, "Continue", people=people, **WISH)
        return len(run)

    cost(THREE)
    few = cost(["S1"])
    assert cost(THREE) == few
