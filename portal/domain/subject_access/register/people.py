"""Marks of the tables of people, posts, roles and connected systems."""

from portal.domain.subject_access.register.marks import (
    ABOUT_OTHERS,
    ROLES,
    ROSTER,
    SAME,
    SYSTEMS,
    UNSAFE,
    PersonalTable,
    View,
)

FACT = "id replaces_id"
_FROM_TO = {"valid_from": "First day", "valid_to": "Last day"}

TABLES = (
    PersonalTable(
        "person",
        ROSTER,
        "record",
        (View("You in the portal", "id"),),
        {"id": "Your number in the database", "recorded_at": "First recorded"},
    ),
    PersonalTable(
        "person_name",
        ROSTER,
        "name",
        (View("Your name and contact details", "person_id"),),
        {
            "staff_number": "Staff number",
            "surname": "Surname",
            "forenames": "Forenames",
            "email": "Work email address",
        },
        people={"person_id": "you"},
        withheld={"folded": SAME},
    ),
    PersonalTable(
        "identifier",
        ROSTER,
        "name",
        (View("Your numbers in other systems", "person_id"),),
        {"scheme": "Kind of number", "value": "Number"},
        people={"person_id": "you"},
        technical="id",
    ),
    PersonalTable(
        "post",
        ROSTER,
        "record",
        (
            View("Your posts", "person_id"),
            View(
                "Posts of people whose line manager you are or were", "line_manager_id", "valid_from valid_to"
            ),
        ),
        {
            "rank_or_grade": "Rank or grade",
            "designated_role": "Designated role",
            "unit_id": "Unit",
            "post_key": "Key of a further post",
            **_FROM_TO,
            "void": "Taken back by a correction",
            "recorded_at": "Recorded",
        },
        people={"person_id": "you", "line_manager_id": "your line manager"},
        technical=FACT,
    ),
    PersonalTable(
        "fact_note",
        ROSTER,
        "texts",
        (),  # beside the row that a text belongs to
        {"text": "Text", "kind": "Kind of text"},
        by_others="text",
        technical="id fact_table fact_id",
    ),
    PersonalTable(
        "role_grant",
        ROLES,
        "record",
        (
            View("Your roles", "person_id"),
            View("Roles you gave to others", "given_by_id", "role given_at"),
            View("Roles of others that you ended", "ended_by_id", "role ended_at"),
        ),
        {
            "role": "Role",
            "unit_id": "Unit",
            **_FROM_TO,
            "given_at": "Given",
            "ended_at": "Ended",
        },
        people={"person_id": "you", "given_by_id": "an administrator", "ended_by_id": "an administrator"},
        technical="id",
    ),
    PersonalTable(
        "access_token",
        SYSTEMS,
        "record",
        (
            View("Access tokens you made for other systems", "created_by_id", "name created_at"),
            View("Access tokens you ended", "revoked_by_id", "name revoked_at"),
        ),
        {"name": "Name of the token", "created_at": "Made", "revoked_at": "Ended"},
        people={"created_by_id": "an administrator", "revoked_by_id": "an administrator"},
        technical="id reference token_hash scope unit_id directive_reference expires_at suspended_at "
        "last_used_at last_address",
    ),
    PersonalTable(
        "import_run",
        SYSTEMS,
        "imports",
        (
            View("Files you loaded", "began_by_id", "kind file_name began_at ended_as rows"),
            View("Loads of files that you ended", "ended_by_id", "kind file_name ended_at ended_as"),
        ),
        {
            "kind": "Kind of file",
            "file_name": "Name of the file",
            "began_at": "Loaded",
            "rows": "Rows",
            "ended_at": "Ended",
            "ended_as": "How it ended",
        },
        people={"began_by_id": "who loaded it", "ended_by_id": "who ended it"},
        withheld={"report": ABOUT_OTHERS},
        technical="id shape sha256 size columns profile digest checked_at bad_rows job_id numbers stamp "
        "from_folder",
    ),
    PersonalTable(
        "import_content",
        SYSTEMS,
        "file",
        (),
        {},
        withheld={"content": ABOUT_OTHERS},
        technical="run_id",
    ),
    PersonalTable(
        "import_profile",
        SYSTEMS,
        "record",
        (View("Ways to read a file that you saved", "saved_by_id"),),
        {"name": "Name", "saved_at": "Saved"},
        people={"saved_by_id": "who saved it"},
        technical="id kind columns",
    ),
    PersonalTable(
        "kept_row",
        SYSTEMS,
        "kept",
        (
            View("Completions that wait until you are on the roster", "@identifier"),
            View("Such completions of others that you erased", "ended_by_id", "profile ended_at ended_as"),
        ),
        {
            "profile": "From files of",
            "kept_at": "Kept",
            "scheme": "Kind of number",
            "identifier": "Number in the file",
            "content": "What the file says",
            "ended_at": "Ended",
            "ended_as": "How it ended",
        },
        people={"ended_by_id": "who erased it"},
        withheld={"mark": UNSAFE},
        by_others="content",
        technical="id",
    ),
)
