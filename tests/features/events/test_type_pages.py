"""An author proposes an event type, a second person publishes it or sends it back, and everybody reads it."""

import pytest
from sqlalchemy import select

from portal.domain.catalogue import publishing
from portal.domain.catalogue.other_sources import EVENT_TYPE_FILES
from portal.features.events import type_proposals
from portal.features.events.models import EventTypeProposal
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import ConflictError, RuleError
from tests.domain.catalogue.event_type_files import UNPREPARED, event_type_file
from tests.factories.catalogue import make_guide, make_version
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another, let_in, make_account

FILLED = {
    "key": "night-exercise",
    "title": "Night exercise",
    "aim": "Decide in the dark.",
    "audience": "Supervisors",
    "minutes": "180",
    "syndicate_least": "4",
    "syndicate_most": "7",
    "places_least": "8",
    "places_most": "28",
    "facilitators": "2",
    "preparation": ["module:protect"],
    "owner": "Learning and development",
    "review_on": "31 May 2027",
    "note": "The force asked for it.",
}
SEND = "Send to a publisher"


@pytest.fixture
def browse(app, database):
    """Signs in an author D3001, a publisher D3002, one who is both D3003, and a learner D1001."""
    make_version("protect"), make_guide("whom-to-call")
    people = {}
    for number, roles in (
        ("D3001", ["author"]),
        ("D3002", ["publisher"]),
        ("D3003", ["author", "publisher"]),
        ("D1001", []),
    ):
        people[number] = make_account(number)
        for role in roles:
            make_grant(people[number], role)

    def signed_in(number: str) -> PortalClient:
        browser = another(app)
        let_in(browser, number)
        browser.person = people[number]
        return browser

    return signed_in


def publish(content: bytes = UNPREPARED.encode(), key: str = "hydra") -> None:
    with transaction():
        publishing.publish_event_type(EVENT_TYPE_FILES.check_content(key, content), at=stamp(), by=None)


def propose(by: int, content: bytes, key: str = "hydra") -> int:
    with transaction():
        return type_proposals.propose_type(key, content, note="A change", by=by, at=clock.now())


def test_a_publisher_publishes_what_an_author_proposed(browse):
    author, publisher = browse("D3001"), browse("D3002")
    assert author.page("/authoring").links["Event types"] == "/events/types"
    page = author.press(author.page("/events/types/new"), SEND, **FILLED)
    assert page.h1 == "Night exercise: a new event type"
    assert "Somebody else has to publish it." in page.text
    assert publishing.current_event_types() == []
    assert publisher.page("/desk").links["1 event type to look at and publish"] == "/events/types"

    waiting = publisher.page(publisher.page("/events/types").links["Night exercise"])
    page = publisher.press(waiting, "Publish it")

    assert page.h1 == "Night exercise"
    assert page.links["Protect: law & people"] == "/learning/modules/protect"
    version = publishing.numbered_event_type("night-exercise")
    assert (version.minutes, version.preparation, version.published_by_id) == (
        180, ["module:protect"], publisher.person,
    )  # fmt: skip
    actions = db.session.scalars(select(AuditEvent.action).where(AuditEvent.action.startswith("event_type")))
    assert list(actions) == ["event_type.proposed", "event_type.published"]


def test_nobody_publishes_what_they_proposed(browse):
    both = browse("D3003")
    page = both.press(both.page("/events/types/new"), SEND, **FILLED)
    assert "Publish it" not in page.text
    proposal = db.session.scalars(select(EventTypeProposal)).one()
    token = page.form_with("Withdraw it").fields["csrf_token"][0]
    both.post(f"/events/types/proposals/{proposal.id}/publish", data={"csrf_token": token})
    assert publishing.current_event_types() == []
    with pytest.raises(RuleError), transaction():
        type_proposals.publish_proposal(proposal.id, by=both.person, at=clock.now())


def test_a_change_is_shown_value_by_value_and_sent_back_with_a_reason(browse):
    publish()
    author, publisher = browse("D3001"), browse("D3002")
    page = author.page(author.page("/events/types/hydra").links["Propose the next version"])
    page = author.press(page, SEND, minutes="300", places_most="30", note="Longer")
    assert page.h1 == "OIC Hydra: 2 changes to version 1"
    for words in ("4 hours", "5 hours", "24, and it takes place from 6 people", "30, and it"):
        assert words in page.text

    proposal = db.session.scalars(select(EventTypeProposal.id)).one()
    shown = publisher.page(f"/events/types/proposals/{proposal}")
    assert "Enter what has to change" in publisher.press(shown, "Send back", 400, reason=" ").text
    page = publisher.press(shown, "Send back", reason="Too long for a shift")
    assert "Sent back by Priya Shah" in page.text
    assert "“Too long for a shift”" in page.text
    assert publishing.numbered_event_type("hydra").number == 1

    again = author.page(author.page(shown.path).links["Change it and propose it again"])
    assert again.form_with(SEND).fields["minutes"] == ["300"]
    page = author.press(again, SEND, minutes="270", note="Shorter")
    assert page.h1 == "OIC Hydra: 2 changes to version 1"
    assert "Withdrawn" in author.press(page, "Withdraw it").text


