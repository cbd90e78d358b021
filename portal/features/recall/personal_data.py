"""Marks of the tables of spaced recall."""

from portal.domain.subject_access.register.marks import OWN, PersonalTable, View

_YOU = {"person_id": "you"}

TABLES = (
    (
        "decision",
        PersonalTable(
            "recall_review",
            OWN,
            "own",
            (View("Questions to keep what you learnt", "person_id"),),
            {
                "activity_id": "Module",
                "module_version_id": "Version",
                "number": "Time",
                "item_key": "Question",
                "correct": "Right",
                "answered_at": "Answered",
            },
            people=_YOU,
            technical="id",
        ),
    ),
    (
        "recall_review",
        PersonalTable(
            "recall_opt_out",
            OWN,
            "own",
            (View("You turned these questions off", "person_id"),),
            {"chosen_at": "When"},
            people=_YOU,
        ),
    ),
)
