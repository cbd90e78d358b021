"""How long the tests took by group: ``pytest --times``, as ``make check`` and ``make test`` run it.

The times of all workers are added up: with two of them, about half as much time has passed. Below them are
the figures that tests recorded with ``record_property(FIGURE, …)``.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

FAST, SQLITE, POSTGRESQL, BROWSER = "fast", "database", "PostgreSQL", "browser"
GROUPS = (FAST, SQLITE, POSTGRESQL, BROWSER)
FIGURE = "figure"  # of the code, to be shown at the end
# Fixtures that bring a database of their own with them; on PostgreSQL the test is marked so.
WITH_A_DATABASE = {"app", "migrated", "serving", "small_force"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take ``--times``."""
    parser.addoption("--times", action="store_true", help="show at the end how long each group of tests took")


def pytest_configure(config: pytest.Config) -> None:
    """Add up the reports, in the process that shows the result."""
    if config.getoption("--times"):
        config.pluginmanager.register(Times(), "times-by-group")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Send with each report which group its test belongs to: a worker alone knows the fixtures."""
    for item in items:
        item.user_properties.append(("group", find_group(item)))


def find_group(item: pytest.Item) -> str:
    """The group of a test, by its marks and by the fixtures that it needs."""
    if item.get_closest_marker("browser"):
        return BROWSER
    if item.get_closest_marker("postgresql"):
        return POSTGRESQL
    return SQLITE if WITH_A_DATABASE & set(getattr(item, "fixturenames", ())) else FAST


class Times:
    """Sums of seconds and numbers of tests, by group, and the figures that tests recorded."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.tests: Counter[str] = Counter()
        self.figures: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one part of one test: its set-up, its call or its end."""
        properties = dict(report.user_properties)
        self.seconds[properties["group"]] += report.duration
        self.tests[properties["group"]] += report.when == "setup"
        if report.when == "call" and FIGURE in properties:
            self.figures.append(properties[FIGURE])

    def lines(self) -> Iterator[str]:
        """A line for each group, in a fixed order, and one for each figure.

        >>> list(Times().lines())[0]
        'fast: 0 tests, 0 s'
        """
        for group in GROUPS:
            yield f"{group}: {self.tests[group]:,} tests, {self.seconds[group]:,.0f} s"
        yield from self.figures

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the lines below the result."""
        terminalreporter.write_sep("-", "time by group, all workers added up")
        for line in self.lines():
            terminalreporter.write_line(line)
