"""Compares the schema of a database, object by object, with the one that its migrations make.

Rows can be trusted only as far as the triggers and constraints that protected them: a backup whose schema
differs from that of its revision was changed by somebody else.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from portal.platform.engines import prepare_engine
from portal.platform.errors import RuleError
from portal.platform.operations.readiness import MIGRATIONS

Schema = dict[str, str]  # definition of each object, by its kind and name
MOST_SAID = 20
_SQLITE = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY 1"
# Of all schemas but PostgreSQL's own. Extensions belong to whoever runs the server.
_POSTGRESQL = """
WITH own AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg\\_%'
), relation AS (
    SELECT c.oid, c.relkind, own.nspname || '.' || c.relname AS name, c.relrowsecurity
    FROM pg_class c JOIN own ON own.oid = c.relnamespace
)
SELECT 'schema ' || nspname, '' FROM own
UNION ALL
    SELECT 'relation ' || name, concat_ws(' ', relkind, relrowsecurity) FROM relation WHERE relkind <> 'i'
UNION ALL SELECT 'view ' || name, pg_get_viewdef(oid) FROM relation WHERE relkind IN ('v', 'm')
UNION ALL SELECT 'index ' || name, pg_get_indexdef(oid) FROM relation WHERE relkind = 'i'
UNION ALL
    SELECT 'column ' || r.name || '.' || a.attname, concat_ws(
        ' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
        l.collname, pg_get_expr(d.adbin, d.adrelid)
    )
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    WHERE r.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
    SELECT 'constraint ' || r.name || '.' || k.conname,
        concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated)
    FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid
UNION ALL
    SELECT 'trigger ' || r.name || '.' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
UNION ALL
    SELECT 'rule ' || r.name || '.' || u.rulename, pg_get_ruledef(u.oid)
    FROM relation r JOIN pg_rewrite u ON u.ev_class = r.oid WHERE r.relkind NOT IN ('v', 'm')
UNION ALL
    SELECT 'function ' || p.oid::regprocedure, pg_get_functiondef(p.oid)
    FROM pg_proc p JOIN own ON own.oid = p.pronamespace WHERE p.prokind <> 'a'
UNION ALL
    SELECT 'event trigger ' || evtname, concat_ws(' ', evtfoid::regproc, evtenabled) FROM pg_event_trigger
"""


class ForeignSchemaError(RuleError):
    """The schema of a backup is not what the migrations of its revision make."""

    def __init__(self, differences: list[str]) -> None:
        more = len(differences) - MOST_SAID
        names = ", ".join(differences[:MOST_SAID]) + (f" and {more} more" if more > 0 else "")
        super().__init__(
            f"The backup was not made by this portal, or was changed since: {names}. Nothing was changed."
        )


@contextmanager
def open_engine(url: URL) -> Iterator[Engine]:
    """An engine for another database, set up like the portal's own, without a connection pool."""
    engine = create_engine(url, poolclass=NullPool)
    prepare_engine(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def upgrade_database(engine: Engine, revision: str, applied: Callable[..., None] | None = None) -> None:
    """Run the migrations up to a revision on this database; ``applied`` is alembic's callback after each."""
    config = Config(attributes={"engine": engine, "applied": applied})
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, revision)


def schema_of(engine: Engine) -> Schema:
    """Every table, column, index, constraint, trigger, view and function, with its text."""
    statement = _SQLITE if engine.dialect.name == "sqlite" else _POSTGRESQL
    with engine.connect() as connection:
        return {
            name: " ".join(str(definition).split())
            for name, definition in connection.execute(text(statement))
        }


def refuse_differences(actual: Schema, expected: Schema) -> None:
    """Refuse a backup whose schema differs from the one that the migrations of its revision make.

    Raises:
        ForeignSchemaError: An object is missing, added or different.
    """
    differences = [f"{name} is missing" for name in expected.keys() - actual.keys()]
    differences += [f"{name} is not the portal's" for name in actual.keys() - expected.keys()]
    differences += [
        f"{name} differs" for name in expected.keys() & actual.keys() if expected[name] != actual[name]
    ]
    if differences:
        raise ForeignSchemaError(sorted(differences, key=lambda text: (text.startswith("column"), text)))
