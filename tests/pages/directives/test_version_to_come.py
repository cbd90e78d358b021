"""A version still to come is withdrawn by a new fact: it never takes effect, and the past stays true."""

from datetime import UTC, date, datetime
from functools import partial

import pytest
from sqlalchemy import select

from portal.domain.directives.changes import propose_version_withdrawal, propose_withdrawal
from portal.domain.directives.models import DirectiveVersion
from portal.domain.directives.services import Confirmation, reconcile_all, record_proposal
from portal.domain.status.projector import rebuild_status
from portal.domain.status.recording import stage_version, write_version
from portal.platform.audit import AuditEvent
from portal.platform.db import db, newest_stamp, transaction
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import words
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.directives.pages import own_form, send_form
from tests.pages.learning.asking import ask

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = date(2026, 12, 1)  # after the desk's today, 25 November 2026
PATH = "/directives/OIC-2026/versions/2/withdraw"
REPORT = "/monitoring/directives/OIC-2026"


@pytest.fixture
def planned(desk):
    """A directive of one module in force, whose second version asks for two from 1 December."""
    make_version("recognise")
    ask("protect")
    ask("protect", "recognise", due="2027-04-30", effective=DAY.isoformat())
    return desk


def withdraw_version(number=2, staged=None, **more):
    with transaction():
        propose = partial(propose_version_withdrawal, "OIC-2026", number, date(2026, 11, 25))
        issued = record_proposal(propose, Confirmation(NOW, **more))
        if staged:
            write_version(staged, issued)


def move_clock(client, time_machine, instant):
    """Go to another time; the session has run out meanwhile."""
    time_machine.move_to(instant)
    let_in(client, "D4001")


def load_versions():
    columns = (DirectiveVersion.number, DirectiveVersion.void, DirectiveVersion.effective_on)
    return db.session.execute(select(*columns).order_by(DirectiveVersion.number)).all()


def test_it_is_previewed_then_withdrawn_and_the_one_before_goes_on(planned, time_machine):
    page = planned.page("/directives/OIC-2026")
    assert "Next change: version 2 from 1 December 2026." in page.text

    shown = planned.page(page.links["Withdraw version 2 before it takes effect"])

    assert shown.h1 == "2 people get a new due date"
    assert "30 April 2026 (was 30 April 2027)" in shown.text
    assert "Version 1 stays in force." in shown.text
    assert len(load_versions()) == 2
    done = send_form(planned, shown, PATH, **{**own_form(shown).fields, "do": "withdraw"})
    assert "Version 2 of OIC-2026 is withdrawn. It will not take effect." in done.text
    assert "Next change" not in done.text
    assert "Version 2, from 1 December 2026: withdrawn at " in done.text
    assert "Withdraw version 1 before it takes effect" not in done.links
    assert [tuple(row) for row in load_versions()][1:] == [(2, False, DAY), (3, True, DAY)]
    assert "directive.version_withdrawn" in db.session.scalars(select(AuditEvent.action)).all()
    assert reconcile_all() == []
    assert rebuild_status(False) == []
    move_clock(planned, time_machine, "2026-12-02T10:00:00+00:00")
    head = [words(cell) for cell in planned.page(REPORT).all("th")]
    assert "Protect" in head
    assert "Recognise" not in head


def test_as_known_before_the_report_answers_as_it_did(planned, time_machine):
    move_clock(planned, time_machine, "2026-12-02T09:00:00+00:00")
    known = f"as_at=2026-12-02&as_known_on={newest_stamp().isoformat().replace('+00:00', 'Z')}"
    before = planned.get(f"{REPORT}/completions.csv?{known}").data
    time_machine.move_to("2026-11-25T12:00:00+00:00")
    withdraw_version()
    time_machine.move_to("2026-12-02T09:30:00+00:00")

    assert planned.get(f"{REPORT}/completions.csv?{known}").data == before
    assert before.count(b"recognise") > 0
    after = planned.get(f"{REPORT}/completions.csv?as_at=2026-12-02").data
    assert after.count(b"recognise") == 0
    changes = planned.page(
        f"{REPORT}/changes?from_as_at=2026-12-02&from_as_known_on={known.partition('known_on=')[2]}"
    )
    assert changes.h1 == "2 people’s status changed"
    assert "OIC-2026: the version planned for 1 December 2026 will not take effect." in changes.text


