"""That the nation which is measured is as the portal would have made it, by a small one."""

from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from benchmarks.nation import checked, copies
from tests.running import command, fresh_database, settings

FORCES = 4

pytestmark = [pytest.mark.postgresql, pytest.mark.sweep]


@pytest.fixture
def nation(postgresql: str, force_template: str, tmp_path: Path) -> tuple[Path, str]:
    """An instance folder and the address of a database with four forces of twenty people."""
    url = fresh_database(postgresql, "nation", force_template)
    copies.copy(url, FORCES)
    return tmp_path, url


def _count(url: str, what: str) -> int:
    with closing(psycopg.connect(url)) as connection:
        row = connection.execute(f"SELECT count(*) FROM {what}").fetchone()
    assert row
    return int(row[0])


def test_copies_are_whole_and_what_their_facts_make(nation, postgresql, force_template):
    folder, url = nation
    one = f"{postgresql.rpartition('/')[0]}/{force_template}"
    for table in copies.TABLES:
        assert _count(url, table) == FORCES * _count(one, table)
    assert _count(url, "unit_state WHERE parent_id IS NULL") == FORCES
    assert _count(url, "status_period") > 0

    drawn = min(checked.PEOPLE, _count(url, "person"))
    assert checked.replayed(folder, url, drawn) == []
    for day in (date.today(), date.today() - timedelta(days=180)):
        spans, facts = checked.totals(url, day)
        assert spans
        assert spans == facts


def test_a_spoilt_copy_is_seen(nation):
    folder, url = nation
    with closing(psycopg.connect(url)) as connection:
        connection.execute(
            "UPDATE status_period SET status = 6 WHERE id = (SELECT max(id) FROM status_period"
            " WHERE position > 0 AND status = 1 AND known_to = 9223372036854775807)"
        )
        connection.commit()

    assert len(checked.replayed(folder, url, _count(url, "person"))) == 1


def test_kept_sums_of_the_copies_are_counted_by_the_portal(nation):
    folder, url = nation
    assert checked.kept(folder, url)

    checked.put_right(folder, url)

    assert checked.kept(folder, url) == []
    done = command(settings(folder, database_url=url), "directives", "reconcile", "--rebuild")
    assert done.stdout.endswith("0 differences.\n")


def test_facts_stay_protected(nation):
    _, url = nation
    with (
        closing(psycopg.connect(url)) as connection,
        pytest.raises(psycopg.errors.RaiseException),
    ):
        connection.execute("UPDATE record SET void = true WHERE id = (SELECT max(id) FROM record)")
