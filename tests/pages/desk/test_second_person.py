"""Every kind of proposal is on the desk of whoever may settle it, and on nobody else's."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.domain.audit_desk.action_words import list_actions
from portal.domain.authoring import services as authoring
from portal.domain.decisions.requests import ChangeRequest
from portal.domain.decisions.services import submit_request
from portal.domain.records.models import Record
from portal.domain.retention import services
from portal.features.events.type_proposals import propose_type
from portal.features.exercises.sources import pack_exercise
from portal.features.exercises.versions import propose_exercise
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.domain.catalogue.event_type_files import UNPREPARED
from tests.domain.retention import aged
from tests.factories.events import make_booking, make_event, make_event_room, make_event_type
from tests.factories.people import make_grant, make_person, make_unit
from tests.features.assurance.factories import make_judgement, make_recommendation
from tests.features.exercises.folders import as_bytes, exercise_files
from tests.features.force_plan.factories import propose_plan
from tests.page_reading import Page, PortalClient
from tests.pages.authoring.desk import publish_sample, rewrite_lesson
from tests.pages.authoring.reviewing import BODY, send_draft
from tests.pages.decisions.desk import NOW, Desk, make_desk
from tests.pages.desk.test_desk import waiting_links

pytestmark = pytest.mark.slow
ALL = ("directive-owner", "author", "publisher", "facilitator", "auditor", "administrator", "manager")
CAST = {  # beside D1001, D2001, who manages the unit, and D4001 and D4002, who own directives
    "D3001": ("author",),
    "D3002": ("publisher",),
    "D5001": ("facilitator",),
    "D6001": ("auditor",),
    "D7001": ALL,
    "D8001": ALL,  # who proposes all that has one author
    "D9001": ("administrator",),
}
ELSEWHERE = {"D2002": "manager", "D4003": "directive-owner", "D6002": "auditor", "D9002": "administrator"}
NO_PROPOSALS = {"account.refused", "account.binding_refused", "access.refused", "return.refused"}


@dataclass(frozen=True)
class Kind:
    """A kind of proposal: the desk's words after the number, and the button of its page that settles it.

    Attributes:
        waits: A pattern of the desk's link, after its number.
        button: The beginning of the words of the button.
        turned_down: The act by which a second person says no, where there is one.
        propose: Makes proposals; returns the addresses of their pages.
    """

    waits: str
    button: str
    turned_down: str
    propose: Callable[["Force"], list[str]]


@dataclass
class Force:
    """The desk with its cast, and D8001, who proposes."""

    desk: Desk
    folder: Path

    @property
    def author(self) -> int:
        return self.desk.people["D8001"]

    def count_settled(self, number: str, address: str, button: str) -> int:
        """How many the page offers the person to settle; none where they may not open it."""
        client = self.desk.browser_of(number)
        response = client.get(address)
        if response.status_code != 200:
            return 0
        buttons = (text for form in Page(response, address).forms() for text in form.buttons)
        return sum(text.startswith(button) for text in buttons)


def ask_for_decisions(force: Force) -> list[str]:
    """An exemption, one for somebody who decides, and a correction that one who decides asks for."""
    people, desk = force.desk.people, force.desk
    june = {"directive_id": desk.directive, "from_on": date(2026, 6, 1)}
    record = db.session.scalar(select(Record.id).where(Record.person_id == people["D1002"]).limit(1))
    asked = (
        ("D2001", ChangeRequest("exemption", people["D1001"], "secondment", **june)),
        ("D2001", ChangeRequest("exemption", people["D4002"], "secondment", **june)),
        (
            "D4001",
            ChangeRequest(
                "revocation", people["D1002"], "recorded_in_error", record_id=record, from_on=june["from_on"]
            ),
        ),
    )
    with transaction():
        return [
            f"/decisions/{submit_request(change, {}, by=people[by], at=clock.now())}" for by, change in asked
        ]


def send_module(force: Force) -> list[str]:
    publish_sample(force.folder)
    with transaction():
        draft = authoring.open_draft("sample", by=force.author, at=clock.now())
    rewrite_lesson(force.author, BODY)
    send_draft(draft, force.author)
    return ["/authoring/sample/review"]


def send_event_type(force: Force) -> list[str]:
    with transaction():
        content = UNPREPARED.encode()
        row = propose_type("hydra", content, note="A change", by=force.author, at=clock.now())
    return [f"/events/types/proposals/{row}"]


def send_exercise(force: Force) -> list[str]:
    archive = pack_exercise("night-shift", as_bytes(exercise_files()))
    with transaction():
        row = propose_exercise(archive, note="It was unclear.", by=force.author, at=clock.now())
    return [f"/exercises/versions/_proposals/{row}"]


def send_plan(force: Force) -> list[str]:
    make_recommendation("plan")
    return [f"/assurance/plan/proposals/{propose_plan(force.author)}"]


def judge(force: Force) -> list[str]:
    judged = {"judged": force.author, "judged-too": force.desk.people["D4001"]}
    for key, by in judged.items():
        make_judgement(make_recommendation(key, title=f"To be {key}"), "not_met", by=by)
    return [f"/assurance/{key}/judgement" for key in judged]


def ask_for_disposal(force: Force) -> list[str]:
    people = force.desk.people
    with transaction():
        aged.write_traces(people["D1001"], people["D2001"], clock.noon(date(2015, 1, 1)))
    return [f"/retention/disposals/{aged.request_disposal('mail', force.author)}"]


def ask_about_data(force: Force) -> list[str]:
    person, now = force.desk.people["D1001"], clock.now()
    with transaction():
        request = services.note_request("correction", person, clock.today(), "My name", by=person, at=now)
    return [f"/retention/requests/{request}"]


def ask_for_a_place(force: Force) -> list[str]:
    event = make_event(make_event_type(approval=True), make_event_room(), force.desk.people["D5001"])
    make_booking(event, force.desk.people["D1001"], state="asked")
    make_booking(event, force.desk.people["D2001"], state="asked")
    return [f"/events/{event}/people"]


KINDS = (
    Kind("requests? to decide", "Grant", "decision.refused", ask_for_decisions),
    Kind("drafts? to read and publish", "Publish", "review.sent_back", send_module),
    Kind("event types? to look at and publish", "Publish", "event_type.sent_back", send_event_type),
    Kind("exercises? to read and publish", "Publish", "exercise.sent_back", send_exercise),
    Kind("versions? of the force’s plan to read and publish", "Publish", "plan.sent_back", send_plan),
    Kind("judgements? to confirm or send back", "Confirm", "judgement.sent_back", judge),
    Kind("disposals? to approve or refuse", "Approve", "retention.disposal_refused", ask_for_disposal),
    Kind("requests? about data to answer", "Answer", "data.request_refused", ask_about_data),
    Kind("bookings? of EV-0001 to approve", "Approve", "booking.declined", ask_for_a_place),
)


@pytest.fixture
def force(app, database, time_machine, tmp_path: Path) -> Force:
    time_machine.move_to(NOW, tick=False)
    desk = make_desk(app, time_machine.move_to)
    elsewhere = make_unit("Elsewhere")
    for number, roles in CAST.items():
        desk.people[number] = make_person(desk.unit, staff_number=number, role="support")
        for role in roles:
            make_grant(desk.people[number], role)
    for number, role in ELSEWHERE.items():
        desk.people[number] = make_person(elsewhere, staff_number=number, role="support")
        make_grant(desk.people[number], role, elsewhere)
    return Force(desk, tmp_path)


def count_on_desk(client: PortalClient, kind: Kind) -> int:
    """How many of a kind wait on the person's desk."""
    found = (re.fullmatch(rf"(\d+) {kind.waits}", link) for link in waiting_links(client.page("/desk")))
    return sum(int(each[1]) for each in found if each)


