"""What an answer has in it: named fields, from which both its JSON and its schema are made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.domain.reports.completion.export_columns import Column, DayOrInstant
from portal.domain.status.rules import Status
from portal.platform import clock

SCHEMAS: dict[type, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    Decimal: {"type": "number"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    DayOrInstant: {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]},
    Status: {"type": "string", "enum": [status.key for status in Status]},
    dict: {"type": "object", "additionalProperties": {"type": "integer"}},  # counts by name
    object: {"type": "object"},  # as another standard has it
}


@dataclass(frozen=True, slots=True)
class Field:
    """One named value of a shape."""

    name: str
    meaning: str
    kind: type = str  # a key of SCHEMAS
    optional: bool = False  # whether it can be null
    items: "ObjectShape | None" = None  # of an array of objects; then ``kind`` says nothing
    source: str = ""  # the attribute, where its name differs

    def value_of(self, thing: Any) -> Any:
        """The value as JSON holds it: days and instants as text, scores as numbers."""
        name = self.source or self.name
        value = thing[name] if isinstance(thing, Mapping) else getattr(thing, name)
        if value is None:
            return None
        if self.items is not None:
            return [self.items.to_json(item) for item in value]
        return _WRITERS.get(self.kind, _as_it_is)(value)

    @property
    def schema(self) -> dict[str, Any]:
        """The value's JSON schema."""
        if self.items is not None:
            return {"type": "array", "description": self.meaning, "items": self.items.reference}
        schema = dict(SCHEMAS[self.kind])
        if self.optional:
            schema["type"] = [schema["type"], "null"]
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
        return {**schema, "description": self.meaning}


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """A kind of JSON object."""

    name: str  # of its schema
    fields: tuple[Field, ...]

    @classmethod
    def of_columns(cls, name: str, columns: Iterable[Column]) -> "ObjectShape":
        """The shape of a row of a file: a field for each column."""
        return cls(
            name,
            tuple(
                Field(c.header, c.meaning, c.kind, optional=c.optional, source=c.source_field)
                for c in columns
            ),
        )

    def to_json(self, thing: Any) -> dict[str, Any]:
        """The fields of a thing, by name."""
        return {field.name: field.value_of(thing) for field in self.fields}

    @property
    def reference(self) -> dict[str, str]:
        """The reference to its schema."""
        return {"$ref": f"#/components/schemas/{self.name}"}

    @property
    def schemas(self) -> dict[str, Any]:
        """Its schema and those of the shapes in it, by name."""
        own = {
            "type": "object",
            "properties": {field.name: field.schema for field in self.fields},
            "required": [field.name for field in self.fields],
            "additionalProperties": False,
        }
        inner = [field.items.schemas for field in self.fields if field.items is not None]
        return {self.name: own, **{name: one for part in inner for name, one in part.items()}}


def _as_it_is(value: Any) -> Any:
    return value


_WRITERS: dict[type, Any] = {
    date: lambda day: day if isinstance(day, str) else day.isoformat(),
    datetime: lambda at: at if isinstance(at, str) else clock.format_utc(at),
    DayOrInstant: clock.format_day_or_instant,
    Decimal: float,
    Status: lambda status: status.key,
}