def test_a_directive_wholly_to_come_then_asks_nothing_of_anybody_and_can_be_issued_anew(desk):
    ask("protect", effective=DAY.isoformat())
    shown = desk.page("/directives/OIC-2026/versions/1/withdraw")
    assert shown.h1 == "2 people will no longer have to do this"
    assert "The directive will apply to nobody." in shown.text

    done = send_form(desk, shown, shown.path, **{**own_form(shown).fields, "do": "withdraw"})

    assert done.h1 == "No directive is in force"
    assert reconcile_all() == []
    assert rebuild_status(False) == []
    ask("protect", effective="2026-12-05")
    assert [row.number for row in load_versions()] == [1, 2, 3]
    assert "from 5 December 2026" in desk.page("/directives/OIC-2026").text
    assert reconcile_all() == []


def test_a_planned_withdrawal_is_withdrawn_too(planned):
    with transaction():
        record_proposal(partial(propose_withdrawal, "OIC-2026", date(2026, 12, 20)), Confirmation(NOW))
    assert "Withdrawn from 20 December 2026" not in planned.page("/directives/OIC-2026/versions/2").text

    withdraw_version(3)

    page = planned.page("/directives/OIC-2026")
    assert "Next change: version 2 from 1 December 2026." in page.text
    assert "Withdraw it" in page.links
    withdraw_version(2)  # what follows is one's own to choose: the newest that is left
    ask("protect", "recognise", effective="2027-01-01")
    assert [row.number for row in load_versions()] == [1, 2, 3, 4, 5, 6]


def test_what_holds_or_is_followed_is_refused_with_a_sentence(planned):
    assert (
        "You can withdraw only version 2 before it takes effect"
        in planned.page("/directives/OIC-2026/versions/1/withdraw", 409).text
    )
    planned.page("/directives/OIC-2026/versions/7/withdraw", 404)
    planned.page("/directives/NO-SUCH/versions/1/withdraw", 404)
    withdraw_version()
    assert (
        "took effect on 1 September 2025, so you can no longer withdraw it"
        in planned.page("/directives/OIC-2026/versions/1/withdraw", 409).text
    )
    with pytest.raises(RuleError):
        withdraw_version(1)
    with pytest.raises(NotFoundError):
        withdraw_version(2)
    assert len(load_versions()) == 3


def test_what_moved_on_after_the_preview_is_not_done(planned):
    shown = planned.page(PATH)
    make_person(make_unit("Late team"), staff_number="D1009", surname="Newcomer")

    again = send_form(planned, shown, PATH, **{**own_form(shown).fields, "do": "withdraw"})

    assert again.status == 409
    assert again.h1 == "3 people get a new due date"
    assert len(load_versions()) == 2
    with pytest.raises(ConflictError):
        withdraw_version(previewed="3:long ago:other")


def test_what_was_worked_out_before_the_lock_is_what_follows(planned):
    staged = stage_version(propose_version_withdrawal("OIC-2026", 2, date(2026, 11, 25)))
    make_person(make_unit("Late team"), staff_number="D1009")

    withdraw_version(staged=staged)

    assert reconcile_all() == []
    assert rebuild_status(False) == []


def test_an_owner_of_a_unit_withdraws_none_beyond_it_and_others_none(app, planned):
    unit = make_unit("Elsewhere")
    for number, role, place in (("D4009", "directive-owner", unit), ("D6001", "auditor", None)):
        make_grant(make_account(number, unit=unit), role, place)
        other = another(app)
        let_in(other, number)
        assert other.get(PATH).status_code == 403
        assert other.post(PATH, data={"do": "withdraw"}).status_code in {400, 403}
    assert len(load_versions()) == 2
