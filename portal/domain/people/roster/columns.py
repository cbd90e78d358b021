"""The columns of a roster in the portal's own format: one row for each post."""

from portal.platform.tables.file_columns import FileColumn, name_columns

COLUMNS = (
    FileColumn(
        "staff_number",
        "The person’s number in the force. One number is one person.",
        "up to 50 characters, without “/”",
        ("W4001", "W1001", "W1002", "W1002", "W1001"),
    ),
    FileColumn("surname", "Surname.", "up to 200 characters", ("Ghosh", "Shah", "Rees", "Rees", "Shah")),
    FileColumn("forenames", "Forenames.", "up to 200 characters", ("Neil", "Priya", "Owen", "Owen", "Priya")),
    FileColumn(
        "email",
        "Address for links and reminders. Empty takes the person’s address away.",
        "an email address",
        (
            "neil.ghosh@westshire.example",
            "priya.shah@westshire.example",
            "",
            "",
            "priya.shah@westshire.example",
        ),
        filled=False,
    ),
    FileColumn(
        "rank_or_grade",
        "Rank or grade in this post.",
        "up to 200 characters",
        ("Inspector", "Constable", "Constable", "Constable", "Constable"),
    ),
    FileColumn(
        "designated_role",
        "What the person does in this post. Directives select people by it.",
        "up to 200 characters, as directives name it",
        ("supervisor", "response", "response", "contact", "instructor"),
    ),
    FileColumn(
        "unit_path",
        "Where the post is. Units that are new are made.",
        "names from the force down, joined by “/”; a “/” within a name is “//”",
        (
            "Westshire Police/Response",
            "Westshire Police/Response/Team A",
            "Westshire Police/Response/Team A",
            "Westshire Police/Contact",
            "Westshire Police/Learning and Development",
        ),
    ),
    FileColumn(
        "line_manager_staff_number",
        "Who the line manager is. Empty: nobody.",
        "a staff number in the portal or in this file",
        ("", "W4001", "W4001", "W4001", ""),
        filled=False,
    ),
    FileColumn(
        "valid_from",
        "First day of the post.",
        "YYYY-MM-DD, from 1900 on",
        ("2024-01-01", "2025-09-01", "2024-01-01", "2026-03-01", "2026-01-05"),
    ),
    FileColumn(
        "valid_to",
        "Last day of the post. Empty: it has no end.",
        "YYYY-MM-DD",
        ("", "", "2026-02-28", "", ""),
        filled=False,
    ),
    FileColumn(
        "post_key",
        "Names a second post that somebody has at the same time. Empty: the first.",
        "up to 100 characters, the same in each file",
        ("", "", "", "", "instructor"),
        required=False,
    ),
    FileColumn(
        "withdraw",
        "“yes” withdraws a post that never existed; of that row only the staff number, valid_from and "
        "post_key count.",
        "yes, no, or empty",
        ("", "", "no", "", ""),
        required=False,
    ),
)
REQUIRED_COLUMNS = name_columns(COLUMNS, required=True)
OPTIONAL_COLUMNS = name_columns(COLUMNS, required=False)
FILLED_COLUMNS = tuple(  # but the first day, whose faults are said together
    column.name for column in COLUMNS if column.required and column.filled and column.name != "valid_from"
)
