"""Marks of the tables of exercises."""

from itertools import pairwise

from portal.domain.subject_access.register.marks import LEARNING, WORK, PersonalTable, View, mark_proposals

_YOU = {"person_id": "you"}
_RECORDED = {"recorded_at": "Recorded"}
_AFTER = "place_reservation"  # the last of events

_EXERCISES = (
    PersonalTable(
        "exercise_version",
        WORK,
        "record",
        (View("Versions of exercises you published", "published_by_id"),),
        {"title": "Title", "number": "Version", "published_at": "Published"},
        people={"published_by_id": "the publisher"},
        technical="id recorded_at exercise_id digest summary owner review_on minutes content",
    ),
    mark_proposals("exercise_proposal", "Exercises", "archive", {"key": "Exercise"}),
    PersonalTable(
        "exercise_run",
        WORK,
        "record",
        (View("Exercises you opened", "opened_by_id"),),
        {"reference": "Exercise", "kind": "Kind", **_RECORDED},
        people={"opened_by_id": "the facilitator"},
        technical="id exercise_version_id event_id syndicates",
    ),
    PersonalTable(
        "run_step",
        WORK,
        "record",
        (
            View("What you did as a facilitator of exercises", "by_id", "run_id kind text recorded_at by_id"),
            View("When you became scribe of a syndicate", "person_id", "run_id syndicate recorded_at"),
        ),
        {"run_id": "Exercise", "kind": "What", "syndicate": "Syndicate", "text": "Message", **_RECORDED},
        people={"person_id": "a scribe", "by_id": "a facilitator"},
        technical="id key inject_key",
    ),
    PersonalTable(
        "log_entry",
        LEARNING,
        "record",
        (View("What you wrote into decision logs of exercises", "by_id"),),
        {"run_id": "Exercise", "syndicate": "Syndicate", "kind": "What", "answer": "Entry", **_RECORDED},
        people={"by_id": "the scribe"},
        technical="id key inject_key question_key corrects_id",
    ),
    PersonalTable(
        "plenary_voter",
        LEARNING,
        "record",
        (View("That you ranked statements in exercises (how, is not kept)", "person_id"),),
        {"run_id": "Exercise"},
        people=_YOU,
        technical="prompt_key",
    ),
    PersonalTable(
        "run_action",
        WORK,
        "record",
        (View("Actions from exercises that you wrote down", "by_id"),),
        {"run_id": "Exercise", "what": "Action", "owner": "Owner", "due_on": "By", **_RECORDED},
        people={"by_id": "who wrote it down"},
        technical="id key withdraws_id",
    ),
)
TABLES = (
    (_AFTER, _EXERCISES[0]),
    *((before.name, table) for before, table in pairwise(_EXERCISES)),
)