def test_a_learner_reads_a_type_and_cannot_propose(browse):
    make_text = UNPREPARED.replace(
        "approval = true", 'approval = true\npreparation = ["module:protect", "guide:whom-to-call"]'
    )
    publish(make_text.encode())
    learner = browse("D1001")
    page = learner.page(learner.page("/events/types").links["OIC Hydra"])
    for words in ("Decide as a supervisor", "Supervisors in response", "4 hours", "3 to 6 people"):
        assert words in page.text
    assert "A manager approves what learners book" in page.text
    assert page.links["See the next dates and places"] == "/events?type=hydra"
    assert page.links["Whom-to-call"] == "/guides/whom-to-call"
    assert "Versions" not in page.text
    for path in ("new", "hydra/change", "hydra/versions/1/file.toml", "proposals/1"):
        assert learner.get(f"/events/types/{path}").status_code == 403


def test_the_file_of_a_version_is_downloaded_byte_for_byte_and_stays(browse):
    publish()
    publish(event_type_file(("OIC Hydra", "Second edition")))
    author = browse("D3001")
    page = author.page("/events/types/hydra")
    assert page.h1 == "Second edition"
    assert author.get("/events/types/hydra/versions/1/file.toml").data == UNPREPARED.encode()
    assert author.get("/events/types/hydra/versions/3/file.toml").status_code == 404
    assert author.get("/events/types/other").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": " "}, "Enter a title"),
        ({"key": "New one"}, "Enter the short name with small letters"),
        ({"key": "proposals"}, "is the address of another page"),
        ({"key": "hydra"}, "There is an event type “hydra” already."),
        ({"minutes": "0"}, "Enter a whole number from 1 to 10,080"),
        ({"syndicate_most": "3"}, "Enter 4 or more, which is the fewest"),
        ({"places_least": "2", "places_most": "3"}, "Enter 4 or more, which is the fewest"),
        ({"review_on": "someday"}, "Enter a date, such as 31 May 2027"),
        ({"preparation": ["module:none"]}, "“module:none” is not published."),
        ({"preparation": ["film:one"]}, "is neither a module nor a guide"),
        ({"note": ""}, "Enter why, for the person who publishes it"),
    ],
)
def test_a_wrong_value_stays_in_the_form_with_its_error(browse, wrong, sentence):
    publish()
    author = browse("D3001")
    page = author.press(author.page("/events/types/new"), SEND, **{**FILLED, **wrong})
    assert sentence in page.text
    assert page.form_with(SEND).fields["audience"] == ["Supervisors"]
    assert db.session.scalars(select(EventTypeProposal)).all() == []


def test_one_proposal_waits_at_a_time_and_is_decided_once(browse):
    publish()
    author, publisher = browse("D3001").person, browse("D3002").person
    first = propose(author, event_type_file(("OIC Hydra", "Second")))
    with pytest.raises(ConflictError), transaction():
        type_proposals.propose_type("hydra", event_type_file(), note="", by=publisher, at=clock.now())
    with transaction():
        assert type_proposals.publish_proposal(first, by=publisher, at=clock.now()) == 2
    for decide in (type_proposals.publish_proposal, type_proposals.withdraw_proposal):
        with pytest.raises(ConflictError), transaction():
            decide(first, by=publisher, at=clock.now())


def test_a_version_published_meanwhile_is_not_overwritten_unseen(browse):
    publish()
    author, publisher = browse("D3001").person, browse("D3002").person
    proposal = propose(author, event_type_file(("OIC Hydra", "Second")))
    publish(event_type_file(("OIC Hydra", "By command")))
    with pytest.raises(ConflictError, match="Version 2 was published after this was proposed"), transaction():
        type_proposals.publish_proposal(proposal, by=publisher, at=clock.now())
    assert publishing.numbered_event_type("hydra").title == "By command"


def test_the_same_again_is_no_proposal(browse):
    publish()
    with pytest.raises(RuleError, match="Version 1 says exactly the same"):
        propose(browse("D3001").person, UNPREPARED.encode())
