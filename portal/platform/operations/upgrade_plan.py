"""What an upgrade of the database would do: its migrations, whether they need a stop, and about how long.

Each file in ``migrations/versions`` says so itself: the first paragraph of its docstring is the sentence for
operators, ``needs_stop`` is true where a server of the release before would fail or write what is wrong
afterwards, and ``seconds_per_million_rows`` has for each kind of database the tables that it reads or writes
whole, with the rate that was measured, on two processors that were busy with other work.
"""

from dataclasses import dataclass

from alembic.script import Script
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, inspect, text

from portal.platform.errors import RuleError
from portal.platform.operations import readiness
from portal.platform.wording import plural

SECONDS_EACH = 0.05  # that a migration takes on an empty database
LEAST_SAID = 5  # seconds: less is not worth an estimate


@dataclass(frozen=True, slots=True)
class PlannedMigration:
    """One migration that an upgrade would run.

    Attributes:
        sentence: What it does, for operators.
        needs_stop: Whether servers and workers must be stopped while it runs.
        rows: How many rows it goes through, by table.
        seconds: How long it will take, estimated from these.
    """

    revision: str
    sentence: str
    needs_stop: bool
    rows: dict[str, int]
    seconds: float


def plan_upgrade(connection: Connection, target: str) -> list[PlannedMigration]:
    """The migrations from what the database has to ``target``, in the order in which they run.

    Args:
        connection: To the database.
        target: A revision, or ``head``.

    Raises:
        RuleError: The database is of a newer release, or there is no such way up.
    """
    current = readiness.revisions_of(connection)
    known = readiness.known_revisions()
    if unknown := current - known:
        raise RuleError(readiness.newer_release_words(unknown))
    if target not in {"head", *known}:
        raise RuleError(f"This release has no migration {target}.")
    try:
        steps = list(readiness.migration_scripts().iterate_revisions(target, tuple(current) or "base"))
    except RevisionError as error:
        raise RuleError(
            f"The database is at {', '.join(sorted(current))}, beyond {target}: going back is to restore a"
            " backup, see docs/operating/upgrade.md."
        ) from error
    tables = set(inspect(connection).get_table_names())
    counts: dict[str, int] = {}
    return [_plan_migration(script, connection, tables, counts) for script in reversed(steps)]


def _plan_migration(
    script: Script, connection: Connection, tables: set[str], counts: dict[str, int]
) -> PlannedMigration:
    all_rates: dict[str, dict[str, float]] = getattr(script.module, "seconds_per_million_rows", {})
    rates = all_rates.get(connection.dialect.name, {})
    rows = {}
    for table in tables.intersection(rates):
        if table not in counts:
            counts[table] = connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608 - ours
        rows[table] = counts[table]
    return PlannedMigration(
        revision=script.revision,
        sentence=" ".join(script.longdoc.partition("\n\n")[0].split()),
        needs_stop=getattr(script.module, "needs_stop", False),
        rows=rows,
        seconds=SECONDS_EACH + sum(count / 1_000_000 * rates[table] for table, count in rows.items()),
    )


def duration_words(seconds: float) -> str:
    """About how long, never more exact than an estimate is.

    >>> duration_words(3), duration_words(41.7), duration_words(200)
    ('less than 5 seconds', 'about 42 seconds', 'about 4 minutes')
    """
    if seconds < LEAST_SAID:
        return f"less than {LEAST_SAID} seconds"
    if seconds < 90:
        return f"about {plural(round(seconds), 'second')}"
    return f"about {plural(-int(-seconds // 60), 'minute')}"
