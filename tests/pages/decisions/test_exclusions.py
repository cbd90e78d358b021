"""An exemption or a deferral is asked for, decided, and ended, through the pages."""

from datetime import date

import pytest
from sqlalchemy import select

from portal.domain.decisions.models import Decision, DecisionRequest
from portal.domain.directives.models import Exclusion
from portal.domain.people.models import FactNote
from portal.domain.people.positions import is_known_fact
from portal.platform.audit import AuditEvent
from portal.platform.db import OPEN_END, db
from tests.domain.status.facts import make_directive, make_exclusion, make_record, make_version
from tests.factories.people import make_grant, make_person
from tests.pages.decisions.desk import count_rows

pytestmark = pytest.mark.slow


def known_exclusions() -> list[tuple]:
    rows = db.session.scalars(select(Exclusion).where(is_known_fact(Exclusion)).order_by(Exclusion.id))
    return [(row.exempt, row.from_on, row.to_on, row.due_on, row.decided_by_id) for row in rows]


def test_a_manager_asks_the_owner_grants_and_the_learner_sees_it(desk):
    page = desk.ask_for_exemption(comment="Seconded to the regional unit")
    assert page.h1 == "Exemption from OIC-2026"
    assert "Waiting for a decision." in page.text
    assert desk.status_of() == "overdue"
    person = desk.browser_of("D2001").page("/people/D1001")
    assert person.links["Exemption from OIC-2026"].startswith("/decisions/")
    owner = desk.browser_of("D4001")
    assert owner.page("/monitoring").links["1 request waits for you"] == "/decisions"
    listed = owner.page("/decisions")
    assert listed.h1 == "1 request waits for you"
    asked = owner.page(listed.links["Exemption from OIC-2026 for Priya Shah"])
    assert "Overdue becomes Exempt" in asked.text
    assert "20% (1 of 5) complete, then 25% (1 of 4)" in asked.text
    assert "Seconded to the regional unit" in asked.text

    page = desk.decide("Grant")

    assert "Granted by Priya Shah at 10:00 on 1 June 2026." in page.text
    assert desk.status_of() == "exempt"
    assert known_exclusions() == [(True, date(2026, 6, 1), OPEN_END, None, desk.people["D4001"])]
    assert (count_rows(FactNote), count_rows(DecisionRequest), count_rows(Decision)) == (1, 1, 1)
    actions = select(AuditEvent.action, AuditEvent.actor_id).where(AuditEvent.action.startswith("decision."))
    manager, owner_id = desk.people["D2001"], desk.people["D4001"]
    assert db.session.execute(actions.order_by(AuditEvent.id)).all() == [
        ("decision.asked", manager),
        ("decision.granted", owner_id),
    ]
    assert {(row["status"], row["exclusion_reason"]) for row in desk.file_rows()} == {
        ("exempt", "secondment")
    }
    learner = desk.browser_of("D1001")
    told = "Exempt, decided by a directive owner on 1 June 2026"
    assert f"Directive OIC-2026: {told}." in learner.page("/learning").text
    mine = learner.page(learner.page("/records").links["Decisions about you"])
    assert f"From 1 June 2026, secondment · {told}" in mine.text
    assert "Exemption from OIC-2026: granted by a directive owner" in mine.text
    assert "Asked for at 10:00 on 1 June 2026: secondment." in mine.text
    assert "regional unit" not in mine.text + learner.page("/learning").text
    person = desk.browser_of("D2001").page("/people/D1001")
    assert "Exemption from OIC-2026: requested by Priya Shah, secondment" in person.text
    granted = "Exemption from OIC-2026: granted by Priya Shah, requested at 10:00 on 1 June 2026"
    assert granted in person.text
    assert "regional unit" not in person.text


