"""Which tests run on the second database too: all but those named here, in one case or in every case.

What ``make test`` leaves out on PostgreSQL it runs on SQLite, sweeps run on both: docs/decisions/tests.md.
"""

from collections import Counter

import pytest

# Forms and previews; what they ask and write is tried on both by tests/pages/authoring/test_drafts.py,
# test_bring_in.py, test_at_once.py and by the pages below.
ON_SQLITE_ALONE = {
    "tests/pages/authoring/test_case_lessons.py",
    "tests/pages/authoring/test_forged_forms.py",
    "tests/pages/authoring/test_items_live.py",
    "tests/pages/authoring/test_items_two_authors.py",
    "tests/pages/authoring/test_pages_two_authors.py",
    "tests/domain/authoring/findings/test_messages.py",
    "tests/pages/authoring/test_unchanged_forms.py",
    # What workers ask is tried on both by test_workers.py, test_events.py and test_collecting.py beside them.
    "tests/features/webhooks/test_documented.py",
    "tests/features/webhooks/test_sending.py",
    "tests/features/webhooks/test_signing.py",
    "tests/features/webhooks/test_views.py",
    "tests/features/webhooks/test_commands.py",
    # What reads files asks no database.
    "tests/hostile/test_drawings.py",
    "tests/hostile/test_exercise_archives.py",
    "tests/hostile/test_isolation.py",
    "tests/hostile/test_names_in_documents.py",
    "tests/hostile/test_spreadsheets.py",
    "tests/hostile/test_workbooks.py",
    "tests/pages/layout/item_kinds/test_at_the_desk.py",
    "tests/pages/layout/item_kinds/test_editors.py",
    # What providers send is read before a database is asked; test_users.py, test_groups.py and
    # test_filters.py beside them ask both.
    "tests/features/scim/test_same_as_roster.py",
    "tests/features/scim/test_any_body.py",
    "tests/features/scim/test_conformance.py",
    "tests/features/scim/test_known_deviations.py",
}
# Where each case asks statements of its own. Elsewhere, of a test with several cases the first runs on
# PostgreSQL in `make test`: the others are words and refusals of the same statements, and run in sweeps.
EVERY_CASE_ON_POSTGRESQL = (
    "tests/domain/facts/",
    "tests/domain/people/visibility/",
    "tests/domain/status/",
    "tests/migrations/",
    "tests/pages/access/test_matrix.py",
    "tests/pages/monitoring/test_report.py",
    "tests/pages/monitoring/test_shapes.py",
)
# Who may do what is decided before a database is asked; whom one sees is asked, for managers in every way.
OF_EACH_ON_POSTGRESQL = {"tests/pages/access/test_matrix.py": ("manager",)}

