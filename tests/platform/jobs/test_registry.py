"""The kinds of job are stored in the table of jobs, so their names never change."""

from portal.app import list_tasks
from portal.feature import list_features
from portal.platform.jobs import registry

KINDS = [
    "account_links",
    "answer_pack",
    "assurance.links",
    "authoring.publish-again",
    "authoring.scheduled",
    "backup",
    "backup-alarm",
    "backup-rehearsal",
    "bookings",
    "catalogue.links",
    "directives.issue",
    "disposal",
    "imports.apply",
    "imports.check",
    "imports.erase_kept",
    "imports.folder",
    "imports.import",
    "invitations",
    "kept-days",
    "notices",
    "reconcile",
    "reminders",
    "report-mails",
    "report_file",
    "reset_requests",
    "undo-ahead",
]


def test_no_kind_is_renamed_or_used_twice():
    assert sorted(task.kind for task in list_tasks(list_features())) == KINDS


def test_a_kind_that_no_room_does_any_more_keeps_its_name():
    assert registry.task_of_kind("gone") is None
    assert registry.title_of_kind("gone") == "gone"