def test_a_deferral_carries_its_due_date(desk):
    """As the example: 1 April to 30 June, due on 28 July: overdue from 29 July."""
    desk.ask("deferral", about="OIC-2026", from_on="1/4/2026", to_on="30 June 2026", reason="leaving")
    page = desk.browser_of("D4001").page(desk.path_of_waiting_request())
    assert "New due date 28 July 2026" in page.text
    assert "due on 28 July 2026 instead of 30 April 2026" in page.text

    desk.decide("Grant")

    days = (date(2026, 3, 31), date(2026, 4, 1), date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 28))
    words = ["not_started", "deferred", "deferred", "not_started", "not_started"]
    assert [desk.status_of(day) for day in days] == words
    assert desk.status_of(date(2026, 7, 29)) == "overdue"
    told = "Deferred until 30 June 2026, then due on 28 July 2026, decided by a directive owner"
    assert told in desk.browser_of("D1001").page("/learning").text


def test_of_ten_eight_passed_and_one_of_them_is_exempt(desk):
    """As the example: 7 of 9."""
    people = [desk.people["D1001"], *(make_person(desk.unit) for _ in range(5))]
    for person in (*people, *(desk.people[n] for n in ("D2001", "D4001", "D4002")))[:7]:
        for activity in desk.activities.values():
            make_record(person, activity, date(2026, 4, 1))
    desk.ask_for_exemption()
    page = desk.browser_of("D4001").page(desk.path_of_waiting_request())

    assert "Complete becomes Exempt" in page.text
    assert "80% (8 of 10) complete, then 77% (7 of 9)" in page.text
    desk.decide("Grant")
    assert "77% complete 7 of 9 people" in desk.browser_of("D4001").page("/monitoring").text


def test_the_owner_may_grant_other_days_and_sees_them_first(desk):
    desk.ask_for_exemption(to_on="31 December 2026")
    shown = desk.decide("Show what would change", from_on="1 September 2026", to_on="30.9.2026")
    assert "On 1 September 2026" in shown.text
    assert count_rows(Decision) == 0

    page = desk.decide("Grant", from_on="1 September 2026", to_on="30.9.2026", comment="For September")

    assert "Decided: from 1 September 2026, until 30 September 2026." in page.text
    assert "For September" in page.text
    assert [desk.status_of(date(2026, *d)) for d in ((8, 31), (9, 1), (9, 30), (10, 1))] == [
        "overdue",
        "exempt",
        "exempt",
        "overdue",
    ]
    request = db.session.scalars(select(DecisionRequest)).one()
    assert (request.from_on, request.to_on) == (date(2026, 6, 1), date(2026, 12, 31))


def test_a_refusal_needs_a_sentence_and_changes_nothing_else(desk):
    desk.ask_for_exemption()
    page = desk.decide("Refuse", status=400)
    assert page.links["Enter why you refuse"] == "#comment"

    desk.decide("Refuse", comment="The role is affected.")

    page = desk.browser_of("D2001").page(desk.browser_of("D2001").page("/decisions").links[LINK])
    assert "Refused by Priya Shah at 10:00 on 1 June 2026." in page.text
    assert "The role is affected." in page.text
    assert (count_rows(Exclusion), desk.status_of()) == (0, "overdue")
    assert "The role is affected." not in desk.browser_of("D1001").page("/records/decisions").text


LINK = "Exemption from OIC-2026 for Priya Shah"


def test_what_is_decided_or_withdrawn_stays_so(desk):
    page = desk.ask_for_exemption()
    address = desk.path_of_waiting_request()
    owner, other = desk.browser_of("D4001"), desk.browser_of("D4002")
    seen, also = owner.page(address), other.page(address)

    done = desk.browser_of("D2001").press(page, "Withdraw the request", withdraw="y")

    assert "Withdrawn by Priya Shah" in done.text
    late = owner.press(seen, "Grant", 409, grant="y")
    assert "This request was withdrawn by Priya Shah at 10:00 on 1 June 2026." in late.text
    assert "Nothing was changed." in late.text
    assert count_rows(Exclusion) == 0
    desk.browser_of("D2001").press(page, "Withdraw the request", 409, withdraw="y")
    desk.ask_for_exemption()  # may be asked for again
    again = other.page(desk.path_of_waiting_request("D4002"))
    other.press(again, "Grant", grant="y")
    twice = other.press(again, "Grant", 409, grant="y")
    assert "This request was granted by Priya Shah" in twice.text
    other.press(also, "Refuse", 409, refuse="y", comment="No.")
    assert (count_rows(Exclusion), count_rows(Decision)) == (1, 2)