# How many tests of a file run on PostgreSQL in `make test`, by the longest of these that its path begins
# with; its others do in sweeps. A view and a command write no statement: what they ask is asked on both
# databases by the tests of the domain. Those that count, sort or search have more. What two do at once, each
# database keeps apart in its own way.
ALL = 1_000
FIRST_TESTS_ON_POSTGRESQL = {
    "tests/": ALL,
    "tests/commands/": 4,
    "tests/commands/test_upgrade.py": 3,
    **dict.fromkeys((f"tests/platform/backups/test_{name}.py" for name in ("making", "set_up", "status")), 1),
    "tests/deploy/": 1,  # it reads every figure
    "tests/features/watched_folder/test_importing.py": 3,  # every state, a file that comes again, and mails
    "tests/domain/reminders/": 4,
    "tests/domain/retention/": 6,  # every store of every class, leavers, and the trigger of the trail
    "tests/domain/retention/test_due_rows.py": 1,
    "tests/features/": 2,
    "tests/features/scim/": 4,
    "tests/hostile/": 4,
    "tests/hostile/test_guessing_over_processes.py": ALL,
    "tests/hostile/test_provisioning_at_once.py": ALL,
    "tests/pages/": 1,
    **{f"tests/pages/{room}/": 2 for room in ("grants", "sign_in")},
    **{f"tests/pages/{room}/": 4 for room in ("api", "audit", "imports", "people", "reminders")},
    **{f"tests/pages/{room}/": ALL for room in ("access", "monitoring", "records")},
    **{f"tests/pages/{room}/test_at_once.py": ALL for room in ("assessment", "authoring", "decisions")},
    "tests/pages/authoring/test_drafts.py": ALL,
    "tests/features/exercises/test_anonymity.py": ALL,  # each database keeps rows in its own order
    **{f"tests/pages/imports/test_{name}.py": 1 for name in ("applied_file", "kept_rows", "ready_profiles")},
    "tests/pages/sign_in/test_link_requests.py": ALL,
    # All that their other tests ask is asked elsewhere: a run that noted every statement lost none
    # without them.
    **dict.fromkeys(
        (
            "tests/commands/test_item_exchange.py",
            "tests/commands/test_modules.py",
            "tests/domain/catalogue/test_rendering.py",
            "tests/domain/people/roster/test_plan.py",
            "tests/hostile/test_forwarded_addresses.py",
            "tests/hostile/test_secrets_after_a_lapse.py",
            "tests/pages/account/test_roles.py",
            "tests/pages/api/test_description.py",
            "tests/pages/api/test_files.py",
            "tests/pages/assessment/test_pause.py",
            "tests/pages/authoring/test_pass_again.py",
            "tests/pages/catalogue/test_views.py",
            "tests/pages/decisions/test_two_roles.py",
            "tests/pages/directives/test_issue_job.py",
            "tests/pages/directives/test_preview.py",
            "tests/pages/directives/test_scope.py",
            "tests/pages/grants/test_review.py",
            "tests/pages/imports/test_sheets.py",
            "tests/pages/layout/test_release_guard.py",
            "tests/pages/learning/test_cases.py",
            "tests/pages/learning/test_waiting.py",
            "tests/pages/monitoring/test_any_viewer.py",
            "tests/pages/monitoring/test_bad_input.py",
            "tests/pages/monitoring/test_busy_files.py",
            "tests/pages/monitoring/test_columns.py",
            "tests/pages/monitoring/test_job_notice.py",
            "tests/pages/monitoring/test_limits.py",
            "tests/pages/monitoring/test_packs.py",
            "tests/pages/people/test_access_log.py",
            "tests/pages/people/test_views.py",
            "tests/features/saml/test_saml_attacks.py",
            "tests/features/saml/test_saml_views.py",
            "tests/pages/sign_in/test_oidc_views.py",
        ),
        0,
    ),
    **dict.fromkeys(
        (
            "tests/commands/test_records.py",
            "tests/pages/api/test_reading.py",
            "tests/pages/grants/test_proposed.py",
            "tests/pages/monitoring/test_briefing.py",
            "tests/pages/monitoring/test_kept_totals.py",
            "tests/pages/monitoring/test_non_interference.py",
            "tests/pages/people/test_lesson_reached.py",
            "tests/pages/people/test_printed_invitations.py",
            "tests/pages/people/test_sessions.py",
            "tests/pages/people/test_subject_access.py",
            "tests/pages/records/test_documents.py",
            "tests/pages/reminders/test_views.py",
        ),
        1,
    ),
    **dict.fromkeys(
        (
            "tests/pages/api/test_conditional.py",
            "tests/pages/people/test_invitation_scope.py",
            "tests/pages/people/test_timeline.py",
            "tests/pages/records/test_views.py",
            "tests/features/scim/test_users.py",
        ),
        2,
    ),
    **dict.fromkeys(
        (
            "tests/pages/monitoring/test_position.py",
            "tests/pages/monitoring/test_sight.py",
        ),
        4,
    ),
}


def needed(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests to run, and those that would only show on PostgreSQL what they show without it.

    Among the first are those for sweeps alone: they are marked so.
    """
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    met: set[str] = set()
    asking: Counter[str] = Counter()  # tests of each file
    for item in items:
        test, _, case = item.nodeid.partition("[")
        file = test.partition("::")[0]
        if item.get_closest_marker("postgresql") is None or "postgresql" not in case:  # of one database alone
            kept.append(item)
            continue
        is_further_case = test in met
        met.add(test)
        if is_further_case and not test.startswith(EVERY_CASE_ON_POSTGRESQL):
            item.add_marker("sweep")
        asking[file] += not is_further_case and item.get_closest_marker("sweep") is None
        if asking[file] > count_on_postgresql(file):
            item.add_marker("sweep")
        (left if _says_no_more(item) else kept).append(item)
    return kept, left


def count_on_postgresql(file: str) -> int:
    """How many tests of this file run on PostgreSQL in ``make test``.

    >>> count_on_postgresql("tests/pages/decisions/test_desk.py")
    1
    """
    return FIRST_TESTS_ON_POSTGRESQL[max(filter(file.startswith, FIRST_TESTS_ON_POSTGRESQL), key=len)]


def _says_no_more(item: pytest.Item) -> bool:
    file, _, test = item.nodeid.partition("::")
    case = test.partition("[")[2]
    if file in OF_EACH_ON_POSTGRESQL:
        return "-" in case and not case.rstrip("]").endswith(OF_EACH_ON_POSTGRESQL[file])
    return file in ON_SQLITE_ALONE
