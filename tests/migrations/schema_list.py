"""The schema of a database as a list that one can read, the same for both databases where they agree."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Inspector, inspect, text, types

KINDS = (  # the first that fits
    (types.Boolean, "yes or no"),
    (types.Integer, "number"),
    (types.Numeric, "decimal"),
    (types.Uuid, "uuid"),
    (types.DateTime, "instant"),
    (types.Date, "day"),
    (types.JSON, "json"),
    (types.LargeBinary, "bytes"),
    (types.CHAR, "uuid"),  # as SQLite keeps one
    (types.String, "words"),
)
TRIGGERS = {
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger' ORDER BY 2",
    "postgresql": "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 2",
}
FUNCTIONS = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
APPEND_ONLY = {
    "sqlite": ("{}_no_delete", "{}_no_update"),
    "postgresql": ("{}_append_only", "{}_no_truncate"),
}
WITHOUT_ONE = (
    "alembic_version",
    "search_words",
)  # made by a library; SQLite's index of words, in many tables


def list_schema(engine: Engine) -> list[str]:
    """Tables, in the order of the alphabet, each with its columns, constraints, indexes and triggers."""
    database = engine.dialect.name
    made = inspect(engine)
    with engine.connect() as connection:
        all_triggers = [(table, name) for table, name in connection.execute(text(TRIGGERS[database]))]
        functions = connection.scalars(text(FUNCTIONS)).all() if database == "postgresql" else []
    lines = []
    for table in sorted(made.get_table_names()):
        if not table.startswith(WITHOUT_ONE):
            triggers = [name for owner, name in all_triggers if owner == table]
            lines += [f"{table}: {line}" for line in _describe_table(made, table, triggers)]
    return [*lines, *(f"function {name}" for name in functions)]


def read_list(file: Path, database: str) -> list[str]:
    """The lines of a kept list that hold for this kind of database; some begin with its name in brackets."""
    lines = file.read_text(encoding="utf-8").splitlines()
    mark = f"({database}) "
    return [line.removeprefix(mark) for line in lines if line.startswith(mark) or not line.startswith("(")]


def _describe_table(made: Inspector, table: str, triggers: list[str]) -> Iterator[str]:
    database = made.engine.dialect.name
    yield f"columns {', '.join(_describe_column(column) for column in made.get_columns(table))}"
    key = made.get_pk_constraint(table)
    yield f"{key['name']} ({', '.join(key['constrained_columns'])})"
    for reference in _by_name(made.get_foreign_keys(table)):
        columns, targets = (", ".join(reference[f"{end}_columns"]) for end in ("constrained", "referred"))
        name = reference["name"] or "a reference"
        yield f"{name} ({columns}) -> {reference['referred_table']} ({targets})"
    for constraint in _by_name(made.get_unique_constraints(table)):
        yield f"{constraint['name']} ({', '.join(constraint['column_names'])})"
    for check in _by_name(made.get_check_constraints(table)):
        yield f"{check['name']}: {check['sqltext']}"
    for index in _by_name(made.get_indexes(table)):
        if not index.get("duplicates_constraint"):
            yield _describe_index(index, database)
    if triggers == [name.format(table) for name in APPEND_ONLY[database]]:
        yield "append-only"
    elif triggers:
        yield f"triggers {', '.join(triggers)}"


def _by_name(parts: Iterable[Any]) -> list[Any]:
    """In order; SQLAlchemy reads no name of a reference that came to a table of SQLite with its column."""
    return sorted(parts, key=lambda part: part["name"] or "")


def _describe_column(column: Any) -> str:
    held = column["type"]
    kind = next(name for base, name in KINDS if isinstance(held, base))
    if isinstance(held, types.Numeric):
        kind += f"({held.precision}, {held.scale})"
    default = column["default"]
    remarks = " or null" if column["nullable"] else ""
    if default is not None and not default.startswith("nextval"):
        remarks += " with a default"
    return f"{column['name']} {kind}{remarks}"


def _describe_index(index: Any, database: str) -> str:
    columns = ", ".join(name or "an expression" for name in index["column_names"])
    where = index.get("dialect_options", {}).get(f"{database}_where")
    unique = "unique " if index["unique"] else ""
    return f"{unique}{index['name']} ({columns}){f' where {where}' if where is not None else ''}"