def test_each_proposal_is_on_the_desks_of_those_who_may_settle_it(force: Force) -> None:
    proposed = [(kind, kind.propose(force)) for kind in KINDS]
    wrong, settled = list[str](), set[Kind]()

    for number in force.desk.people:
        for kind, addresses in proposed:
            due = sum(force.count_settled(number, address, kind.button) for address in addresses)
            shown = count_on_desk(force.desk.browser_of(number), kind)
            settled |= {kind} if due else set()
            if due != shown:
                wrong.append(f"{number}: {shown} {kind.waits}, may settle {due}")

    assert wrong == []
    assert settled == set(KINDS), "nobody may settle a kind"


def test_whatever_can_be_turned_down_is_such_a_kind() -> None:
    turned_down = {act for act in list_actions() if re.search(r"(refused|declined|sent_back|rejected)$", act)}

    assert turned_down - NO_PROPOSALS == {kind.turned_down for kind in KINDS}


def test_judgements_are_confirmed_from_ones_own_page(force: Force) -> None:
    judge(force)
    auditor, author = force.desk.browser_of("D6001"), force.desk.browser_of("D8001")

    page = auditor.page(auditor.page("/desk").links["2 judgements to confirm or send back"])

    assert page.text.count("Judged by somebody else on 1 June 2026: Not met") == 2
    assert author.page("/assurance/mine").text.count("Judged by somebody else") == 1
    assert "Judged" not in force.desk.browser_of("D1001").page("/assurance/mine").text
    auditor.press(auditor.page(page.links["To be judged"]), "Confirm it")
    assert "1 judgement to confirm or send back" in auditor.page("/desk").links


def test_a_manager_finds_bookings_to_approve_where_their_work_begins(force: Force) -> None:
    (address,) = ask_for_a_place(force)
    manager = force.desk.browser_of("D2001")

    assert manager.page("/monitoring").links["1 booking of EV-0001 to approve"] == address
    manager.press(manager.page(address), "Approve the booking of Priya Shah")
    assert address not in manager.page("/monitoring").links.values()
