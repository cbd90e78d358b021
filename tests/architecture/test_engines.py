"""What runs on one database alone is named by files that exist, and never by what asks a database most."""

from pathlib import Path
from types import SimpleNamespace

from tests import engines

ROOT = Path(__file__).resolve().parents[2]
NAMED = engines.ON_SQLITE_ALONE | engines.ONCE_ON_POSTGRESQL | set(engines.OF_EACH_ON_POSTGRESQL)
ON_BOTH = ("facts", "imports", "monitoring", "operations", "people", "records", "reminders", "standing")


def test_what_is_named_exists_and_is_named_once():
    assert [name for name in sorted(NAMED) if not (ROOT / name).is_file()] == []
    assert not engines.ON_SQLITE_ALONE & engines.ONCE_ON_POSTGRESQL


def test_queries_facts_and_reports_run_on_both():
    assert [name for name in sorted(NAMED) if name.split("/")[1] in ON_BOTH] == []


def collected(engine: str, *tests: str) -> list:
    """Stands for tests as they are collected for an engine."""
    marked = {"postgresql": object()} if engine == "postgresql" else {}
    return [SimpleNamespace(nodeid=t.format(engine), get_closest_marker=marked.get) for t in tests]


def test_a_second_database_takes_nothing_from_the_first_and_keeps_a_case_of_each_page():
    forms, page, matrix = (
        "tests/kinds/test_editors.py",
        "tests/jobs/test_pages.py",
        "tests/access/test_matrix.py",
    )
    tests = [f"{forms}::t[{{}}-a]", f"{page}::t[{{}}-a]", f"{page}::t[{{}}-b]", f"{page}::u[{{}}]"]
    tests += [f"{matrix}::t[{{}}-nobody]", f"{matrix}::t[{{}}-manager]", f"{matrix}::every[{{}}]"]
    tests += ["tests/standing/test_lines.py::t[{}-a]", "tests/standing/test_lines.py::t[{}-b]"]

    kept, left = engines.needed(collected("sqlite", *tests) + collected("postgresql", *tests))

    assert [item.nodeid for item in kept[: len(tests)]] == [t.format("sqlite") for t in tests]
    assert [item.nodeid for item in left] == [tests[n].format("postgresql") for n in (0, 2, 4)]
