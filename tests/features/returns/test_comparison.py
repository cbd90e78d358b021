"""What a force gets to see of the others: shares without names or sizes, signed."""

from datetime import UTC, date, datetime

import pytest

from portal.domain.reports.statistics import Share
from portal.features.returns.comparisons import ComparedRequirement, build_comparison, read_comparison
from portal.platform.errors import BadInputError, NotFoundError, RuleError
from portal.platform.signing.documents import sign_document
from tests.features.returns.factories import ask_for, make_force, make_return
from tests.features.returns.making import make_key, public_key
from tests.features.returns.test_receipts import position


@pytest.fixture
def twelve(database, time_machine):
    time_machine.move_to(datetime(2026, 6, 20, 9, tzinfo=UTC))
    ask_for("2026-05", date(2026, 6, 14))
    for place in range(12):
        more = {("module:respond", "force", ""): (110, 10, 65 + 5 * place)} if place < 9 else {}
        make_return(make_force(f"force-{place}"), "2026-05", 40 + 5 * place, more=more)
    make_force("silent")


def test_a_force_reads_the_shares_of_the_others_and_nothing_that_names_them(twelve):
    content = sign_document(build_comparison(position(), 5, "2026-05"), make_key())
    read = read_comparison(content, public_key())

    assert (read.period, read.asked, read.returned) == ("2026-05", 13, 12)
    (whole,) = read.requirements  # of the other requirement nine forces alone have a figure
    assert whole.whole == Share(810, 1_200)
    assert whole.shares == tuple(range(40, 100, 5))
    assert whole.count_beside(Share(50, 100)) == (2, 9)
    assert b"force-" not in content
    assert b"2000" not in content  # anybody's headcount


def test_it_is_refused_where_few_forces_returned_or_nothing_was_asked(database, time_machine):
    time_machine.move_to(datetime(2026, 6, 20, 9, tzinfo=UTC))
    ask_for("2026-05", date(2026, 6, 14))
    for place in range(9):
        make_return(make_force(f"force-{place}"), "2026-05", 40 + place)

    with pytest.raises(RuleError, match="Fewer than 10 forces"):
        build_comparison(position(), 5, "2026-05")
    with pytest.raises(NotFoundError):
        build_comparison(position(), 5, "2026-04")


def test_a_file_that_was_changed_or_that_another_signed_is_refused(twelve):
    document = build_comparison(position(), 5, "2026-05")
    content = sign_document(document, make_key())

    with pytest.raises(BadInputError, match="did not sign"):
        read_comparison(content.replace(b'"complete": 810', b'"complete": 811'), public_key())
    with pytest.raises(BadInputError, match="did not sign"):
        read_comparison(content, public_key(2))
    document["requirements"][0]["shares"].reverse()
    with pytest.raises(BadInputError, match="cannot all be true"):
        read_comparison(sign_document(document, make_key()), public_key())
    with pytest.raises(BadInputError, match="period: it does not match"):
        read_comparison(sign_document({**document, "period": "soon"}, make_key()), public_key())


def test_quartiles_are_shares_of_forces():
    compared = ComparedRequirement("", "All", Share(1, 2), tuple(range(0, 100, 5)))

    assert compared.quartiles == (25, 50, 75)
