"""Which tests need no second database: everything runs on both that is not named here.

Queries, triggers, stamps, imports, standing and reports are never named. What is named asks both databases
the same whatever its case is: forms, their words and their refusals.
"""

import pytest

# Forms and previews; what they ask and write is tried on both by tests/pages/authoring/test_drafts.py,
# test_merging.py, test_at_once.py and by the pages below.
ON_SQLITE_ALONE = {
    "tests/pages/authoring/test_forged_forms.py",
    "tests/pages/authoring/test_items_live.py",
    "tests/pages/authoring/test_items_two_authors.py",
    "tests/pages/authoring/test_pages_two_authors.py",
    "tests/domain/authoring/findings/test_messages.py",
    "tests/pages/authoring/test_unchanged_forms.py",
    # What reads files asks no database.
    "tests/hostile/test_drawings.py",
    "tests/hostile/test_isolation.py",
    "tests/hostile/test_names_in_documents.py",
    "tests/hostile/test_spreadsheets.py",
    "tests/hostile/test_workbooks.py",
    "tests/pages/layout/item_kinds/test_at_the_desk.py",
    "tests/pages/layout/item_kinds/test_editors.py",
}
# Each of their tests runs on PostgreSQL, in one of its cases.
ONCE_ON_POSTGRESQL = {
    "tests/domain/accounts/passwords/test_strength.py",
    "tests/pages/assessment/test_kinds_on_pages.py",
    "tests/pages/authoring/test_guide_drafts.py",
    "tests/pages/authoring/test_items_pages.py",
    "tests/pages/authoring/test_pages_desk.py",
    "tests/pages/authoring/test_pages_details.py",
    "tests/pages/authoring/test_pages_history.py",
    "tests/pages/authoring/test_pages_lessons.py",
    "tests/pages/catalogue/test_views.py",
    "tests/pages/directives/test_form.py",
    "tests/hostile/test_choice_keys.py",
    "tests/hostile/test_unknown_filters.py",
    "tests/pages/jobs/test_views.py",
    "tests/pages/units/test_views.py",
}
# The same in `make test`: their cases are words and refusals of one statement. In sweeps each case runs.
FIRST_CASE_ON_POSTGRESQL = {
    "tests/pages/access/test_bad_input.py::test_a_field_of_a_megabyte_is_refused_and_changes_nothing",
    "tests/pages/people/test_account_views.py",
    "tests/domain/accounts/grants/test_authority.py",
    "tests/pages/account/test_sign_in.py::test_another_site_cannot_sign_anyone_in",
    "tests/pages/account/test_sign_in.py::test_next_comes_back_to_an_address_of_the_site",
    "tests/pages/account/test_sign_in.py::test_next_never_leaves_the_site",
    "tests/pages/authoring/test_bring_in.py",
    "tests/pages/authoring/test_drafts.py",
    "tests/pages/authoring/test_media.py",
    "tests/pages/authoring/test_review.py",
    "tests/domain/catalogue/test_media_kinds.py",
    "tests/domain/catalogue/test_refusals.py",
    "tests/commands/test_directives.py",
    "tests/platform/documents/test_documents.py",
    "tests/pages/guides/test_views.py::test_a_bad_guide_publishes_nothing",
    "tests/pages/imports/test_views.py",
    "tests/commands/test_records.py",
    "tests/commands/test_people.py",
    "tests/domain/imports/test_wide.py",
    "tests/pages/monitoring/test_bad_input.py",
    "tests/pages/monitoring/test_changes_page.py",
    "tests/pages/health/test_views.py",
    "tests/domain/people/test_grants.py",
    "tests/commands/test_units.py",
    "tests/domain/reminders/test_links.py",
}
# Who may do what is decided before a database is asked; whom one sees is asked, for managers in every way.
OF_EACH_ON_POSTGRESQL = {"tests/pages/access/test_matrix.py": ("manager",)}


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
