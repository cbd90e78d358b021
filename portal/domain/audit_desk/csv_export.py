"""The audit trail as CSV: one row for each act, in the columns that ``COLUMNS`` names."""

import json
from collections.abc import Iterator, Sequence

from portal.domain.audit_desk.acts import Act, describe_events
from portal.domain.audit_desk.filters import AuditFilters
from portal.domain.audit_desk.queries import stream_events
from portal.domain.audit_desk.sight import AuditSight
from portal.platform.clock import format_utc
from portal.platform.tables.csv_cells import csv_text

MOST_ROWS = 100_000  # of one file: about 20 seconds of a processor
COLUMNS = (
    "happened_at",
    "action",
    "what",
    "who",
    "who_staff_number",
    "on_whom",
    "on_whom_staff_number",
    "channel",
    "address",
    "outcome",
    "request_id",
    "details",
)


def csv_pieces(sight: AuditSight, filters: AuditFilters, newest_id: int) -> Iterator[str]:
    """The file in pieces, newest act first: RFC 4180, with a header, CRLF at line ends, instants in UTC."""
    yield f"{','.join(COLUMNS)}\r\n"
    for events in stream_events(sight, filters, newest_id):
        acts = describe_events(sight, events)
        yield "".join(f"{','.join(map(csv_text, _cells_of(act)))}\r\n" for act in acts)


def _cells_of(act: Act) -> Sequence[str]:
    details = {name: value for name, value in act.details if name != "When"}
    return (
        format_utc(act.happened_at),
        act.action,
        act.sentence,
        act.who.name,
        act.who.staff_number,
        act.whom.name if act.whom else "",
        act.whom.staff_number if act.whom else "",
        act.channel,
        act.address,
        act.outcome,
        act.request_id,
        json.dumps(details, ensure_ascii=False) if details else "",
    )
