"""Of several dated facts, the one from the latest day holds; of one day, the one that was entered last."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import product

from portal.domain.reports.parameters import Position
from portal.features.assurance.desk import read_held_by_subject
from portal.features.assurance.models import RecommendationOwner
from portal.platform.db import db, stamp, transaction
from tests.factories.people import make_person
from tests.features.assurance.factories import make_recommendation

FIRST = date(2026, 4, 1)
DAYS = [FIRST + timedelta(days=more) for more in range(3)]
ORDERS = list(product(DAYS, repeat=3))  # every order in which three entries can be of three days


def expected(order: Sequence[date], known: int, day: date) -> int | None:
    """Which of the first entries holds on a day, by its number; None: none of them."""
    held = [(from_on, number) for number, from_on in enumerate(order[:known]) if from_on <= day]
    return max(held)[1] if held else None


def test_every_order_of_entries_reads_the_same_by_the_rule(database: None) -> None:
    people = [make_person() for _ in range(3)]
    recommendations = [make_recommendation(f"number-{number}") for number in range(len(ORDERS))]
    stamps: list[datetime] = []
    for number, person in enumerate(people):
        with transaction():
            stamps.append(stamp())
            db.session.add_all(
                RecommendationOwner(
                    recorded_at=stamps[-1],
                    recommendation_id=recommendation,
                    from_on=order[number],
                    person_id=person,
                    recorded_by_id=person,
                )
                for recommendation, order in zip(recommendations, ORDERS, strict=True)
            )

    for known, day in product(range(1, 4), DAYS):
        position = Position(day, stamps[known - 1], DAYS[-1], latest=False)
        held = read_held_by_subject(RecommendationOwner, "recommendation_id", position)
        for recommendation, order in zip(recommendations, ORDERS, strict=True):
            number = expected(order, known, day)
            found = held.get(recommendation)
            assert (found.person_id if found else None) == (None if number is None else people[number])
