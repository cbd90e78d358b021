"""What evidence shows at a position, and when it no longer holds."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from sqlalchemy import event

from portal.domain.directives.models import Directive
from portal.domain.people.queries import COMMAND_LINE
from portal.domain.reports.parameters import Filters, Position
from portal.domain.reports.queries import completion_report
from portal.domain.reports.statistics import read_directive
from portal.features.assurance.desk import EvidenceSnapshot, EvidenceState, read_recommendation
from portal.features.assurance.evidence import check_evidence
from portal.features.assurance.evidence_counts import parse_figure, parse_threshold
from portal.features.assurance.models import Evidence
from portal.platform.db import db
from portal.platform.errors import BadInputError, RuleError
from tests.domain.status.facts import make_activity, make_directive, make_record, make_version
from tests.factories.people import make_person, make_unit
from tests.features.assurance.factories import make_evidence, make_recommendation

TODAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
LATER = Position(TODAY, datetime(2026, 6, 15, 23, tzinfo=UTC), TODAY, latest=False)


@pytest.fixture(autouse=True)
def clock_stands() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def check_one(
    kind: str, definition: dict[str, Any], position: Position = LATER, **columns: Any
) -> EvidenceState:
    """What a piece of evidence that was added today shows."""
    author = make_person()
    made = make_evidence(make_recommendation(), kind, definition, by=author, **columns)
    recommendation = read_recommendation("e-learning", position)
    states = check_evidence(recommendation.evidence, position)
    row = db.session.get(Evidence, made)
    assert row is not None
    return states[row.reference]


def make_required() -> tuple[str, list[int]]:
    """A directive with two requirements, of four people: a sergeant and a constable are complete."""
    unit = make_unit("Response")
    people = [make_person(unit, rank=rank) for rank in ("Sergeant", "Sergeant", "Constable", "Constable")]
    activities = {1: make_activity(), 2: make_activity()}
    directive = make_directive()
    make_version(directive, activities)
    for person in (people[0], people[2]):
        for activity in activities.values():
            make_record(person, activity, date(2026, 4, 1))
    make_record(people[1], activities[1], date(2026, 4, 1))
    row = db.session.get(Directive, directive)
    assert row is not None
    return row.reference, people


def test_a_figure_is_the_reports_own_count(database: None) -> None:
    reference, _ = make_required()

    state = check_one(
        "figure", {"directive": reference, "requirement": "", "rank": "Sergeant", "threshold": "0.5"}
    )

    figures = completion_report(COMMAND_LINE, reference, LATER, Filters(rank="Sergeant")).shown
    assert (state.reached, state.total) == (figures.share.done, figures.share.total) == (1, 2)
    assert state.shown == "1 of 2 people are complete (50%)"
    assert state.holds
    assert dict(state.definition)["Threshold"] == "At least 50%."
    assert state.address.startswith(f"/monitoring/directives/{reference}?rank=Sergeant&as_at=2026-06-15")


def test_one_requirement_below_its_threshold_no_longer_holds(database: None) -> None:
    reference, _ = make_required()
    key = read_first_key(reference)

    state = check_one("figure", {"directive": reference, "requirement": key, "threshold": "0.95"})

    assert (state.reached, state.total, state.threshold) == (3, 4, Decimal("0.95"))
    assert state.faults == ("75% is below the threshold of 95%.",)


def test_a_figure_of_nobody_shows_nothing(database: None) -> None:
    state = check_one("figure", {"directive": "GONE-1", "requirement": "", "threshold": "1"})

    assert state.shown == "No person is counted"
    assert state.faults == ("No person is counted, so it shows nothing.",)
    assert dict(state.definition)["Directive"] == "GONE-1, which was not known then."


def test_a_definition_is_what_the_form_says_and_the_directive_asks(database: None) -> None:
    reference, _ = make_required()
    key = read_first_key(reference)
    values = {"directive": reference, "requirement": key, "rank": "Sergeant", "threshold": "97.5%"}

    assert parse_figure(values, LATER) == {
        "directive": reference,
        "requirement": key,
        "rank": "Sergeant",
        "threshold": "0.975",
    }
    with pytest.raises(RuleError, match="does not ask for"):
        parse_figure({**values, "requirement": "other"}, LATER)
    with pytest.raises(BadInputError):
        parse_figure({**values, "rank": "Wizard"}, LATER)


@pytest.mark.parametrize("text", ["", "0", "101", "95.55", "most", "NaN", "Infinity"])
def test_a_threshold_is_a_percentage(text: str) -> None:
    with pytest.raises(RuleError):
        parse_threshold(text)


def test_a_statement_holds_until_its_review_date_has_passed(database: None) -> None:
    definition = {"text": "Every unit has the checklist.", "post": "Head of Crime"}

    state = check_one("statement", definition, review_on=TODAY)

    assert (state.shown, state.faults) == ("Signed as Head of Crime on 15 June 2026", ())
    assert len(state.digest) == 64
    assert EvidenceState.from_json(state.to_json()) == state
    late = check_one("statement", definition, review_on=date(2026, 6, 14))
    assert late.faults == ("Its review was due on 14 June 2026.",)


def test_many_figures_take_no_more_statements_than_two(database: None) -> None:
    reference, _ = make_required()
    definition = {"directive": reference, "requirement": "", "threshold": "0.5"}
    author, recommendation = make_person(), make_recommendation()
    for _ in range(2):
        make_evidence(recommendation, "figure", definition, by=author)
    two = count_statements(read_recommendation("e-learning", LATER).evidence)
    for _ in range(18):
        make_evidence(recommendation, "figure", definition, by=author)

    assert count_statements(read_recommendation("e-learning", LATER).evidence) == two


def count_statements(pieces: Sequence[EvidenceSnapshot]) -> int:
    """How many statements the check of these pieces takes."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        check_evidence(pieces, LATER)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def read_first_key(reference: str) -> str:
    """The key of the first requirement of a directive."""
    return read_directive(reference, LATER).requirements[0].key
