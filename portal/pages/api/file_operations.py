"""The operations on files of a directive's report: those that people download, with the token's people."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from portal.domain.reports.completion import writers
from portal.domain.reports.completion.export_columns import AnyRow, Column
from portal.domain.reports.parameters import NAMES, parse_filters
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.pages.api.operations import ROOT, Call, FileReply, Operation, Parameter, Reply
from portal.pages.api.read_operations import FILTERS
from portal.pages.api.shapes import Field, ObjectShape
from portal.pages.layout.sessions import cookies
from portal.platform.errors import NotFoundError

FILE = ObjectShape(
    "File",
    (
        Field("name", "The last part of its address."),
        Field("contents", "What a row is."),
        Field("media_type", "Its media type."),
        Field("rows", "How many rows it has, without the header.", int),
        Field("address", "Where it is, at this position."),
        Field("table_schema", "Its columns, as a Frictionless Table Schema.", object),
    ),
)
CSV_TYPE = "text/csv"


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A kind of file that a report has."""

    contents: str
    count_rows: Callable[[CompletionReport], int]
    columns: Callable[[CompletionReport], Sequence[Column]]
    rows: Callable[[CompletionReport], Iterator[AnyRow]]


FILES = {
    "completions.csv": ReportFile(
        "One row for each person and requirement.",
        lambda report: report.shown.rows,
        lambda report: report.columns,
        lambda report: report.rows(),
    ),
    "people.csv": ReportFile(
        "One row for each person, with a column for each requirement.",
        lambda report: report.shown.assigned,
        lambda report: report.person_columns,
        lambda report: report.person_rows(),
    ),
}


def list_files(call: Call) -> Reply:
    """The files of a directive's report."""
    report, after = _read_report(call), call.after[0] if call.after else ""
    names = sorted(name for name in FILES if name > after)
    shown = [_describe_file(call, report, name) for name in names[: call.limit]]
    return Reply(shown, [shown[-1]["name"]] if len(names) > call.limit else None)


def read_file(call: Call) -> FileReply:
    """One of them."""
    name = call.path["name"]
    if name not in FILES:
        raise NotFoundError(f"The files of a directive are {' and '.join(FILES)}.")
    report, file = _read_report(call), FILES[name]
    return FileReply(
        pieces=writers.csv_pieces(
            file.rows(report), file.columns(report), with_bom=call.arguments.get("bom") == "yes"
        ),
        name=writers.file_name(report, "csv", name.partition(".")[0]),
        people=report.list_person_ids(),
        rows=file.count_rows(report),
    )


def _read_report(call: Call) -> CompletionReport:
    filters = parse_filters({name: call.arguments.get(name, "") for name in NAMES})
    return completion_report(call.viewer, call.path["reference"], call.position, filters)


def _describe_file(call: Call, report: CompletionReport, name: str) -> dict[str, Any]:
    path = f"{ROOT}/directives/{quote(report.directive.reference, safe='')}/files/{name}"
    arguments = {key: call.arguments[key] for key in NAMES if key in call.arguments} | call.position.pinned
    return {
        "name": name,
        "contents": FILES[name].contents,
        "media_type": CSV_TYPE,
        "rows": FILES[name].count_rows(report),
        "address": f"{cookies.current_settings().address}{path}?{urlencode(arguments)}",
        "table_schema": writers.table_schema(FILES[name].columns(report)),
    }


_FILTERS = tuple(Parameter(name, FILTERS[name]) for name in NAMES)
_FOR_EXCEL = Parameter(
    "bom",
    "With “yes” the file begins with a byte order mark, without which Excel misreads letters with accents.",
    {"type": "string", "enum": ["yes"]},
)
OPERATIONS = (
    Operation(
        "list_files",
        "/directives/<reference>/files",
        "The files of a directive’s report",
        FILE,
        list_files,
        parameters=_FILTERS,
        paged=True,
        of_people=False,
    ),
    Operation(
        "read_file",
        "/directives/<reference>/files/<name>",
        "One file, with the columns of the portal’s own",
        FILE,
        read_file,
        parameters=(*_FILTERS, _FOR_EXCEL),
        of_people=False,
        file_type=CSV_TYPE,
    ),
)
