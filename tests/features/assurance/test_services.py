"""Owner, decisions and risk of a recommendation, and the history of all that was entered about it."""

from datetime import UTC, date, datetime

import pytest
import time_machine

from portal.domain.reports.parameters import Position
from portal.features.assurance import services
from portal.features.assurance.desk import RecommendationSnapshot, list_history, read_recommendation
from portal.features.assurance.services import DecisionDetails, EntryRefusedError, RiskDetails
from portal.platform.db import newest_stamp, transaction
from portal.platform.errors import ConflictError, NotFoundError
from tests.factories.people import make_person
from tests.features.assurance.factories import make_action, make_judgement, make_recommendation

TODAY = date(2026, 5, 12)
NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
DECISION = DecisionDetails("Two places a shift", "Each shift releases two people.", "Force board")
KEY = "e-learning"


@pytest.fixture
def person(database: None):
    """Who enters everything, on 12 May 2026, about the recommendation e-learning of 1 May."""
    with time_machine.travel(datetime(2026, 5, 1, 9, tzinfo=UTC), tick=False):
        make_recommendation()
        one = make_person()
    with time_machine.travel(NOW, tick=False):
        yield one


def position(day: date = TODAY, known: datetime | None = None) -> Position:
    newest = known or newest_stamp()
    assert newest
    return Position(day, newest, TODAY, latest=known is None)


def read(day: date = TODAY, known: datetime | None = None) -> RecommendationSnapshot:
    return read_recommendation(KEY, position(day, known))


def decide(person: int, details: DecisionDetails = DECISION, on: date = TODAY) -> int:
    with transaction():
        return services.record_decision(KEY, details, from_on=on, at=NOW, by=person)


def test_an_owner_holds_from_a_day_on_and_nobody_can_own_it_again(person):
    with transaction():
        services.give_owner(KEY, person, from_on=date(2026, 5, 4), at=NOW, by=person)
    assert (read(date(2026, 5, 3)).owner_id, read().owner_id) == (None, person)

    with pytest.raises(EntryRefusedError, match="owns it on that day already"), transaction():
        services.give_owner(KEY, person, from_on=TODAY, at=NOW, by=person)
    with transaction():
        services.give_owner(KEY, None, from_on=TODAY, at=NOW, by=person)
    assert read().owner_id is None


def test_a_corrected_decision_is_known_as_it_was_until_it_was_corrected(person):
    decision_id = decide(person)
    before = newest_stamp()
    with transaction():
        details = DecisionDetails("Three places a shift", DECISION.text, DECISION.decided_by)
        services.correct_decision(KEY, decision_id, details, from_on=date(2026, 5, 11), at=NOW, by=person)

    assert [each.title for each in read().decisions] == ["Three places a shift"]
    assert [each.title for each in read(known=before).decisions] == ["Two places a shift"]
    with pytest.raises(ConflictError), transaction():
        services.take_decision_back(KEY, decision_id, by=person)


def test_a_decision_taken_back_is_gone_now_and_stays_known_then(person):
    decision_id = decide(person)
    before = newest_stamp()
    with transaction():
        services.take_decision_back(KEY, decision_id, by=person)

    assert read().decisions == ()
    assert len(read(known=before).decisions) == 1
    with pytest.raises(ConflictError), transaction():
        services.take_decision_back(KEY, decision_id, by=person)
    with pytest.raises(NotFoundError), transaction():
        services.take_decision_back(KEY, decision_id + 50, by=person)


def test_a_decision_belongs_to_its_recommendation(person):
    make_recommendation("plan")
    decision_id = decide(person)
    with pytest.raises(NotFoundError), transaction():
        services.take_decision_back("plan", decision_id, by=person)


@pytest.mark.parametrize(
    ("details", "field"),
    [
        (DecisionDetails("", "x", "x"), "title"),
        (DecisionDetails("x", "x" * 2001, "x"), "text"),
        (DecisionDetails("x", "x", "y" * 151), "decided_by"),
        (RiskDetails(0, 1, "x"), "likelihood"),
        (RiskDetails(1, 6, "x"), "impact"),
        (RiskDetails(1, 1, " "), "text"),
    ],
)
def test_what_cannot_be_entered_names_its_field(person, details, field):
    write = services.record_decision if isinstance(details, DecisionDetails) else services.assess_risk
    with pytest.raises(EntryRefusedError) as refused, transaction():
        write(KEY, details, from_on=TODAY, at=NOW, by=person)
    assert refused.value.field == field


def test_the_history_has_both_times_of_every_entry_and_what_became_of_it(person):
    with transaction():
        services.give_owner(KEY, person, from_on=date(2026, 5, 4), at=NOW, by=person)
    with transaction():
        services.assess_risk(KEY, RiskDetails(4, 3, "Shifts are short."), from_on=TODAY, at=NOW, by=person)
    decision_id = decide(person)
    with transaction():
        services.correct_decision(KEY, decision_id, DECISION, from_on=date(2026, 5, 11), at=NOW, by=person)
    make_action(read().id, by=person)
    make_judgement(read().id, "partly_met", by=person, confirmed_by=make_person())

    history = list_history(KEY, position())

    assert [(each.kind, each.correction) for each in history] == [
        ("outcome", ""), ("judgement", ""), ("action", ""), ("decision", ""), ("decision", "corrected"),
        ("risk", ""), ("owner", ""), ("version", ""),
    ]  # fmt: skip
    assert [each.kind for each in history if each.entered_late] == ["decision", "owner"]
    assert history[2].reference == "A-0001"
    assert [each.kind for each in list_history(KEY, position(date(2026, 5, 4)))] == ["owner", "version"]
    assert [each.kind for each in list_history(KEY, position(known=NOW))] == ["owner", "version"]


def test_a_decision_taken_back_stays_in_the_history(person):
    decision_id = decide(person)
    with transaction():
        services.take_decision_back(KEY, decision_id, by=person)

    assert [(each.kind, each.correction) for each in list_history(KEY, position())] == [
        ("decision", "taken_back"),
        ("version", ""),
    ]
