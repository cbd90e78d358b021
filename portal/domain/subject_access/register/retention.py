"""Marks of the tables of retention: periods, disposals, holds, and requests about data."""

from portal.domain.subject_access.register.marks import RIGHTS, WORK, PersonalTable, View

_COUNTS = {"class_key": "What", "months": "Kept for so many months"}

TABLES = (
    PersonalTable(
        "data_request",
        RIGHTS,
        "proof",
        (
            View("Your requests to correct or erase data", "person_id"),
            View("Requests of others about their data that you noted", "noted_by_id", "kind noted_at"),
        ),
        {"kind": "Kind", "received_on": "Received", "due_on": "To be answered by", "noted_at": "Noted"},
        people={"person_id": "you", "noted_by_id": "who noted it"},
        technical="id uuid",
    ),
    PersonalTable(
        "data_answer",
        RIGHTS,
        "proof",
        (
            View("Answers to your requests about data", "request_id person_id"),
            View("Answers you gave to others about their data", "answered_by_id", "outcome answered_at"),
        ),
        {"outcome": "Outcome", "answered_at": "Answered", "counts": "What was erased"},
        people={"answered_by_id": "who answered"},
        technical="request_id",
    ),
    PersonalTable(
        "legal_hold",
        RIGHTS,
        "proof",
        (
            # A reason may be an investigation: ``only`` leaves the text beside the row out.
            View(
                "Holds that keep your data from being erased (ask the force for the reason)",
                "person_id",
                "placed_at placed_by_id",
            ),
            View("Holds that you placed", "placed_by_id", "placed_at"),
        ),
        {"placed_at": "Placed"},
        people={"person_id": "you", "placed_by_id": "who placed it"},
        technical="id uuid unit_id class_key",
    ),
    PersonalTable(
        "legal_hold_end",
        RIGHTS,
        "proof",
        (
            View("Ends of holds on your data", "hold_id person_id", "lifted_at lifted_by_id"),
            View("Holds that you lifted", "lifted_by_id", "lifted_at"),
        ),
        {"lifted_at": "Lifted"},
        people={"lifted_by_id": "who lifted it"},
        technical="hold_id",
    ),
    PersonalTable(
        "retention_period",
        WORK,
        "proof",
        (View("Periods of retention that you set", "set_by_id"),),
        {**_COUNTS, "set_at": "Set"},
        people={"set_by_id": "who set it"},
        technical="id",
    ),
    PersonalTable(
        "disposal_request",
        WORK,
        "proof",
        (View("Disposals of old data that you asked for", "asked_by_id"),),
        {**_COUNTS, "through_on": "Of what began up to", "asked_at": "Asked"},
        people={"asked_by_id": "who asked for it"},
        technical="id uuid before_at rows held oldest_on",
    ),
    PersonalTable(
        "disposal_decision",
        WORK,
        "proof",
        (View("Disposals of old data that you decided", "decided_by_id"),),
        {"outcome": "Outcome", "decided_at": "Decided"},
        people={"decided_by_id": "who decided"},
        technical="request_id job_reference",
    ),
)
