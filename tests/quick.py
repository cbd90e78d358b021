"""Which tests say enough for ``make check``: ``pytest --quick``.

Of a file whose tests ask a database, the first three tests, each in one case, show whether a change broke its
subject; ``make test`` runs the others too, so a file begins with what matters most.
Tests without a database are quick in all their cases, but for those of a few files that read much. What takes
long is marked ``slow``, one test at a time; of some files the first test is run.
"""

import shutil
from collections import Counter

import pytest

from tests.times import FAST, find_group

TESTS_OF_A_FILE = 3  # that ask a database
# They need a program that `make test` installs, and `make check` may not.
WITH_XMLSEC = ("tests/features/saml/",)
# Each of their tests starts several processes that read its files, which takes about a second.
FIRST_TEST_ALONE = {"tests/pages/imports/test_views.py"}
# Each case reads and checks a whole module of the portal's, or a workbook.
FIRST_CASE_ALONE = {
    "tests/domain/catalogue/test_guessing.py",
    "tests/domain/content_checks/test_figure_checks.py",
    "tests/domain/content_checks/test_item_checks.py",
    "tests/domain/content_checks/test_module_checks.py",
    "tests/hostile/test_workbooks.py",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take ``--quick``."""
    parser.addoption("--quick", action="store_true", help="of each test that asks a database, run one case")


@pytest.hookimpl(trylast=True)  # of what the marks have left
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the further cases."""
    if not config.getoption("--quick"):
        return
    items[:], left = share_out(items)
    if shutil.which("xmlsec1") is None:
        left += [item for item in items if item.nodeid.startswith(WITH_XMLSEC)]
        items[:] = [item for item in items if not item.nodeid.startswith(WITH_XMLSEC)]
    config.hook.pytest_deselected(items=left)


def share_out(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests to run and those to leave out, each in their order."""
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    met: set[str] = set()
    asking: Counter[str] = Counter()  # tests of each file that ask a database
    for item in items:
        test = item.nodeid.partition("[")[0]
        file = test.partition("::")[0]
        if file in FIRST_TEST_ALONE:
            test = file
        asks = find_group(item) != FAST
        asking[file] += asks and test not in met
        is_further_case = test in met and (asks or file in FIRST_CASE_ALONE)
        is_beyond = asks and asking[file] > TESTS_OF_A_FILE
        (left if is_further_case or is_beyond else kept).append(item)
        met.add(test)
    return kept, left
