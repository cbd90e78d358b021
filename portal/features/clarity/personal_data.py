"""Marks of the tables of what learners found clear or unclear."""

from portal.domain.subject_access.register.marks import OWN, PersonalTable, View

TABLES = (
    (
        "decision",
        PersonalTable(
            "clarity_answer",
            OWN,
            "own",
            (View("Whether something was clear to you", "person_id"),),
            {
                "activity_id": "Module",
                "module_version_id": "Version",
                "place": "Lesson or question",
                "number": "Time",
                "clear": "Clear",
                "answered_at": "Answered",
            },
            people={"person_id": "you"},
            technical="id",
        ),
    ),
    (
        "clarity_answer",
        PersonalTable(
            "clarity_words",
            OWN,
            "clarity",
            (View("What you wrote about it", "answer_id person_id"),),
            {"text": "Your words"},
            technical="answer_id",
        ),
    ),
    (
        "clarity_words",
        PersonalTable(
            "clarity_reply",
            OWN,
            "clarity",
            (
                View("Replies of authors to you", "answer_id person_id"),
                View("Replies you wrote to others", "replied_by_id", "replied_at"),
            ),
            {"text": "Reply", "replied_at": "When"},
            people={"replied_by_id": "an author"},
            by_others="text",
            technical="id answer_id",
        ),
    ),
)
