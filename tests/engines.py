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
# The same in `make test`: their cases are words and refusals of one statement. In sweeps each case runs.
FIRST_CASE_ON_POSTGRESQL = {
    "tests/access/test_bad_input.py::test_a_field_of_a_megabyte_is_refused_and_changes_nothing",
    "tests/accounts/test_administer.py",
    "tests/accounts/test_grant_rules.py",
    "tests/accounts/test_sign_in.py",
    "tests/accounts/test_throttle.py",
    "tests/authoring/test_bring_in.py",
    "tests/authoring/test_drafts.py",
    "tests/authoring/test_media.py",
    "tests/authoring/test_review.py",
    "tests/authoring/test_statistics.py",
    "tests/catalogue/test_media_kinds.py",
    "tests/catalogue/test_refusals.py",
    "tests/directives/test_commands.py",
    "tests/documents/test_documents.py",
    "tests/guides/test_guides.py",
    "tests/imports/test_pages.py",
    "tests/imports/test_records_command.py",
    "tests/imports/test_roster_command.py",
    "tests/imports/test_strange_files.py",
    "tests/imports/test_wide.py",
    "tests/monitoring/test_bad_input.py",
    "tests/monitoring/test_changes_page.py",
    "tests/operations/test_health.py",
    "tests/people/test_grants.py",
    "tests/people/test_units_command.py",
    "tests/records/test_pages.py",
    "tests/reminders/test_links.py",
}
# Who may do what is decided before a database is asked; whom one sees is asked, for managers in every way.
OF_EACH_ON_POSTGRESQL = {"tests/access/test_matrix.py": ("manager",)}


def needed(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests to run, and those that would only show on PostgreSQL what they show without it.

    Among the first are those for sweeps alone: they are marked so.
    """
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    met: set[str] = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        if item.get_closest_marker("postgresql") is None:
            kept.append(item)
            continue
        again = test in met
        met.add(test)
        if again and _is_named(test, FIRST_CASE_ON_POSTGRESQL):
            item.add_marker("sweep")
        (left if _says_no_more(item, again) else kept).append(item)
    return kept, left


def _is_named(test: str, names: set[str]) -> bool:
    return test in names or test.partition("::")[0] in names


def _says_no_more(item: pytest.Item, again: bool) -> bool:
    file, _, test = item.nodeid.partition("::")
    case = test.partition("[")[2]
    if file in OF_EACH_ON_POSTGRESQL:
        return "-" in case and not case.rstrip("]").endswith(OF_EACH_ON_POSTGRESQL[file])
    return file in ON_SQLITE_ALONE or (file in ONCE_ON_POSTGRESQL and again)
