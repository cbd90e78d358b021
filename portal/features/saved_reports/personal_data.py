"""Marks of the tables of saved reports, and how one is said."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from portal.domain.subject_access.register.marks import MAIL, WORK, PersonalTable, View
from portal.features.saved_reports.models import SavedReport

TABLES = (
    (
        "directive_version",
        PersonalTable(
            "saved_report",
            WORK,
            "saved",
            (View("Reports you saved", "owner_id"),),
            {
                "name": "Name",
                "kind": "Which page",
                "directive": "Directive",
                "arguments": "Filters, order and columns",
                "saved_at": "Saved",
            },
            people={"owner_id": "who saved it"},
            by_others="arguments",
            technical="id reference day_rule fixed_on known_rule span",
        ),
    ),
    (
        "saved_report",
        PersonalTable(
            "report_share",
            WORK,
            "saved",
            (
                View("Saved reports that were shared with you", "person_id"),
                View(
                    "Others with whom you shared a report",
                    "saved_report_id owner_id",
                    "saved_report_id shared_at",
                ),
            ),
            {"saved_report_id": "Report", "shared_at": "Shared", "mailed": "Mailed as well"},
            people={"person_id": "with whom it is shared"},
            technical="id",
        ),
    ),
    (
        "report_share",
        PersonalTable(
            "report_schedule",
            WORK,
            "saved",
            (View("When reports you saved are mailed", "saved_report_id owner_id"),),
            {
                "saved_report_id": "Report",
                "every": "Every",
                "set_at": "Set",
                "ended_at": "Ended",
                "ended_why": "Why it ended",
            },
            technical="weekday attached planned_until",
        ),
    ),
    (
        "report_schedule",
        PersonalTable(
            "report_mail",
            MAIL,
            "mail",
            (
                View("Saved reports that were mailed to you", "person_id"),
                View(
                    "Mails to others of reports you saved",
                    "saved_report_id owner_id",
                    "saved_report_id due_on",
                ),
            ),
            {"saved_report_id": "Report", "due_on": "Day"},
            people={"person_id": "to whom"},
            technical="message_id",
        ),
    ),
)
REFERENCES: dict[str, tuple[Any, Callable[..., str]]] = {
    "saved_report": (select(SavedReport.id, SavedReport.name), str),
}