def test_the_same_request_twice_is_one_and_anothers_is_told_of(desk):
    first = desk.ask_for_exemption()
    second = desk.ask_for_exemption()
    assert (first.h1, count_rows(DecisionRequest)) == (second.h1, 1)

    page = desk.ask_for_exemption("D4001", status=409, reason="leaving")

    assert "Priya Shah asked for this at 10:00 on 1 June 2026. It is waiting for a decision." in page.text
    assert count_rows(DecisionRequest) == 1


def test_each_directive_on_a_persons_page_leads_to_a_request_about_it(desk):
    make_version(make_directive(), {1: desk.activities[1]})
    manager = desk.browser_of("D2001")

    links = manager.page("/people/D1001").links
    deferral = manager.page(links["deferral under OIC-2026"])
    asked = manager.press(
        manager.page(links["exemption from OIC-2026"]),
        "Send request",
        from_on="1 June 2026",
        reason="secondment",
    )

    assert [box.get("value") for box in deferral.all("input", name="about", checked="")] == ["OIC-2026"]
    assert asked.h1 == "Exemption from OIC-2026"
    desk.decide("Grant")
    assert "exemption from OIC-2026" not in manager.page("/people/D1001").links


BAD_EXCLUSIONS = [
    ("exemption", {"from_on": ""}, "Enter the first day"),
    ("exemption", {"from_on": "someday"}, "Enter a date, such as 30 April 2026"),
    ("exemption", {"to_on": "31/5/2026"}, "The last day must be on or after the first, 1 June 2026"),
    ("exemption", {"reason": "flu"}, "Select a reason"),
    ("exemption", {"about": "OIC-9"}, "Select a directive"),
    ("deferral", {}, "Enter the last day of the deferral"),
    (
        "deferral",
        {"to_on": "30/6/2026", "due_on": "29/6/2026"},
        "The new due date must not be before the last day, 30 June 2026",
    ),
    ("exemption", {"comment": "x" * 2001}, "Enter 2,000 characters or fewer"),
]


def test_bad_input_is_told_beside_its_field(desk):
    for kind, fields, said in BAD_EXCLUSIONS:
        given = {"about": "OIC-2026", "from_on": "1 June 2026", "reason": "secondment", **fields}
        page = desk.ask(kind, status=400, **given)

        assert page.title.startswith("Error: ")
        assert said in page.links, said
    assert count_rows(DecisionRequest) == 0


def test_an_owner_may_record_directly_and_it_says_so(desk):
    page = desk.ask_for_exemption("D4001")
    assert "You asked for this yourself." in page.text

    page = desk.decide("Grant")

    assert "Granted by Priya Shah at 10:00 on 1 June 2026, who also asked for it." in page.text


def test_nobody_decides_about_themselves(desk):
    make_grant(desk.people["D1001"], "directive-owner")
    page = desk.ask_for_exemption("D1001")
    assert "This request is about you. Someone else must decide it." in page.text
    assert "Grant" not in [button for form in page.forms() for button in form.buttons]
    mine = desk.browser_of("D1001")
    assert mine.page("/decisions").h1 == "No request waits for you"
    token = page.form_with("Withdraw the request").fields["csrf_token"][0]
    sent = {"csrf_token": token, "from_on": "1 June 2026", "grant": "y"}

    answer = mine.post(f"{desk.path_of_waiting_request()}/decision", data=sent)

    assert answer.status_code == 409
    assert "This request is about you. Someone else must decide it." in answer.get_data(as_text=True)
    assert count_rows(Exclusion) == 0


