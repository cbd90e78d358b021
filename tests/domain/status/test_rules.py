"""Every row of the table of rules, by its example. Due on 30 April 2026 unless said otherwise."""

from datetime import UTC, date, datetime
from itertools import count

import pytest

from portal.domain.status.rules import (
    AssignmentRule,
    ExclusionFact,
    Facts,
    RecordFact,
    RevocationFact,
    StartFact,
    Status,
    combine_statuses,
    find_next_yearly,
)
from portal.platform.clock import london_day
from tests.domain.status.facts import compute_status_as_known

T0 = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2030, 1, 1, tzinfo=UTC)
DUE = date(2026, 4, 30)
OPEN = date.max

_ids = count(1)


def head(at=T0, void=False, replaces=None):
    return next(_ids), at, void, replaces


def rule(from_on=date(2025, 9, 1), to_on=OPEN, due_on=DUE, **more):
    return AssignmentRule(*head(), from_on, to_on, due_on, **more)


def passed(*when, at=T0):
    return RecordFact(*head(at), date(*when))


def status(facts, *day, t=NOW):
    result = compute_status_as_known(facts, date(*day), t)
    return result and result.status


def test_nothing_is_required_without_an_assignment():
    facts = Facts([rule(to_on=date(2026, 5, 12))], records=[passed(2026, 3, 1)])

    assert status(facts, 2026, 5, 12) is Status.SATISFIED
    assert status(facts, 2026, 5, 13) is None
    assert status(facts, 2025, 8, 31) is None


def test_the_due_date_is_the_last_day_in_time():
    facts = Facts([rule()])

    assert status(facts, 2026, 4, 30) is Status.NOT_STARTED
    assert status(facts, 2026, 5, 1) is Status.OVERDUE


def test_begun_is_in_progress_until_it_is_overdue():
    facts = Facts([rule()], starts=[StartFact(*head(), date(2026, 3, 1))])

    assert status(facts, 2026, 2, 28) is Status.NOT_STARTED
    assert status(facts, 2026, 3, 1) is Status.IN_PROGRESS
    assert status(facts, 2026, 5, 1) is Status.OVERDUE


def test_an_exclusion_wins_and_the_row_keeps_its_record():
    facts = Facts(
        [rule()], [ExclusionFact(*head(), date(2026, 1, 1), date(2026, 6, 30), True)], [passed(2026, 3, 1)]
    )
    result = compute_status_as_known(facts, date(2026, 4, 1), NOW)

    assert result.status is Status.EXEMPT
    assert result.record is facts.records[0]
    assert result.exclusion is facts.exclusions[0]


def test_exempt_beats_deferred():
    facts = Facts(
        [rule()],
        [
            ExclusionFact(*head(), date(2026, 1, 1), OPEN, False, date(2027, 1, 1)),
            ExclusionFact(*head(), date(2026, 1, 1), OPEN, True),
        ],
    )

    assert status(facts, 2026, 4, 1) is Status.EXEMPT


def test_a_deferral_brings_its_own_due_date():
    facts = Facts(
        [rule()], [ExclusionFact(*head(), date(2026, 4, 1), date(2026, 6, 30), False, date(2026, 7, 28))]
    )

    assert status(facts, 2026, 6, 30) is Status.DEFERRED
    assert status(facts, 2026, 7, 28) is Status.NOT_STARTED
    assert status(facts, 2026, 7, 29) is Status.OVERDUE
    assert compute_status_as_known(facts, date(2026, 3, 31), NOW).due_on == DUE
    assert compute_status_as_known(facts, date(2026, 4, 1), NOW).due_on == date(2026, 7, 28)


def test_a_lapsed_record_is_expired_after_the_due_date():
    facts = Facts([rule(validity_months=24, expiring_days=60)], records=[passed(2026, 3, 10)])
    result = compute_status_as_known(facts, date(2028, 3, 11), NOW)

    assert status(facts, 2028, 1, 9) is Status.SATISFIED
    assert status(facts, 2028, 1, 10) is Status.EXPIRING
    assert status(facts, 2028, 3, 10) is Status.EXPIRING
    assert result.status is Status.EXPIRED
    assert (result.due_on, result.valid_until) == (DUE, date(2028, 3, 10))


