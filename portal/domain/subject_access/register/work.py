"""Marks of the tables of authoring and directives, and the tables that say nothing about anybody."""

from functools import cache

from portal.domain.subject_access.register import events, learning, people, retention, sign_in
from portal.domain.subject_access.register.marks import WORK, PersonalTable, View
from portal.feature import insert_after, list_features, load_models

_DAY = {"recorded_at": "Recorded"}
_TITLE = {"title": "Title", "number": "Version", "published_at": "Published"}

_TABLES = (
    PersonalTable(
        "draft",
        WORK,
        "record",
        (View("Drafts you opened", "opened_by_id"),),
        {"module_key": "Of", "opened_at": "Opened", "ended_at": "Ended", "ended_as": "How it ended"},
        people={"opened_by_id": "who opened it"},
        technical="id base_version_id base_guide_version_id",
    ),
    PersonalTable(
        "draft_save",
        WORK,
        "record",
        (View("Changes to drafts that you saved", "saved_by_id"),),
        {"saved_at": "Saved", "summary": "What"},
        people={"saved_by_id": "who saved it"},
        by_others="summary",
        technical="id draft_id number base_version_id base_guide_version_id files",
    ),
    PersonalTable(
        "draft_presence",
        WORK,
        "current",
        (View("Drafts you have open", "person_id"),),
        {"place": "Part", "since": "Since", "seen_at": "Last seen"},
        people={"person_id": "you"},
        technical="id draft_id",
    ),
    PersonalTable(
        "review",
        WORK,
        "record",
        (
            View("Drafts you sent for review", "sent_by_id", "sent_at note"),
            View("Reviews you ended", "ended_by_id", "ended_at ended_as reason"),
        ),
        {
            "sent_at": "Sent",
            "note": "Your note",
            "ended_at": "Ended",
            "ended_as": "Outcome",
            "reason": "Your reason",
        },
        people={"sent_by_id": "the author", "ended_by_id": "the reviewer"},
        technical="id draft_id save_id",
    ),
    PersonalTable(
        "review_comment",
        WORK,
        "record",
        (View("Comments you wrote in reviews", "said_by_id"),),
        {"place": "Part", "text": "Comment", "said_at": "When"},
        people={"said_by_id": "the reviewer"},
        technical="id review_id",
    ),
    PersonalTable(
        "scheduled_publication",
        WORK,
        "record",
        (View("Publications you approved", "approved_by_id"),),
        {"publish_at": "To be published", "approved_at": "Approved", "ended_as": "Outcome"},
        people={"approved_by_id": "the publisher"},
        technical="id review_id ended_at reason",
    ),
    PersonalTable(
        "module_version",
        WORK,
        "record",
        (View("Versions of modules you published", "published_by_id"),),
        _TITLE,
        people={"published_by_id": "the publisher"},
        technical="id recorded_at activity_id digest aim owner review_on minutes mastery_score outcomes draw "
        "at_least_per_outcome attempts wait_minutes pause_after pause_hours test_out pre_test practice "
        "duty_paths job_aid_title job_aid_html briefing_title briefing_html sources_version_id",
    ),
    PersonalTable(
        "guide_version",
        WORK,
        "record",
        (View("Versions of guides you published", "published_by_id"),),
        _TITLE,
        people={"published_by_id": "the publisher"},
        technical="id recorded_at activity_id digest summary owner review_on acknowledge html words",
    ),
    PersonalTable(
        "module_archiving",
        WORK,
        "record",
        (View("Modules you archived", "decided_by_id"),),
        {"activity_id": "Module", "archived_on": "Day", **_DAY},
        people={"decided_by_id": "who decided"},
        technical="id replaces_id void successor_id",
    ),
    PersonalTable(
        "minimum_version",
        WORK,
        "record",
        (View("Modules you asked people to pass again", "decided_by_id"),),
        {"activity_id": "Module", "announced_on": "Announced", "from_on": "From", **_DAY},
        people={"decided_by_id": "who decided"},
        technical="id replaces_id void module_version_id",
    ),
    PersonalTable(
        "directive_version",
        WORK,
        "record",
        (View("Directives you own", "owner_id"),),
        {"title": "Title", "number": "Version", "effective_on": "In force from", **_DAY},
        people={"owner_id": "the owner"},
        technical="id replaces_id void directive_id withdrawn source wording target notice_days due_fixed_on "
        "due_days_after_joining validity_months yearly_on minimum_gap_months expiring_days audience",
    ),
)
_ROOMS = (people, sign_in, learning, events, retention)


@cache
def personal_tables() -> dict[str, PersonalTable]:
    """Every table with personal data, of the core and of every feature, on or off: its rows stay."""
    load_models()
    tables = [*(table for room in _ROOMS for table in room.TABLES), *_TABLES]
    additions = [
        row for each in list_features() if each.personal_data for row in each.load(each.personal_data)
    ]
    return {table.name: table for table in insert_after(tables, additions, lambda table: table.name)}


NOT_PERSONAL = {  # tables without a person, each with what they hold instead
    "activity": "modules and guides by their keys",
    "directive": "directives by their references",
    "disposal_certificate": "numbers of rows that a disposal removed",
    "disposal_slice": "numbers of rows that a step of a disposal removed",
    "draft_content": "texts of training in drafts",
    "guide_file": "files of guides",
    "item": "questions",
    "lesson": "lessons",
    "link_check": "whether links in lessons work",
    "package_file": "files of modules",
    "reminder_rule": "when a directive reminds",
    "reminder_run": "days on which reminders were planned, with counts",
    "requirement": "what a directive requires",
    "shared_version": "sources, glossary and the force’s details",
    "spent_challenge": "fingerprints of random numbers, for minutes",
    "spent_logout_token": "fingerprints of messages of the provider, for minutes",
    "stamp": "instants of transactions",
    "stamp_ahead": "the instant of a transaction to come",
    "status_count": "numbers of people",
    "status_count_snapshot": "days for which there are such numbers",
    "status_group": "ranks, roles and reasons that numbers are of",
    "unit": "units by their numbers",
    "unit_state": "names of units",
    **{name: holds for feature in list_features() for name, holds in feature.not_personal.items()},
}
