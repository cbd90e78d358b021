"""Joiners, movers and leavers by SCIM give the same posts as the rows of a roster that say the same."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.people import roster_store
from portal.domain.people.roster_plan import (
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    parse_rows_with_faults,
    plan_with_faults,
)
from portal.features.scim import queries, services
from portal.features.scim.queries import UserValues
from portal.features.scim.services import ProviderChange
from portal.platform import clock
from portal.platform.db import stamp, transaction
from portal.platform.tables.table_files import SourceRow
from tests.examples import IN_ONE_TRANSACTION, few_or_many
from tests.features.scim.provider import posts_of

FIRST_DAY = date(2026, 1, 5)
_numbers = count(1)
CHANGES = st.one_of(
    st.tuples(st.just("rank_or_grade"), st.sampled_from(["Constable", "Sergeant"])),
    st.tuples(st.just("designated_role"), st.sampled_from(["response", "custody", "contact"])),
    st.tuples(st.just("unit_path"), st.sampled_from(["Force/A", "Force/B/C"])),
    st.tuples(st.just("surname"), st.sampled_from(["Ash", "Beech"])),
    st.tuples(st.just("active"), st.booleans()),
)
STEPS = st.lists(st.tuples(st.sampled_from([0, 0, 1, 2, 45]), CHANGES), max_size=12)


class Roster:
    """A roster with the rows that a clerk would write for the same person; knows nothing of SCIM."""

    def __init__(self, number: str) -> None:
        self.number, self.open_since = number, None

    def import_row(
        self, says: dict[str, Any], since: date, until: date | None = None, withdraw: str = ""
    ) -> None:
        row = dict.fromkeys((*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS), "")
        row |= {name: value for name, value in says.items() if name in row}
        row |= {"staff_number": self.number, "forenames": "Rowan", "withdraw": withdraw}
        row |= {"valid_from": since.isoformat(), "valid_to": until.isoformat() if until else ""}
        rows, faults = parse_rows_with_faults([SourceRow(1, row)])
        with transaction():
            at = stamp()
            plan, more = plan_with_faults(rows, roster_store.read_baseline())
            assert not [*faults, *more]
            roster_store.write_plan(plan, at, by=None)

    def say(self, before: dict[str, Any], says: dict[str, Any], today: date) -> None:
        """The row for what changed on this day, if any."""
        post = ("rank_or_grade", "designated_role", "unit_path")
        if not says["active"]:
            if self.open_since == today:
                self.import_row(before, today, withdraw="yes")
            elif self.open_since is not None:
                self.import_row(before, self.open_since, today - timedelta(days=1))
            self.open_since = None
        elif self.open_since is None or any(before[name] != says[name] for name in post):
            self.import_row(says, today)
            self.open_since = today
        elif before["surname"] != says["surname"]:
            self.import_row(says, self.open_since)


def say_by_scim(number: str, says: dict[str, Any]) -> None:
    values = UserValues(
        user_name=number,
        external_id=None,
        staff_number=number,
        forenames="Rowan",
        email=None,
        manager_id=None,
        **says,
    )
    with transaction():
        act = ProviderChange(stamp(), clock.now(), "entra")
        person_id = queries.find_person(number)
        if person_id is None:
            services.create_user(values, act)
        else:
            services.change_user(queries.get_user(person_id, clock.today()), values, act)


@given(STEPS)
@settings(max_examples=few_or_many(8, 150), suppress_health_check=IN_ONE_TRANSACTION)
def test_any_sequence_gives_the_posts_of_the_same_rows_in_a_roster(
    database: None, steps: list[tuple[int, tuple[str, Any]]]
) -> None:
    number = next(_numbers)
    by_scim, by_roster = f"S{number}", f"R{number}"
    says: dict[str, Any] = {
        "surname": "Ash", "rank_or_grade": "Constable", "designated_role": "response", "unit_path": "Force/A",
        "active": True,
    }  # fmt: skip
    roster, today = Roster(by_roster), FIRST_DAY
    tell: Callable[[dict[str, Any]], None] = lambda before: roster.say(before, says, today)  # noqa: E731
    for days, change in [(0, None), *steps]:
        today += timedelta(days=days)
        before = dict(says)
        if change is not None:
            says[change[0]] = change[1]
        with time_machine.travel(datetime(today.year, today.month, today.day, 9, tzinfo=UTC), tick=False):
            say_by_scim(by_scim, says)
            tell(before)
            assert queries.get_user(queries.find_person(by_scim), today).values.active is says["active"]

    assert posts_of(by_scim) == posts_of(by_roster)
