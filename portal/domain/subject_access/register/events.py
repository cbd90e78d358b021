"""Marks of the tables of event types and of attendance records."""

from portal.domain.subject_access.register.marks import LEARNING, WORK, PersonalTable, View

_YOU = {"person_id": "you"}
_RECORDED = {"recorded_at": "Recorded"}
_TAKEN_BACK = {"void": "Taken back by a correction"}

_ATTENDANCE = (
    PersonalTable(
        "attendance_record",
        LEARNING,
        "record",
        (
            View("Events that you attended", "record_id person_id"),
            View("Attendance of others that you signed off", "signed_off_by_id", "event_reference"),
        ),
        {"record_id": "Record", "event_reference": "Event"},
        people={"signed_off_by_id": "who signed it off"},
        technical="event_type_version_id",
    ),
)
_EVENTS = (
    PersonalTable(
        "event_type_version",
        WORK,
        "record",
        (View("Versions of event types you published", "published_by_id"),),
        {"title": "Title", "number": "Version", "published_at": "Published"},
        people={"published_by_id": "the publisher"},
        technical="id recorded_at activity_id digest content aim audience owner review_on minutes "
        "syndicate_least syndicate_most places_least places_most facilitators approval preparation",
    ),
)
TABLES = (*_ATTENDANCE, *_EVENTS)
