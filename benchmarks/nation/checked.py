"""That the copies are what the portal would have made: people replayed from facts, and totals from facts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select

from benchmarks.nation.cluster import connected
from config import Config
from portal.app import create_app
from portal.domain.directives.applies import RuleHistory
from portal.domain.people.models import Person
from portal.domain.status import tasks
from portal.domain.status.models import OPEN_KNOWN
from portal.domain.status.projection_rows import PERIOD_COLUMNS, flatten_row
from portal.domain.status.projector import load_facts, replay_facts
from portal.platform.db import db, transaction

PEOPLE = 250


@contextmanager
def _application(instance: Path, url: str) -> Iterator[None]:
    app = create_app(Config(mode="demo", instance=instance, database_url=url))
    with app.app_context():
        try:
            yield
        finally:
            db.session.rollback()
            db.engine.dispose()


def put_right(instance: Path, url: str) -> None:
    """Let the portal count its kept sums anew, as ``directives reconcile`` does."""
    with _application(instance, url), transaction():
        tasks.check_counts(True)


def kept(instance: Path, url: str) -> list[str]:
    """What the portal says of kept sums that are not what the spans make."""
    with _application(instance, url):
        return tasks.check_counts(False)


def replayed(instance: Path, url: str, people: int = PEOPLE) -> list[int]:
    """Those of so many people drawn at random whose spans are not what their facts make, stamp by stamp."""
    with _application(instance, url):
        drawn = Random(43).sample(list(db.session.scalars(select(Person.id))), people)
        history = RuleHistory()
        facts = load_facts(drawn, history)
        wanted = {
            person: [flatten_row(person, row, {}) for row in replay_facts(facts[person], history)]
            for person in drawn
        }
    held: dict[int, list[Any]] = {person: [] for person in drawn}
    with connected(url) as connection:
        for row in connection.execute(
            f"SELECT {', '.join(PERIOD_COLUMNS)} FROM status_period WHERE person_id = ANY(%s)", (drawn,)
        ):
            held[row[0]].append(row)
    return [person for person in drawn if sorted(held[person], key=_key) != sorted(wanted[person], key=_key)]


def _key(row: tuple[int | None, ...]) -> list[int]:
    return [-1 if value is None else value for value in row]


def _known(alias: str, table: str) -> str:
    return f"NOT {alias}.void AND NOT EXISTS (SELECT FROM {table} n WHERE n.replaces_id = {alias}.id)"


# The directive of the fictional force asks for modules whose completion never lapses.
FACTS = f"""
WITH excluded AS (
  SELECT e.person_id, e.directive_id, max(e.due_on) AS due_on,
    bool_or(e.exempt AND e.to_on >= %(day)s) AS exempt,
    bool_or(NOT e.exempt AND e.to_on >= %(day)s) AS deferred
  FROM exclusion e WHERE e.from_on <= %(day)s AND {_known("e", "exclusion")} GROUP BY 1, 2),
held AS (
  SELECT DISTINCT r.person_id, r.activity_id FROM record r
  WHERE r.achieved_on <= %(day)s AND {_known("r", "record")} AND NOT EXISTS (
    SELECT FROM revocation k
    WHERE k.record_id = r.id AND k.from_on <= %(day)s AND {_known("k", "revocation")})),
begun AS (
  SELECT DISTINCT g.person_id, g.activity_id FROM registration g
  WHERE g.started_on <= %(day)s AND {_known("g", "registration")})
SELECT CASE WHEN x.exempt THEN 8 WHEN x.deferred THEN 7 WHEN held.person_id IS NOT NULL THEN 6
    WHEN %(day)s > greatest(a.due_on, x.due_on) THEN 1
    WHEN begun.person_id IS NOT NULL THEN 4 ELSE 3 END AS status,
  count(*)
FROM assignment a
JOIN directive_version v ON v.id = a.directive_version_id
  AND v.yearly_on IS NULL AND v.validity_months IS NULL
JOIN requirement q ON q.directive_version_id = v.id
LEFT JOIN excluded x ON x.person_id = a.person_id AND x.directive_id = a.directive_id
LEFT JOIN held ON held.person_id = a.person_id AND held.activity_id = q.activity_id
LEFT JOIN begun ON begun.person_id = a.person_id AND begun.activity_id = q.activity_id
WHERE a.from_on <= %(day)s AND a.to_on >= %(day)s AND {_known("a", "assignment")}
GROUP BY 1 ORDER BY 1"""

SPANS = """
SELECT status, count(*) FROM status_period
WHERE position > 0 AND from_on <= %(day)s AND to_on >= %(day)s AND known_to = %(open)s
GROUP BY 1 ORDER BY 1"""


def totals(url: str, day: date) -> tuple[dict[int, int], dict[int, int]]:
    """Assigned requirements by status on ``day``, counted from spans and, without them, from facts."""
    with connected(url) as connection:
        spans = connection.execute(SPANS, {"day": day.toordinal(), "open": OPEN_KNOWN}).fetchall()
        facts = connection.execute(FACTS, {"day": day}).fetchall()
    return dict(spans), dict(facts)
