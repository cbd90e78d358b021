"""Every kind of job that is kept in a table somewhere is known, under the name that it has there."""

from portal.app import TASKS
from portal.platform.jobs import registry

KINDS = {"imports.apply", "imports.check", "kept-days", "notices", "reconcile", "reminders", "report_file"}


def test_no_kind_is_renamed_or_taken_twice(app):
    assert sorted(task.kind for task in TASKS) == sorted(KINDS)
    assert registry.TASKS_BY_KIND.keys() >= KINDS


def test_a_kind_that_nobody_does_any_more_keeps_its_name(app):
    assert registry.task_of_kind("gone") is None
    assert registry.title_of_kind("gone") == "gone"
    assert registry.title_of_kind("imports.check") == "Check of an import"
