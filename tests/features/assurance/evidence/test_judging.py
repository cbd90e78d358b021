"""A judgement is two people's, and keeps the figures that it was made on; evidence changes by new facts."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from portal.domain.reports.parameters import read_position_today
from portal.features.assurance import evidence
from portal.features.assurance.desk import EvidenceState, read_recommendation
from portal.features.assurance.evidence import (
    EvidenceEntry,
    add_evidence,
    change_evidence,
    list_decided_judgements,
    list_evidence_versions,
    list_stale,
    withdraw_evidence,
)
from portal.features.assurance.models import Judgement
from portal.features.assurance.services import EntryRefusedError
from portal.platform.db import db, transaction
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from tests.factories.people import make_person
from tests.features.assurance.factories import give_owner, make_recommendation

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY = date(2026, 6, 15)
WORDS = {"text": "Every unit has the checklist.", "post": "Head of Crime"}
ENTRY = EvidenceEntry("Checklists are in use", WORDS, None, date(2026, 9, 1), TODAY)
LINK = replace(ENTRY, definition={"address": "https://www.police.example/plan"}, review_on=None)


@pytest.fixture(autouse=True)
def clock_stands() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def people(database: None) -> tuple[int, int]:
    """An author and somebody else, with a recommendation that has one signed statement."""
    make_recommendation()
    author, other = make_person(), make_person()
    add("statement", ENTRY, by=author)
    return author, other


def add(kind: str, entry: EvidenceEntry, *, by: int) -> str:
    """The reference of a new piece of evidence."""
    with transaction():
        return add_evidence("e-learning", kind, entry, by=by, at=NOW)


def judge(by: int, state: str = "met") -> int:
    """A judgement as at today."""
    with transaction():
        return evidence.make_judgement("e-learning", state, "It is so.", from_on=TODAY, at=NOW, by=by)


def test_a_judgement_is_made_on_all_that_is_known_by_then_for_no_later_day(people: tuple[int, int]) -> None:
    author, _ = people
    judgement = db.session.get_one(Judgement, judge(author))

    assert (judgement.from_on, judgement.as_known_on) == (TODAY, judgement.recorded_at)
    tomorrow = TODAY + timedelta(days=1)
    with pytest.raises(EntryRefusedError, match="Enter today’s date or an earlier one"), transaction():
        evidence.make_judgement("e-learning", "met", "Soon.", from_on=tomorrow, at=NOW, by=author)


def test_a_second_person_confirms_and_its_figures_stay_as_they_were(people: tuple[int, int]) -> None:
    author, other = people
    judgement = judge(author)
    with pytest.raises(RuleError, match="yourself"), transaction():
        evidence.confirm_judgement("e-learning", judgement, by=author, at=NOW)
    with pytest.raises(ConflictError), transaction():
        evidence.make_judgement("e-learning", "met", "Again.", from_on=TODAY, at=NOW, by=other)
    with transaction():
        evidence.confirm_judgement("e-learning", judgement, by=other, at=NOW)
    with transaction():
        withdraw_evidence("E-0001", from_on=TODAY, reason="Signed too early.", by=author, at=NOW)

    recommendation = read_recommendation("e-learning", read_position_today(NOW))

    assert recommendation.state == "met"
    assert recommendation.evidence == ()
    assert recommendation.judgement is not None
    kept = [EvidenceState.from_json(each) for each in recommendation.judgement.judgement.figures]
    assert [state.shown for state in kept] == ["Signed as Head of Crime on 15 June 2026"]
    with pytest.raises(ConflictError, match="confirmed already"), transaction():
        evidence.send_judgement_back("e-learning", judgement, reason="Late.", by=other, at=NOW)


def test_a_judgement_is_sent_back_with_a_reason_or_withdrawn_by_its_author(people: tuple[int, int]) -> None:
    author, other = people
    first = judge(author)
    with pytest.raises(RuleError), transaction():
        evidence.withdraw_judgement("e-learning", first, by=other, at=NOW)
    with pytest.raises(RuleError), transaction():
        evidence.send_judgement_back("e-learning", first, reason=" ", by=other, at=NOW)
    with transaction():
        evidence.send_judgement_back("e-learning", first, reason="Say which units.", by=other, at=NOW)
    second = judge(author, "partly_met")
    with transaction():
        evidence.withdraw_judgement("e-learning", second, by=author, at=NOW)

    recommendation = read_recommendation("e-learning", read_position_today(NOW))

    assert (recommendation.state, recommendation.waiting_judgement) == ("not_judged", None)
    decided = list_decided_judgements(recommendation.id, read_position_today(NOW))
    assert [decision.outcome for _, decision in decided] == ["withdrawn", "sent_back"]


def test_nothing_is_met_without_evidence(database: None) -> None:
    make_recommendation()
    author = make_person()

    with pytest.raises(RuleError, match="no evidence"):
        judge(author)
    with pytest.raises(NotFoundError), transaction():
        evidence.confirm_judgement("e-learning", 99, by=author, at=NOW)
    assert judge(author, "not_met")


def test_a_statement_never_changes_but_its_review_date_does(people: tuple[int, int]) -> None:
    author, _ = people
    later = replace(ENTRY, review_on=date(2026, 12, 1))
    another = replace(later, definition={**WORDS, "text": "Most units have it."})
    with pytest.raises(RuleError, match="cannot be changed"), transaction():
        change_evidence("E-0001", another, reason="Typo", by=author, at=NOW)
    with pytest.raises(RuleError, match="Nothing has changed"), transaction():
        change_evidence("E-0001", ENTRY, reason="No reason", by=author, at=NOW)
    with transaction():
        change_evidence("E-0001", later, reason="Reviewed.", by=author, at=NOW)

    versions = list_evidence_versions("E-0001", read_position_today(NOW))

    assert [version.review_on for version in versions] == [date(2026, 9, 1), date(2026, 12, 1)]
    assert versions[-1].reason == "Reviewed."


@pytest.mark.parametrize(
    "refused",
    [
        replace(ENTRY, review_on=None),
        replace(ENTRY, review_on=date(2026, 6, 14)),
        replace(ENTRY, title=" "),
        replace(ENTRY, title="x" * 151),
        replace(ENTRY, from_on=date(2026, 6, 14)),
        replace(ENTRY, from_on=date(2026, 6, 16)),
    ],
)
def test_a_statement_is_signed_today_and_reviewed_later(
    people: tuple[int, int], refused: EvidenceEntry
) -> None:
    with pytest.raises(RuleError):
        add("statement", refused, by=people[0])


def test_evidence_may_be_entered_late_and_is_withdrawn_from_a_day_on(people: tuple[int, int]) -> None:
    author, _ = people
    reference = add("link", replace(LINK, from_on=date(2026, 4, 30)), by=author)
    with transaction():
        withdraw_evidence(reference, from_on=date(2026, 6, 1), reason="The page moved.", by=author, at=NOW)

    def read(day: date) -> list[str]:
        recommendation = read_recommendation("e-learning", replace(read_position_today(NOW), as_at=day))
        return [piece.reference for piece in recommendation.evidence]

    assert (read(date(2026, 4, 29)), read(date(2026, 5, 31)), read(date(2026, 6, 1))) == ([], [reference], [])
    with pytest.raises(ConflictError), transaction():
        withdraw_evidence(reference, from_on=TODAY, reason="Again.", by=author, at=NOW)


def test_stale_evidence_is_its_owners_else_the_recommendations(people: tuple[int, int]) -> None:
    author, other = people
    own = add(
        "document", replace(ENTRY, owner_id=author, definition={"digest": "0", "file_name": "a"}), by=author
    )
    with time_machine.travel(NOW + timedelta(days=90), tick=False):
        at = NOW + timedelta(days=90)
        recommendation = read_recommendation("e-learning", read_position_today(at))
        give_owner(recommendation.id, other, by=author)
        position = read_position_today(at)

        mine, theirs = list_stale(position, author), list_stale(position, other)

    assert [stale.reference for stale in mine] == [own]
    assert [stale.reference for stale in theirs] == ["E-0001"]
    assert theirs[0].faults == ("Its review was due on 1 September 2026.",)
    assert theirs[0].address == "/assurance/e-learning/evidence/E-0001"
    assert len(list_stale(position)) == 2
