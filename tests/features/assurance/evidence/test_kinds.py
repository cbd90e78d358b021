"""Evidence that is counted from records, kept by its hash, or asked for on the web."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.catalogue.models import Activity
from portal.domain.catalogue.upkeep import find_faults, public_policy
from portal.domain.records.models import Acknowledgement
from portal.domain.reports.parameters import Position, read_position_today
from portal.features.assurance.desk import EvidenceSnapshot, EvidenceState, read_recommendation
from portal.features.assurance.evidence import check_evidence
from portal.features.assurance.evidence_counts import parse_acknowledgements, parse_attendance, parse_samples
from portal.features.assurance.evidence_kinds import (
    NOT_ASKED,
    keep_document,
    list_asked_pages,
    parse_link,
    read_document,
    save_link_checks,
)
from portal.features.assurance.models import EvidenceDocument
from portal.features.dip_samples.models import DipSample
from portal.platform.db import db, transaction
from portal.platform.errors import RuleError
from tests.domain.status.facts import add, make_record, make_revocation
from tests.factories.catalogue import make_guide
from tests.factories.events import make_event_type
from tests.factories.people import make_person, make_unit
from tests.features.assurance.factories import make_evidence, make_recommendation

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY = Position(date(2026, 6, 15), NOW, date(2026, 6, 15), latest=False)
PDF = b"%PDF-1.7\n1 0 obj\nendobj\nstartxref\n9\n%%EOF\n"
PAGE = "https://www.police.example/plan"


@pytest.fixture(autouse=True)
def clock_stands() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def check_one(kind: str, definition: dict[str, Any]) -> EvidenceState:
    """What one piece of evidence shows now."""
    piece = make_piece(kind, definition)
    return check_evidence([piece], read_position_today(NOW))[piece.reference]


def make_piece(kind: str, definition: dict[str, Any]) -> EvidenceSnapshot:
    """A piece of evidence that was added today."""
    make_evidence(make_recommendation(), kind, definition, by=make_person())
    return read_recommendation("e-learning", read_position_today(NOW)).evidence[-1]


def acknowledge(person: int, guide_version: int, on: date = date(2026, 5, 1)) -> int:
    """A reader states that they have read a guide. Returns the record's id."""
    activity = activity_of("guide", "toolkit")
    record = make_record(person, activity, on, source="acknowledged")
    with transaction():
        db.session.add(Acknowledgement(record_id=record, guide_version_id=guide_version))
    return record


def test_acknowledgements_count_everybody_in_post_once(database: None) -> None:
    unit, guide = make_unit("Response"), make_guide("toolkit")
    readers = [make_person(unit), make_person(unit, rank="Sergeant")]
    make_person(unit)
    make_person(unit, until=date(2026, 6, 14))  # has left
    for reader in (*readers, readers[0]):
        acknowledge(reader, guide)
    late = make_person(unit)
    acknowledge(late, guide, date(2026, 6, 16))
    definition = parse_acknowledgements({"guide": "toolkit", "threshold": "60"}, read_position_today(NOW))

    state = check_one("acknowledgements", definition)

    assert (state.reached, state.total) == (2, 4)
    assert state.shown == "2 of 4 people acknowledged it (50%)"
    assert state.faults == ("50% is below the threshold of 60%.",)
    assert state.address == "/guides/toolkit"


def test_a_revoked_record_does_not_count(database: None) -> None:
    unit, guide = make_unit("Response"), make_guide("toolkit")
    reader = make_person(unit)
    make_revocation(reader, acknowledge(reader, guide), date(2026, 6, 1))

    state = check_one("acknowledgements", {"guide": "toolkit", "version": 1, "threshold": "1"})

    assert (state.reached, state.total) == (0, 1)


def test_attendance_counts_whoever_was_there_and_no_waiver(database: None) -> None:
    make_event_type()
    unit, other = make_unit("Response"), make_unit("Custody")
    people = [make_person(unit, rank="Sergeant") for _ in range(3)]
    make_person(other, rank="Sergeant")
    activity = activity_of("event", "oic-hydra")
    make_record(people[0], activity, date(2026, 5, 1), source="attended")
    make_record(people[1], activity, date(2026, 5, 1), source="waived")
    values = {"event_type": "oic-hydra", "rank": "Sergeant", "unit": "Response", "threshold": "30"}

    state = check_one("attendance", parse_attendance(values, read_position_today(NOW)))

    assert (state.reached, state.total, state.faults) == (1, 3, ())
    with pytest.raises(RuleError):
        parse_attendance({**values, "event_type": "gone"}, read_position_today(NOW))