def test_nobody_is_expired_before_the_due_date():
    facts = Facts([rule(from_on=date(2024, 1, 1), validity_months=12)], records=[passed(2024, 1, 15)])

    assert status(facts, 2025, 1, 15) is not Status.NOT_STARTED
    assert status(facts, 2025, 1, 16) is Status.NOT_STARTED
    assert status(facts, 2026, 4, 30) is Status.NOT_STARTED
    assert status(facts, 2026, 5, 1) is Status.EXPIRED


def test_a_renewal_begun_after_the_lapsed_record_is_in_progress():
    facts = Facts(
        [rule(from_on=date(2024, 1, 1), validity_months=12)],
        records=[passed(2024, 1, 15)],
        starts=[StartFact(*head(), date(2024, 1, 2))],
    )
    renewed = Facts(
        facts.assignments, records=facts.records, starts=[*facts.starts, StartFact(*head(), date(2025, 2, 1))]
    )

    assert status(facts, 2025, 3, 1) is Status.NOT_STARTED
    assert status(renewed, 2025, 3, 1) is Status.IN_PROGRESS


def test_yearly_validity_ends_on_its_day_after_the_least_gap():
    facts = Facts([rule(yearly_on="04-30", minimum_gap_months=6)], records=[passed(2026, 3, 1)])

    assert compute_status_as_known(facts, date(2026, 3, 1), NOW).valid_until == date(2027, 4, 30)
    assert find_next_yearly("04-30", date(2026, 4, 30)) == date(2026, 4, 30)


def test_a_day_is_a_london_day():
    achieved = london_day(datetime(2026, 4, 30, 23, 30, tzinfo=UTC))
    facts = Facts([rule()], records=[RecordFact(*head(), achieved)])

    assert compute_status_as_known(facts, date(2026, 5, 1), NOW).late_days == 1


def test_a_second_pass_makes_nobody_late():
    facts = Facts([rule(validity_months=24)], records=[passed(2026, 3, 1), passed(2026, 8, 1)])
    result = compute_status_as_known(facts, date(2026, 9, 1), NOW)

    assert result.record is facts.records[1]
    assert result.late_days == 0


def test_without_an_end_the_first_pass_counts():
    facts = Facts([rule()], records=[passed(2026, 8, 1), passed(2026, 5, 3)])
    result = compute_status_as_known(facts, date(2026, 9, 1), NOW)

    assert result.record is facts.records[1]
    assert (result.late_days, result.valid_until) == (3, None)


def test_of_two_passes_on_a_day_the_lower_row_counts():
    facts = Facts([rule()], records=[passed(2026, 3, 1), passed(2026, 3, 1)])

    assert compute_status_as_known(facts, date(2026, 9, 1), NOW).record is facts.records[0]


def test_two_directives_judge_one_record_by_their_own_rules():
    record = passed(2025, 4, 1)
    years = [Facts([rule(validity_months=m)], records=[record]) for m in (12, 24)]

    assert [status(facts, 2026, 5, 1) for facts in years] == [Status.EXPIRED, Status.SATISFIED]


def test_the_version_of_the_stretch_that_holds_the_day_decides():
    facts = Facts(
        [
            rule(to_on=date(2026, 2, 28)),
            rule(from_on=date(2026, 3, 1), due_on=date(2026, 6, 30)),
        ]
    )

    assert compute_status_as_known(facts, date(2026, 2, 1), NOW).due_on == DUE
    assert status(facts, 2026, 5, 10) is Status.NOT_STARTED


def test_a_waiver_counts_from_the_date_on_its_evidence_once_it_is_known():
    decided = datetime(2026, 6, 9, tzinfo=UTC)
    facts = Facts([rule()], records=[passed(2026, 2, 3, at=decided)])

    assert status(facts, 2026, 5, 1, t=datetime(2026, 6, 8, tzinfo=UTC)) is Status.OVERDUE
    assert status(facts, 2026, 5, 1, t=decided) is Status.SATISFIED
    assert compute_status_as_known(facts, date(2026, 5, 1), decided).late_days == 0


