"""Which tests need no second database: everything runs on both that is not named here.

Queries, triggers, stamps, imports, standing and reports are never named. What is named asks both databases
the same whatever its case is: forms, their words and their refusals.
"""

import pytest

# Forms and previews; what they ask and write is tried on both by tests/authoring/test_drafts.py,
# test_merging.py, test_at_once.py and by the pages below.
ON_SQLITE_ALONE = {
    "tests/authoring/test_forged_forms.py",
    "tests/authoring/test_items_live.py",
    "tests/authoring/test_items_two_authors.py",
    "tests/authoring/test_pages_two_authors.py",
    "tests/authoring/test_rows_named.py",
    "tests/authoring/test_unchanged_forms.py",
    # What reads files asks no database.
    "tests/hostile/test_drawings.py",
    "tests/hostile/test_isolation.py",
    "tests/hostile/test_names_in_documents.py",
    "tests/hostile/test_spreadsheets.py",
    "tests/hostile/test_workbooks.py",
    "tests/kinds/test_at_the_desk.py",
    "tests/kinds/test_editors.py",
}
# Each of their tests runs on PostgreSQL, in one of its cases.
ONCE_ON_POSTGRESQL = {
    "tests/accounts/test_weak_passwords.py",
    "tests/assessment/test_kinds_on_pages.py",
    "tests/authoring/test_guide_drafts.py",
    "tests/authoring/test_items_pages.py",
    "tests/authoring/test_pages_desk.py",
    "tests/authoring/test_pages_details.py",
    "tests/authoring/test_pages_history.py",
    "tests/authoring/test_pages_lessons.py",
    "tests/catalogue/test_pages.py",
    "tests/directives/test_form.py",
    "tests/hostile/test_choice_keys.py",
    "tests/hostile/test_unknown_filters.py",
    "tests/jobs/test_pages.py",
    "tests/units/test_units_pages.py",
}
# Who may do what is decided before a database is asked; whom one sees is asked, for these three in every way.
OF_EACH_ON_POSTGRESQL = {"tests/access/test_matrix.py": ("manager", "author", "administrator")}


def needed(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests to run, and those that would only show on PostgreSQL what they show without it."""
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    met: set[tuple[str, str]] = set()
    for item in items:
        on_postgresql = item.get_closest_marker("postgresql") is not None
        (left if on_postgresql and _says_no_more(item, met) else kept).append(item)
    return kept, left


def _says_no_more(item: pytest.Item, met: set[tuple[str, str]]) -> bool:
    file, _, test = item.nodeid.partition("::")
    name, _, case = test.partition("[")
    if file in OF_EACH_ON_POSTGRESQL:
        return "-" in case and not case.rstrip("]").endswith(OF_EACH_ON_POSTGRESQL[file])
    again = (file, name) in met
    met.add((file, name))
    return file in ON_SQLITE_ALONE or (file in ONCE_ON_POSTGRESQL and again)
