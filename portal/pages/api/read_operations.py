"""The operations that read: the token, people, directives with their status and completions, and records."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.domain.people.queries import live_units
from portal.domain.records.references import normalise_reference
from portal.domain.reports.completion import definition, export_columns
from portal.domain.reports.feeds.directives import get_feed_directive, list_feed_directives
from portal.domain.reports.feeds.people import get_feed_person, list_feed_people
from portal.domain.reports.feeds.records import get_feed_record, list_feed_records
from portal.domain.reports.parameters import NAMES, parse_filters
from portal.domain.reports.queries import completion_report
from portal.domain.status.report_rows import AudienceKey
from portal.pages.api.operations import Call, Operation, Parameter, Reply
from portal.pages.api.shapes import Field, ObjectShape
from portal.platform import clock

TOKEN = ObjectShape(
    "Token",
    (
        Field("name", "The token's name."),
        Field("scope", "What it may do: read or write."),
        Field("unit_path", "The unit whose people it reaches; null: the whole force.", optional=True),
        Field("directive", "The one directive it reaches; null: every directive.", optional=True),
    ),
)
POST = ObjectShape(
    "Post",
    (
        Field("post_key", "Key of the post; empty for the main post."),
        Field("rank_or_grade", "Rank or grade."),
        Field("designated_role", "Designated role."),
        Field("unit", "Name of the unit on the as_at day."),
        Field("unit_path", "Names from the force down to the unit. A / within a name is written //."),
        Field(
            "line_manager_staff_number",
            "Staff number of the line manager, if this token may see them.",
            optional=True,
        ),
        Field("valid_from", "First day of the post.", date),
        Field("valid_to", "Last day of the post; null: none is known.", date, optional=True),
    ),
)
PERSON = ObjectShape(
    "Person",
    (
        Field("staff_number", "Staff number, as it is now."),
        Field("surname", "Surname, as it is now."),
        Field("forenames", "Forenames, as they are now."),
        Field("posts", "Posts on the as_at day, the main post first; none for who has left.", items=POST),
    ),
)
REQUIREMENT = ObjectShape(
    "Requirement",
    (
        Field("requirement_kind", "Kind of the requirement: module, event or guide."),
        Field("requirement", "Key of the module, event type or guide."),
    ),
)
DIRECTIVE = ObjectShape(
    "Directive",
    (
        Field("reference", "Reference of the directive."),
        Field("title", "Title."),
        Field("source", "Where it comes from, such as a force order."),
        Field("version", "Number of the version of the as_at day; before its first day, of the first.", int),
        Field("effective_on", "First day of that version.", date),
        Field("withdrawn", "Whether that version withdraws the directive.", bool),
        Field("due_fixed_on", "Due date for everyone, if it is fixed.", date, optional=True),
        Field("due_days_after_joining", "Days from joining to the due date.", int, optional=True),
        Field("validity_months", "Months for which a completion counts.", int, optional=True),
        Field("yearly_on", "Day of each year, MM-DD, on which it is due again.", optional=True),
        Field("expiring_days", "Days before its end on which a completion counts as expiring.", int),
        Field("target", "Share, from 0 to 1, that the force aims at.", Decimal),
        Field("requirements", "What it asks for, in order.", items=REQUIREMENT),
    ),
)
STATUS = ObjectShape(
    "DirectiveStatus",
    (
        Field("directive", "Reference of the directive."),
        Field("title", "Title on the as_at day."),
        Field("version", "Number of the version of the as_at day.", int),
        Field("numerator", "People who have completed it.", int),
        Field("denominator", "People it applies to, without the exempt and deferred.", int),
        Field(
            "percentage",
            "Numerator of denominator, rounded down to a whole number; null for nobody.",
            int,
            optional=True,
        ),
        Field("assigned", "People it applies to, with the exempt and deferred.", int),
        Field("exclusions", "People exempt or deferred, by reason.", dict),
        Field("by_status", "People by status.", dict),
        Field("forecast", "Whether as_at is later than as_known_on: an outlook, not evidence.", bool),
    ),
)
RECORD = ObjectShape(
    "Record",
    (
        Field("reference", "Reference of the record; a correction keeps it."),
        Field("staff_number", "Staff number of the person, as it is now."),
        Field("requirement_kind", "Kind of the requirement: module, event or guide."),
        Field("requirement", "Key of the module, event type or guide."),
        Field(
            "achieved_at",
            "When it was achieved; only the day, where no time of day was given.",
            export_columns.DayOrInstant,
            source="achieved_when",
        ),
        Field("achieved_on", "The day of it, UK time.", date),
        Field("source", "How: assessed, attended, acknowledged, waived, imported or external."),
        Field("source_system", "The system that an imported record comes from.", optional=True),
        Field("version", "Number of the version passed or acknowledged.", int, optional=True),
        Field("score_scaled", "Score from 0 to 1.", Decimal, optional=True),
        Field("mastery_score", "Pass mark, from 0 to 1, of the version passed.", Decimal, optional=True),
        Field("revoked_from", "First day on which it no longer counts.", date, optional=True),
        Field("recorded_at", "Its stamp: the as_known_on from which it is known.", datetime),
    ),
)
COMPLETION = ObjectShape.of_columns("Completion", export_columns.COLUMNS)
FILTERS = {
    "q": "Part of a name, or of a staff number.",
    "unit": "Path of a unit: the people in and under it.",
    "role": "Designated role.",
    "rank": "Rank or grade; several with commas between them.",
    "status": "Status under the whole directive, not_complete, or late.",
    "late": "How many days overdue: 1-30, 31-90 or over-90.",
    "due": "30: due in the next 30 days.",
}


def describe_token(call: Call) -> Reply:
    """The token of the request."""
    token = call.token
    unit = None if token.unit_id is None else live_units(clock.today()).get(token.unit_id)
    path = None if token.unit_id is None else unit.path if unit else ""
    return Reply(
        {
            "name": token.name,
            "scope": str(token.scope),
            "unit_path": path,
            "directive": token.directive_reference,
        }
    )


def list_people(call: Call) -> Reply:
    """The people whom the token may see, by staff number."""
    after = call.after[0] if call.after else ""
    people = list_feed_people(call.viewer, call.position, after, call.limit + 1)
    return _page(call, people, "staff_number")


def show_person(call: Call) -> Reply:
    """One person."""
    person = get_feed_person(call.viewer, call.position, call.path["staff_number"])
    return Reply(person, subject_id=person.person_id)


def list_directives(call: Call) -> Reply:
    """The directives by reference."""
    after, only = call.after[0] if call.after else "", call.token.directive_reference
    directives = list_feed_directives(call.position, after, call.limit + 1, only)
    return _page(call, directives, "reference")


def show_directive(call: Call) -> Reply:
    """One directive."""
    return Reply(get_feed_directive(call.position, call.path["reference"]))


def show_status(call: Call) -> Reply:
    """The percentage of a directive, with what it is made of."""
    report = completion_report(call.viewer, call.path["reference"], call.position)
    return Reply({**definition.definition_of(report), "by_status": definition.totals_by_status(report)})


def list_completions(call: Call) -> Reply:
    """The rows of the completion file."""
    filters = parse_filters({name: call.arguments.get(name, "") for name in NAMES})
    report = completion_report(call.viewer, call.path["reference"], call.position, filters)
    after = AudienceKey(*call.after) if call.after else None
    rows, key = report.list_rows(after, call.limit)
    return Reply(rows, None if key is None else list(key))


def list_records(call: Call) -> Reply:
    """The records of the people whom the token may see, in the order recorded."""
    after = call.after[0] if call.after else ""
    return _page(call, list_feed_records(call.viewer, call.position, after, call.limit + 1), "reference")


def show_record(call: Call) -> Reply:
    """One record."""
    reference = normalise_reference(call.path["reference"]) or ""
    return Reply(get_feed_record(call.viewer, call.position, reference))


def _page(call: Call, things: list[Any], key: str) -> Reply:
    """A page of things of which one more was read than the page has."""
    shown = things[: call.limit]
    return Reply(shown, [getattr(shown[-1], key)] if len(things) > call.limit else None)


OPERATIONS = (
    Operation(
        "describe_token",
        "",
        "What this token may do",
        TOKEN,
        describe_token,
        at_position=False,
        of_people=False,
    ),
    Operation("list_people", "/people", "People, by staff number", PERSON, list_people, paged=True),
    Operation("show_person", "/people/<staff_number>", "One person", PERSON, show_person),
    Operation(
        "list_directives",
        "/directives",
        "Directives, by reference",
        DIRECTIVE,
        list_directives,
        paged=True,
        of_people=False,
    ),
    Operation(
        "show_directive",
        "/directives/<reference>",
        "One directive",
        DIRECTIVE,
        show_directive,
        of_people=False,
    ),
    Operation(
        "show_status",
        "/directives/<reference>/status",
        "The percentage of a directive, with numerator, denominator and exclusions",
        STATUS,
        show_status,
        of_people=False,
    ),
    Operation(
        "list_completions",
        "/directives/<reference>/completions",
        "The rows of the completion file: one for each person and requirement",
        COMPLETION,
        list_completions,
        parameters=tuple(Parameter(name, FILTERS[name]) for name in NAMES),
        paged=True,
        of_people=False,
    ),
    Operation("list_records", "/records", "Records, in the order recorded", RECORD, list_records, paged=True),
    Operation("show_record", "/records/<reference>", "One record", RECORD, show_record),
)
