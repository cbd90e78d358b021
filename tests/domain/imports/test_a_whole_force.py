"""A force of 15,000 comes in by one file, and the same file again changes nothing."""

from time import process_time

import pytest
from sqlalchemy import func, select

from portal.domain.people.models import Post
from portal.platform.db import Stamp, db
from tests.domain.imports.rosters import row, run, write_csv

PEOPLE, TEAMS = 15_000, 100
MOST_SECONDS = 40  # of the processor, both times together: five on an idle machine


@pytest.mark.sweep
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_fifteen_thousand_rows_twice_are_once(app, database, tmp_path):
    rows = [
        row(
            f"F{number:05}",
            email=f"f{number:05}@westshire.example",
            unit_path=f"Westshire Police/Area {number % 7}/Team {number % TEAMS}",
            line_manager_staff_number=f"F{number % TEAMS:05}" if number >= TEAMS else "",
        )
        for number in range(PEOPLE)
    ]
    file, begun = write_csv(tmp_path / "roster.csv", rows), process_time()

    first = run(app, "people", "import", file)
    counts = _count_rows()
    second = run(app, "people", "import", file)

    assert process_time() - begun < MOST_SECONDS
    assert (first.exit_code, second.exit_code) == (0, 0), first.stderr + second.stderr
    assert f"New people: {PEOPLE}\nNew posts: {PEOPLE}\n" in first.stdout
    assert counts[0] == PEOPLE
    assert "Nothing to do." in second.stdout
    assert _count_rows() == counts


def _count_rows() -> tuple[int, int]:
    """How many posts there are, and how many transactions recorded facts."""
    posts, stamps = (db.session.scalar(select(func.count()).select_from(t)) or 0 for t in (Post, Stamp))
    return posts, stamps