def test_a_revocation_counts_from_its_day_once_it_is_known():
    record = passed(2026, 3, 1)
    revoked = RevocationFact(*head(datetime(2026, 6, 5, tzinfo=UTC)), record.id, date(2026, 6, 1))
    facts = Facts([rule()], records=[record], revocations=[revoked])

    assert status(facts, 2026, 6, 2, t=datetime(2026, 6, 3, tzinfo=UTC)) is Status.SATISFIED
    assert status(facts, 2026, 6, 2, t=datetime(2026, 6, 6, tzinfo=UTC)) is Status.OVERDUE
    assert status(facts, 2026, 5, 31, t=datetime(2026, 6, 6, tzinfo=UTC)) is Status.SATISFIED


def test_a_pass_before_the_assignment_counts_on_the_first_day():
    facts = Facts([rule()], records=[passed(2025, 1, 1)])

    assert status(facts, 2025, 9, 1) is Status.SATISFIED


def test_an_event_is_known_when_it_is_signed_off():
    signed = datetime(2026, 3, 5, 9, tzinfo=UTC)
    facts = Facts([rule()], records=[passed(2026, 3, 3, at=signed)])

    assert status(facts, 2026, 3, 4, t=datetime(2026, 3, 4, 23, tzinfo=UTC)) is Status.NOT_STARTED
    assert status(facts, 2026, 3, 4, t=signed) is Status.SATISFIED


def test_a_correction_and_a_void_hold_from_when_they_are_known():
    wrong = passed(2026, 3, 1)
    right = RecordFact(next(_ids), datetime(2026, 6, 1, tzinfo=UTC), False, wrong.id, date(2026, 5, 2))
    void = RecordFact(next(_ids), datetime(2026, 7, 1, tzinfo=UTC), True, right.id, date(2026, 5, 2))
    facts = Facts([rule()], records=[wrong, right, void])

    assert status(facts, 2026, 5, 1, t=datetime(2026, 5, 20, tzinfo=UTC)) is Status.SATISFIED
    assert status(facts, 2026, 5, 1, t=datetime(2026, 6, 2, tzinfo=UTC)) is Status.OVERDUE
    assert status(facts, 2026, 5, 2, t=datetime(2026, 6, 2, tzinfo=UTC)) is Status.SATISFIED
    assert status(facts, 2026, 5, 2, t=datetime(2026, 7, 2, tzinfo=UTC)) is Status.OVERDUE


@pytest.mark.parametrize(
    ("parts", "together"),
    [
        ([Status.SATISFIED, Status.SATISFIED], Status.SATISFIED),
        ([Status.SATISFIED, Status.EXPIRING], Status.EXPIRING),
        ([Status.NOT_STARTED, Status.NOT_STARTED], Status.NOT_STARTED),
        ([Status.NOT_STARTED, Status.IN_PROGRESS], Status.IN_PROGRESS),
        ([Status.NOT_STARTED, Status.SATISFIED], Status.IN_PROGRESS),
        ([Status.NOT_STARTED, Status.OVERDUE, Status.SATISFIED], Status.OVERDUE),
        ([Status.EXPIRED, Status.OVERDUE], Status.OVERDUE),
        ([Status.EXPIRED, Status.NOT_STARTED], Status.EXPIRED),
        ([Status.EXEMPT, Status.EXEMPT], Status.EXEMPT),
    ],
)
def test_a_person_stands_as_the_worst_of_their_requirements(parts, together):
    assert combine_statuses(parts) is together


def test_every_status_has_its_words_and_its_key():
    words = {status.key: status.label for status in Status}

    assert words == {
        "overdue": "Overdue",
        "expired": "Expired",
        "not_started": "Not started",
        "in_progress": "In progress",
        "expiring": "Complete (ends soon)",
        "satisfied": "Complete",
        "deferred": "Deferred",
        "exempt": "Exempt",
    }
