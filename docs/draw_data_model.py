"""Writes docs/data-model.md from the models: a diagram and a list of tables for each room.

Run by ``make data-model``; a test compares the file with the models.
"""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import JSON, Boolean, Column, Date, Integer, LargeBinary, Numeric, Table, Uuid

from migrations.append_only import FACT_TABLES
from portal.app import TABLES
from portal.feature import list_features
from portal.platform import db as platform_db
from portal.platform.db import Base, UtcDateTime

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).with_name("data-model.md")
HEAD = """\
# Data model

<!-- Written by `make data-model` from the models. Change a model, then run it again. -->

Every table of the database, by the room that owns it (a room is a folder of `portal/domain/`,
`portal/platform/` or `portal/features/`, with its tables in `models.py`, or one file). What the
words mean is in the [glossary](glossary.md).

**Facts** are append-only: triggers refuse update, delete and truncate. A row of a table with
`replaces_id` corrects the row that it names; with `void` it takes that row away. Facts name people
by an opaque id alone. Everything else is an ordinary row.

In the diagrams PK is a primary key, FK a foreign key, and `null` a column that may be empty. Tables
without columns belong to another room. Days of `status_period`, `status_count` and
`status_count_snapshot` are whole numbers (`date.toordinal()`), instants of `status_period` are
microseconds since 1970 in UTC.
"""
TYPES = (
    (UtcDateTime, "instant"),
    (Date, "date"),
    (Boolean, "boolean"),
    (Integer, "integer"),  # and its wider kind
    (Numeric, "decimal"),
    (Uuid, "uuid"),
    (JSON, "json"),
    (LargeBinary, "bytes"),
)


def _list_feature_models() -> list[str]:
    return [feature.load(feature.models).__name__ for feature in list_features() if feature.models]


def rooms() -> dict[str, list[tuple[Table, str]]]:
    """The tables of each room with the first line of their models' docstrings, in order of loading."""
    order = [platform_db.__name__, *(models.__name__ for models in TABLES), *_list_feature_models()]
    models = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    listed = [table for table in Base.metadata.sorted_tables if table in models]
    return {
        module.removesuffix(".models"): [
            (table, (models[table].__doc__ or "").splitlines()[0])
            for table in listed
            if models[table].__module__ == module
        ]
        for module in order
    }


def type_name(column: Column[object]) -> str:
    """The kind of value of a column, in one word."""
    return next((word for kind, word in TYPES if isinstance(column.type, kind)), "text")


def entity(table: Table) -> Iterator[str]:
    """A table and its columns, as Mermaid draws them."""
    yield f"    {table.name} {{"
    for column in table.columns:
        keys = [word for word, is_so in (("PK", column.primary_key), ("FK", column.foreign_keys)) if is_so]
        notes = [", ".join(keys), '"null"' if column.nullable else ""]
        yield " ".join(filter(None, [f"        {type_name(column)} {column.name}", *notes]))
    yield "    }"


def relations(table: Table) -> Iterator[str]:
    """A line for each foreign key: how many rows of the table have one row of the other."""
    for column in table.columns:
        for key in column.foreign_keys:
            one = "||" if not column.nullable else "o|"
            many = "|o" if column.unique or list(table.primary_key) == [column] else "}o"
            yield f"    {table.name} {many}--{one} {key.column.table.name} : {column.name}"


def draw() -> str:
    """The whole page."""
    parts = [HEAD]
    for module, tables in rooms().items():
        if not tables:
            continue
        place = module.replace(".", "/")
        is_folder = not (ROOT / f"{place}.py").exists()  # a pull may leave the folder of a former room
        parts += [f"## {module.rsplit('.', 1)[1]}", "", f"`{place}{'/' if is_folder else '.py'}`", ""]
        parts += ["| Table | Fact | One row is |", "| --- | --- | --- |"]
        parts += [
            f"| `{table.name}` | {'fact' if table.name in FACT_TABLES else ''} | {meaning} |"
            for table, meaning in tables
        ]
        parts += ["", "```mermaid", "erDiagram"]
        parts += [line for table, _ in tables for line in entity(table)]
        parts += [line for table, _ in tables for line in relations(table)]
        parts += ["```", ""]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(draw(), encoding="utf-8")
