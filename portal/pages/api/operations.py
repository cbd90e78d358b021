"""Operations of the API: each is declared once, and both its route and its description are made from it."""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, request, stream_with_context
from flask.typing import ResponseReturnValue
from itsdangerous import BadData, URLSafeSerializer

from portal.domain.access_tokens import LiveToken, TokenScope
from portal.domain.people.queries import build_system_viewer, people_by_staff_number
from portal.domain.people.visibility import Viewer
from portal.domain.reports.completion_rows import Column, DayOrInstant
from portal.domain.reports.parameters import FIELDS, Position
from portal.domain.status.rules import Status
from portal.pages.api.rate_limits import count_file, count_request
from portal.pages.layout.bearer import accepts_token, current_token, log_token_read
from portal.pages.layout.report_position import parse_position_now
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ForbiddenError, NotFoundError, shorten_text
from portal.platform.permissions import TOKEN_READS, TOKEN_WRITES

# What an answer has in it: named fields, from which both its JSON and its schema are made.

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


# Cursors: where a list is read on, and at which position, so that new facts never shift its pages.
#
# A cursor is signed and bound to its list; it holds the position and the filters with which the list
# began, and the key of the last row. Nothing in it is about anybody who is not on that page.


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list."""

    arguments: dict[str, str]  # position and filters, as an address has them
    key: list[Any]  # of the last row read


def write_cursor(operation: str, cursor: Cursor) -> str:
    """The cursor as text for an address."""
    return str(_signer().dumps([operation, cursor.arguments, cursor.key]))


def read_cursor(operation: str, text: str) -> Cursor:
    """The cursor that was written for this operation."""
    try:
        written_for, arguments, key = _signer().loads(text)
    except (BadData, ValueError) as error:
        raise BadInputError(["cursor: this is none of the portal's. Begin again without it."]) from error
    if written_for != operation:
        raise BadInputError(["cursor: this is of another list. Begin again without it."])
    return Cursor(arguments, key)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="portal api cursor")


ROOT = "/api/v1"
USUAL_LIMIT, MOST_ROWS = 100, 1000
READERS, WRITERS = (TokenScope.READ, TokenScope.WRITE), (TokenScope.WRITE,)


# Of every answer at a position.
POSITION_FIELDS = (
    Field("as_at", "The day the answer speaks of.", date),
    Field("as_known_on", "The instant whose knowledge it uses.", datetime),
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of an address."""

    name: str
    meaning: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    place: str = "query"  # or "path"


