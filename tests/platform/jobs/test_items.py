"""What is wrong with one item is that one's failure: a job does the others, and says how many failed."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from portal.app import list_tasks
from portal.domain.authoring import reviews
from portal.domain.authoring import services as authoring
from portal.domain.authoring.models import DraftSave, Review, ScheduledPublication
from portal.domain.directives import services
from portal.domain.status import tasks as status
from portal.feature import list_features
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.errors import BusyError, PortalError
from portal.platform.jobs import registry, worker
from portal.platform.jobs.models import CancelledError
from portal.platform.jobs.registry import ItemFailures
from tests.factories.people import make_grant, make_person, make_unit

ROOT = Path(__file__).resolve().parents[3]
HERE = "tests/platform/jobs/test_items.py"
OUTBOX = "tests/domain/reminders/test_sending.py"
SAVED = "tests/features/saved_reports/test_views.py"
SENDING = f"{OUTBOX}::test_a_message_that_cannot_be_written_keeps_back_no_other"
LINKS = "tests/domain/catalogue/test_link_checks.py::test_one_page_keeps_no_other_from_being_asked"
FOLDER = (
    "tests/features/watched_folder/test_importing.py::test_a_file_that_cannot_be_put_away_keeps_back_no_other"
)
# Every kind of job: the test that gives it a poisoned item, or why it walks over none.
WALKS = {
    "account_links": SENDING,
    "answer_pack": "one pack",
    "assurance.links": LINKS,
    "authoring.publish-again": "one publication",
    "authoring.scheduled": f"{HERE}::test_a_publication_that_fails_says_so_and_keeps_back_no_other",
    "backup": "one backup",
    "backup-alarm": "one mail",
    "backup-rehearsal": "one backup",
    "bookings": "tests/features/events/booking/test_job.py::test_an_event_that_fails_keeps_back_no_other",
    "catalogue.links": LINKS,
    "directives.issue": "one change, all or nothing",
    "disposal": "one disposal, whose rows go by statements",
    "imports.apply": "one file, all or nothing",
    "imports.check": "one file, whose rows are checked each by itself",
    "imports.erase_kept": "two statements",
    "imports.folder": FOLDER,
    "imports.import": "one file, all or nothing",
    "invitations": "statements over many people, with nothing done to one",
    "kept-days": "statements over days",
    "notices": SENDING,
    "reconcile": f"{HERE}::test_people_who_cannot_be_checked_keep_back_no_others",
    "reminders": f"{OUTBOX}::test_a_part_of_the_plan_that_fails_keeps_back_no_other",
    "report-mails": f"{SAVED}::test_a_report_that_fails_keeps_back_no_other",
    "report_file": "one file",
    "reset_requests": "statements over many requests, with nothing done to one",
    "undo-ahead": "one change",
}


class Progress:
    """Of a job that nobody watches."""

    def report_progress(self, *_):
        pass


def poison(monkeypatch, module, name, is_poison):
    """Have a function fail where its first argument is poison."""
    healthy = getattr(module, name)

    def act(first, *arguments, **options):
        if is_poison(first):
            raise KeyError("poison")
        return healthy(first, *arguments, **options)

    monkeypatch.setattr(module, name, act)


def test_every_kind_of_job_is_given_a_poisoned_item_or_walks_over_none():
    tests = [words.split("::") for words in WALKS.values() if "::" in words]

    assert WALKS.keys() == {task.kind for task in list_tasks(list_features())}
    missing = [
        name for file, name in tests if not re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.M)
    ]
    assert missing == []


def test_a_task_that_cannot_say_whether_it_is_due_keeps_back_no_other(database, monkeypatch):
    def fail():
        raise KeyError("poison")

    known = dict(registry.TASKS_BY_KIND)
    try:
        registry.set_tasks(
            registry.Task(kind, kind, lambda *_: None, due=due)
            for kind, due in (("first", lambda: True), ("poison", fail), ("last", lambda: True))
        )

        assert [task.kind for task in worker.list_due_tasks(clock.now())] == ["first", "last"]
    finally:
        registry.set_tasks(known.values())


@pytest.mark.parametrize("error", [CancelledError(), BusyError(), OperationalError("x", {}, OSError())])
def test_what_no_item_can_help_ends_the_walk(database, error):
    failures = ItemFailures("item")

    with pytest.raises(type(error)), failures.of(1):
        raise error

    assert failures.end_job(["Done."]) == {"said": ["Done."]}


def test_a_job_says_what_it_did_and_how_many_failed(database):
    failures, recorded = ItemFailures("file"), list[int]()

    for number in range(3):
        with failures.of(number, lambda number=number: recorded.append(number)):
            assert number != 1

    assert recorded == [1]
    with pytest.raises(PortalError, match=r"2 files imported\.\n1 file failed\."):
        failures.end_job(["2 files imported."])


def test_people_who_cannot_be_checked_keep_back_no_others(database, monkeypatch):
    people = [make_person(make_unit(f"Unit {number}")) for number in range(3)]
    checked = list[int]()
    monkeypatch.setattr(status, "BATCH", 1)
    monkeypatch.setattr(services, "list_differences", lambda people, *_: checked.extend(people) or [])
    poison(monkeypatch, services, "list_differences", lambda batch: people[1] in batch)

    with pytest.raises(PortalError, match=r"3 people checked: 0 differences\.\n1 part failed"):
        status.check_assignments(Progress(), {})

    assert checked == [people[0], people[2]]


def test_a_publication_that_fails_says_so_and_keeps_back_no_other(database, monkeypatch):
    author, publisher = make_person(make_unit("North")), make_person(make_unit("South"))
    make_grant(publisher, "publisher")
    drafts = {key: schedule_new_module(key, author, publisher) for key in ("first", "poison", "last")}

    def publish(review_id, **_):
        return SimpleNamespace(number=review_id, title="A module")

    monkeypatch.setattr(reviews, "publish_review", publish)
    poison(monkeypatch, reviews, "publish_review", lambda review_id: review_id == drafts["poison"])

    with pytest.raises(PortalError, match=r"(Version \d+ of A .* published\.\n){2}1 publication failed"):
        reviews.publish_due(Progress(), {})

    ends = {row.review_id: row.reason for row in db.session.scalars(select(ScheduledPublication))}
    assert ends == {drafts["first"]: None, drafts["poison"]: reviews.UNEXPECTED, drafts["last"]: None}


def schedule_new_module(key, author, publisher):
    """A new module, sent for review and approved for now; returns the review's id."""
    now = clock.now()
    with transaction():
        draft = authoring.create_module_draft(key, key, by=author, at=now)
        save = db.session.scalar(select(DraftSave.id).where(DraftSave.draft_id == draft))
        review = Review(draft_id=draft, save_id=save, sent_by_id=author, sent_at=now, note="New")
        db.session.add(review)
        db.session.flush()
        approved = {"publish_at": now, "approved_by_id": publisher, "approved_at": now}
        db.session.add(ScheduledPublication(review_id=review.id, **approved))
        return review.id
