"""What runs on one database alone is named by files that exist, and never by what asks a database most."""

from pathlib import Path
from types import SimpleNamespace

from tests import engines

ROOT = Path(__file__).resolve().parents[2]
NAMED = engines.ON_SQLITE_ALONE | engines.ONCE_ON_POSTGRESQL | set(engines.OF_EACH_ON_POSTGRESQL)
FIRST_CASES = {name.partition("::")[0] for name in engines.FIRST_CASE_ON_POSTGRESQL}
STATUS = ("tests/domain/facts/", "tests/domain/status/")
ROOMS = ("imports", "monitoring", "people", "records", "reminders", "reports")
ON_BOTH = (*STATUS, *(f"tests/{storey}/{room}/" for storey in ("domain", "pages") for room in ROOMS))


def test_what_is_named_exists_and_is_named_once():
    assert [name for name in sorted(NAMED | FIRST_CASES) if not (ROOT / name).is_file()] == []
    assert not engines.ON_SQLITE_ALONE & engines.ONCE_ON_POSTGRESQL
    assert not FIRST_CASES & NAMED


def test_queries_facts_and_reports_run_on_both():
    assert [name for name in sorted(NAMED) if name.startswith(ON_BOTH)] == []
    assert [name for name in sorted(FIRST_CASES) if name.startswith(STATUS)] == []


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


def test_a_second_database_takes_nothing_from_the_first_and_keeps_a_case_of_each_page():
    forms, page, matrix = (
        "tests/pages/layout/item_kinds/test_editors.py",
        "tests/pages/jobs/test_views.py",
        "tests/pages/access/test_matrix.py",
    )
    tests = [f"{forms}::t[{{}}-a]", f"{page}::t[{{}}-a]", f"{page}::t[{{}}-b]", f"{page}::u[{{}}]"]
    tests += [f"{matrix}::t[{{}}-nobody]", f"{matrix}::t[{{}}-manager]", f"{matrix}::every[{{}}]"]
    tests += [
        "tests/domain/status/test_projector.py::t[{}-a]",
        "tests/domain/status/test_projector.py::t[{}-b]",
    ]

    kept, left = engines.needed(collected("sqlite", *tests) + collected("postgresql", *tests))

    assert [item.nodeid for item in kept[: len(tests)]] == [t.format("sqlite") for t in tests]
    assert [item.nodeid for item in left] == [tests[n].format("postgresql") for n in (0, 2, 4)]


def test_what_asks_one_statement_runs_in_one_case_and_in_sweeps_in_each():
    file = "tests/commands/test_units.py"
    tests = [f"{file}::t[{{}}-a]", f"{file}::t[{{}}-b]", f"{file}::u[{{}}-a]"]

    kept, left = engines.needed(collected("sqlite", *tests) + collected("postgresql", *tests))

    assert left == []
    in_sweeps = [item.nodeid for item in kept if item.get_closest_marker("sweep")]
    assert in_sweeps == [f"{file}::t[postgresql-b]"]
