"""Marks of the tables of returns."""

from itertools import pairwise

from portal.domain.subject_access.register.marks import WORK, PersonalTable, View
from portal.domain.subject_access.register.people import FACT

_RECORDED = {"recorded_at": "Recorded"}
_RECORDER = {"recorded_by_id": "who recorded it"}

_TABLES = (
    PersonalTable(
        "own_return",
        WORK,
        "record",
        (View("Returns that you made", "made_by_id"),),
        {"period": "Period", "number": "Number", **_RECORDED},
        people={"made_by_id": "who made it"},
        technical=f"{FACT} void content digest",
    ),
    PersonalTable(
        "comparison",
        WORK,
        "record",
        (View("Comparisons of forces that you loaded", "received_by_id"),),
        {"period": "Period", **_RECORDED},
        people={"received_by_id": "who loaded it"},
        technical=f"{FACT} void content digest",
    ),
    PersonalTable(
        "force_details",
        WORK,
        "record",
        (View("Forces that you registered", "recorded_by_id"),),
        {"name": "Force", "from_on": "From", **_RECORDED},
        people=_RECORDER,
        technical=f"{FACT} void force_id headcount",
    ),
    PersonalTable(
        "force_key",
        WORK,
        "record",
        (View("Public keys of forces that you registered", "recorded_by_id"),),
        {"fingerprint": "Fingerprint", "from_on": "From", **_RECORDED},
        people=_RECORDER,
        technical=f"{FACT} void force_id public_key",
    ),
    PersonalTable(
        "return_period",
        WORK,
        "record",
        (View("Periods for which you asked for returns", "recorded_by_id"),),
        {"period": "Period", "due_on": "Due", **_RECORDED},
        people=_RECORDER,
        technical=f"{FACT} void",
    ),
    PersonalTable(
        "force_return",
        WORK,
        "record",
        (View("Returns of forces that you loaded", "received_by_id"),),
        {"period": "Period", "number": "Number", "received_on": "Received", **_RECORDED},
        people={"received_by_id": "who loaded it"},
        technical=f"{FACT} void force_id content digest key_id",
    ),
)
TABLES = (
    ("dip_sample", _TABLES[0]),
    *((before.name, table) for before, table in pairwise(_TABLES)),
)
