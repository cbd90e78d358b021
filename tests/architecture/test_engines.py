"""What runs on one database alone is named by files that exist, and never by what asks a database most."""

from pathlib import Path
from types import SimpleNamespace

from tests import engines

ROOT = Path(__file__).resolve().parents[2]
NAMED = engines.ON_SQLITE_ALONE | set(engines.OF_EACH_ON_POSTGRESQL)
STATUS = ("tests/domain/facts/", "tests/domain/status/")
ROOMS = ("imports", "monitoring", "people", "records", "reminders", "reports")
ON_BOTH = (*STATUS, *(f"tests/{storey}/{room}/" for storey in ("domain", "pages") for room in ROOMS))


def test_what_is_named_exists_and_is_named_once():
    assert [name for name in sorted(NAMED) if not (ROOT / name).is_file()] == []
    on_both = [*engines.EVERY_CASE_ON_POSTGRESQL, *engines.FIRST_TESTS_ON_POSTGRESQL]
    assert [name for name in on_both if not (ROOT / name).exists()] == []


def test_queries_facts_and_reports_run_on_both():
    assert [name for name in sorted(NAMED) if name.startswith(ON_BOTH)] == []
    assert set(STATUS) <= set(engines.EVERY_CASE_ON_POSTGRESQL)
    whole = (*STATUS, "tests/domain/imports/", "tests/pages/access/", "tests/pages/monitoring/")
    assert {engines.count_on_postgresql(f"{name}test_any.py") for name in whole} == {engines.ALL}


def collected(engine: str, *tests: str) -> list:
    """Stands for tests as they are collected for an engine."""
    found = []
    for test in tests:
        marked = {"postgresql": True} if engine == "postgresql" else {}
        marks = {
            "get_closest_marker": marked.get,
            "add_marker": lambda name, marked=marked: marked.update({name: True}),
        }
        found.append(SimpleNamespace(nodeid=test.format(engine), **marks))
    return found


def test_a_second_database_takes_nothing_from_the_first_and_leaves_out_what_says_no_more():
    forms, matrix = "tests/pages/layout/item_kinds/test_editors.py", "tests/pages/access/test_matrix.py"
    status = "tests/domain/status/test_projector.py"
    tests = [f"{forms}::t[{{}}-a]", f"{matrix}::t[{{}}-nobody]", f"{matrix}::t[{{}}-manager]"]
    tests += [f"{matrix}::every[{{}}]", f"{status}::t[{{}}-a]", f"{status}::t[{{}}-b]"]

    kept, left = engines.needed(collected("sqlite", *tests) + collected("postgresql", *tests))

    assert [item.nodeid for item in kept[: len(tests)]] == [t.format("sqlite") for t in tests]
    assert [item.nodeid for item in left] == [tests[n].format("postgresql") for n in (0, 1)]
    assert not any(item.get_closest_marker("sweep") for item in kept)


def test_of_a_test_with_several_cases_the_others_run_in_sweeps():
    file = "tests/commands/test_units.py"
    tests = [f"{file}::t[{{}}-a]", f"{file}::t[{{}}-b]", f"{file}::u[{{}}-a]"]
    of_postgresql_alone = [f"{file}::v[a]", f"{file}::v[b]"]

    kept, left = engines.needed(
        collected("sqlite", *tests) + collected("postgresql", *tests, *of_postgresql_alone)
    )

    assert left == []
    in_sweeps = [item.nodeid for item in kept if item.get_closest_marker("sweep")]
    assert in_sweeps == [f"{file}::t[postgresql-b]"]


def test_of_a_page_the_first_tests_run_on_postgresql_and_the_others_in_sweeps():
    page, report = "tests/pages/grants/test_list.py", "tests/pages/monitoring/test_report.py"
    tests = [f"{file}::t{number}[{{}}]" for file in (page, report) for number in range(3)]

    kept, left = engines.needed(collected("sqlite", *tests) + collected("postgresql", *tests))

    assert left == []
    in_sweeps = [item.nodeid for item in kept if item.get_closest_marker("sweep")]
    assert in_sweeps == [f"{page}::t2[postgresql]"]