POSITION = (
    Parameter(
        "as_at",
        "The day the answer speaks of, today or earlier. Default: today.",
        {"type": "string", "format": "date"},
    ),
    Parameter(
        "as_known_on",
        "The instant whose knowledge counts, ISO 8601 with its offset, or a day, which means its end. "
        "Default: everything known now.",
        {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]},
    ),
)
PAGING = (
    Parameter(
        "limit",
        f"How many entries a page has, up to {MOST_ROWS}; of completions, how many people.",
        {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": USUAL_LIMIT},
    ),
    Parameter(
        "cursor", "Reads on from a page: as its “next” has it, with no argument but “limit” beside it."
    ),
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request for an operation, read and checked."""

    token: LiveToken
    viewer: Viewer
    position: Position
    path: dict[str, str]
    arguments: dict[str, str]  # of the query: position and filters
    limit: int
    after: list[Any]  # the key to read on from; empty at the beginning


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation answers with."""

    things: Any  # a thing, or the things of a page
    next_key: list[Any] | None = None  # of a page: where to read on; None after the last
    status: int = 200
    location: str = ""
    subject_id: int | None = None  # the one person it is about


@dataclass(frozen=True, slots=True)
class FileReply:
    """A file with which an operation answers, written while it is sent."""

    pieces: Iterator[str]
    name: str  # under which it is saved
    people: Collection[int]  # everybody who has a row in it
    rows: int


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    name: str
    path: str  # below ROOT
    summary: str
    shape: ObjectShape  # of the answer, or of each entry of a page
    view: Callable[[Call], Reply | FileReply]
    method: str = "GET"
    scopes: tuple[TokenScope, ...] = READERS
    parameters: tuple[Parameter, ...] = ()
    at_position: bool = True
    paged: bool = False
    of_people: bool = True  # whether a token of one directive may not use it
    media_types: tuple[str, ...] = ()  # of the body
    file_type: str = ""  # media type of the answer, where it is a file instead of JSON
    statuses: tuple[int, ...] = (200,)  # of a good answer

    @property
    def all_parameters(self) -> tuple[Parameter, ...]:
        """Its own parameters, those of its path, of its position and of its pages."""
        path = [Parameter(name, _PATH_MEANINGS[name], place="path") for name in self.path_names]
        position = POSITION if self.at_position else ()
        return (*path, *self.parameters, *position, *(PAGING if self.paged else ()))

    @property
    def path_names(self) -> list[str]:
        """The names in its path."""
        return re.findall(r"<(?:uuid:)?(\w+)>", self.path)

    @property
    def shown_path(self) -> str:
        """Its path as people and OpenAPI write it."""
        return re.sub(r"<(?:uuid:)?(\w+)>", r"{\1}", self.path)

    @property
    def answer_shape(self) -> ObjectShape:
        """The shape of its whole answer: with the position that it speaks of."""
        if self.paged:
            following = Field("next", "The address of the next page; null on the last.", optional=True)
            entries = Field("items", "The entries.", items=self.shape)
            return ObjectShape(f"{self.shape.name}Page", (*POSITION_FIELDS, entries, following))
        if self.at_position:
            return ObjectShape(f"{self.shape.name}Answer", (*POSITION_FIELDS, *self.shape.fields))
        return self.shape


_PATH_MEANINGS = {
    "staff_number": "Staff number of the person.",
    "reference": "Reference of the directive or record.",
    "name": "Name of the file, as the list of files has it.",
    "import_id": "Id of the import, as the answer to its request has it.",
}


def add_operation(bp: Blueprint, operation: Operation) -> None:
    """Add the operation's route."""

    @accepts_token(*operation.scopes)
    def answer(**path: Any) -> ResponseReturnValue:
        count_request()
        call = _read_call(operation, {name: str(value) for name, value in path.items()})
        tag = _tag_of_now(operation, call)
        if tag and not request.if_none_match.star_tag and request.if_none_match.contains_weak(tag):
            return _with_tag(Response(status=304), tag, weak=True)
        if operation.file_type:
            count_file()
        reply = operation.view(call)
        if isinstance(reply, FileReply):
            return _send_file(operation, call, reply, tag)
        return _respond(operation, call, reply, tag)

    bp.add_url_rule(ROOT + operation.path, operation.name, answer, methods=[operation.method])


def _read_call(operation: Operation, path: dict[str, str]) -> Call:
    """The request's arguments, strictly.

    Raises:
        ForbiddenError: The token is of one directive, and the operation is about people or others.
    """
    token = current_token()
    _refuse_outside_directive(operation, token, path)
    _refuse_unknown_arguments(operation)
    named = {name: value for name, value in request.args.items() if value and name not in {"limit", "cursor"}}
    cursor = Cursor(named, [])
    if text := request.args.get("cursor", ""):
        cursor = read_cursor(operation.name, text)
        if named:
            raise BadInputError(["cursor: give no other argument beside it but limit."])
    position = parse_position_now(*(cursor.arguments.get(name, "") for name in FIELDS))
    permissions = TOKEN_WRITES if token.scope is TokenScope.WRITE else TOKEN_READS
    viewer = build_system_viewer(token.name, token.unit_id, permissions)
    return Call(token, viewer, position, path, cursor.arguments, _read_limit(), cursor.key)


def _refuse_unknown_arguments(operation: Operation) -> None:
    known = [parameter.name for parameter in operation.all_parameters if parameter.place == "query"]
    hint = f"Its arguments are {', '.join(known)}." if known else "It has none."
    faults = [
        f"{shorten_text(name)}: this is no argument of this address. {hint}"
        for name in request.args
        if name not in known
    ]
    faults += [f"{name}: give a value, or leave it out." for name in FIELDS if request.args.get(name) == ""]
    faults += _list_wrong_choices(operation)
    faults += [f"{name}: give it once." for name in known if len(request.args.getlist(name)) > 1]
    if faults:
        raise BadInputError(faults)


def _list_wrong_choices(operation: Operation) -> Iterator[str]:
    """A sentence for each argument that is none of the values which its description names."""
    for parameter in operation.all_parameters:
        choices, given = parameter.schema.get("enum"), request.args.get(parameter.name)
        if choices and given is not None and given not in choices:
            yield f"{parameter.name}: write {' or '.join(choices)}."


def _refuse_outside_directive(operation: Operation, token: LiveToken, path: dict[str, str]) -> None:
    if token.directive_reference is None:
        return
    if operation.of_people:
        raise ForbiddenError(
            f"This token is for the directive {token.directive_reference} alone: see {ROOT}/directives."
        )
    if path.get("reference", token.directive_reference) != token.directive_reference:
        raise NotFoundError("There is no such directive.")


def _read_limit() -> int:
    text = request.args.get("limit", str(USUAL_LIMIT))
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MOST_ROWS:
        raise BadInputError([f"limit: write a number from 1 to {MOST_ROWS}."])
    return int(text)


def _tag_of_now(operation: Operation, call: Call) -> str:
    """The tag of an answer that speaks of now, known before the answer is made; empty for any other.

    Facts, names, posts and units, and so what a token may see, change under a stamp alone, and what follows
    from them with the day. So the newest stamp and the day stand for everything that the answer has in it.
    """
    if not operation.at_position or "as_known_on" in call.arguments:
        return ""
    force, fields = cookies.current_settings().force_name, [field.name for field in operation.shape.fields]
    request_parts = [operation.name, call.path, call.arguments, call.limit, call.after, call.token.reference]
    position = [call.position.today.isoformat(), clock.format_utc(call.position.as_known_on)]
    parts = [*request_parts, *position, force, fields]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _with_tag(response: Response, tag: str, *, weak: bool) -> Response:
    response.headers["Cache-Control"] = "private, no-cache"  # may be kept, but is asked for each time
    response.set_etag(tag, weak=weak)
    return response


def _respond(operation: Operation, call: Call, answer: Reply, tag: str) -> Response:
    """The answer as JSON, or 304 if the caller has it already; what is sent is audited first.

    Args:
        operation: What was asked for.
        call: The request.
        answer: What it is answered with.
        tag: Of an answer that speaks of now; of others, empty, it follows from what they say.
    """
    body = (
        operation.shape.to_json(answer.things) if not operation.paged else _page_of(operation, call, answer)
    )
    if operation.at_position:
        body = {**call.position.pinned, **body}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    response = Response(f"{text}\n", answer.status, mimetype="application/json")
    if answer.location:
        response.headers["Location"] = answer.location
    if operation.method != "GET":
        return response
    _with_tag(response, tag or hashlib.sha256(text.encode()).hexdigest(), weak=bool(tag))
    response.make_conditional(request)
    if response.status_code == 200:
        _log_read(operation, call, answer)
    return response


def _send_file(operation: Operation, call: Call, file: FileReply, tag: str) -> Response:
    """The file, audited before its first row is sent."""
    with transaction():
        log_token_read(file.people, subject_id=None, **_audit_detail(operation, call, file.rows))
    response = Response(stream_with_context(file.pieces), mimetype=operation.file_type)
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    return _with_tag(response, tag, weak=True) if tag else response


def _page_of(operation: Operation, call: Call, answer: Reply) -> dict[str, Any]:
    next_address = None
    if answer.next_key is not None:
        began_with = {**call.arguments, **call.position.pinned}
        cursor = write_cursor(operation.name, Cursor(began_with, answer.next_key))
        arguments = urlencode({"limit": call.limit, "cursor": cursor})
        next_address = f"{cookies.current_settings().address}{request.path}?{arguments}"
    items = [operation.shape.to_json(thing) for thing in answer.things]
    return {"items": items, "next": next_address}


def _log_read(operation: Operation, call: Call, answer: Reply) -> None:
    """Record what was read, and whose data it was, before it is sent."""
    things = answer.things if operation.paged else [answer.things]
    people = people_by_staff_number({n for thing in things if (n := getattr(thing, "staff_number", ""))})
    with transaction():
        log_token_read(people, subject_id=answer.subject_id, **_audit_detail(operation, call, len(things)))


def _audit_detail(operation: Operation, call: Call, rows: int) -> dict[str, Any]:
    filters = sorted(set(call.arguments) - set(FIELDS))  # names alone: the trail has no free text
    return {"operation": operation.name, "rows": rows, "filters": filters, **call.position.pinned}