def test_a_document_is_kept_once_by_its_hash(database: None) -> None:
    author = make_person()
    with transaction():
        definition = keep_document(PDF, "C:\\plans\\Our plan.pdf", by=author)
        assert keep_document(PDF, "again.pdf", by=author)["digest"] == definition["digest"]

    state = check_one("document", definition)

    assert state.digest == hashlib.sha256(PDF).hexdigest()
    assert state.shown == "Our plan.pdf, PDF of 1 KB, kept since 15 June 2026"
    assert read_document(state.digest).content == PDF
    assert db.session.query(EvidenceDocument).count() == 1


def make_sample(unit: int, month: date, *, sampled: int, complete: int) -> None:
    """What a supervisor counted of one unit in one month."""
    counts = dict.fromkeys(("reported", "submitted", "on_time"), sampled)
    row = DipSample(
        unit_id=unit,
        month=month,
        **counts,
        sampled=sampled,
        complete=complete,
        graded=complete,
        returned=0,
        reason="",
        recorded_by_id=make_person(),
    )
    add(row)


def test_samples_are_added_up_over_full_months_of_a_unit(database: None) -> None:
    unit, other = make_unit("Response"), make_unit("Custody")
    make_sample(unit, date(2026, 4, 1), sampled=10, complete=9)
    make_sample(unit, date(2026, 5, 1), sampled=10, complete=7)
    make_sample(unit, date(2026, 6, 1), sampled=10, complete=0)  # the month has not ended
    make_sample(other, date(2026, 5, 1), sampled=10, complete=0)
    values = {"measure": "complete", "months": "2", "unit": "Response", "threshold": "90"}

    definition = parse_samples(values, read_position_today(NOW))
    state = check_one("samples", definition)

    assert (state.reached, state.total) == (16, 20)
    assert state.shown == "16 of 20 documents are complete (80%)"
    assert state.faults == ("80% is below the threshold of 90%.",)
    assert dict(state.definition)["Months"] == "April 2026 to May 2026."
    with pytest.raises(RuleError):
        parse_samples({**values, "measure": "returned"}, read_position_today(NOW))
    with pytest.raises(RuleError):
        parse_samples({**values, "months": "0"}, read_position_today(NOW))


def test_nothing_is_said_of_few_documents(database: None) -> None:
    make_sample(make_unit("Response"), date(2026, 5, 1), sampled=9, complete=9)

    state = check_one("samples", {"measure": "complete", "months": 3, "threshold": "0.5"})

    assert state.faults == ("Of fewer than 10 documents nothing can be said.",)


@pytest.mark.parametrize("content", [b"", b"MZ", PDF[:-8], b"x" + PDF, PDF + b" " * 10 * 1024 * 1024])
def test_what_is_no_whole_pdf_is_refused(content: bytes, database: None) -> None:
    with pytest.raises(RuleError), transaction():
        keep_document(content, "plan.pdf", by=1)


def test_a_link_holds_as_it_answered_last(database: None) -> None:
    piece = make_piece("link", parse_link({"address": f"{PAGE}#goals"}, read_position_today(NOW)))
    assert check_evidence([piece], read_position_today(NOW))[piece.reference].shown == NOT_ASKED
    assert list_asked_pages(read_position_today(NOW)) == [PAGE]
    first = read_position_today(NOW)
    with transaction():
        save_link_checks({PAGE: "The page answers 404."}, NOW)

    broken = check_evidence([piece], read_position_today(NOW))[piece.reference]
    assert broken.faults == ("Asked on 15 June 2026: The page answers 404.",)
    assert check_evidence([piece], first)[piece.reference].holds  # as it was known then
    with transaction():
        save_link_checks({PAGE: ""}, NOW)
    mended = check_evidence([piece], read_position_today(NOW))[piece.reference]
    assert (mended.shown, mended.faults) == ("Answered on 15 June 2026", ())


def test_a_page_inside_is_never_asked(database: None) -> None:
    faults = find_faults(["https://127.0.0.1/plan"], public_policy())

    assert faults["https://127.0.0.1/plan"].startswith("It is not a public address")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://police.example",
        "javascript:alert(1)",
        "https://me:word@police.example",
        "https://x y.example",
        "https://[",
        "https://intranet/plan",
    ],
)
def test_only_pages_of_the_web_are_links(address: str) -> None:
    with pytest.raises(RuleError):
        parse_link({"address": address}, TODAY)


def activity_of(kind: str, key: str) -> int:
    """The id of an activity."""
    found = db.session.scalar(select(Activity.id).where(Activity.kind == kind, Activity.key == key))
    assert found is not None
    return found