@pytest.mark.parametrize(
    ("fields", "ends", "words"),
    [
        ({"whole": "no", "to_on": "10 June 2026"}, date(2026, 6, 10), ["exempt", "exempt", "overdue"]),
        ({"whole": "yes"}, None, ["overdue", "overdue", "overdue"]),
    ],
)
def test_an_exemption_is_ended_or_taken_back_by_a_new_fact(desk, fields, ends, words):
    old = make_exclusion(desk.people["D1001"], desk.directive, date(2026, 5, 20))
    assert desk.status_of(date(2026, 6, 11)) == "exempt"
    link = desk.browser_of("D2001").page("/people/D1001").links["The end of an exemption or deferral"]
    assert link == "/people/D1001/ask/lift"
    desk.ask("lift", about=str(old), reason="returned_early", **fields)
    page = desk.browser_of("D4001").page(desk.path_of_waiting_request())
    assert "Exempt becomes Overdue" in page.text
    assert ("On 11 June 2026" if ends else "Today") in page.text

    desk.decide("Grant")

    days = (date(2026, 5, 20), date(2026, 6, 10), date(2026, 6, 11))
    assert [desk.status_of(day) for day in days] == words
    assert [row[2] for row in known_exclusions()] == ([ends] if ends else [])
    assert count_rows(Exclusion) == 2
    mine = desk.browser_of("D1001").page("/records/decisions").text
    assert "End of the exemption from OIC-2026: granted by a directive owner" in mine


def test_what_changed_meanwhile_cannot_be_ended_twice(desk):
    old = make_exclusion(desk.people["D1001"], desk.directive, date(2026, 5, 20))
    desk.ask("lift", about=str(old), reason="returned_early", whole="yes")
    page = desk.browser_of("D4001").page(desk.path_of_waiting_request())
    make_exclusion(
        desk.people["D1001"], desk.directive, date(2026, 5, 20), date(2026, 12, 31), replaces_id=old
    )

    shown = desk.browser_of("D4001").page(desk.path_of_waiting_request())
    assert (
        "You cannot grant this as it is. This exemption or deferral has been changed or removed."
        in shown.text
    )
    desk.browser_of("D4001").press(page, "Grant", 400, grant="y")
    assert (count_rows(Exclusion), count_rows(Decision)) == (2, 0)


def test_what_no_database_takes_is_left_out_of_texts_and_refused_elsewhere(desk):
    desk.ask_for_exemption(comment="  Seconded\x00 to the\x01 regional unit ")
    assert db.session.scalars(select(FactNote.text)).all() == ["Seconded to the regional unit"]
    for name in ("about", "reason", "from_on"):
        given = {"about": "OIC-2026", "from_on": "1/6/2026", "to_on": "2/6/2026", "reason": "other"}
        desk.ask("deferral", status=400, **{**given, name: "\x00"})
    assert count_rows(DecisionRequest) == 1


def test_exempt_beats_deferred_and_ending_it_leaves_the_deferral(desk):
    person = desk.people["D1001"]
    make_exclusion(person, desk.directive, date(2026, 5, 1), date(2026, 8, 1), date(2026, 9, 1))
    desk.ask_for_exemption()
    assert "Deferred becomes Exempt" in desk.browser_of("D4001").page(desk.path_of_waiting_request()).text
    desk.decide("Grant")
    assert desk.status_of() == "exempt"
    exemption = db.session.scalars(select(Exclusion.id).where(Exclusion.exempt)).one()
    desk.ask("lift", about=str(exemption), whole="yes", reason="role_changed")
    assert "Exempt becomes Deferred" in desk.browser_of("D4001").page(desk.path_of_waiting_request()).text
    desk.decide("Grant")
    assert desk.status_of() == "deferred"
