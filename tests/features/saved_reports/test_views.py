"""Saved reports as people use them: named, found again, shared with those who may see them, and mailed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from sqlalchemy import delete, func, select, update

from portal.domain.accounts.services import close_account
from portal.domain.people.models import PersonName, RoleGrant
from portal.domain.people.units import rename_unit
from portal.domain.reminders.models import Message, MessageKind
from portal.domain.reminders.rules import SendWindow
from portal.domain.reminders.sending import bank_holidays
from portal.domain.reminders.tasks import send_reminders
from portal.features.saved_reports import mails as report_mails
from portal.features.saved_reports.mails import has_report_mails, plan_report_mails
from portal.features.saved_reports.models import ReportSchedule, SavedReport
from portal.features.saved_reports.settings import ReportMailSettings
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, stamp, transaction
from tests.domain.reminders.office_set import set_office
from tests.domain.reminders.post_office import Office
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.reading import parsed
from tests.pages.monitoring.world import REPORT, TODAY, World, enter, make_world

NORTH = "Westshire Police/Local Policing/Response, North"
MONDAY = datetime(2026, 6, 8, 9, tzinfo=UTC)  # TODAY is Monday 1 June


@pytest.fixture
def world(database: None) -> Iterator[World]:
    with time_machine.travel(TODAY, tick=False):
        yield make_world()


@pytest.fixture
def inspector(client: PortalClient, world: World) -> PortalClient:
    """D2003, who sees Local Policing."""
    return enter(client, world, "D2003")


def save(client: PortalClient, name: str = "North, overdue", **more: str) -> Page:
    """Save the report of the overdue people of the north, from its page."""
    page = client.page(f"{REPORT}?unit={NORTH}&status=late")
    form = client.page(page.links["Save this report"])
    return client.press(form, "Save the report", name=name, **more)


def reference() -> str:
    return str(db.session.scalar(select(SavedReport.reference)))


def plan_on(when: datetime) -> int:
    """Plan the mails of an instant; returns how many were queued."""
    with time_machine.travel(when, tick=False), transaction():
        return plan_report_mails(at=clock.now(), hours=SendWindow(), holidays=bank_holidays()).queued


def mails() -> int:
    statement = select(func.count()).select_from(Message).where(Message.kind == MessageKind.REPORT)
    return db.session.scalar(statement) or 0


def give_addresses(world: World, *numbers: str) -> None:
    with transaction():
        for number in numbers:
            one = update(PersonName).where(PersonName.person_id == world.people[number])
            db.session.execute(one.values(email=f"{number.lower()}@westshire.example"))


def test_a_report_is_saved_found_again_and_shared(app, inspector: PortalClient, world: World) -> None:
    page = save(inspector)
    assert page.h1 == "North, overdue"
    assert "OIC-2026: Unit: Response, North; Status: overdue or expired" in page.text
    overview = inspector.page("/monitoring")
    opened = inspector.get(overview.links["North, overdue"])
    assert opened.status_code == 303
    assert parse_qs(urlsplit(opened.location).query) == {"unit": [NORTH], "status": ["late"]}
    assert inspector.page(opened.location).h1

    shared = inspector.press(page, "Share the report", staff_number="D2001")
    assert "Okafor, Daniel (D2001)" in shared.text
    sergeant = enter(PortalClient(app), world, "D2001")
    assert "North, overdue" in sergeant.page("/monitoring").links
    row = sergeant.page("/saved-reports")
    assert "Ruth Hale" in row.text
    assert "You see in each what your own role lets you see" in row.text
    report = sergeant.page(sergeant.get(row.links["North, overdue"]).location)
    assert "Shah, Priya" in report.text
    assert "Castell, Imogen" not in report.text  # of the same unit, but no direct report of D2001


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("D1001", "You can see nobody with the staff number D1001 who may see reports."),
        ("D7777", "You can see nobody with the staff number D7777 who may see reports."),
        ("D2002", "You can see nobody with the staff number D2002 who may see reports."),
        ("D2003", "This report is yours already."),
        ("", "Enter a staff number"),
    ],
    ids=["learner", "nobody", "out of sight", "oneself", "empty"],
)
def test_sharing_with_somebody_who_may_not_see_it_is_refused(
    inspector: PortalClient, number: str, sentence: str
) -> None:
    page = inspector.press(save(inspector), "Share the report", 400, staff_number=number)
    assert sentence in page.text
    assert "End sharing" not in page.text


def test_who_is_in_sight_and_may_see_reports_but_not_this_one_is_named(
    inspector: PortalClient, world: World
) -> None:
    make_grant(world.people["D1001"], "auditor", world.units["crime"])

    page = inspector.press(save(inspector), "Share the report", 400, staff_number="D1001")

    assert "D1001 cannot open this report. They may not see what it is filtered by: unit." in page.text


def test_a_saved_report_is_nobody_elses(app, inspector: PortalClient, world: World) -> None:
    save(inspector)
    frost = enter(PortalClient(app), world, "D2002")
    for path in ("", "/manage", "/emails"):
        assert frost.get(f"/saved-reports/{reference()}{path}").status_code == 404
    assert "North, overdue" not in frost.page("/saved-reports").text


def test_the_link_is_mailed_once_for_each_day_and_stopped_by_its_reader(
    app, inspector: PortalClient, world: World
) -> None:
    give_addresses(world, "D2003", "D2001")
    page = inspector.press(save(inspector, day_rule="month-end"), "Share the report", staff_number="D2001")
    page = inspector.press(page, "Email the report", every="week", weekday="0")
    assert "Every Monday, next on 8 June 2026" in page.text
    assert [plan_on(TODAY), plan_on(MONDAY), plan_on(MONDAY)] == [0, 2, 0]
    with time_machine.travel(MONDAY, tick=False), set_office(app) as office:
        assert not has_report_mails(clock.now())
        send_reminders(_Progress(), {})
    (mail,) = office.to("d2001@westshire.example")
    text = mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "Report: North, overdue"
    assert "Shah" not in text
    assert list(mail.iter_attachments()) == []
    link = f"/saved-reports/{reference()}?day=2026-06-08"
    assert link in text
    assert "OIC-2026. As at 31 May 2026, as known now." in text
    later = datetime(2026, 7, 20, 9, tzinfo=UTC)
    with time_machine.travel(later, tick=False):
        sergeant = enter(PortalClient(app), world, "D2001")
        assert "as_at=2026-05-31" in sergeant.get(link).location
        offer = sergeant.page(f"/saved-reports/{reference()}/emails")
        assert "You get no more emails of North, overdue." in sergeant.press(offer, "Stop these emails").text
        assert "You turned the emails off" in sergeant.page("/saved-reports").text
    assert (
        plan_on(later) == 1
    )  # six Mondays were missed: the last is made up for, and its owner alone gets it
    assert mails() == 3


def test_an_owner_stops_the_emails_and_deletes_the_report(inspector: PortalClient, world: World) -> None:
    give_addresses(world, "D2003")
    page = inspector.press(save(inspector), "Email the report", every="month")
    assert "On the first working day of each month, next on 1 July 2026" in page.text
    page = inspector.press(page, "Stop the emails")
    assert "Emails stopped on 1 June 2026" in page.text
    assert plan_on(datetime(2026, 7, 1, 9, tzinfo=UTC)) == 0
    page = inspector.press(inspector.page(f"/saved-reports/{reference()}/manage"), "Delete the saved report")
    assert "You have saved no report yet." in page.text


def test_the_schedule_of_an_owner_without_rights_ends_and_says_why(
    app, inspector: PortalClient, world: World
) -> None:
    give_addresses(world, "D2003")
    inspector.press(save(inspector), "Email the report", every="week", weekday="0")
    with transaction():
        own = RoleGrant.person_id == world.people["D2003"]
        db.session.execute(update(RoleGrant).where(own).values(ended_at=clock.now()))
    assert plan_on(MONDAY) == 0
    page = inspector.page("/saved-reports")
    assert "Emails stopped on 8 June 2026. Its owner may not open this report any more." in page.text
    with time_machine.travel(MONDAY, tick=False), set_office(app) as office:
        send_reminders(_Progress(), {})
    (mail,) = office.to("d2003@westshire.example")
    assert mail["Subject"] == "Emails stopped: North, overdue"
    assert "You have saved no report yet." in inspector.press(page, "Delete North, overdue").text


def test_rows_are_attached_only_where_the_force_allows_it_and_are_the_readers_own(
    app, inspector: PortalClient, world: World
) -> None:
    give_addresses(world, "D2003", "D2001")
    with set_office(app, feature_settings={"saved_reports": ReportMailSettings("on")}) as office:
        page = inspector.press(save(inspector), "Share the report", staff_number="D2001")
        inspector.press(page, "Email the report", every="week", weekday="0", attached="y")
        assert plan_on(MONDAY) == 2
        with time_machine.travel(MONDAY, tick=False):
            send_reminders(_Progress(), {})
            people = {
                number: {row["staff_number"] for row in parsed(_attached_text(office, number))}
                for number in ("d2003", "d2001")
            }
        assert people == {"d2003": {"D1001", "N2"}, "d2001": {"D1001"}}
    own = AuditEvent.actor_id == world.people["D2001"]
    (event,) = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "completions.exported", own)
    ).all()
    assert event.detail["people"] == 1
    with set_office(app) as office:  # the setting is off again
        plan_on(later := datetime(2026, 6, 15, 9, tzinfo=UTC))
        with time_machine.travel(later, tick=False):
            send_reminders(_Progress(), {})
        assert list(office.to("d2003@westshire.example")[0].iter_attachments()) == []


def _attached_text(office: Office, number: str) -> str:
    (mail,) = office.to(f"{number}@westshire.example")
    (file,) = mail.iter_attachments()
    assert file.get_filename() == "OIC-2026-completions-2026-06-08-Response-North-overdue-or-expired.csv"
    return bytes(file.get_payload(decode=True)).decode()


def test_a_saved_report_follows_a_renamed_unit(inspector: PortalClient, world: World) -> None:
    save(inspector)
    with transaction():
        new = "Westshire Police/Local Policing/Neighbourhood"
        rename_unit(NORTH, new, on=clock.today(), at=stamp())
    page = inspector.page("/saved-reports")
    assert "Unit: Neighbourhood" in page.text
    first = inspector.get(page.links["North, overdue"])
    second = inspector.get(first.location)
    assert parse_qs(urlsplit(second.location).query)["unit"] == [new]
    assert "Castell, Imogen" in inspector.page(second.location).text


def test_the_overview_and_changes_are_saved_with_their_rules(inspector: PortalClient) -> None:
    overview = inspector.page(inspector.page("/monitoring?as_at=2026-04-30").links["Save this report"])
    inspector.press(overview, "Save the report", name="End of April", known_rule="then")
    changes = inspector.page(inspector.page(f"{REPORT}/changes").links["Save this report"])
    bad = inspector.press(
        changes, "Save the report", 400, name="Month", day_rule="fixed", fixed_on="1/7/2026"
    )
    assert "Enter today's date or an earlier one" in bad.text
    bad = inspector.press(changes, "Save the report", 400, name="end of april")
    assert "You have a saved report called “end of april” already." in bad.text
    inspector.press(changes, "Save the report", name="Month", day_rule="month-end", span="month")
    links = inspector.page("/monitoring").links
    assert inspector.get(links["End of April"]).location == (
        "/monitoring?as_at=2026-04-30&as_known_on=2026-04-30"
    )
    assert inspector.page(inspector.get(links["End of April"]).location).h1
    assert parse_qs(urlsplit(inspector.get(links["Month"]).location).query) == {
        "from_as_at": ["2026-04-30"],
        "from_as_known_on": ["2026-04-30"],
        "as_at": ["2026-05-31"],
    }
    assert inspector.page(inspector.get(links["Month"]).location).h1


def test_changes_between_two_dates_are_saved_with_both(inspector: PortalClient) -> None:
    dates = "from_as_at=2026-04-30&from_as_known_on=2026-04-30&as_at=2026-05-20"
    form = inspector.page(inspector.page(f"{REPORT}/changes?{dates}").links["Save this report"])
    assert (
        "Changes of OIC-2026 since 30 April 2026, as known then. As at 20 May 2026, as known now."
        in form.text
    )
    saved = inspector.press(form, "Save the report", name="Since April")
    inspector.press(form, "Save the report", name="Weekly", span="week", day_rule="today")

    assert "Changes of OIC-2026 since 30 April 2026, as known then" in saved.text
    links = inspector.page("/monitoring").links
    opened = inspector.get(links["Since April"]).location
    assert parse_qs(urlsplit(opened).query) == parse_qs(dates)
    assert "30 April 2026" in inspector.page(opened).text
    assert parse_qs(urlsplit(inspector.get(links["Weekly"]).location).query) == {
        "from_as_at": ["2026-05-25"],
        "from_as_known_on": ["2026-05-25"],
    }


def test_what_a_saved_report_cannot_keep_is_said_before_it_is_saved(inspector: PortalClient) -> None:
    lost = "The page showed what was known up to 5 May 2026. A saved report does not keep that"
    later = inspector.page(f"{REPORT}?as_at=2026-04-30&as_known_on=2026-05-05").links["Save this report"]
    same = inspector.page(f"{REPORT}?as_at=2026-04-30&as_known_on=2026-04-30").links["Save this report"]

    assert lost in inspector.page(later).text
    assert "does not keep that" not in inspector.page(same).text
    start = "of=changes&directive=OIC-2026&from_as_at=2026-04-30"
    for known, words in (
        ("", "now"),
        ("2026-05-05", "on 5 May 2026"),
        ("2026-05-05T08:00:00Z", "at 09:00 on 5 May 2026"),
    ):
        form = inspector.page(f"/saved-reports/new?{start}&from_as_known_on={known}")
        assert f"since 30 April 2026, as known {words}." in form.text
    assert (
        inspector.get("/saved-reports/new?of=changes&directive=OIC-2026&from_as_at=2027-01-01").status_code
        == 404
    )


def test_the_schedule_of_a_leaver_ends(inspector: PortalClient, world: World) -> None:
    give_addresses(world, "D2003")
    inspector.press(save(inspector), "Email the report", every="week", weekday="0")
    with transaction():
        close_account(world.people["D2003"], by=world.people["D6001"], at=clock.now())
    assert plan_on(MONDAY) == 0
    schedule = db.session.scalars(select(ReportSchedule)).one()
    assert schedule.ended_why == "Its owner has left."
    assert mails() == 0


def test_erasing_a_name_erases_its_reports_and_drops_what_waits(
    app, inspector: PortalClient, world: World
) -> None:
    give_addresses(world, "D2003", "D2001")
    page = inspector.press(save(inspector), "Share the report", staff_number="D2001")
    inspector.press(page, "Email the report", every="week", weekday="0")
    assert plan_on(MONDAY) == 2
    with transaction():
        db.session.execute(delete(PersonName).where(PersonName.person_id == world.people["D2003"]))
    assert db.session.scalars(select(ReportSchedule)).all() == []
    with time_machine.travel(MONDAY, tick=False), set_office(app) as office:
        send_reminders(_Progress(), {})
    assert office.taken == []
    reasons = set(db.session.scalars(select(Message.reason).where(Message.kind == MessageKind.REPORT)))
    assert reasons == {"The saved report was deleted."}


def test_a_list_of_twenty_makes_as_many_statements_as_one_of_two(
    app, inspector: PortalClient, world: World
) -> None:
    def count_statements() -> int:
        with statements() as asked:
            inspector.page("/saved-reports")
        return len(asked)

    for number in range(2):
        save(inspector, f"Report {number}")
    few = count_statements()
    for number in range(2, 20):
        save(inspector, f"Report {number}")
    assert count_statements() == few


class _Progress:
    """A job that nobody watches."""

    def report_progress(self, done: int, total: int, said: str = "") -> None:
        """Nothing."""


def test_a_report_that_fails_keeps_back_no_other(
    inspector: PortalClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_addresses(world, "D2003")
    for name in ("First", "Poison", "Last"):
        inspector.press(save(inspector, name), "Email the report", every="week", weekday="0")
    healthy, poisoned = report_mails.list_readers, reports()["Poison"]

    def list_or_fail(report_id):
        if report_id == poisoned:
            raise KeyError("poison")
        return healthy(report_id)

    monkeypatch.setattr(report_mails, "list_readers", list_or_fail)

    assert plan_on(MONDAY) == 2
    monkeypatch.undo()
    assert plan_on(MONDAY) == 0  # not tried again the same day
    assert plan_on(MONDAY + timedelta(days=7)) == 3


def reports() -> dict[str, int]:
    return {
        name: report_id for name, report_id in db.session.execute(select(SavedReport.name, SavedReport.id))
    }
